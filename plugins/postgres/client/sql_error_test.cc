#include "sluice/plugins/postgres/client/sql_error.h"

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice::postgres {
namespace {

TEST(SqlErrorTest, GivesEachKindOfErrorItsCodeAndWord) {
  const struct {
    absl::string_view sql_state;
    absl::StatusCode code;
    absl::string_view word;
    bool retryable;
  } cases[] = {
      {"28P01", absl::StatusCode::kPermissionDenied, kSourcePermissionDenied,
       false},
      {"28000", absl::StatusCode::kPermissionDenied, kSourcePermissionDenied,
       false},
      {"42501", absl::StatusCode::kPermissionDenied, kSourcePermissionDenied,
       false},
      {"3D000", absl::StatusCode::kNotFound, kSourceUnavailable, false},
      {"25006", absl::StatusCode::kFailedPrecondition, kSourceReadOnly, false},
      {"08006", absl::StatusCode::kUnavailable, kSourceUnavailable, true},
      {"57P03", absl::StatusCode::kUnavailable, kSourceUnavailable, true},
      {"53300", absl::StatusCode::kUnavailable, kSourceUnavailable, true},
      {"57P01", absl::StatusCode::kUnavailable, kSourceAborted, true},
      {"57014", absl::StatusCode::kAborted, kSourceAborted, true},
      {"53100", absl::StatusCode::kResourceExhausted, kSourceNoSpace, false},
      {"53200", absl::StatusCode::kResourceExhausted, kSourceFailed, false},
      {"40P01", absl::StatusCode::kAborted, kSourceFailed, true},
      {"55P03", absl::StatusCode::kAborted, kSourceFailed, true},
      {"XX001", absl::StatusCode::kDataLoss, kSourceFailed, false},
      {"42601", absl::StatusCode::kUnknown, kSourceFailed, false},
  };
  for (const auto& expected : cases) {
    const absl::Status status = SqlError(expected.sql_state, "it failed\n");
    EXPECT_EQ(status.code(), expected.code) << expected.sql_state;
    EXPECT_EQ(ErrorCodeOf(status), expected.word) << expected.sql_state;
    EXPECT_EQ(IsRetryable(status), expected.retryable) << expected.sql_state;
    EXPECT_EQ(SqlStateOf(status), expected.sql_state);
    EXPECT_EQ(status.message(), "it failed");
  }
}

TEST(SqlErrorTest, HintsAtTheCauseThatTheServerNamed) {
  const absl::Status password = SqlError("28P01", "password ... failed");
  EXPECT_TRUE(absl::StrContains(HintOf(password), ".pgpass"));
  const absl::Status hba =
      SqlError("28000", "no pg_hba.conf entry for host \"::1\", user \"a\"");
  EXPECT_TRUE(absl::StrContains(HintOf(hba), "pg_hba.conf")) << HintOf(hba);
  EXPECT_FALSE(absl::StrContains(HintOf(hba), ".pgpass")) << HintOf(hba);
  const absl::Status none = SqlError("3D000", "database \"a\" does not exist");
  EXPECT_TRUE(absl::StrContains(HintOf(none), "createdb")) << HintOf(none);
  const absl::Status standby = SqlError("25006", "cannot execute ... in a ...");
  EXPECT_TRUE(absl::StrContains(HintOf(standby), "standby")) << HintOf(standby);
  const absl::Status role = SqlError("28000", "role \"a\" does not exist");
  EXPECT_TRUE(absl::StrContains(HintOf(role), "LOGIN")) << HintOf(role);
  EXPECT_FALSE(absl::StrContains(HintOf(role), ".pgpass")) << HintOf(role);
}

TEST(SqlErrorTest, SaysAllInOneLine) {
  EXPECT_EQ(SqlError("22012", "one\n\ttwo\r\n\nthree\n").message(),
            "one; two; three");
  EXPECT_EQ(ConnectionLost("gone\n\tthis means\n").message(),
            "gone; this means");
  EXPECT_EQ(OneLine(" a\tb \n"), "a b");
  EXPECT_EQ(OneLine("\n\n"), "");
}

TEST(SqlErrorTest, KeepsTheSqlStateWhereALayerAddsItsObject) {
  EXPECT_EQ(SqlStateOf(Annotate(SqlError("55P03", "locked"), "table t")),
            kLockNotAvailable);
}

TEST(SqlErrorTest, NamesTheObjectOfItsOwnErrorsAlone) {
  EXPECT_EQ(NameObject(SqlError("22012", "division"), "table t").message(),
            "table t: division");
  EXPECT_EQ(NameObject(ConnectionLost("gone"), "table t").message(),
            "table t: gone");
  EXPECT_EQ(NameObject(absl::CancelledError("enough"), "table t").message(),
            "enough");
}

TEST(SqlErrorTest, TellsALostConnectionFromAnErrorOfTheServer) {
  const absl::Status status = ConnectionLost("server closed the connection\n");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ErrorCodeOf(status), kSourceFailed);
  EXPECT_EQ(SqlStateOf(status), "");
}

}  // namespace
}  // namespace sluice::postgres
