// Directories that Debian's badger tool (2.2007, format 7) makes under load and
// is killed at: what we list of them is what the tool itself backs up of them.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/image/image.h"
#include "sluice/plugins/badger/sort/stream_entry.h"
#include "sluice/plugins/badger/stream/backup_stream_reader.h"
#include "sluice/plugins/badger/testing/fixture.h"

namespace sluice {
namespace badger {
namespace {

struct Newest {
  uint64_t version = 0;
  std::string value;
  int user_meta = 0;

  bool operator==(const Newest& other) const {
    return version == other.version && value == other.value &&
           user_meta == other.user_meta;
  }
};
using LiveKeys = std::map<std::string, Newest>;

// The newest version of each key is the first that is seen. (The bank neither
// deletes nor lets expire.)
LiveKeys OurLiveKeys(const std::string& folder) {
  LiveKeys live;
  ImageOptions options;
  options.folder = folder;
  const auto image = Image::Open(*FileSystem::Posix(), options);
  EXPECT_TRUE(image.ok()) << image.status();
  if (!image.ok()) return live;
  const auto reader = (*image)->ReadVersions();
  EXPECT_TRUE(reader.ok()) << reader.status();
  while (reader.ok() && (*reader)->Valid()) {
    Newest entry;
    entry.version = (*reader)->version();
    entry.user_meta = (*reader)->user_meta();
    EXPECT_TRUE((*reader)->ReadValue(entry.value).ok());
    live.emplace(std::string((*reader)->key()), entry);
    const absl::Status status = (*reader)->Next();
    EXPECT_TRUE(status.ok()) << status;
    if (!status.ok()) break;
  }
  return live;
}

LiveKeys LiveKeysOfStream(const std::string& stream) {
  LiveKeys live;
  BackupStreamReader reader([&live](const StreamEntry& entry) {
    Newest& newest = live[std::string(entry.key)];
    if (entry.version >= newest.version) {
      newest = {entry.version, std::string(entry.value), entry.user_meta};
    }
    return absl::OkStatus();
  });
  EXPECT_TRUE(reader.Feed(stream).ok());
  EXPECT_TRUE(reader.Finish().ok());
  return live;
}

class ImageToolTest : public ::testing::Test {
 protected:
  ImageToolTest() {
    std::string root = ::testing::TempDir() + "/bank-XXXXXX";
    root_ = mkdtemp(root.data()) == nullptr ? "" : root;
    EXPECT_NE(root_, "");
  }
  ~ImageToolTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  int Run(const std::string& command) const {
    const std::string log = root_ + "/log";
    return system(absl::StrCat(command, " > ", log, " 2>&1").c_str());
  }

  std::string root_;
};

TEST_F(ImageToolTest, ListsABankThatWasKilledAsTheToolItselfDoes) {
  const uint32_t seed = std::random_device()();
  std::cout << "seed " << seed << std::endl;
  std::mt19937 random(seed);
  const std::string folder = root_ + "/db";
  for (int round = 0; round < 3; ++round) {
    // What a round leaves, and its log, the next one goes on with.
    const int tenths = std::uniform_int_distribution<int>(12, 24)(random);
    Run(absl::StrCat("timeout -s KILL ", tenths / 10, ".", tenths % 10,
                     " badger bank test -d 60s --dir ", folder));
    const LiveKeys ours = OurLiveKeys(folder);
    EXPECT_GE(ours.size(), 10000u);
    // The tool opens the directory for writing.
    const std::string stream = root_ + "/stream";
    ASSERT_EQ(Run(absl::StrCat("badger backup --dir ", folder, " -f ", stream)),
              0)
        << ReadBytes(root_ + "/log");
    EXPECT_EQ(ours, LiveKeysOfStream(ReadBytes(stream)));
    EXPECT_EQ(ours, OurLiveKeys(folder));
  }
}

}  // namespace
}  // namespace badger
}  // namespace sluice
