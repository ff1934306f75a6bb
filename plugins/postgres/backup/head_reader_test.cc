#include "sluice/plugins/postgres/backup/head_reader.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "sluice/plugins/postgres/payload/payload_index.h"
#include "sluice/plugins/postgres/testing/test_server.h"

namespace sluice::postgres {
namespace {

bool NeedsRolePostgres(TestServer& server, const std::string& database) {
  const auto head = ReadHead(*server.Connect(database));
  EXPECT_TRUE(head.ok()) << head.status();
  for (const PayloadRole& role : head->roles) {
    if (role.name == "postgres") return true;
  }
  return false;
}

// The role of initdb is in no pg_shdepend.
TEST(HeadReaderTest, ARoleThatAStatementOfPgDumpNamesIsNeeded) {
  TestServer& server = TestServer::Shared();
  server.Exec("postgres", "CREATE ROLE clerk");
  const std::string table =
      "CREATE TABLE t (a int, b int); ALTER TABLE t OWNER TO clerk; ";
  for (const auto& [sql, needed] : std::vector<std::pair<std::string, bool>>{
           {"CREATE PUBLICATION p", true},
           {"CREATE COLLATION c FROM \"C\"", true},
           {table + "CREATE STATISTICS s ON a, b FROM t", true},
           {table + "GRANT SELECT (a) ON t TO postgres", true},
           {table + "CREATE POLICY p ON t TO postgres", true},
           {"ALTER DEFAULT PRIVILEGES FOR ROLE clerk GRANT SELECT ON TABLES TO"
            " postgres",
            true},
           // An extension's owner is whoever creates it.
           {"CREATE EXTENSION hstore", false},
           {table, false}}) {
    const std::string name = server.CreateDatabase("OWNER clerk");
    server.Exec(name, sql);
    EXPECT_EQ(NeedsRolePostgres(server, name), needed) << sql;
  }
}

}  // namespace
}  // namespace sluice::postgres
