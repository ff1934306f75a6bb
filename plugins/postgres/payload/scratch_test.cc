#include "sluice/plugins/postgres/payload/scratch.h"

#include <errno.h>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice::postgres {
namespace {

TEST(ScratchTest, TellsAFullFolderFromOneThatMayNotBeUsed) {
  for (const int error : {ENOSPC, EDQUOT}) {
    const absl::Status full = ScratchError("create", "/x/y", error);
    EXPECT_EQ(ErrorCodeOf(full), kScratchNoSpace);
    EXPECT_TRUE(absl::StrContains(HintOf(full), "TMPDIR"));
  }
  for (const int error : {EACCES, EPERM, EROFS}) {
    EXPECT_EQ(ErrorCodeOf(ScratchError("create", "/x/y", error)),
              kScratchPermissionDenied);
  }
  const absl::Status other = ScratchError("create", "/x/y", ENOENT);
  EXPECT_EQ(ErrorCodeOf(other), kScratchUnavailable);
  EXPECT_EQ(other.message(), "create /x/y: No such file or directory");
}

}  // namespace
}  // namespace sluice::postgres
