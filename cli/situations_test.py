"""What the command says where something is wrong: exit status, code and hint.

usage: situations_test.py SLUICE GOLDEN BADGER.tar.zst [--update] [KIND...]

Each kind of store goes through each verb in each situation; the golden file
holds a line for each. The catalog is a kind, too. --update writes the file
anew: read the difference.

A hang is real: a FUSE file system whose server, which is us, sees a request and
never answers, as a dead NFS server would. A full and a read-only disk are
mounts of a name space of our own. PostgreSQL runs as another user, outside of
it.
"""

import collections
import concurrent.futures
import ctypes
import hashlib
import json
import os
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

import postgres_server

PATIENCE = 300  # seconds; only a test that fails waits so long
HANG = 15  # seconds, after which a verb does not end
SITUATIONS = ("wrong path", "no permission", "full", "read-only", "hung",
              "killed", "wrong key", "unsupported version", "unreadable part")
NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount"]
# root, too, is held by modes once it gave up its capabilities.
HUMBLE = (["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
          if os.geteuid() == 0 else [])
KEY = b"0123456789abcdef"

SLUICE, GOLDEN, BADGER = (*map(os.path.abspath, sys.argv[1:4]), "", "")[:3]

Answer = collections.namedtuple("Answer", "exit code hint")


class World:
    """A folder with a store, a repo with an archive of it, and a catalog."""

    def __init__(self, kind, folder):
        self.kind = kind
        self.folder = folder
        self.env = {"PATH": os.environ["PATH"], "HOME": self.path("home"),
                    "TMPDIR": self.path("tmp")}
        self.env.update({name: value for name, value in os.environ.items()
                         if name.endswith("SAN_OPTIONS")})

    def path(self, name):
        return os.path.join(self.folder, name)

    def repo(self):
        return "local:" + self.path("repo")

    def make(self):
        for name in ("home", "tmp"):
            os.mkdir(self.path(name))
        self.kind.make_store(self)
        done = self.run(["backup", self.kind.source(self), "--repo",
                         self.repo(), "--init"])
        assert done.exit == 0, done

    def keep(self):
        """As it is now is what `renew` brings back, under the same path."""
        subprocess.run(["cp", "-a", self.folder, self.folder + ".kept"],
                       check=True)

    def renew(self):
        subprocess.run(["chmod", "-R", "u+rwX", self.folder], check=False)
        shutil.rmtree(self.folder)
        subprocess.run(["cp", "-a", self.folder + ".kept", self.folder],
                       check=True)

    def run(self, words, setup="", humble=False, env=None):
        """One run; with `setup`, a shell's lines, in mounts of its own."""
        command = [SLUICE, *words, "--json"]
        if humble:
            command = [*HUMBLE, *command]
        if setup:
            command = [*NAMESPACE, "sh", "-euc", setup + '\nexec "$@"', "sh",
                       *command]
        done = subprocess.run(command, env=env or self.env, cwd=self.folder,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=PATIENCE, check=False)
        return self.answer(done.returncode, done.stdout, done.stderr)

    def run_into_hang(self, words, then, folder="repo"):
        """Runs with one that never answers; `then` once it waits for it."""
        command = [*NAMESPACE, sys.executable, __file__, "--in-hang",
                   self.path(folder), then, SLUICE, *words, "--json"]
        done = subprocess.run(command, env=self.env, cwd=self.folder,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=PATIENCE, check=False)
        told = json.loads(done.stdout)
        if told["exit"] is None:
            return Answer("-", "does not end", "")
        return self.answer(told["exit"], told["out"].encode(),
                           told["err"].encode())

    def answer(self, code, out, err):
        error = {"code": "", "hint": ""}
        for line in out.decode(errors="replace").splitlines():
            found = json.loads(line)
            if found.get("error"):
                error = found["error"]
            elif found.get("problems"):
                error = found["problems"][0]
        if not error["code"]:
            words = re.findall(r"\(([a-z_]+)\)$", err.decode(errors="replace"),
                               re.MULTILINE)
            error = {"code": words[-1] if words else "", "hint": ""}
        return Answer(code, error["code"], self.plain(error["hint"] or ""))

    def plain(self, text):
        """`text` without what differs from run to run."""
        text = text.replace(self.folder, "W")
        text = re.sub(r"\b0[0-9A-HJKMNP-TV-Z]{25}\b", "ID", text)
        text = re.sub(r"\b0[0-9a-hjkmnp-tv-z]{25}\b", "id", text)
        return re.sub(r"/(?:tmp|dev/shm)/[^ ]*sluice-pg-[^ /]*", "SERVER", text)

    def archive(self):
        (name,) = [name for name in os.listdir(self.path("repo"))
                   if re.fullmatch("[0-9A-Z]{26}", name)]
        return self.path("repo/" + name)


def make_full(path):
    """Setup: what is at `path`, on a disk with no room left."""
    return (f"mkdir '{path}.was'; cp -a '{path}/.' '{path}.was'\n"
            f"mount -t tmpfs -o size=3m none '{path}'\n"
            f"cp -a '{path}.was/.' '{path}'; rm -r '{path}.was'\n"
            f"dd if=/dev/zero of='{path}/fill' bs=1k 2>&1 | true")


def make_read_only(path):
    return (f"mount --bind '{path}' '{path}'\n"
            f"mount -o remount,bind,ro '{path}'")


def edit_json(path, **fields):
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    found.update(fields)
    os.chmod(path, 0o600)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(found, file)


def make_archive_newer(folder):
    """As a later version would write it: its sums are right."""
    manifest, sums = folder + "/manifest.json", folder + "/SHA256SUMS"
    edit_json(manifest, version=99)
    with open(manifest, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    with open(sums, encoding="utf-8") as file:
        lines = file.read()
    os.chmod(sums, 0o600)
    with open(sums, "w", encoding="utf-8") as file:
        file.write(re.sub(r"^\w+(?=  manifest.json$)", digest, lines,
                          flags=re.MULTILINE))


def key_file(world, key):
    path = world.path("key")
    with open(path, "wb") as file:
        file.write(key)
    os.chmod(path, 0o600)
    return "key=file:" + path


# --- a file system that never answers


def mount_dead(folder):
    """Our end of it: readable while somebody waits there."""
    dead = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={dead},rootmode=40000,user_id=0,group_id=0"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"dead", os.fsencode(folder), b"fuse.dead", 0,
                  options.encode()) != 0:
        raise OSError(ctypes.get_errno(), "mount fuse")
    head = os.read(dead, 1 << 17)
    _, _, unique, _ = struct.unpack_from("<IIQQ", head)
    # FUSE_INIT, version 7.31: the one request that is answered.
    body = struct.pack("<IIIIHHIIHH", 7, 31, 65536, 0, 12, 10, 65536, 1, 0,
                       0) + bytes(32)
    os.write(dead, struct.pack("<IiQ", 16 + len(body), 0, unique) + body)
    return dead


def in_hang(folder, then, command):
    dead = mount_dead(folder)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    told = {"exit": None, "out": "", "err": ""}
    # One that ended without having asked has its answer all the same.
    asked, _, _ = select.select([dead, os.pidfd_open(process.pid)], [], [],
                                PATIENCE)
    if asked:
        if then == "kill":
            process.kill()
        elif then == "interrupt":
            process.send_signal(signal.SIGINT)
        try:
            out, err = process.communicate(timeout=HANG)
            told = {"exit": process.returncode,
                    "out": out.decode(errors="replace"),
                    "err": err.decode(errors="replace")}
        except subprocess.TimeoutExpired:
            pass
    print(json.dumps(told), flush=True)
    os._exit(0)  # whoever still hangs gets its error now


# --- the kinds of stores


class Store:
    """A kind; a situation that it cannot be in is None."""

    fills = "targets"  # what a restore puts there first

    def source(self, world):
        raise NotImplementedError

    def target(self, world):
        raise NotImplementedError

    def make_store(self, world):
        raise NotImplementedError

    def broken_source(self, world, situation):
        """The source's URI in the situation, and whether to be humble."""
        return None

    def broken_target(self, world, situation):
        return None

    def close(self):
        pass


class Memory(Store):

    def make_store(self, world):
        os.mkdir(world.path("store"))
        for name in ("one", "two"):
            with open(world.path("store/" + name), "w", encoding="utf-8") as f:
                f.write(name)

    def source(self, world):
        return f"memory:?load={world.path('store')}&store_id=s"

    def target(self, world):
        return f"memory:?save={world.path('targets/out')}"

    def broken_source(self, world, situation):
        if situation == "wrong path":
            return f"memory:?load={world.path('none')}&store_id=s", False
        if situation == "no permission":
            os.chmod(world.path("store"), 0)
            return self.source(world), True
        if situation == "unreadable part":
            os.chmod(world.path("store/two"), 0)
            return self.source(world), True
        return None

    def broken_target(self, world, situation):
        if situation == "wrong path":
            return f"memory:?save={world.path('none/out')}", False
        if situation == "no permission":
            os.chmod(world.path("targets"), 0o500)
            return self.target(world), True
        return None


class Badger(Store):

    def make_store(self, world):
        """From a file as `badger backup` writes it; then sealed once more."""
        def field(number, value):
            if isinstance(value, bytes):
                return bytes([number << 3 | 2, len(value)]) + value
            return bytes([number << 3, value])

        entries = b"".join(
            field(1, field(1, b"key%d" % i) + field(2, b"value" * 9) +
                  field(3, b"\0") + field(4, i + 1)) for i in range(5))
        with open(world.path("file"), "wb") as file:
            file.write(struct.pack("<Q", len(entries)) + entries)
        done = world.run(["restore", "--from-file", world.path("file"), "--kind",
                          "badger", "--to", "badger:" + world.path("store")])
        assert done.exit == 0, done
        subprocess.run(["tar", "--zstd", "-xf", BADGER, "-C", world.folder],
                       check=True)

    def source(self, world):
        return "badger:" + world.path("store")

    def target(self, world):
        return "badger:" + world.path("targets/out")

    def broken_source(self, world, situation):
        store = world.path("store")
        if situation == "wrong path":
            return "badger:" + world.path("none"), False
        if situation == "no permission":
            os.chmod(store, 0)
            return self.source(world), True
        if situation == "wrong key":
            sealed = next(folder for folder, _, names in os.walk(world.folder)
                          if "KEYREGISTRY" in names and folder != store)
            return f"badger:{sealed}?{key_file(world, KEY)}", False
        if situation == "unsupported version":
            with open(store + "/MANIFEST", "r+b") as file:
                file.seek(7)
                file.write(b"\x63")
            return self.source(world), False
        if situation == "unreadable part":
            table = next(name for name in sorted(os.listdir(store))
                         if name.endswith(".sst"))
            os.chmod(os.path.join(store, table), 0)
            return self.source(world), True
        return None

    def broken_target(self, world, situation):
        if situation == "wrong path":
            return "badger:" + world.path("none/out"), False
        if situation == "no permission":
            os.chmod(world.path("targets"), 0o500)
            return self.target(world), True
        if situation == "wrong key":
            return f"{self.target(world)}?{key_file(world, b'short')}", False
        return None


class Postgres(Store, postgres_server.Server):
    """A server of our own, for as long as this runs."""

    fills = "tmp"

    def __init__(self):
        super().__init__("local all locked scram-sha-256\n"
                         "local all all trust\n")
        self.sql("postgres", "CREATE ROLE locked LOGIN PASSWORD 'right'",
                 "CREATE ROLE reader LOGIN",
                 "CREATE ROLE standby LOGIN SUPERUSER",
                 "ALTER ROLE standby SET default_transaction_read_only = on")
        self.databases = 0

    def close(self):
        postgres_server.Server.close(self)

    def make_store(self, world):
        self.sql("postgres", "CREATE DATABASE source")
        self.sql("source", "CREATE TABLE t AS SELECT generate_series(1, 9) AS n",
                 "CREATE TABLE secret (n int)")

    def source(self, world):
        return self.uri("source")

    def target(self, world):
        self.databases += 1
        name = f"target{self.databases}"
        self.sql("postgres", f"CREATE DATABASE {name} TEMPLATE template0")
        return self.uri(name)

    def broken_source(self, world, situation):
        if situation == "wrong path":
            return self.uri("none"), False
        if situation == "no permission":
            closed = self.folder + "/closed"
            if not os.path.exists(closed):
                os.mkdir(closed, 0)
            return self.uri("source").replace(self.folder, closed), True
        if situation == "wrong key":
            password = "&password=file:" + world.path("password")
            with open(world.path("password"), "w", encoding="utf-8") as file:
                file.write("wrong")
            os.chmod(world.path("password"), 0o600)
            return self.uri("source", "locked", password), False
        if situation == "unreadable part":
            return self.uri("source", "reader"), False
        return None

    def broken_target(self, world, situation):
        if situation == "no permission":
            target = self.target(world)
            return target.replace("user=postgres", "user=reader"), False
        if situation == "read-only":
            target = self.target(world)
            return target.replace("user=postgres", "user=standby"), False
        if situation in ("wrong path", "wrong key"):
            return self.broken_source(world, situation)
        return None


# --- the verbs


def place_verbs(world):
    ident = os.path.basename(world.archive())
    repo = ["--repo", world.repo()]
    return {"verify": ["verify", "--all", *repo],
            "list": ["list", *repo],
            "show": ["show", ident, *repo],
            "delete": ["delete", ident, *repo],
            "reconcile": ["reconcile", *repo],
            "sweep": ["sweep", *repo],
            "repo show": ["repo", "show", world.repo()],
            "repo add": ["repo", "add", "named", world.repo()]}


TIMED = ("backup", "restore", "verify", "delete", "reconcile", "sweep")


def hang(world, verb, words, folder="repo"):
    """At a place that never answers: by its deadline, else by Ctrl-C."""
    if verb in TIMED:
        return world.run_into_hang(
            [*words, "--timeout", "1s", "--grace", "500ms"], "wait", folder)
    return world.run_into_hang([*words, "--grace", "500ms"], "interrupt",
                               folder)


def kill(world, words, folder="repo"):
    """Killed in the middle; then the same once more."""
    # What hangs for it and was not killed itself stays for the grace.
    first = world.run_into_hang([*words, "--grace", "500ms"], "kill", folder)
    again = world.run(words)
    return Answer(f"{first.exit}, then {again.exit}", again.code, again.hint)


def at_the_place(world, verb, words, situation):
    repo = world.path("repo")
    if situation == "wrong path":
        shutil.rmtree(repo)
        return world.run(words)
    if situation == "no permission":
        os.chmod(repo, 0)
        return world.run(words, humble=True)
    if situation == "full":
        return world.run(words, setup=make_full(repo))
    if situation == "read-only":
        return world.run(words, setup=make_read_only(repo))
    if situation == "hung":
        return hang(world, verb, words)
    if situation == "killed":
        return kill(world, words)
    if situation == "unsupported version":
        if verb in ("backup", "sweep", "repo add"):
            edit_json(repo + "/sluice-repo.json", version=99)
        else:
            make_archive_newer(world.archive())
        return world.run(words)
    if situation == "unreadable part":
        part = "payload.bin" if verb in ("verify", "restore") else "manifest.json"
        os.chmod(os.path.join(world.archive(), part), 0)
        return world.run(words, humble=True)
    return None


def backup(world, situation):
    words = ["backup", world.kind.source(world), "--repo", world.repo()]
    broken = world.kind.broken_source(world, situation)
    if broken is not None:
        words[1], humble = broken
        return world.run(words, humble=humble)
    return at_the_place(world, "backup", words, situation)


def restore(world, situation):
    os.mkdir(world.path("targets"))
    words = ["restore", "latest", "--repo", world.repo(), "--to"]
    broken = world.kind.broken_target(world, situation)
    if broken is not None:
        return world.run([*words, broken[0]], humble=broken[1])
    words.append(world.kind.target(world))
    if situation == "full":
        return world.run(words, setup=make_full(world.path(world.kind.fills)))
    if situation == "read-only":
        return world.run(words, setup=make_read_only(world.path("targets")))
    return at_the_place(world, "restore", words, situation)


CATALOG = "home/.local/state/sluice"


def at_the_catalog(world, verb, words, situation):
    if situation == "hung":
        return hang(world, verb, words, CATALOG)
    if situation == "killed":
        return kill(world, words, CATALOG)
    told = catalog_that_is(world, situation)
    return None if told is None else world.run(words, **told)


def catalog_that_is(world, situation):
    """Makes it so; what a run in that situation needs: its setup and modes."""
    state = world.path(CATALOG)
    database = state + "/catalog.db"
    if situation == "wrong path":
        shutil.rmtree(world.path("home/.local"))
        with open(world.path("home/.local"), "wb"):
            pass
        return {}
    if situation == "no permission":
        os.chmod(state, 0)
        return {"humble": True}
    if situation == "full":
        return {"setup": make_full(state)}
    if situation == "read-only":
        return {"setup": make_read_only(state)}
    if situation == "unsupported version":
        import sqlite3  # pylint: disable=import-outside-toplevel
        with sqlite3.connect(database) as connection:
            connection.execute("PRAGMA user_version = 99")
        connection.close()
        return {}
    if situation == "unreadable part":
        for name in ("-wal", "-shm"):
            if os.path.exists(database + name):
                os.unlink(database + name)
        with open(database, "r+b") as file:
            file.write(b"no database" * 100)
        return {}
    return None


def rows_of(kind_name, kind, folder):
    world = World(kind, os.path.join(folder, kind_name))
    os.mkdir(world.folder)
    world.make()
    world.keep()
    for verb in ("backup", "restore", *place_verbs(world)):
        for situation in SITUATIONS:
            world.renew()
            if verb == "backup":
                answer = backup(world, situation)
            elif verb == "restore":
                answer = restore(world, situation)
            else:
                answer = at_the_place(world, verb, place_verbs(world)[verb],
                                      situation)
            yield kind_name, verb, situation, answer
    if kind_name != "memory":
        return
    for verb, words in (
            ("backup", ["backup", kind.source(world), "--repo",
                        world.repo()]),
            ("list", ["list", "--repo", world.repo()]),
            ("restore", ["restore", "latest", "--repo", world.repo(), "--to",
                         f"memory:?save={world.path('out')}"]),
            ("job list", ["job", "list"])):
        for situation in SITUATIONS:
            world.renew()
            answer = at_the_catalog(world, verb, words, situation)
            yield "catalog", verb, situation, answer


def line_of(kind, verb, situation, answer):
    head = f"{kind:10}  {verb:9}  {situation:19}  "
    if answer is None:
        return head + "-"
    return (head + f"{answer.exit}  {answer.code or 'ok'}" +
            (f"  | {answer.hint}" if answer.hint else "")).rstrip()


def lines_of(name, make, folder):
    kind = make()
    try:
        lines = [line_of(*row) for row in rows_of(name, kind, folder)]
    finally:
        kind.close()
    print(f"{name}: {len(lines)} rows", flush=True)
    return lines


def main(words):
    if subprocess.run([*NAMESPACE, "true"], capture_output=True,
                      check=False).returncode != 0:
        print("skipped: this machine lets nobody make mounts of his own")
        return 0
    wanted = [word for word in words if word != "--update"]
    kinds = {"memory": Memory, "badger": Badger, "postgresql": Postgres}
    kinds = {name: make for name, make in kinds.items()
             if not wanted or name in wanted}
    with tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR")) as tmp:
        # Most of the time one waits for a deadline.
        with concurrent.futures.ThreadPoolExecutor(len(kinds)) as pool:
            of_kinds = pool.map(lambda kind: lines_of(kind, kinds[kind], tmp),
                                kinds)
            lines = [line for lines in of_kinds for line in lines]
    text = "".join(line + "\n" for line in lines)
    if "--update" in words:
        with open(GOLDEN, "w", encoding="utf-8") as file:
            file.write(text)
        return 0
    with open(GOLDEN, encoding="utf-8") as file:
        golden = [line for line in file.read().splitlines()
                  if not wanted or line.split()[0] in wanted]
    wrong = [(was, now) for was, now in zip(golden, lines) if was != now]
    for was, now in wrong:
        print(f"was: {was}\nnow: {now}", file=sys.stderr)
    return 1 if wrong or len(golden) != len(lines) else 0


if __name__ == "__main__":
    if sys.argv[1] == "--in-hang":
        in_hang(sys.argv[2], sys.argv[3], sys.argv[4:])
    sys.exit(main(sys.argv[4:]))
