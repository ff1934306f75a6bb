#!/bin/bash
# bad_plugin_test.sh SLUICE PLUGIN.so TEST.py [CASE...]
set -eu
exec python3 "$3" "$(readlink -f "$1")" "$(readlink -f "$2")" "${@:4}"
