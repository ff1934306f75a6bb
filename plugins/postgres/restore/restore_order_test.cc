// Rows come in the order of the source's choice, and over several sessions.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/plugins/postgres/payload/payload_format.h"
#include "sluice/plugins/postgres/restore/restore_options.h"
#include "sluice/plugins/postgres/testing/test_payload.h"
#include "sluice/plugins/postgres/testing/test_restore.h"
#include "sluice/plugins/postgres/testing/test_server.h"

namespace sluice::postgres {
namespace {

// Configuration tables with keys between them, the larger one first; an
// extension that only one database may have.
constexpr absl::string_view kKeyed = R"(
CREATE TABLE @extschema@.conf_large (id integer PRIMARY KEY, small integer);
CREATE TABLE @extschema@.conf_small (id integer PRIMARY KEY, up integer);
ALTER TABLE @extschema@.conf_large ADD CONSTRAINT its_small
  FOREIGN KEY (small) REFERENCES @extschema@.conf_small;
ALTER TABLE @extschema@.conf_small ADD CONSTRAINT its_up
  FOREIGN KEY (up) REFERENCES @extschema@.conf_small ON DELETE CASCADE;
COMMENT ON CONSTRAINT its_up ON @extschema@.conf_small IS 'the one above';
SELECT pg_catalog.pg_extension_config_dump('@extschema@.conf_large', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.conf_small', '');
)";

constexpr absl::string_view kLonely = R"(
DO $$ BEGIN
  IF current_database() <> 'lonely' THEN
    RAISE 'can only create extension in database lonely';
  END IF;
END $$;
)";

TestServer& KeyedServer() {
  static TestServer server(
      {.extension_files = {
           {"keyed.control", "default_version = '1.0'\nrelocatable = false\n"},
           {"keyed--1.0.sql", std::string(kKeyed)},
           {"lonely.control", "default_version = '1.0'\n"},
           {"lonely--1.0.sql", std::string(kLonely)},
       }});
  return server;
}

std::string Source(absl::string_view script) {
  const std::string source = KeyedServer().CreateDatabase();
  KeyedServer().Psql(source, script);
  return source;
}

std::string PayloadOf(const std::string& database) {
  return MakeTestPayload(KeyedServer(), database, CopyFormat::kText, 100)
      .Pack();
}

constexpr absl::string_view kKeyedRows = R"(
CREATE EXTENSION keyed;
INSERT INTO conf_small SELECT i, CASE WHEN i < 90 THEN i + 1 END
  FROM generate_series(90, 1, -1) i;
INSERT INTO conf_large SELECT i, i % 90 + 1 FROM generate_series(1, 500) i;
)";

TEST(RestoreOrderTest, KeysBetweenAnExtensionsTablesWantNoOrder) {
  const std::string source = Source(kKeyedRows);
  const std::string payload = PayloadOf(source);
  for (const int jobs : {1, 3}) {
    const std::string target = KeyedServer().CreateDatabase();
    RestoreOptions options = Into(KeyedServer(), target);
    options.jobs = jobs;
    options.queue_bytes = 500;
    const RestoreOutcome outcome = RestoreInto(options, payload);
    ASSERT_TRUE(outcome.status.ok()) << outcome.status;
    EXPECT_EQ(SortedDump(KeyedServer(), target),
              SortedDump(KeyedServer(), source));
    // pg_dump does not show what is an extension's.
    const std::string keys =
        "SELECT string_agg(concat_ws(' ', conname, pg_get_constraintdef(oid),"
        " obj_description(oid, 'pg_constraint')), '; ' ORDER BY conname)"
        " FROM pg_constraint WHERE contype = 'f'";
    EXPECT_EQ(KeyedServer().Query(target, keys),
              KeyedServer().Query(source, keys));
    EXPECT_EQ(KeyedServer()
                  .Connect(target)
                  ->Exec("INSERT INTO public.conf_large VALUES (999, 999)")
                  .ok(),
              false);
  }
}

TEST(RestoreOrderTest, AKeyThatDoesNotHoldIsAnError) {
  const std::string source =
      Source(absl::StrCat(kKeyedRows,
                          "ALTER TABLE conf_large DISABLE TRIGGER ALL;"
                          "INSERT INTO conf_large VALUES (1000, 1000);"));
  const RestoreOutcome outcome = RestoreInto(
      Into(KeyedServer(), KeyedServer().CreateDatabase()), PayloadOf(source));
  EXPECT_FALSE(outcome.status.ok());
  EXPECT_TRUE(absl::StrContains(outcome.status.message(), "its_small"))
      << outcome.status;
  EXPECT_EQ(LeftoversOn(KeyedServer()), "");
}

// The table that is looked into comes last.
constexpr absl::string_view kLooking = R"(
CREATE FUNCTION public.known(code text) RETURNS boolean LANGUAGE plpgsql
  STABLE AS 'BEGIN RETURN EXISTS (SELECT FROM public.lookup l
             WHERE l.code = known.code); END';
CREATE FUNCTION public.is_known(code text, yes boolean) RETURNS boolean
  LANGUAGE sql STABLE AS 'SELECT public.known(code) = yes';
CREATE OPERATOR public.=? (LEFTARG = text, RIGHTARG = boolean,
  FUNCTION = public.is_known);
CREATE DOMAIN public.code AS text CONSTRAINT is_code CHECK (public.known(VALUE))
  CONSTRAINT is_short CHECK (length(VALUE) < 10);
COMMENT ON CONSTRAINT is_code ON DOMAIN public.code IS 'one of lookup''s';
CREATE TABLE public.a (x text CONSTRAINT x_known CHECK (public.known(x)),
  y text CHECK (y OPERATOR(public.=?) true) NO INHERIT,
  CONSTRAINT short CHECK (length(x) < 10));
COMMENT ON CONSTRAINT x_known ON public.a IS 'x';
CREATE TABLE public.b (z integer) INHERITS (public.a);
CREATE TABLE public.c (CONSTRAINT x_known CHECK (public.known(x)))
  INHERITS (public.a);
COMMENT ON CONSTRAINT x_known ON public.c IS 'of the child';
CREATE TABLE public.d (c public.code);
CREATE TABLE public.p (x text CHECK (public.known(x))) PARTITION BY LIST (x);
CREATE TABLE public.p1 PARTITION OF public.p FOR VALUES IN ('one');
CREATE TABLE public.p2 PARTITION OF public.p DEFAULT;
CREATE TABLE public.lookup (code text PRIMARY KEY);
INSERT INTO public.lookup VALUES ('one'), ('two');
INSERT INTO public.a VALUES ('one', 'two'), ('two', 'one');
INSERT INTO public.b VALUES ('one', 'none', 3);
INSERT INTO public.c VALUES ('two', 'none');
INSERT INTO public.d VALUES ('one'), ('two');
INSERT INTO public.p VALUES ('one'), ('two');
)";

TEST(RestoreOrderTest, ACheckThatLooksIntoAnotherTableWaitsForAllRows) {
  const std::string source = Source(kLooking);
  const std::string target = KeyedServer().CreateDatabase();
  const RestoreOutcome outcome =
      RestoreInto(Into(KeyedServer(), target), PayloadOf(source));
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_TRUE(outcome.warnings.empty()) << outcome.warnings[0];
  EXPECT_EQ(SortedDump(KeyedServer(), target),
            SortedDump(KeyedServer(), source));
  const std::string all =
      "SELECT string_agg(concat_ws(' ', conname, conrelid::regclass, contypid,"
      " conislocal, coninhcount, convalidated, connoinherit,"
      " pg_get_constraintdef(oid), obj_description(oid, 'pg_constraint')), '; '"
      " ORDER BY conname, conrelid::regclass::text) FROM pg_constraint"
      " WHERE contype = 'c' AND conrelid <> 0 AND oid >= 16384";
  EXPECT_EQ(KeyedServer().Query(target, all), KeyedServer().Query(source, all));
}

TEST(RestoreOrderTest, ACheckThatDoesNotHoldIsAnErrorOrComesBackNotValid) {
  for (const absl::string_view more :
       {"DELETE FROM public.lookup WHERE code = 'two';",
        // Such a domain's constraints cannot be put back as they were.
        "CREATE TYPE public.holder AS (c public.code);"
        "CREATE TABLE public.holds (h public.holder[]);"}) {
    const std::string payload = PayloadOf(Source(absl::StrCat(kLooking, more)));
    const std::string target = KeyedServer().CreateDatabase();
    RestoreOptions options = Into(KeyedServer(), target);
    const absl::Status refused = RestoreInto(options, payload).status;
    EXPECT_TRUE(absl::StrContains(HintOf(refused), "disable_checks=1"))
        << refused;
    EXPECT_EQ(LeftoversOn(KeyedServer()), "");

    options.disable_checks = true;
    const RestoreOutcome outcome = RestoreInto(options, payload);
    ASSERT_TRUE(outcome.status.ok()) << outcome.status;
    EXPECT_NE(outcome.Warning("constraint_not_valid"), "");
    EXPECT_EQ(KeyedServer().Query(target, "SELECT count(*) FROM public.d"),
              "2");
    EXPECT_EQ(KeyedServer().Query(target,
                                  "SELECT convalidated FROM pg_constraint"
                                  " WHERE conname = 'is_code'"),
              "f");
  }
}

TEST(RestoreOrderTest, AnExtensionOfOneDatabaseComesBackInPlace) {
  const auto create = [] {
    KeyedServer().Exec("postgres", "CREATE DATABASE lonely CONNECTION LIMIT 7");
  };
  create();
  KeyedServer().Psql(
      "lonely", "CREATE EXTENSION lonely; CREATE TABLE t AS SELECT 1 AS a;");
  TestPayload payload =
      MakeTestPayload(KeyedServer(), "lonely", CopyFormat::kText);
  KeyedServer().Exec("postgres", "DROP DATABASE lonely");
  create();
  RestoreOptions options = Into(KeyedServer(), "lonely");
  const absl::Status beside = RestoreInto(options, payload.Pack()).status;
  EXPECT_TRUE(absl::StrContains(HintOf(beside), "in_place=1")) << beside;

  options.in_place = true;
  TestPayload damaged = payload;
  damaged.index.tables[0].digest[0] ^= 1;
  const RestoreOutcome failed = RestoreInto(options, damaged.Pack());
  EXPECT_EQ(ErrorCodeOf(failed.status), kArchiveDamaged) << failed.status;
  EXPECT_TRUE(absl::StrContains(failed.Warning("staging_database_left"),
                                "holds a part of it"));
  // Nobody takes the part for the whole.
  const std::string limit =
      "SELECT datconnlimit FROM pg_database WHERE datname = 'lonely'";
  EXPECT_EQ(KeyedServer().Query("postgres", limit), "0");
  KeyedServer().Exec("postgres", "DROP DATABASE lonely");
  create();
  // Somebody's session, as pg_cron has one, is no obstacle.
  const auto session = KeyedServer().Connect("lonely");
  const RestoreOutcome whole = RestoreInto(options, payload.Pack());
  ASSERT_TRUE(whole.status.ok()) << whole.status;
  EXPECT_EQ(KeyedServer().Query("lonely", "SELECT a FROM public.t"), "1");
  EXPECT_EQ(KeyedServer().Query("postgres", limit), "7");
  EXPECT_EQ(LeftoversOn(KeyedServer()), "");
}

}  // namespace
}  // namespace sluice::postgres
