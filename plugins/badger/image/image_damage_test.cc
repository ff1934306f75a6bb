// Damage to a directory costs an error, or nothing at all: never a listing that
// is not the store's.
//
// Of every fixture, every byte of each file under 64 KiB is flipped, and each
// such file is cut at every length; of the others as many bytes and lengths as
// are drawn from a printed seed; and each file is taken away. Most damages are
// judged by the piece that they hit (damage_judge.h). Whole listings are made
// of those that a piece does not tell, of all damages to long files, and of a
// sample of the rest, which holds the judge to them.
// SLUICE_BADGER_SEED repeats a run, SLUICE_BADGER_DAMAGES sets how many are
// drawn for each fixture.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iostream>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/environment.h"
#include "sluice/plugins/badger/testing/damage_judge.h"
#include "sluice/plugins/badger/testing/damaged_folder.h"
#include "sluice/plugins/badger/testing/fixture.h"

namespace sluice {
namespace badger {
namespace {

// Files below are flipped and cut everywhere, the others by draw.
constexpr uint64_t kShortBytes = 64 << 10;

uint64_t Seed() {
  static const uint64_t seed = [] {
    const uint64_t drawn =
        NumberFromEnvironment("SLUICE_BADGER_SEED", std::random_device()());
    std::cout << "SLUICE_BADGER_SEED=" << drawn << std::endl;
    return drawn;
  }();
  return seed;
}

uint64_t Draws() {
  return std::max<uint64_t>(
      1, NumberFromEnvironment("SLUICE_BADGER_DAMAGES", 120) / FaultStride());
}

struct Counts {
  uint64_t damages = 0;  // tried
  uint64_t errors = 0;
  uint64_t same = 0;
  uint64_t dangling = 0;
  uint64_t earlier = 0;
  uint64_t judged = 0;  // by their piece alone
};

class ImageDamageTest : public ::testing::TestWithParam<std::string> {
 protected:
  ImageDamageTest()
      : fixture_(GetParam()),
        options_(fixture_.Options()),
        folder_(FilesOf(fixture_.folder())),
        judge_(folder_, options_),
        random_(Seed()) {
    const auto listed = List(folder_, options_);
    EXPECT_TRUE(listed.ok()) << listed.status();
    if (listed.ok()) whole_ = *listed;
    stored_.insert(whole_.versions.begin(), whole_.versions.end());
  }
  ~ImageDamageTest() override {
    std::cout << GetParam() << ": " << counts_.damages
              << " damages: " << counts_.judged
              << " judged by their piece; of the others " << counts_.errors
              << " errors, " << counts_.same << " the same, "
              << counts_.dangling << " without an obsolete value, "
              << counts_.earlier << " an earlier state" << std::endl;
  }

  uint64_t Draw(uint64_t bound) {
    return std::uniform_int_distribution<uint64_t>(0, bound - 1)(random_);
  }

  // Positions of a file: all of a short one, else as many as are its share.
  std::vector<uint64_t> Positions(uint64_t size) {
    std::vector<uint64_t> positions;
    if (size < kShortBytes) {
      const uint64_t step =
          size < 2048 ? FaultStride() : FaultStride() * FaultStride();
      for (uint64_t at = 0; at < size; at += step) positions.push_back(at);
      return positions;
    }
    const uint64_t count = Draws() / folder_.files().size() + 1;
    for (uint64_t i = 0; i < count; ++i) positions.push_back(Draw(size));
    return positions;
  }

  // One damage that has been done; `verdict` is the judge's.
  void Check(Verdict verdict, bool may_be_earlier,
             const std::function<std::string()>& damage) {
    ++counts_.damages;
    const bool is_told = verdict != Verdict::kUnknown;
    // Of what is told, one in so many is listed nevertheless.
    constexpr uint64_t kListedOf = 500;
    if (is_told && Draw(kListedOf) != 0) {
      ++counts_.judged;
      return;
    }
    const uint64_t errors = counts_.errors;
    const uint64_t same = counts_.same;
    CheckListing(damage(), may_be_earlier);
    const bool was_error = counts_.errors > errors;
    const bool was_same = counts_.same > same;
    const bool as_told = verdict == Verdict::kError  ? was_error
                         : verdict == Verdict::kSame ? was_same
                         : verdict == Verdict::kErrorOrSame
                             ? was_error || was_same
                             : true;
    EXPECT_TRUE(as_told) << damage() << " is not what its piece says";
  }

  // Lists the directory as it now is. `may_be_earlier`: a log to replay was
  // cut, so what it held may be missing, as if it had never been written.
  void CheckListing(const std::string& damage, bool may_be_earlier) {
    const auto listed = List(folder_, options_);
    if (!listed.ok()) {
      ++counts_.errors;
      EXPECT_TRUE(HasErrorCode(listed.status())) << damage;
      return;
    }
    if (listed->dangling == whole_.dangling &&
        listed->versions == whole_.versions) {
      ++counts_.same;
      EXPECT_EQ(listed->live, whole_.live) << damage;
    } else if (may_be_earlier) {
      ++counts_.earlier;
      ExpectStored(listed->versions, damage);
    } else {
      ++counts_.dangling;
      EXPECT_GT(listed->dangling, whole_.dangling)
          << damage << ": another listing";
      ASSERT_EQ(listed->versions.size(), whole_.versions.size()) << damage;
      EXPECT_EQ(listed->live, whole_.live) << damage;
      ExpectStored(listed->versions, damage);
    }
  }

  void ExpectStored(const Listing& versions, const std::string& damage) const {
    for (const std::string& version : versions) {
      EXPECT_TRUE(version == "dangling" || stored_.count(version) > 0)
          << damage << ": " << version;
    }
  }

  bool IsReplayed(const std::string& file) const {
    return absl::EndsWith(file, ".mem") ||
           (absl::StartsWith(GetParam(), "v2") &&
            absl::EndsWith(file, ".vlog"));
  }

  const Fixture fixture_;
  const ImageOptions options_;
  DamagedFolder folder_;
  DamageJudge judge_;
  std::mt19937_64 random_;
  Listings whole_;
  std::set<std::string> stored_;
  Counts counts_;
};

TEST_P(ImageDamageTest, AFlippedByteCostsAnErrorOrNothing) {
  for (const auto& [file, bytes] : folder_.files()) {
    const std::string& name = file;
    for (const uint64_t at : Positions(bytes.size())) {
      const uint64_t bit = Draw(8);
      folder_.Flip(name, at, static_cast<uint8_t>(1 << bit));
      Check(judge_.OfFlip(name, at), false,
            [&] { return absl::StrCat(name, ", byte ", at, ", bit ", bit); });
      if (HasFailure()) return;
    }
  }
}

TEST_P(ImageDamageTest, ACutFileCostsAnErrorOrNothing) {
  for (const auto& [file, bytes] : folder_.files()) {
    const std::string& name = file;
    for (const uint64_t size : Positions(bytes.size())) {
      folder_.Cut(name, size);
      Check(judge_.OfCut(name, size), IsReplayed(name),
            [&] { return absl::StrCat(name, " cut to ", size); });
      if (HasFailure()) return;
    }
  }
}

TEST_P(ImageDamageTest, AMissingFileCostsAnErrorOrNothing) {
  for (const auto& file : folder_.files()) {
    folder_.Remove(file.first);
    ++counts_.damages;
    CheckListing(file.first + " taken away", IsReplayed(file.first));
  }
}

INSTANTIATE_TEST_SUITE_P(All, ImageDamageTest,
                         ::testing::ValuesIn(FixtureNames()), FixtureTestName);

}  // namespace
}  // namespace badger
}  // namespace sluice
