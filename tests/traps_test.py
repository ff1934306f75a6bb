#!/usr/bin/env python3
"""Holds tests/traps.md against the tree: every target, test and mutant that it
names exists, every mutant is named in it, and every patch still fits.

A row's test column reads `//room:target` `Suite.Name` `test_name` ...: names
belong to the target before them. Its mutant column names .mutant files.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOKEN = re.compile(r"`([^`]+)`")


def has_target(target):
    """Whether the BUILD file of //package:name quotes the name."""
    package, _, name = target.removeprefix("//").partition(":")
    build = ROOT / package / "BUILD"
    return build.exists() and f'"{name}"' in build.read_text()


def has_test(target, test):
    """Whether some source beside the target defines the test."""
    folder = ROOT / target.removeprefix("//").partition(":")[0]
    if "." in test:
        suite, name = map(re.escape, test.split("."))
        pattern = rf"^TEST(_F|_P)?\(\s*{suite},\s*{name}\)"
    else:
        pattern = rf"^\s+def {re.escape(test)}\("
    return any(re.search(pattern, source.read_text(), re.MULTILINE)
               for source in [*folder.glob("*.cc"), *folder.glob("*.py")])


def check_tests(cell, say):
    """Says what a row's test column names that is not there."""
    target = None
    for token in TOKEN.findall(cell):
        if token.startswith("//"):
            target = token
            if not has_target(target):
                say(f"no target {target}")
        elif target is None:
            say(f"{token} before its target")
        elif not has_test(target, token):
            say(f"no test {token} in {target}")
    if target is None:
        say("a row without a test")


def check_patch(name, text):
    """What keeps a mutant's patch from being put in."""
    file = re.search(r"^file: (\S+)", text, re.MULTILINE).group(1)
    old = text.split("=== old\n", 1)[1].split("=== new\n", 1)[0]
    found = (ROOT / file).read_text().count(old) if (ROOT / file).exists() else 0
    return [] if found == 1 else [
        f"{name}.mutant: its old text stands {found} times in {file}"]


def main():
    mutants = {path.stem: path.read_text()
               for path in (ROOT / "tests/mutants").rglob("*.mutant")}
    problems = []
    named = set()
    rows = 0
    lines = (ROOT / "tests/traps.md").read_text().splitlines()
    for number, line in enumerate(lines, 1):
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) != 3 or cells[0] in ("Trap", "Step") or set(cells[0]) == {"-"}:
            continue
        rows += 1
        def say(problem, number=number):
            problems.append(f"tests/traps.md:{number}: {problem}")
        check_tests(cells[1], say)
        for mutant in TOKEN.findall(cells[2]):
            named.add(mutant)
            if mutant not in mutants:
                say(f"no tests/mutants/{mutant}.mutant")
    problems += [f"{name}.mutant stands in no row of tests/traps.md"
                 for name in sorted(set(mutants) - named)]
    for name, text in sorted(mutants.items()):
        problems += check_patch(name, text)
        target = re.search(r"^test: (//\S+)", text, re.MULTILINE)
        if target is None or not has_target(target.group(1)):
            problems.append(f"{name}.mutant names no target that exists")
    if rows < 40:
        problems.append(f"only {rows} rows were found in tests/traps.md")
    print("\n".join(problems) or f"{rows} rows, {len(mutants)} mutants")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
