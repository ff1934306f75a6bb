"""Plans, and what runs by itself: `sluice serve` as people leave it running.

usage: service_test.py SLUICE PLUGIN.so [unittest arguments]

Nothing waits for a time: what is to come is looked for until it is there.
"""

import http.server
import json
import os
import shutil
import signal
import socket
import threading
import time
import unittest

from end_to_end_test import ENDLESS, PATIENCE, SLUICE, CommandTest, files_below

assert SLUICE


class ServiceCase(CommandTest):
    """What a test of a running service begins with."""

    def setUp(self):
        super().setUp()
        self.make_tree(links=False)
        self.run_sluice("repo", "add", "disk", self.repo)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.listener.close)
        self.listener.bind("\0sluice-test-" + os.path.basename(self.tmp))
        self.listener.settimeout(PATIENCE)

    def add_plan(self, name="nightly", *words, source=None):
        return self.run_json("plan", "add", name, "--source",
                             source or self.store, "--repo", "disk", *words)

    def archives(self):
        return [row["id"] for row in self.run_lines("list", "--repo", "disk")]

    def until(self, what, condition):
        """What `condition` answers, once that is true."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = condition()
            if found:
                return found
        return self.fail(f"in vain: {what}")

    def has_open(self, pid, name):
        """Whether a process, or a child of its main thread, has such a file."""
        try:
            with open(f"/proc/{pid}/task/{pid}/children",
                      encoding="ascii") as file:
                pids = [pid, *map(int, file.read().split())]
            return any(os.readlink(entry.path).endswith(name)
                       for process in pids
                       for entry in os.scandir(f"/proc/{process}/fd"))
        except FileNotFoundError:
            return False  # a file that was closed meanwhile

    def jobs(self, *words):
        return self.run_lines("job", "list", *words)

    def serve(self, *words):
        """A service that has said that it is ready."""
        self.log = open(self.path("serve.log"), "ab")
        self.addCleanup(self.log.close)
        process = self.start(
            "serve", "--log-format", "json", "--config", self.config(),
            *([] if "--listen" in words else ["--listen", "none"]), *words,
            stderr=self.log,
            env={**self.env, "WATCHDOG_USEC": "20000000",
                 "NOTIFY_SOCKET": "@sluice-test-" + os.path.basename(self.tmp)})
        self.addCleanup(self.end, process)
        self.assertEqual(self.listener.recv(100), b"READY=1")
        self.assertEqual(self.listener.recv(100), b"WATCHDOG=1")
        return process

    def config(self, **keys):
        """A configuration file, in place of the machine's."""
        path = self.path("server.json")
        if keys or not os.path.exists(path):
            with open(path, "w", encoding="utf-8") as file:
                json.dump(keys, file)
            os.chmod(path, 0o600)
        return path

    def end(self, process):
        if process.poll() is None:
            self.kill_whole(process)
        process.wait(timeout=PATIENCE)
        process.stdout.close()

    def stopping(self):
        """It has said that it stops, after it had fed its watchdog."""
        told = b"WATCHDOG=1"
        while told == b"WATCHDOG=1":
            told = self.listener.recv(100)
        self.assertEqual(told, b"STOPPING=1")

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=PATIENCE), 0)
        self.stopping()

    def logged(self):
        with open(self.path("serve.log"), encoding="utf-8") as file:
            # A line for people is none.
            return [json.loads(line) for line in file if line[0] == "{"]

class Service(ServiceCase):

    # --- plans

    def test_a_wrong_plan_is_refused_by_its_field_and_nothing_is_stored(self):
        for words, told in (
                (["--cron", "0 25 * * *"], ["schedule", "column 3"]),
                (["--cron", "@daily", "--zone", "Mars/Phobos"], ["zone"]),
                (["--keep-within", "3x"], ["keep_within"]),
                (["--keep-daily", "many"], ["keep_daily"]),
                (["--cron", "@daily", "--every", "1h"], ["--cron", "--every"]),
                (["--label", "team"], ["K=V"])):
            with self.subTest(words=words):
                self.run_sluice("plan", "add", "p", "--source", self.store,
                                "--repo", "disk", *words, code=2)
                for text in told:
                    self.assertIn(text, self.err)
                self.assertIn("hint: ", self.err)
        self.run_sluice("plan", "add", "p", "--source", self.store, "--repo",
                        "dsik", code=10)
        self.assertIn("did you mean disk?", self.err)
        self.run_sluice("plan", "add", "p", "--source", "memory:?lod=/x",
                        "--repo", "disk", code=2)
        self.run_sluice("plan", "add", "p", "--source",
                        "memory:?load=/not/there", "--repo", "disk", code=10)
        self.assertEqual(self.run_lines("plan", "list"), [])
        self.run_sluice("plan", "add", "p", "--source",
                        "memory:?load=/not/there", "--repo", "disk",
                        "--no-check")

    def test_an_edit_changes_what_is_named_and_nothing_else(self):
        made = self.add_plan("nightly", "--cron", "30 2 * * *", "--zone",
                             "Europe/Berlin", "--keep-daily", "7",
                             "--run-timeout", "90m", "--allow-empty",
                             "--label", "a=1", "--label", "b=2")
        self.assertEqual(made["repo_names"], ["disk"])
        self.assertEqual((made["cron"], made["timeout"], made["keep_daily"]),
                         ("30 2 * * *", "1h30m", 7))
        self.run_sluice("repo", "add", "other", "local:" + self.path("other"))
        # A variable that is set for other verbs changes no plan.
        self.env["SLUICE_REPO"] = "other"
        self.env["SLUICE_ZONE"] = "Asia/Tokyo"
        edited = self.run_json("plan", "edit", "nightly", "--keep-daily=",
                               "--keep-last", "3", "--allow-empty=false",
                               "--label", "a=", "--rename", "weekly")
        del self.env["SLUICE_REPO"], self.env["SLUICE_ZONE"]
        self.assertEqual((edited["name"], edited["keep_daily"],
                          edited["keep_last"], edited["allow_empty"],
                          edited["labels"], edited["revision"]),
                         ("weekly", None, 3, False, {"b": "2"}, 2))
        for same in ("id", "repos", "zone", "cron", "timeout", "source",
                     "created_at", "targets"):
            self.assertEqual(edited[same], made[same], same)
        self.run_sluice("plan", "edit", "weekly", code=2)
        self.run_sluice("plan", "show", "wekly", code=10)
        self.assertIn("did you mean weekly?", self.err)
        table = self.run_sluice("plan", "list").splitlines()
        self.assertEqual(table[0].split(), ["NAME", "SOURCE", "REPOS",
                                            "SCHEDULE", "NEXT", "LAST"])
        self.assertIn("weekly", table[1])
        shown = self.run_sluice("plan", "show", "weekly")
        for text in ("30 2 * * *", "Europe/Berlin", "b=2", "disk"):
            self.assertIn(text, shown)
        times = self.run_lines("plan", "next", "weekly", "--count", "3")
        self.assertEqual(len(times), 3)
        self.assertIn("T02:30:00", times[0]["local"])
        self.run_sluice("plan", "pause", "weekly")
        self.assertEqual(self.run_lines("plan", "next", "weekly"), [])
        self.assertIn("paused", self.run_sluice("plan", "list"))
        self.run_sluice("plan", "resume", "weekly")
        self.assertEqual(len(self.run_lines("plan", "next", "weekly")), 5)
        self.assertTrue(self.run_json("plan", "remove", "weekly")["removed"])
        self.assertEqual(self.run_lines("plan", "list"), [])

    def test_a_plan_that_is_run_by_hand_makes_its_own_archives(self):
        plan = self.add_plan()
        first = self.run_json("plan", "run", "nightly")
        self.assertEqual(first["job"]["status"], "succeeded")
        self.assertEqual(first["job"]["plan_id"], plan["id"])
        self.assertEqual(first["record"]["plan_id"], plan["id"])
        second = self.run_json("backup", "--plan", "nightly", "--repo", "disk")
        self.assertEqual(self.archives(),
                         [first["record"]["id"], second["record"]["id"]])
        self.run_sluice("backup", self.store, "--plan", "nightly", code=2)
        self.run_sluice("backup", "--repo", "disk", code=2)
        self.backup()
        self.assertEqual(len(self.jobs()), 3)
        self.assertEqual(len(self.jobs("--plan", "nightly")), 2)
        self.assertEqual(len(self.jobs("--status", "failed")), 0)
        self.assertEqual(len(self.jobs("--kind", "backup", "--limit", "2")), 2)
        self.run_sluice("job", "list", "--status", "sleeping", code=2)
        self.assertIn("pending, running", self.err)
        os.rename(self.path("tree"), self.path("gone"))
        failed = self.run_json("plan", "run", "nightly", code=10)
        self.assertEqual(failed["error"]["code"], "source_unavailable")
        self.assertEqual(failed["job"]["status"], "failed")

    # --- retention

    def test_prune_says_why_and_takes_what_no_rule_wants(self):
        self.add_plan()
        ids = [self.run_json("plan", "run", "nightly")["record"]["id"]
               for _ in range(4)]
        by_hand = self.backup()["record"]["id"]
        self.assertEqual(self.run_lines("prune")[0]["removals"], [])
        self.run_sluice("plan", "edit", "nightly", "--keep-last", "1")
        pinned = self.run_json("pin", ids[0], "--until", "90d", "--reason",
                               "audit")
        self.assertEqual((pinned["pinned"], pinned["pin_reason"]),
                         (True, "audit"))
        dry = self.run_lines("prune", "--plan", "nightly", "--dry-run")[0]
        self.assertEqual(dry["removals"], ids[1:3])
        self.assertEqual(dry["gone"], [])
        why = {verdict["id"]: [reason["reason"] for reason in
                               verdict["reasons"]]
               for verdict in dry["verdicts"]}
        self.assertIn("pinned", why[ids[0]])
        self.assertIn("last", why[ids[3]])
        self.assertEqual(self.archives(), [*ids, by_hand])
        told = self.run_sluice("prune")
        self.assertIn("remove", told)
        self.assertIn("audit", told)
        self.assertEqual(self.archives(), [ids[0], ids[3], by_hand])

    def test_a_named_archive_that_is_held_goes_by_an_override_alone(self):
        self.add_plan()
        ids = [self.run_json("plan", "run", "nightly")["record"]["id"]
               for _ in range(2)]
        self.run_sluice("pin", ids[0])
        for words in ([ids[0]], [ids[1]], ids):
            held = self.run_json("prune", *words, "--repo", "disk", code=18)
            self.assertEqual(held["error"]["code"], "archive_protected")
        self.assertEqual(self.archives(), ids)
        self.run_sluice("prune", ids[0], "--repo", "disk", "--override",
                        "everything", code=2)
        self.run_sluice("prune", ids[0], "--repo", "disk", "--override",
                        "pinned")
        self.assertEqual(self.archives(), [ids[1]])
        self.run_sluice("pin", ids[1], "--until", "2020-01-01", code=2)
        self.run_sluice("unpin", ids[1])

    def test_verify_proves_an_archive_for_retention(self):
        self.add_plan()
        made = self.run_json("plan", "run", "nightly")["record"]
        self.assertEqual(made["verified_depth"], "")
        self.run_sluice("verify", "latest", "--repo", "disk")
        shown = self.run_json("show", "latest", "--repo", "disk")["record"]
        self.assertEqual(shown["verified_depth"], "authentic")

    # --- repos

    def test_a_repo_is_edited_by_what_is_named_alone(self):
        before = self.run_lines("repo", "list")[0]
        self.run_sluice("repo", "edit", "disk", code=2)
        self.assertIn("repo move", self.err)
        edited = self.run_json("repo", "edit", "disk", "--rename", "tape",
                               "--option", "allow_unsynced=true")
        self.assertEqual((edited["name"], edited["config"]),
                         ("tape", before["config"] + "?allow_unsynced=true"))
        self.assertIn("from now on", self.err)
        for words in (["--option", "path=/elsewhere"], ["--option", "none=1"],
                      ["--option", "word"], ["--key-ref", "hunter2"],
                      ["--rename", "A b"]):
            self.run_sluice("repo", "edit", "tape", *words, code=2)
            self.assertNotIn("hunter2", self.err)
        edited = self.run_json("repo", "edit", "tape", "--option",
                               "allow_unsynced=")
        for same in ("id", "kind", "config", "key_refs", "created_at"):
            self.assertEqual(edited[same], before[same], same)

    def test_a_purge_takes_all_or_keeps_the_repo_with_what_is_held(self):
        self.add_plan()
        ids = [self.run_json("plan", "run", "nightly")["record"]["id"]
               for _ in range(3)]
        for words in ([], ["--purge-archives"]):
            held = self.run_json("repo", "remove", "disk", *words, code=18)
            self.assertEqual(held["error"]["code"], "repo_in_use")
            self.assertIn("nightly", held["error"]["message"])
        self.assertEqual(self.archives(), ids)
        self.run_sluice("plan", "remove", "nightly")
        self.run_sluice("pin", ids[1], "--reason", "audit")
        kept = self.run_json("repo", "remove", "disk", "--purge-archives",
                             code=18)
        self.assertEqual(kept["error"]["code"], "purge_incomplete")
        self.assertEqual(kept["job"]["failed_record_ids"], [ids[1]])
        self.assertEqual(kept["job"]["status"], "failed")
        self.assertEqual(self.archives(), [ids[1]])
        self.run_sluice("unpin", ids[1])
        refused = self.run_json("repo", "remove", "disk", "--purge-archives",
                                "--async", code=1)
        self.assertEqual(refused["error"]["code"], "service_not_running")
        service = self.serve("--workers", "1")
        job = self.run_sluice("repo", "remove", "disk", "--purge-archives",
                              "--async").strip()
        done = self.run_json("job", "wait", job)
        self.assertEqual((done["job"]["kind"], done["job"]["status"]),
                         ("purge", "succeeded"))
        self.stop(service)
        self.assertEqual(self.run_lines("repo", "list"), [])
        self.run_sluice("repo", "add", "disk", self.repo)
        self.assertEqual(self.archives(), [])

    def test_a_purge_that_is_killed_loses_nothing_and_is_done_again(self):
        ids = [self.backup()["record"]["id"] for _ in range(3)]
        process = self.start("repo", "remove", "disk", "--purge-archives")
        for line in process.stderr:
            if b"job started" in line:
                break
        self.kill_whole(process)
        process.wait(timeout=PATIENCE)
        process.stdout.close()
        process.stderr.close()
        if self.run_lines("repo", "list"):
            self.run_sluice("repo", "remove", "disk", "--purge-archives")
        self.assertEqual(self.run_lines("repo", "list"), [])
        for name in ids:
            self.assertFalse(os.path.exists(
                os.path.join(self.repo_folder, name, "payload.bin")))

    def test_what_waits_to_be_purged_takes_no_backup(self):
        kept = self.backup()["record"]["id"]
        self.run_sluice("repo", "add", "other", "local:" + self.path("other"))
        service = self.serve("--workers", "1")
        busy = self.run_sluice("backup", ENDLESS, "--repo", "other",
                               "--async").strip()
        self.until("it runs", lambda: self.jobs("--status", "running"))
        purge = self.run_sluice("repo", "remove", "disk", "--purge-archives",
                                "--async").strip()
        for words in ([], ["--async"]):
            refused = self.run_json("backup", self.store, "--repo", "disk",
                                    *words, code=18)
            self.assertEqual(refused["error"]["code"], "repo_in_use")
            self.assertIn(purge, refused["error"]["message"])
            self.assertIn("job cancel", refused["error"]["hint"])
        self.assertEqual(self.archives(), [kept])
        self.run_sluice("job", "cancel", purge)
        made = self.backup()["record"]["id"]
        self.assertEqual(self.archives(), [kept, made])
        self.run_sluice("job", "cancel", busy)
        self.stop(service)

    def test_a_backup_at_the_same_time_as_a_purge_is_refused_or_safe(self):
        words = {"backup": ["backup", self.store, "--repo", "disk"],
                 "purge": ["repo", "remove", "disk", "--purge-archives"]}
        for first, second in [("backup", "purge"), ("purge", "backup")] * 3:
            self.backup()
            both = {name: self.start(*words[name], "--json")
                    for name in (first, second)}
            told = {name: process.communicate(timeout=PATIENCE)[0]
                    for name, process in both.items()}
            codes = {name: process.returncode
                     for name, process in both.items()}
            self.assertIn(codes["backup"], (0, 10, 18), told)
            self.assertIn(codes["purge"], (0, 18), told)
            jobs = {job["kind"]: job for job in self.jobs("--limit", "2")}
            if codes["purge"] == 0:
                # Told to have been made, and gone: then it was over before.
                if codes["backup"] == 0:
                    self.assertLessEqual(jobs["backup"]["finished_at"],
                                         jobs["purge"]["started_at"])
                self.assertEqual(self.run_lines("repo", "list"), [])
                self.run_sluice("repo", "add", "disk", self.repo)
                self.assertEqual(self.archives(), [])
            elif codes["backup"] == 0:
                made = json.loads(told["backup"])["record"]["id"]
                self.run_sluice("verify", made, "--repo", "disk")

    def test_a_restore_that_is_tried_makes_nothing_and_says_how_it_would_end(
            self):
        made = self.backup()["record"]
        jobs = self.jobs()
        out = self.path("out")
        words = ["restore", "latest", "--repo", "disk", "--to",
                 "memory:?save=" + out, "--dry-run"]
        tried = self.run_json(*words)
        self.assertEqual((tried["backup_id"], tried["possible"],
                          tried["in_the_way"], tried["archives"]),
                         (made["id"], True, [], [made["id"]]))
        self.assertEqual(tried["needed_bytes"], made["plain_size_bytes"])
        self.assertFalse(os.path.exists(out))
        self.assertIn("can be restored", self.run_sluice(*words))
        os.mkdir(out)
        with open(os.path.join(out, "mine"), "w", encoding="ascii") as file:
            file.write("mine")
        tried = self.run_json(*words, code=1)
        self.assertEqual([way["code"] for way in tried["in_the_way"]],
                         ["restore_precondition_failed"])
        self.assertEqual(self.run_json(*words[:-1], code=1)["error"]["code"],
                         "restore_precondition_failed")
        self.run_sluice(*words, "--async", code=2)
        self.assertEqual(len(self.jobs()), len(jobs) + 1)
        manifest = os.path.join(self.repo_folder, made["id"], "manifest.json")
        with open(manifest, "ab") as file:
            file.write(b" ")
        self.run_sluice("restore", made["id"], "--repo", "disk", "--to",
                        "memory:?save=" + self.path("other"), "--dry-run",
                        code=4)
        self.run_sluice("restore", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "--repo",
                        "disk", "--to", "memory:?save=" + self.path("other"),
                        "--dry-run", code=10)

    # --- the service

    def test_a_service_has_what_is_due_verified(self):
        self.run_sluice("plan", "add", "p", "--source", self.store, "--repo",
                        "disk", "--verify", "sometimes", code=2)
        self.assertIn("verify", self.err)
        self.add_plan("nightly", "--verify", "all in 1d")
        made = self.run_json("plan", "run", "nightly")["record"]
        day = time.gmtime().tm_yday
        service = self.serve("--workers", "1")

        def verified():
            record = self.run_json("show", "latest", "--repo", "disk")["record"]
            return record["verified_depth"] == "authentic"
        self.until("a verified archive", verified)
        self.stop(service)
        jobs = self.jobs("--kind", "verify")
        self.assertEqual([job["status"] for job in jobs], ["succeeded"])
        # The day had its share, whoever starts again.
        self.stop(self.serve("--workers", "1"))
        if time.gmtime().tm_yday == day:
            self.assertEqual(len(self.jobs("--kind", "verify")), 1)
        self.assertEqual(self.archives(), [made["id"]])

    def test_a_service_runs_what_is_due_and_keeps_what_the_plan_says(self):
        self.add_plan("seconds", "--every", "1s", "--jitter", "0",
                      "--keep-last", "2")
        service = self.serve()
        seen = set()

        def enough():
            seen.update(self.archives())
            return len(seen) >= 4
        self.until("four archives", enough)
        self.stop(service)
        self.assertLessEqual(len(self.archives()), 2)
        finished = [line for line in self.logged()
                    if line["msg"] == "job finished"]
        self.assertGreaterEqual(len(finished), 4)
        self.assertEqual({line["status"] for line in finished}, {"succeeded"})
        shown = self.run_json("plan", "show", "seconds")
        self.assertIn("succeeded",
                      {firing["outcome"] for firing in shown["firings"]})

    def test_what_is_left_to_a_service_is_done_by_one(self):
        plan = self.add_plan()
        for words in (["plan", "run", "nightly"],
                      ["backup", self.store, "--repo", "disk"]):
            refused = self.run_json(*words, "--async", code=1)
            self.assertEqual(refused["error"]["code"], "service_not_running")
        service = self.serve("--workers", "1")
        job = self.run_sluice("plan", "run", "nightly", "--async").strip()
        ended = self.run_json("job", "wait", job)
        self.assertEqual(ended["job"]["id"], job)
        self.assertEqual(ended["record"]["plan_id"], plan["id"])
        job = self.run_sluice("backup", self.store, "--repo", self.repo,
                              "--async", "--label", "by hand").strip()
        made = self.run_json("job", "wait", job)["record"]["id"]
        job = self.run_sluice("restore", made, "--repo", "disk", "--to",
                              "memory:?save=" + self.path("out"),
                              "--async").strip()
        self.run_sluice("job", "wait", job)
        self.assertEqual(files_below(self.path("out")),
                         files_below(self.path("tree")))
        # Into a folder that is not empty any more.
        job = self.run_sluice("restore", made, "--repo", "disk", "--to",
                              "memory:?save=" + self.path("out"),
                              "--async").strip()
        failed = self.run_json("job", "wait", job, code=1)
        self.assertEqual(failed["error"]["code"], "restore_precondition_failed")
        self.stop(service)
        self.run_sluice("plan", "run", "nightly", "--async", code=1)

    def test_who_waits_for_a_job_may_leave_it(self):
        service = self.serve()
        job = self.run_sluice("backup", ENDLESS, "--repo", "disk",
                              "--async").strip()
        self.until("it streams", lambda: self.run_json(
            "job", "show", job)["stage"] == "streaming")
        waiting = self.start("job", "wait", job, "--no-progress")
        self.until("it looks into the catalog",
                   lambda: self.has_open(waiting.pid, "catalog.db"))
        # A machine that is busy takes as long until it waits at all.
        for limit in ("100ms", "1s", "10s"):
            late = self.run_json("job", "wait", job, "--timeout", limit,
                                 code=124)
            if late["error"]["hint"]:
                break
        self.assertIn("goes on", late["error"]["hint"])
        waiting.send_signal(signal.SIGINT)
        _, err = waiting.communicate(timeout=PATIENCE)
        self.assertEqual(waiting.returncode, 130)
        self.assertIn(b"goes on", err)
        self.assertEqual(self.run_json("job", "show", job)["status"], "running")
        self.run_sluice("job", "cancel", job)
        ended = self.run_json("job", "wait", job, code=130)
        self.assertEqual(ended["job"]["status"], "interrupted")
        self.stop(service)

    def test_a_service_that_is_stopped_ends_its_runs_and_says_so(self):
        self.add_plan("endless", source=ENDLESS)
        service = self.serve("--drain", "0")
        job = self.run_sluice("plan", "run", "endless", "--async").strip()
        self.until("it runs", lambda: self.jobs("--status", "running"))
        self.stop(service)
        ended = self.run_json("job", "show", job)
        self.assertEqual((ended["status"], ended["error_code"]),
                         ("interrupted", "shutdown"))

    def test_a_second_signal_ends_it_at_once(self):
        service = self.serve("--drain", "wait")
        job = self.run_sluice("backup", ENDLESS, "--repo", "disk",
                              "--async").strip()
        self.until("it runs", lambda: self.jobs("--status", "running"))
        service.send_signal(signal.SIGTERM)
        self.stopping()
        service.send_signal(signal.SIGTERM)
        self.assertEqual(service.wait(timeout=PATIENCE), 143)
        self.assertEqual(self.run_json("job", "show", job)["status"],
                         "interrupted")

    def test_what_a_killed_service_left_is_ended_and_tried_again(self):
        self.add_plan("endless", "--every", "1s", "--jitter", "0",
                      source=ENDLESS)
        service = self.serve()
        first = self.until("it runs",
                           lambda: self.jobs("--status", "running"))[0]["id"]
        self.kill_whole(service)
        service.wait(timeout=PATIENCE)
        again = self.serve("--drain", "0")
        self.until("the dead one is over", lambda: self.run_json(
            "job", "show", first)["status"] == "interrupted")
        self.until("another one runs",
                   lambda: self.jobs("--status", "running"))
        self.stop(again)

    def test_a_pending_job_that_is_cancelled_ends_at_once(self):
        self.add_plan("endless", source=ENDLESS)
        self.run_sluice("repo", "add", "other", "local:" + self.path("other"))
        self.add_plan("second")
        service = self.serve("--workers", "1")
        running = self.run_sluice("plan", "run", "endless", "--async").strip()
        self.until("it runs", lambda: self.jobs("--status", "running"))
        pending = self.run_sluice("plan", "run", "second", "--async").strip()
        self.assertIn("has ended", self.run_sluice("job", "cancel", pending))
        self.assertEqual(self.run_json("job", "show", pending)["status"],
                         "interrupted")
        self.run_sluice("job", "cancel", running)
        self.run_sluice("job", "wait", running, code=130)
        self.stop(service)

    # --- what a lost catalog loses

    def test_plans_and_pins_come_back_where_the_catalog_was_lost(self):
        plan = self.add_plan("nightly", "--every", "12h", "--keep-last", "3",
                             "--label", "a=b")
        made = self.run_json("plan", "run", "nightly")["record"]["id"]
        self.run_sluice("pin", made, "--reason", "audit")
        settings = self.run_sluice("export")
        with open(self.path("settings.json"), "w", encoding="utf-8") as file:
            file.write(settings)
        self.machine("elsewhere")
        first = self.run_lines("import", self.path("settings.json"), code=3)
        self.assertEqual([(line["kind"], line["action"]) for line in first],
                         [("repo", "added"), ("plan", "added"),
                          ("pin", "failed")])
        self.run_sluice("reconcile", "--repo", "disk", "--adopt-all")
        again = self.run_lines("import", self.path("settings.json"))
        self.assertEqual([line["action"] for line in again],
                         ["kept", "kept", "added"])
        self.assertEqual(json.loads(self.run_sluice("export")),
                         json.loads(settings))
        back = self.run_json("plan", "show", "nightly")
        for same in ("id", "every", "keep_last", "labels", "created_at"):
            self.assertEqual(back[same], plan[same], same)
        record = self.run_json("show", made, "--repo", "disk")["record"]
        self.assertEqual((record["plan_id"], record["pinned"]),
                         (plan["id"], True))
        with open(self.path("settings.json"), "w", encoding="utf-8") as file:
            file.write(settings.replace('"pins"', '"hooks":[],"pins"'))
        self.run_sluice("import", self.path("settings.json"), code=2)
        self.assertIn("hooks is unknown", self.err)

    def test_what_a_lost_catalog_knew_comes_back_from_the_repo(self):
        self.add_plan("nightly", "--every", "12h", "--label", "a=b")
        made = [self.run_json("plan", "run", "nightly")["record"]["id"]
                for _ in range(2)]
        plan = self.run_json("plan", "edit", "nightly", "--keep-last", "1")
        self.run_sluice("pin", made[0], "--reason", "audit")
        self.run_sluice("unpin", made[0])
        self.run_sluice("pin", made[1], "--until", "90d", "--reason", "audit")
        # Nobody has exported anything.
        self.machine("elsewhere")
        self.run_sluice("reconcile", "--repo", self.repo, "--adopt-all")
        self.assertIn("--from-repo", self.err)
        back = self.run_lines("import", "--from-repo", self.repo)
        self.assertEqual([(line["kind"], line["action"]) for line in back],
                         [("repo", "added"), ("plan", "added"),
                          ("pin", "added")])
        self.assertIn("paused", self.err)
        self.assertEqual(self.run_lines("repo", "list")[0]["name"], "disk")
        self.assertEqual([line["action"] for line in self.run_lines(
            "import", "--from-repo", "disk")][-2:], ["kept", "kept"])
        shown = self.run_json("plan", "show", "nightly")
        self.assertTrue(shown["paused"])
        for same in ("id", "every", "keep_last", "labels", "source"):
            self.assertEqual(shown[same], plan[same], same)
        record = self.run_json("show", made[1], "--repo", "disk")["record"]
        self.assertEqual((record["pinned"], record["pin_reason"]),
                         (True, "audit"))
        # The first prune only prints, until somebody has seen it.
        printed = self.run_json("prune", code=3)
        self.assertEqual(printed["suspended"][0]["reason"], "adopted")
        self.assertIn("--accept-adopted", self.err)
        self.assertEqual(len(self.archives()), 2)
        self.run_sluice("prune", "--accept-adopted")
        self.assertEqual(self.archives(), [made[1]])

    def test_what_a_repo_says_runs_no_command_and_damage_is_passed_over(self):
        self.add_plan("nightly")
        folder = os.path.join(self.repo_folder, "settings")
        name = os.path.join(folder, os.listdir(folder)[0])
        with open(name, encoding="utf-8") as file:
            text = file.read()
        self.machine("elsewhere")
        self.run_sluice("repo", "add", "disk", self.repo)
        with open(name, "w", encoding="utf-8") as file:
            file.write(text.replace(
                '"memory:?load=', '"memory:?x=cmd:touch%20' +
                self.path("ran") + '&load='))
        self.run_sluice("import", "--from-repo", "disk", code=3)
        self.assertIn("would run a command", self.err)
        with open(name, "w", encoding="utf-8") as file:
            file.write(text[:-20])
        self.run_sluice("import", "--from-repo", "disk", code=3)
        self.assertIn("is no JSON", self.err)
        self.assertEqual(self.run_lines("plan", "list"), [])
        self.assertFalse(os.path.exists(self.path("ran")))
        self.run_sluice("import", code=2)
        # What stands there costs no other verb anything.
        self.run_sluice("list", "--repo", "disk")
        self.run_sluice("sweep", "--repo", "disk")
        self.assertTrue(os.path.exists(name))

    # --- a catalog that was copied

    def test_a_copied_catalog_does_nothing_on_another_machine(self):
        self.env["SLUICE_MACHINE_ID"] = "first"
        self.add_plan("seconds", "--every", "1s", "--jitter", "0",
                      "--keep-last", "1")
        first = self.serve()
        self.until("it runs", self.archives)
        self.stop(first)
        self.run_sluice("plan", "edit", "seconds", "--keep-last=")
        for _ in range(2):
            self.run_sluice("plan", "run", "seconds")
        kept = self.archives()
        here = self.env["HOME"]
        self.machine("copy")
        shutil.copytree(here, self.env["HOME"])
        self.env["SLUICE_MACHINE_ID"] = "second"
        self.run_sluice("plan", "edit", "seconds", "--keep-last", "1")
        before = len(self.jobs())
        copy = self.serve()
        told = self.until("it says so", lambda: [
            line for line in self.logged()
            if line.get("error_code") == "catalog_cloned"])
        self.assertIn("--take-over", told[0]["hint"])
        for words in (["plan", "run", "seconds"], ["prune"],
                      ["sweep", "--repo", "disk"],
                      ["reconcile", "--repo", "disk"],
                      ["repo", "remove", "disk", "--purge-archives"]):
            refused = self.run_json(*words, code=1)
            self.assertEqual(refused["error"]["code"], "catalog_cloned", words)
        self.run_sluice("prune", "--dry-run")
        self.assertEqual(len(self.jobs()), before)
        self.assertEqual(self.archives(), kept)
        self.assertEqual(
            len(os.listdir(os.path.join(self.repo_folder, "settings"))), 1)
        self.stop(copy)
        copy = self.serve("--take-over")
        self.until("it runs", lambda: len(self.jobs()) > before)
        self.stop(copy)
        self.run_sluice("prune")

    # --- plans as a file says them

    def test_plans_are_as_a_file_says(self):
        path = self.path("plans.json")

        def write(*plans):
            with open(path, "w", encoding="utf-8") as file:
                json.dump(plans, file)
        nightly = {"name": "nightly", "source": self.store, "repos": ["disk"],
                   "cron": "0 2 * * *", "keep_daily": 7}
        write(nightly, {**nightly, "name": "second"})
        for dry_run in (["--dry-run"], []):
            lines = self.run_lines("plan", "apply", path, *dry_run)
            self.assertEqual([line["action"] for line in lines],
                             ["added", "added"])
        self.assertEqual({line["action"] for line in self.run_lines(
            "plan", "apply", path)}, {"same"})
        write({**nightly, "keep_daily": 8})
        self.assertEqual(self.run_sluice("plan", "apply", path),
                         "plan nightly changed: keep_daily\n")
        # All of them, or none.
        write({**nightly, "keep_daily": 9}, {**nightly, "name": "Wrong Name"})
        self.run_sluice("plan", "apply", path, code=2)
        write({**nightly, "keep_dayly": 9})
        self.run_sluice("plan", "apply", path, code=2)
        self.assertIn("plans[0].keep_dayly is unknown", self.err)
        shown = self.run_json("plan", "show", "nightly")
        self.assertEqual((shown["keep_daily"], shown["revision"]), (8, 2))
        self.assertEqual(len(self.run_lines("plan", "list")), 2)

    # --- hooks and notifications

    def test_a_required_hook_decides_whether_there_is_a_backup(self):
        log = self.path("hooks.log")
        self.add_plan("nightly", "--before",
                      f"exec:/bin/sh -c 'echo $SLUICE_WHEN >> {log}'",
                      "--after",
                      f"exec:/bin/sh -c 'echo $SLUICE_STATUS >> {log}'",
                      "--hooks-required")
        self.run_sluice("plan", "run", "nightly")
        with open(log, encoding="utf-8") as file:
            self.assertEqual(file.read(), "before\nsucceeded\n")
        self.run_sluice("plan", "edit", "nightly", "--before",
                        "exec:/bin/sh -c 'echo cannot freeze; exit 1'")
        self.run_sluice("plan", "run", "nightly", code=1)
        self.assertIn("cannot freeze", self.err)
        self.assertEqual(len(self.archives()), 1)
        self.assertEqual(self.jobs("--limit", "1")[0]["error_code"],
                         "hook_failed")

    def test_a_notification_is_tried_by_hand(self):
        got = []

        class Receiver(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                size = int(self.headers["Content-Length"])
                got.append((dict(self.headers), json.loads(self.rfile.read(size))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *words):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
        self.addCleanup(server.server_close)
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        self.addCleanup(thread.join)
        config = self.path("server.json")
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"notifications": [
                {"name": "ops", "webhook":
                    {"url": f"http://127.0.0.1:{server.server_port}/canary"}},
                {"name": "gone", "webhook":
                    {"url": "http://127.0.0.1:1/canary"}}]}, file)
        self.run_sluice("notify", "test", "ops", "--config", config)
        (headers, body), = got
        self.assertEqual((body["type"], body["id"]),
                         ("test", headers["webhook-id"]))
        self.run_sluice("notify", "test", "gone", "--config", config, code=1)
        self.assertNotIn("canary", self.err)
        self.run_sluice("notify", "test", "none", "--config", config, code=2)
        self.assertEqual(self.run_lines("notify", "list"), [])
        self.run_sluice("notify", "retry", "7", code=10)

    # --- tokens

    def test_a_token_is_shown_once(self):
        token = self.run_sluice("token", "create", "--role", "viewer",
                                "--expires", "90d", "--label", "page").strip()
        self.assertRegex(token, r"^sluice_[\w-]{43}=?$")
        listed = self.run_lines("token", "list")[0]
        self.assertEqual((listed["role"], listed["label"]), ("viewer", "page"))
        with open(self.path("home-here/.local/state/sluice/catalog.db"),
                  "rb") as file:
            self.assertNotIn(token.encode(), file.read())
        self.run_sluice("token", "revoke", listed["id"])
        self.assertIsNotNone(self.run_lines("token", "list")[0]["revoked_at"])
        self.assertIn("revoked", self.run_sluice("token", "list"))
        self.run_sluice("token", "create", "--role", "root", code=2)
        self.run_sluice("token", "create", code=2)
        self.run_sluice("token", "revoke", "01J0000000", code=10)


if __name__ == "__main__":
    unittest.main(verbosity=2)
