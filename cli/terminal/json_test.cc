#include "sluice/cli/terminal/json.h"

#include "gtest/gtest.h"
#include "sluice/executor/models.pb.h"

namespace sluice::cli {
namespace {

TEST(EncodeTest, BytesThatAreNotUtf8DoNotBreakIt) {
  BackupRecord record;
  record.add_warnings()->mutable_message()->assign("name \xFF\n");
  const Json parsed = Json::parse(Encode(ToJson(record)));
  EXPECT_EQ(parsed["warnings"][0]["message"], "name \xEF\xBF\xBD\n");
}

}  // namespace
}  // namespace sluice::cli
