#!/usr/bin/env python3
"""The packages' scripts, as dpkg calls them, with stand-ins for what they call.

usage: scripts_test.py FILE...
The files are debian/sluice-server.{postinst,prerm,postrm}.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPTS = {pathlib.Path(name).suffix[1:]: pathlib.Path(name).read_text()
           for name in sys.argv[1:]}


class ScriptsTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for name in ("bin", "var/lib", "etc/sluice", "run"):
            (self.root / name).mkdir(parents=True)
        # Words of each call, in order. `user` is there once it was added.
        self.stub("getent", 'test -e "$ROOT/user"')
        self.stub("adduser", 'touch "$ROOT/user"')
        self.stub("install", 'eval "for last; do :; done"; mkdir -p "$last"')
        for tool in ("mkdir", "rmdir", "touch"):
            (self.root / "bin" / tool).symlink_to(f"/bin/{tool}")

    def stub(self, name, does="", exits=0):
        path = self.root / "bin" / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>"$ROOT/calls"\n'
                        f"{does}\nexit {exits or '$?'}\n")
        path.chmod(0o755)

    def systemd(self, active):
        (self.root / "run/systemd/system").mkdir(parents=True)
        self.stub("systemctl",
                  'case "$*" in *is-active*) '
                  f"exit {0 if active else 3};; esac")
        self.stub("deb-systemd-invoke")
        self.stub("deb-systemd-helper")

    def run_script(self, script, *words):
        """stderr of a run that must end with 0, and what it called."""
        text = SCRIPTS[script]
        for path in ("/run/systemd/system", "/var/lib/sluice", "/etc/sluice"):
            self.assertNotIn(f"{self.root}{path}", text)
            text = text.replace(path, f"{self.root}{path}")
        (self.root / "calls").write_text("")
        ran = subprocess.run(
            ["/bin/sh", "-c", text, script, *words], check=False,
            capture_output=True, text=True,
            env={"PATH": str(self.root / "bin"), "ROOT": str(self.root)})
        self.assertEqual(ran.returncode, 0, ran.stderr)
        return ran.stderr, (self.root / "calls").read_text()

    def test_all_three_are_here(self):
        self.assertEqual(sorted(SCRIPTS), ["postinst", "postrm", "prerm"])
        for text in SCRIPTS.values():
            self.assertRegex(text, r"(?m)^set -e$")

    def test_an_installation_needs_no_systemd(self):
        _, calls = self.run_script("postinst", "configure", "")
        self.assertIn("adduser", calls)
        self.assertTrue((self.root / "var/lib/sluice").is_dir())
        for script, word in (("prerm", "remove"), ("postrm", "remove"),
                             ("postrm", "purge")):
            self.run_script(script, word)

    def test_an_installation_starts_and_enables_nothing(self):
        self.systemd(active=False)
        _, calls = self.run_script("postinst", "configure", "")
        self.assertEqual([line for line in calls.splitlines()
                          if line.startswith(("systemctl", "deb-systemd"))],
                         ["systemctl --system daemon-reload"])

    def test_twice_is_as_once_and_what_the_operator_changed_stays(self):
        self.run_script("postinst", "configure", "")
        (self.root / "var/lib/sluice").chmod(0o750)
        _, calls = self.run_script("postinst", "configure", "0.1.0-1")
        self.assertNotIn("adduser", calls)
        self.assertNotIn("install", calls)
        self.assertEqual((self.root / "var/lib/sluice").stat().st_mode & 0o777,
                         0o750)

    def test_an_upgrade_restarts_what_runs_and_does_not_wait(self):
        self.systemd(active=True)
        _, calls = self.run_script("postinst", "configure", "0.1.0-1")
        self.assertIn("systemctl --no-block restart sluice.service", calls)

    def test_an_upgrade_starts_nothing_that_did_not_run(self):
        self.systemd(active=False)
        _, calls = self.run_script("postinst", "configure", "0.1.0-1")
        self.assertNotIn("restart", calls)

    def test_who_forbids_restarts_is_obeyed(self):
        self.systemd(active=True)
        self.stub("policy-rc.d", exits=101)
        _, calls = self.run_script("postinst", "configure", "0.1.0-1")
        self.assertIn("policy-rc.d sluice.service restart", calls)
        self.assertNotIn("systemctl --no-block restart", calls)

    def test_a_service_that_does_not_come_back_fails_no_upgrade(self):
        self.systemd(active=True)
        self.stub("systemctl", 'case "$*" in *is-active*) exit 0;; esac',
                  exits=1)
        self.run_script("postinst", "configure", "0.1.0-1")

    def test_an_upgrade_stops_nothing_before_the_new_one_is_there(self):
        self.systemd(active=True)
        for words in (("upgrade", "0.2.0-1"), ("failed-upgrade", "0.1.0-1")):
            _, calls = self.run_script("prerm", *words)
            self.assertEqual(calls, "")

    def test_a_removal_stops_it(self):
        self.systemd(active=True)
        _, calls = self.run_script("prerm", "remove")
        self.assertIn("deb-systemd-invoke stop sluice.service", calls)

    def test_a_purge_keeps_the_catalog_the_archives_and_keys_and_says_so(self):
        self.run_script("postinst", "configure", "")
        catalog = self.root / "var/lib/sluice/catalog.db"
        key = self.root / "etc/sluice/hook.key"
        for path in (catalog, key):
            path.write_text("of value")
        for word in ("remove", "purge", "purge"):
            said, _ = self.run_script("postrm", word)
        self.assertEqual(catalog.read_text(), "of value")
        self.assertEqual(key.read_text(), "of value")
        self.assertIn("/var/lib/sluice is kept", said)
        self.assertIn("/etc/sluice is kept", said)

    def test_a_purge_leaves_nothing_where_nothing_was_made(self):
        self.run_script("postinst", "configure", "")
        said, _ = self.run_script("postrm", "purge")
        self.assertEqual(said, "")
        self.assertFalse(os.path.exists(self.root / "var/lib/sluice"))
        self.assertFalse(os.path.exists(self.root / "etc/sluice"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
