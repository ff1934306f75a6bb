#!/bin/bash
# verbs_at_once_test.sh SLUICE TEST.py [SEED]
set -eu
exec python3 "$2" "$(readlink -f "$1")" "${@:3}"
