#!/usr/bin/env python3
"""Makes one source of the examples in headers' comments, so that a compiler
reads them as it reads the headers. CONTRIBUTING.md has the convention:

    // Example:
    //
    //   Pipe pipe(options);      code: three spaces or more after the slashes
    //
    // Text again.

"Example, at namespace scope:" is for code that cannot stand in a function.

usage: extract.py --presumed=FILE --without=NAME,... --out=FILE HEADER=NAME ...

HEADER is a file, NAME what it is included by, less "sluice/". Each example gets
a namespace of its own within the header's, what FILE has for that header, and a
function that returns absl::Status. Fails where a header has no example and is
not among --without, or is among them and has one; where code stands in a
comment that no "Example" introduces; and where there is no example at all.
"""

import argparse
import pathlib
import re
import sys

INTRODUCTION = re.compile(r"\s*// Example(, at namespace scope)?:$")
CODE_LINE = re.compile(r"\s*//(?:\s*$|   (.*))")
INDENTED = re.compile(r"\s*(?://|\*)\s{3,}(\S.*)$")
LOOKS_LIKE_CODE = re.compile(r"[;{}]$|;\s+//|^SLUICE_[A-Z_]+\(")
NAMESPACE = re.compile(r"^namespace ([\w:]+) \{$", re.MULTILINE)


class Example:
    def __init__(self, number, at_namespace_scope):
        self.number = number  # of its first line in the header
        self.at_namespace_scope = at_namespace_scope
        self.lines = []


def read_examples(text):
    """(examples of a header, numbers of lines that look like code and are in
    none)."""
    examples = []
    stray = []
    current = None
    for number, line in enumerate(text.splitlines(), 1):
        introduction = INTRODUCTION.match(line)
        if introduction:
            current = Example(number + 1, introduction.group(1) is not None)
            examples.append(current)
            continue
        code = CODE_LINE.match(line)
        if current is not None and code:
            current.lines.append(code.group(1) or "")
            continue
        current = None
        indented = INDENTED.match(line)
        if indented and LOOKS_LIKE_CODE.search(indented.group(1)):
            stray.append(number)
    return [example for example in examples if any(example.lines)], stray


def read_presumed(text):
    """What examples presume, by header: sections that begin "== NAME"."""
    sections = {}
    for part in re.split(r"^== ", text, flags=re.MULTILINE)[1:]:
        name, _, body = part.partition("\n")
        sections[name.strip()] = body
    return sections


def render(name, space, index, example, presumed):
    """The example as a piece of the source."""
    body = "\n".join(example.lines)
    code = f'#line {example.number} "{name}"\n{body}\n'
    if not example.at_namespace_scope:
        code = ("[[maybe_unused]] absl::Status Example() {\n" + code +
                "return absl::OkStatus();\n}\n")
    return (f"namespace {space}::manual_{index} {{\n{presumed}\n{code}}}\n")


def extract(headers, presumed, without):
    """(the source, what is wrong); headers: {name: text}."""
    problems = []
    pieces = []
    for name in sorted((set(presumed) | without) - set(headers)):
        problems.append(f"{name} is no public header")
    for name, text in sorted(headers.items()):
        examples, stray = read_examples(text)
        problems += [f"{name}:{number}: code that no \"Example:\" introduces"
                     for number in stray]
        if name in without and examples:
            problems.append(f"{name} has an example; it is listed as without")
        if name not in without and not examples:
            problems.append(f"{name} has no example")
        space = NAMESPACE.search(text)
        for example in examples:
            pieces.append(render(name, space.group(1) if space else "sluice",
                                 len(pieces), example, presumed.get(name, "")))
    if not pieces:
        problems.append("no header has an example")
    includes = "".join(f'#include "sluice/{name}"\n' for name in sorted(headers))
    standard = "".join(f"#include <{name}>\n" for name in (
        "fcntl.h", "sys/mount.h", "atomic", "iostream", "memory", "string",
        "utility", "vector"))
    return standard + includes + "\n".join(pieces), problems


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--presumed", required=True)
    parser.add_argument("--without", default="")
    parser.add_argument("--out", required=True)
    parser.add_argument("headers", nargs="*")
    arguments = parser.parse_args()
    headers = {}
    for argument in arguments.headers:
        path, _, name = argument.partition("=")
        headers[name] = pathlib.Path(path).read_text()
    source, problems = extract(
        headers, read_presumed(pathlib.Path(arguments.presumed).read_text()),
        set(filter(None, arguments.without.split(","))))
    pathlib.Path(arguments.out).write_text(source)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
