#!/usr/bin/env python3
"""What the packages hold, and that the same inputs make the same bytes.

usage: deb_test.py BUILD_DEB.py SLUICE
"""

import filecmp
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

BUILD, SLUICE = [pathlib.Path(name).resolve() for name in sys.argv[1:3]]
# A newer version than that of any build of today, of a day that is over.
VERSION, EPOCH = "99.1~test-1", "1700000000"


def run(*words, **keywords):
    return subprocess.run(words, check=True, capture_output=True, text=True,
                          **keywords).stdout


def build(out, *words):
    return run(sys.executable, str(BUILD), "--dist", str(SLUICE.parent),
               "--out", str(out), "--version", VERSION, "--epoch", EPOCH,
               "--compression", "none", *words).split()


class DebTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.out = pathlib.Path(cls.folder.name)
        cls.command, cls.server = build(cls.out / "1")

    def listed(self, deb):
        """Path to (mode, owner, what it links to)."""
        found = {}
        for line in run("dpkg-deb", "-c", deb).splitlines():
            mode, owner, _, _, _, path = line.split(None, 5)
            path, _, link = path.partition(" -> ")
            found[path[1:]] = (mode, owner, link)
        return found

    def field(self, deb, name):
        return run("dpkg-deb", "-f", deb, name).strip()

    def unpacked(self, deb):
        root = self.out / ("root-" + pathlib.Path(deb).name)
        if not root.exists():
            run("dpkg-deb", "-R", deb, str(root))
        return root

    def test_two_builds_are_the_same_to_the_byte(self):
        # At another time of the clock, in another zone, with another umask.
        again = run("sh", "-c", 'umask 077; TZ=Asia/Tokyo exec "$@"', "-",
                    sys.executable, str(BUILD), "--dist", str(SLUICE.parent),
                    "--out", str(self.out / "2"), "--version", VERSION,
                    "--epoch", EPOCH, "--compression", "none").split()
        for first, second in zip((self.command, self.server), again):
            self.assertTrue(filecmp.cmp(first, second, shallow=False), second)

    def test_all_is_roots_and_nobody_else_may_write_it(self):
        for deb in (self.command, self.server):
            for path, (mode, owner, link) in self.listed(deb).items():
                self.assertEqual(owner, "root/root", path)
                if not link:
                    self.assertRegex(mode, r"^[d-]rw[x-]r-[x-]r-[x-]$", path)

    def test_the_command_is_on_the_path_and_its_plugins_beside_it(self):
        listed = self.listed(self.command)
        self.assertEqual(listed["/usr/bin/sluice"][2], "../lib/sluice/sluice")
        for plugin in (SLUICE.parent / "plugins").iterdir():
            self.assertIn("/usr/lib/sluice/plugins/" + plugin.name, listed)
        root = self.unpacked(self.command)
        said = json.loads(run(str(root / "usr/bin/sluice"), "plugin", "list",
                              "--json").splitlines()[0])
        self.assertIn(str(root / "usr/lib/sluice/plugins"), json.dumps(said))

    def test_manual_completions_and_licenses_are_in_it(self):
        listed = self.listed(self.command)
        for path in ("man/man1/sluice.1.gz", "bash-completion/completions/sluice",
                     "zsh/vendor-completions/_sluice", "doc/sluice/copyright",
                     "fish/vendor_completions.d/sluice.fish",
                     "doc/sluice/third-party/libpq-dev.copyright",
                     "doc/sluice/format/archive.md"):
            self.assertIn("/usr/share/" + path, listed)

    def test_it_depends_on_what_it_is_linked_with_and_what_it_loads(self):
        depends = self.field(self.command, "Depends")
        for library in ("libc6", "libsqlite3-0", "android-libboringssl",
                        "libprotobuf32", "libcurl3-gnutls"):
            self.assertRegex(depends, rf"(^|, ){library}\b")
        self.assertNotIn("-dev", depends)
        depends = self.field(self.server, "Depends")
        self.assertIn(f"sluice (= {VERSION})", depends)
        self.assertIn("libmicrohttpd12", depends)

    def test_the_configuration_is_the_operators(self):
        root = self.unpacked(self.server)
        self.assertEqual((root / "DEBIAN/conffiles").read_text().split(),
                         ["/etc/sluice/server.json"])
        json.loads((root / "etc/sluice/server.json").read_text())
        # dpkg --verify would call an edited one damaged.
        self.assertNotIn("server.json", (root / "DEBIAN/md5sums").read_text())

    def test_the_scripts_can_be_run_and_remove_no_folder_of_files(self):
        root = self.unpacked(self.server)
        for name in ("postinst", "prerm", "postrm"):
            self.assertTrue(os.access(root / "DEBIAN" / name, os.X_OK))
            self.assertNotRegex((root / "DEBIAN" / name).read_text(),
                                r"\brm -|\bdeluser|\buserdel")

    def test_md5sums_are_those_of_the_files(self):
        for deb in (self.command, self.server):
            run("md5sum", "--quiet", "-c", "DEBIAN/md5sums",
                cwd=self.unpacked(deb))

    def test_no_path_of_the_machine_that_built_it_is_in_it(self):
        here = re.escape(str(SLUICE.parent.parent)).encode()
        for deb in (self.command, self.server):
            for path in self.unpacked(deb).rglob("*"):
                if path.is_file():
                    self.assertNotRegex(path.read_bytes(), here, path)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
