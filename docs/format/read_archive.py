#!/usr/bin/env python3
"""Reads and proves one archive folder, from docs/format alone: no line of Sluice, no library.

usage: read_archive.py ARCHIVE_FOLDER > payload
Status 0: every byte was right. 1: damaged, and what was written to stdout is not to be used.
"""
import hashlib, json, os, re, sys

def check(truth, what):
    if not truth:
        sys.exit("damaged: " + what)

def digest(path, out=None):
    sha, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            sha.update(block)
            size += len(block)
            if out:
                out.write(block)
    return sha.hexdigest(), size

def read_archive(folder, out):
    at = lambda name: os.path.join(folder, name)
    with open(at("manifest.json"), "rb") as file:
        raw = file.read()
    with open(at("SHA256SUMS"), "rb") as file:
        text = file.read().decode("ascii")
    check(re.fullmatch(r"([0-9a-f]{64}  [A-Za-z0-9._/-]+\n)+", text), "SHA256SUMS")
    lines = [line.split("  ") for line in text.splitlines()]
    sums = {name: sha for sha, name in lines}
    check(len(sums) == len(lines), "a file stands twice in SHA256SUMS")
    check(sums.pop("manifest.json", "") == hashlib.sha256(raw).hexdigest(), "manifest.json")
    m = json.loads(raw)
    check("tombstone" not in m, "a tombstone, not an archive")
    if m["version"] not in (1, 2) or m["compression"] not in ("", "none") or m.get("encryption", {}).get("algorithm"):
        sys.exit("unsupported: written by a newer Sluice")
    check(m["backup_id"] == os.path.basename(os.path.abspath(folder)), "of another archive")
    size, shas = 0, b""
    for i, segment in enumerate(m["segments"]):
        name = "payload.bin" if i == 0 else "payload.bin.%04d" % i
        check(segment["name"] == name and sums.pop(name, "") == segment["sha256"], name)
        check(digest(at(name), out) == (segment["sha256"], int(segment["size_bytes"])), name)
        size, shas = size + int(segment["size_bytes"]), shas + bytes.fromhex(segment["sha256"])
    whole = shas.hex() if len(m["segments"]) == 1 else hashlib.sha256(shas).hexdigest()
    check((whole, size) == (m["sha256"], int(m["size_bytes"])), "sha256 or size_bytes")
    if int(m["payload_id_count"]):
        check(sums.pop("payload_ids", "") == m["payload_ids_sha256"] == digest(at("payload_ids"))[0], "payload_ids")
        with open(at("payload_ids"), "rb") as file:
            ids = [line.rstrip(b"\n") for line in file]
        check(ids == sorted(set(ids)) and len(ids) == int(m["payload_id_count"]), "payload_ids")
    if int(m.get("index_size_bytes", 0)):
        check((sums.pop("index", ""), int(m["index_size_bytes"])) == (m["index_sha256"], os.path.getsize(at("index"))) and
              digest(at("index"))[0] == m["index_sha256"], "index")
    check(not sums, "SHA256SUMS names more than the manifest")

if __name__ == "__main__":
    try:
        read_archive(sys.argv[1], sys.stdout.buffer)
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.exit("damaged: %r" % error)
