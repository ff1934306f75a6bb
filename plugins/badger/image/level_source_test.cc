#include "sluice/plugins/badger/image/level_source.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/badger/format/manifest.h"
#include "sluice/plugins/badger/format/table.h"
#include "sluice/plugins/badger/testing/fixture.h"

namespace sluice {
namespace badger {
namespace {

// The tables of level 6 of a real directory.
class LevelSourceTest : public ::testing::Test {
 protected:
  LevelSourceTest() : fixture_("v4-zstd-levels") {
    auto folder = FileSystem::Posix()->Beneath(fixture_.folder());
    EXPECT_TRUE(folder.ok());
    folder_ = std::move(folder.value);
    const auto manifest =
        ParseManifest(ReadBytes(fixture_.folder() + "/MANIFEST"));
    EXPECT_TRUE(manifest.ok());
    manifest_ = *manifest;
    for (const auto& [id, listed] : manifest_.tables) {
      if (listed.level != 6) continue;
      const auto table = Open(id);
      EXPECT_TRUE(table.ok()) << table.status();
      members_.push_back({id, std::string((*table)->index().BlockAt(0).key)});
    }
    EXPECT_GE(members_.size(), 3u);
  }

  absl::StatusOr<std::unique_ptr<Table>> Open(uint64_t id) {
    ++opened_;
    return Table::Open(*folder_, manifest_.tables.at(id), nullptr,
                       manifest_.version);
  }
  LevelSource Level(std::vector<LevelSource::Member> members) {
    return LevelSource(std::move(members),
                       [this](uint64_t id) { return Open(id); });
  }

  const Fixture fixture_;
  std::unique_ptr<FileSystem> folder_;
  Manifest manifest_;
  std::vector<LevelSource::Member> members_;
  size_t opened_ = 0;
};

// Keys ascend; counts the entries.
absl::StatusOr<uint64_t> Walk(LevelSource& level, absl::string_view from) {
  uint64_t entries = 0;
  std::string last;
  uint64_t last_version = 0;
  absl::Status status = level.Seek(from);
  for (; status.ok() && level.Valid(); status = level.Next()) {
    const InternalKey key = level.key();
    EXPECT_GE(key.user_key, from);
    if (entries > 0) {
      EXPECT_LT(Compare({last, last_version}, key), 0);
    }
    last = std::string(key.user_key);
    last_version = key.version;
    ++entries;
  }
  if (!status.ok()) return status;
  return entries;
}

TEST_F(LevelSourceTest, WalksItsTablesInOrderAndOpensEachOnce) {
  uint64_t expected = 0;
  for (const auto& member : members_) {
    expected += (*Open(member.id))->index().key_count();
  }
  // In whatever order they are listed.
  LevelSource level = Level({members_.rbegin(), members_.rend()});
  opened_ = 0;
  const auto entries = Walk(level, "");
  ASSERT_TRUE(entries.ok()) << entries.status();
  EXPECT_EQ(*entries, expected);
  EXPECT_EQ(opened_, members_.size());
}

TEST_F(LevelSourceTest, SeeksAcrossTables) {
  LevelSource level = Level(members_);
  const auto all = Walk(level, "");
  ASSERT_TRUE(all.ok());
  // The keys of every tenth entry, each a place to begin at.
  std::vector<std::string> keys;
  ASSERT_TRUE(level.Seek("").ok());
  for (uint64_t i = 0; level.Valid(); ++i) {
    if (i % 10 == 0) keys.emplace_back(level.key().user_key);
    ASSERT_TRUE(level.Next().ok());
  }
  for (const std::string& key : keys) {
    ASSERT_TRUE(level.Seek(key).ok());
    ASSERT_TRUE(level.Valid());
    EXPECT_EQ(level.key().user_key, absl::string_view(key));
  }
  ASSERT_TRUE(level.Seek(std::string(100, '\xff')).ok());
  EXPECT_FALSE(level.Valid());
}

TEST_F(LevelSourceTest, RefusesTablesThatOverlap) {
  std::vector<LevelSource::Member> twice = members_;
  twice.push_back(members_.front());
  LevelSource level = Level(std::move(twice));
  EXPECT_EQ(ErrorCodeOf(Walk(level, "").status()), kSourceFailed);
}

TEST_F(LevelSourceTest, OfNoTableIsEmpty) {
  LevelSource level = Level({});
  ASSERT_TRUE(level.Seek("").ok());
  EXPECT_FALSE(level.Valid());
}

}  // namespace
}  // namespace badger
}  // namespace sluice
