#!/usr/bin/env python3
"""`sluice serve` under load, over a catalog of 10,000 plans and 100,000 jobs.

usage: serve_load.py SLUICE [--rounds N] [--seconds N] [--settle N] [--idle N]
                     [--streams N]

Prints, and wants (exit status 1 where it is not so):
  start       until it says READY=1                       under 2 s
  idle        processor time of a minute, once the pass   0.2 %, 64 MiB
              over all plans at the start is over
  scrape      GET /metrics                                under 200 ms
  jobs        GET /jobs?limit=50 against SQLite's own     at most 5 times, p99
              answer to the bare query, one at a time     and processor
  streams     that many at once, of which a tenth         each is answered
              never reads
  slow        what a request of wrk's costs beside them   at most 1.25 times that
              of the processor                            without them
  memory      the same, round by round                    does not grow from the
                                                          third round on
Other times are the better one of wall and processor time, so that a machine that is
busy with other work measures the same. Needs Debian's wrk.
"""

import argparse
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

PLANS = 10_000
JOBS = 100_000
SAMPLES = 500
COLUMNS = ("id", "kind", "status", "plan_id", "repo_id", "store_id",
           "store_kind", "backup_id", "base_backup_id", "record_id", "progress",
           "bytes_done", "bytes_estimated", "created_at_ms", "started_at_ms",
           "finished_at_ms", "error", "error_code", "stage")
TICK = os.sysconf("SC_CLK_TCK")


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def fill(path, repo_id):
    """Rows that a catalog has after some years."""
    now = int(time.time() * 1000)
    database = sqlite3.connect(path)
    count = """WITH RECURSIVE n(i) AS
        (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"""
    spec = json.dumps({"source": "memory:?keys=1&value_bytes=1&seed=1",
                       "repos": [repo_id], "schedule": "0 2 * * *",
                       "jitter_ms": "0"})
    with database:
        database.execute(count % PLANS + """ INSERT INTO plans SELECT
            printf('plan-%05d', i), printf('plan-%05d', i), 0, 1, ?, ?, ?
            FROM n""", (now, now, spec))
        database.execute("""INSERT INTO plan_targets
            SELECT id, ?, 0, ?, ?, NULL, '' FROM plans""",
                         (repo_id, now + 30 * 86_400_000,
                          now + 30 * 86_400_000))
        database.execute(count % JOBS + f""" INSERT INTO jobs
            ({", ".join(COLUMNS)}) SELECT printf('job-%06d', i), 'backup',
            'succeeded', printf('plan-%05d', i % 10000), ?, 'store', 'memory',
            printf('b-%06d', i), '', printf('b-%06d', i), 100, i, i,
            ? - 1000 * ({JOBS} - i), ? - 1000 * ({JOBS} - i),
            ? - 1000 * ({JOBS} - i) + 1, '', '', 'done' FROM n""",
                         (repo_id, now, now, now))
    database.close()


def p99(samples):
    return sorted(samples)[int(len(samples) * 0.99)]


class Server:
    def __init__(self, sluice, folder):
        self.sluice = sluice
        self.folder = folder
        self.env = {"PATH": os.environ["PATH"], "HOME": folder}
        self.socket = os.path.join(folder, "api.sock")

    def run(self, *words):
        done = subprocess.run([self.sluice, *words], env=self.env, check=True,
                              capture_output=True, text=True)
        return done.stdout

    def start(self):
        """Seconds until it is ready, by the clock and of the processor."""
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        name = "sluice-load-" + str(os.getpid())
        notify.bind("\0" + name)
        notify.settimeout(120)
        config = os.path.join(self.folder, "server.json")
        pathlib.Path(config).write_text("{}", encoding="utf-8")
        os.chmod(config, 0o600)
        self.log = open(os.path.join(self.folder, "log"), "wb")
        began = time.monotonic()
        self.process = subprocess.Popen(
            [self.sluice, "serve", "--config", config, "--listen",
             "127.0.0.1:0", "--socket", self.socket, "--log-format", "json"],
            env={**self.env, "NOTIFY_SOCKET": "@" + name},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=self.log)
        assert notify.recv(100) == b"READY=1"
        wall = time.monotonic() - began
        task = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        self.child = int(pathlib.Path(task).read_text().split()[0])
        for line in open(self.log.name, encoding="utf-8"):
            said = json.loads(line)
            if said["msg"] == "listening":
                self.port = said["port"]
        return wall, self.cpu()

    def cpu(self):
        """Processor seconds of both processes so far."""
        total = 0
        for pid in (self.process.pid, self.child):
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text()
            fields = fields.rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICK

    def resident(self):
        """Bytes of both processes."""
        total = 0
        for pid in (self.process.pid, self.child):
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            total += int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024
        return total

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)


def times(server, count, ask):
    """Wall seconds of each, and processor seconds of the server of one."""
    before = server.cpu()
    samples = []
    for _ in range(count):
        began = time.monotonic()
        ask()
        samples.append(time.monotonic() - began)
    return samples, (server.cpu() - before) / count


def await_quiet(server):
    """Until it does no more of what its start, or a change, makes it do."""
    end = time.monotonic() + 120
    before = server.cpu()
    while time.monotonic() < end:
        time.sleep(1)
        now = server.cpu()
        if now - before < 0.02:
            return
        before = now


def ask_for(server, target):
    connection = Unix(server.socket)

    def ask():
        connection.request("GET", target)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        return body
    return ask


def bare_query(path):
    """SQLite's own answer, each column read."""
    database = sqlite3.connect(path)

    def ask():
        rows = database.execute(
            f"SELECT {', '.join(COLUMNS)} FROM jobs ORDER BY created_at_ms "
            "DESC, id DESC LIMIT 50").fetchall()
        assert len(rows) == 50
    return ask


def open_streams(server, count):
    """A tenth is never read; the rest is read when somebody asks for it."""
    streams = []
    for _ in range(count):
        stream = socket.socket(socket.AF_UNIX)
        stream.connect(server.socket)
        stream.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        streams.append(stream)
    return streams


def answered(streams):
    """How many are streams indeed. Leaves what was said unread."""
    count = 0
    for stream in streams:
        stream.settimeout(60)
        count += stream.recv(12, socket.MSG_PEEK) == b"HTTP/1.1 200"
    return count


def read_streams(streams):
    for stream in streams[len(streams) // 10:]:
        stream.setblocking(False)
        try:
            while stream.recv(65536):
                pass
        except BlockingIOError:
            pass


def wrk(server, token, seconds):
    """Requests a second, the latency at 99 %, processor seconds of one."""
    before = server.cpu()
    done = subprocess.run(
        ["wrk", "-t1", "-c16", f"-d{seconds}s", "--latency", "-H",
         "Authorization: Bearer " + token,
         f"http://127.0.0.1:{server.port}/api/v1/jobs?limit=50"],
        check=True, capture_output=True, text=True).stdout
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", done)
    assert wrong is None, done
    cost = (server.cpu() - before) / int(
        re.search(r"(\d+) requests in", done)[1])
    return re.search(r"Requests/sec:\s+([\d.]+)", done)[1], \
        re.search(r"99%\s+(\S+)", done)[1], cost


class Report:
    wrong = 0

    def line(self, what, value, good):
        print(f"{'ok   ' if good else 'WRONG'} {what:<8} {value}", flush=True)
        self.wrong += not good


def measure(server, options, report):
    wall, processor = server.start()
    report.line("start", f"{wall:.2f} s, {processor:.2f} s of the processor",
                min(wall, processor) < 2)
    time.sleep(options.settle)
    await_quiet(server)
    before, began = server.cpu(), time.monotonic()
    time.sleep(options.idle)
    share = 100 * (server.cpu() - before) / (time.monotonic() - began)
    resident = server.resident() / 2**20
    report.line("idle", f"{share:.2f} % of a processor in {options.idle} s, "
                f"{resident:.0f} MiB", share < 0.2 and resident < 64)

    samples, processor = times(server, 10, ask_for(server, "/metrics"))
    report.line("scrape", f"{1000 * max(samples):.0f} ms at most, "
                f"{1000 * processor:.0f} ms of the processor",
                min(max(samples), processor) < 0.2)

    compare_page(server, report)
    load(server, options, report)
    server.stop()


def compare_page(server, report):
    """Three times: where the bare query is held up by other work its p99 is
    worth nothing. A page that costs too much fails whatever the clock says."""
    catalog = os.path.join(server.folder, ".local/state/sluice/catalog.db")
    ratios = []
    costs = []
    for _ in range(3):
        began = time.process_time()
        bare, _ = times(server, SAMPLES, bare_query(catalog))
        bare_processor = (time.process_time() - began) / SAMPLES
        page, processor = times(server, SAMPLES,
                                ask_for(server, "/api/v1/jobs?limit=50"))
        ratios.append(p99(page) / p99(bare))
        costs.append(processor / bare_processor)
        print(f"      page     p50 {1e6 * statistics.median(page):.0f} us, p99 "
              f"{1e6 * p99(page):.0f} us, {1e6 * processor:.0f} us of the "
              f"processor; bare {1e6 * statistics.median(bare):.0f}, "
              f"{1e6 * p99(bare):.0f}, {1e6 * bare_processor:.0f}", flush=True)
    report.line("jobs", f"p99 {min(ratios):.1f} times the bare query's; of the "
                f"processor {min(costs):.1f} times",
                min(ratios) <= 5 and min(costs) <= 5)


def load(server, options, report):
    token = server.run("token", "create", "--role", "viewer").strip()
    await_quiet(server)
    _, late, alone = wrk(server, token, options.seconds)
    print(f"      alone    p99 {late}, {1e6 * alone:.0f} us of the processor "
          "for each request", flush=True)
    streams = open_streams(server, options.streams)
    count = answered(streams)
    report.line("streams", f"{count} of {len(streams)}", count == len(streams))
    sizes = []
    costs = []
    for number in range(options.rounds):
        rate, late, cost = wrk(server, token, options.seconds)
        costs.append(cost)
        # Something for the streams to say.
        server.run("repo", "rename", "disk", f"disk{number}")
        server.run("repo", "rename", f"disk{number}", "disk")
        await_quiet(server)
        read_streams(streams)
        sizes.append(server.resident() / 2**20)
        print(f"      round {number + 1:<2} {rate} requests/s, p99 {late}, "
              f"{1e6 * cost:.0f} us, {sizes[-1]:.1f} MiB", flush=True)
    settled = sizes[min(2, len(sizes) - 1)]
    report.line("memory", f"{settled:.1f} MiB, then {sizes[-1]:.1f} MiB",
                sizes[-1] <= settled * 1.02 + 1)
    for stream in streams:
        stream.close()
    await_quiet(server)
    # Again, as a machine that got busier meanwhile takes longer for the same.
    _, _, after = wrk(server, token, options.seconds)
    alone = max(alone, after)
    cost = statistics.median(costs)
    report.line("slow", f"{1e6 * cost:.0f} us of the processor for a request "
                f"beside {len(streams)} streams, {1e6 * alone:.0f} us without",
                cost <= 1.25 * alone)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sluice")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--settle", type=int, default=30)
    parser.add_argument("--idle", type=int, default=60)
    parser.add_argument("--streams", type=int, default=300)
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="sluice-load-", dir="/var/tmp")
    server = Server(os.path.abspath(options.sluice), folder)
    report = Report()
    try:
        server.run("repo", "add", "disk", "local:" + folder + "/repo")
        shown = json.loads(server.run("repo", "show", "disk", "--json"))
        repo_id = shown.get("id") or shown["repo"]["id"]
        fill(os.path.join(folder, ".local/state/sluice/catalog.db"), repo_id)
        measure(server, options, report)
    finally:
        if hasattr(server, "process") and server.process.poll() is None:
            server.process.kill()
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
