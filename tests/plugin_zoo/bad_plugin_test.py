"""A plugin that misbehaves in each way in each call, in runs and `plugin check`.

usage: bad_plugin_test.py SLUICE BAD_PLUGIN.so [NAME_OF_A_CASE ...]

Whatever the plugin does (bad_plugin.cc), the command never ends well without an
archive that verifies and restores, ends by itself, prints one story, and leaves
no job unfinished. `plugin check` never finds such a plugin well, and says in
which check it misbehaved. Of all cases one in SLUICE_FAULT_STRIDE is tried.
"""

import collections
import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile

OK, WARNINGS, UNUSABLE, TIMED_OUT = 0, 3, 16, 124
AT_ONCE = 4
PATIENCE = 300  # seconds; only a run that nothing bounds is waited for so long
SOURCE = ["create", "describe", "backup", "restore", "destroy", "command"]
PLACE = ["create_object", "describe", "create", "begin", "write", "commit",
         "abort", "open", "read", "stat", "list", "remove", "list_uncommitted",
         "abort_uncommitted", "destroy", "writer_destroy", "reader_destroy"]
CALLS = ["source." + call for call in SOURCE] + ["place." + c for c in PLACE]
ENDS = ["exit", "_exit", "abort", "segv", "pthread_exit", "kill", "quick_exit"]
# The archive stage leaves this one to the writer's destroy().
UNREACHED = {"place.abort"}
# No check runs a plugin's own verbs.
UNCHECKED = {"source.command"}
# Allowed, if not nice, or beyond proof: who counts the copy as wrongly as its
# original is contradicted by nobody. Only that the check ends is asked for.
TOLERATED = {"log", "warnings", "memory", "output", "counts"}
MORE = [("source.backup", "twice"), ("source.backup", "late"),
        ("source.backup", "counts"), ("source.backup", "warnings"),
        ("source.backup", "log"), ("source.backup", "memory"),
        ("source.backup", "spin"), ("source.command", "output"),
        ("source.describe", "log"), ("place.read", "flip"),
        ("place.write", "log"), ("place.list", "memory")]


def cases():
    """(call, how): two ends, a hang, a throw and two lies in each call."""
    for number, call in enumerate(CALLS):
        for how in (ENDS[number % len(ENDS)], ENDS[(number + 3) % len(ENDS)],
                    "hang", ("throw", "throw_int")[number % 2], "lie", "code"):
            if how in ("lie", "code") and call.endswith("destroy"):
                continue  # it returns nothing
            yield call, how
    yield from MORE


class World:
    """Good plugins and a bad one, a repo with one archive, a catalog."""

    def __init__(self, sluice, plugin, tmp):
        self.sluice, self.tmp = sluice, tmp
        self.folder = "repo"
        self.plugins = tmp / "plugins"
        self.plugins.mkdir(mode=0o755)
        shipped = pathlib.Path(sluice).parent / "plugins"
        for name in ("sluice-source-memory.so", "sluice-place-local.so"):
            self.put(shipped / name, name)
        self.put(plugin, "sluice-source-bad.so")
        self.put(plugin, "sluice-place-bad.so")
        self.content = {"one": b"1", "two/big": os.urandom(200_000)}
        for name, content in self.content.items():
            path = tmp / "tree" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        base = self.backup("bad", "local", init=True)
        assert base.returncode == OK, base.stderr
        self.archive = json.loads(base.stdout)["record"]["id"]

    def put(self, plugin, name):
        shutil.copyfile(plugin, self.plugins / name)
        os.chmod(self.plugins / name, 0o755)

    def run(self, *words, bad=("", ""), limits=()):
        env = {"PATH": os.environ["PATH"], "HOME": str(self.tmp),
               "SLUICE_PLUGIN_DIR": str(self.plugins),
               "BAD_CALL": bad[0], "BAD_HOW": bad[1],
               "BAD_MARK": str(self.tmp / "mark")}
        return subprocess.run(
            [self.sluice, *words, *limits, "--json", "--catalog",
             f"sqlite:{self.tmp}/catalog.db"],
            env=env, stdin=subprocess.DEVNULL, capture_output=True,
            check=False, timeout=PATIENCE)

    def backup(self, source, place, init=False, **kwargs):
        return self.run("backup", f"{source}:?load={self.tmp}/tree&store_id=t",
                        "--repo", f"{place}:{self.tmp}/{self.folder}",
                        *(["--init"] if init else []), **kwargs)

    def restore(self, target, archive, place="local", **kwargs):
        out = self.tmp / "out"
        shutil.rmtree(out, ignore_errors=True)
        return self.run("restore", archive, "--repo",
                        f"{place}:{self.tmp}/{self.folder}", "--to",
                        f"{target}:?save={out}", **kwargs)

    def check(self, role, **kwargs):
        """`plugin check` of all that the plugin has in this role."""
        work = self.tmp / "check"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        if role == "place":
            words = ["--place", f"bad:{work}/place"]
        else:
            words = ["--source", f"bad:?load={self.tmp}/tree&store_id=t",
                     "--target", f"bad:?save={work}/out-{{}}",
                     "--restored", f"bad:?load={work}/out-{{}}&store_id=t",
                     "--archives", str(work / "archives")]
        return self.run("plugin", "check",
                        str(self.plugins / f"sluice-{role}-bad.so"), *words,
                        **kwargs)

    def restored(self):
        out = self.tmp / "out"
        return {str(path.relative_to(out)): path.read_bytes()
                for path in out.rglob("*") if path.is_file()}

    def jobs(self):
        """Each job and its status, as the row has it: nobody may mend it."""
        with sqlite3.connect(f"file:{self.tmp}/catalog.db?mode=ro",
                             uri=True) as catalog:
            columns = [row[1] for row in
                       catalog.execute("PRAGMA table_info(jobs)")]
            status = "status" if "status" in columns else "state"
            return dict(catalog.execute(f"SELECT id, {status} FROM jobs"))


def exercise(world, call, how, limit):
    """Runs the verb that makes the call; (verb, its result)."""
    limits = ["--timeout", limit, "--grace", "200ms"] if limit else []
    options = {"bad": (call, how), "limits": limits}
    world.folder = "repo"
    if call == "source.command":
        return "command", world.run("plugin", "run", "bad", "x", **options)
    if call == "source.restore":
        return "restore", world.restore("bad", world.archive, **options)
    if call.startswith("source."):
        return "backup", world.backup("bad", "local", **options)
    if call in ("place.read", "place.open", "place.reader_destroy"):
        return "restore", world.restore("bad", world.archive, "bad", **options)
    if call == "place.abort":
        # Only a run that fails aborts what it has begun.
        options["limits"] = ["--timeout", limit or "400ms", "--grace", "300ms"]
        return "backup", world.run(
            "backup", "memory:?keys=4000000000&value_bytes=1000&store_id=e",
            "--repo", f"bad:{world.tmp}/repo", **options)
    if call == "place.create":
        world.folder = f"repo-{how}-{limit}"  # one that is not there yet
        return "backup", world.backup("memory", "bad", init=True, **options)
    return "backup", world.backup("memory", "bad", **options)


def until_reached(how, mark, limits, attempt):
    """attempt(limit), until the call was made: a loaded machine takes longer.

    One that never returns is waited for to the limit; nobody limits the others.
    """
    waits = how in ("hang", "spin", "output")
    for limit in limits if waits else [None]:
        mark.unlink(missing_ok=True)
        result = attempt(limit)
        if mark.exists():
            break
    return result


def judge(world, verb, result, before):
    """What is wrong with how the run ended; empty: nothing."""
    documents = [json.loads(line) for line in result.stdout.splitlines()]
    well = result.returncode in (OK, WARNINGS)
    if result.returncode < 0:
        return "the command itself was killed"
    if verb != "command" and len(documents) != 1:
        return f"{len(documents)} documents on stdout"
    if any("error" in document and document["error"] is not None
           for document in documents) == well:
        return "stdout and exit status tell two stories"
    fresh = {job: status for job, status in world.jobs().items()
             if job not in before}
    if not set(fresh.values()) <= {"succeeded", "failed", "interrupted"}:
        return f"a job that nobody ended: {fresh}"
    if not well or verb == "command":
        return ""
    if verb == "restore":
        return "" if world.restored() == world.content else "restored otherwise"
    archive = documents[0]["record"]["id"]
    verified = world.run("verify", archive, "--repo",
                         f"local:{world.tmp}/{world.folder}")
    if verified.returncode != OK:
        return f"does not verify: {verified.stdout}"
    kind = documents[0]["record"]["store_kind"]
    restored = world.restore(kind, archive)
    if restored.returncode != OK or world.restored() != world.content:
        return f"does not restore: {restored.stderr}"
    return ""


def expect(call, how, result, reached):
    """The exit status that the way to misbehave asks for; empty: it has it."""
    if not reached:
        return "" if call in UNREACHED else f"{call} was not called"
    if how in ENDS and result.returncode != UNUSABLE:
        return f"{call} ends the process: exit status is not {UNUSABLE}"
    if how in ("hang", "spin") and result.returncode != TIMED_OUT:
        return f"{call} hangs: exit status is not {TIMED_OUT}"
    return ""


def judge_check(call, how, result, reached):
    """What is wrong with how `plugin check` judged the plugin; empty: nothing."""
    if not reached:
        return "" if call in UNCHECKED else f"no check calls {call}"
    checks = [json.loads(line) for line in result.stdout.splitlines()]
    outcomes = {check.get("outcome") for check in checks}
    if ("failed" in outcomes) != (result.returncode == UNUSABLE):
        return "the lines and the exit status tell two stories"
    if how in TOLERATED:
        return "" if result.returncode in (OK, UNUSABLE) else "not judged"
    return "" if result.returncode == UNUSABLE else "found well"


def try_check(world, call, how, mark):
    result = until_reached(
        how, mark, ["500ms", "5s"],
        lambda limit: world.check(call.partition(".")[0], bad=(call, how),
                                  limits=["--check-timeout", limit or "1m"]))
    problem = judge_check(call, how, result, mark.exists())
    return f"{call}:{how} (check): {problem}: {result}" if problem else ""


def try_case(world, call, how):
    """(exit status of the run, what was wrong with it or with the check of it)."""
    before = world.jobs()
    mark = world.tmp / "mark"
    name = f"{call}:{how}"
    try:
        limits = [] if call in UNREACHED else ["2s", "10s"]
        verb, result = until_reached(
            how, mark, ["400ms", *limits],
            lambda limit: exercise(world, call, how, limit))
        problem = (judge(world, verb, result, before) or
                   expect(call, how, result, mark.exists()))
        problems = [f"{name} ({verb}): {problem}: {result}"] if problem else []
        problems += filter(None, [try_check(world, call, how, mark)])
        return result.returncode, problems
    except (subprocess.TimeoutExpired, ValueError) as failure:
        return None, [f"{name}: {failure!r}"]


def try_all(sluice, plugin, todo):
    """Tries cases out of the iterator `todo`, which others may share."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR")) as tmp:
        world = World(sluice, plugin, pathlib.Path(tmp))
        problems, codes = [], []
        for role in ("source", "place"):
            good = world.check(role)
            if good.returncode != OK:
                problems.append(f"the good {role} was found bad: {good}")
        for call, how in todo:
            code, wrong = try_case(world, call, how)
            codes.append(code)
            problems += wrong
        return codes, problems


def main():
    sluice, plugin, *wanted = sys.argv[1:]
    # An iterator over a list may be shared by threads; a generator may not.
    stride = 1 if wanted else int(os.environ.get("SLUICE_FAULT_STRIDE", 1))
    first = random.randrange(stride)
    print(f"every {stride}-th case from {first} on", flush=True)
    chosen = [case for case in cases()
              if not wanted or ":".join(case) in wanted][first::stride]
    todo = iter(chosen)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        tried = [pool.submit(try_all, sluice, plugin, todo)
                 for _ in range(AT_ONCE)]
    results = [attempt.result() for attempt in tried]
    codes = collections.Counter(c for codes, _ in results for c in codes)
    print(f"{codes.total()} bad plugins; exit statuses {dict(codes)}")
    problems = [problem for _, wrong in results for problem in wrong]
    if not chosen or codes.total() != len(wanted or chosen):
        problems.append(f"{codes.total()} cases were tried of {len(chosen)}")
    if problems:
        sys.exit("\n".join(problems))


if __name__ == "__main__":
    main()
