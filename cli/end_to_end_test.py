"""The command as people use it: real processes, real plugins, real files.

usage: end_to_end_test.py SLUICE PLUGIN.so [unittest arguments]
"""

import hashlib
import json
import os
import pathlib
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

SLUICE = sys.argv.pop(1)
ONEFILE = sys.argv.pop(1)  # the plugin in plain C of examples/
# A store that streams until it is told to end.
ENDLESS = "memory:?keys=4000000000&value_bytes=1000&seed=1&store_id=endless"
PATIENCE = 300  # seconds; only a test that fails waits so long
# A sanitizer's build takes one case in so many, and each day others.
STRIDE = int(os.environ.get("SLUICE_CASE_STRIDE", 1))
SAMPLE = int(os.environ.get("SLUICE_CASE_SAMPLE", time.time() // 86400))
if STRIDE > 1:
    print(f"SLUICE_CASE_SAMPLE={SAMPLE}", flush=True)


def files_below(root):
    """Every regular file below `root`: relative path to content."""
    root = os.fsencode(root)
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                with open(path, "rb") as file:
                    found[os.path.relpath(path, root)] = file.read()
    return found


class CommandTest(unittest.TestCase):

    def setUp(self):
        cases = unittest.defaultTestLoader.getTestCaseNames(type(self))
        stride = min(STRIDE, len(cases))
        if cases.index(self._testMethodName) % stride != SAMPLE % stride:
            self.skipTest("not in this sample")
        self.tmp = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(shutil.rmtree, self.tmp, ignore_errors=True)
        self.machine("here")
        self.repo_folder = self.path("repo")
        self.repo = "local:" + self.repo_folder
        self.store = "memory:?load=" + self.path("tree") + "&store_id=tree"

    def path(self, name):
        return os.path.join(self.tmp, name)

    def machine(self, name):
        """From now on: a machine that has never seen our catalog."""
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": self.path("home-" + name),
            "TMPDIR": self.tmp,
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]

    def start(self, *words, **kwargs):
        options = {"env": self.env, "stdin": subprocess.DEVNULL,
                   "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                   "cwd": self.tmp}
        options.update(kwargs)
        return subprocess.Popen([SLUICE, *words], **options)

    def run_sluice(self, *words, code=0):
        """Runs a verb, wants its exit status, returns stdout as text."""
        process = self.start(*words)
        out, self.err = (b.decode(errors="replace")
                         for b in process.communicate(timeout=PATIENCE))
        self.assertEqual(process.returncode, code,
                         f"{words}\nstdout: {out}\nstderr: {self.err}")
        return out

    def run_json(self, *words, code=0):
        return json.loads(self.run_sluice(*words, "--json", code=code))

    def run_lines(self, *words, code=0):
        out = self.run_sluice(*words, "--json", code=code)
        return [json.loads(line) for line in out.splitlines()]

    def make_tree(self, links=True):
        tree = os.fsencode(self.path("tree"))
        os.makedirs(tree + b"/sub/deeper")
        contents = {
            b"empty": b"",
            b"one": b"1",
            b"sub/big": os.urandom(3_000_001),
            b"sub/deeper/not-utf8-\xff\xfe": b"bytes \x00\xff",
            b"sub/with space\nand newline": b"odd",
        }
        for name, content in contents.items():
            with open(tree + b"/" + name, "wb") as file:
                file.write(content)
        if links:
            os.symlink("one", tree + b"/sub/a-link")
        return contents

    def backup(self, code=0, store=None):
        return self.run_json("backup", store or self.store, "--repo", self.repo,
                             "--init", code=code)

    def children_of(self, process):
        with open(f"/proc/{process.pid}/task/{process.pid}/children",
                  encoding="ascii") as file:
            return [int(pid) for pid in file.read().split()]

    def kill_whole(self, process):
        children = self.children_of(process)
        for pid in children:  # so that none sees the other's end
            os.kill(pid, signal.SIGSTOP)
        for pid in [process.pid, *children]:
            os.kill(pid, signal.SIGKILL)

    def start_endless(self):
        """A backup that is streaming: its job is there."""
        self.run_sluice("repo", "add", "r", self.repo)
        process = self.start("backup", ENDLESS, "--repo", self.repo, "--json")
        for line in process.stderr:
            if b"job started" in line:
                return process
        self.fail("no job was started")

    def assert_nothing_left(self):
        """No archive, no temporary object; at most the mark of the ended run."""
        self.assertEqual(self.run_sluice("list", "--repo", self.repo, "--json"),
                         "")
        left = sorted(str(p.relative_to(self.repo_folder))
                      for p in pathlib.Path(self.repo_folder).rglob("*")
                      if p.is_file())
        left = [name for name in left if not name.endswith("/manifest.json")]
        self.assertEqual(left, ["sluice-repo.json"])


class EndToEnd(CommandTest):

    # --- the whole way

    def test_every_regular_file_comes_back_byte_for_byte(self):
        contents = self.make_tree()
        result = self.backup(code=3)
        record, job = result["record"], result["job"]
        self.assertEqual(job["status"], "succeeded")
        self.assertEqual(record["id"], job["backup_id"])
        self.assertEqual(record["id"], job["record_id"])
        self.assertEqual(len(record["warnings"]), 1)
        self.assertIn("sub/a-link", record["warnings"][0]["message"])
        archive = os.path.join(self.repo_folder, record["id"])
        subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"],
                       cwd=archive, check=True)
        self.run_sluice("verify", "latest", "--repo", self.repo)
        self.run_sluice("restore", "latest", "--repo", self.repo, "--to",
                        "memory:?save=" + self.path("out"))
        self.assertEqual(files_below(self.path("out")), contents)

    def test_another_machine_needs_the_repo_alone(self):
        contents = self.make_tree(links=False)
        first = self.backup()
        self.machine("elsewhere")
        self.assertEqual(self.run_lines("list", "--repo", self.repo)[0]["id"],
                         first["record"]["id"])
        self.run_sluice("restore", "latest", "--repo", self.repo, "--to",
                        "memory:?save=" + self.path("out"))
        self.assertEqual(files_below(self.path("out")), contents)

    def test_a_relative_repo_means_the_same_everywhere(self):
        self.make_tree(links=False)
        self.run_sluice("repo", "add", "r", "local:repo")
        os.mkdir(self.path("elsewhere"))
        process = self.start("backup", self.store, "--repo", "r",
                             cwd=self.path("elsewhere"))
        process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0)
        self.assertEqual(len(self.run_lines("list", "--repo", self.repo)), 1)

    def test_the_demo_compares_what_came_back(self):
        contents = self.make_tree()
        result = self.run_json("demo", "--folder", self.path("tree"))
        self.assertEqual(result["files"], len(contents))
        self.assertTrue(result["identical"])
        self.assertEqual(files_below(result["restored"]), contents)

    # --- what is refused

    def test_wrong_words_are_usage_errors_with_a_hint(self):
        for words, hint in ((["bakcup", "memory:"], "did you mean backup?"),
                            (["list", "--rpeo", "x"], "did you mean --repo?"),
                            (["list"], "SLUICE_REPO"),
                            (["verify", "--repo", self.repo], "--all"),
                            ([], "--help"),
                            (["repo", "add", "UP", self.repo], "lower case")):
            self.run_sluice(*words, code=2)
            self.assertIn("hint: ", self.err)
            self.assertIn(hint, self.err)

    def test_an_error_in_json_is_on_stdout(self):
        error = self.run_json("frobnicate", code=2)
        self.assertEqual(set(error), {"error", "job"})
        self.assertEqual(set(error["error"]), {"code", "message", "hint"})
        self.assertEqual(error["error"]["code"], "invalid_argument")
        self.assertIsNone(error["job"])

    def test_a_place_that_is_no_repo_is_left_alone(self):
        self.make_tree()
        os.mkdir(self.repo_folder)
        error = self.run_json("backup", self.store, "--repo", self.repo, code=10)
        self.assertEqual(error["error"]["code"], "destination_not_found")
        self.assertIn("mounted", error["error"]["hint"])
        self.assertEqual(os.listdir(self.repo_folder), [])

    def test_what_is_not_there_is_not_found(self):
        self.make_tree(links=False)
        self.backup()
        for words in (["show", "01AAAAAAAAAAAAAAAAAAAAAAAA", "--repo", self.repo],
                      ["list", "--repo", "nightly"],
                      ["job", "show", "01AAAAAAAAAAAAAAAAAAAAAAAA"],
                      ["show", "latest", "--store", "x", "--repo", self.repo]):
            self.run_sluice(*words, code=10)
        self.run_sluice("backup", "memory:?load=" + self.path("none"), "--repo",
                        self.repo, code=10)

    def test_a_file_that_is_no_plugin_is_unusable(self):
        junk = self.path("sluice-source-junk.so")
        with open(junk, "wb") as file:
            file.write(b"no ELF")
        os.chmod(junk, 0o755)
        self.run_sluice("plugin", "check", junk, code=16)
        self.run_sluice("backup", "junk:x", "--repo", self.repo, "--plugin-dir",
                        self.tmp, code=16)

    def test_plugin_check_runs_the_executor_with_a_plugin(self):
        with open(self.path("store"), "wb") as file:
            file.write(os.urandom(3_000_001))
        words = ["plugin", "check", ONEFILE, "--target",
                 "onefile:" + self.path("target-{}"), "--archives", "archives"]
        checks = self.run_lines(*words, "--source",
                                "onefile:" + self.path("store"))
        self.assertGreaterEqual(
            len([c for c in checks if c["outcome"] == "passed"]), 16, checks)
        self.assertIn("0 failed, 0 not shown", self.err)
        for archives in (self.path("absolute"), "./dotted", "local:by-uri"):
            target = "onefile:" + self.path(os.path.basename(archives)) + "-{}"
            self.run_lines("plugin", "check", ONEFILE, "--target", target,
                           "--archives", archives, "--source",
                           "onefile:" + self.path("store"))
        out = self.run_sluice(*words, "--source", "onefile:" + self.path("none"),
                              code=16)
        self.assertIn("\nfailed  source: ", out)
        self.assertEqual(out.splitlines()[0],
                         "passed  plugin: loads, and its tables are whole")

    def test_a_plugin_is_loaded_only_with_the_content_that_was_pinned(self):
        with open(ONEFILE, "rb") as file:
            right = hashlib.sha256(file.read()).hexdigest()
        name = os.path.basename(ONEFILE)
        for digest, code in ((right, 0), (right.upper(), 0), ("0" * 64, 16),
                             ("0" * 63, 2)):
            self.run_sluice("plugin", "check", ONEFILE, "--plugin-pin",
                            f"{name}={digest}", code=code)

    def test_a_file_that_is_cut_off_hides_no_other(self):
        plugins = self.path("plugins")
        os.mkdir(plugins)
        with open(ONEFILE, "rb") as file:
            whole = file.read()
        for name, content in (("aaa", whole[:4096]), ("onefile", whole)):
            path = os.path.join(plugins, f"sluice-source-{name}.so")
            with open(path, "wb") as file:
                file.write(content)
            os.chmod(path, 0o755)
        out = self.run_sluice("plugin", "list", "--plugin-dir", plugins, code=16)
        self.assertIn("onefile", out)
        self.assertIn("truncated", self.err)

    def test_plugin_check_wants_all_it_needs(self):
        self.run_sluice("plugin", "check", ONEFILE, "--source", "onefile:x",
                        code=2)
        self.assertIn("--source goes with --target", self.err)
        self.assertEqual(
            [c["outcome"] for c in self.run_lines("plugin", "check", ONEFILE)],
            ["passed", "passed"])

    def test_ids_that_are_none_delete_nothing(self):
        self.make_tree(links=False)
        self.backup()
        os.mkdir(self.path("victim"))
        for wrong in ("", "../victim", ".", "latest"):
            self.run_sluice("delete", wrong, "--repo", self.repo, code=2)
        self.assertEqual(len(self.run_lines("list", "--repo", self.repo)), 1)
        self.assertTrue(os.path.isdir(self.path("victim")))

    def test_a_target_that_is_not_empty_is_left_alone(self):
        self.make_tree(links=False)
        self.backup()
        os.mkdir(self.path("out"))
        with open(self.path("out/mine"), "w") as file:
            file.write("mine")
        error = self.run_json("restore", "latest", "--repo", self.repo, "--to",
                              "memory:?save=" + self.path("out"), code=1)
        self.assertEqual(error["error"]["code"], "restore_precondition_failed")
        self.assertEqual(files_below(self.path("out")), {b"mine": b"mine"})

    def test_no_secret_is_shown(self):
        self.run_sluice("list", "--repo", "r", "--catalog",
                        "postgresql://me:canary-4711@host/db", code=2)
        self.assertNotIn("canary-4711", self.err)

    # --- what the machine refuses

    def backup_within(self, setup, code, *launcher, **kwargs):
        """A backup in a shell that ran `setup` before; its JSON error."""
        script = setup + ' && exec "$@"'
        words = [*launcher, "sh", "-c", script, "sh", SLUICE, "backup",
                 self.store, "--repo", self.repo, "--init", "--json"]
        done = subprocess.run(words, env=self.env, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=PATIENCE, check=False,
                              **kwargs)
        self.assertEqual(done.returncode, code, (done.stdout, done.stderr))
        return json.loads(done.stdout)["error"]

    def in_own_mounts(self):
        """Words that start a command in mounts of its own."""
        unshare = ["unshare", "--user", "--map-root-user", "--mount"]
        if subprocess.run([*unshare, "mount", "-t", "tmpfs", "none", self.tmp],
                          capture_output=True, check=False).returncode != 0:
            self.skipTest("this machine lets nobody make mounts of his own")
        return unshare

    def test_a_full_disk_is_no_space(self):
        self.make_tree(links=False)
        os.mkdir(self.repo_folder)
        error = self.backup_within(
            f"mount -t tmpfs -o size=1m none '{self.repo_folder}'", 15,
            *self.in_own_mounts())
        self.assertEqual(error["code"], "destination_no_space")
        job = self.run_json("job", "show", "latest")
        self.assertEqual(job["status"], "failed")
        self.assertEqual(job["error_code"], "destination_no_space")

    def test_a_read_only_file_system_is_no_permission(self):
        self.make_tree(links=False)
        self.run_sluice("repo", "add", "r", self.repo)
        folder = self.repo_folder
        error = self.backup_within(
            f"mount --bind '{folder}' '{folder}' && "
            f"mount -o remount,bind,ro '{folder}'", 13, *self.in_own_mounts())
        self.assertEqual(error["code"], "destination_read_only")
        self.assert_nothing_left()

    def test_a_folder_of_somebody_else_is_no_permission(self):
        self.make_tree(links=False)
        self.run_sluice("repo", "add", "r", self.repo)
        os.chmod(self.repo_folder, 0o500)
        self.addCleanup(os.chmod, self.repo_folder, 0o700)
        # root, too, is held by modes once it gave up its capabilities.
        humble = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
        error = self.backup_within("true", 13,
                                   *(humble if os.geteuid() == 0 else []))
        self.assertEqual(error["code"], "destination_permission_denied")
        self.assert_nothing_left()

    def test_a_limit_on_file_sizes_is_an_error_and_no_death(self):
        self.make_tree(links=False)
        limit = 2 << 20  # the tree has 3 MB
        error = self.backup_within(
            "true", 1, preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_FSIZE, (limit, limit)))
        self.assertEqual(error["code"], "destination_too_large")
        self.assert_nothing_left()

    # --- archives

    def test_damage_is_found_recorded_and_passed_over_by_latest(self):
        contents = self.make_tree(links=False)
        good = self.backup()["record"]["id"]
        bad = self.backup()["record"]["id"]
        payload = os.path.join(self.repo_folder, bad, "payload.bin")
        os.chmod(payload, 0o600)
        with open(payload, "r+b") as file:
            file.seek(1000)
            byte = file.read(1)
            file.seek(1000)
            file.write(bytes([byte[0] ^ 1]))
        lines = self.run_lines("verify", "--all", "--repo", self.repo, code=4)
        self.assertEqual({line["id"]: line["ok"] for line in lines},
                         {good: True, bad: False})
        rows = {row["id"]: row["damaged"]
                for row in self.run_lines("list", "--repo", self.repo)}
        self.assertEqual(rows, {good: False, bad: True})
        error = self.run_json("restore", bad, "--repo", self.repo, "--to",
                              "memory:?save=" + self.path("none"), code=4)
        self.assertEqual(error["error"]["code"], "archive_damaged")
        self.assertEqual(error["job"]["status"], "failed")
        self.assertFalse(os.path.exists(self.path("none")) and
                         files_below(self.path("none")))
        result = self.run_json("restore", "latest", "--repo", self.repo, "--to",
                               "memory:?save=" + self.path("out"))
        self.assertEqual(result["backup_id"], good)
        self.assertEqual(files_below(self.path("out")), contents)

    def test_delete_takes_the_archive_and_its_record(self):
        self.make_tree(links=False)
        first = self.backup()["record"]["id"]
        second = self.backup()["record"]["id"]
        self.run_sluice("delete", first.lower(), "--repo", self.repo)
        self.assertEqual([row["id"] for row in
                          self.run_lines("list", "--repo", self.repo)], [second])
        self.run_sluice("show", first, "--repo", self.repo, code=10)
        self.assertEqual(self.run_lines("reconcile", "--repo", self.repo), [])

    def test_reconcile_shows_both_ways_and_mends_both(self):
        self.make_tree(links=False)
        self.backup()
        catalog = self.run_json("show", "latest", "--repo",
                                self.repo)["manifest"]["catalog_id"]
        self.machine("elsewhere")
        self.assertEqual(len(self.run_lines("reconcile", "--repo", self.repo)),
                         1)
        self.run_lines("reconcile", "--repo", self.repo, "--adopt-foreign",
                       catalog)
        shown = self.run_json("show", "latest", "--repo", self.repo)
        self.assertIsNotNone(shown["record"])
        shutil.rmtree(os.path.join(self.repo_folder, shown["id"]))
        self.assertEqual(
            [f["finding"] for f in self.run_lines("reconcile", "--repo",
                                                  self.repo, code=3)],
            ["record_without_archive"])
        self.run_lines("reconcile", "--repo", self.repo, "--forget")
        self.assertEqual(self.run_lines("reconcile", "--repo", self.repo), [])

    def test_a_repo_has_a_name_and_is_never_made_twice(self):
        self.make_tree(links=False)
        added = self.run_json("repo", "add", "nightly", self.repo)
        again = self.run_json("repo", "show", self.repo)
        self.assertEqual(added["id"], again["id"])
        self.assertEqual(again["name"], "nightly")
        self.run_sluice("backup", self.store, "--repo", "nightly")
        self.run_sluice("backup", self.store, "--repo", self.repo, "--init")
        self.assertEqual(self.run_json("repo", "show", "nightly")["archives"], 2)

    # --- one store, one name

    def test_two_folders_are_two_stores_and_one_folder_is_one(self):
        plugins = ["--plugin-dir", self.plugins_with(ONEFILE)]
        ids = {}
        for folder in ("a", "b"):
            os.mkdir(self.path(folder))
            with open(self.path(folder + "/data"), "w") as file:
                file.write(folder)
            ids[folder] = set()
            for typed in ("data", "./data", self.path(folder + "/data"),
                          self.path(folder) + "//x/../data"):
                process = self.start(
                    "backup", "onefile:" + typed, "--repo", self.repo, "--init",
                    "--json", *plugins, cwd=self.path(folder))
                out, err = process.communicate(timeout=PATIENCE)
                self.assertEqual(process.returncode, 0, err)
                ids[folder].add(json.loads(out)["record"]["store_id"])
        self.assertEqual({len(found) for found in ids.values()}, {1}, ids)
        self.assertNotEqual(ids["a"], ids["b"])

    def test_archives_of_the_id_of_old_are_named_and_reached(self):
        plugins = ["--plugin-dir", self.plugins_with(ONEFILE)]
        with open(self.path("data"), "w") as file:
            file.write("x")
        # What the id was made of: the URI as it was typed.
        old = self.old_store_id("onefile:data")
        words = ["backup", "onefile:data", "--repo", self.repo, "--init",
                 *plugins]
        self.run_sluice(*words, "--store", old)
        self.run_sluice(*words)
        self.assertIn("--store " + old, self.err)
        self.assertEqual(len(self.run_lines("list", "--repo", self.repo,
                                            "--store", old, *plugins)), 1)

    def old_store_id(self, uri):
        out = subprocess.run(["xxhsum", "-H3"], input=uri.encode(),
                             capture_output=True, check=True).stdout.decode()
        return "onefile-" + out.split()[-1]

    def plugins_with(self, plugin):
        """A folder with the plugins that ship, and one more."""
        folder = self.path("plugins")
        if not os.path.isdir(folder):
            shutil.copytree(os.path.join(os.path.dirname(SLUICE), "plugins"),
                            folder)
            shutil.copy(plugin, os.path.join(folder, os.path.basename(plugin)))
            for name in os.listdir(folder):
                os.chmod(os.path.join(folder, name), 0o755)
            os.chmod(folder, 0o755)
        return folder

    def test_a_repo_is_a_path_too_and_a_tilde_is_home(self):
        self.make_tree(links=False)
        os.makedirs(self.env["HOME"])
        self.run_sluice("backup", self.store, "--repo", "~/repo", "--init")
        self.assertTrue(os.path.isdir(os.path.join(self.env["HOME"], "repo")))
        for place in ("local:~/repo", "~/repo/",
                      os.path.join(self.env["HOME"], "repo")):
            self.assertEqual(len(self.run_lines("list", "--repo", place)), 1)

    def test_a_repo_nobody_knows_is_told_with_what_was_meant(self):
        self.run_sluice("repo", "add", "nightly", self.repo)
        os.makedirs(self.path("folder"))
        for words in (["list", "--repo"], ["repo", "remove"]):
            for typed, hint in (("nigthly", "did you mean nightly?"),
                                ("folder", "./folder"),
                                ("entirely", "`sluice repo list`")):
                self.run_sluice(*words, typed, code=10)
                self.assertIn(hint, self.err)

    def test_a_repo_within_the_store_is_refused_before_it_is_made(self):
        self.make_tree(links=False)
        within = self.path("tree/repo")
        error = self.run_json("backup", self.store, "--repo", "local:" + within,
                              "--init", code=2)["error"]
        self.assertIn("within", error["message"])
        self.assertFalse(os.path.exists(within))
        self.backup()
        self.run_sluice("restore", "latest", "--repo", self.repo, "--to",
                        "memory:?save=" + self.repo_folder + "/out", code=2)

    # --- a disk that is away

    def test_init_makes_no_second_repo_where_one_was(self):
        self.make_tree(links=False)
        disk = self.path("disk")
        os.mkdir(disk)
        place = "local:" + disk
        self.run_sluice("backup", self.store, "--repo", place, "--init")
        self.assertIn("made a new repo", self.err)
        self.assertIn("nothing mounted", self.err)
        os.rename(disk, self.path("away"))
        os.mkdir(disk)
        for words in (["backup", self.store, "--repo", place, "--init"],
                      ["repo", "add", "again", place]):
            error = self.run_json(*words, code=10)["error"]
            self.assertEqual(error["code"], "destination_not_found")
            self.assertIn("mounted", error["hint"])
            self.assertEqual(os.listdir(disk), [])
        # The disk is back, and a backup goes on where it was.
        os.rmdir(disk)
        os.rename(self.path("away"), disk)
        self.run_sluice("backup", self.store, "--repo", place, "--init")
        self.assertEqual(len(self.run_lines("list", "--repo", place)), 2)

    def test_init_by_name_makes_nothing_where_the_repo_is_away(self):
        self.make_tree(links=False)
        self.run_sluice("repo", "add", "nightly", self.repo)
        os.rename(self.repo_folder, self.path("away"))
        os.mkdir(self.repo_folder)
        error = self.run_json("backup", self.store, "--repo", "nightly",
                              "--init", code=10)["error"]
        self.assertIn("mounted", error["hint"])
        self.assertEqual(os.listdir(self.repo_folder), [])

    def test_repo_add_looks_at_the_name_before_it_makes_anything(self):
        self.run_sluice("repo", "add", "nightly", self.repo)
        error = self.run_json("repo", "add", "nightly",
                              "local:" + self.path("other"), code=1)["error"]
        self.assertEqual(error["code"], "name_taken")
        self.assertFalse(os.path.exists(self.path("other")))
        self.run_sluice("repo", "add", "nightly", self.repo)

    def test_a_repo_is_moved_renamed_and_forgotten(self):
        self.make_tree(links=False)
        self.run_sluice("backup", self.store, "--repo", self.repo, "--init")
        self.run_sluice("repo", "add", "nightly", self.repo)
        os.rename(self.repo_folder, self.path("moved"))
        self.run_sluice("list", "--repo", "nightly", code=10)
        self.assertIn("repo move", self.err)
        os.mkdir(self.path("empty"))
        self.run_sluice("repo", "move", "nightly", "local:" + self.path("empty"),
                        code=10)
        self.run_sluice("repo", "add", "another", self.path("another"))
        self.run_sluice("repo", "move", "nightly", self.path("another"), code=10)
        self.assertIn("in place of", self.err)
        self.run_sluice("repo", "remove", "another")
        self.run_sluice("repo", "move", "nightly", self.path("moved"))
        self.assertEqual(len(self.run_lines("list", "--repo", "nightly")), 1)
        self.run_sluice("repo", "rename", "nightly", "weekly")
        self.run_sluice("list", "--repo", "nightly", code=10)
        self.run_sluice("backup", self.store, "--repo", "weekly")
        self.run_sluice("repo", "remove", "weekly")
        self.assertEqual(self.run_lines("repo", "list"), [])
        self.run_sluice("repo", "remove", "weekly", code=10)
        self.assertTrue(os.path.isdir(self.path("moved")))
        self.run_sluice("repo", "add", "weekly", self.path("moved"))
        self.assertEqual(len(self.run_lines("list", "--repo", "weekly")), 2)

    # --- a catalog that cannot be used

    def test_reading_needs_the_repo_alone_whatever_the_catalog_is(self):
        contents = self.make_tree(links=False)
        self.backup()
        catalog = os.path.join(self.env["HOME"],
                               ".local/state/sluice/catalog.db")
        with open(catalog, "r+b") as file:
            file.write(b"no database at all" * 1000)
        for name in ("-wal", "-shm"):
            if os.path.exists(catalog + name):
                os.unlink(catalog + name)
        environments = {"corrupt": dict(self.env)}
        environments["homeless"] = {key: value for key, value in self.env.items()
                                    if key != "HOME"}
        os.mkdir(self.path("file-home"))
        with open(self.path("file-home/.local"), "w") as file:
            file.write("no folder")
        environments["no folder"] = {**self.env, "HOME": self.path("file-home")}
        for name, environment in environments.items():
            self.env = environment
            out = self.path("out-" + name)
            for words in (["list"], ["show", "latest"], ["verify", "latest"],
                          ["verify", "--all"],
                          ["restore", "latest", "--to", "memory:?save=" + out]):
                self.run_sluice(*words, "--repo", self.repo)
                self.assertEqual(self.err.count("going on without the catalog"),
                                 1, (name, words, self.err))
            self.assertEqual(files_below(out), contents)
            # What is written needs it.
            self.assertNotEqual(
                self.start("backup", self.store, "--repo", self.repo).wait(), 0)

    def test_reading_goes_on_beside_a_catalog_that_somebody_holds(self):
        self.make_tree(links=False)
        self.backup()
        path = os.path.join(self.env["HOME"], ".local/state/sluice/catalog.db")
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("PRAGMA locking_mode=EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        for words in (["list"], ["verify", "latest"],
                      ["restore", "latest", "--to",
                       "memory:?save=" + self.path("held-out")]):
            self.run_sluice(*words, "--repo", self.repo)
            self.assertIn("going on without the catalog", self.err)
        holder.execute("ROLLBACK")
        holder.close()
        self.run_sluice("list", "--repo", self.repo)
        self.assertNotIn("going on without", self.err)

    # --- files of a store's own tool

    def test_an_empty_file_is_no_restore(self):
        target = self.path("target")
        with open(self.path("empty"), "wb"):
            pass
        with open(self.path("frames"), "wb") as file:
            file.write(bytes(16))  # two frames with nothing in them
        for name in ("empty", "frames"):
            words = ["restore", "--from-file", self.path(name), "--kind",
                     "badger", "--to", "badger:" + target]
            error = self.run_json(*words, code=1)
            self.assertEqual(error["error"]["code"], "source_empty", name)
            self.assertIn("--allow-empty", error["error"]["hint"])
            self.assertFalse(os.path.exists(target))
            job = self.run_json("job", "show", "latest")
            self.assertEqual(job["error_code"], "source_empty")
            self.run_sluice(*words, "--allow-empty")
            self.assertTrue(os.path.exists(target + "/MANIFEST"))
            self.assertEqual(self.run_json("job", "show", "latest")["kind"],
                             "restore")
            shutil.rmtree(target)

    def test_a_file_that_was_cut_is_damage(self):
        with open(self.path("cut"), "wb") as file:
            file.write(b"\x40\0\0\0\0\0\0\0\x0a")
        self.run_sluice("restore", "--from-file", self.path("cut"), "--kind",
                        "badger", "--to", "badger:" + self.path("target"),
                        code=4)
        self.assertFalse(os.path.exists(self.path("target")))

    # --- two at once

    def test_of_two_restores_into_one_folder_one_wins_whole(self):
        contents = self.make_tree(links=False)
        self.backup()
        target = self.path("out")
        words = ["restore", "latest", "--repo", self.repo, "--to",
                 "memory:?save=" + target]
        for _ in range(5):
            shutil.rmtree(target, ignore_errors=True)
            both = [self.start(*words), self.start(*words)]
            codes = []
            for process in both:
                process.communicate(timeout=PATIENCE)
                codes.append(process.returncode)
            self.assertEqual(sorted(codes), [0, 1])
            self.assertEqual(files_below(target), contents)

    # --- words

    def test_quiet_says_nothing_where_all_went_well(self):
        self.make_tree(links=False)
        for words in (["backup", self.store, "--repo", self.repo, "--init"],
                      ["verify", "--all", "--repo", self.repo],
                      ["restore", "latest", "--repo", self.repo, "--to",
                       "memory:?save=" + self.path("out")],
                      ["sweep", "--repo", self.repo]):
            self.assertEqual(self.run_sluice(*words, "--quiet"), "")
            lines = [line for line in self.err.splitlines()
                     if "nothing mounted" not in line]
            self.assertEqual(lines, [])
        self.assertIn("tree", self.run_sluice("list", "--repo", self.repo,
                                              "--quiet"))
        self.run_sluice("restore", "latest", "--repo", self.repo, "--to",
                        "memory:?save=" + self.path("out"), "--quiet", code=1)
        self.assertIn("not empty", self.err)

    def test_delete_wants_four_letters_and_can_be_tried(self):
        self.make_tree(links=False)
        first = self.backup()["record"]["id"]
        for short in (first[:1], first[:3]):
            self.run_sluice("delete", short, "--repo", self.repo, code=2)
            self.assertIn("at least 4", self.err)
        out = self.run_sluice("delete", first[:4], "--repo", self.repo,
                              "--dry-run")
        self.assertIn(first + " would be deleted", out)
        self.assertEqual(len(self.run_lines("list", "--repo", self.repo)), 1)
        self.run_sluice("delete", first[:4], "--repo", self.repo)
        self.assertEqual(self.run_lines("list", "--repo", self.repo), [])

    def test_delete_asks_on_a_terminal(self):
        self.make_tree(links=False)
        first = self.backup()["record"]["id"]
        for answer, left in ((b"no\n", 1), (b"yes\n", 0)):
            ours, theirs = os.openpty()
            process = self.start("delete", first, "--repo", self.repo,
                                 stdin=theirs, stderr=theirs)
            os.close(theirs)
            os.write(ours, answer)
            process.communicate(timeout=PATIENCE)
            os.close(ours)
            self.assertEqual(process.returncode, 130 if left else 0)
            self.assertEqual(len(self.run_lines("list", "--repo", self.repo)),
                             left)

    def test_verify_all_tells_each_archive_as_it_goes(self):
        self.make_tree(links=False)
        ids = [self.backup()["record"]["id"] for _ in range(2)]
        log = self.path("sent")
        # Each piece of the result goes to the supervisor as it comes; that one
        # may write several at once. LeakSanitizer cannot run under a tracer.
        env = {**self.env, "ASAN_OPTIONS": "detect_leaks=0"}
        subprocess.run(["strace", "-f", "-qq", "-s", "4096", "-o", log, "-e",
                        "trace=sendto", SLUICE, "verify", "--all", "--repo", self.repo],
                       env=env, check=True, capture_output=True,
                       timeout=PATIENCE)
        with open(log, encoding="utf-8") as file:
            told = [[i for i in ids if i in line] for line in file]
        self.assertEqual([one for one in told if one], [[i] for i in ids])

    def test_list_says_where_an_archive_came_from(self):
        self.make_tree(links=False)
        self.backup()
        self.run_sluice("backup", self.store, "--repo", self.repo, "--label",
                        "before the move")
        manifests = [row["manifest"]
                     for row in self.run_lines("list", "--repo", self.repo)]
        self.assertEqual([m["label"] for m in manifests],
                         ["", "before the move"])
        self.assertEqual({m["host"] for m in manifests}, {os.uname().nodename})
        self.assertIn("load=" + self.path("tree"), manifests[0]["source"])
        self.assertEqual(len(self.run_lines("list", "--repo", self.repo,
                                            "--label", "before the move")), 1)
        table = self.run_sluice("list", "--repo", self.repo)
        self.assertIn(os.uname().nodename + " load=" + self.path("tree"), table)
        self.run_sluice("backup", self.store, "--repo", self.repo, "--label",
                        "two\nlines", code=2)

    def test_the_completion_offers_repos_and_ids(self):
        self.make_tree(links=False)
        self.run_sluice("repo", "add", "nightly", self.repo)
        first = self.backup()["record"]["id"]
        with open(self.path("completion"), "w", encoding="utf-8") as file:
            file.write(self.run_sluice("completion", "bash"))

        def offered(*words):
            script = ('source "$1"; shift; COMP_WORDS=("$@"); '
                      "COMP_CWORD=$(($# - 1)); _sluice; "
                      'printf "%s\\n" "${COMPREPLY[@]}"')
            return subprocess.run(
                ["bash", "-c", script, "bash", self.path("completion"), SLUICE,
                 *words], env=self.env, capture_output=True, check=True,
                text=True, timeout=PATIENCE).stdout.split()

        self.assertEqual(offered("list", "--repo", "n"), ["nightly"])
        self.assertEqual(offered("show", "--repo", "nightly", first[:5]),
                         [first])
        self.assertEqual(offered("repo", "show", "ni"), ["nightly"])

    # --- the end of runs

    def end_by_signal(self, number, code):
        process = self.start_endless()
        began = time.monotonic()
        process.send_signal(number)
        out, _ = process.communicate(timeout=PATIENCE)
        print(f"ended {time.monotonic() - began:.2f} s after signal {number}")
        self.assertEqual(process.returncode, code)
        ended = json.loads(out)
        self.assertEqual(ended["error"]["code"], "cancelled")
        self.assertEqual(ended["job"]["status"], "interrupted")
        self.assertEqual(self.run_json("job", "show", "latest")["status"],
                         "interrupted")
        self.assert_nothing_left()

    def test_ctrl_c_ends_a_run_as_interrupted(self):
        self.end_by_signal(signal.SIGINT, 130)

    def test_sigterm_ends_a_run_as_interrupted(self):
        self.end_by_signal(signal.SIGTERM, 143)

    def test_a_terminal_that_is_closed_leaves_nothing_behind(self):
        self.end_by_signal(signal.SIGHUP, 129)

    def test_a_second_signal_leaves_at_once(self):
        process = self.start_endless()
        # Both wait for it when it goes on: the first cannot end it before.
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)
        out, _ = process.communicate(timeout=PATIENCE)
        self.assertIn(process.returncode, (130, 143))
        ended = json.loads(out)
        self.assertEqual(ended["error"]["code"], "cancelled")
        self.assertEqual(ended["job"]["status"], "interrupted")
        self.assertEqual(self.run_json("job", "show", "latest")["status"],
                         "interrupted")
        self.assertEqual(self.run_lines("list", "--repo", self.repo), [])

    def test_a_second_backup_of_one_store_is_refused_and_a_cancel_reaches_it(self):
        process = self.start_endless()
        error = self.run_json("backup", ENDLESS, "--repo", self.repo, code=11)
        self.assertEqual(error["error"]["code"], "backup_already_running")
        self.run_sluice("job", "cancel", "latest")
        out, _ = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130)
        self.assertEqual(json.loads(out)["job"]["status"], "interrupted")
        self.assert_nothing_left()

    def test_a_cancelled_run_is_taken_down_like_any_other(self):
        """The last one who closes a catalog takes its log away."""
        catalog = self.path("home-here/.local/state/sluice/catalog.db")
        process = self.start_endless()
        self.assertTrue(os.path.exists(catalog + "-wal"))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 143)
        self.assertFalse(os.path.exists(catalog + "-wal"))

    def test_a_timeout_ends_a_run_as_interrupted(self):
        self.run_sluice("repo", "add", "r", self.repo)
        ended = self.run_json("backup", ENDLESS, "--repo", "r", "--timeout",
                              "500ms", code=124)
        self.assertEqual(ended["error"]["code"], "deadline_exceeded")
        self.assertEqual(ended["job"]["status"], "interrupted")
        self.assert_nothing_left()

    def test_the_next_verb_ends_the_job_of_a_run_that_was_killed(self):
        process = self.start_endless()
        self.kill_whole(process)
        process.communicate(timeout=PATIENCE)  # both hold its pipes
        job = self.run_lines("job", "list")[0]
        self.assertEqual(job["status"], "interrupted")
        self.assertEqual(job["error_code"], "process_died")
        self.assertEqual(self.run_lines("list", "--repo", self.repo), [])

    def test_a_run_whose_supervisor_was_killed_ends_itself(self):
        process = self.start_endless()
        process.kill()
        process.communicate(timeout=PATIENCE)  # until the run has ended too
        job = self.run_json("job", "show", "latest")
        self.assertEqual(job["status"], "interrupted")
        self.assertEqual(job["error_code"], "cancelled")
        self.assert_nothing_left()

    def test_a_run_that_somebody_else_killed_has_its_say(self):
        process = self.start_endless()
        os.kill(self.children_of(process)[0], signal.SIGKILL)
        out, _ = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 16)
        ended = json.loads(out)
        self.assertEqual(ended["error"]["code"], "process_died")
        self.assertEqual(ended["job"]["status"], "interrupted")

    def test_a_secrets_command_that_never_ends_is_left_behind(self):
        """Its program too, which holds our stderr."""
        for words in (["backup", "--repo", self.repo], ["restore", "latest",
                      "--repo", self.repo, "--to"]):
            error = self.run_json(
                *words, "postgresql://u@h/db?password=cmd:sleep 100000",
                "--timeout", "300ms", "--grace", "100ms", code=124)
            self.assertEqual(error["error"]["code"], "deadline_exceeded")

    def beside_a_deaf_file_system(self, *words):
        """Runs a verb for which deaf/ hangs in the kernel; its JSON."""
        os.makedirs(self.path("deaf"), exist_ok=True)
        done = subprocess.run(
            [*self.in_own_mounts(), "python3",
             os.path.join(os.path.dirname(os.path.realpath(__file__)),
                          "deaf_file_system.py"), self.path("deaf"), SLUICE,
             *words, "--json", "--timeout", "1s", "--grace", "100ms"],
            env=self.env, stdin=subprocess.DEVNULL, capture_output=True,
            timeout=PATIENCE, check=False)
        if done.returncode == 77:
            self.skipTest("the kernel gives nobody here a FUSE")
        self.assertEqual(done.returncode, 124, (done.stdout, done.stderr))
        return json.loads(done.stdout)

    def test_a_place_that_hangs_in_the_kernel_holds_nobody(self):
        self.make_tree(links=False)
        deaf = "local:" + self.path("deaf/repo")
        for words in (["list"], ["verify", "--all"], ["backup", self.store],
                      ["sweep"]):
            ended = self.beside_a_deaf_file_system(*words, "--repo", deaf)
            self.assertEqual(ended["error"]["code"], "deadline_exceeded")

    def test_a_source_that_hangs_in_the_kernel_holds_nobody(self):
        self.run_sluice("repo", "add", "r", self.repo)
        ended = self.beside_a_deaf_file_system(
            "backup", "memory:?load=" + self.path("deaf") + "&store_id=t",
            "--repo", "r")
        self.assertEqual(ended["error"]["code"], "deadline_exceeded")
        # A machine that is slow enough has not begun the job by then.
        self.assertLessEqual(
            {job["status"] for job in self.run_lines("job", "list")},
            {"interrupted"})

    # --- its streams

    def test_a_reader_that_is_gone_ends_it_like_any_filter(self):
        reader, writer = os.pipe()
        os.close(reader)
        process = self.start("man", stdout=writer)
        os.close(writer)
        _, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, -signal.SIGPIPE)
        self.assertEqual(err, b"")

    def test_a_full_stdout_is_a_failure(self):
        with open("/dev/full", "wb") as full:
            process = self.start("version", stdout=full)
            _, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 1)
        self.assertIn(b"output_failed", err)

    def test_closed_descriptors_are_not_written_into(self):
        self.make_tree(links=False)
        result = subprocess.run(
            ["bash", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "bash", SLUICE, "backup",
             self.store, "--repo", self.repo, "--init"],
            env=self.env, check=False, timeout=PATIENCE)
        self.assertEqual(result.returncode, 0)
        self.run_sluice("verify", "latest", "--repo", self.repo)

    def test_completions_and_logs_are_well_formed(self):
        script = self.run_sluice("completion", "bash")
        subprocess.run(["bash", "-n"], input=script.encode(), check=True)
        self.make_tree(links=False)
        self.run_sluice("backup", self.store, "--repo", self.repo, "--init",
                        "--log-format", "json")
        logs = [json.loads(line) for line in self.err.splitlines()]
        finished = [log for log in logs if log["msg"] == "job finished"]
        self.assertEqual(len(finished), 1)
        self.assertEqual(finished[0]["status"], "succeeded")
        for field in ("job_id", "backup_id", "repo", "stage", "error_code"):
            self.assertIn(field, finished[0])


class LargeFile(CommandTest):

    def test_a_sparse_file_of_3_gib_comes_back(self):
        size = (3 << 30) + 17
        marks = {0: b"begin", (1 << 31) - 2: b"2 GiB", (1 << 32) - (1 << 30): b"x",
                 size - 3: b"end"}
        os.mkdir(self.path("tree"))
        with open(self.path("tree/sparse"), "wb") as file:
            file.truncate(size)
            for offset, mark in marks.items():
                file.seek(offset)
                file.write(mark)
        for verb, words in (
                ("backup", [self.store, "--init"]),
                ("restore", ["latest", "--to",
                             "memory:?save=" + self.path("out")])):
            began = time.monotonic()
            self.run_sluice(verb, *words, "--repo", self.repo)
            print(f"{verb} of 3 GiB: {time.monotonic() - began:.1f} s")
        with open(self.path("out/sparse"), "rb") as file:
            self.assertEqual(os.fstat(file.fileno()).st_size, size)
            for offset, mark in marks.items():
                file.seek(max(0, offset - 5000))
                around = file.read(10000)
                wanted = bytearray(len(around))
                for other, word in marks.items():
                    at = other - max(0, offset - 5000)
                    if 0 <= at < len(wanted):
                        wanted[at:at + len(word)] = word
                self.assertEqual(around, bytes(wanted))
        subprocess.run(["cmp", self.path("tree/sparse"), self.path("out/sparse")],
                       check=True)


if __name__ == "__main__":
    unittest.main(verbosity=2)
