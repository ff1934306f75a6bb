#!/usr/bin/env python3
"""tools/tidy.py [--all | FILE...]: clang-tidy on the sources that ship.

The sources of a room with its sub-rooms are read as one translation unit:
nearly all of what clang-tidy does is reading the standard library's headers and
Abseil's, once a unit. Those whose names clash there (two files may each have a
kMagic of their own) come in a next one; where headers clash, each folder is a
unit. With --all the sources of tests and benchmarks too,
each by itself, and with the static analyzer: some fifty times as long. A unit
that passed is not looked at again until a file of it, a header, .clang-tidy or
this script changed.
"""

import concurrent.futures
import glob
import hashlib
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = ROOT / ".sluice/tidy"
INCLUDE = CACHE / "include"
SYSTEM = CACHE / "system"
ERROR = re.compile(r"^(\S+?):\d+:\d+: (?:fatal )?error:", re.MULTILINE)
LEFT_OUT = re.compile(r"^(tests|benchmarks|plugins/conformance)/|(^|/)testing/|_(test|fuzz|suite|fixture)\.cc$|(^|/)(fake|test)_[^/]*$")
ANALYZER = "clang-analyzer-*,-clang-analyzer-optin.performance.Padding"


def bazel(*arguments):
    """What `bazel ARGUMENTS` prints; ends the script where it fails."""
    script = '. tools/common.sh; sluice_bazel "$@"'
    return subprocess.run(["bash", "-c", f"root={ROOT}; {script}", "tidy", *arguments],
                          check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def tree(*patterns):
    """The files of the tree that match, as paths from its top."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders
                      if name not in (".git", ".sluice", "examples") and not name.startswith("bazel-")]
        found += [pathlib.Path(folder, name).relative_to(ROOT) for name in names]
    return sorted(str(path) for path in found if any(path.match(pattern) for pattern in patterns))


def by(key, names):
    """The names in lists, one for each value of the key."""
    found = {}
    for name in names:
        found.setdefault(key(name), []).append(name)
    return list(found.values())


def room(name):
    """The room at the top that a file lies in, or a plugin's."""
    return "/".join(name.split("/")[:2 if name.startswith("plugins/") else 1])


def compiler_flags():
    for link, target in ((INCLUDE / "sluice", ROOT), (SYSTEM / "openssl", "/usr/include/android/openssl")):
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(target)
    bazel("build", "-c", "opt", "--ui_event_filters=-info", "//executor:models_cc_proto", "//catalog:plan_cc_proto")
    output = bazel("info", "-c", "opt", "bazel-bin")
    generated = [f"{output}/executor/_virtual_imports/models_proto", f"{output}/catalog/_virtual_imports/plan_proto"]
    system = ["/usr/include/postgresql", "/usr/include/postgresql/internal",
              *sorted(glob.glob("/usr/include/postgresql/*/server"))[-1:]]
    return ["-xc++", "-std=c++20", "-iquote.", f"-I{INCLUDE}", f"-isystem{SYSTEM}",
            *[f"-isystem{path}" for path in generated],
            *[flag for path in system for flag in ("-idirafter", path)]]


class Tidy:
    def __init__(self, checks):
        self.checks = checks
        self.flags = compiler_flags()
        headers = hashlib.sha256(checks.encode())
        for name in tree("*.h", "*.proto", ".clang-tidy", "tidy.py"):
            headers.update(name.encode() + (ROOT / name).read_bytes())
        self.headers = headers

    def unit(self, files):
        """(a source that includes the files, the mark that it passed as they are now)."""
        digest = self.headers.copy()
        for name in files:
            digest.update(name.encode() + (ROOT / name).read_bytes())
        path = CACHE / f"{digest.hexdigest()[:40]}.cc"
        path.write_text("".join(f'#include "sluice/{name}"\n' for name in files))
        return path, path.with_suffix(".passed")

    def parts(self, files, unit):
        """The files, apart where they do not compile one behind the other."""
        errors = subprocess.run(["clang", "-fsyntax-only", "-ferror-limit=0", "-w", *self.flags, unit],
                                cwd=ROOT, capture_output=True, text=True).stderr
        places = set(ERROR.findall(errors))
        later = {name for name in files if str(INCLUDE / "sluice" / name) in places}
        if len(later) < len(places) and len(folders := by(os.path.dirname, files)) > 1:
            return folders
        return by(lambda name: name in later, files)

    def check(self, files):
        """Whether the files pass; prints what was found."""
        unit, mark = self.unit(files)
        if mark.exists():
            return True
        parts = self.parts(files, unit) if len(files) > 1 else []
        if len(parts) > 1:
            return all([self.check(part) for part in parts])
        done = subprocess.run(["clang-tidy", "--quiet", f"--checks={self.checks}", unit, "--", *self.flags],
                              cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode == 0:
            mark.touch()
            return True
        print(done.stdout, flush=True)
        return False


def main(arguments):
    everything = arguments == ["--all"]
    named = [] if everything else arguments
    files = named or [name for name in tree("*.cc") if everything or not LEFT_OUT.search(name)]
    if not files:
        sys.exit("tidy: no source was found, so none was checked")
    units = [[name] for name in files] if everything or named else by(room, files)
    tidy = Tidy(ANALYZER if everything else "")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        passed = list(pool.map(tidy.check, sorted(units, key=len, reverse=True)))
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
