#!/usr/bin/env python3
"""Makes sluice_VERSION_ARCH.deb and sluice-server_VERSION_all.deb.

usage: build_deb.py --dist FOLDER --out FOLDER [--version V] [--epoch SECONDS]
                    [--tree FOLDER] [--compression xz|none]

FOLDER of --dist is what //cli:dist makes: the command, and plugins/ beside it.
The same inputs make the same bytes: all times are the epoch's
(SOURCE_DATE_EPOCH, else the last commit's), and nothing else of this machine but
its libraries is in them. docs/adr/0033 says why by these tools.
"""

import argparse
import email.utils
import gzip
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
# Debian's BoringSSL lies beside the search path; the command has a RUNPATH.
BORINGSSL = "/usr/lib/x86_64-linux-gnu/android"
# Debian packages whose code is in our files: libraries that are linked in whole,
# and headers that are code.
STATIC = ("libabsl-dev", "libcli11-dev", "libpq-dev", "nlohmann-json3-dev",
          "postgresql-server-dev-15")
# Of docs/, with the command; the others go with the server.
PAGES = ("exit-status.md", "retention.md")
PROGRAM = "usr/lib/sluice/sluice"


def run(*words, **keywords):
    return subprocess.run(words, check=True, capture_output=True, text=True,
                          **keywords).stdout


def git(tree, *words):
    """What git says; empty where `tree` is no clone."""
    found = subprocess.run(
        ("git", "--no-optional-locks", "-C", str(tree)) + words, check=False,
        capture_output=True, text=True, env={**os.environ, "TZ": "UTC"})
    return found.stdout.strip() if found.returncode == 0 else ""


def version_of(tree):
    """Of base/version.h: as it is at its own tag, else below it and in the
    order of commits, so that a release is an upgrade from each."""
    header = (tree / "base/version.h").read_text(encoding="utf-8")
    base = re.search(r'kVersion = "([^"]+)"', header).group(1)
    commit = git(tree, "log", "-1", "--format=%h", "--abbrev=8")
    if not commit:
        return f"{base}-1"
    dirty = ".dirty" if git(tree, "status", "--porcelain", "-uno") else ""
    if f"v{base}" in git(tree, "tag", "--points-at", "HEAD").split():
        return f"{base}{dirty and '+dirty'}-1"
    when = git(tree, "log", "-1", "--format=%cd",
               "--date=format-local:%Y%m%d%H%M%S")
    return f"{base}~git{when}.{commit}{dirty}-1"


def epoch_of(tree):
    said = (os.environ.get("SOURCE_DATE_EPOCH") or
            git(tree, "log", "-1", "--format=%ct"))
    if not said:
        sys.exit("no clone: say --epoch SECONDS or SOURCE_DATE_EPOCH")
    return int(said)


class Package:
    """A folder that becomes a package."""

    def __init__(self, name, root, values):
        self.name = name
        self.root = root / name
        self.values = values

    def put(self, path, content, mode=0o644):
        if isinstance(content, str):
            content = content.encode()
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        target.chmod(mode)

    def put_compressed(self, path, content):
        self.put(path + ".gz", gzip.compress(content.encode(), 9, mtime=0))

    def put_file(self, path, source):
        self.put(path, pathlib.Path(source).read_bytes())

    def fill(self, text):
        return re.sub(r"@(\w+)@", lambda found: self.values[found.group(1)],
                      text)

    def put_common(self):
        docs = f"usr/share/doc/{self.name}"
        self.put_file(f"{docs}/copyright", HERE / "debian/copyright")
        self.put_compressed(f"{docs}/changelog.Debian", self.fill(
            "sluice (@VERSION@) bookworm; urgency=medium\n\n"
            "  * Built from the tree of this version; changelog.gz says what is\n"
            "    new in it.\n\n -- @MAINTAINER@  @DATE@\n"))
        overrides = HERE / f"debian/{self.name}.lintian-overrides"
        if overrides.exists():
            self.put_file(f"usr/share/lintian/overrides/{self.name}", overrides)

    def put_control(self):
        files = [path for path in self.root.rglob("*")
                 if path.is_file() and not path.is_symlink()]
        # As policy counts: whole KiB of each file, 1 for all else.
        size = sum(-(-path.stat().st_size // 1024) for path in files) + sum(
            1 for path in self.root.rglob("*") if path not in files)
        self.values["SIZE"] = str(size)
        sums = "".join(
            f"{hashlib.md5(path.read_bytes()).hexdigest()}  "
            f"{path.relative_to(self.root)}\n"
            for path in sorted(files)
            if path.relative_to(self.root).parts[0] != "etc")
        control = (HERE / f"debian/{self.name}.control").read_text()
        self.put("DEBIAN/control", self.fill(control))
        self.put("DEBIAN/md5sums", sums)
        for script in ("conffiles", "postinst", "prerm", "postrm"):
            source = HERE / f"debian/{self.name}.{script}"
            if source.exists():
                self.put(f"DEBIAN/{script}", source.read_text(),
                         0o644 if script == "conffiles" else 0o755)

    def build(self, out, architecture, epoch, compression):
        for path in [self.root, *self.root.rglob("*")]:
            if path.is_dir():
                path.chmod(0o755)
            os.utime(path, (epoch, epoch), follow_symlinks=False)
        deb = out / f"{self.name}_{self.values['VERSION']}_{architecture}.deb"
        # One thread: how xz splits its work depends on their number.
        run("dpkg-deb", "--root-owner-group", f"-Z{compression}",
            "--threads-max=1", "--build", str(self.root), str(deb),
            env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch)})
        return deb


def libraries_of(files):
    """Depends: of dpkg-shlibdeps, which wants a source package around it."""
    with tempfile.TemporaryDirectory() as folder:
        control = pathlib.Path(folder, "debian/control")
        control.parent.mkdir()
        control.write_text("Source: sluice\n\nPackage: sluice\n"
                           "Architecture: any\n")
        said = run("dpkg-shlibdeps", "-O", "--warnings=0", f"-l{BORINGSSL}",
                   *[f"-e{file}" for file in files], cwd=folder)
    return re.search(r"shlibs:Depends=(.*)", said).group(1)


def put_command(package, dist, tree):
    """The command as people and cron call it, with its plugins beside it."""
    binaries = [(PROGRAM, dist / "sluice", 0o755)] + [
        (f"usr/lib/sluice/plugins/{plugin.name}", plugin, 0o644)
        for plugin in sorted((dist / "plugins").glob("*.so"))]
    if len(binaries) < 2:
        sys.exit(f"{dist}: no plugins")
    for path, source, mode in binaries:
        package.put(path, source.read_bytes(), 0o755)
        run("strip", "--strip-unneeded", "--remove-section=.comment",
            "--remove-section=.note", str(package.root / path))
        (package.root / path).chmod(mode)
    package.values["SHLIBS"] = libraries_of(
        [package.root / path for path, _, _ in binaries])
    # It finds plugins/ beside what /proc/self/exe says, which is no link.
    link = package.root / "usr/bin/sluice"
    link.parent.mkdir(parents=True)
    link.symlink_to("../lib/sluice/sluice")

    def says(*words):
        return run(str(dist / "sluice"), *words)

    package.put_compressed("usr/share/man/man1/sluice.1", says("man"))
    for shell, path in (
            ("bash", "usr/share/bash-completion/completions/sluice"),
            ("zsh", "usr/share/zsh/vendor-completions/_sluice"),
            ("fish", "usr/share/fish/vendor_completions.d/sluice.fish")):
        package.put(path, says("completion", shell))
    docs = "usr/share/doc/sluice"
    package.put_compressed(f"{docs}/changelog",
                           (tree / "CHANGELOG.md").read_text(encoding="utf-8"))
    package.put_file(f"{docs}/README.md", tree / "README.md")
    for name in PAGES:
        package.put_file(f"{docs}/{name}", tree / "docs" / name)
    for page in sorted((tree / "docs/format").glob("*.md")):
        package.put_file(f"{docs}/format/{page.name}", page)
    for name in STATIC:
        package.put_file(f"{docs}/third-party/{name}.copyright",
                         f"/usr/share/doc/{name}/copyright")


def put_server(package, tree):
    docs = "usr/share/doc/sluice-server"
    server = HERE / "server"
    package.put_file("lib/systemd/system/sluice.service",
                     server / "sluice.service")
    package.put_file("etc/sluice/server.json", server / "server.json")
    pages = {page.name for page in (tree / "docs").glob("*.md")} - set(PAGES)
    for name in sorted(pages | {"openapi.json", "alerts.yml"}):
        package.put_file(f"{docs}/{name}", tree / "docs" / name)
    for example in sorted((server / "examples").iterdir()):
        package.put_file(f"{docs}/examples/{example.name}", example)


def static_packages():
    found = {}
    for name in STATIC:
        source = run("dpkg-query", "-W", "-f",
                     "${source:Package} (= ${source:Version})", name)
        found[source] = True
    return ", ".join(sorted(found))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--dist", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--tree", type=pathlib.Path, default=HERE.parent)
    parser.add_argument("--version")
    parser.add_argument("--epoch", type=int)
    parser.add_argument("--compression", default="xz")
    asked = parser.parse_args()
    dist, out = asked.dist.resolve(), asked.out.resolve()
    epoch = epoch_of(asked.tree) if asked.epoch is None else asked.epoch
    version = asked.version or version_of(asked.tree)
    architecture = run("dpkg", "--print-architecture").strip()
    values = {
        "VERSION": version,
        "ARCH": architecture,
        "STATIC": static_packages(),
        "DATE": email.utils.formatdate(epoch),
        "MAINTAINER": f"{os.environ.get('DEBFULLNAME', 'Sluice')} "
                      f"<{os.environ.get('DEBEMAIL', 'sluice@localhost')}>",
    }
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, put, arch in (
                ("sluice", lambda p: put_command(p, dist, asked.tree),
                 architecture),
                ("sluice-server", lambda p: put_server(p, asked.tree), "all")):
            package = Package(name, root, dict(values))
            put(package)
            package.put_common()
            package.put_control()
            print(package.build(out, arch, epoch, asked.compression))


if __name__ == "__main__":
    main()
