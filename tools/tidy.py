#!/usr/bin/env python3
"""tools/tidy.py [--all | FILE...]: clang-tidy on the sources that ship.

The sources of a room with its sub-rooms are read as one translation unit:
nearly all of what clang-tidy does is reading the standard library's headers and
Abseil's, once a unit. Those whose names clash with those before them (two files
may each have a kMagic of their own), be it in a header that they include, come
in a next one. With --all the sources of tests and benchmarks too, each by
itself, and with the static analyzer: some fifty times as long. A room that
passed is not looked at again until a source of it, a header, .clang-tidy or this
script changed.
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
ERROR = re.compile(r"^\S+?:\d+:\d+: (?:fatal )?error:")
LEFT_OUT = re.compile(r"^(tests|benchmarks|plugins/conformance)/|(^|/)(testing|simulation)/|_(test|fuzz|suite|fixture)\.cc$|(^|/)(fake|test)_[^/]*$")
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

    def digest(self, files):
        """Of what the files are, and all that is read with them."""
        digest = self.headers.copy()
        for name in files:
            digest.update(name.encode() + (ROOT / name).read_bytes())
        return digest.hexdigest()[:40]

    def mark(self, files):
        """There once the files passed as they are now."""
        return CACHE / f"{self.digest(files)}.passed"

    def unit(self, files):
        """A source that includes the files, a line each."""
        path = CACHE / f"{self.digest(files)}.cc"
        path.write_text("".join(f'#include "sluice/{name}"\n' for name in files))
        return path

    def clashing(self, files, unit):
        """Those of the files that do not compile behind those before them."""
        errors = subprocess.run(["clang", "-fsyntax-only", "-ferror-limit=0", "-w", "-fdiagnostics-show-note-include-stack",
                                 *self.flags, unit],
                                cwd=ROOT, capture_output=True, text=True).stderr
        # By which line of the unit Clang came to a place stands above it, unless the one before came the same way.
        source = re.compile(rf"^In file included from {re.escape(str(unit))}:(\d+):")
        found, last = set(), files[0]
        for line in errors.splitlines():
            if match := source.match(line):
                last = files[int(match[1]) - 1]
            elif ERROR.match(line):
                found.add(last)
        return [name for name in files if name in found]

    def check(self, files):
        """Whether the files pass; prints what was found."""
        unit = self.unit(files)
        later = self.clashing(files, unit) if len(files) > 1 else []
        if 0 < len(later) < len(files):
            return all([self.check([name for name in files if name not in later]), self.check(later)])
        done = subprocess.run(["clang-tidy", "--quiet", f"--checks={self.checks}", unit, "--", *self.flags],
                              cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            print(done.stdout, flush=True)
        return done.returncode == 0

    def check_room(self, files):
        """The same; remembers that they passed."""
        mark = self.mark(files)
        if mark.exists():
            return True
        passed = self.check(files)
        if passed:
            mark.touch()
        return passed


def main(arguments):
    everything = arguments == ["--all"]
    named = [] if everything else arguments
    files = named or [name for name in tree("*.cc") if everything or not LEFT_OUT.search(name)]
    if not files:
        sys.exit("tidy: no source was found, so none was checked")
    units = [[name] for name in files] if everything or named else by(room, files)
    tidy = Tidy(ANALYZER if everything else "")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        passed = list(pool.map(tidy.check_room, sorted(units, key=len, reverse=True)))
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
