"""`sluice` with databases that Badger's own command made, and the other way.

usage: badger_command_test.py SLUICE [unittest arguments]
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import badger_peer

SLUICE = sys.argv.pop(1)
PATIENCE = 120  # seconds; only a test that fails waits so long


class BadgerCommandTest(unittest.TestCase):

    def setUp(self):
        self.tmp = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        self.addCleanup(shutil.rmtree, self.tmp, ignore_errors=True)
        self.database = self.path("db")
        self.source = "badger:" + self.database
        self.repo = "local:" + self.path("repo")

    def path(self, name):
        return os.path.join(self.tmp, name)

    def sluice(self, *words, code=0):
        """Runs a verb, wants its exit status, returns its JSON, by line."""
        env = {"PATH": os.environ["PATH"], "HOME": self.tmp,
               "TMPDIR": self.tmp}
        env.update({name: value for name, value in os.environ.items()
                    if name.endswith("SAN_OPTIONS")})
        done = subprocess.run([SLUICE, *words, "--json"], env=env,
                              cwd=self.tmp, capture_output=True,
                              timeout=PATIENCE)
        self.err = done.stderr.decode(errors="replace")
        out = done.stdout.decode(errors="replace")
        self.assertEqual(done.returncode, code, f"{words}\n{out}\n{self.err}")
        return [json.loads(line) for line in out.splitlines()]

    def back_up(self, *words):
        """One backup; its record."""
        (result,) = self.sluice("backup", self.source, "--repo", self.repo,
                                *words)
        return result["record"]

    def restore(self, archive, name, *words, code=0):
        return self.sluice("restore", archive, "--repo", self.repo, "--to",
                           f"badger:{self.path(name)}?format=7", *words,
                           code=code)

    def archives(self):
        return [row["id"] for row in self.sluice("list", "--repo", self.repo)]


class IncrementTest(BadgerCommandTest):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.made = tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR"))
        cls.addClassCleanup(shutil.rmtree, cls.made, ignore_errors=True)
        badger_peer.work(os.path.join(cls.made, "db"))

    def setUp(self):
        super().setUp()
        shutil.copytree(os.path.join(self.made, "db"), self.database)
        self.base = self.back_up("--init")["id"]

    def chain_of_three(self):
        """A base, an increment, and one on that."""
        ids = [self.base]
        for base in (self.base[:24], "latest"):
            badger_peer.work(self.database)
            record = self.back_up("--base", base)
            self.assertEqual(record["base_backup_id"], ids[-1])
            ids.append(record["id"])
        return ids

    def test_a_restored_chain_is_what_the_source_lists(self):
        ids = self.chain_of_three()
        self.restore("latest", "restored")
        self.assertEqual(badger_peer.listing(self.path("restored")),
                         badger_peer.listing(self.database))
        # The record and the manifest know it, and verify reads all three.
        (shown,) = self.sluice("show", ids[2], "--repo", self.repo)
        self.assertEqual(shown["manifest"]["base_backup_id"], ids[1])
        self.assertEqual(shown["record"]["base_backup_id"], ids[1])
        verified = self.sluice("verify", ids[2], "--repo", self.repo)
        self.assertEqual([row["id"] for row in verified], ids)

    def test_an_increment_holds_what_is_new_alone(self):
        badger_peer.work(self.database)
        before = {version for (_, version) in badger_peer.entries(
            self.payload(self.base))}
        increment = self.back_up("--base", "latest")["id"]
        after = badger_peer.entries(self.payload(increment))
        self.assertGreater(len(after), 0)
        self.assertGreater(min(version for (_, version) in after), max(before))

    def payload(self, archive):
        with open(self.path(f"repo/{archive}/payload.bin"), "rb") as file:
            return file.read()

    def test_a_base_is_not_deleted_without_what_builds_on_it(self):
        ids = self.chain_of_three()
        (refused,) = self.sluice("delete", ids[0], "--repo", self.repo, code=1)
        self.assertEqual(refused["error"]["code"], "archive_needed")
        self.assertIn("--with-increments", refused["error"]["hint"])
        self.sluice("delete", ids[0], ids[2], "--repo", self.repo, code=1)
        self.assertEqual(self.archives(), ids)

        deleted = self.sluice("delete", ids[1], "--with-increments", "--repo",
                              self.repo)
        self.assertEqual([row["id"] for row in deleted], [ids[2], ids[1]])
        self.assertEqual(self.archives(), [self.base])

    def test_an_increment_without_its_base_is_damage(self):
        ids = self.chain_of_three()
        shutil.rmtree(self.path("repo/" + ids[1]))
        rows = self.sluice("verify", "--all", "--repo", self.repo, code=4)
        self.assertEqual([(row["id"], row["ok"]) for row in rows],
                         [(ids[0], True), (ids[2], False), (ids[1], False)])
        (refused,) = self.restore(ids[2], "restored", code=10)
        self.assertEqual(refused["error"]["code"], "archive_not_found")
        self.assertFalse(os.path.exists(self.path("restored/MANIFEST")))
        # What comes next builds on what can be restored.
        self.assertEqual(self.back_up("--base", "latest")["base_backup_id"],
                         ids[0])

    def test_a_compacted_deletion_is_in_the_increment_all_the_same(self):
        listing = badger_peer.listing(self.database)
        version = max(rest[0] for rest in listing.values()) + 1000
        gone = min(listing)
        badger_peer.write_deletion(self.database, gone, version)
        for _ in range(2):  # replays and flushes it; compacts it away
            badger_peer.badger("flatten", "--dir", self.database)
        left = badger_peer.entries(
            badger_peer.backup(self.database, self.path("left")))
        self.assertNotIn(gone, {key for (key, _) in left})

        increment = self.back_up("--base", "latest")
        self.assertEqual(increment["base_backup_id"], self.base)
        self.restore(increment["id"], "restored")
        restored = badger_peer.listing(self.path("restored"))
        self.assertNotIn(gone, restored)
        self.assertEqual(restored, badger_peer.listing(self.database))

    def test_an_increment_may_hold_nothing_new(self):
        record = self.back_up("--base", "latest")
        self.assertEqual(record["base_backup_id"], self.base)
        self.restore("latest", "restored")
        self.assertEqual(badger_peer.listing(self.path("restored")),
                         badger_peer.listing(self.database))

    def test_another_incarnation_makes_a_full_backup_and_a_line(self):
        os.unlink(os.path.join(self.database, "KEYREGISTRY"))
        badger_peer.work(self.database)  # Badger makes another
        record = self.back_up("--base", self.base)
        self.assertEqual(record["base_backup_id"], "")
        self.assertIn("full backup: the store could not build on archive "
                      + self.base + ": the base is of another KEYREGISTRY",
                      self.err)
        self.sluice("delete", self.base, "--repo", self.repo)
        self.restore("latest", "restored")
        self.assertEqual(badger_peer.listing(self.path("restored")),
                         badger_peer.listing(self.database))

    def test_an_index_that_is_damaged_makes_a_full_backup_and_a_line(self):
        with open(self.path(f"repo/{self.base}/index"), "r+b") as file:
            file.seek(-1, os.SEEK_END)
            last = file.read(1)[0]
            file.seek(-1, os.SEEK_END)
            file.write(bytes([last ^ 1]))
        record = self.back_up("--base", self.base)
        self.assertEqual(record["base_backup_id"], "")
        self.assertIn("the base's index cannot be read", self.err)
        (row,) = self.sluice("verify", self.base, "--repo", self.repo, code=4)
        self.assertEqual(row["error"]["code"], "archive_damaged")
        self.restore("latest", "restored")

    def test_the_first_of_a_series_needs_no_other_words(self):
        self.sluice("delete", self.base, "--repo", self.repo)
        record = self.back_up("--base", "latest")
        self.assertEqual(record["base_backup_id"], "")
        self.assertIn("full backup: ", self.err)
        (refused,) = self.sluice("backup", self.source, "--repo", self.repo,
                                 "--base", self.base, code=10)
        self.assertEqual(refused["error"]["code"], "archive_not_found")

    def test_a_store_that_cannot_says_so_before_anything_is_made(self):
        (refused,) = self.sluice("backup", "memory:?keys=3&seed=1", "--repo",
                                 "local:" + self.path("new"), "--init",
                                 "--base", "latest", code=2)
        self.assertIn("on a base", refused["error"]["message"])
        self.assertFalse(os.path.exists(self.path("new")))


class StreamTest(BadgerCommandTest):

    def setUp(self):
        super().setUp()
        badger_peer.work(self.database)
        self.listing = badger_peer.listing(self.database)
        self.stream = self.path("stream.bak")
        badger_peer.backup(self.database, self.stream)

    def restore_stream(self, *words, kind="badger", code=0):
        (result,) = self.sluice(
            "restore", "--from-file", self.stream, "--kind", kind, "--to",
            f"badger:{self.path('restored')}?format=7", *words, code=code)
        return result

    def test_both_read_the_streams_of_the_other(self):
        result = self.restore_stream()
        self.assertEqual(result["size_bytes"], os.path.getsize(self.stream))
        self.assertEqual(badger_peer.listing(self.path("restored")),
                         self.listing)

        archive = self.back_up("--init")["id"]
        badger_peer.badger(
            "restore", "--dir", self.path("theirs"), "-f",
            self.path(f"repo/{archive}/payload.bin"))
        self.assertEqual(badger_peer.listing(self.path("theirs")),
                         self.listing)

    def test_what_is_no_whole_stream_makes_nothing(self):
        with open(self.stream, "r+b") as file:
            file.truncate(os.path.getsize(self.stream) - 1)
        refused = self.restore_stream(code=4)
        self.assertEqual(refused["error"]["code"], "archive_damaged")
        self.assertFalse(os.path.exists(self.path("restored/MANIFEST")))

    def test_the_words_must_fit_the_target(self):
        self.restore_stream(kind="memory", code=1)
        self.restore_stream("latest", code=2)
        self.restore_stream("--store", "a", code=2)
        self.sluice("restore", "--to", "badger:" + self.path("x"), code=2)
        self.sluice("restore", "--from-file", self.stream, "--to",
                    "badger:" + self.path("x"), code=2)
        self.restore_stream()
        refused = self.restore_stream(code=1)  # it is there now
        self.assertEqual(refused["error"]["code"],
                         "restore_precondition_failed")
        self.assertEqual(badger_peer.listing(self.path("restored")),
                         self.listing)


class PayloadIdsTest(BadgerCommandTest):

    def setUp(self):
        super().setUp()
        values = {b"file/%d" % i: {"blocks": [f"b{i}", "shared"]}
                  for i in range(5)}
        values[b"file/x"] = {"blocks": 7}
        values[b"other"] = {"blocks": ["not-ours"]}
        stream = self.path("made.bak")
        with open(stream, "wb") as file:
            file.write(badger_peer.frame(
                {key: json.dumps(value).encode()
                 for key, value in values.items()}))
        badger_peer.badger("restore", "--dir", self.database, "-f", stream)

    def test_values_name_the_payload_ids_of_the_same_snapshot(self):
        uri = self.source + "?payload_ids=file/&payload_id_json=blocks"
        (result,) = self.sluice("backup", uri, "--repo", self.repo, "--init",
                                code=3)
        record = result["record"]
        self.assertEqual(record["payload_id_count"], 6)
        with open(self.path(f"repo/{record['id']}/payload_ids")) as file:
            self.assertEqual(file.read().split(),
                             ["b0", "b1", "b2", "b3", "b4", "shared"])
        (warning,) = record["warnings"]
        self.assertEqual(warning["code"], "badger_payload_ids_undecoded")
        self.assertTrue(warning["message"].startswith("1 values "), warning)


class InspectTest(BadgerCommandTest):

    def test_it_says_what_the_tool_says_and_finds_damage(self):
        badger_peer.work(self.database)
        (found,) = self.sluice("plugin", "badger", "inspect", self.database)
        self.assertEqual(found["live_keys"],
                         len(badger_peer.listing(self.database)))
        self.assertEqual(found["format"], 7)
        self.assertIsNone(found["open"])
        info = badger_peer.badger("info", "--dir", self.database)
        for table in found["tables"]:
            self.assertIn(table["name"], info)

        path = os.path.join(self.database, found["tables"][0]["name"])
        with open(path, "r+b") as file:
            file.seek(100)
            byte = file.read(1)[0]
            file.seek(100)
            file.write(bytes([byte ^ 1]))
        (damaged,) = self.sluice("plugin", "run", "badger", "inspect",
                                 self.database, code=4)
        self.assertIn("block 0", damaged["damage"][0])

    def test_verbs_that_are_none_are_usage_errors(self):
        (refused,) = self.sluice("plugin", "badger", "mend", "/db", code=2)
        self.assertIn("no verb", refused["error"]["message"])
        (refused,) = self.sluice("plugin", "memory", "inspect", "/db", code=2)
        (refused,) = self.sluice("plugin", "bagder", "inspect", "/db", code=16)
        self.assertIn("badger", refused["error"]["hint"])


if __name__ == "__main__":
    unittest.main()
