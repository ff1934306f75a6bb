#!/usr/bin/env python3
"""base/version.h says the version that CHANGELOG.md says last."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    header = (ROOT / "base/version.h").read_text()
    changelog = (ROOT / "CHANGELOG.md").read_text()
    said = re.findall(r'kVersion = "([^"]+)"', header)
    logged = re.findall(r"^## (\d+\.\d+\.\d+)", changelog, re.MULTILINE)
    if len(said) != 1 or not logged or said[0] != logged[0]:
        print(f"base/version.h says {said}, CHANGELOG.md {logged[:1]}")
        return 1
    print(said[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
