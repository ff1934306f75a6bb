// Everything that a database can hold, backed up and restored into a server
// where every OID is another: pg_dump of both sides is one text.

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "sluice/plugins/postgres/backup/backup.h"
#include "sluice/plugins/postgres/restore/restore.h"
#include "sluice/plugins/postgres/restore/restore_options.h"
#include "sluice/plugins/postgres/testing/test_server.h"
#include "sluice/plugins/sdk/run.h"
#include "sluice/plugins/sdk/testing/fake_sink.h"

namespace sluice::postgres {
namespace {

constexpr absl::string_view kRoles =
    "CREATE ROLE alice; CREATE ROLE carol; CREATE ROLE \"Bob \"\"B\"\"\"";

// Each with how a user's row is told from those of initdb.
const std::vector<std::string>& Classes() {
  static const auto* const kClasses = new std::vector<std::string>{
      "pg_namespace WHERE oid >= 16384",
      "pg_extension WHERE oid >= 16384",
      "pg_class WHERE relkind = 'r' AND oid >= 16384",
      "pg_class WHERE relkind = 'p' AND oid >= 16384",
      "pg_class WHERE relkind = 'v' AND oid >= 16384",
      "pg_class WHERE relkind = 'm' AND oid >= 16384",
      "pg_class WHERE relkind = 'm' AND NOT relispopulated",
      "pg_class WHERE relkind = 'f' AND oid >= 16384",
      "pg_class WHERE relkind = 'S' AND oid >= 16384",
      "pg_class WHERE relkind = 'c' AND oid >= 16384",
      "pg_class WHERE relpersistence = 'u'",
      "pg_class WHERE relkind = 'r' AND relnatts = 0",
      "pg_attribute WHERE attisdropped",
      "pg_attribute WHERE attidentity <> ''",
      "pg_attribute WHERE attgenerated <> ''",
      "pg_attrdef",
      "pg_inherits",
      "pg_partitioned_table",
      "pg_constraint WHERE contype = 'c' AND oid >= 16384",
      "pg_constraint WHERE contype = 'f'",
      "pg_constraint WHERE contype = 'p' AND oid >= 16384",
      "pg_constraint WHERE contype = 'x'",
      "pg_trigger WHERE NOT tgisinternal",
      "pg_rewrite WHERE oid >= 16384",
      "pg_policy",
      "pg_sequence",
      "pg_type WHERE typtype = 'b' AND typcategory = 'U' AND oid >= 16384",
      "pg_type WHERE typtype = 'd' AND oid >= 16384",
      "pg_enum",
      "pg_range WHERE rngtypid >= 16384",
      "pg_proc WHERE prokind = 'f' AND oid >= 16384",
      "pg_proc WHERE prokind = 'p' AND oid >= 16384",
      "pg_aggregate WHERE aggfnoid >= 16384",
      "pg_operator WHERE oid >= 16384",
      "pg_opclass WHERE oid >= 16384",
      "pg_opfamily WHERE oid >= 16384",
      "pg_amop WHERE oid >= 16384",
      "pg_amproc WHERE oid >= 16384",
      "pg_cast WHERE oid >= 16384",
      "pg_collation WHERE oid >= 16384",
      "pg_conversion WHERE oid >= 16384",
      "pg_am WHERE oid >= 16384",
      "pg_language WHERE oid >= 16384",
      "pg_transform",
      "pg_ts_config WHERE oid >= 16384",
      "pg_ts_config_map WHERE mapcfg >= 16384",
      "pg_ts_dict WHERE oid >= 16384",
      "pg_ts_parser WHERE oid >= 16384",
      "pg_ts_template WHERE oid >= 16384",
      "pg_statistic_ext",
      "pg_event_trigger",
      "pg_publication",
      "pg_publication_rel",
      "pg_publication_namespace",
      "pg_subscription",
      "pg_foreign_data_wrapper",
      "pg_foreign_server",
      "pg_foreign_table",
      "pg_user_mapping",
      "pg_default_acl",
      "pg_largeobject",
      "pg_largeobject_metadata",
      "pg_description WHERE objoid >= 16384",
      "pg_shdescription WHERE classoid = 'pg_database'::regclass AND objoid >="
      " 16384",
      "pg_db_role_setting",
      "pg_init_privs WHERE objoid >= 16384"};
  return *kClasses;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// pg_dump's text, but for the token that is new each time.
std::vector<std::string> DumpOf(TestServer& server,
                                const std::string& database) {
  std::vector<std::string> lines =
      absl::StrSplit(server.Tool("pg_dump", database, {"--blobs"}), '\n');
  std::erase_if(lines, [](const std::string& line) {
    return absl::StrContains(line, "restrict ");
  });
  return lines;
}

// The lines that only one of both has. Rows come back in no order.
std::string Difference(std::vector<std::string> theirs,
                       std::vector<std::string> ours) {
  std::sort(theirs.begin(), theirs.end());
  std::sort(ours.begin(), ours.end());
  std::vector<std::string> lines;
  std::set_symmetric_difference(theirs.begin(), theirs.end(), ours.begin(),
                                ours.end(), std::back_inserter(lines));
  return absl::StrJoin(lines, "\n");
}

class RoundTripTest : public testing::Test {
 protected:
  RoundTripTest() : there_(TestServer::Shared()) {
    database_ = there_.CreateDatabase();
    there_.Exec("postgres", kRoles);
    there_.Exec("postgres",
                absl::StrCat("ALTER DATABASE ", database_,
                             " SET work_mem = '7MB'; COMMENT ON DATABASE ",
                             database_, " IS 'a museum'"));
    there_.Psql(database_,
                ReadFile("plugins/postgres/testdata/every_class.sql"));
    here_.Exec("postgres", kRoles);
    // Uses up oids, so that none is the same.
    const std::string scrap = here_.CreateDatabase();
    here_.Exec(scrap,
               "DO $$ BEGIN FOR i IN 1..700 LOOP EXECUTE format("
               "'CREATE TYPE t%s AS (a integer)', i); END LOOP; END $$");
    target_ = here_.CreateDatabase();
  }

  std::string Backup(int jobs) {
    BackupOptions options;
    options.connection = there_.Options(database_);
    options.jobs = jobs;
    sdk::FakeSink sink;
    const absl::Status status = BackupDatabase(sdk::Run(), options, sink);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(sink.ends, 1);
    EXPECT_EQ(absl::StrJoin(sink.warnings, "\n"), "");
    return sink.payload;
  }
  void Restore(const std::string& payload, int jobs) {
    RestoreOptions options;
    options.target = here_.Options(target_);
    options.jobs = jobs;
    sdk::FakePayload stream(payload, 100'000);
    sdk::FakeRestoreRequest request({&stream});
    const absl::Status status = RestoreDatabase(sdk::Run(), request, options);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(absl::StrJoin(request.warnings, "\n"), "");
  }

  TestServer& there_;
  TestServer here_;
  std::string database_;
  std::string target_;
};

TEST_F(RoundTripTest, PgDumpOfBothSidesIsTheSameText) {
  for (const std::string& what : Classes()) {
    EXPECT_NE(
        there_.Query(database_,
                     absl::StrCat("SELECT count(*) FROM pg_catalog.", what)),
        "0")
        << what;
  }
  Restore(Backup(2), 2);
  EXPECT_EQ(Difference(DumpOf(there_, database_), DumpOf(here_, target_)), "");
  // Where text is the same, so may be bytes that say nothing: so ask, too.
  const std::string oids =
      "SELECT string_agg(oid::text, ' ') FROM pg_type WHERE oid >= 16384";
  const std::vector<std::string> theirs =
      absl::StrSplit(there_.Query(database_, oids), ' ');
  const std::vector<std::string> ours =
      absl::StrSplit(here_.Query(target_, oids), ' ');
  for (const std::string& oid : ours) {
    EXPECT_EQ(std::count(theirs.begin(), theirs.end(), oid), 0) << oid;
  }
  for (const std::string question :
       {"SELECT n::text FROM app.names n", "SELECT count(*) FROM app.secret",
        "SELECT string_agg(b::text, ' ' ORDER BY m, x) FROM app.by_mood b",
        "SELECT last_value FROM app.counter", "SELECT * FROM app.a_on_top",
        "SELECT relispopulated FROM pg_class WHERE relname = 'unpopulated'",
        "SELECT subenabled FROM pg_subscription s JOIN pg_database d ON"
        " subdbid = d.oid WHERE datname = current_database()",
        "SELECT indisvalid FROM pg_index WHERE indexrelid ="
        " 'app.expression'::regclass",
        "SELECT md5(lo_get(7001))",
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE"
        " datname = current_database()",
        "SHOW work_mem"}) {
    EXPECT_EQ(here_.Query(target_, question), there_.Query(database_, question))
        << question;
  }
}

}  // namespace
}  // namespace sluice::postgres
