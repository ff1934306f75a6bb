#include "sluice/plugins/badger/restore/restore.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/plugins/badger/image/image.h"
#include "sluice/plugins/badger/restore/restore_publish.h"
#include "sluice/plugins/badger/stream/live_digest.h"
#include "sluice/plugins/badger/testing/fake_payload.h"
#include "sluice/plugins/badger/testing/fixture.h"

namespace sluice {
namespace badger {
namespace {

constexpr uint64_t kLiveAt = 1800000000;
using Names = std::set<std::string>;

// Full and incremental, as Badger 4.8 made them.
struct Chain {
  std::string full;
  std::string increment;
  Listings expected;
};

const Chain& BadgersChain() {
  static const Chain* const kChain = [] {
    const Fixture fixture("v4-restored");
    return new Chain{ReadBytes(fixture.folder() + "/../full.bak"),
                     ReadBytes(fixture.folder() + "/../incr.bak"),
                     fixture.Expected()};
  }();
  return *kChain;
}

class RestoreTest : public testing::Test {
 protected:
  RestoreTest() {
    std::string root = testing::TempDir() + "/restore-XXXXXX";
    root_ = mkdtemp(root.data()) == nullptr ? "" : root;
    options_.stager.live_at = kLiveAt;
  }
  ~RestoreTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  std::string target() const { return root_ + "/db"; }

  absl::StatusOr<RestoreTotals> Restore(std::vector<FakePayload> payloads,
                                        const sdk::Run& run = {}) const {
    std::vector<sdk::Payload*> chain;
    for (FakePayload& payload : payloads) chain.push_back(&payload);
    return RestoreDirectory(FileSystem::Posix(), target(), options_, run,
                            chain);
  }

  Listings ListTarget() const {
    ImageOptions options;
    options.folder = target();
    const absl::StatusOr<Listings> listings = List(options);
    EXPECT_TRUE(listings.ok()) << listings.status();
    return listings.ok() ? *listings : Listings();
  }

  Names NamesInTarget() const {
    Names names;
    for (const auto& entry : std::filesystem::directory_iterator(target())) {
      names.insert(entry.path().filename());
    }
    return names;
  }

  RestoreOptions options_;
  std::string root_;
};

class RestoreFormatTest
    : public RestoreTest,
      public testing::WithParamInterface<std::tuple<DiskFormat, Compression>> {
};

INSTANTIATE_TEST_SUITE_P(All, RestoreFormatTest,
                         testing::Combine(testing::Values(DiskFormat::kBadger4,
                                                          DiskFormat::kBadger2),
                                          testing::Values(Compression::kNone,
                                                          Compression::kSnappy,
                                                          Compression::kZstd)));

TEST_P(RestoreFormatTest, AChainOfBadgersIsListedAsBadgerListsIt) {
  std::tie(options_.stager.directory.table.format,
           options_.stager.directory.table.compression) = GetParam();
  const Chain& chain = BadgersChain();
  const auto totals =
      Restore({FakePayload(chain.full), FakePayload(chain.increment)});
  ASSERT_TRUE(totals.ok()) << totals.status();
  const Listings listings = ListTarget();
  EXPECT_EQ(listings.live, chain.expected.live);
  EXPECT_EQ(listings.versions, chain.expected.versions);
  EXPECT_EQ(totals->entries, chain.expected.versions.size());
  EXPECT_EQ(totals->live.keys, chain.expected.live.size());
  EXPECT_EQ(totals->tables,
            std::get<0>(GetParam()) == DiskFormat::kBadger4 ? 1u : 2u);
  Names wanted = {"000001.sst", "MANIFEST"};
  if (std::get<0>(GetParam()) == DiskFormat::kBadger2) {
    wanted.insert({"000002.sst", "000000.vlog"});
  }
  EXPECT_EQ(NamesInTarget(), wanted);
}

TEST_F(RestoreTest, AStreamInAnyOrderGivesTheSameInLittleMemory) {
  const Chain& chain = BadgersChain();
  std::vector<OwnedEntry> entries = EntriesOf(chain.full);
  for (OwnedEntry& entry : EntriesOf(chain.increment)) {
    entries.push_back(std::move(entry));
  }
  const uint32_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  std::mt19937 random(seed);
  std::shuffle(entries.begin(), entries.end(), random);
  // Some 30 runs in several tiers, and tables of a block.
  options_.stager.memory_bytes = 4096;
  options_.stager.fan_in = 3;
  options_.stager.directory.table_bytes = 4096;
  const auto totals = Restore({FakePayload(StreamOf(entries))});
  ASSERT_TRUE(totals.ok()) << totals.status();
  const Listings listings = ListTarget();
  EXPECT_EQ(listings.live, chain.expected.live);
  EXPECT_EQ(listings.versions, chain.expected.versions);
  EXPECT_GT(totals->tables, 5u);
  EXPECT_EQ(NamesInTarget().size(), totals->tables + 1);
}

TEST_F(RestoreTest, TheLastOfEqualVersionsStays) {
  const std::string first =
      StreamOf({{"a", "old", 3}, {"b", "old", 3}, {"b", "newer", 3}});
  const std::string second = StreamOf({{"a", "newer", 3}, {"c", "only", 1}});
  for (const size_t memory_bytes : {size_t{1}, size_t{1} << 20}) {
    options_.stager.memory_bytes = memory_bytes;
    ASSERT_TRUE(Restore({FakePayload(first), FakePayload(second)}).ok());
    const Listings listings = ListTarget();
    ASSERT_EQ(listings.versions.size(), 3u);
    EXPECT_TRUE(absl::StrContains(listings.versions[0], " 5 "));
    EXPECT_TRUE(absl::StrContains(listings.versions[1], " 5 "));
    std::filesystem::remove_all(target());
  }
}

TEST_F(RestoreTest, KeepsAllVersionsOfAKeyInOneTable) {
  std::vector<OwnedEntry> entries;
  for (uint64_t version = 200; version > 0; --version) {
    entries.push_back({"a", std::string(500, 'v'), version});
  }
  entries.push_back({"b", "next", 7});
  options_.stager.directory.table_bytes = 1000;
  options_.stager.directory.table.compression = Compression::kNone;
  const auto totals = Restore({FakePayload(StreamOf(entries))});
  ASSERT_TRUE(totals.ok()) << totals.status();
  EXPECT_EQ(totals->tables, 2u);
  EXPECT_EQ(totals->max_version, 200u);
  EXPECT_EQ(ListTarget().versions.size(), 201u);
}

TEST_F(RestoreTest, AStreamOfNothingGivesAnEmptyDatabase) {
  for (const DiskFormat format : {DiskFormat::kBadger4, DiskFormat::kBadger2}) {
    options_.stager.directory.table.format = format;
    ASSERT_TRUE(Restore({FakePayload("")}).ok());
    EXPECT_EQ(NamesInTarget(), format == DiskFormat::kBadger2
                                   ? (Names{"000000.vlog", "MANIFEST"})
                                   : Names{"MANIFEST"});
    EXPECT_TRUE(ListTarget().versions.empty());
    std::filesystem::remove_all(target());
  }
}

TEST_F(RestoreTest, LargeValuesAreKept) {
  const std::string large(3 << 20, 'v');
  ASSERT_TRUE(
      Restore({FakePayload(StreamOf({{"b", large, 2}, {"a", large, 1}}))})
          .ok());
  EXPECT_EQ(ListTarget().live.size(), 2u);
}

TEST_F(RestoreTest, AFolderWithAnythingInItIsRefusedAndLeftAlone) {
  std::filesystem::create_directory(target());
  WriteBytes(target() + "/a file", "mine");
  EXPECT_FALSE(*IsEmptyTarget(FileSystem::Posix(), target()));
  const auto totals = Restore({FakePayload(BadgersChain().full)});
  EXPECT_EQ(ErrorCodeOf(totals.status()), kRestorePreconditionFailed);
  EXPECT_EQ(NamesInTarget(), Names{"a file"});
  // Nor where it says the name of a table, or of our folder.
  std::filesystem::rename(target() + "/a file", target() + "/000001.sst");
  EXPECT_FALSE(*IsEmptyTarget(FileSystem::Posix(), target()));
  std::filesystem::rename(target() + "/000001.sst",
                          target() + "/.sluice-restore");
  EXPECT_FALSE(*IsEmptyTarget(FileSystem::Posix(), target()));
}

TEST_F(RestoreTest, AFreshMountPointIsEmpty) {
  std::filesystem::create_directories(target() + "/lost+found");
  EXPECT_TRUE(*IsEmptyTarget(FileSystem::Posix(), target()));
  ASSERT_TRUE(Restore({FakePayload(BadgersChain().full)}).ok());
  EXPECT_EQ(NamesInTarget(), (Names{"000001.sst", "MANIFEST", "lost+found"}));
}

TEST_F(RestoreTest, AFolderThatCannotBeMadeIsUnavailable) {
  EXPECT_TRUE(*IsEmptyTarget(FileSystem::Posix(), target()));
  const std::string nowhere = root_ + "/absent/db";
  EXPECT_EQ(ErrorCodeOf(IsEmptyTarget(FileSystem::Posix(), nowhere).status()),
            kSourceUnavailable);
  FakePayload payload("");
  sdk::Payload* const chain[] = {&payload};
  EXPECT_EQ(ErrorCodeOf(RestoreDirectory(FileSystem::Posix(), nowhere, options_,
                                         sdk::Run(), chain)
                            .status()),
            kSourceUnavailable);
}

TEST_F(RestoreTest, NothingIsVisibleOfAChainWhoseLastByteIsWrong) {
  const Chain& chain = BadgersChain();
  const absl::Status wrong = MakeError(absl::StatusCode::kDataLoss,
                                       kArchiveDamaged, "its hash differs");
  const std::string cut = chain.increment.substr(0, chain.increment.size() - 1);
  for (const bool there : {false, true}) {
    if (there) std::filesystem::create_directory(target());
    for (const FakePayload& last :
         {FakePayload(chain.increment, 1000, wrong), FakePayload(cut)}) {
      const auto totals = Restore({FakePayload(chain.full), last});
      EXPECT_EQ(ErrorCodeOf(totals.status()), kArchiveDamaged);
      EXPECT_EQ(std::filesystem::exists(target()), there);
      if (there) {
        EXPECT_EQ(NamesInTarget(), Names());
      }
    }
  }
}

TEST_F(RestoreTest, ACancelLeavesNothing) {
  // Each time one look later, until a restore passes.
  options_.stager.memory_bytes = 4096;
  int looks = 0;
  int allowed = 0;
  while (true) {
    struct State {
      int looks = 0;
      int allowed = 0;
    } state{0, allowed};
    const sluice_run table = {sizeof(sluice_run), &state, [](void* self) {
                                State& s = *static_cast<State*>(self);
                                return uint32_t{++s.looks > s.allowed};
                              }};
    const auto totals =
        Restore({FakePayload(BadgersChain().full, 20000)}, sdk::Run(&table));
    looks = state.looks;
    if (totals.ok()) break;
    ASSERT_EQ(ErrorCodeOf(totals.status()), kCancelled);
    ASSERT_FALSE(std::filesystem::exists(target()));
    ++allowed;
  }
  EXPECT_GT(looks, 5);
}

TEST_F(RestoreTest, CompanionsAppearWithTheDirectory) {
  options_.companions = {{"sluice-store.json", "{}"}};
  ASSERT_TRUE(Restore({FakePayload(BadgersChain().full)}).ok());
  EXPECT_EQ(ReadBytes(target() + "/sluice-store.json"), "{}");
}

TEST_F(RestoreTest, AChainThatLostATombstoneIsRefused) {
  const Chain& chain = BadgersChain();
  const auto all =
      Restore({FakePayload(chain.full), FakePayload(chain.increment)});
  ASSERT_TRUE(all.ok()) << all.status();
  std::filesystem::remove_all(target());

  options_.expected = all->live;
  EXPECT_TRUE(
      Restore({FakePayload(chain.increment), FakePayload(chain.full)}).ok());
  std::filesystem::remove_all(target());

  // As compaction would: a key whose newest version is a tombstone that only
  // the increment has.
  std::vector<OwnedEntry> entries = EntriesOf(chain.increment);
  std::set<std::string> in_full;
  for (const OwnedEntry& entry : EntriesOf(chain.full)) {
    if (entry.View().deleted()) continue;
    in_full.insert(entry.key);
  }
  const auto tombstone = std::find_if(
      entries.begin(), entries.end(), [&](const OwnedEntry& entry) {
        return entry.View().deleted() && in_full.count(entry.key) > 0;
      });
  ASSERT_NE(tombstone, entries.end());
  entries.erase(tombstone);
  const auto less =
      Restore({FakePayload(chain.full), FakePayload(StreamOf(entries))});
  EXPECT_EQ(ErrorCodeOf(less.status()), kRestorePreconditionFailed);
  EXPECT_TRUE(absl::StrContains(less.status().message(), "live keys"));
  EXPECT_FALSE(std::filesystem::exists(target()));
}

TEST(LiveDigestTest, CountsTheNewestVersionsThatAreAlive) {
  LiveDigest digest(100);
  for (const OwnedEntry& entry :
       std::vector<OwnedEntry>{{"a", "1", 5},
                               {"a", "0", 4},
                               {"b", "", 9, 0, 0, kMetaDelete},
                               {"b", "1", 8},
                               {"c", "1", 2, 100},
                               {"d", "1", 2, 101}}) {
    digest.Add(entry.View());
  }
  EXPECT_EQ(digest.totals().keys, 2u);
  // Archives before the content digest have one of keys and versions only.
  LiveDigest other(100);
  other.Add({"d", "x", 2, 200, 1, 0});
  other.Add({"a", "x", 5, 0, 0, kMetaMergeEntry});
  EXPECT_EQ(digest.totals().digest, other.totals().digest);
  EXPECT_FALSE(digest.totals().Equals(other.totals()));
  LiveTotals old = other.totals();
  old.content.clear();
  EXPECT_TRUE(digest.totals().Equals(old));
  LiveDigest older(100);
  older.Add({"a", "1", 4, 0, 0, 0});
  older.Add({"d", "1", 2, 101, 0, 0});
  EXPECT_FALSE(digest.totals().Equals(older.totals()));
}

TEST(LiveDigestTest, HoldsAllThatThereIsToAVersionAndWhatIsMergedIntoIt) {
  const OwnedEntry entry = {"a", "1", 5, 200, 1, kMetaMergeEntry};
  std::vector<OwnedEntry> others(5, entry);
  others[0].key = "b";
  others[1].value = "2";
  others[2].user_meta = 2;
  others[3].expires_at = 201;
  others[4].meta = 0;
  const auto content_of = [](const std::vector<OwnedEntry>& entries) {
    LiveDigest digest(100);
    for (const OwnedEntry& each : entries) digest.Add(each.View());
    return digest.totals().content;
  };
  for (const OwnedEntry& other : others) {
    EXPECT_NE(content_of({entry}), content_of({other}));
  }
  const OwnedEntry below = {"a", "0", 4};
  const OwnedEntry lowest = {"a", "0", 3};
  EXPECT_NE(content_of({entry}), content_of({entry, below}));
  EXPECT_EQ(content_of({entry, below, lowest}), content_of({entry, below}));
}

}  // namespace
}  // namespace badger
}  // namespace sluice
