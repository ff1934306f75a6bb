#include "sluice/plugins/postgres/backup/type_catalog.h"

#include <string>

#include "gtest/gtest.h"
#include "sluice/plugins/postgres/testing/test_server.h"

namespace sluice::postgres {
namespace {

class TypeCatalogTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    database_ = new std::string(TestServer::Shared().CreateDatabase());
    TestServer::Shared().Exec(
        *database_,
        "CREATE TYPE mood AS ENUM ('sad', 'ok');"
        "CREATE DOMAIN small AS int CHECK (VALUE < 10);"
        "CREATE DOMAIN tables AS regclass[];"
        "CREATE DOMAIN moods AS mood;"
        "CREATE TYPE plain AS (a int, b text[]);"
        "CREATE TYPE sly AS (a int, b regclass);"
        "CREATE TYPE nested AS (a plain);"
        "CREATE TYPE of_domain AS (a small);"
        "CREATE TYPE floats AS RANGE (subtype = float8, "
        "multirange_type_name = floats_multirange);"
        "CREATE TYPE mood_range AS RANGE (subtype = mood);"
        "CREATE TYPE text AS (shadow regclass)");
  }
  static void TearDownTestSuite() { delete database_; }

  TypeCatalog Load(const std::string& type) {
    const auto connection = TestServer::Shared().Connect(*database_);
    type_ = static_cast<uint32_t>(
        connection->Exec("SELECT '" + type + "'::regtype::oid")->Integer(0, 0));
    return *TypeCatalog::Load(*connection, {type_});
  }
  bool Safe(const std::string& type) { return Load(type).IsBinarySafe(type_); }
  bool Stable(const std::string& type) {
    return Load(type).IsHashStable(type_);
  }

  static std::string* database_;
  uint32_t type_ = 0;
};
std::string* TypeCatalogTest::database_ = nullptr;

TEST_F(TypeCatalogTest, LetsBuiltInTypesAndTheirArraysTravelInBinary) {
  for (const char* const type :
       {"int", "int[]", "text", "text[]", "numeric", "jsonb", "timestamptz",
        "bytea", "int4range", "oid", "money"}) {
    EXPECT_TRUE(Safe(type)) << type;
  }
}

TEST_F(TypeCatalogTest, SendsAsTextWhatHoldsTheNumberOfAnObject) {
  for (const char* const type :
       {"regclass", "regclass[]", "regtype", "regproc", "regrole", "tables",
        "sly", "aclitem", "aclitem[]"}) {
    EXPECT_FALSE(Safe(type)) << type;
  }
}

TEST_F(TypeCatalogTest, SeesThroughEnumsDomainsCompositesAndRanges) {
  for (const char* const type : {"mood", "small", "moods", "plain", "floats",
                                 "mood_range", "floats_multirange"}) {
    EXPECT_TRUE(Safe(type)) << type;
  }
}

TEST_F(TypeCatalogTest, SendsAsTextWhatBearsTheNumberOfAUsersType) {
  for (const char* const type : {"mood[]", "small[]", "plain[]", "nested",
                                 "of_domain", "floats[]", "moods[]"}) {
    EXPECT_FALSE(Safe(type)) << type;
  }
}

TEST_F(TypeCatalogTest, IsNotFooledByATypeOfABuiltInName) {
  EXPECT_FALSE(Safe("public.text"));
  EXPECT_TRUE(Safe("pg_catalog.text"));
}

TEST_F(TypeCatalogTest, KnowsWhichHashesAreTheSameElsewhere) {
  for (const char* const type : {"int", "uuid", "date", "text"}) {
    EXPECT_TRUE(Stable(type)) << type;
  }
  for (const char* const type : {"mood", "public.text", "small", "int[]"}) {
    EXPECT_FALSE(Stable(type)) << type;
  }
}

}  // namespace
}  // namespace sluice::postgres
