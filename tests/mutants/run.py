#!/usr/bin/env python3
"""Puts faults back, one at a time, and demands that a test turns red.

usage: tests/mutants/run.py [--list] [--shard I/N] [--sample N [--seed S]]
                            [NAME ...]

Each NAME.mutant below this folder, in the room of the file that it changes,
says which trap of tests/traps.md it stands for, which test must see it, and one
replacement in one file:

    trap: a rename whose folder was not synced
    test: //destinations/local:local_crash_test
    filter: LocalCrashTest.KeepsItsPromisesInEveryStateThatAPowerCutLeaves
    file: destinations/local/local_object_store.cc
    === old
    if (int error = fs_->SyncDirectory(folder)) return Unsynced(error);
    === new
    === end

The old text must stand exactly once in the file. Two lines may be left
out: `filter`, a --test_filter for the one test that must turn red, and
`timeout`, the seconds until a test that hangs counts as red. The tree is copied
first, to a folder that is kept, so that the next run finds it built; nothing
here is changed. A mutant that survives, or that does not build, fails the run:
a test that cannot see its fault is worse than none. So does one whose test is
red without it.
"""

import pathlib
import random
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent.parent / "tools"))
from copied_tree import copy_tree, scratch_folder  # pylint: disable=wrong-import-position

TESTS_FAILED = 3  # Bazel's exit status when the build is fine and a test is not


def parse(path):
    """Reads one .mutant file into its fields."""
    head, rest = path.read_text().split("=== old\n", 1)
    old, rest = rest.split("=== new\n", 1)
    new, _ = rest.split("=== end", 1)
    fields = dict(line.split(": ", 1) for line in head.splitlines() if line)
    return {"name": path.stem, "old": old, "new": new, **fields}


def test(mutant, scratch, *flags):
    """As ./check builds, so that what it built is shared."""
    flags = [*flags, "-c", "opt", "--symlink_prefix=/", "--test_output=errors",
             f"--test_timeout={mutant.get('timeout', 60)}"]
    if "filter" in mutant:
        flags.append(f"--test_filter={mutant['filter']}")
    return subprocess.run(["bazel", "test", *flags, *mutant["test"].split()],
                          cwd=scratch, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False)


def run(mutant, scratch):
    """None if the mutant was caught, else what went wrong."""
    target = scratch / mutant["file"]
    if not target.exists():
        return f"no {mutant['file']}"
    text = target.read_text()
    if text.count(mutant["old"]) != 1:
        return f"its old text stands {text.count(mutant['old'])} times in {mutant['file']}"
    target.write_text(text.replace(mutant["old"], mutant["new"]))
    try:
        result = test(mutant, scratch)
        if result.returncode == 1 and "[-Werror=" in result.stderr:
            # What was taken out may leave something unused. The room's sources
            # are compiled as one, under another name.
            room = re.escape(mutant["file"].rpartition("/")[0])
            result = test(mutant, scratch,
                          f"--per_file_copt={room}/[^/]*$@-Wno-error")
    finally:
        target.write_text(text)
    if result.returncode == TESTS_FAILED:
        return None
    if result.returncode == 0:
        return f"SURVIVED {mutant['test']}"
    return f"did not build:\n{result.stderr[-3000:]}"


def red_without(mutants, scratch):
    """The mutants whose test fails on the tree as it is."""
    red = set()
    for target in sorted({mutant["test"] for mutant in mutants}):
        ours = [mutant for mutant in mutants if mutant["test"] == target]
        whole = {"test": target, "timeout": 300}
        if all("filter" in mutant for mutant in ours):
            whole["filter"] = ":".join(sorted({m["filter"] for m in ours}))
        if test(whole, scratch).returncode != 0:
            red |= {mutant["name"] for mutant in ours}
    return red


def main(arguments):
    mutants = [parse(path) for path in sorted(HERE.rglob("*.mutant"))]
    if arguments[:1] == ["--list"]:
        for mutant in mutants:
            print(f"{mutant['name']}: {mutant['trap']} -> {mutant['test']}"
                  f" {mutant.get('filter', '')}")
        return 0
    shard = ""
    if arguments[:1] == ["--shard"]:
        shard = arguments[1]
        index, count = map(int, shard.split("/"))
        mutants, arguments = mutants[index::count], arguments[2:]
    if arguments[:1] == ["--sample"]:
        size, arguments = int(arguments[1]), arguments[2:]
        seed = random.randrange(1 << 32)
        if arguments[:1] == ["--seed"]:
            seed, arguments = int(arguments[1]), arguments[2:]
        print(f"sample of {size}, seed {seed}", flush=True)
        mutants = sorted(random.Random(seed).sample(mutants, min(size, len(mutants))),
                         key=lambda mutant: mutant["name"])
    if arguments:
        mutants = [mutant for mutant in mutants if mutant["name"] in arguments]
    if not mutants:
        print("no such mutant", file=sys.stderr)
        return 2
    failed = 0
    began = time.monotonic()
    scratch, lock = scratch_folder(f"mutants {shard}")
    with lock:
        copy_tree(scratch)
        red = red_without(mutants, scratch)
        print(f"unchanged: {time.monotonic() - began:.1f} s", flush=True)
        for mutant in mutants:
            start = time.monotonic()
            problem = (f"{mutant['test']} is red without it"
                       if mutant["name"] in red else run(mutant, scratch))
            failed += problem is not None
            print(f"{'FAIL' if problem else 'caught':7}{mutant['name']} "
                  f"({time.monotonic() - start:.1f} s)"
                  f"{': ' + problem if problem else ''}", flush=True)
        subprocess.run(["bazel", "shutdown"], cwd=scratch, check=False)
    print(f"mutants: {len(mutants) - failed} caught, {failed} not, "
          f"{time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
