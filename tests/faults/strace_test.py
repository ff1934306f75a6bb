"""T1 with an independent hand: strace makes the command's system calls fail.

usage: strace_test.py SLUICE STRIDE [SEED]

The seam of ours (fault_matrix_test) sees only the calls that go through it.
Here the kernel's answer to each call of each verb that touches the repo, the
catalog, the store or the target is replaced by EIO and by ENOSPC, one call at a
time, from outside. After each the command must have told the truth, every
archive that is listed must verify, and reconcile and sweep must mend the rest.
One call in STRIDE is struck, from a random one on.
"""

import collections
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

CALLS = ("openat", "openat2", "read", "pread64", "write", "pwrite64", "writev",
         "fsync", "fdatasync", "ftruncate", "fallocate", "renameat2", "linkat",
         "mkdirat", "unlinkat", "unlink", "getdents64", "newfstatat", "syncfs")
ERRORS = ("EIO", "ENOSPC")
VERBS = ("backup", "restore", "delete", "sweep", "reconcile")
OK, WARNINGS = 0, 3
# [pid  12] pwrite64(5</repo/x>, "..."..., 10, 0) = 10
LINE = re.compile(r"^(?:\[pid +)?(\d+)?\]? *(\w+)\((.*)$")


class World:
    """A repo with one archive, a catalog and a store; copied for each run."""

    def __init__(self, sluice, tmp):
        self.sluice, self.tmp = sluice, tmp
        self.base, self.here = tmp / "base", tmp / "here"
        self.contents = {"small": b"1", "empty": b"", "deep/big": bytes(300_000)}
        for name, content in self.contents.items():
            path = self.here / "tree" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self.first = json.loads(self.run("backup", "--init").stdout)["record"]["id"]
        # What a delete may take, a sweep finishes, a reconcile looks at.
        self.second = json.loads(self.run("backup").stdout)["record"]["id"]
        os.rename(self.here, self.base)

    def refresh(self):
        shutil.rmtree(self.here, ignore_errors=True)
        shutil.copytree(self.base, self.here)

    def words(self, verb, *more):
        words = [self.sluice, *verb.split(), "--json",
                 "--catalog", f"sqlite:{self.here}/catalog.db", *more]
        if verb != "job list":
            words += ["--repo", f"local:{self.here}/repo"]
        if verb == "backup":
            words.append(f"memory:?load={self.here}/tree&store_id=tree")
        elif verb == "restore":
            words += [self.first, "--to", f"memory:?save={self.here}/out"]
        elif verb == "delete":
            words.append(self.second)
        return words

    def run(self, verb, *more, codes=(OK,), strace=()):
        result = subprocess.run(
            [*strace, *self.words(verb, *more)], stdin=subprocess.DEVNULL,
            capture_output=True, check=False, timeout=120,
            env={"PATH": os.environ["PATH"], "HOME": str(self.tmp)})
        if codes and result.returncode not in codes:
            raise AssertionError(f"{verb} ended with {result.returncode}: "
                                 f"{result.stdout} {result.stderr}")
        return result

    def listed(self):
        return {json.loads(line)["id"]
                for line in self.run("list").stdout.splitlines()}

    def trace(self, verb):
        """Each call on a path of ours: its name, its number in its thread."""
        log = self.tmp / "trace"
        self.refresh()
        self.run(verb, codes=(OK, WARNINGS), strace=(
            "strace", "-f", "-qq", "-y", "-s", "0", "-o", log,
            "-e", "trace=" + ",".join(CALLS)))
        counts, found = collections.Counter(), set()
        for line in log.read_text(errors="replace").splitlines():
            match = LINE.match(line)
            if match is None or match[2] not in CALLS:
                continue  # the other half of an interrupted line
            counts[match[1], match[2]] += 1
            if str(self.here) in match[3]:
                found.add((match[2], counts[match[1], match[2]]))
        return sorted(found)

    def strike(self, verb, call, number, error):
        """Returns whether the verb noticed; raises where it lied."""
        self.refresh()
        result = self.run(verb, codes=(), strace=(
            "strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
            "-e", f"inject={call}:error={error}:when={number}"))
        went_well = result.returncode in (OK, WARNINGS)
        if result.returncode < 0 or result.returncode > 128:
            raise AssertionError(f"died of {result.returncode}: {result.stderr}")
        self.run("reconcile", "--adopt", "--forget", codes=(OK, WARNINGS))
        self.run("sweep")
        self.run("verify", "--all")
        self.check(verb, went_well, self.listed(), result)
        return not went_well

    def check(self, verb, went_well, listed, result):
        expect = lambda holds, what: holds or self.fail(what, result)
        expect(self.first in listed, "an earlier archive is gone")
        if verb == "backup":
            expect(not went_well or len(listed) == 3, "succeeded, not listed")
        elif verb == "delete":
            expect(not went_well or self.second not in listed, "still listed")
        else:
            expect(len(listed) == 2, "archives came or went")
        if verb == "restore":
            out = self.here / "out"
            found = {str(path.relative_to(out)): path.read_bytes()
                     for path in out.rglob("*") if path.is_file()}
            expect(found == (self.contents if went_well else found),
                   "succeeded, and what came back differs")
            expect(went_well or not found or found == self.contents,
                   "failed, and half of it is there")
        jobs = [json.loads(line)["status"]
                for line in self.run("job list").stdout.splitlines()]
        expect("running" not in jobs and "pending" not in jobs,
               f"jobs that nobody ends: {jobs}")

    def fail(self, what, result):
        raise AssertionError(f"{what}: {result.returncode} {result.stdout} "
                             f"{result.stderr}")


def main():
    stride = int(sys.argv[2]) * int(os.environ.get("SLUICE_FAULT_STRIDE", 1))
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else time.time_ns() % 10**9
    print(f"seed {seed}, one call in {stride}", flush=True)
    first = random.Random(seed).randrange(stride)
    began, total, told = time.monotonic(), 0, 0
    with tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR")) as tmp:
        world = World(sys.argv[1], pathlib.Path(tmp))
        for verb in VERBS:
            calls = world.trace(verb)
            noticed = struck = 0
            for call, number in calls[first::stride]:
                for error in ERRORS:
                    try:
                        noticed += world.strike(verb, call, number, error)
                    except AssertionError as failure:
                        sys.exit(f"{verb}, {call} number {number}, {error}: "
                                 f"{failure}")
                    struck += 1
            print(f"{verb}: {len(calls)} calls, {struck} faults of "
                  f"{len(calls) * len(ERRORS)}, {noticed} of them told as "
                  f"failures, 0 wrong states", flush=True)
            total += struck
            told += noticed
    if told == 0:
        sys.exit("no fault was noticed: was any put in?")
    print(f"{total} faults, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
