#include "sluice/plugins/postgres/restore/restore.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "sluice/base/error.h"
#include "sluice/plugins/postgres/client/interrupt.h"
#include "sluice/plugins/postgres/database/role_map.h"
#include "sluice/plugins/postgres/payload/payload_format.h"
#include "sluice/plugins/postgres/payload/payload_index.h"
#include "sluice/plugins/postgres/restore/restore_options.h"
#include "sluice/plugins/postgres/testing/test_payload.h"
#include "sluice/plugins/postgres/testing/test_server.h"
#include "sluice/plugins/postgres/tools/client_tools.h"
#include "sluice/plugins/sdk/run.h"
#include "sluice/plugins/sdk/source.h"
#include "sluice/plugins/sdk/testing/fake_sink.h"

namespace sluice::postgres {
namespace {

// Something of much that a database can hold. Roles are the cluster's.
constexpr absl::string_view kRoles = R"(
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'alice') THEN
    CREATE ROLE alice; CREATE ROLE "Bob ""B"""; CREATE ROLE carol;
  END IF;
END $$)";

constexpr absl::string_view kShop = R"(
CREATE EXTENSION hstore;
CREATE SCHEMA "my ""shop""" AUTHORIZATION alice;
CREATE TYPE public.mood AS ENUM ('sad', 'ok');
CREATE DOMAIN public.positive AS integer CHECK (VALUE > 0);
CREATE TYPE public.pair AS (a integer, b text);
CREATE TABLE public.orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  amount numeric(12, 2) NOT NULL CHECK (amount >= 0),
  double_amount numeric GENERATED ALWAYS AS (amount * 2) STORED,
  note text, tags hstore, feeling public.mood, pairs public.pair[],
  at timestamptz DEFAULT now(), raw bytea, doc jsonb, n public.positive);
INSERT INTO public.orders (amount, note, tags, feeling, pairs, raw, doc, n)
  SELECT i, CASE WHEN i % 7 = 0 THEN NULL ELSE E'line\nand\ttab \\ ' || i END,
         hstore('k', i::text), 'sad', ARRAY[ROW(i, 'x')::public.pair],
         decode(md5(i::text), 'hex'), jsonb_build_object('i', i), i
  FROM generate_series(1, 500) i;
CREATE TABLE "my ""shop"""."Odd Table" ("a b" integer, "C" text);
INSERT INTO "my ""shop"""."Odd Table" VALUES (1, 'x'), (NULL, NULL);
ALTER TABLE "my ""shop"""."Odd Table" OWNER TO "Bob ""B""";
CREATE TABLE public.bare ();
INSERT INTO public.bare SELECT FROM generate_series(1, 3);
CREATE TABLE public.all_generated (x integer GENERATED ALWAYS AS (7) STORED);
INSERT INTO public.all_generated VALUES (DEFAULT), (DEFAULT);
CREATE TABLE public.nothing (a integer);
CREATE UNLOGGED TABLE public.fleeting AS SELECT 1 AS a;
CREATE TABLE public.parent (a integer, b text);
CREATE TABLE public.child (c integer) INHERITS (public.parent);
INSERT INTO public.parent VALUES (1, 'p');
INSERT INTO public.child VALUES (2, 'c', 3);
CREATE TABLE public.events (at date, x integer) PARTITION BY RANGE (at);
CREATE TABLE public.events_1 PARTITION OF public.events
  FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE public.events_rest PARTITION OF public.events DEFAULT;
INSERT INTO public.events VALUES ('2020-05-05', 1), ('2022-01-01', 2);
CREATE INDEX ON public.orders (note);
CREATE INDEX ON public.events (at);
ALTER TABLE public.parent ADD UNIQUE (a);
CREATE TABLE public.refers (o bigint REFERENCES public.orders, a integer
  REFERENCES public.parent (a));
INSERT INTO public.refers VALUES (1, 1), (500, NULL);
CREATE SEQUENCE public.counter INCREMENT -3 MINVALUE -1000 MAXVALUE 10 START 4;
SELECT nextval('public.counter'), nextval('public.counter');
CREATE SEQUENCE public.untouched;
CREATE VIEW public.v AS SELECT count(*) FROM public.orders;
CREATE MATERIALIZED VIEW public.sums AS SELECT sum(amount) FROM public.orders;
CREATE MATERIALIZED VIEW public.a_on_top AS SELECT * FROM public.sums;
CREATE MATERIALIZED VIEW public.empty AS SELECT 1 AS one WITH NO DATA;
CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql
  AS 'BEGIN RAISE EXCEPTION ''not at a restore''; END';
CREATE TRIGGER t BEFORE INSERT ON public.parent EXECUTE FUNCTION public.f();
CREATE RULE r AS ON INSERT TO public.nothing DO INSTEAD NOTHING;
CREATE FUNCTION public.e() RETURNS event_trigger LANGUAGE plpgsql
  AS 'BEGIN RAISE EXCEPTION ''not at a restore''; END';
CREATE TABLE public.secret (who text);
INSERT INTO public.secret VALUES ('a'), ('b');
ALTER TABLE public.secret OWNER TO carol;
ALTER TABLE public.secret ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.secret FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON public.secret TO carol USING (false);
GRANT SELECT, INSERT (a) ON public.parent TO carol WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES FOR ROLE alice GRANT SELECT ON TABLES TO carol;
COMMENT ON TABLE public.orders IS 'it''s the
orders';
COMMENT ON SCHEMA public IS 'changed';
SELECT lo_from_bytea(7001, decode(repeat('00ff10', 1000), 'hex'));
SELECT lo_create(7002);
SELECT lo_from_bytea(4294967295, 'x');
ALTER LARGE OBJECT 7001 OWNER TO alice;
GRANT SELECT ON LARGE OBJECT 7001 TO carol;
COMMENT ON LARGE OBJECT 7002 IS 'empty';
CREATE PUBLICATION pub FOR TABLE public.orders;
CREATE EVENT TRIGGER zz ON ddl_command_end EXECUTE FUNCTION public.e();
)";

// The one that is backed up.
const std::string& Shop() {
  static const std::string* const kName = [] {
    auto* name = new std::string(Server().CreateDatabase());
    Server().Exec("postgres", kRoles);
    Server().Psql(*name, kShop);
    return name;
  }();
  return *kName;
}

std::vector<std::string> Sorted(std::vector<std::string> lines) {
  std::sort(lines.begin(), lines.end());
  return lines;
}

// pg_dump's text, but for the token that is new each time.
std::vector<std::string> DumpOf(const std::string& database) {
  std::vector<std::string> lines =
      absl::StrSplit(Server().Tool("pg_dump", database, {"--blobs"}), '\n');
  std::erase_if(lines, [](const std::string& line) {
    return absl::StrContains(line, "restrict ");
  });
  return lines;
}

RestoreOptions Into(const std::string& database) {
  RestoreOptions options;
  options.target = Server().Options(database);
  return options;
}

struct Outcome {
  absl::Status status;
  std::vector<std::string> warnings;
};

Outcome Restore(const std::string& payload, const RestoreOptions& options) {
  sdk::FakePayload stream(payload, 10'007);
  sdk::FakeRestoreRequest request({&stream}, "store-7");
  Outcome outcome;
  outcome.status = RestoreDatabase(sdk::Run(), request, options);
  outcome.warnings = request.warnings;
  return outcome;
}

std::string Leftovers() {
  return Server().Query("postgres",
                        "SELECT coalesce(string_agg(datname, ' '), '') FROM"
                        " pg_database WHERE datname LIKE 'sluice%'");
}

class RestoreTest : public testing::TestWithParam<CopyFormat> {};

TEST_P(RestoreTest, PgDumpCannotTellTheCopyFromTheOriginal) {
  const std::string payload =
      MakeTestPayload(Server(), Shop(), GetParam()).Pack();
  const std::vector<std::string> original = DumpOf(Shop());
  // One session loads in the order of the payload.
  const std::string first = Server().CreateDatabase();
  RestoreOptions one = Into(first);
  one.jobs = 1;
  Outcome outcome = Restore(payload, one);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.warnings, std::vector<std::string>());
  EXPECT_EQ(DumpOf(first), original);
  // Three in any.
  const std::string second = Server().CreateDatabase();
  RestoreOptions three = Into(second);
  three.jobs = 3;
  three.queue_bytes = 3000;
  outcome = Restore(payload, three);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(Sorted(DumpOf(second)), Sorted(original));
  EXPECT_EQ(Leftovers(), "");
}

INSTANTIATE_TEST_SUITE_P(Formats, RestoreTest,
                         testing::Values(CopyFormat::kText,
                                         CopyFormat::kBinary),
                         [](const auto& instance) {
                           return instance.param == CopyFormat::kText
                                      ? "Text"
                                      : "Binary";
                         });

std::string Properties(const std::string& database) {
  return Server().Query(
      database,
      "SELECT concat_ws(' | ', pg_get_userbyid(datdba), datconnlimit, datacl,"
      " shobj_description(oid, 'pg_database'), datistemplate,"
      " pg_encoding_to_char(encoding), datcollate,"
      " (SELECT string_agg(concat(setrole::regrole, setconfig::text), ' ' ORDER"
      "  BY setrole) FROM pg_db_role_setting WHERE setdatabase = d.oid))"
      " FROM pg_database d WHERE datname = current_database()");
}

TEST(RestoreDatabaseTest, TheDatabasesOwnPropertiesComeAlong) {
  Server().Exec("postgres", kRoles);
  const std::string source = Server().CreateDatabase(
      "TEMPLATE template0 ENCODING LATIN1 LOCALE 'C' OWNER alice");
  const std::vector<std::string> statements = {
      "ALTER DATABASE $ CONNECTION LIMIT 17",
      "COMMENT ON DATABASE $ IS 'it''s mine'",
      "REVOKE CONNECT ON DATABASE $ FROM PUBLIC",
      "GRANT CREATE ON DATABASE $ TO carol WITH GRANT OPTION",
      "SET SESSION AUTHORIZATION carol; GRANT CREATE ON DATABASE $ TO \"Bob "
      "\"\"B\"\"\"; RESET SESSION AUTHORIZATION",
      "ALTER DATABASE $ SET search_path = \"$user\", public, \"a b\"",
      "ALTER DATABASE $ SET work_mem = '7MB'",
      "ALTER DATABASE $ SET default_transaction_read_only = on",
      "ALTER ROLE carol IN DATABASE $ SET my.setting = 'x, ''y'''",
      "ALTER DATABASE $ IS_TEMPLATE true"};
  Server().Exec(source, "CREATE TABLE t AS SELECT E'caf\\u00e9' AS a");
  for (const std::string& statement : statements) {
    Server().Exec(
        "postgres",
        absl::StrReplaceAll(
            statement, {{"DATABASE $", absl::StrCat("DATABASE ", source)}}));
  }
  const TestPayload payload =
      MakeTestPayload(Server(), source, CopyFormat::kText);
  // Another encoding: that of the target stays, the bytes are converted.
  const std::string target = Server().CreateDatabase();
  const Outcome outcome = Restore(payload.Pack(), Into(target));
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.warnings.size(), 3u)
      << absl::StrJoin(outcome.warnings, "\n");
  EXPECT_EQ(Server().Query(target, "SELECT a FROM public.t"), "caf\xc3\xa9");
  const std::string expected = absl::StrReplaceAll(
      Properties(source), {{"LATIN1 | C", "UTF8 | C.UTF-8"}});
  EXPECT_EQ(absl::StrReplaceAll(Properties(target),
                                {{",sluice.store_id=store-7", ""}}),
            expected);
  EXPECT_TRUE(absl::StrContains(Properties(target), "sluice.store_id=store-7"));
  EXPECT_EQ(Leftovers(), "");
}

// With tar, pg_restore and psql alone, as the page says it.
TEST(RestoreDatabaseTest, TheScriptOfTheDocumentRestoresWithoutUs) {
  for (const CopyFormat format : {CopyFormat::kText, CopyFormat::kBinary}) {
    TestPayload payload = MakeTestPayload(Server(), Shop(), format);
    payload.head.database.settings = {{"", "search_path", "\"$user\", \"a b\""},
                                      {"carol", "my.setting", "it's"}};
    payload.head.database.comment = "it's a shop";
    payload.head.database.owner = "alice";
    payload.head.database.connection_limit = 9;
    payload.head.database.grants = {{{"alice", "carol", "CREATE", true},
                                     {"carol", "Bob \"B\"", "CREATE", false}}};
    const std::string file = testing::TempDir() + "/payload.tar";
    std::ofstream(file, std::ios::binary) << payload.Pack();
    const std::string target = Server().CreateDatabase();
    const std::string script = absl::StrCat(
        "docs/format/restore_postgres.sh ", file, " 'host=", Server().folder(),
        " user=postgres dbname=", target, "'");
    ASSERT_EQ(system(script.c_str()), 0) << script;
    EXPECT_EQ(DumpOf(target), DumpOf(Shop()));
    EXPECT_EQ(
        Properties(target),
        "alice | 9 | {carol=C*/alice,\"\\\"Bob \\\"\\\"B\\\"\\\"\\\"=C/carol\"}"
        " | it's a shop | f | UTF8 | C.UTF-8 |"
        " -{\"search_path=\\\"$user\\\", \\\"a b\\\"\"}"
        " carol{my.setting=it's}");
  }
}

TEST(RestoreDatabaseTest, OwnersAndRightsStayOutWhereThatIsAsked) {
  TestPayload payload = MakeTestPayload(Server(), Shop(), CopyFormat::kBinary);
  payload.head.roles.emplace_back().name = "nobody has it";
  payload.head.database.owner = "nobody has it";
  payload.head.database.settings = {{"nobody has it", "work_mem", "1MB"}};
  const std::string target = Server().CreateDatabase("OWNER carol");
  RestoreOptions options = Into(target);
  options.no_owner = true;
  options.no_privileges = true;
  const Outcome outcome = Restore(payload.Pack(), options);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(Server().Query(target,
                           "SELECT pg_get_userbyid(datdba) FROM pg_database"
                           " WHERE datname = current_database()"),
            "carol");
  EXPECT_EQ(Server().Query(target,
                           "SELECT count(*) FROM pg_class WHERE relacl IS NOT"
                           " NULL AND oid >= 16384 OR relowner <> 10"),
            "0");
  EXPECT_EQ(Server().Query(target, "SELECT count(*) FROM public.orders"),
            "500");
}

TEST(RestoreDatabaseTest, WhatBelongedToAMissingRoleGoesToTheOneNamed) {
  // Beside the shop's: what else can name a role.
  const std::string source = Server().CreateDatabase();
  Server().Exec("postgres",
                "CREATE ROLE leaver; CREATE ROLE heir_of_all; CREATE ROLE x");
  Server().Psql(source, R"(
    CREATE TABLE t (a integer, b integer);
    ALTER TABLE t OWNER TO leaver;
    CREATE TABLE u (a integer, b integer);
    GRANT SELECT ON u TO leaver WITH GRANT OPTION;
    SET SESSION AUTHORIZATION leaver; GRANT SELECT ON u TO x;
    RESET SESSION AUTHORIZATION;
    GRANT UPDATE (b) ON u TO leaver;
    CREATE FUNCTION f(integer, text) RETURNS integer LANGUAGE sql AS 'SELECT 1';
    REVOKE ALL ON FUNCTION f FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION f TO leaver;
    CREATE SCHEMA s; GRANT USAGE ON SCHEMA s TO leaver;
    CREATE SEQUENCE q; GRANT USAGE ON SEQUENCE q TO leaver;
    CREATE TYPE e AS ENUM ('x'); GRANT USAGE ON TYPE e TO leaver;
    SELECT lo_create(9001); GRANT SELECT ON LARGE OBJECT 9001 TO leaver;
    SELECT lo_create(9002); ALTER LARGE OBJECT 9002 OWNER TO leaver;
    CREATE POLICY p ON u TO leaver, x USING (true);
    ALTER DEFAULT PRIVILEGES FOR ROLE leaver GRANT SELECT ON TABLES TO x;
    ALTER DEFAULT PRIVILEGES FOR ROLE leaver IN SCHEMA s
      GRANT EXECUTE ON FUNCTIONS TO x;
    ALTER DEFAULT PRIVILEGES FOR ROLE x GRANT SELECT ON TABLES TO leaver;
    CREATE FOREIGN DATA WRAPPER w; CREATE SERVER far FOREIGN DATA WRAPPER w;
    GRANT USAGE ON FOREIGN SERVER far TO leaver;
    CREATE USER MAPPING FOR leaver SERVER far OPTIONS ("user" 'it''s %s');
  )");
  TestPayload payload = MakeTestPayload(Server(), source, CopyFormat::kText);
  payload.head.database.owner = "leaver";
  payload.head.database.settings = {{"leaver", "work_mem", "7MB"}};
  std::erase_if(payload.head.roles, [](const PayloadRole& role) {
    return role.name == "heir_of_all";
  });
  const std::string packed = payload.Pack();
  // The same with the one name in place of the other.
  std::vector<std::string> expected = DumpOf(source);
  for (std::string& line : expected) {
    line = absl::StrReplaceAll(line, {{"leaver", "heir_of_all"}});
  }
  const std::string target = Server().CreateDatabase();
  RestoreOptions options = Into(target);
  options.role_map = *ParseRoleMap("leaver:heir_of_all");
  // As long as it is here, it needs no map, and is no placeholder.
  const absl::Status refused = Restore(packed, options).status;
  EXPECT_EQ(ErrorCodeOf(refused), kRestorePreconditionFailed) << refused;
  Server().Exec(source, "DROP OWNED BY leaver; DROP ROLE leaver");

  const Outcome outcome = Restore(packed, options);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(Sorted(DumpOf(target)), Sorted(expected));
  EXPECT_TRUE(absl::StartsWith(Properties(target), "heir_of_all |"));
  EXPECT_TRUE(
      absl::StrContains(Properties(target), "heir_of_all{work_mem=7MB}"));
  EXPECT_EQ(Server().Query("postgres",
                           "SELECT count(*) FROM pg_roles WHERE rolname ="
                           " 'leaver'"),
            "0");
  // A failure leaves no placeholder either.
  payload.index.tables[0].digest[0] ^= 1;
  const std::string other = Server().CreateDatabase();
  RestoreOptions again = options;
  again.target = Server().Options(other);
  EXPECT_FALSE(Restore(payload.Pack(), again).status.ok());
  EXPECT_EQ(Server().Query("postgres",
                           "SELECT count(*) FROM pg_roles WHERE rolname ="
                           " 'leaver'"),
            "0");
}

TEST(RestoreDatabaseTest, ARoleMapIsPairsOfNames) {
  EXPECT_EQ(ParseRoleMap("")->size(), 0u);
  EXPECT_EQ(*ParseRoleMap("a:b,c:b"), (RoleMap{{"a", "b"}, {"c", "b"}}));
  for (const std::string wrong :
       {"a", "a:", ":b", "a:b:c", "a:b,", "a:b,a:c"}) {
    EXPECT_EQ(ErrorCodeOf(ParseRoleMap(wrong).status()), kSourceConfigInvalid)
        << wrong;
  }
}

TEST(RestoreDatabaseTest, ThePreflightNamesAllThatIsMissingAtOnce) {
  TestPayload payload = MakeTestPayload(Server(), Shop(), CopyFormat::kText);
  payload.head.roles.emplace_back().name = "no such role";
  payload.head.tablespaces = {"pg_default", "no such space"};
  payload.head.extensions.push_back({"nosuch", "1.0"});
  payload.head.extensions.push_back({"hstore", "99"});
  payload.head.collations = {{"pg_catalog", "no such collation", "1"},
                             {"public", "their own", "1"}};
  payload.head.server_version = 990000;
  const std::string target = Server().CreateDatabase();
  Server().Exec(target, "CREATE TABLE mine ()");
  const absl::Status status = Restore(payload.Pack(), Into(target)).status;
  EXPECT_EQ(ErrorCodeOf(status), kRestorePreconditionFailed);
  for (const absl::string_view part :
       {"no such role", "no such space", "nosuch 1.0", "hstore 99",
        "no such collation (version 1, here none)", "version 99",
        "without any object"}) {
    EXPECT_TRUE(absl::StrContains(status.message(), part)) << status;
  }
  for (const absl::string_view absent : {"alice", "pg_default", "their own"}) {
    EXPECT_FALSE(absl::StrContains(status.message(), absent)) << status;
  }
  for (const absl::string_view part :
       {"no_owner=1", "CREATE TABLESPACE", "any_collation=1", "newer server"}) {
    EXPECT_TRUE(absl::StrContains(HintOf(status), part)) << HintOf(status);
  }
  EXPECT_EQ(Leftovers(), "");
}

TEST(RestoreDatabaseTest, AnyObjectOfAUsersMakesATargetNotEmpty) {
  TestPayload payload = MakeTestPayload(Server(), Shop(), CopyFormat::kText);
  const std::string packed = payload.Pack();
  for (const std::string object :
       {"CREATE SCHEMA s", "CREATE TABLE t ()", "CREATE TYPE e AS ENUM ()",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SELECT lo_create(0)", "CREATE EXTENSION hstore",
        "CREATE PUBLICATION p FOR ALL TABLES", "CREATE COLLATION c FROM \"C\"",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
        "CREATE FOREIGN DATA WRAPPER w", "CREATE SEQUENCE s"}) {
    const std::string target = Server().CreateDatabase();
    Server().Exec(target, object);
    EXPECT_EQ(ErrorCodeOf(Restore(packed, Into(target)).status),
              kRestorePreconditionFailed)
        << object;
  }
}

TEST(RestoreDatabaseTest, ARoleThatMayOnlyCreateDatabasesCanRestoreToo) {
  Server().Exec("postgres", "CREATE ROLE plain LOGIN CREATEDB");
  const std::string source = Server().CreateDatabase();
  Server().Psql(source, R"(
    CREATE TABLE t (a integer GENERATED ALWAYS AS IDENTITY, b text);
    INSERT INTO t (b) SELECT 'x' FROM generate_series(1, 100);
    CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM t;
    SELECT lo_from_bytea(7001, 'x'); CREATE INDEX ON t (b);)");
  const std::string payload =
      MakeTestPayload(Server(), source, CopyFormat::kBinary).Pack();
  const std::string target = Server().CreateDatabase("OWNER plain");
  RestoreOptions options = Into(target);
  options.target.Set("user", "plain");
  options.no_owner = true;
  const Outcome outcome = Restore(payload, options);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  ASSERT_EQ(outcome.warnings.size(), 1u);
  EXPECT_TRUE(absl::StartsWith(outcome.warnings[0], "store_id_not_kept"));
  EXPECT_TRUE(absl::StrContains(outcome.warnings[0], "store_id=store-7"));
  EXPECT_EQ(Server().Query(target, "SELECT max(a) FROM public.t"), "100");
  EXPECT_EQ(Server().Query(target, "SELECT count FROM public.m"), "100");
  EXPECT_EQ(Server().Query(target,
                           "SELECT count(*) FROM pg_class c WHERE oid >= 16384"
                           " AND relowner <> 'plain'::regrole"),
            "0");
  EXPECT_EQ(Leftovers(), "");
}

TEST(RestoreDatabaseTest, OfViewsThatCannotBeRefreshedTheCauseIsNamed) {
  const std::string source = Server().CreateDatabase();
  Server().Psql(source,
                "CREATE TABLE t AS SELECT 1 AS a;"
                "CREATE MATERIALIZED VIEW m AS SELECT 1 / a AS b FROM t;"
                "CREATE MATERIALIZED VIEW a_reader AS SELECT b FROM m;"
                "CREATE MATERIALIZED VIEW n AS SELECT a FROM t;"
                "UPDATE t SET a = 0;");
  const std::string payload =
      MakeTestPayload(Server(), source, CopyFormat::kText).Pack();
  const std::string target = Server().CreateDatabase();
  const Outcome outcome = Restore(payload, Into(target));
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  ASSERT_EQ(outcome.warnings.size(), 2u);
  EXPECT_TRUE(absl::StrContains(outcome.warnings[0], "public.m stays empty") &&
              absl::StrContains(outcome.warnings[0], "division by zero"))
      << outcome.warnings[0];
  EXPECT_TRUE(absl::StrContains(outcome.warnings[1], "public.a_reader"))
      << outcome.warnings[1];
  EXPECT_EQ(Server().Query(target, "SELECT a FROM public.n"), "0");
}

TEST(RestoreDatabaseTest, WhatPgRestoreSaysIsAWarning) {
  const std::string bin = testing::TempDir() + "/bin";
  std::filesystem::create_directories(bin);
  const Interrupt never{sdk::Run()};
  const std::string real = ClientTools::Find("", 0, never)->folder();
  for (const std::string tool : {"pg_dump", "pg_restore"}) {
    const std::string path = absl::StrCat(bin, "/", tool);
    std::ofstream(path) << "#!/bin/sh\necho '" << tool
                        << ": warning: beware' >&2\nexec " << real << "/"
                        << tool << " \"$@\"\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }
  RestoreOptions options = Into(Server().CreateDatabase());
  options.tools_folder = bin;
  const Outcome outcome = Restore(
      MakeTestPayload(Server(), Shop(), CopyFormat::kText).Pack(), options);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  ASSERT_EQ(outcome.warnings.size(), 2u);  // before and after the rows
  EXPECT_EQ(outcome.warnings[0],
            "pg_restore_warning: pg_restore: warning: beware");
}

TEST(RestoreDatabaseTest, ASettingThatTheServerRefusesIsAWarning) {
  const std::string source = Server().CreateDatabase();
  Server().Exec(source, "CREATE TABLE t ()");
  Server().Exec("postgres",
                "CREATE ROLE settler LOGIN CREATEDB; CREATE ROLE settled");
  TestPayload payload = MakeTestPayload(Server(), source, CopyFormat::kText);
  payload.head.database.settings = {{"", "work_mem", "7MB"},
                                    {"", "no_such_parameter", "1"},
                                    {"", "log_min_duration_statement", "5"},
                                    {"settled", "work_mem", "1MB"}};
  payload.head.database.grants = {{{"settled", "", "CONNECT", false}}};
  const std::string target = Server().CreateDatabase("OWNER settler");
  RestoreOptions options = Into(target);
  options.target.Set("user", "settler");
  options.no_owner = true;
  const Outcome outcome = Restore(payload.Pack(), options);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  const std::string warnings = absl::StrJoin(outcome.warnings, "\n");
  for (const absl::string_view part :
       {"setting no_such_parameter", "setting log_min_duration_statement",
        "setting work_mem for role settled", "rights_not_restored"}) {
    EXPECT_TRUE(absl::StrContains(warnings, part)) << warnings;
  }
  EXPECT_EQ(Server().Query(target, "SHOW work_mem"), "7MB");
  EXPECT_EQ(Leftovers(), "");
}

TEST(RestoreDatabaseTest, ThePreflightNamesWhatWouldFailAtTheEnd) {
  TestPayload payload = MakeTestPayload(Server(), Shop(), CopyFormat::kText);
  payload.head.database.settings = {
      {"", "temp_tablespaces", "\"no such space\", nor_this"}};
  Server().Exec("postgres", "CREATE ROLE guest LOGIN CREATEDB");
  const std::string target = Server().CreateDatabase();
  Server().Exec(target,
                "SELECT pg_create_logical_replication_slot('kept','pgoutput')");
  const auto session = Server().Connect(target);
  RestoreOptions options = Into(target);
  options.target.Set("user", "guest");
  const absl::Status status = Restore(payload.Pack(), options).status;
  EXPECT_EQ(ErrorCodeOf(status), kRestorePreconditionFailed) << status;
  for (const absl::string_view part :
       {"nobody is connected to (here: postgres)", "replication slot kept",
        "to be the owner of the database", "membership in role postgres",
        "tablespaces no such space, nor_this"}) {
    EXPECT_TRUE(absl::StrContains(status.message(), part)) << status;
  }
  Server().Exec(target, "SELECT pg_drop_replication_slot('kept')");
  EXPECT_EQ(Leftovers(), "");
}

TEST(RestoreDatabaseTest, WhoLacksNothingButRightsIsToldThat) {
  const std::string payload =
      MakeTestPayload(Server(), Shop(), CopyFormat::kText).Pack();
  Server().Exec("postgres", "CREATE ROLE visitor LOGIN CREATEDB");
  RestoreOptions options = Into(Server().CreateDatabase());
  options.target.Set("user", "visitor");
  const absl::Status status = Restore(payload, options).status;
  EXPECT_EQ(ErrorCodeOf(status), kSourcePermissionDenied) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "the owner of the database"))
      << status;
}

// A standby says the same.
TEST(RestoreDatabaseTest, ATargetThatTakesNoWritesIsToldAsReadOnly) {
  const std::string payload =
      MakeTestPayload(Server(), Shop(), CopyFormat::kText).Pack();
  Server().Exec("postgres",
                "CREATE ROLE reads LOGIN SUPERUSER;"
                "ALTER ROLE reads SET default_transaction_read_only = on");
  RestoreOptions options = Into(Server().CreateDatabase());
  options.target.Set("user", "reads");
  const absl::Status status = Restore(payload, options).status;
  EXPECT_EQ(ErrorCodeOf(status), kSourceReadOnly) << status;
  EXPECT_EQ(Leftovers(), "");
  // As its hint says.
  options.target.Set("options", "-c default_transaction_read_only=off");
  const absl::Status again = Restore(payload, options).status;
  EXPECT_TRUE(again.ok()) << again;
}

TEST(RestoreDatabaseTest, AnExtensionMayComeInAnotherVersionWhereThatIsAsked) {
  TestPayload payload = MakeTestPayload(Server(), Shop(), CopyFormat::kText);
  for (PayloadExtension& extension : payload.head.extensions) {
    if (extension.name == "hstore") extension.version = "99";
  }
  RestoreOptions options = Into(Server().CreateDatabase());
  const absl::Status refused = Restore(payload.Pack(), options).status;
  EXPECT_EQ(ErrorCodeOf(refused), kRestorePreconditionFailed) << refused;
  EXPECT_TRUE(absl::StrContains(HintOf(refused), "extension_version=available"))
      << HintOf(refused);
  options.any_extension_version = true;
  const Outcome outcome = Restore(payload.Pack(), options);
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  ASSERT_EQ(outcome.warnings.size(), 1u);
  EXPECT_TRUE(absl::StrContains(outcome.warnings[0], "hstore 99"))
      << outcome.warnings[0];
}

// A line of .pgpass may name the target alone.
TEST(RestoreDatabaseTest, ThePasswordOfTheTargetOpensWhatARestoreNeedsBeside) {
  TestServer server({.tls = true});
  server.Exec("postgres",
              "CREATE ROLE limited LOGIN SUPERUSER PASSWORD 'sesame'");
  const std::string source = server.CreateDatabase();
  server.Exec(source, "CREATE TABLE t AS SELECT 1 AS a");
  const std::string payload =
      MakeTestPayload(server, source, CopyFormat::kText).Pack();
  const std::string target = server.CreateDatabase();
  const std::string file = testing::TempDir() + "/pgpass";
  std::ofstream(file) << "127.0.0.1:" << server.port() << ":" << target
                      << ":limited:sesame\n";
  std::filesystem::permissions(file, std::filesystem::perms::owner_read);
  RestoreOptions options;
  options.target = server.TcpOptions(target);
  options.target.Set("user", "limited");
  options.target.Set("passfile", file);
  const Outcome outcome = Restore(payload, options);
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(server.Query(target, "SELECT a FROM public.t"), "1");
  // A wrong one is not told as a want of rights.
  std::filesystem::remove(file);
  const absl::Status wrong = Restore(payload, options).status;
  EXPECT_TRUE(absl::IsPermissionDenied(wrong)) << wrong;
  EXPECT_FALSE(absl::StrContains(HintOf(wrong), "superuser")) << HintOf(wrong);
}

}  // namespace
}  // namespace sluice::postgres
