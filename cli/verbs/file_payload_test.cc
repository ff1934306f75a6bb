#include "sluice/cli/verbs/file_payload.h"

#include <unistd.h>

#include <fstream>
#include <string>

#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice::cli {
namespace {

class FilePayloadTest : public ::testing::Test {
 protected:
  FilePayloadTest() : path_(::testing::TempDir() + "/payload") {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes_;
  }

  absl::StatusOr<std::unique_ptr<FilePayload>> Open(
      const std::string& path, const Context& context = Context::Background()) {
    return FilePayload::Open(context, *FileSystem::Posix(), path);
  }

  const std::string bytes_ = std::string(3'000'000, 'a') + "end";
  const std::string path_;
};

TEST_F(FilePayloadTest, GivesAllOfItAndThenTheEnd) {
  auto payload = Open(path_);
  ASSERT_TRUE(payload.ok()) << payload.status();
  EXPECT_EQ((*payload)->size(), bytes_.size());
  uint64_t told = 0;
  (*payload)->OnBytes([&](uint64_t done) { told = done; });
  std::string all;
  absl::StatusOr<absl::string_view> view = (*payload)->Next();
  for (; view.ok() && !view->empty(); view = (*payload)->Next()) {
    all.append(view->data(), view->size());
  }
  ASSERT_TRUE(view.ok()) << view.status();
  EXPECT_TRUE(all == bytes_);
  EXPECT_EQ(told, bytes_.size());
  EXPECT_EQ((*payload)->trailer().size_bytes, bytes_.size());
}

TEST_F(FilePayloadTest, AViewOutlivesTheNextOne) {
  auto payload = Open(path_);
  ASSERT_TRUE(payload.ok()) << payload.status();
  const auto first = (*payload)->Next();
  const auto second = (*payload)->Next();
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE(first->data(), second->data());
}

TEST_F(FilePayloadTest, AFileThatIsCutMeanwhileIsDamaged) {
  auto payload = Open(path_);
  ASSERT_TRUE(payload.ok()) << payload.status();
  ASSERT_TRUE((*payload)->Next().ok());
  ASSERT_EQ(truncate(path_.c_str(), 1'100'000), 0);
  ASSERT_TRUE((*payload)->Next().ok());
  EXPECT_EQ(ErrorCodeOf((*payload)->Next().status()), kArchiveDamaged);
}

TEST_F(FilePayloadTest, RefusesWhatIsNoFile) {
  EXPECT_EQ(ErrorCodeOf(Open("/absent").status()), kArchiveNotFound);
  EXPECT_EQ(ErrorCodeOf(Open(::testing::TempDir()).status()), kArchiveNotFound);
}

}  // namespace
}  // namespace sluice::cli
