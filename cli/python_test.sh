#!/bin/bash
# Runs a test in Python: python_test.sh TEST.py [ARGUMENT...]
set -eu
exec python3 "$@"
