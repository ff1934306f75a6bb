"""The API behind nginx and haproxy as people put them before it.

usage: proxy_test.py SLUICE PLUGIN.so [unittest arguments]
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
import unittest

import service_test
from end_to_end_test import PATIENCE

NGINX = """
daemon off; master_process off; pid {tmp}/nginx.pid;
error_log {tmp}/nginx.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {tmp}/n1; proxy_temp_path {tmp}/n2;
  fastcgi_temp_path {tmp}/n3; uwsgi_temp_path {tmp}/n4; scgi_temp_path {tmp}/n5;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://unix:{tmp}/api.sock:;
      proxy_set_header X-Forwarded-For $remote_addr; {more} }}
  }}
}}
"""

HAPROXY = """
defaults
  mode http
  timeout connect 5s
  timeout client 1m
  timeout server 1m
  option forwardfor
frontend web
  bind 127.0.0.1:{port}
  default_backend sluice
backend sluice
  server one unix@{tmp}/api.sock {more}
"""


class Proxies(service_test.ServiceCase):

    def setUp(self):
        super().setUp()
        self.add_plan()
        self.token = self.run_sluice("token", "create", "--role",
                                     "admin").strip()
        self.service = self.serve("--listen", "none", "--socket",
                                  self.path("api.sock"))

    @contextlib.contextmanager
    def proxy(self, program, text, more=""):
        """Its port, once it listens."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        file = self.path(program + ".conf")
        with open(file, "w", encoding="utf-8") as config:
            config.write(text.format(tmp=self.tmp, port=self.port, more=more))
        words = {"nginx": ["-p", self.tmp, "-c", file],
                 "haproxy": ["-db", "-f", file]}[program]
        with open(self.path(program + ".out"), "wb") as out:
            process = subprocess.Popen([shutil.which(program), *words],
                                       stdout=out, stderr=out)
            try:
                self.until(program + " listens", self.listens)
                yield
            finally:
                process.terminate()
                process.wait(timeout=PATIENCE)

    def listens(self):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port)).close()
            return True
        return False

    def each_proxy(self):
        for program, text, more in (
                ("nginx", NGINX, ""),  # HTTP/1.0, a connection a request
                ("nginx", NGINX,
                 'proxy_http_version 1.1; proxy_set_header Connection "";'),
                ("nginx", NGINX,
                 "proxy_http_version 1.1; proxy_request_buffering off;"),
                ("haproxy", HAPROXY, "")):
            with self.proxy(program, text, more):
                yield

    def ask(self, method, path, body=None, token=True):
        """Status and body."""
        words = ["curl", "-sS", "-X", method, "-m", str(PATIENCE), "-w",
                 "\n%{http_code}", f"http://127.0.0.1:{self.port}{path}"]
        if token:
            words += ["-H", "Authorization: Bearer " + self.token]
        if body is not None:
            words += ["-H", "Content-Type: application/json", "--data-binary",
                      "@-"]
        told = subprocess.run(words, check=True, capture_output=True,
                              input=body or "", text=True).stdout
        text, _, status = told.rpartition("\n")
        return int(status), text

    def events(self, *words):
        """A stream that has begun."""
        stream = subprocess.Popen(
            ["curl", "-sSN", f"http://127.0.0.1:{self.port}/api/v1/events",
             "-H", "Authorization: Bearer " + self.token, *words],
            stdout=subprocess.PIPE, text=True)
        self.addCleanup(stream.stdout.close)
        self.addCleanup(stream.wait)
        self.addCleanup(stream.kill)
        return stream

    def read_until(self, stream, word):
        """The lines up to the first that has it."""
        lines = []
        while True:
            line = stream.stdout.readline()
            self.assertTrue(line, f"the stream ended without {word}: {lines}")
            lines.append(line)
            if word in line:
                return lines

    def test_an_event_passes_while_the_stream_is_open(self):
        for _ in self.each_proxy():
            stream = self.events()
            self.read_until(stream, "ready")
            status, _ = self.ask("POST", "/api/v1/plans/nightly/run", "{}")
            self.assertEqual(status, 202)
            lines = self.read_until(stream, "job.finished")
            last = [line for line in lines if line.startswith("id:")][0]
            again = self.events("-H", "Last-Event-ID: " +
                                last.split(":")[1].strip())
            self.read_until(again, "job.finished")

    def test_answers_and_refusals_are_the_api_s(self):
        for _ in self.each_proxy():
            self.assertEqual(self.ask("GET", "/healthz", token=False)[0], 200)
            status, text = self.ask("GET", "/api/v1/plans")
            self.assertEqual((status, json.loads(text)["plans"][0]["name"]),
                             (200, "nightly"))
            status, text = self.ask("PATCH", "/api/v1/plans/nightly",
                                    '{"nonsense": 1}')
            self.assertEqual(status, 400)
            self.assertIn("nonsense", text)
            self.assertEqual(self.ask("PATCH", "/api/v1/plans/nightly",
                                      " " * 2_000_000)[0], 413)

    def test_who_comes_through_a_proxy_without_a_token_is_nobody(self):
        """The proxy's user is who connects: that must not be his right."""
        for _ in self.each_proxy():
            status, _ = self.ask("GET", "/api/v1/plans", token=False)
            self.assertEqual(status, 401)


if __name__ == "__main__":
    unittest.main()
