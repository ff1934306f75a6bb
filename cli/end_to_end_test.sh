#!/bin/bash
# Runs end_to_end_test.py with the command as it ships, and a plugin that does
# not: end_to_end_test.sh SLUICE PLUGIN.so TEST.py [TEST...]
set -eu
sluice=$(readlink -f "$1")
plugin=$(readlink -f "$2")
exec python3 "$3" "$sluice" "$plugin" "${@:4}"
