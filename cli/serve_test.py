"""`sluice serve` over HTTP, as those who ask it and those who run it meet it.

usage: serve_test.py SLUICE PLUGIN.so [unittest arguments]

Nothing waits for a time: what is to come is looked for until it is there.
"""

import base64
import hashlib
import hmac
import http.client
import http.server
import json
import os
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import threading
import unittest

from end_to_end_test import ENDLESS, PATIENCE, SLUICE, files_below
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

    def receiver(self):
        """A receiver of webhooks and heartbeats: its port, and what it got."""
        got = []

        class Receiver(http.server.BaseHTTPRequestHandler):
            def answer(self):
                size = int(self.headers.get("Content-Length", 0))
                got.append((self.path, dict(self.headers.items()),
                            self.rfile.read(size)))
                self.send_response(204)
                self.end_headers()

            do_GET = do_POST = answer

            def log_message(self, *words):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server.server_port, got

    def get_routes(self):
        """Each GET of the document with what there is in place of its names."""
        plans = [plan["name"] for plan in self.run_lines("plan", "list")]
        there = {"plans": plans, "repos": ["disk"],
                 "jobs": [job["id"] for job in self.jobs()],
                 "backups": self.archives()}
        for path, operations in self.ask("/api/v1/openapi.json")["paths"].items():
            if "get" not in operations or path.endswith("/events"):
                continue
            room = path.split("/")[3] if path.count("/") > 2 else ""
            for name in there[room] if "{" in path else [""]:
                yield path.replace("{name}", name).replace("{id}", name)

    def test_no_secret_of_a_message_a_hook_or_a_heartbeat_is_let_out(self):
        port, got = self.receiver()
        canary = "canary-" + os.urandom(8).hex()
        here = f"http://127.0.0.1:{port}/"
        gone = "http://127.0.0.1:1/"  # its errors are told

        def keep(name, value):
            with open(self.path(name), "w", encoding="utf-8") as file:
                file.write(value + "\n")
            return "file:" + self.path(name)
        self.env.update(
            HOOK_URL=here + canary + "-env", HOOK_SECRET=canary + "-key",
            GONE_URL=gone + canary + "-env", BEAT_URL=gone + canary + "-beat",
            PGPASSWORD=canary + "-password", OTHER=canary + "-of-nobody")
        seen = self.path("seen")
        look = (f"cat /proc/$$/environ >> {seen}.environ; "
                f"cat /proc/[0-9]*/cmdline >> {seen}.cmdline 2>/dev/null; ")
        channels = [
            {"name": "env", "webhook": {"url": "env:HOOK_URL",
                                        "secret": "env:HOOK_SECRET"}},
            {"name": "file", "webhook": {
                "url": keep("hook.url", f"http://me:{canary}@127.0.0.1:{port}/"
                            f"{canary}-file?token={canary}"),
                "secret": keep("hook.key", canary + "-file-key")}},
            {"name": "gone", "webhook": {"url": "env:GONE_URL"}},
            {"name": "gone-too", "webhook": {
                "url": keep("gone.url", gone + canary)}},
            {"name": "program", "exec": ["/bin/sh", "-c",
                                         look + f"cat >> {seen}.body"]},
            {"name": "fails", "exec": ["/bin/sh", "-c", look + "env; false"]}]
        self.config(notifications=channels)
        hooks = [word for when in ("before", "after", "after-failure")
                 for word in ("--" + when,
                              f"exec:/bin/sh -c '{look}exit 1'")]
        self.add_plan("good", *hooks, "--heartbeat", keep(
            "beat.url", here + canary + "-beat-file"))
        self.add_plan("late", "--heartbeat", "env:BEAT_URL")
        self.add_plan("bad", "--no-check", *hooks, source=(
            "postgresql://me@127.0.0.1:1/db?connect_timeout=1&password="
            "env:OTHER"))
        token = self.run_sluice("token", "create", "--role", "admin").strip()
        service = self.serve_tcp()
        stream = self.events()
        for name in ("good", "late", "bad"):
            job = self.ask(f"/api/v1/plans/{name}/run", "POST", token=token,
                           wanted=202)["job"]["id"]
            self.until("it is over", lambda j=job: self.run_json(
                "job", "show", j)["finished_at"])
        # They have come, with what is secret: so it was there to be let out.
        paths = self.until("all are told", lambda: (
            len({path for path, _, _ in got}) == 3
            and os.path.exists(seen + ".body")
            and {path for path, _, _ in got}))
        self.assertEqual(paths, {
            f"/{canary}-env", f"/{canary}-file?token={canary}",
            f"/{canary}-beat-file"})
        self.until("what failed says why", lambda: {
            row["channel"] for row in
            self.ask("/api/v1/notifications")["notifications"]
            if row["error"]} >= {"gone", "gone-too", "fails"})
        for path, headers, body in got:
            if "beat" in path:
                continue
            key = canary + ("-key" if "env" in path else "-file-key")
            text = "{webhook-id}.{webhook-timestamp}.".format(**headers)
            mac = hmac.new(key.encode(), text.encode() + body,
                           hashlib.sha256).digest()
            self.assertEqual(headers["webhook-signature"],
                             "v1," + base64.b64encode(mac).decode())
        said = {"body of " + path.replace(canary, ""): body.decode()
                for path, _, body in got}
        for name in ("environ", "cmdline", "body"):
            with open(f"{seen}.{name}", encoding="utf-8",
                      errors="replace") as file:
                said["what a child sees: " + name] = file.read()
        # A child has what is meant for it, and of the service's own nothing.
        names = {line.split("=")[0] for line in
                 said["what a child sees: environ"].split("\0") if line}
        self.assertEqual({name for name in names
                          if not name.startswith("SLUICE_")}, {"PATH"})
        # One that holds a secret as it is, is refused without repeating it.
        channels[0]["webhook"]["secret"] = canary
        self.config(notifications=channels)
        service.send_signal(signal.SIGHUP)
        self.until("it is refused", lambda: "reload failed" in [
            line["msg"] for line in self.logged()])
        for route in self.get_routes():
            said["GET " + route] = self.ask(route, token=token, wanted=None)
        for process in [service.pid, *self.children_of(service)]:
            with open(f"/proc/{process}/cmdline", encoding="utf-8") as file:
                said[f"cmdline of {process}"] = file.read()
        for words in (["export"], ["notify", "list"], ["plan", "list"],
                      ["job", "list"]):
            said[" ".join(words)] = self.run_sluice(*words)
        service.send_signal(signal.SIGTERM)
        said["stdout"] = service.stdout.read().decode()
        self.assertEqual(service.wait(timeout=PATIENCE), 0)
        said["events"] = stream.fp.read().decode()
        with open(self.path("serve.log"), encoding="utf-8") as file:
            said["log"] = file.read()
        for folder in (self.catalog, self.repo_folder):
            for path, content in files_below(folder).items():
                said[path] = content.decode(errors="replace")
        for where, text in said.items():
            for secret in (canary, token):
                self.assertNotIn(secret, str(text), where)


if __name__ == "__main__":
    unittest.main(verbosity=2)
