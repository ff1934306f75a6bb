"""A copy of the tree to plant faults in: the tree itself is never touched.

    tree, lock = scratch_folder("mutants")
    with lock:
        copy_tree(tree)

The folder is kept, so that the next run finds it built.
"""

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent


def scratch_folder(purpose):
    """The same folder each time, ours alone, locked until we end."""
    key = hashlib.sha256(f"{ROOT} {purpose}".encode()).hexdigest()[:12]
    folder = pathlib.Path(tempfile.gettempdir(),
                          f"sluice-copy-{os.getuid()}-{key}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        sys.exit(f"{folder} is not ours")
    lock = open(folder / "lock", "w", encoding="utf-8")
    fcntl.flock(lock, fcntl.LOCK_EX)
    tree = folder / "sluice"
    tree.mkdir(exist_ok=True)
    return tree, lock


def copy_tree(scratch):
    """The tracked files as they are now, uncommitted changes included, and the
    machine's own settings of Bazel."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], check=True,
                            capture_output=True).stdout.decode().split("\0")
    listed.append("user.bazelrc")
    names = {name for name in listed if name and (ROOT / name).exists()}
    for path in sorted(scratch.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        elif str(path.relative_to(scratch)) not in names:
            path.unlink()
    for name in names:
        source, target = ROOT / name, scratch / name
        if target.exists() and target.read_bytes() == source.read_bytes():
            continue  # with its times: Bazel need not look at it again
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
