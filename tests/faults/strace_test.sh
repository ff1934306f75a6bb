#!/bin/bash
# strace_test.sh SLUICE TEST.py STRIDE [SEED]
set -eu
exec python3 "$2" "$(readlink -f "$1")" "${@:3}"
