// A walk reads values together and ahead of what it shows. Here each fixture is
// also walked one version after the other, as simply as can be: the entries,
// the totals and the error, if there is one, must be the same, from files that
// are in memory, from such that must be waited for, and from damaged ones.
// SLUICE_BADGER_SEED repeats a run.

#include "sluice/plugins/badger/stream/backup_walk.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/file_system.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/testing/environment.h"
#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/image/image.h"
#include "sluice/plugins/badger/image/version_reader.h"
#include "sluice/plugins/badger/sort/stream_entry.h"
#include "sluice/plugins/badger/stream/live_digest.h"
#include "sluice/plugins/badger/testing/damaged_folder.h"
#include "sluice/plugins/badger/testing/fixture.h"
#include "sluice/plugins/badger/wire/image_error.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice {
namespace badger {
namespace {

constexpr uint64_t kNow = 1800000000;

// What a walk showed, a line each, and how it ended.
struct Shown {
  std::vector<std::string> lines;

  void Add(const StreamEntry& entry) {
    lines.push_back(absl::StrCat(Describe({entry.key, entry.version}), " ",
                                 entry.value, " ", entry.expires_at, " ",
                                 entry.user_meta, " ", entry.meta));
  }
  void End(const absl::StatusOr<WalkTotals>& totals) {
    if (!totals.ok()) {
      lines.push_back(absl::StrCat(ErrorCodeOf(totals.status()), ": ",
                                   totals.status().message()));
      return;
    }
    lines.push_back(absl::StrCat(
        totals->keys, " ", totals->versions, " ", totals->bytes, " ",
        totals->max_version, " ", totals->values_gone, " ", totals->live.keys,
        " ", totals->live.digest, " ", totals->live.content));
  }
};

// What `walk` shows of an image, and how it ends.
template <typename WalkFunction>
Shown ShownBy(FileSystem& files, const ImageOptions& options,
              const WalkFunction& walk) {
  Shown shown;
  const auto image = Image::Open(files, options);
  if (!image.ok()) {
    shown.End(image.status());
    return shown;
  }
  const auto versions = (*image)->ReadVersions();
  if (!versions.ok()) {
    shown.End(versions.status());
    return shown;
  }
  shown.End(walk(**versions, shown));
  return shown;
}

Shown Walk(FileSystem& files, const ImageOptions& options) {
  return ShownBy(files, options, [&](VersionReader& versions, Shown& shown) {
    return WalkBackup(versions, {kNow}, sdk::Run(),
                      [&](const StreamEntry& entry) {
                        shown.Add(entry);
                        return absl::OkStatus();
                      });
  });
}

// Entries without what value logs hold, and totals.
Shown WalkOfFronts(FileSystem& files, const ImageOptions& options,
                   bool with_log_values) {
  return ShownBy(files, options, [&](VersionReader& versions, Shown& shown) {
    WalkOptions walk;
    walk.now = kNow;
    walk.with_live_totals = false;
    walk.with_log_values = with_log_values;
    auto totals =
        WalkBackup(versions, walk, sdk::Run(), [&](StreamEntry entry) {
          entry.value = "";
          shown.Add(entry);
          return absl::OkStatus();
        });
    if (totals.ok()) totals->bytes = 0;
    return totals;
  });
}

// The same, one version after the other.
class SimpleWalk {
 public:
  SimpleWalk(VersionReader& versions, Shown& shown)
      : versions_(versions), shown_(shown), digest_(kNow) {}

  absl::StatusOr<WalkTotals> Run() {
    while (versions_.Valid()) {
      SLUICE_RETURN_IF_ERROR(Take());
      SLUICE_RETURN_IF_ERROR(versions_.Next());
    }
    totals_.live = digest_.totals();
    return totals_;
  }

 private:
  absl::Status Take() {
    StreamEntry entry;
    const bool is_newest = totals_.max_version == 0 || versions_.key() != key_;
    key_ = std::string(versions_.key());
    entry.key = key_;
    entry.version = versions_.version();
    entry.expires_at = versions_.expires_at();
    entry.user_meta = versions_.user_meta();
    entry.meta = versions_.meta();
    totals_.max_version = std::max(totals_.max_version, entry.version);
    const bool is_dead =
        entry.deleted() || (entry.expires_at != 0 && entry.expires_at <= kNow);
    const bool discards = (entry.meta & kMetaDiscardEarlier) != 0;
    if (!is_newest && has_ended_) return absl::OkStatus();
    has_ended_ = is_dead || discards;
    std::string value;
    const absl::Status status =
        is_dead ? absl::OkStatus() : versions_.ReadValue(value);
    if (IsDangling(status) && !is_newest) {
      ++totals_.values_gone;
      return absl::OkStatus();
    }
    SLUICE_RETURN_IF_ERROR(status);
    entry.value = value;
    if (is_newest) ++totals_.keys;
    Give(entry);
    if (is_dead || !discards || entry.version <= 1) return status;
    StreamEntry tombstone;
    tombstone.key = key_;
    tombstone.version = entry.version - 1;
    tombstone.meta = kMetaDelete;
    Give(tombstone);
    return absl::OkStatus();
  }

  void Give(const StreamEntry& entry) {
    ++totals_.versions;
    totals_.bytes += entry.key.size() + entry.value.size();
    digest_.Add(entry);
    shown_.Add(entry);
  }

  VersionReader& versions_;
  Shown& shown_;
  LiveDigest digest_;
  WalkTotals totals_;
  std::string key_;
  bool has_ended_ = false;
};

Shown WalkSimply(FileSystem& files, const ImageOptions& options) {
  return ShownBy(files, options, [&](VersionReader& versions, Shown& shown) {
    return SimpleWalk(versions, shown).Run();
  });
}

class BackupWalkTest : public ::testing::TestWithParam<std::string> {
 protected:
  BackupWalkTest() : fixture_(GetParam()), options_(fixture_.Options()) {}

  Fixture fixture_;
  ImageOptions options_;
};

TEST_P(BackupWalkTest, ShowsWhatIsInMemoryAsOneAfterTheOther) {
  EXPECT_EQ(Walk(*FileSystem::Posix(), options_).lines,
            WalkSimply(*FileSystem::Posix(), options_).lines);
}

// Files without a descriptor: every value is waited for.
TEST_P(BackupWalkTest, ShowsWhatItWaitsForAsOneAfterTheOther) {
  DamagedFolder folder(FilesOf(fixture_.folder()));
  EXPECT_EQ(Walk(folder, options_).lines,
            WalkSimply(*FileSystem::Posix(), options_).lines);
}

TEST_P(BackupWalkTest, ShowsAndTellsOfDamageAsOneAfterTheOther) {
  // Of each file; fewer where sanitizers run, see .bazelrc.
  const uint64_t damages = 24 / std::min<uint64_t>(FaultStride(), 12);
  const uint64_t seed =
      NumberFromEnvironment("SLUICE_BADGER_SEED", std::random_device()());
  std::cout << "SLUICE_BADGER_SEED=" << seed << std::endl;
  DamagedFolder folder(FilesOf(fixture_.folder()));
  std::mt19937_64 random(seed);
  int failed = 0;
  for (const auto& [name, bytes] : folder.files()) {
    for (uint64_t i = 0; i < damages && bytes.size() > 1; ++i) {
      const uint64_t at = random() % bytes.size();
      if (i % 4 == 1) {
        folder.Cut(name, at);
      } else {
        folder.Flip(name, at, static_cast<uint8_t>(1 << random() % 8));
      }
      const Shown shown = Walk(folder, options_);
      EXPECT_EQ(shown.lines, WalkSimply(folder, options_).lines)
          << name << " at " << at << ", damage " << i;
      failed += shown.lines.back().find(std::string(kSourceFailed)) !=
                std::string::npos;
    }
    folder.Remove(name);
    EXPECT_EQ(Walk(folder, options_).lines, WalkSimply(folder, options_).lines)
        << name << " is gone";
  }
  EXPECT_GT(failed, 0);
}

INSTANTIATE_TEST_SUITE_P(All, BackupWalkTest,
                         ::testing::ValuesIn(FixtureNames()), FixtureTestName);

// A value that is not there is found out so, too, and one of another key.
TEST(BackupWalkOfFrontsTest, ShowsTheSameEntriesAndWhatIsGone) {
  for (const std::string& name : FixtureNames()) {
    const Fixture fixture(name);
    FileSystem& files = *FileSystem::Posix();
    EXPECT_EQ(WalkOfFronts(files, fixture.Options(), false).lines,
              WalkOfFronts(files, fixture.Options(), true).lines)
        << name;
  }
}

}  // namespace
}  // namespace badger
}  // namespace sluice
