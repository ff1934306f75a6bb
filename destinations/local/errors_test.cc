#include "sluice/destinations/local/errors.h"

#include <errno.h>

#include <set>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice {
namespace {

using Code = absl::StatusCode;
using ::testing::HasSubstr;

struct Row {
  int error;
  Code code;
  absl::string_view word;
};

// Written from the requirement, not from the code: each errno that a place can
// answer, and what the reader is told.
constexpr Row kTable[] = {
    {ENOSPC, Code::kResourceExhausted, "destination_no_space"},
    {EDQUOT, Code::kResourceExhausted, "destination_no_space"},
    {EMLINK, Code::kResourceExhausted, "destination_no_space"},
    {EACCES, Code::kPermissionDenied, "destination_permission_denied"},
    {EPERM, Code::kPermissionDenied, "destination_permission_denied"},
    {EROFS, Code::kFailedPrecondition, "destination_read_only"},
    {ENOENT, Code::kFailedPrecondition, "destination_not_found"},
    {ENOTDIR, Code::kFailedPrecondition, "destination_path_conflict"},
    {EISDIR, Code::kFailedPrecondition, "destination_path_conflict"},
    {ELOOP, Code::kFailedPrecondition, "destination_path_conflict"},
    {ENOTEMPTY, Code::kFailedPrecondition, "destination_path_conflict"},
    {EXDEV, Code::kFailedPrecondition, "destination_path_conflict"},
    {EEXIST, Code::kAlreadyExists, "destination_path_conflict"},
    {EFBIG, Code::kOutOfRange, "destination_too_large"},
    {ENAMETOOLONG, Code::kInvalidArgument, "destination_config_invalid"},
    {EINVAL, Code::kUnimplemented, "destination_unsupported"},
    {ENOSYS, Code::kUnimplemented, "destination_unsupported"},
    {EOPNOTSUPP, Code::kUnimplemented, "destination_unsupported"},
    {ETIMEDOUT, Code::kUnavailable, "destination_unreachable"},
    {ENOTCONN, Code::kUnavailable, "destination_unreachable"},
    {EHOSTDOWN, Code::kUnavailable, "destination_unreachable"},
    {EHOSTUNREACH, Code::kUnavailable, "destination_unreachable"},
    {ENETUNREACH, Code::kUnavailable, "destination_unreachable"},
    {ECONNREFUSED, Code::kUnavailable, "destination_unreachable"},
    {EMFILE, Code::kResourceExhausted, "resource_exhausted"},
    {ENFILE, Code::kResourceExhausted, "resource_exhausted"},
    {ENOMEM, Code::kResourceExhausted, "resource_exhausted"},
    {ENOBUFS, Code::kResourceExhausted, "resource_exhausted"},
    {EIO, Code::kUnavailable, "destination_io_error"},
    {ESTALE, Code::kUnavailable, "destination_io_error"},
    {EUCLEAN, Code::kUnavailable, "destination_io_error"},
    {ENXIO, Code::kUnavailable, "destination_io_error"},
    {ENODEV, Code::kUnavailable, "destination_io_error"},
    {EBUSY, Code::kUnavailable, "destination_io_error"},
};

TEST(ErrnoErrorTest, GivesEachErrnoItsOwnWord) {
  for (const Row& row : kTable) {
    const absl::Status status = ErrnoError("write", "/repo/a", row.error);
    EXPECT_EQ(status.code(), row.code) << row.error;
    EXPECT_EQ(ErrorCodeOf(status), row.word) << row.error;
  }
}

TEST(ErrnoErrorTest, NeverBlamesUsForWhatThePlaceSaid) {
  for (int error = 1; error < 134; ++error) {
    const absl::Status status = ErrnoError("write", "/repo/a", error);
    EXPECT_NE(status.code(), Code::kInternal) << error;
    EXPECT_NE(status.code(), Code::kNotFound) << error << ": no such object?";
    EXPECT_NE(ErrorCodeOf(status), "internal") << error;
  }
}

TEST(ErrnoErrorTest, SaysOperationPathAndCause) {
  EXPECT_EQ(ErrnoError("write", "/repo/a/payload.bin", ENOSPC).message(),
            "write /repo/a/payload.bin: No space left on device");
}

TEST(ErrnoErrorTest, TellsAQuotaFromAFullDisk) {
  EXPECT_THAT(HintOf(ErrnoError("write", "a", EDQUOT)), HasSubstr("quota"));
  EXPECT_THAT(HintOf(ErrnoError("open", "a", ENOENT)), HasSubstr("mounted"));
}

TEST(ErrnoErrorTest, KnowsALackFromAFailure) {
  const std::set<int> lacks = {EINVAL, ENOSYS, EOPNOTSUPP, ENOTTY};
  for (int error = 1; error < 134; ++error) {
    EXPECT_EQ(IsUnsupported(error), lacks.count(error) > 0) << error;
  }
}

}  // namespace
}  // namespace sluice
