#!/usr/bin/env python3
"""No name is declared in two headers of one namespace: two values of one name,
linked into one program, are ill-formed, and no compiler says so where no source
includes both headers.

Reads every tracked header: what stands at the level of a namespace and defines
a name (a class, a function's name, a constant, an alias). Overloads of a
function in one header are one name; a forward declaration is none.
"""

import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROOMS = ("base", "benchmarks", "catalog", "cli", "destinations", "executor",
         "plugins", "service", "tests")
NOISE = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\""
                   r"|'(?:\\.|[^'\\\n])'|^[ \t]*#(?:\\\n|[^\n])*",
                   re.DOTALL | re.MULTILINE)
TOKEN = re.compile(r"[A-Za-z_]\w*|::|\[\[|\]\]|[^\s\w]")
NAMESPACE = re.compile(r"(?:inline )?namespace(?: ([\w: ]+))?$")
ATTRIBUTE = re.compile(r"\[\[ .*? \]\]|\b(?:ABSL|SLUICE)_\w+(?: \( [^()]* \))?")


def declared(statement, has_body):
    """The name that a statement at a namespace's level declares; else None."""
    statement = ATTRIBUTE.sub("", statement).strip()
    while statement.startswith("template <"):
        depth = 0
        for at, char in enumerate(statement):
            depth += {"<": 1, ">": -1}.get(char, 0)
            if char == ">" and depth == 0:
                break
        statement = statement[at + 1:].strip()
    found = re.match(r"(?:enum(?: class| struct)?|class|struct|union) (\w+)",
                     statement)
    if found:
        # "struct X;" is defined elsewhere; "struct X f(...)" is not our style.
        return found[1] if has_body else None
    found = re.match(r"using (\w+) =", statement)
    if found:
        return found[1]
    if re.match(r"(?:using|friend|static_assert|extern \"|typedef)\b",
                statement):
        return None
    head = re.split(r" [({=]", " " + statement, maxsplit=1)[0]
    found = re.search(r"(?:^| )(\w+)$", head.rstrip())
    # A member that is defined out of its class belongs to the class.
    if not found or re.search(r":: ?\w+$", head) or "operator" in head:
        return None
    return found[1] if " " in head.strip() else None


def names(text):
    """{(namespace, name)} that a header declares."""
    found = set()
    scopes = []  # a namespace's name; None for any other brace
    words = []
    for token in TOKEN.findall(NOISE.sub(" ", text)):
        inside = bool(scopes) and scopes[-1] is None
        if token == "{":
            statement = " ".join(words).replace(" :: ", "::")
            space = None if inside else NAMESPACE.search(statement)
            if space:
                scopes.append(space[1] or "")
            else:
                if not inside and scopes:
                    name = declared(" ".join(words), True)
                    if name:
                        found.add(("::".join(scopes), name))
                scopes.append(None)
            words = []
        elif token == "}":
            if scopes:
                scopes.pop()
            words = []
        elif token == ";":
            if not inside and scopes and words:
                name = declared(" ".join(words), False)
                if name:
                    found.add(("::".join(scopes), name))
            words = []
        elif not inside:
            words.append(token)
    return found


def main():
    planted = """
        namespace a { namespace b {
        inline constexpr int kOne = 1;
        class Later;
        template <typename T> struct Box { int inside; void Member(); };
        absl::StatusOr<int> Parse(int x);
        int Parse(long x);
        inline int Twice(int x) { return x; }
        using Map = std::map<int, int>;
        }}"""
    expected = {("a::b", name)
                for name in ("kOne", "Box", "Parse", "Twice", "Map")}
    assert names(planted) == expected, names(planted)

    headers = collections.defaultdict(set)
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.h")):
            for place in names(path.read_text()):
                headers[place].add(str(path.relative_to(ROOT)))
    problems = [f"{space}::{name}: {', '.join(sorted(files))}"
                for (space, name), files in sorted(headers.items())
                if len(files) > 1]
    print("\n".join(problems))
    print(f"{len(headers)} names, {len(problems)} in two headers")
    return 1 if problems or len(headers) < 500 else 0


if __name__ == "__main__":
    sys.exit(main())
