"""Repos that live long, by the command: other people's files, changed rights,
lost files, full disks, clocks that were wrong.

usage: long_lived_repo_test.py SLUICE PLUGIN.so [unittest arguments]
"""

import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import unittest

from end_to_end_test import PATIENCE, SLUICE, CommandTest, files_below

# root, too, is held by modes once it gave up its capabilities.
HUMBLE = (["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
          if os.geteuid() == 0 else [])


class LongLivedRepo(CommandTest):

    def setUp(self):
        super().setUp()
        self.make_tree(links=False)

    def humbly(self, *words, code=0):
        """A verb whose rights are its modes'; its JSON lines."""
        done = subprocess.run(
            [*HUMBLE, SLUICE, *words, "--repo", self.repo, "--json"],
            env=self.env, stdin=subprocess.DEVNULL, capture_output=True,
            timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, code, (done.stdout, done.stderr))
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        # The last may be the error that the exit status is of.
        return [line for line in lines if set(line) != {"error", "job"}]

    def archive(self):
        return self.backup()["record"]["id"]

    def file_of(self, backup_id, name):
        return os.path.join(self.repo_folder, backup_id, name)

    def every_verb_works(self, *ids):
        listed = [row["id"] for row in self.humbly("list")]
        self.assertEqual(listed, list(ids))
        for backup_id in ids:
            self.humbly("show", backup_id)
            self.humbly("verify", backup_id)
        self.humbly("sweep")
        self.humbly("reconcile")

    # --- what is not ours

    def test_what_is_not_ours_hides_no_archive(self):
        first, second = self.archive(), self.archive()
        root = self.repo_folder
        os.makedirs(os.path.join(root, *["x" * 200] * 3))
        inside = os.path.join(root, first, *["0" * 200] * 3)
        os.makedirs(inside)
        pathlib.Path(root, "y" * 255).write_text("long")
        pathlib.Path(inside, "z" * 100).write_text("long")
        pathlib.Path(root, "0123 not a name \n").write_text("odd")
        for name in ("lost+found", ".Trash-0", "0000"):
            os.mkdir(os.path.join(root, name), 0)
        os.mkfifo(os.path.join(root, "0fifo"))
        with socket.socket(socket.AF_UNIX) as listener:
            here = os.getcwd()
            os.chdir(root)
            listener.bind("0socket")
            os.chdir(here)
        deep = os.open(root, os.O_RDONLY)
        for _ in range(3000):
            os.mkdir("d", dir_fd=deep)
            below = os.open("d", os.O_RDONLY, dir_fd=deep)
            os.close(deep)
            deep = below
        os.close(deep)
        try:
            self.every_verb_works(first, second)
            self.humbly("delete", first)
            self.every_verb_works(second)
        finally:
            subprocess.run(["rm", "-rf", os.path.join(root, "d")], check=True)

    def test_a_stray_file_in_an_archive_is_a_warning(self):
        backup_id = self.archive()
        pathlib.Path(self.file_of(backup_id, ".DS_Store")).write_text("x")
        line = self.run_lines("verify", backup_id, "--repo", self.repo,
                              code=3)[0]
        self.assertTrue(line["ok"])
        self.assertEqual(line["foreign_files"], [".DS_Store"])

    # --- each archive stands for itself

    def test_one_that_cannot_be_read_hides_no_other(self):
        first, second, third = self.archive(), self.archive(), self.archive()
        for unreadable in (self.file_of(second, "manifest.json"),
                           os.path.join(self.repo_folder, second)):
            os.chmod(unreadable, 0)
            rows = self.humbly("list", code=13)
            self.assertEqual([row["id"] for row in rows],
                             [first, second, third])
            self.assertIsNone(rows[1]["manifest"])
            self.humbly("show", third)
            self.humbly("verify", first)
            lines = self.humbly("verify", "--all", code=13)
            self.assertEqual([line["ok"] for line in lines],
                             [True, False, True])
            out = self.path("out-of-" + os.path.basename(unreadable))
            self.humbly("restore", third, "--to", "memory:?save=" + out)
            self.humbly("reconcile", code=13)
            os.chmod(unreadable, 0o700)
        os.chmod(self.file_of(second, "manifest.json"), 0)
        self.humbly("delete", first)
        self.humbly("delete", second)
        self.every_verb_works(third)

    def test_one_unreadable_payload_does_not_end_a_verify_of_all(self):
        first, second = self.archive(), self.archive()
        os.chmod(self.file_of(first, "payload.bin"), 0)
        lines = self.humbly("verify", "--all", code=13)
        self.assertEqual({line["id"]: line["ok"] for line in lines},
                         {first: False, second: True})

    # --- what was lost

    def test_a_lost_manifest_survives_the_next_backup(self):
        lost, other = self.archive(), self.archive()
        manifest = self.file_of(lost, "manifest.json")
        kept = pathlib.Path(manifest).read_bytes()
        os.remove(manifest)
        self.machine("that never saw it")
        latest = self.archive()
        self.humbly("sweep", code=3)
        lines = self.humbly("verify", "--all", code=4)
        self.assertEqual({line["id"]: line["ok"] for line in lines},
                         {lost: False, other: True, latest: True})
        pathlib.Path(manifest).write_bytes(kept)
        self.humbly("verify", lost)

    def test_a_record_without_an_archive_is_named(self):
        gone, there = self.archive(), self.archive()
        shutil.rmtree(os.path.join(self.repo_folder, gone))
        lines = self.humbly("verify", "--all", code=4)
        self.assertEqual({line["id"]: line["ok"] for line in lines},
                         {gone: False, there: True})
        self.humbly("verify", there)

    def test_what_another_machine_deleted_is_no_damage(self):
        gone, there = self.archive(), self.archive()
        self.machine("another")
        self.run_sluice("delete", gone, "--repo", self.repo)
        self.machine("here")
        lines = self.humbly("verify", "--all")
        self.assertEqual({line["id"]: line["ok"] for line in lines},
                         {there: True})
        self.run_sluice("verify", "--all", "--repo", self.repo)
        self.assertIn(gone, self.err)

    def test_damage_that_a_restore_finds_is_passed_over_from_then_on(self):
        good, bad = self.archive(), self.archive()
        payload = self.file_of(bad, "payload.bin")
        with open(payload, "r+b") as file:
            file.seek(1000)
            byte = file.read(1)
            file.seek(1000)
            file.write(bytes([byte[0] ^ 1]))
        self.run_json("restore", "latest", "--repo", self.repo, "--to",
                      "memory:?save=" + self.path("none"), code=4)
        result = self.run_json("restore", "latest", "--repo", self.repo, "--to",
                               "memory:?save=" + self.path("out"))
        self.assertEqual(result["backup_id"], good)
        self.assertIn(bad, self.err)

    def test_one_command_brings_all_back_after_a_lost_catalog(self):
        ids = [self.archive()]
        self.machine("the second")
        ids.append(self.archive())
        with open(self.file_of(ids[0], "payload.bin"), "r+b") as file:
            file.truncate(100)
        self.machine("the third")
        self.humbly("reconcile", "--adopt-all", code=4)
        rows = {row["id"]: row["record"]["damaged"] for row in
                self.humbly("list")}
        self.assertEqual(rows, {ids[0]: True, ids[1]: False})
        self.assertEqual(self.humbly("show", "latest")[0]["id"], ids[1])

    def test_a_lost_repo_file_is_rebuilt_from_the_archives(self):
        backup_id = self.archive()
        file = pathlib.Path(self.repo_folder, "sluice-repo.json")
        whole = json.loads(file.read_text())
        for cut in ("", file.read_text()[:20], None):
            file.unlink()
            if cut is not None:
                file.write_text(cut)
            self.run_sluice("list", "--repo", self.repo,
                            code=10 if cut is None else 2)
            if cut is None:
                self.run_sluice("backup", self.store, "--repo", self.repo,
                                "--init", code=10)
                self.assertIn("sluice repo repair", self.err)
                self.assertFalse(file.exists())
            repaired = self.run_json("repo", "repair", self.repo)
            self.assertEqual(repaired["id"], whole["id"])
            self.every_verb_works(backup_id)
        self.assertFalse(self.run_json("repo", "repair", self.repo)["written"])
        os.mkdir(self.path("empty"))
        self.run_sluice("repo", "repair", "local:" + self.path("empty"),
                        code=10)
        self.assertEqual(os.listdir(self.path("empty")), [])

    # --- clocks, and room

    def copy_as(self, backup_id, other):
        """The archive under another id, as if it had been made so."""
        text = pathlib.Path(self.file_of(backup_id, "manifest.json"))
        manifest = text.read_text().replace(backup_id, other).encode()
        shutil.copytree(os.path.join(self.repo_folder, backup_id),
                        os.path.join(self.repo_folder, other))
        for name, content in (("manifest.json", manifest),):
            path = pathlib.Path(self.file_of(other, name))
            path.chmod(0o600)
            path.write_bytes(content)
        sums = pathlib.Path(self.file_of(other, "SHA256SUMS"))
        lines = [line for line in sums.read_text().splitlines()
                 if not line.endswith("manifest.json")]
        lines.append(hashlib.sha256(manifest).hexdigest() + "  manifest.json")
        sums.chmod(0o600)
        sums.write_text("\n".join(lines) + "\n")

    def test_an_archive_from_the_future_is_named_and_no_latest(self):
        first = self.archive()
        future = "7" + first[1:]  # the year 9,000 and more
        self.copy_as(first, future)
        self.run_lines("reconcile", "--repo", self.repo, "--adopt")
        second = self.archive()
        self.assertIn(future, self.err)
        shown = self.run_json("show", "latest", "--repo", self.repo)
        self.assertEqual(shown["id"], second)
        self.assertIn(future, self.err)
        self.machine("without a catalog")
        shown = self.run_json("show", "latest", "--repo", self.repo)
        self.assertEqual(shown["id"], second)
        self.assertIn(future, self.err)

    def test_deletes_from_a_full_disk(self):
        for number, options in enumerate(("size=16m,nr_inodes=64",
                                          "size=64m,nr_inodes=24")):
            folder = self.path(f"disk{number}")
            os.mkdir(folder)
            script = f"""
mount -t tmpfs -o {options} none '{folder}' || exit 77
for i in 1 2; do
  "$0" backup '{self.store}' --repo '{folder}' --init --json || exit 1
done
i=0
while true > '{folder}'/fill$i; do i=$((i+1)); done 2>/dev/null
dd if=/dev/zero of='{folder}'/fill0 bs=4k 2>/dev/null
id=$("$0" list --repo '{folder}' | sed -n 2p | cut -d' ' -f1)
"$0" delete "$id" --repo '{folder}' || exit 2
test $("$0" list --repo '{folder}' --json | wc -l) = 1 || exit 3
"$0" verify --all --repo '{folder}' --json || exit 4
"""
            done = subprocess.run(
                ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
                 script, SLUICE], env=self.env, capture_output=True,
                timeout=PATIENCE, check=False)
            if done.returncode == 77 or b"unshare" in done.stderr:
                self.skipTest("nobody may mount here")
            self.assertEqual(done.returncode, 0, (done.stdout, done.stderr))

    def test_a_killed_run_gives_its_room_free_at_the_next_verb(self):
        self.archive()
        process = self.start_endless()
        repo = pathlib.Path(self.repo_folder)
        while process.poll() is None and not list(repo.glob("*/writer.json")):
            pass
        self.kill_whole(process)
        process.communicate(timeout=PATIENCE)
        self.assertEqual(len(list(repo.glob("*/writer.json"))), 1)
        swept = self.run_json("sweep", "--repo", self.repo)
        self.assertEqual(len(swept["ended"]), 1)
        # A tombstone, and the archive of before.
        self.assertEqual(
            [sorted(os.listdir(folder)) for folder in sorted(repo.iterdir())
             if folder.is_dir()],
            [["SHA256SUMS", "manifest.json", "payload.bin"],
             ["manifest.json"]])

    def test_a_backup_reads_back_what_it_wrote_and_says_what_that_cost(self):
        self.run_sluice("backup", self.store, "--repo", self.repo, "--init",
                        "--verify")
        self.assertIn("read back and compared", self.err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
