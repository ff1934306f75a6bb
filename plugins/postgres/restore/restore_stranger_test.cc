// Payloads that somebody wrote who wants more than to be restored. What stands
// in a definition runs on the server, with the rights of who restores; nothing
// else may run, least of all on the client.

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "sluice/base/error.h"
#include "sluice/plugins/postgres/client/quote.h"
#include "sluice/plugins/postgres/payload/payload_format.h"
#include "sluice/plugins/postgres/payload/payload_index.h"
#include "sluice/plugins/postgres/testing/test_payload.h"
#include "sluice/plugins/postgres/testing/test_restore.h"
#include "sluice/plugins/postgres/testing/test_server.h"

namespace sluice::postgres {
namespace {

const TestPayload& Innocent() {
  static const TestPayload* const kPayload = [] {
    const std::string source = Server().CreateDatabase();
    Server().Psql(source, R"(
      CREATE TABLE t AS SELECT i AS a FROM generate_series(1, 50) i;
      CREATE SEQUENCE s;
      CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM t;
      SELECT lo_from_bytea(7001, 'x');)");
    auto* const payload =
        new TestPayload(MakeTestPayload(Server(), source, CopyFormat::kText));
    payload->head.database.grants = {
        {{"postgres", "mallory", "CONNECT", false}}};
    return payload;
  }();
  return *kPayload;
}

bool MalloryIsSuperuser() {
  return Server().Query("postgres",
                        "SELECT rolsuper FROM pg_roles WHERE rolname ="
                        " 'mallory'") == "t";
}

class StrangerTest : public testing::Test {
 protected:
  StrangerTest() : mark_(testing::TempDir() + "/executed") {
    Server().Exec("postgres",
                  "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE"
                  " rolname = 'mallory') THEN CREATE ROLE mallory; END IF;"
                  " END $$");
    std::remove(mark_.c_str());
  }

  // Whether the script of the document restores it.
  bool ScriptRestores(const TestPayload& payload) {
    return ScriptRestores(payload.Pack());
  }
  bool ScriptRestores(const std::string& packed) {
    const std::string file = testing::TempDir() + "/payload.tar";
    std::ofstream(file, std::ios::binary) << packed;
    const std::string script = absl::StrCat(
        "docs/format/restore_postgres.sh ", file, " 'host=", Server().folder(),
        " user=postgres dbname=", Server().CreateDatabase(), "'");
    return system(script.c_str()) == 0;
  }
  // Nothing ran here, and nobody became more than he was.
  void ExpectNothingRan(absl::string_view what) {
    EXPECT_NE(access(mark_.c_str(), F_OK), 0) << what;
    EXPECT_FALSE(MalloryIsSuperuser()) << what;
  }

  const std::string mark_;
};

// The head as it is written, with one text in place of another.
TestPayload WithHead(absl::string_view old, absl::string_view changed) {
  TestPayload payload = Innocent();
  const std::string head = *WriteHead(payload.head);
  payload.raw_head = absl::StrReplaceAll(head, {{old, changed}});
  EXPECT_NE(payload.raw_head, head) << old;
  return payload;
}

TEST_F(StrangerTest, APrivilegeIsOneOfAFixedList) {
  const TestPayload payload =
      WithHead("\"privilege\":\"CONNECT\"",
               "\"privilege\":\"CONNECT ON DATABASE template1 TO mallory; "
               "ALTER ROLE mallory SUPERUSER; GRANT CONNECT\"");
  const RestoreOutcome outcome =
      RestoreInto(Into(Server(), Server().CreateDatabase()), payload.Pack());
  EXPECT_EQ(ErrorCodeOf(outcome.status), kArchiveDamaged) << outcome.status;
  EXPECT_FALSE(ScriptRestores(payload));
  ExpectNothingRan("privilege");
  // Those of large objects come in another document.
  EXPECT_EQ(ErrorCodeOf(
                ParseBlobBatch(
                    R"({"blobs":[{"oid":7,"owner":"a","comment":"","grants":)"
                    R"([{"grantor":"a","grantee":"b","grantable":false,)"
                    R"("privilege":"SELECT ON x TO y; DROP TABLE z; --"}]}]})")
                    .status()),
            kArchiveDamaged);
}

TEST_F(StrangerTest, NamesAndValuesOfAPayloadAreNoStatements) {
  const std::string evil =
      "x\"'; ALTER ROLE mallory SUPERUSER; --\n\\! touch " + mark_ + "\n";
  TestPayload payload = Innocent();
  PayloadDatabase& database = payload.head.database;
  const std::string owner = evil.substr(0, 63);  // as long as a name can be
  Server().Exec("postgres",
                absl::StrCat("CREATE ROLE ", QuoteIdentifier(owner)));
  database.owner = owner;
  database.comment = evil;
  database.grants = {
      {{owner, "mallory", "CREATE", true}, {"mallory", "", "CREATE", false}}};
  database.settings = {{"", "work_mem", evil},
                       {"", evil, evil},
                       {owner, "search_path", evil},
                       {"", "search_path", "\"" + evil},
                       {"mallory", "my.own", evil}};
  const RestoreOutcome outcome =
      RestoreInto(Into(Server(), Server().CreateDatabase()), payload.Pack());
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_NE(outcome.Warning("setting_not_restored"), "");
  ExpectNothingRan("names");
  // In the script a setting that the server refuses is an error.
  database.settings.clear();
  EXPECT_TRUE(ScriptRestores(payload));
  ExpectNothingRan("names, by the script");
  payload.head.materialized_views[0].name = evil;
  payload.index.sequences[0].name = evil;
  payload.head.tables[0].columns = {evil};
  EXPECT_FALSE(ScriptRestores(payload));
  ExpectNothingRan("other names, by the script");
}

TEST_F(StrangerTest, TheScriptTakesNoOtherMembersThanThePagesOwn) {
  for (const std::string& name :
       {absl::StrCat("blobs/7001, 0, ''); \\! touch ", mark_, "\n--/000000"),
        absl::StrCat("blobs/1 \\! touch ", mark_, " 2/000000"),
        absl::StrCat("data/1/$(touch ", mark_, ").copy"),
        absl::StrCat("data/1/000001.copy; touch ", mark_),
        std::string("common.sql"), std::string("data/../common.sql"),
        std::string("blobs/000000.json/x")}) {
    TestPayload payload = Innocent();
    payload.parts.emplace_back(name, "x");
    EXPECT_FALSE(ScriptRestores(payload)) << name;
    ExpectNothingRan(name);
  }
}

// The index as a link to the head, which is a document, too.
void MakeIndexALink(std::string& tar, char type) {
  const size_t header = tar.find("index.json");
  const size_t size = std::strtoul(&tar[header + 124], nullptr, 8);
  tar.erase(header + 512, (size + 511) / 512 * 512);
  tar.replace(header + 124, 11, 11, '0');
  tar[header + 156] = type;
  const std::string target = "sluice-postgres.json";
  tar.replace(header + 157, target.size(), target);
  tar.replace(header + 148, 8, 8, ' ');
  unsigned sum = 0;
  for (size_t i = 0; i < 512; ++i) {
    sum += static_cast<unsigned char>(tar[header + i]);
  }
  char digits[8];
  std::snprintf(digits, sizeof(digits), "%06o", sum);
  tar.replace(header + 148, 8, std::string(digits, 7) + ' ');
}

TEST_F(StrangerTest, TheScriptFollowsNoLinks) {
  ASSERT_TRUE(ScriptRestores(Innocent()));
  for (const char type : {'1', '2'}) {
    std::string packed = Innocent().Pack();
    MakeIndexALink(packed, type);
    EXPECT_FALSE(ScriptRestores(packed)) << type;
  }
}

TEST_F(StrangerTest, TheScriptTakesNumbersForNumbers) {
  const std::string sql = "1); ALTER ROLE mallory SUPERUSER; SELECT (1";
  for (const auto& [old, changed] :
       std::vector<std::pair<std::string, std::string>>{
           {"\"format\":\"text\"",
            "\"format\":\"text); ALTER ROLE mallory SUPERUSER; --\""},
           {"\"connection_limit\":-1",
            "\"connection_limit\":\"-1; ALTER ROLE mallory SUPERUSER; "
            "ALTER DATABASE postgres CONNECTION LIMIT -1\""},
           {"\"id\":1", absl::StrCat("\"id\":\"", sql, "\"")}}) {
    ScriptRestores(WithHead(old, changed));
    ExpectNothingRan(changed);
    EXPECT_EQ(ErrorCodeOf(RestoreInto(Into(Server(), Server().CreateDatabase()),
                                      WithHead(old, changed).Pack())
                              .status),
              kArchiveDamaged);
  }
}

}  // namespace
}  // namespace sluice::postgres
