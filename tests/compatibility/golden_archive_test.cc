// T17: the archives of every past version verify, tell what they hold, and
// restore.

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/clock.h"
#include "sluice/destinations/archive/archive_destination.h"
#include "sluice/destinations/local/factory.h"
#include "sluice/executor/executor.h"
#include "sluice/executor/testing/fake_job_store.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/plugins/memory/memory_source.h"
#include "sluice/plugins/sdk/wrap.h"
#include "sluice/tests/compatibility/golden_store.h"

namespace sluice {
namespace {

using testing::ElementsAre;

// Of each past version of the repo's format, its folder in testdata.
class GoldenArchiveTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    // Runfiles are symlinks, which a place does not follow.
    const std::string repo = absl::StrCat(testing::TempDir(), "/", GetParam());
    std::filesystem::remove_all(repo);
    std::filesystem::create_directories(repo);
    const std::string from =
        absl::StrCat("tests/compatibility/testdata/", GetParam());
    for (const auto& file :
         std::filesystem::recursive_directory_iterator(from)) {
      if (file.is_directory()) continue;
      const std::filesystem::path to =
          repo / std::filesystem::relative(file.path().parent_path(), from) /
          file.path().filename();
      std::filesystem::create_directories(to.parent_path());
      std::filesystem::copy_file(std::filesystem::canonical(file.path()), to);
    }
    ASSERT_TRUE(host_.RegisterStatic(&kLocalPlugin).ok());
    auto place = host_.OpenPlace(absl::StrCat("local:", repo));
    ASSERT_TRUE(place.ok()) << place.status();
    archives_ =
        ArchiveDestination::Create(*std::move(place), Clock::Real(), {});
    const auto listed = archives_->List(context_);
    ASSERT_TRUE(listed.ok()) << listed.status();
    ASSERT_EQ(listed->size(), 1u);
    manifest_ = listed->front();
  }

  const Context context_ = Context::Background();
  PluginHost host_{{}};
  std::shared_ptr<ArchiveDestination> archives_;
  Manifest manifest_;
};

INSTANTIATE_TEST_SUITE_P(Past, GoldenArchiveTest, testing::Values("repo_v1"),
                         [](const auto& version) { return version.param; });

TEST_P(GoldenArchiveTest, VerifiesAndTellsWhatItHolds) {
  const auto verified =
      archives_->Verify(context_, manifest_.backup_id(), nullptr);
  ASSERT_TRUE(verified.ok()) << verified.status();
  EXPECT_EQ(verified->store_id(), kGoldenStoreId);
  EXPECT_EQ(verified->store_kind(), "memory");
  EXPECT_GT(verified->segments_size(), 2);
  EXPECT_EQ(verified->warnings(0).code(), "golden");
  EXPECT_EQ(verified->engine_metadata().at("golden.key"), "\"value\"\n");
  std::vector<std::string> ids;
  ASSERT_TRUE(archives_
                  ->ForEachPayloadId(context_, manifest_.backup_id(),
                                     [&](absl::string_view id) {
                                       ids.emplace_back(id);
                                       return absl::OkStatus();
                                     })
                  .ok());
  EXPECT_THAT(ids, ElementsAre("block-1", "block-2", "block-3"));
}

TEST_P(GoldenArchiveTest, RestoresByteForByte) {
  const auto restored = MemoryStore::Create("");
  ASSERT_TRUE(restored.ok());
  const auto target =
      host_.AdoptSource("memory", sdk::WrapSource(MakeMemorySource(*restored)));
  ASSERT_TRUE(target.ok()) << target.status();
  FakeJobStore jobs;
  BackupRepo repo;
  repo.set_id(manifest_.repo_id());
  const RestoreResult result = Executor(&jobs, Clock::Real())
                                   .RunRestore(context_, *target, archives_,
                                               repo, manifest_.backup_id(), {});
  ASSERT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ((*restored)->store_id(), kGoldenStoreId);
  std::vector<std::pair<std::string, std::string>> expected;
  for (const GoldenEntry& entry : GoldenEntries()) {
    expected.emplace_back(entry.key, entry.value);
  }
  std::vector<std::pair<std::string, std::string>> found;
  (*restored)->Scan("", "", [&](const MemoryEntry& entry) {
    found.emplace_back(entry.key, entry.value);
    return true;
  });
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace sluice
