"""`sluice serve` over HTTP, as those who ask it and those who run it meet it.

usage: serve_test.py SLUICE PLUGIN.so [unittest arguments]

Nothing waits for a time: what is to come is looked for until it is there.
"""

import http.client
import json
import os
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import unittest

from end_to_end_test import ENDLESS, PATIENCE, SLUICE
import service_test

ROUTES = ("/metrics", "/metrics/node", "/api/v1/plans", "/api/v1/plans/secret",
          "/api/v1/plans/secret/firings", "/api/v1/repos", "/api/v1/jobs",
          "/api/v1/backups", "/api/v1/tokens", "/api/v1/audit",
          "/api/v1/openapi.json")


class UnixConnection(http.client.HTTPConnection):

    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Serve(service_test.ServiceCase):

    def setUp(self):
        super().setUp()
        # A socket's path is short, and a test's folder may not be.
        self.sockets = os.path.join("/tmp", os.path.basename(self.tmp))
        os.mkdir(self.sockets)
        self.addCleanup(shutil.rmtree, self.sockets, ignore_errors=True)
        self.socket = os.path.join(self.sockets, "api.sock")
        self.catalog = self.path("home-here/.local/state/sluice")

    def serve(self, *words):
        """Over TCP and the socket."""
        process = super().serve("--socket", self.socket, *words)
        said = [line for line in self.logged() if line["msg"] == "listening"]
        self.port = said[-1]["port"] if said else 0
        return process

    def serve_tcp(self, *words):
        return self.serve("--listen", "127.0.0.1:0", *words)

    def ask(self, target, method="GET", body=None, token=None, connection=None,
            wanted=200):
        """By the socket, as root or the service's own user."""
        connection = connection or UnixConnection(self.socket)
        headers = {"Authorization": "Bearer " + token} if token else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        connection.request(method, target, body, headers)
        self.answer = connection.getresponse()
        text = self.answer.read().decode()
        connection.close()
        if wanted is not None:
            self.assertEqual(self.answer.status, wanted, text)
        if "json" in (self.answer.getheader("Content-Type") or ""):
            return json.loads(text)
        return text

    def tcp(self):
        return http.client.HTTPConnection("127.0.0.1", self.port,
                                          timeout=PATIENCE)

    def status(self, target):
        self.ask(target, wanted=None)
        return self.answer.status

    def refused(self, *words, code):
        """A service that does not come up says why."""
        return self.run_json("serve", "--config", self.config(), *words,
                             code=code)["error"]

    def events(self, target="/api/v1/events"):
        """A stream, read up to its first line."""
        connection = UnixConnection(self.socket)
        connection.request("GET", target)
        answer = connection.getresponse()
        self.addCleanup(connection.close)
        self.assertEqual(answer.status, 200)
        self.assertIn(b"ready", answer.fp.readline() + answer.fp.readline()
                      + answer.fp.readline())
        return answer

    # --- who asks

    def test_a_plan_is_run_and_followed_through_the_socket(self):
        self.add_plan()
        service = self.serve_tcp()
        self.assertEqual(self.ask("/readyz")["status"], "ready")
        plans = self.ask("/api/v1/plans")["plans"]
        self.assertEqual([plan["name"] for plan in plans], ["nightly"])
        stream = self.events()
        job = self.ask("/api/v1/plans/nightly/run", "POST", wanted=202)["job"]
        told = ""
        while "job.finished" not in told:
            line = stream.fp.readline()
            self.assertTrue(line, told)
            told += line.decode()
        ended = self.run_json("job", "wait", job["id"])
        self.assertEqual(ended["job"]["status"], "succeeded")
        self.assertEqual(
            self.ask("/api/v1/jobs/" + job["id"])["record_id"],
            ended["record"]["id"])
        self.assertIn("sluice_node_jobs_running", self.ask("/metrics/node"))
        self.stop(service)
        lines = [line for line in self.logged() if line["msg"] == "request"]
        self.assertIn(("POST", "/api/v1/plans/{name}/run", 202),
                      [(line["method"], line["route"], line["status"])
                       for line in lines])
        self.assertFalse(os.path.exists(self.socket))

    def test_over_tcp_a_token_says_who_asks(self):
        self.add_plan()
        service = self.serve_tcp()
        token = self.run_sluice("token", "create", "--role", "viewer").strip()
        self.ask("/api/v1/plans", connection=self.tcp(), wanted=401)
        self.ask("/api/v1/plans", token=token, connection=self.tcp())
        self.ask("/api/v1/plans/nightly/run", "POST", token=token,
                 connection=self.tcp(), wanted=403)
        self.ask("/healthz", connection=self.tcp())
        row = self.run_lines("token", "list")[0]
        self.run_sluice("token", "revoke", row["id"])
        self.ask("/api/v1/plans", token=token, connection=self.tcp(),
                 wanted=401)
        self.stop(service)

    def test_off_loopback_it_listens_with_tls_alone(self):
        error = self.refused("--listen", "0.0.0.0:0", "--socket", "none",
                             code=2)
        self.assertIn("TLS", error["message"])
        for name in ("one", "two"):
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                 "-subj", "/CN=" + name, "-addext",
                 "subjectAltName=IP:127.0.0.1", "-keyout",
                 self.path(name + ".key"), "-out", self.path(name + ".crt")],
                check=True, capture_output=True)
        for part in ("key", "crt"):
            shutil.copy(self.path("one." + part), self.path("tls." + part))
        service = self.serve("--listen", "0.0.0.0:0", "--tls-cert",
                             self.path("tls.crt"), "--tls-key",
                             self.path("tls.key"))

        def trusts(name):
            context = ssl.create_default_context(
                cafile=self.path(name + ".crt"))
            connection = http.client.HTTPSConnection(
                "127.0.0.1", self.port, context=context, timeout=PATIENCE)
            try:
                self.ask("/healthz", connection=connection)
            except ssl.SSLCertVerificationError:
                return False
            return True
        self.assertTrue(trusts("one"))
        # A renewed one that is half there changes nothing.
        with open(self.path("tls.crt"), "w", encoding="utf-8") as file:
            file.write("-----BEGIN")
        service.send_signal(signal.SIGHUP)
        self.until("it is refused", lambda: "reload failed" in [
            line["msg"] for line in self.logged()])
        self.assertTrue(trusts("one"))
        for part in ("key", "crt"):
            shutil.copy(self.path("two." + part), self.path("tls." + part))
        service.send_signal(signal.SIGHUP)
        self.until("it is served", lambda: trusts("two"))
        service.send_signal(signal.SIGTERM)
        self.assertEqual(service.wait(timeout=PATIENCE), 0)

    # --- sockets

    def test_who_cannot_listen_says_so_and_begins_no_job(self):
        self.add_plan()
        first = self.serve_tcp("--workers", "1")
        busy = self.run_sluice("backup", ENDLESS, "--repo", "disk",
                               "--async").strip()
        self.until("it runs", lambda: self.jobs("--status", "running"))
        pending = self.run_sluice("plan", "run", "nightly", "--async").strip()
        for words in (["--listen", f"127.0.0.1:{self.port}", "--socket",
                       "none"],
                      ["--listen", "none", "--socket", self.socket]):
            error = self.refused(*words, code=1)
            self.assertEqual(error["code"], "listen_failed")
            self.assertIn(words[1] if words[1] != "none" else self.socket,
                          error["message"])
        self.assertEqual(self.run_json("job", "show", pending)["status"],
                         "pending")
        self.run_sluice("job", "cancel", busy)
        self.run_sluice("job", "wait", pending)
        self.stop(first)

    def test_two_may_serve_one_catalog(self):
        self.add_plan()
        first = self.serve_tcp()
        second = service_test.ServiceCase.serve(self)
        self.stop(first)
        job = self.run_sluice("plan", "run", "nightly", "--async").strip()
        self.run_sluice("job", "wait", job)
        self.stop(second)

    def test_the_socket_of_a_service_that_was_killed_is_taken_over(self):
        service = self.serve_tcp()
        self.kill_whole(service)
        service.wait(timeout=PATIENCE)
        self.assertTrue(os.path.exists(self.socket))
        again = self.serve_tcp()
        self.assertEqual(self.ask("/readyz")["status"], "ready")
        self.stop(again)

    def test_a_socket_that_the_service_manager_made_is_used(self):
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(self.socket)
        listener.listen()
        words = ["serve", "--log-format", "json", "--config", self.config()]
        script = (f"exec 3<&{listener.fileno()}; export LISTEN_FDS=1 "
                  'LISTEN_PID=$$; exec "$@"')
        process = subprocess.Popen(
            ["bash", "-c", script, "bash", SLUICE, *words], env=self.env,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, pass_fds=[listener.fileno()])
        self.addCleanup(self.end, process)
        # Waits in the socket's queue until somebody accepts.
        self.assertEqual(self.ask("/healthz")["status"], "ok")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0)
        listening = [json.loads(line) for line in err.splitlines()
                     if b'"listening"' in line]
        self.assertEqual([(line["port"], line["socket"])
                          for line in listening], [(0, "")])
        self.assertTrue(os.path.exists(self.socket))

    # --- configuration

    def test_sighup_reads_what_the_api_may_name_anew(self):
        os.mkdir(self.path("more"))
        plan = {"name": "more", "repos": ["disk"],
                "source": "memory:?load=" + self.path("more")}
        token = self.run_sluice("token", "create", "--role", "admin").strip()
        self.config(listen="none")
        service = self.serve_tcp()

        def hang_up(message):
            count = sum(line["msg"] == message for line in self.logged())
            service.send_signal(signal.SIGHUP)
            self.until(message, lambda: sum(
                line["msg"] == message for line in self.logged()) > count)
        self.ask("/api/v1/plans", "POST", plan, token, wanted=403)
        self.config(listen="none", allowed_sources=[plan["source"]])
        hang_up("reloaded")
        self.ask("/api/v1/plans", "POST", plan, token, wanted=201)
        with open(self.path("server.json"), "w", encoding="utf-8") as file:
            file.write('{"allowed_sorces": []}')
        hang_up("reload failed")
        self.assertIn("allowed_sorces", [
            line["error"] for line in self.logged()
            if line["msg"] == "reload failed"][-1])
        plan["name"] = "again"
        self.ask("/api/v1/plans", "POST", plan, token, wanted=201)
        self.config(allowed_hosts=["elsewhere"])
        hang_up("reloaded")
        plan["name"] = "no more"
        self.ask("/api/v1/plans", "POST", dict(plan, name="no-more"), token,
                 wanted=403)
        self.until("it says what it did not read", lambda: [
            line for line in self.logged() if line.get("key") ==
            "allowed_hosts"])
        self.assertIsNone(service.poll())
        service.send_signal(signal.SIGTERM)
        self.assertEqual(service.wait(timeout=PATIENCE), 0)

    def test_a_configuration_that_others_may_write_is_refused(self):
        os.chmod(self.config(), 0o666)
        error = self.run_json("serve", "--config", self.path("server.json"),
                              code=2)["error"]
        self.assertIn("others may write", error["message"])

    # --- the end

    def test_it_drains_and_what_is_left_is_done_by_the_next(self):
        self.add_plan("endless", source=ENDLESS)
        self.add_plan("second")
        service = self.serve_tcp("--workers", "1", "--drain", "wait")
        stream = self.events()
        running = self.ask("/api/v1/plans/endless/run", "POST",
                           wanted=202)["job"]["id"]
        self.until("it runs", lambda: self.jobs("--status", "running"))
        pending = self.ask("/api/v1/plans/second/run", "POST",
                           wanted=202)["job"]["id"]
        service.send_signal(signal.SIGTERM)
        self.stopping()
        self.until("it is not ready",
                   lambda: self.status("/readyz") == 503)
        self.assertEqual(self.answer.getheader("Retry-After"), "1")
        self.assertEqual(self.status("/healthz"), 200)
        # What runs goes on; nothing else begins.
        self.assertEqual(self.run_json("job", "show", running)["status"],
                         "running")
        self.ask(f"/api/v1/jobs/{running}/cancel", "POST", wanted=202)
        self.assertEqual(service.wait(timeout=PATIENCE), 0)
        stream.fp.read()  # it ended
        self.assertEqual(self.run_json("job", "show", running)["status"],
                         "interrupted")
        self.assertEqual(self.run_json("job", "show", pending)["status"],
                         "pending")
        again = self.serve_tcp()
        self.run_sluice("job", "wait", pending)
        service = again
        service.send_signal(signal.SIGTERM)
        self.assertEqual(service.wait(timeout=PATIENCE), 0)

    # --- a catalog that is away

    def assert_away(self, *targets):
        for target in targets:
            self.until(target, lambda t=target: self.status(t) == 503)
            self.assertTrue(self.answer.getheader("Retry-After"), target)
        self.until("not ready", lambda: self.status("/readyz") == 503)
        self.assertEqual(self.status("/healthz"), 200)

    def assert_back(self):
        self.until("ready", lambda: self.status("/readyz") == 200)
        job = self.ask("/api/v1/plans/nightly/run", "POST",
                       wanted=202)["job"]["id"]
        self.assertEqual(
            self.run_json("job", "wait", job)["job"]["status"], "succeeded")

    def test_a_catalog_that_is_moved_away_comes_back(self):
        self.add_plan()
        service = self.serve_tcp()
        away = self.path("away")
        os.rename(self.catalog, away)
        self.assert_away("/api/v1/plans", "/api/v1/jobs", "/metrics")
        # Nothing is written that nobody would find.
        self.ask("/api/v1/plans/nightly/run", "POST", wanted=503)
        os.rename(away, self.catalog)
        self.assert_back()
        self.stop(service)

    def test_a_catalog_that_another_file_stands_for_comes_back(self):
        self.add_plan()
        service = self.serve_tcp()
        file = os.path.join(self.catalog, "catalog.db")
        os.rename(file, file + ".kept")
        with open(file, "wb") as garbage:
            garbage.write(os.urandom(100_000))
        self.assert_away("/api/v1/plans", "/api/v1/jobs")
        os.rename(file + ".kept", file)
        self.assert_back()
        self.stop(service)

    def test_a_catalog_that_is_locked_answers_when_it_is_not(self):
        self.add_plan()
        service = self.serve_tcp()
        other = sqlite3.connect(os.path.join(self.catalog, "catalog.db"),
                                isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        # Who only reads is not held up for ever, who probes never.
        self.assertEqual(self.status("/healthz"), 200)
        self.assertIn(self.status("/readyz"), (200, 503))
        self.ask("/api/v1/plans/nightly/run", "POST", wanted=503)
        self.assertTrue(self.answer.getheader("Retry-After"))
        other.execute("ROLLBACK")
        other.close()
        self.assert_back()
        self.stop(service)

    # --- a catalog that was copied

    def test_a_copy_is_read_through_the_api_and_not_changed(self):
        self.env["SLUICE_MACHINE_ID"] = "first"
        self.add_plan()
        self.stop(self.serve_tcp())
        before = self.run_json("plan", "show", "nightly")
        self.env["SLUICE_MACHINE_ID"] = "second"
        service = self.serve_tcp()
        self.until("it says so", lambda: self.status("/readyz") == 503)
        for method, target, body in (
                ("POST", "/api/v1/plans/nightly/run", None),
                ("POST", "/api/v1/plans/nightly/pause", None),
                ("PATCH", "/api/v1/plans/nightly", {"keep_last": 1}),
                ("DELETE", "/api/v1/plans/nightly", None),
                ("POST", "/api/v1/backups", {"plan": "nightly"}),
                ("DELETE", "/api/v1/repos/disk?purge_archives=true", None)):
            refused = self.ask(target, method, body, wanted=409)
            self.assertEqual(refused["code"], "catalog_cloned", target)
            self.assertIn("--take-over", refused["hint"])
        self.assertEqual(self.jobs(), [])
        self.assertEqual(self.run_json("plan", "show", "nightly"), before)
        self.assertEqual(
            self.ask("/api/v1/plans")["plans"][0]["name"], "nightly")
        # Who asks through the command is told the same.
        refused = self.run_json("plan", "run", "nightly", "--server",
                                "unix:" + self.socket, code=1)
        self.assertEqual(refused["error"]["code"], "catalog_cloned")
        self.stop(service)
        service = self.serve_tcp("--take-over")
        self.until("ready", lambda: self.status("/readyz") == 200)
        job = self.ask("/api/v1/plans/nightly/run", "POST",
                       wanted=202)["job"]["id"]
        self.assertEqual(
            self.run_json("job", "wait", job)["job"]["status"], "succeeded")
        self.stop(service)

    # --- secrets

    def test_no_secret_is_in_anything_that_it_says(self):
        canary = "canary-4711-in-a-file"
        with open(self.path("secret"), "w", encoding="utf-8") as file:
            file.write(canary)
        self.env["SECRET"] = "canary-4712-in-a-variable"
        for name, password in (("secret", "file:" + self.path("secret")),
                               ("second", "env:SECRET")):
            self.add_plan(name, "--no-check", source=(
                "postgresql://me@127.0.0.1:1/db?connect_timeout=1&password="
                + password))
        token = self.run_sluice("token", "create", "--role", "admin").strip()
        service = self.serve_tcp()
        stream = self.events()
        for name in ("secret", "second"):
            job = self.ask(f"/api/v1/plans/{name}/run", "POST", token=token,
                           wanted=202)["job"]["id"]
            self.until("it is over", lambda j=job: self.run_json(
                "job", "show", j)["status"] == "failed")
        said = [self.ask(route, token=token, wanted=None)
                for route in ROUTES]
        said.append(self.ask("/api/v1/plans", "POST", {
            "name": "third", "repos": ["disk"], "check": False,
            "source": "postgresql://me:canary-4713@h/db"}, token, wanted=None))
        said.append(self.ask("/api/v1/audit"))
        for pid in [service.pid, *self.children_of(service)]:
            with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
                said.append(file.read())
        self.stop(service)
        said.append(stream.fp.read().decode())
        said.append(self.logged())
        for name in os.listdir(self.catalog):
            path = os.path.join(self.catalog, name)
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    said.append(file.read().decode(errors="replace"))
        for text in map(str, said):
            for secret in ("canary-", token):
                self.assertNotIn(secret, text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
