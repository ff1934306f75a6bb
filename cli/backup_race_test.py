"""Names of schemas are exchanged while `sluice backup` runs, as superuser.

usage: backup_race_test.py SLUICE

SQL knows tables by name alone, and a lock on a table keeps nobody from renaming
its schema. Here a role that owns two schemas exchanges their names in a loop,
hundreds of times in each backup: of a table of more than 64 MiB and a view of
the same columns, whose function raises a flag when it runs with a superuser's
rights, or of two tables of the same columns. No backup may run the function;
one that succeeds holds each table's own rows, all of them.

SLUICE_RACE_ROUNDS says how often for each of the six: 2 unless it is set. 50
take some ten minutes.
"""

import collections
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile

import postgres_server

SLUICE = os.path.abspath(sys.argv[1])
ROUNDS = int(os.environ.get("SLUICE_RACE_ROUNDS", "2"))
ROWS = 72000  # of a kilobyte
FEW = 3
WIDTH = 1000
PAIRS = 10  # of small tables, each a chance

EXCHANGE = """DO $$ BEGIN LOOP
  ALTER SCHEMA app RENAME TO meanwhile;
  ALTER SCHEMA other RENAME TO app;
  ALTER SCHEMA meanwhile RENAME TO other;
  COMMIT;
  PERFORM nextval('public.exchanges');
END LOOP; END $$"""


class Race:
    """A database of two schemas that belong to `owner`."""

    def __init__(self, server, name, owner):
        self.server = server
        self.name = name
        self.owner = owner
        self.flag = f"{server.folder}/executed_{name}"
        self.tables = {}  # by comment: its letter and how many rows it has
        server.sql("postgres", f"CREATE DATABASE {name} OWNER {owner}")
        self.sql("CREATE SEQUENCE public.exchanges",
                 "GRANT ALL ON SEQUENCE public.exchanges TO PUBLIC",
                 f"CREATE SCHEMA app AUTHORIZATION {owner}",
                 f"CREATE SCHEMA other AUTHORIZATION {owner}")

    def sql(self, *statements):
        return self.server.sql(self.name, *statements)

    def add_table(self, schema, table, letter, rows):
        comment = f"{letter}{len(self.tables)}"
        self.tables[comment] = letter, rows
        self.sql(f"CREATE TABLE {schema}.{table} (i int, body text)",
                 f"INSERT INTO {schema}.{table} SELECT i, repeat('{letter}', "
                 f"{WIDTH}) FROM generate_series(1, {rows}) i",
                 f"COMMENT ON TABLE {schema}.{table} IS '{comment}'",
                 f"ALTER TABLE {schema}.{table} OWNER TO {self.owner}")

    def add_view(self, schema, table):
        """All that a query of pages asks for."""
        self.sql("CREATE FUNCTION public.raise_flag() RETURNS void LANGUAGE"
                 " plpgsql AS $f$ BEGIN IF current_setting('is_superuser') ="
                 " 'on' THEN EXECUTE 'COPY (SELECT 1) TO PROGRAM ''cat > "
                 f"{self.flag}'''; END IF; END $f$",
                 "CREATE FUNCTION public.strike(i int) RETURNS int LANGUAGE"
                 " plpgsql IMMUTABLE AS $f$ BEGIN PERFORM public.raise_flag();"
                 " RETURN i; END $f$",
                 f"CREATE VIEW {schema}.{table} AS SELECT public.strike(1) AS i,"
                 f" repeat('Z', {WIDTH}) AS body, '(0,1)'::tid AS ctid,"
                 " 0::oid AS tableoid",
                 f"ALTER VIEW {schema}.{table} OWNER TO {self.owner}")

    def exchanged(self):
        return int(self.sql("SELECT last_value FROM public.exchanges"))

    def backup(self, folder):
        """One, while names are exchanged; its exit status and error."""
        with subprocess.Popen([*self.server.psql(self.name, self.owner), "-c",
                               EXCHANGE], stdin=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as loop:
            before = self.exchanged()
            while self.exchanged() == before and loop.poll() is None:
                pass
            done = subprocess.run(
                [SLUICE, "backup", self.server.uri(self.name, more="&jobs=2"),
                 "--repo", f"local:{folder}/repo", "--init", "--catalog",
                 f"sqlite:{folder}/catalog.db", "--json", "--quiet"],
                stdin=subprocess.DEVNULL, capture_output=True, check=False)
            self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                     " WHERE query LIKE 'DO %' AND pid <> pg_backend_pid()"
                     " AND datname = current_database()")
        assert self.exchanged() > before
        # Or each round would be slower than the one before.
        self.sql("VACUUM pg_namespace")
        return done.returncode, json.loads(done.stdout)

    def check(self, payload):
        """Each table has its own rows, whatever its schema was called."""
        with tarfile.open(payload) as tar:
            texts = {name: tar.extractfile(name).read().decode()
                     for name in ("sluice-postgres.json", "schema.sql")}
            letters = collections.defaultdict(collections.Counter)
            for member in tar:
                if member.name.startswith("data/"):
                    rows = tar.extractfile(member).read()
                    table = int(member.name.split("/")[1])
                    for letter in b"ABZ":
                        letters[table][chr(letter)] += rows.count(
                            bytes([letter]) * WIDTH)
        comments = dict(re.findall(r"COMMENT ON TABLE (\S+) IS '(\w+)';",
                                   texts["schema.sql"]))
        tables = json.loads(texts["sluice-postgres.json"])["tables"]
        assert len(tables) == len(self.tables), tables
        for table in tables:
            comment = comments[f"{table['schema']}.{table['name']}"]
            letter, rows = self.tables[comment]
            found = +letters[table["id"]]
            assert found == {letter: rows}, (table, comment, found)


def hostile_view(server, name, order):
    race = Race(server, name, "eve")
    race.add_table("app", "orders", "A", ROWS)
    race.add_view("other", "orders")
    return start(race, order)


def hostile_table(server, name, order):
    race = Race(server, name, "eve")
    return two_tables(race, order)


def mistake(server, name, order):
    """A superuser's own tables may be read in pieces."""
    race = Race(server, name, "postgres")
    return two_tables(race, order)


def two_tables(race, order):
    race.add_table("app", "orders", "A", ROWS)
    race.add_table("other", "orders", "B", FEW)
    for i in range(PAIRS):
        race.add_table("app", f"t{i}", "A", FEW)
        race.add_table("other", f"t{i}", "B", FEW + 1)
    return start(race, order)


def start(race, order):
    if order == "exchanged":
        race.sql("ALTER SCHEMA app RENAME TO meanwhile",
                 "ALTER SCHEMA other RENAME TO app",
                 "ALTER SCHEMA meanwhile RENAME TO other")
    race.sql("VACUUM ANALYZE")
    assert int(race.sql("SELECT max(pg_table_size(oid)) FROM pg_class"
                        " WHERE relname = 'orders'")) > 64 << 20
    return race


def run(server, make, order):
    race = make(server, f"{make.__name__}_{order}", order)
    ends = collections.Counter()
    began = race.exchanged()
    for number in range(ROUNDS):
        with tempfile.TemporaryDirectory(
                dir=os.environ.get("TEST_TMPDIR")) as folder:
            code, told = race.backup(folder)
            assert not os.path.exists(race.flag), (make.__name__, number)
            if code == 0:
                ident = told["record"]["id"]
                race.check(f"{folder}/repo/{ident}/payload.bin")
                ends["succeeded"] += 1
            else:
                ends[f"{code} {told['error']['code']}: "
                     f"{told['error']['message']}"] += 1
    print(f"{race.name}: {dict(ends)}, {race.exchanged() - began} exchanges",
          flush=True)
    if make is hostile_view:
        # The flag is one that would have been seen.
        race.sql("SELECT i FROM app.orders LIMIT 1",
                 "SELECT i FROM other.orders LIMIT 1")
        assert os.path.exists(race.flag)
    server.sql("postgres", f"DROP DATABASE {race.name}")
    return ends["succeeded"]


def main():
    server = postgres_server.Server(settings="autovacuum = off\n"
                                    "max_wal_size = 4GB\n")
    try:
        server.sql("postgres", "CREATE ROLE eve LOGIN")
        succeeded = sum(run(server, make, order)
                        for make in (hostile_view, hostile_table, mistake)
                        for order in ("straight", "exchanged"))
    finally:
        server.close()
    assert succeeded > 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
