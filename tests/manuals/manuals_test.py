#!/usr/bin/env python3
"""The extractor finds examples and what is wrong with them. That the examples
of the tree compile is shown by this test being built: //tests/manuals:examples
is its data."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import extract  # noqa: E402

GOOD = """// Counts.
//
// Example:
//
//   Counter counter;
//   if (counter.Add(1)) {
//     Use(counter);
//   }
//
// Thread-safe.
namespace sluice::counting {
"""

failures = []


def expect(condition, what):
    if not condition:
        failures.append(what)


def problems_of(text, presumed=None, without=()):
    return extract.extract({"a.h": text}, presumed or {}, set(without))[1]


def main():
    source, problems = extract.extract({"a.h": GOOD}, {"a.h": "int x;"}, set())
    expect(problems == [], f"a good header: {problems}")
    for part in ('#include "sluice/a.h"', "namespace sluice::counting::manual_0",
                 "int x;", '#line 4 "a.h"', "Counter counter;\n",
                 "\n  Use(counter);\n}"):
        expect(part in source, f"{part!r} is not in the source")
    expect("Thread-safe" not in source, "text was taken for code")

    scoped = GOOD.replace("Example:", "Example, at namespace scope:")
    source, problems = extract.extract({"a.h": scoped}, {}, set())
    expect(problems == [] and "Example()" not in source,
           "code at namespace scope stands in a function")

    stray = GOOD + "  // Other:\n  //\n  //   counter.Reset();\n"
    expect(problems_of(stray) ==
           ['a.h:14: code that no "Example:" introduces'],
           f"code without an introduction: {problems_of(stray)}")
    expect(problems_of("/* Text\n *    f(x);\n */\n") != [],
           "code in a comment of C is not seen")
    table = GOOD + "//   EIO     destination_io_error\n//   ENOSPC  no space\n"
    expect(problems_of(table) == [], f"a table: {problems_of(table)}")

    without = "// Nothing to show.\n"
    expect("a.h has no example" in problems_of(without), "none is not seen")
    expect("no header has an example" in problems_of(without, without=["a.h"]),
           "none at all is not seen")
    expect(problems_of(GOOD, without=["a.h"]) != [],
           "an example in a header that is listed as without one")
    expect(problems_of(GOOD, presumed={"b.h": ""}) == ["b.h is no public header"],
           "what is presumed for a header that is not there")

    print("\n".join(failures) or "10 rules")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
