#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/plugins/host/place_adaptor.h"
#include "sluice/plugins/host/source_adaptor.h"

namespace sluice {
namespace {

// As the table of sluice_error in sluice_plugin.h has it, which authors read.
TEST(DefaultWordTest, AnErrorWithoutAWordGetsThatOfItsRoleAndCode) {
  const struct {
    absl::StatusCode code;
    absl::string_view source;
    absl::string_view place;
  } kTable[] = {
      {absl::StatusCode::kNotFound, "fallback", "destination_not_found"},
      {absl::StatusCode::kPermissionDenied, "source_permission_denied",
       "destination_permission_denied"},
      {absl::StatusCode::kUnauthenticated, "source_permission_denied",
       "destination_credentials_invalid"},
      {absl::StatusCode::kResourceExhausted, "source_no_space",
       "destination_no_space"},
      {absl::StatusCode::kUnavailable, "fallback", "destination_unreachable"},
      {absl::StatusCode::kAlreadyExists, "fallback",
       "destination_path_conflict"},
      {absl::StatusCode::kUnimplemented, "fallback", "destination_unsupported"},
      {absl::StatusCode::kDataLoss, "fallback", "destination_io_error"},
      {absl::StatusCode::kUnknown, "fallback", "destination_io_error"},
      {absl::StatusCode::kCancelled, "cancelled", "cancelled"},
      {absl::StatusCode::kDeadlineExceeded, "deadline_exceeded",
       "deadline_exceeded"},
  };
  for (const auto& row : kTable) {
    const absl::Status status(row.code, "text");
    EXPECT_EQ(ErrorCodeOf(WithSourceWord(status, "fallback")), row.source);
    EXPECT_EQ(ErrorCodeOf(WithPlaceWord(status)), row.place);
    const absl::Status worded = WithCode(status, "its_own");
    EXPECT_EQ(ErrorCodeOf(WithSourceWord(worded, "fallback")), "its_own");
    EXPECT_EQ(ErrorCodeOf(WithPlaceWord(worded)), "its_own");
  }
  EXPECT_TRUE(WithSourceWord(absl::OkStatus(), "fallback").ok());
  EXPECT_TRUE(WithPlaceWord(absl::OkStatus()).ok());
}

}  // namespace
}  // namespace sluice
