#!/usr/bin/env python3
"""Puts faults back, one at a time, and demands that a test turns red.

usage: tests/mutants/run.py [--list] [--shard I/N] [NAME ...]

Each NAME.mutant beside this file says which trap of tests/traps.md it stands
for, which test must see it, and one replacement in one file:

    trap: a rename whose folder was not synced
    test: //destinations/local:local_object_store_test
    file: destinations/local/local_object_store.cc
    === old
    if (int error = fs_->SyncDirectory(folder)) return Unsynced(error);
    === new
    === end

The old text must stand exactly once in the file. The tree is copied first;
nothing here is changed. A mutant that survives, or that does not build, fails
the run: a test that cannot see its fault is worse than none.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TESTS_FAILED = 3  # Bazel's exit status when the build is fine and a test is not


def parse(path):
    """Reads one .mutant file into its fields."""
    head, rest = path.read_text().split("=== old\n", 1)
    old, rest = rest.split("=== new\n", 1)
    new, _ = rest.split("=== end", 1)
    fields = dict(line.split(": ", 1) for line in head.splitlines() if line)
    return {"name": path.stem, "old": old, "new": new, **fields}


def copy_tree(scratch):
    """The tracked files as they are now, uncommitted changes included."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], check=True,
                            capture_output=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).exists():
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, scratch / name)


def run(mutant, scratch):
    """None if the mutant was caught, else what went wrong."""
    target = scratch / mutant["file"]
    text = target.read_text()
    if text.count(mutant["old"]) != 1:
        return f"its old text stands {text.count(mutant['old'])} times in {mutant['file']}"
    target.write_text(text.replace(mutant["old"], mutant["new"]))
    try:
        result = subprocess.run(
            ["bazel", "test", "--test_output=errors", "--noshow_progress",
             "--copt=-Wno-error", *mutant["test"].split()],
            cwd=scratch, capture_output=True, text=True)
    finally:
        target.write_text(text)
    if result.returncode == TESTS_FAILED:
        return None
    if result.returncode == 0:
        return f"SURVIVED {mutant['test']}"
    return f"did not build:\n{result.stderr[-3000:]}"


def main(arguments):
    mutants = [parse(path) for path in sorted(HERE.glob("*.mutant"))]
    if arguments[:1] == ["--list"]:
        for mutant in mutants:
            print(f"{mutant['name']}: {mutant['trap']} -> {mutant['test']}")
        return 0
    if arguments[:1] == ["--shard"]:
        index, count = map(int, arguments[1].split("/"))
        mutants, arguments = mutants[index::count], arguments[2:]
    if arguments:
        mutants = [mutant for mutant in mutants if mutant["name"] in arguments]
    if not mutants:
        print("no such mutant", file=sys.stderr)
        return 2
    failed = 0
    with tempfile.TemporaryDirectory(prefix="sluice-mutants-") as folder:
        scratch = pathlib.Path(folder) / "sluice"
        scratch.mkdir()
        copy_tree(scratch)
        for mutant in mutants:
            problem = run(mutant, scratch)
            failed += problem is not None
            print(f"{'FAIL' if problem else 'caught':7}{mutant['name']}"
                  f"{': ' + problem if problem else ''}", flush=True)
        subprocess.run(["bazel", "shutdown"], cwd=scratch, check=False)
        subprocess.run(["chmod", "-R", "u+w", folder], check=False)
    print(f"mutants: {len(mutants) - failed} caught, {failed} not")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
