#!/usr/bin/env python3
"""Shows that a forbidden arrow between two rooms fails the build.

usage: tools/arrows.py

Works on a copy of the tree. Every arrow that ARCHITECTURE.md's drawing of
a plugin's sub-rooms does not allow is planted there, twice:

    dep       a new library in the one room names the other in its deps. The
              analysis must refuse it as not visible.
    include   a source in the one room includes a header of the other, through
              the plugin's public library, which it may see and which has all
              of them behind it. layering_check, as in the sanitizers' builds,
              must refuse that line.

Public rooms have no such visibility. An arrow to what stands on its own room is
planted as a dep of the library itself ("cycle"); any other Bazel would let
pass: that there is none is asked of its graph ("no path"). As controls the tree
as it is, and an arrow for each that is allowed, must pass. Exit status 0: all
that, for these reasons.
"""

import collections
import itertools
import re
import subprocess
import sys
import time

from copied_tree import ROOT, copy_tree, scratch_folder

# The drawings, as ARCHITECTURE.md has them: what stands right of an arrow may
# stand on all that is left of it, what a comma parts not on each other.
DRAWN = {
    "plugins/memory": "store <- payload <- folder",
    "plugins/badger": "wire <- format <- sort <- image <- stream <- restore;"
                      " live stands on image; inspect stands on live",
    "plugins/postgres": "client, payload <- tools, database <- backup, restore",
}

# A library, and what stands on it.
CYCLES = [
    ("//base:error", "//executor"),
    ("//executor/stream", "//executor/run"),
    ("//executor/run", "//executor"),
    ("//executor:job_store", "//catalog"),
    ("//executor:destination", "//destinations/archive:archive_destination"),
    ("//destinations/archive:object_store", "//destinations/archive/protocol"),
    ("//destinations/archive/format", "//destinations/archive/protocol"),
    ("//destinations/archive/protocol", "//destinations/archive/read"),
    ("//destinations/archive/read", "//destinations/archive:archive_destination"),
    ("//catalog", "//catalog/sqlite"),
    ("//catalog", "//service"),
    ("//plugins/abi:sluice_plugin", "//plugins/sdk"),
    ("//plugins/host", "//service"),
]

# A room, and where nothing of it that ships may lead.
PATHS = [
    ("plugins/memory", "executor destinations catalog service cli plugins/badger plugins/postgres plugins/host"),
    ("plugins/badger", "executor destinations catalog service cli plugins/memory plugins/postgres plugins/host"),
    ("plugins/postgres", "executor destinations catalog service cli plugins/memory plugins/badger plugins/host"),
    ("plugins/sdk", "executor destinations catalog service cli plugins/host"),
    ("plugins/memory/store", "executor destinations catalog service cli plugins/abi plugins/sdk plugins/host"),
    ("executor", "plugins destinations catalog service cli"),
    ("catalog", "plugins destinations service cli"),
    ("destinations", "plugins/badger plugins/memory plugins/postgres catalog service cli"),
    ("service", "cli"),
    ("base", "executor plugins destinations catalog service cli"),
]

Row = collections.namedtuple("Row", "room other how verdict ok")


def stands_on(drawing):
    """{room: the rooms that it may stand on} of a drawing."""
    chain, *asides = drawing.split("; ")
    below, allowed = set(), {}
    for level in chain.split(" <- "):
        rooms = level.split(", ")
        allowed.update((room, set(below)) for room in rooms)
        below.update(rooms)
    for aside in asides:
        room, other = aside.split(" stands on ")
        allowed[room] = {other} | allowed[other]
    return allowed


class Copy:
    """The copy of the tree, with Bazel in it."""

    def __init__(self, folder):
        self.folder = folder
        copy_tree(folder)

    def bazel(self, *words):
        return subprocess.run(
            ["bash", "-c", f'root={self.folder}; . tools/common.sh; sluice_bazel "$@"', "arrows", *words],
            cwd=self.folder, capture_output=True, text=True, check=False)

    def analyse(self, *targets):
        return self.bazel("build", "--nobuild", "--keep_going", "-c", "opt", *targets)

    def header(self, room):
        """One header of the room's library, as it is included."""
        found = self.bazel("query", f"labels(hdrs, //{room})").stdout.split()
        return "sluice/" + sorted(found)[0].removeprefix("//").replace(":", "/")

    def append(self, room, text):
        with open(self.folder / room / "BUILD", "a", encoding="utf-8") as build:
            build.write(text)

    def add_library(self, room, name, deps, headers=()):
        """Plants a library; its label."""
        (self.folder / room / f"{name}.cc").write_text(
            "".join(f'#include "{header}"\n' for header in headers))
        self.append(room, f'\ncc_library(name = "{name}", srcs = ["{name}.cc"], '
                          f'copts = ["-std=c++20", "-ferror-limit=0"], deps = {deps!r})\n')
        return f"//{room}:{name}"


def plant_drawn(copy):
    """(rows' makers, labels) of all that the drawings forbid and allow."""
    forbidden, allowed = [], []
    for plugin, drawing in DRAWN.items():
        below = stands_on(drawing)
        headers = {room: copy.header(f"{plugin}/{room}") for room in below}
        for room, other in itertools.permutations(sorted(below), 2):
            if other not in below[room]:
                copy.add_library(f"{plugin}/{room}", f"planted_dep_{other}", [f"//{plugin}/{other}"])
                forbidden.append((plugin, room, other, headers[other]))
        for room, rooms in below.items():
            others = [other for other in sorted(below) if other != room and other not in rooms]
            copy.add_library(f"{plugin}/{room}", "planted_includes", [f"//{plugin}"],
                         [headers[other] for other in others])
            # What the room itself names it may name: that is what is lawful.
            named = copy.bazel("query", f"labels(deps, //{plugin}/{room})").stdout.split()
            lawful = [other for other in sorted(rooms) if f"//{plugin}/{other}:{other}" in named]
            allowed += [(plugin, room, other) for other in lawful]
            copy.add_library(f"{plugin}/{room}", "planted_lawful",
                         [f"//{plugin}/{other}" for other in lawful],
                         [headers[other] for other in lawful])
    return forbidden, allowed


def drawn_rows(copy):
    forbidden, allowed = plant_drawn(copy)
    rooms = sorted({f"{plugin}/{room}" for plugin, room, _, _ in forbidden})
    seen = copy.analyse(*[f"//{plugin}/{room}:planted_dep_{other}" for plugin, room, other, _ in forbidden]).stderr
    for plugin, room, other, _ in forbidden:
        ok = (f"target '//{plugin}/{other}:{other}' is not visible from target "
              f"'//{plugin}/{room}:planted_dep_{other}'") in seen
        yield Row(f"{plugin}/{room}", other, "dep", "not visible" if ok else "NOT REFUSED", ok)
    seen = copy.bazel("build", "--config=clang", "--keep_going",
                      *[f"//{room}:planted_includes" for room in rooms]).stderr
    for plugin, room, other, header in forbidden:
        ok = re.search(rf"module //{plugin}/{room}:planted_includes does not depend on a module "
                       rf"exporting '{re.escape(header)}'", seen) is not None
        yield Row(f"{plugin}/{room}", other, "include", "layering_check" if ok else "NOT REFUSED", ok)
    lawful = copy.bazel("build", "--config=clang", "--keep_going", *[f"//{room}:planted_lawful" for room in rooms])
    yield Row("(control)", f"{len(allowed)} allowed", "both",
              "passes" if lawful.returncode == 0 else "REFUSED:\n" + lawful.stderr[-3000:],
              lawful.returncode == 0 and len(allowed) > 0)


def cycle_row(copy, library, other):
    """Plants `other` as a dep of the library itself."""
    room, _, name = library.removeprefix("//").partition(":")
    build = copy.folder / room / "BUILD"
    text = build.read_text()
    head, rest = text.split(f'name = "{name or room.rpartition("/")[2]}",', 1)
    planted, count = re.subn(r"\n(    deps = \[|\))",
                             lambda m: f'\n    deps = ["{other}",' if m[1] != ")" else f'\n    deps = ["{other}"],\n)',
                             rest, count=1)
    assert count == 1
    build.write_text(text[:len(text) - len(rest)] + planted)
    try:
        result = copy.analyse(library)
    finally:
        build.write_text(text)
    ok = result.returncode != 0 and "cycle in dependency graph" in result.stderr
    return Row(room, other, "dep", "cycle" if ok else "NOT REFUSED:\n" + result.stderr[-3000:], ok)


def path_row(copy, room, others):
    """Asks whether anything of the room that ships leads to the others."""
    result = copy.bazel("query", f"""let own = kind("cc_(library|binary) rule", //{room}/...) in somepath(
        $own except attr(testonly, 1, $own), {" + ".join(f"//{other}/..." for other in others.split())})""")
    ok = result.returncode == 0 and not result.stdout.strip()
    return Row(room, others.replace(" ", ", "), "asked",
               "no path" if ok else "A PATH:\n" + result.stdout + result.stderr[-1000:], ok)


def rows(copy):
    page = " ".join((ROOT / "ARCHITECTURE.md").read_text().split())
    for plugin, drawing in DRAWN.items():
        if drawing not in page:
            yield Row(plugin, drawing, "drawn", "NOT IN ARCHITECTURE.md", False)
    clean = copy.analyse("//...")
    yield Row("(control)", "the tree as it is", "", "passes" if clean.returncode == 0 else "REFUSED:\n" + clean.stderr[-3000:],
              clean.returncode == 0)
    yield from (path_row(copy, *path) for path in PATHS)
    yield from (cycle_row(copy, *cycle) for cycle in CYCLES)
    yield from drawn_rows(copy)


def main():
    began = time.monotonic()
    folder, lock = scratch_folder("arrows")
    with lock:
        copy = Copy(folder)
        try:
            found = []
            for row in rows(copy):
                found.append(row)
                print(f"{row.room:29} {row.how:8} {row.verdict:14} {row.other}", flush=True)
        finally:
            copy.bazel("shutdown")
    bad = sum(not row.ok for row in found)
    print(f"arrows: {len(found) - bad} as they should be, {bad} not, {time.monotonic() - began:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
