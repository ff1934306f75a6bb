#!/bin/bash
# Runs end_to_end_test.py with the command as it ships: end_to_end_test.sh
# SLUICE TEST.py [TEST...]
set -eu
sluice=$(readlink -f "$1")
shift
exec python3 "$1" "$sluice" "${@:2}"
