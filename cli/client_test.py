"""The command as a client: `--server` as people use it.

usage: client_test.py SLUICE PLUGIN.so [unittest arguments]

Nothing waits for a time: what is to come is looked for until it is there.
"""

import http.server
import json
import os
import pty
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from end_to_end_test import ENDLESS, PATIENCE, SLUICE, CommandTest


class Client(CommandTest):

    def setUp(self):
        super().setUp()
        self.make_tree(links=False)
        self.run_sluice("repo", "add", "disk", self.repo)
        # A socket's path is short.
        folder = tempfile.mkdtemp(dir="/tmp")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        self.server = f"unix:{folder}/api.sock"

    # --- a service

    def serve(self):
        log = open(self.path("serve.log"), "ab")
        self.addCleanup(log.close)
        process = self.start("serve", "--listen", "none", "--socket",
                             self.server[len("unix:"):], stderr=log)
        self.addCleanup(self.end, process)
        self.until("a service that answers", lambda: self.answers(process))
        return process

    def answers(self, process):
        self.assertIsNone(process.poll(), "the service has ended")
        ask = self.start("plan", "list", "--server", self.server)
        ask.communicate(timeout=PATIENCE)
        return ask.returncode == 0

    def end(self, process):
        if process.poll() is None:
            self.kill_whole(process)
        process.wait(timeout=PATIENCE)
        process.stdout.close()

    def until(self, what, condition):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = condition()
            if found:
                return found
        return self.fail(f"in vain: {what}")

    def through(self, *words, code=0):
        return self.run_sluice(*words, "--server", self.server, code=code)

    def add_plan(self, name="nightly", source=None):
        self.through("plan", "add", name, "--source", source or self.store,
                     "--repo", "disk")

    def running(self):
        """The id of the job that runs, once one does."""
        jobs = self.run_lines("job", "list", "--status", "running")
        return jobs[0]["id"] if jobs else None

    def job(self, identifier):
        return self.run_json("job", "show", identifier)

    # --- the same either way

    def test_what_is_printed_is_the_same_with_a_server_and_without(self):
        self.serve()
        self.add_plan()
        self.through("backup", "--plan", "nightly")
        archive = self.run_lines("list", "--repo", "disk")[0]["id"]
        self.through("pin", archive, "--reason", "audit")
        self.through("token", "create", "--role", "viewer", "--label", "wall")
        for words in (["list", "--repo", "disk"],
                      ["list", "--repo", "disk", "--label", "none"],
                      ["show", "latest", "--repo", "disk"],
                      ["show", archive[:12], "--repo", "disk"],
                      ["repo", "list"], ["repo", "show", "disk"],
                      ["plan", "list"], ["plan", "show", "nightly"],
                      ["job", "list"], ["job", "show", "latest"],
                      ["job", "wait", "latest"], ["token", "list"],
                      ["prune", "--plan", "nightly", "--dry-run"]):
            for form in ([], ["--json"]):
                with self.subTest(words=words + form):
                    here = self.run_sluice(*words, *form)
                    self.assertEqual(self.through(*words, *form), here)
                    self.assertTrue(here or "none" in words)

    def test_an_archive_that_is_damaged_is_told_the_same(self):
        self.serve()
        archive = json.loads(self.through(
            "backup", self.store, "--repo", "disk", "--json"))["record"]["id"]
        manifest = os.path.join(self.repo_folder, archive, "manifest.json")
        os.chmod(manifest, 0o600)
        with open(manifest, "r+b") as file:
            file.write(b"{]")
        for words in (["list", "--repo", "disk"],
                      ["list", "--repo", "disk", "--json"]):
            self.assertEqual(self.through(*words), self.run_sluice(*words))
        self.through("restore", "latest", "--repo", "disk", "--to",
                     "memory:?save=" + self.path("out"), code=4)

    def test_a_restore_is_done_there_and_reported_here(self):
        self.serve()
        self.through("backup", self.store, "--repo", "disk")
        out = self.path("out")
        told = self.through("restore", "latest", "--repo", "disk", "--to",
                            "memory:?save=" + out, "--json")
        self.assertEqual(json.loads(told)["job"]["status"], "succeeded")
        self.assertTrue(os.path.exists(out + "/one"))
        self.through("restore", "latest", "--repo", "disk", "--to",
                     "memory:?save=" + out, code=1)
        self.assertIn("restore_precondition_failed", self.err)

    # --- the job is the server's

    def follow(self, *words, **kwargs):
        process = self.start(*words, "--server", self.server, **kwargs)
        self.addCleanup(self.end, process)
        return process

    def test_a_signal_ends_the_waiting_and_the_job_goes_on(self):
        self.serve()
        self.add_plan("endless", ENDLESS)
        process = self.follow("plan", "run", "endless", "--json")
        job = self.until("a running job", self.running)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 143, err)
        self.assertIn(f"sluice job wait {job}".encode(), err)
        told = json.loads(out)
        self.assertEqual(told["error"]["code"], "cancelled")
        self.assertEqual(told["job"]["id"], job)
        self.assertEqual(self.job(job)["status"], "running")
        self.through("job", "cancel", job)
        self.through("job", "wait", job, code=130)
        self.assertEqual(self.job(job)["status"], "interrupted")

    def test_a_timeout_ends_the_waiting_and_the_job_goes_on(self):
        self.serve()
        self.add_plan("endless", ENDLESS)
        self.through("plan", "run", "endless", "--timeout", "1s", code=124)
        self.assertIn("the job goes on", self.err)
        job = self.until("a running job", self.running)
        self.through("job", "cancel", job)

    def test_a_server_that_dies_and_comes_back_is_asked_again(self):
        service = self.serve()
        self.add_plan("endless", ENDLESS)
        waiting = self.follow("plan", "run", "endless")
        job = self.until("a running job", self.running)
        self.kill_whole(service)  # and the job with it
        service.wait(timeout=PATIENCE)
        said = waiting.stderr.readline()
        self.assertIn(b"does not answer", said)
        self.assertIsNone(waiting.poll())
        self.serve()
        out, err = waiting.communicate(timeout=PATIENCE)
        self.assertEqual(waiting.returncode, 16, err)
        self.assertEqual(out, b"")
        self.assertEqual(self.job(job)["error_code"], "process_died")

    def at_terminal(self, answer):
        """The exit status of a command that is interrupted and answered."""
        self.serve()
        self.add_plan("endless", ENDLESS)
        master, slave = pty.openpty()
        process = self.follow("plan", "run", "endless", stdin=slave,
                              stdout=subprocess.PIPE, stderr=slave,
                              env={**self.env, "TERM": "dumb"})
        os.close(slave)
        job = self.until("a running job", self.running)
        process.send_signal(signal.SIGINT)
        said = b""
        while b"[d/c/x]" not in said:
            said += os.read(master, 4096)
        answer(process, master, job)
        while True:  # a terminal that nobody reads holds who writes to it
            try:
                if not os.read(master, 4096):
                    break
            except OSError:
                break
        process.communicate(timeout=PATIENCE)
        os.close(master)
        return process.returncode, job

    def test_at_a_terminal_the_default_is_to_detach(self):
        code, job = self.at_terminal(
            lambda process, terminal, job: os.write(terminal, b"\n"))
        self.assertEqual(code, 130)
        self.assertEqual(self.job(job)["status"], "running")

    def test_at_a_terminal_a_second_interrupt_detaches(self):
        code, job = self.at_terminal(
            lambda process, terminal, job: process.send_signal(signal.SIGINT))
        self.assertEqual(code, 130)
        self.assertEqual(self.job(job)["status"], "running")

    def test_at_a_terminal_the_job_can_be_cancelled(self):
        code, job = self.at_terminal(
            lambda process, terminal, job: os.write(terminal, b"x\n"))
        self.assertEqual(code, 130)
        self.assertEqual(self.job(job)["status"], "interrupted")

    def test_at_a_terminal_the_waiting_can_go_on(self):
        def answer(process, terminal, job):
            os.write(terminal, b"c\n")
            self.assertIsNone(process.poll())
            self.through("job", "cancel", job)
        code, job = self.at_terminal(answer)
        self.assertEqual(code, 130)
        self.assertEqual(self.job(job)["status"], "interrupted")

    # --- what is no server of ours

    def test_a_server_that_is_away_is_no_success(self):
        for words in (["plan", "list"], ["backup", "--plan", "nightly"],
                      ["job", "wait", "latest"], ["list", "--repo", "disk"]):
            self.assertEqual(self.through(*words, code=14), "")
            self.assertIn("server_unreachable", self.err)
            self.assertIn("hint: ", self.err)

    def test_a_page_of_something_else_is_no_answer(self):
        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = b"<html>Welcome</html>"
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *args):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        where = f"http://127.0.0.1:{server.server_port}"
        for words in (["plan", "list"], ["backup", "--plan", "nightly"]):
            self.assertEqual(
                self.run_sluice(*words, "--server", where, code=1), "")
            self.assertIn("server_answer_invalid", self.err)
            self.assertIn("sluice serve", self.err)

    def test_a_token_on_the_command_line_is_refused(self):
        self.through("plan", "list", "--token", "sluice_canary", code=2)
        self.assertNotIn("canary", self.err)

    def test_a_variable_sends_no_verb_to_the_catalog_here(self):
        self.env["SLUICE_SERVER"] = self.server
        self.run_sluice("version")
        self.run_sluice("plugin", "list")
        self.run_sluice("export", code=2)
        self.assertIn("does not work through a server", self.err)
        self.run_sluice("plan", "list", code=14)

    def test_who_sends_no_request_loads_no_library_for_it(self):
        linked = subprocess.run(["ldd", SLUICE], check=True, text=True,
                                capture_output=True).stdout
        self.assertNotIn("curl", linked)


if __name__ == "__main__":
    unittest.main(verbosity=2)
