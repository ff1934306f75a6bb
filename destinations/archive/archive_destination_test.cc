#include "sluice/destinations/archive/archive_destination.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "sluice/base/error.h"
#include "sluice/base/fake_clock.h"
#include "sluice/destinations/archive/fake_object_store.h"
#include "sluice/destinations/archive/fake_payload.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kRepoId[] = "01ARZ3NDEKTSV4RRFFQ69G5FAA";
constexpr char kId[] = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

class ArchiveDestinationTest : public testing::Test {
 protected:
  ArchiveDestinationTest() {
    RepoInfo repo;
    repo.id = kRepoId;
    EXPECT_TRUE(InitRepo(Context::Background(), *store_, repo).ok());
    options_.repo_id = kRepoId;
    options_.segment_bytes = 10;
    archives_ = ArchiveDestination::Create(store_, &clock_, options_);
  }

  static Manifest NewManifest(const std::string& id) {
    Manifest manifest;
    manifest.set_backup_id(id);
    manifest.set_created_at("2026-11-22T10:00:00.000Z");
    manifest.set_store_id("orders");
    manifest.set_store_kind("memory");
    return manifest;
  }

  FakeClock clock_;
  const Context context_ = Context::Background();
  std::shared_ptr<FakeObjectStore> store_ = std::make_shared<FakeObjectStore>();
  ArchiveOptions options_;
  std::shared_ptr<ArchiveDestination> archives_;
};

TEST_F(ArchiveDestinationTest, GivesBackWhatWasPut) {
  FakePayload payload("the quick brown fox jumps over the lazy dog");
  payload.SetIds({"a", "b"});
  Manifest manifest = NewManifest(kId);
  ASSERT_EQ(archives_->PutBackup(context_, manifest, payload, {}),
            absl::OkStatus());
  EXPECT_EQ(manifest.segments_size(), 5);

  auto listed = archives_->List(context_);
  ASSERT_TRUE(listed.ok()) << listed.status();
  ASSERT_EQ(listed->size(), 1);
  EXPECT_EQ((*listed)[0].backup_id(), kId);

  auto reader = archives_->GetBackup(context_, kId);
  ASSERT_TRUE(reader.ok()) << reader.status();
  auto bytes = ReadAll(**reader);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_EQ(*bytes, "the quick brown fox jumps over the lazy dog");

  EXPECT_EQ(archives_->Verify(context_, kId, nullptr).status(),
            absl::OkStatus());
  EXPECT_EQ(archives_->Delete(context_, kId), absl::OkStatus());
  EXPECT_EQ(ErrorCodeOf(archives_->Stat(context_, kId)), "archive_not_found");
  EXPECT_THAT(store_->misuses(), IsEmpty());
  EXPECT_THAT(store_->uncommitted(), IsEmpty());
}

}  // namespace
}  // namespace sluice
