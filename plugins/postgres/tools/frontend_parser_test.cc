#include "sluice/plugins/postgres/tools/frontend_parser.h"

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "gtest/gtest.h"

namespace sluice::postgres {
namespace {

using Kind = FrontendRequest::Kind;
using std::string_literals::operator""s;

// Protocol 3.0, user=a.
const std::string kStartup = "\0\0\0\x10\0\3\0\0user\0a\0\0"s;

class FrontendParserTest : public ::testing::Test {
 protected:
  // "none" while it is not whole.
  std::string Next() {
    const absl::optional<FrontendRequest> request = parser_.Next();
    if (!request.has_value()) return "none";
    switch (request->kind) {
      case Kind::kEncryption:
        return "encryption";
      case Kind::kStartup:
        return "startup";
      case Kind::kQuery:
        return "query " + request->sql;
      case Kind::kEnd:
        return "end";
    }
    return "";
  }
  void Start() {
    parser_.Feed(kStartup);
    ASSERT_EQ(Next(), "startup");
  }

  FrontendParser parser_;
};

TEST_F(FrontendParserTest, ReadsASessionInTheOrderOfLibpq) {
  parser_.Feed("\0\0\0\x8\x4\xd2\x16\x2f"s + kStartup +
               "Q\0\0\0\xdSELECT 1\0"s);
  parser_.Feed("Q\0\0\0\5\0X\0\0\0\4"s);
  EXPECT_EQ(Next(), "encryption");
  EXPECT_EQ(Next(), "startup");
  EXPECT_EQ(Next(), "query SELECT 1");
  EXPECT_EQ(Next(), "query ");
  EXPECT_EQ(Next(), "end");
}

TEST_F(FrontendParserTest, WaitsForTheRestOfARequest) {
  for (const char byte : kStartup) {
    EXPECT_EQ(Next(), "none");
    parser_.Feed(absl::string_view(&byte, 1));
  }
  EXPECT_EQ(Next(), "startup");
  const std::string query = "Q\0\0\0\6x\0"s;
  for (const char byte : query) {
    EXPECT_EQ(Next(), "none");
    parser_.Feed(absl::string_view(&byte, 1));
  }
  EXPECT_EQ(Next(), "query x");
}

TEST_F(FrontendParserTest, EndsWithAnOlderProtocolAndACancel) {
  parser_.Feed("\0\0\0\x10\0\2\0\0user\0a\0\0"s);
  EXPECT_EQ(Next(), "end");
  parser_.Feed(kStartup);
  EXPECT_EQ(Next(), "end");
}

TEST_F(FrontendParserTest, EndsWithALengthThatNoClientMeans) {
  for (const std::string& bytes :
       {"\0\0\0\7\0\3\0\0"s, "\0\0\x27\x11\0\3\0\0"s, "\xff\0\0\0\0\3\0\0"s}) {
    parser_ = FrontendParser();
    parser_.Feed(bytes);
    EXPECT_EQ(Next(), "end");
  }
  for (const std::string& bytes :
       {"Q\0\0\0\4"s, "Q\4\0\0\1"s, "Q\xff\xff\xff\xff"s}) {
    parser_ = FrontendParser();
    Start();
    parser_.Feed(bytes);
    EXPECT_EQ(Next(), "end");
  }
}

TEST_F(FrontendParserTest, EndsWithAnotherMessageAndAQueryThatHasNoEnd) {
  for (const std::string& bytes : {"P\0\0\0\6x\0"s, "Q\0\0\0\5x"s}) {
    parser_ = FrontendParser();
    Start();
    parser_.Feed(bytes);
    EXPECT_EQ(Next(), "end");
  }
}

TEST_F(FrontendParserTest, TakesAQueryUpToItsFirstNul) {
  Start();
  parser_.Feed(
      "Q\0\0\0\x8"
      "a\0b\0"s);
  EXPECT_EQ(Next(), "query a");
}

}  // namespace
}  // namespace sluice::postgres
