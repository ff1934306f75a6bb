#!/usr/bin/env python3
"""Nothing that ships starts a thread past base/thread.h, which answers a Status
where the system gives none: std::thread throws, and the process is gone.

Looks at every tracked source but tests, benchmarks and examples.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RAW = re.compile(
    r"\bstd::(?:thread|jthread)\b(?!::(?:id|hardware_concurrency)\b)"
    r"|\bstd::async\b|\bpthread_create\b|\bthrd_create\b")
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)

# What only tests link, and where threads are made.
ALLOWED = {
    "base/testing/one_thread.cc",
    "base/thread.cc",
    "destinations/archive/testing/archive_suite.cc",
    "plugins/postgres/testing/test_server.cc",
    "plugins/postgres/testing/test_server.h",
}
ROOMS = ("base", "executor", "catalog", "cli", "destinations", "plugins",
         "service")


def raw_threads(text):
    """The lines of `text` that start a thread, or hold one."""
    blank = COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)
    return [number for number, line in enumerate(blank.splitlines(), 1)
            if RAW.search(line)]


def main():
    planted = "// std::thread is\nstd::thread::id a;\nstd::thread b(f);\n"
    assert raw_threads(planted) == [3], raw_threads(planted)
    problems = []
    seen = 0
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            name = str(path.relative_to(ROOT))
            if (path.suffix not in (".cc", ".h", ".c")
                    or path.stem.endswith("_test")):
                continue
            seen += 1
            if name in ALLOWED:
                continue
            problems += [f"{name}:{line}: starts a thread past base/thread.h"
                         for line in raw_threads(path.read_text())]
    if seen < 200:
        problems.append(f"only {seen} sources were found")
    print("\n".join(problems) or f"{seen} sources")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
