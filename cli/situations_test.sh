#!/bin/bash
# Runs situations_test.py with the command as it ships:
# situations_test.sh SLUICE TEST.py GOLDEN BADGER.tar.zst [ARGUMENT...]
set -eu
sluice=$(readlink -f "$1")
exec python3 "$2" "$sluice" "$3" "$4" "${@:5}"
