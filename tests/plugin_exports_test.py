#!/usr/bin/env python3
"""Each plugin exports its entry and nothing else: whatever else it exported
could take the place of the host's own symbol of that name, or of another
plugin's.

usage: plugin_exports_test.py FILE.so ...
"""

import pathlib
import subprocess
import sys


def exported(path):
    """The names that the dynamic symbol table of `path` defines."""
    lines = subprocess.run(["nm", "-D", "--defined-only", "-P", path],
                           check=True, capture_output=True, text=True).stdout
    return sorted(line.split()[0] for line in lines.splitlines())


def main():
    plugins = [path for path in sys.argv[1:] if path.endswith(".so")]
    problems = []
    for path in plugins:
        names = exported(path)
        if names != ["sluice_plugin"]:
            problems.append(f"{pathlib.Path(path).name} exports {len(names)} "
                            f"symbols: {' '.join(names[:5])} ...")
    if len(plugins) < 5:
        problems.append(f"only {len(plugins)} plugins were looked at")
    print("\n".join(problems) or f"{len(plugins)} plugins")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
