#!/usr/bin/env python3
"""The unit as systemd itself reads it, and what it must not lose.

usage: unit_test.py sluice.service server.json EXAMPLE.conf...
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

UNIT, CONFIG, *EXAMPLES = [pathlib.Path(name) for name in sys.argv[1:]]
# Tenths, 0 to 100. No change makes it more.
EXPOSURE = 20
EXCUSED = ("MemoryDenyWriteExecute", "PrivateNetwork", "IPAddressDeny",
           "ProtectProc", "ProcSubset", "PrivateUsers", "RootDirectory", "DynamicUser")
GRACE = 10  # of --grace, after the drain


def seconds(span):
    units = {"": 1, "s": 1, "min": 60, "h": 3600}
    number, unit = re.fullmatch(r"(\d+)(\w*)", span).groups()
    return int(number) * units[unit]


class UnitTest(unittest.TestCase):

    def setUp(self):
        self.text = UNIT.read_text()

    def values(self, key, text=None):
        return re.findall(rf"^{key}=(.*)$", text or self.text, re.MULTILINE)

    def value(self, key):
        found = self.values(key)
        self.assertEqual(len(found), 1, key)
        return found[0]

    def verified(self, text, drop_ins=()):
        """What systemd says of it: an unknown key is a word, not an exit
        status. In a root of its own, with what it names."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            units = root / "etc/systemd/system"
            (units / "sluice.service.d").mkdir(parents=True)
            for program in ("usr/bin/sluice", "bin/sh"):
                (root / program).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy("/bin/true", root / program)
            (units / "sluice.service").write_text(text)
            for name in ("sysinit", "basic", "network-online", "multi-user",
                         "shutdown"):
                (units / f"{name}.target").write_text(
                    f"[Unit]\nDescription={name}\n")
            for drop_in in drop_ins:
                shutil.copy(drop_in, units / "sluice.service.d")
            ran = subprocess.run(
                ["systemd-analyze", "verify", "--man=no", f"--root={root}",
                 "sluice.service"], check=False, capture_output=True, text=True)
            return ran.stdout + ran.stderr + (
                f"exit {ran.returncode}" if ran.returncode else "")

    def test_systemd_has_nothing_to_say(self):
        self.assertEqual(self.verified(self.text), "")
        self.assertEqual(self.verified(self.text, EXAMPLES), "")
        spoiled = self.text.replace("ProtectClock=yes", "ProtectClok=yes")
        self.assertIn("ProtectClok", self.verified(spoiled))

    def test_it_is_exposed_no_more_than_it_was(self):
        ran = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--no-pager",
             f"--threshold={EXPOSURE}", str(UNIT)], check=False,
            capture_output=True, text=True)
        print(ran.stdout.splitlines()[-1])
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)

    def test_each_hardening_that_is_left_out_says_why(self):
        for key in EXCUSED:
            self.assertRegex(self.text, rf"(?m)^# - .*\b{key}=")
            self.assertEqual(self.values(key), [], key)

    def test_it_has_no_capability_and_an_example_gives_one_alone(self):
        self.assertEqual(self.value("CapabilityBoundingSet"), "")
        self.assertEqual(self.value("AmbientCapabilities"), "")
        given = {value for example in EXAMPLES for key in
                 ("CapabilityBoundingSet", "AmbientCapabilities")
                 for value in self.values(key, example.read_text())}
        self.assertEqual(given, {"CAP_DAC_READ_SEARCH"})

    def test_what_lies_in_homes_can_be_backed_up(self):
        self.assertEqual(self.value("ProtectHome"), "read-only")

    def test_a_disk_that_is_away_does_not_keep_it_from_starting(self):
        for example in EXAMPLES:
            text = example.read_text()
            for path in self.values("ReadWritePaths", text):
                self.assertTrue(path.startswith("-"), path)
            self.assertEqual(self.values("RequiresMountsFor", text), [])

    def test_it_sees_the_boot_id_that_everybody_sees(self):
        for key in ("ProtectProc", "ProcSubset"):
            self.assertEqual(self.values(key), [], key)

    def test_a_stop_has_longer_than_the_drain_and_its_grace(self):
        drain = json.loads(CONFIG.read_text())["drain"]
        self.assertGreater(seconds(self.value("TimeoutStopSec")),
                           seconds(drain) + GRACE)

    def test_a_start_has_time_to_copy_and_migrate_a_catalog(self):
        self.assertGreaterEqual(seconds(self.value("TimeoutStartSec")), 900)

    def test_it_is_tried_again_for_ever_unless_that_changes_nothing(self):
        self.assertEqual(self.value("Restart"), "on-failure")
        self.assertEqual(self.value("StartLimitIntervalSec"), "0")
        # Wrong usage, and a catalog of a newer version.
        self.assertEqual(self.value("RestartPreventExitStatus").split(),
                         ["2", "17"])

    def test_the_child_says_that_it_is_ready(self):
        self.assertEqual(self.value("Type"), "notify")
        self.assertEqual(self.value("NotifyAccess"), "all")

    def test_its_folders_are_those_of_the_configuration_and_the_catalog(self):
        socket = json.loads(CONFIG.read_text())["socket"]
        self.assertEqual(os.path.dirname(socket),
                         "/run/" + self.value("RuntimeDirectory"))
        state = "/var/lib/" + self.value("StateDirectory")
        self.assertIn(f"SLUICE_CATALOG=sqlite:{state}/catalog.db",
                      self.values("Environment"))
        self.assertEqual(self.value("StateDirectoryMode"), "0700")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
