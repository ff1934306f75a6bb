"""Every pair of verbs at once on one repo, from two processes (T16).

usage: verbs_at_once_test.py SLUICE [SEED]

Each ordered pair runs in four ways: with one catalog and with two, both
running freely and with the first one stopped (SIGSTOP) after some number of
its system calls, drawn anew each time, until the second has ended or waits for
it. After each pair its exit statuses must be among those that the pair allows;
at the end the repo must hold exactly what was backed up and not deleted.
"""

import itertools
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BUDGET = 90  # seconds; then what is left of the pairs is not begun
PATIENCE = 120  # seconds; no verb takes so long unless it hangs
STOPPED = 3  # seconds: a second that did not end by then waits for the first

VERBS = ("backup", "restore", "verify", "list", "delete", "sweep", "reconcile")
OK, WARNINGS, DAMAGE, NOT_FOUND, RUNNING = 0, 3, 4, 10, 11


def allowed(verb, other, catalogs):
    """The exit statuses that `verb` may have while `other` runs."""
    codes = {OK}
    if verb == other == "backup" and catalogs == 1:
        codes.add(RUNNING)  # of one store
    if verb in ("restore", "delete") and other == "delete":
        codes.add(NOT_FOUND)  # both take the same archive
    if verb == "reconcile":
        codes.add(WARNINGS)  # lists what differs
    return codes


class Failure(Exception):
    pass


def check(condition, message):
    if not condition:
        raise Failure(message)


class Machine:
    """One repo, two catalogs, and what is known to be in the repo."""

    def __init__(self, sluice, seed):
        self.sluice = sluice
        self.random = random.Random(seed)
        self.tmp = pathlib.Path(
            tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        self.repo_folder = self.tmp / "repo"
        self.repo = f"local:{self.repo_folder}"
        self.contents = {"empty": b"", "small": b"1",
                         "deep/big": self.random.randbytes(700_001)}
        for name, content in self.contents.items():
            path = self.tmp / "tree" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self.archives = []  # published and not deleted, the earliest first
        self.targets = itertools.count()
        self.calls = {}  # of each verb when it is alone

    def command(self, verb, catalog):
        words = [self.sluice, verb, "--repo", self.repo, "--json",
                 "--no-progress", "--catalog",
                 f"sqlite:{self.tmp}/catalog-{catalog}.db"]
        target = None
        if verb == "backup":
            words.append(f"memory:?load={self.tmp}/tree&store_id=tree")
            if not self.archives:
                words.append("--init")
        elif verb == "restore":
            target = self.tmp / f"out-{next(self.targets)}"
            words += [self.subject, "--to", f"memory:?save={target}"]
        elif verb == "verify":
            words.append("--all")
        elif verb == "delete":
            words.append(self.archives[-1])
        return words, target

    def start(self, verb, catalog):
        words, target = self.command(verb, catalog)
        process = subprocess.Popen(
            words, env={"PATH": os.environ["PATH"], "HOME": str(self.tmp)},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        process.verb, process.target = verb, target
        process.subject = words[-1] if verb == "delete" else None
        return process

    def finish(self, process, codes):
        """Wants one of `codes`, and that what it says is so."""
        out, err = process.communicate(timeout=PATIENCE)
        code = process.returncode
        check(code in codes, f"{process.verb} ended with {code}, not one of "
                             f"{sorted(codes)}:\n{out.decode()}{err.decode()}")
        if process.verb == "backup" and code == OK:
            self.archives.append(json.loads(out)["record"]["id"])
        if process.verb == "delete" and process.subject in self.archives:
            self.archives.remove(process.subject)
        if process.verb == "list":
            listed = [json.loads(line)["id"] for line in out.splitlines()]
            check(self.archives[0] in listed, f"an archive is missing: {out}")
        if process.verb == "restore":
            if code == OK:
                self.check_restored(process.target)
            else:
                check(not process.target.exists() or
                      not any(process.target.rglob("*")),
                      "a restore that failed left something")
            shutil.rmtree(process.target, ignore_errors=True)
        return out

    def run(self, verb, catalog=0, codes=(OK,)):
        return self.finish(self.start(verb, catalog), set(codes))

    def check_restored(self, target):
        found = {str(path.relative_to(target)): path.read_bytes()
                 for path in target.rglob("*") if path.is_file()}
        check(found == self.contents, f"{sorted(found)} differ from the store")

    def prepare(self, first, second):
        """An archive that may be deleted; the one that a restore takes."""
        if "delete" in (first, second) and len(self.archives) < 2:
            self.run("backup")
        both = {first, second} == {"restore", "delete"}
        self.subject = self.archives[-1 if both else 0]

    def learn(self):
        """How many system calls for input and output each verb makes."""
        for verb in VERBS:
            self.prepare(verb, verb)
            process = self.start(verb, 0)
            most = 0
            while (calls := io_calls(process.pid)) is not None:
                most = max(most, calls)
            self.finish(process, {OK})
            self.calls[verb] = most

    def pair(self, first, second, catalogs, stop):
        """Returns whether the first was stopped before its end."""
        self.prepare(first, second)
        one = self.start(first, 0)
        stopped = stop and self.stop(one, self.random.randint(
            0, self.calls[first]))
        two = self.start(second, catalogs - 1)
        if stopped:
            try:
                two.wait(timeout=STOPPED)
            except subprocess.TimeoutExpired:
                pass  # it waits for a lock that the first one holds
            one.send_signal(signal.SIGCONT)
        self.finish(one, allowed(first, second, catalogs))
        self.finish(two, allowed(second, first, catalogs))
        return stopped

    def stop(self, process, calls):
        """Stops it after that many calls; false where it ended before."""
        while (done := io_calls(process.pid)) is not None and done < calls:
            pass
        # Stops the process that the verb runs in, too. send_signal() might reap
        # it.
        os.kill(process.pid, signal.SIGTSTP)
        state = os.waitid(os.P_PID, process.pid,
                          os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        return state.si_code == os.CLD_STOPPED

    def check_at_the_end(self):
        for catalog in (0, 1):
            self.run("reconcile", catalog, {OK, WARNINGS})
            subprocess.run([*self.command("reconcile", catalog)[0], "--adopt",
                            "--forget"], check=True, stdout=subprocess.PIPE)
            self.run("sweep", catalog)
            self.run("verify", catalog)
            listed = [json.loads(line)["id"] for line
                      in self.run("list", catalog).splitlines()]
            check(listed == sorted(self.archives),
                  f"listed are {listed}, there should be {self.archives}")
        self.subject = self.archives[0]
        self.run("restore")
        left = [str(path) for path in self.repo_folder.rglob(".sluice-*")]
        check(not left, f"temporary objects are left: {left}")


def io_calls(pid):
    """Reads and writes of the process and its child; none once it ended."""
    calls = 0
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            if file.read().rpartition(")")[2].split()[0] in "ZX":
                return None
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            processes = [pid, *file.read().split()]
        for process in processes:
            with open(f"/proc/{process}/io", encoding="ascii") as file:
                fields = dict(line.split(": ") for line in file)
            calls += int(fields["syscr"]) + int(fields["syscw"])
    except OSError:
        return None
    return calls


def main():
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns() % 10**9
    print(f"seed {seed}")
    machine = Machine(sys.argv[1], seed)
    began = time.monotonic()
    machine.run("backup")
    machine.learn()
    rounds = [(first, second, catalogs, stop)
              for first, second, catalogs, stop in itertools.product(
                  VERBS, VERBS, (1, 2), (False, True))]
    machine.random.shuffle(rounds)
    # Of all rounds one in so many.
    rounds = rounds[::int(os.environ.get("SLUICE_FAULT_STRIDE", 1))]
    # Whatever the machine's speed: each pair, in each way of either order.
    rounds.sort(key=lambda r: VERBS.index(r[0]) > VERBS.index(r[1]))
    needed = sum(VERBS.index(r[0]) <= VERBS.index(r[1]) for r in rounds)
    done, stops = [], 0
    for number, (first, second, catalogs, stop) in enumerate(rounds):
        if number >= needed and time.monotonic() - began > BUDGET:
            break
        try:
            stops += machine.pair(first, second, catalogs, stop)
        except Failure as failure:
            sys.exit(f"{first} and {second}, {catalogs} catalog(s), "
                     f"{'first stopped' if stop else 'freely'}: {failure}")
        done.append((first, second, catalogs, stop))
    machine.check_at_the_end()
    for catalogs, stop in itertools.product((1, 2), (False, True)):
        ways = [r[:2] for r in done if r[2:] == (catalogs, stop)]
        print(f"{catalogs} catalog(s), "
              f"{'first stopped' if stop else 'freely'}: "
              f"{len(ways)} of {len(VERBS) ** 2} ordered pairs, "
              f"{len({frozenset(way) for way in ways})} of 28 pairs")
    print(f"{len(done)} rounds, {stops} of them with the first stopped in the "
          f"middle, {len(machine.archives)} archives at the end, "
          f"{time.monotonic() - began:.0f} s, 0 violations")
    shutil.rmtree(machine.tmp, ignore_errors=True)


if __name__ == "__main__":
    main()
