#!/usr/bin/env python3
"""tools/retention_restic.py OUT.json [SEED]: what `restic forget` keeps.
tools/retention_restic.py --check: the same of a new seed, and retention_test
against it.

Makes repos of empty snapshots at chosen times, one for each zone, and asks
`restic forget --dry-run --json` under many sets of rules.
docs/retention.md says where we differ from restic, and why.
"""

import datetime
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import zoneinfo

ROOT = pathlib.Path(__file__).resolve().parent.parent
HOUR = 3600
DAY = 24 * HOUR

# Zone, the moment (UTC) that the dense part of its history surrounds, and
# whether its offsets are whole hours, so that each can be written by itself.
HISTORIES = [
    ("UTC", "2024-03-31T12:00:00", True),
    ("Europe/Berlin", "2020-10-25T01:00:00", True),  # 03:00 becomes 02:00
    ("America/New_York", "2021-03-14T07:00:00", True),  # 02:00 becomes 03:00
    ("America/Goose_Bay", "2010-11-07T03:01:00", True),  # 00:01 becomes 23:01
    ("Pacific/Apia", "2011-12-30T10:00:00", True),  # a day is left out
    ("Asia/Kolkata", "2021-01-01T00:00:00", False),
]
FIELDS = ("last", "hourly", "daily", "weekly", "monthly", "yearly")


def restic(repo, zone, *arguments):
    """What restic prints, its clock's zone being `zone`."""
    environment = dict(os.environ, TZ=zone, RESTIC_PASSWORD="none",
                       RESTIC_REPOSITORY=str(repo))
    return subprocess.run(
        ["restic", "--no-cache", "--quiet", *arguments], check=True,
        env=environment, stdout=subprocess.PIPE, text=True).stdout


def times_around(center, generator):
    """Unix times: dense around the center, thinner before it, some equal."""
    times = {center + i * HOUR // 2 for i in range(-6, 7)}
    times |= {center + 8 * HOUR - i * DAY for i in range(8)}  # exact days
    times |= {center - i * DAY - generator.randrange(DAY) for i in range(24)}
    times |= {center - i * 7 * DAY - generator.randrange(DAY) for i in range(4, 14)}
    times |= {center - i * 30 * DAY - generator.randrange(DAY) for i in range(4, 18)}
    times |= {center - i * 365 * DAY - generator.randrange(DAY) for i in range(2, 6)}
    return sorted(times)


def rules(generator):
    """Sets of rules, as our words."""
    chosen = [f"keep_{field}={count}" for field in FIELDS for count in (1, 3, 30)]
    chosen += [f"keep_within={span}" for span in
               ("1h", "36h", "5d", "1m", "2m3d", "1y", "1y2m3d4h")]
    while len(chosen) < 48:
        some = [f"keep_{field}={generator.randint(1, 12)}" for field in FIELDS
                if generator.random() < 0.4]
        if generator.random() < 0.3:
            some.append(f"keep_within={generator.randint(1, 90)}d{generator.randint(1, 23)}h")
        if some:
            chosen.append(" ".join(some))
    return chosen


def make_snapshot(repo, zone, whole, time):
    """A snapshot of that time, whose offset is the zone's at that time."""
    local = datetime.datetime.fromtimestamp(time, zoneinfo.ZoneInfo(zone))
    if whole:
        # By a zone of that offset alone: in the zone itself a local time that
        # occurs twice could not be said. Their signs are turned round.
        hours = int(local.utcoffset().total_seconds() // HOUR)
        zone = f"Etc/GMT{-hours:+d}"
    restic(repo, zone, "backup", "--time", local.strftime("%Y-%m-%d %H:%M:%S"),
           "--host", "h", "/dev/null")


def kept(repo, zone, words):
    """The Unix times that restic keeps under the rules."""
    flags = [flag for word in words.split()
             for flag in ("--" + word.replace("_", "-")).split("=")]
    groups = json.loads(restic(repo, zone, "forget", "--dry-run", "--json",
                               "--group-by", "host", *flags))
    assert len(groups) == 1
    return sorted(int(datetime.datetime.fromisoformat(snapshot["time"].replace("Z", "+00:00")).timestamp())
                  for snapshot in groups[0]["keep"])


def history(zone, moment, whole, generator, folder):
    """One zone's times, and what restic keeps of them under each rule."""
    center = int(datetime.datetime.fromisoformat(moment + "+00:00").timestamp())
    repo = pathlib.Path(folder, zone.replace("/", "_"))
    restic(repo, zone, "init")
    times = times_around(center, generator)
    for time in times:
        make_snapshot(repo, zone, whole, time)
    index = {time: i for i, time in enumerate(times)}
    cases = [{"rules": words, "keep": [index[time] for time in kept(repo, zone, words)]}
             for words in rules(generator)]
    return {"zone": zone, "times": times, "cases": cases}


def write(out, seed):
    print(f"seed {seed}", file=sys.stderr)
    generator = random.Random(seed)
    version = subprocess.run(["restic", "version"], check=True, text=True,
                             stdout=subprocess.PIPE).stdout.split()[1]
    with tempfile.TemporaryDirectory() as folder:
        histories = [history(*which, generator, folder) for which in HISTORIES]
    lines = ",\n".join(json.dumps(one, separators=(",", ":")) for one in histories)
    pathlib.Path(out).write_text(
        f'{{"restic":"{version}","seed":{seed},"histories":[\n{lines}\n]}}\n')


def check():
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder, "restic.json")
        write(out, random.randrange(1 << 32))
        script = '. tools/common.sh; sluice_bazel "$@"'
        return subprocess.run(
            ["bash", "-c", f"root={ROOT}; {script}", "restic", "test", "-c", "opt",
             f"--test_env=SLUICE_RESTIC_VECTORS={out}", "--spawn_strategy=local",
             "--test_filter=ResticTest.*", "//service/retention:retention_test"],
            cwd=ROOT, check=False).returncode


def main():
    if sys.argv[1:] == ["--check"]:
        return check()
    write(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
