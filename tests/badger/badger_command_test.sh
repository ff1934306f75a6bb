#!/bin/bash
# Runs badger_command_test.py with the command as it ships:
# badger_command_test.sh SLUICE TEST.py [TEST...]
set -eu
sluice=$(readlink -f "$1")
exec python3 "$2" "$sluice" "${@:3}"
