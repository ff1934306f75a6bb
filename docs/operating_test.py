#!/usr/bin/env python3
"""operating.md leaves out no metric, no alert and no log line, and tells of none
that is not there.

The log lines are those of the command and so of the service; tests and what
writes the lines are left out.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def read(path):
    return path.read_text("utf-8")


def sources_below(folder, pattern="*.cc"):
    return [read(path) for path in sorted((ROOT / folder).rglob(pattern))
            if not path.name.endswith("_test.cc") and "terminal" not in path.parts]


def metrics_of(sources):
    """What a scrape may show: a name is a whole string of ours."""
    return {name for text in sources
            for name in re.findall(r'"((?:sluice|process)_[a-z_]+)"', text)}


def logged_of(sources):
    """Each line's words to its fields, of all places that write it."""
    logged = {}
    for text in sources:
        for found in re.finditer(
                r'(?:[.>]Log\(\s*LogLevel::\w+|: LogLevel::kError),\s*"([^"]+)"'
                r"(.*?\));", text, re.DOTALL):
            fields = logged.setdefault(found.group(1), set())
            fields.update(re.findall(r'{"([a-z_]+)",', found.group(2)))
    return logged


def rows(text, heading):
    """Of the table whose heading begins so: the code in each first cell to the
    code in its second one, up to a colon."""
    table = re.search(rf"^\| {heading}.*?\n\|---.*?\n((?:\|.*\n)+)", text,
                      re.MULTILINE)
    found = {}
    for line in table.group(1).splitlines() if table else []:
        cells = line.split("|")
        for word in re.findall(r"`([^`]+)`", cells[1]):
            found[word] = set(re.findall(r"`([^`]+)`", cells[2].split(":")[0]))
    return found


def differences(what, documented, real):
    for name in sorted(real - documented):
        yield f"{what} {name} is not documented"
    for name in sorted(documented - real):
        yield f"{what} {name} is documented, and is not there"


def main():
    page, rules = read(ROOT / "docs/operating.md"), read(ROOT / "docs/alerts.yml")
    metrics = metrics_of(sources_below("service/http/api", "*metrics.cc"))
    logged = logged_of(sources_below("cli"))
    alerts = set(re.findall(r"^ *- alert: (\w+)$", rules, re.MULTILINE))
    told = {words: fields for words, fields in rows(page, "msg").items()
            if not words.startswith("…")}
    problems = [
        *differences("metric", set(rows(page, "metric \\|")) |
                     set(rows(page, "metric of a process")), metrics),
        *differences("alert", set(rows(page, "alert")), alerts),
        *differences("log line", set(told), set(logged)),
    ]
    for words in told.keys() & logged.keys():
        problems += differences(f"of the line '{words}' the field",
                                told[words], logged[words])
    if len(metrics) < 10 or len(alerts) < 5 or len(logged) < 5:
        problems.append(f"found {len(metrics)} metrics, {len(alerts)} alerts, "
                        f"{len(logged)} log lines: too few to be all")
    print("\n".join(problems) or
          f"{len(metrics)} metrics, {len(alerts)} alerts, {len(logged)} lines")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
