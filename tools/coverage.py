#!/usr/bin/env python3
"""tools/coverage.py [TARGETS]: runs the tests of TARGETS (//... by default) with
Clang's counters and prints which part of each folder's lines they ran. A page
for each source is in .sluice/coverage/html then.

Whatever links our code into a test, and the command and plugins that tests
start, is counted. Generated code, tests and what only they use are left out.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / ".sluice/coverage"
LEFT_OUT = (r"(^|/)(tests|testing|benchmarks|examples)/|_test\.(cc|h)$|_fuzz\.cc$"
            r"|\.pb\.|^/usr/|external/|_joined\.cc$")


def bazel(*arguments, check=True):
    """What `bazel ARGUMENTS` prints."""
    script = f'root={ROOT}; . "$root/tools/common.sh"; cd "$root"; sluice_bazel "$@"'
    return subprocess.run(["bash", "-c", script, "bazel", *arguments], check=check,
                          stdout=subprocess.PIPE, text=True)


def run_tests(targets):
    """Runs them, counters in OUT/raw; the binaries that were counted, and
    whether all tests passed."""
    raw = OUT / "raw"
    shutil.rmtree(raw, ignore_errors=True)
    raw.mkdir(parents=True)
    flags = ["--config=coverage", f"--test_env=LLVM_PROFILE_FILE={raw}/%m.profraw",
             f"--sandbox_writable_path={raw}"]
    passed = bazel("test", *flags, "--nocache_test_results", "--keep_going",
                   "--test_tag_filters=-bench,-manual", "--", *targets,
                   check=False).returncode == 0
    binaries = pathlib.Path(bazel("info", *flags, "bazel-bin").stdout.strip())
    return sorted(raw.glob("*.profraw")), instrumented(binaries), passed


def instrumented(folder):
    """The programs and shared objects below `folder` that have counters."""
    found = []
    for path in sorted(folder.rglob("*")):
        if (".runfiles" in str(path) or path.is_dir() or path.is_symlink()
                or not os.access(path, os.X_OK) or path.suffix in (".a", ".o", ".params")):
            continue
        with path.open("rb") as file:
            if file.read(4) == b"\x7fELF" and b"__llvm_covmap" in path.read_bytes():
                found.append(str(path))
    return found


def summarize(report):
    """Prints lines run and lines of each folder, and of all."""
    folders = {}
    for file in report["data"][0]["files"]:
        name = file["filename"]
        if "/_virtual_includes/" in name:
            name = name.partition("/sluice/")[2]
        lines = file["summary"]["lines"]
        count = folders.setdefault(os.path.dirname(name), [0, 0])
        count[0] += lines["covered"]
        count[1] += lines["count"]
    for folder, (ran, all_lines) in sorted(folders.items()):
        print(f"{folder:36} {ran:6} of {all_lines:6} lines  {100 * ran / max(all_lines, 1):5.1f} %")
    ran = sum(count[0] for count in folders.values())
    all_lines = sum(count[1] for count in folders.values())
    print(f"{'all':36} {ran:6} of {all_lines:6} lines  {100 * ran / max(all_lines, 1):5.1f} %")


def main(targets):
    raw, binaries, passed = run_tests(targets or ["//..."])
    if not raw or not binaries:
        sys.exit("coverage: no test has counted anything")
    profile = OUT / "profile.profdata"
    subprocess.run(["llvm-profdata", "merge", "-sparse", "-o", profile, *raw], check=True)
    common = [f"-instr-profile={profile}", f"-ignore-filename-regex={LEFT_OUT}",
              binaries[0], *[f"-object={path}" for path in binaries[1:]]]
    report = subprocess.run(["llvm-cov", "export", "-summary-only", *common], cwd=ROOT,
                            check=True, stdout=subprocess.PIPE, text=True).stdout
    summarize(json.loads(report))
    shutil.rmtree(OUT / "html", ignore_errors=True)
    subprocess.run(["llvm-cov", "show", "-format=html", f"-output-dir={OUT}/html",
                    *common], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
