#!/usr/bin/env python3
"""Puts faults back, one at a time, and demands that a test turns red.

usage: tests/mutants/run.py [--list] [--shard I/N] [NAME ...]

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

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

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


def scratch_folder(shard):
    """The same folder each time, ours alone, locked until we end."""
    key = hashlib.sha256(f"{ROOT} {shard}".encode()).hexdigest()[:12]
    folder = pathlib.Path(tempfile.gettempdir(),
                          f"sluice-mutants-{os.getuid()}-{key}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        sys.exit(f"{folder} is not ours")
    lock = open(folder / "lock", "w", encoding="utf-8")
    fcntl.flock(lock, fcntl.LOCK_EX)
    tree = folder / "sluice"
    tree.mkdir(exist_ok=True)
    return tree, lock


def copy_tree(scratch):
    """The tracked files as they are now, uncommitted changes included."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], check=True,
                            capture_output=True).stdout.decode().split("\0")
    names = {name for name in listed if name and (ROOT / name).exists()}
    for path in sorted(scratch.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif str(path.relative_to(scratch)) not in names:
            path.unlink()
    for name in names:
        source, target = ROOT / name, scratch / name
        if target.exists() and target.read_bytes() == source.read_bytes():
            continue  # with its times: Bazel need not look at it again
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


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
            # What was taken out may leave something unused.
            result = test(mutant, scratch,
                          f"--per_file_copt={mutant['file']}@-Wno-error")
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
    if arguments:
        mutants = [mutant for mutant in mutants if mutant["name"] in arguments]
    if not mutants:
        print("no such mutant", file=sys.stderr)
        return 2
    failed = 0
    began = time.monotonic()
    scratch, lock = scratch_folder(shard)
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
