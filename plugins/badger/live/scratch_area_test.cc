#include "sluice/plugins/badger/live/scratch_area.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include "sluice/base/error.h"

namespace sluice {
namespace badger {
namespace {

class ScratchAreaTest : public testing::Test {
 protected:
  ScratchAreaTest() {
    std::string root = testing::TempDir() + "/area-XXXXXX";
    root_ = mkdtemp(root.data()) == nullptr ? "" : root;
  }
  ~ScratchAreaTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  std::string root_;
};

TEST_F(ScratchAreaTest, IsItsOwnersAloneAndGoneWithIt) {
  auto area = ScratchArea::Create(root_, {});
  ASSERT_TRUE(area.ok()) << area.status();
  const std::string path = (*area)->path();
  struct stat info;
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700u);
  std::ofstream(path + "/file") << "x";
  area->reset();
  EXPECT_TRUE(std::filesystem::is_empty(root_));
}

TEST_F(ScratchAreaTest, RemovesWhatAKilledProcessLeftAndNotWhatIsInUse) {
  auto mine = ScratchArea::Create(root_, {});
  ASSERT_TRUE(mine.ok());
  const pid_t child = fork();
  if (child == 0) {
    auto area = ScratchArea::Create(root_, {});
    std::ofstream((*area)->path() + "/file") << "x";
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  std::filesystem::create_directory(root_ + "/other");
  const auto count = [this] {
    return std::distance(std::filesystem::directory_iterator(root_), {});
  };
  EXPECT_EQ(count(), 3);
  auto next = ScratchArea::Create(root_, {});
  ASSERT_TRUE(next.ok());
  EXPECT_EQ(count(), 3);
  EXPECT_TRUE(std::filesystem::exists((*mine)->path()));
  EXPECT_TRUE(std::filesystem::exists(root_ + "/other"));
}

TEST_F(ScratchAreaTest, IsNeverInTheDatabase) {
  std::filesystem::create_directories(root_ + "/db/deep");
  std::filesystem::create_directory_symlink(root_ + "/db", root_ + "/link");
  for (const std::string parent : {"/db", "/db/deep", "/link/deep", "/link"}) {
    EXPECT_EQ(
        ErrorCodeOf(
            ScratchArea::Create(root_ + parent, {root_ + "/db"}).status()),
        kScratchUnavailable)
        << parent;
  }
  EXPECT_TRUE(ScratchArea::Create(root_, {root_ + "/db"}).ok());
  EXPECT_TRUE(std::filesystem::is_empty(root_ + "/db/deep"));
}

TEST_F(ScratchAreaTest, SaysThatThereIsNoRoomBeforeItIsUsed) {
  auto area = ScratchArea::Create(root_, {});
  ASSERT_TRUE(area.ok());
  EXPECT_TRUE((*area)->CheckRoom(1 << 20).ok());
  EXPECT_EQ(ErrorCodeOf((*area)->CheckRoom(uint64_t{1} << 60)),
            kScratchNoSpace);
}

TEST_F(ScratchAreaTest, AParentThatIsNotThereIsAnError) {
  EXPECT_EQ(ErrorCodeOf(ScratchArea::Create(root_ + "/none", {}).status()),
            kScratchUnavailable);
}

TEST_F(ScratchAreaTest, HolesTakeNoRoom) {
  std::ofstream(root_ + "/file") << std::string(10000, 'x');
  std::ofstream(root_ + "/sparse") << "";
  std::filesystem::resize_file(root_ + "/sparse", uint64_t{1} << 31);
  sync();
  EXPECT_GE(AllocatedBytes(root_), 10000u);
  EXPECT_LT(AllocatedBytes(root_), 100000u);
}

TEST_F(ScratchAreaTest, OfOpenLogsOnlyTheNewestValueLogCounts) {
  for (const std::string name :
       {"1.mem", "2.mem", "1.vlog", "2.vlog", "1.sst"}) {
    std::ofstream(root_ + "/" + name) << std::string(1 << 20, 'x');
  }
  sync();
  EXPECT_GE(AllocatedBytes(root_), uint64_t{5} << 20);
  EXPECT_GE(AllocatedBytesOfOpenLogs(root_), uint64_t{3} << 20);
  EXPECT_LT(AllocatedBytesOfOpenLogs(root_), uint64_t{4} << 20);
  EXPECT_GE(AllocatedBytesOfValueLogs(root_), uint64_t{2} << 20);
  EXPECT_LT(AllocatedBytesOfValueLogs(root_), uint64_t{3} << 20);
}

}  // namespace
}  // namespace badger
}  // namespace sluice
