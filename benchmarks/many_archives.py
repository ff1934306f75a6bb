#!/usr/bin/env python3
"""What a repo of many archives costs, as a ratio: 10,000 against 100.

usage: many_archives.py SLUICE [FOLDER]

Makes one small backup, copies it under as many ids (what a sweep and a listing
see is the same as if each had been made by a run), and times list, verify of
one, and a backup, by processor seconds. The first backup into the large repo
writes its index and is not counted.
"""

import hashlib
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile

SLUICE = sys.argv[1]
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def run(*words):
    """Runs a verb; its stdout and its processor seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([SLUICE, *words], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, (after.ru_utime + after.ru_stime -
                         before.ru_utime - before.ru_stime)


def fill(folder, model, count):
    """`count` archives beside the model, older than it."""
    source = pathlib.Path(folder, model)
    files = {path.name: path.read_bytes() for path in source.iterdir()}
    for number in range(count - 1):
        digits, left = "", number
        for _ in range(6):
            digits, left = ALPHABET[left % 32] + digits, left // 32
        other = "00" + model[2:20] + digits
        target = pathlib.Path(folder, other)
        target.mkdir(mode=0o700)
        manifest = files["manifest.json"].replace(model.encode(),
                                                  other.encode())
        sums = [line for line in files["SHA256SUMS"].decode().splitlines()
                if not line.endswith("  manifest.json")]
        sums.append(hashlib.sha256(manifest).hexdigest() + "  manifest.json")
        for name, content in files.items():
            if name == "manifest.json":
                content = manifest
            elif name == "SHA256SUMS":
                content = ("\n".join(sums) + "\n").encode()
            (target / name).write_bytes(content)


def measure(folder, count):
    """Processor seconds of each verb, the best of three."""
    os.makedirs(folder)
    repo = "local:" + folder + "/repo"
    store = "memory:?keys=100&value_bytes=100&seed=1&store_id=one"
    os.environ["XDG_STATE_HOME"] = folder
    out, _ = run("backup", store, "--repo", repo, "--init", "--json")
    model = json.loads(out)["record"]["id"]
    fill(folder + "/repo", model, count)
    run("backup", store, "--repo", repo)
    listed, _ = run("list", "--repo", repo, "--json")
    assert len(listed.splitlines()) == count + 1
    verbs = {
        "list": ("list", "--repo", repo),
        "verify one": ("verify", model, "--repo", repo),
        "backup": ("backup", store, "--repo", repo),
    }
    return {name: min(run(*words)[1] for _ in range(3))
            for name, words in verbs.items()}


def main():
    folder = tempfile.mkdtemp(dir=sys.argv[2] if len(sys.argv) > 2 else None)
    try:
        few = measure(folder + "/few", 100)
        many = measure(folder + "/many", 10_000)
    finally:
        shutil.rmtree(folder)
    print(f"{'':12}{'100':>8}{'10,000':>10}{'ratio':>8}")
    for name, seconds in many.items():
        print(f"{name:12}{few[name]:7.2f}s{seconds:9.2f}s"
              f"{seconds / max(few[name], 0.01):8.1f}")


if __name__ == "__main__":
    main()
