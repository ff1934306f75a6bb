// Damage to a directory costs an error, or nothing at all: never a listing that
// is not the store's.
//
// Of every fixture every byte of MANIFEST and KEYREGISTRY is flipped, and bytes
// of the other files, drawn from a printed seed; every file is cut, at drawn
// lengths and at all of the short ones, and taken away.
// SLUICE_BADGER_SEED repeats a run, SLUICE_BADGER_DAMAGES sets how many bytes
// and lengths are drawn for each fixture.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/plugins/badger/fixture.h"

namespace sluice {
namespace badger {
namespace {

// Files up to here are flipped and cut everywhere, the others by draw.
constexpr uint64_t kShortBytes = 2048;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  uint64_t value = 0;
  const char* text = getenv(name);
  return text != nullptr && absl::SimpleAtoi(text, &value) ? value : otherwise;
}

uint64_t Seed() {
  static const uint64_t seed = [] {
    const uint64_t drawn =
        FromEnvironment("SLUICE_BADGER_SEED", std::random_device()());
    std::cout << "SLUICE_BADGER_SEED=" << drawn << std::endl;
    return drawn;
  }();
  return seed;
}

// Sanitizers take every eleventh, see .bazelrc.
uint64_t Draws() {
  return std::max<uint64_t>(1, FromEnvironment("SLUICE_BADGER_DAMAGES", 120) /
                                   FromEnvironment("SLUICE_FAULT_STRIDE", 1));
}

struct Counts {
  int errors = 0;
  int same = 0;
  int dangling = 0;
  int earlier = 0;
};

class ImageDamageTest : public ::testing::TestWithParam<std::string> {
 protected:
  ImageDamageTest()
      : fixture_(GetParam()), options_(fixture_.Options()), random_(Seed()) {
    const auto listed = List(options_);
    EXPECT_TRUE(listed.ok()) << listed.status();
    if (listed.ok()) whole_ = *listed;
    stored_.insert(whole_.versions.begin(), whole_.versions.end());
    for (const auto& entry :
         std::filesystem::directory_iterator(fixture_.folder())) {
      files_.push_back(entry.path().filename());
    }
    std::sort(files_.begin(), files_.end());
  }
  ~ImageDamageTest() override {
    std::cout << GetParam() << ": " << counts_.errors << " errors, "
              << counts_.same << " the same, " << counts_.dangling
              << " without an obsolete value, " << counts_.earlier
              << " an earlier state" << std::endl;
  }

  std::string Path(const std::string& file) const {
    return fixture_.folder() + "/" + file;
  }

  // Positions of a file: all of a short one, else as many as are its share.
  std::vector<uint64_t> Positions(uint64_t size) {
    std::vector<uint64_t> positions;
    const uint64_t stride = FromEnvironment("SLUICE_FAULT_STRIDE", 1);
    if (size <= kShortBytes) {
      for (uint64_t at = 0; at < size; at += stride) positions.push_back(at);
      return positions;
    }
    const uint64_t count = Draws() / files_.size() + 1;
    for (uint64_t i = 0; i < count; ++i) {
      positions.push_back(
          std::uniform_int_distribution<uint64_t>(0, size - 1)(random_));
    }
    return positions;
  }

  // Lists the directory as it now is. `may_be_earlier`: a log to replay was
  // cut, so what it held may be missing, as if it had never been written.
  void Check(const std::string& damage, bool may_be_earlier) {
    const auto listed = List(options_);
    if (!listed.ok()) {
      ++counts_.errors;
      EXPECT_TRUE(HasErrorCode(listed.status())) << damage;
      return;
    }
    if (listed->dangling == 0 && listed->versions == whole_.versions) {
      ++counts_.same;
      EXPECT_EQ(listed->live, whole_.live) << damage;
    } else if (may_be_earlier) {
      ++counts_.earlier;
      ExpectStored(listed->versions, damage);
    } else {
      ++counts_.dangling;
      EXPECT_GT(listed->dangling, 0u) << damage << ": another listing";
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
  std::mt19937_64 random_;
  Listings whole_;
  std::set<std::string> stored_;
  std::vector<std::string> files_;
  Counts counts_;
};

void WriteAt(const std::string& path, uint64_t at, const std::string& bytes) {
  const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_GE(file, 0) << path;
  EXPECT_EQ(pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(at)),
            static_cast<ssize_t>(bytes.size()));
  close(file);
}

TEST_P(ImageDamageTest, AFlippedByteCostsAnErrorOrNothing) {
  for (const std::string& file : files_) {
    const std::string whole = ReadBytes(Path(file));
    for (const uint64_t at : Positions(whole.size())) {
      const int bit = std::uniform_int_distribution<int>(0, 7)(random_);
      const char flipped = static_cast<char>(whole[at] ^ (1 << bit));
      WriteAt(Path(file), at, std::string(1, flipped));
      Check(absl::StrCat(file, ", byte ", at, ", bit ", bit), false);
      WriteAt(Path(file), at, std::string(1, whole[at]));
      if (HasFailure()) return;
    }
  }
}

TEST_P(ImageDamageTest, ACutFileCostsAnErrorOrNothing) {
  for (const std::string& file : files_) {
    const std::string whole = ReadBytes(Path(file));
    for (const uint64_t size : Positions(whole.size())) {
      ASSERT_EQ(truncate(Path(file).c_str(), static_cast<off_t>(size)), 0);
      Check(absl::StrCat(file, " cut to ", size), IsReplayed(file));
      ASSERT_EQ(truncate(Path(file).c_str(), static_cast<off_t>(whole.size())),
                0);
      WriteAt(Path(file), size, whole.substr(size));
      if (HasFailure()) return;
    }
  }
}

TEST_P(ImageDamageTest, AMissingFileCostsAnErrorOrNothing) {
  for (const std::string& file : files_) {
    const std::string elsewhere = fixture_.folder() + ".away";
    std::filesystem::rename(Path(file), elsewhere);
    Check(file + " taken away", IsReplayed(file));
    std::filesystem::rename(elsewhere, Path(file));
  }
}

std::string TestName(const ::testing::TestParamInfo<std::string>& fixture) {
  std::string name = fixture.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, ImageDamageTest,
                         ::testing::ValuesIn(FixtureNames()), TestName);

}  // namespace
}  // namespace badger
}  // namespace sluice
