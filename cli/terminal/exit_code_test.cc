#include "sluice/cli/terminal/exit_code.h"

#include <map>
#include <set>
#include <string>

#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/service/retention/retention.h"

namespace sluice::cli {
namespace {

absl::Status Failed(absl::string_view word) {
  return MakeError(absl::StatusCode::kInternal, word, "it failed");
}

// Scripts branch on these: never change one.
TEST(ExitCodeTest, EachWordKeepsItsCode) {
  const std::map<absl::string_view, int> codes = {
      {kInvalidArgument, 2},
      {kSourceConfigInvalid, 2},
      {kDestinationConfigInvalid, 2},
      {kArchiveDamaged, 4},
      {kDestinationNotFound, 10},
      {kArchiveNotFound, 10},
      {kRecordNotFound, 10},
      {kJobNotFound, 10},
      {kRepoNotFound, 10},
      {kAmbiguousId, 2},
      {kCatalogNoSpace, 15},
      {kSourceUnavailable, 10},
      {kBackupAlreadyRunning, 11},
      {kDestinationPermissionDenied, 13},
      {kDestinationCredentialsInvalid, 13},
      {kDestinationReadOnly, 13},
      {kDestinationUnreachable, 14},
      {kDestinationNoSpace, 15},
      {kPluginUnusable, 16},
      {kProcessDied, 16},
      {kSourceWrongKey, 12},
      {kSourcePermissionDenied, 13},
      {kSourceReadOnly, 13},
      {kCatalogPermissionDenied, 13},
      {kScratchPermissionDenied, 13},
      {kSourceNoSpace, 15},
      {kScratchNoSpace, 15},
      {kScratchUnavailable, 1},
      {kSourceUnsupported, 17},
      {kArchiveUnsupported, 17},
      {kCatalogNewer, 17},
      {kPlanNotFound, 10},
      {kTokenNotFound, 10},
      {kNotificationNotFound, 10},
      {kOverlap, 11},
      {kPlanChanged, 1},
      {kNotClaimed, 1},
      {kShutdown, 1},
      {service::kArchiveProtected, 18},
      {service::kArchiveInUse, 18},
      {kDeadlineExceeded, 124},
      {kCancelled, 130},
      {kSourceFailed, 1},
      {kSourceIncomplete, 1},
      {kRestorePreconditionFailed, 1},
      {kPublishOutcomeUnknown, 1},
      {kRecordPersistFailed, 1},
      {kInternal, 1},
      {"a_word_of_a_plugin", 1},
  };
  for (const auto& [word, code] : codes) {
    EXPECT_EQ(static_cast<int>(ExitCodeOf(Failed(word))), code) << word;
  }
  EXPECT_EQ(ExitCodeOf(absl::OkStatus()), ExitCode::kOk);
}

TEST(ExitCodeTest, NoCodeAndNoWordStandsInTheTableTwice) {
  std::set<int> codes;
  std::set<absl::string_view> words;
  for (const ExitCodeSpec& spec : ExitCodes()) {
    EXPECT_TRUE(codes.insert(static_cast<int>(spec.code)).second);
    for (const absl::string_view word : spec.words) {
      EXPECT_TRUE(words.insert(word).second) << word;
    }
  }
  EXPECT_EQ(codes, (std::set<int>{0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 15, 16, 17,
                                  18, 124, 129, 130, 143}));
}

}  // namespace
}  // namespace sluice::cli
