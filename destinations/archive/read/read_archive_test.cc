// The independent reader (docs/format/read_archive.py) and sha256sum, over
// archives that the code made: both believe them, and neither believes one that
// has a byte flipped.

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "sluice/base/testing/fake_clock.h"
#include "sluice/destinations/archive/archive_destination.h"
#include "sluice/destinations/archive/testing/archive_fixture.h"
#include "sluice/destinations/archive/testing/fake_object_store.h"
#include "sluice/destinations/archive/testing/fake_payload.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;

void WriteFile(const fs::path& path, const std::string& bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file),
          std::istreambuf_iterator<char>()};
}

class ReadArchiveTest : public testing::Test {
 protected:
  ReadArchiveTest() : folder_(fs::path(testing::TempDir()) / "repo") {
    fs::remove_all(folder_);
    EXPECT_EQ(InitTestRepo(*store_), absl::OkStatus());
  }

  void Put(int number, const std::string& payload) {
    CannedPayload source(payload);
    source.SetIds({"a", "b"});
    source.SetIndex("what the next increment must know");
    Manifest manifest = TestManifest(TestId(number));
    ASSERT_EQ(archives_->PutBackup(Context::Background(), manifest, source, {}),
              absl::OkStatus());
    for (const auto& [name, bytes] : store_->objects())
      WriteFile(folder_ / name, bytes);
  }

  int RunReader(int number) {
    const char* root = std::getenv("TEST_SRCDIR");
    const char* workspace = std::getenv("TEST_WORKSPACE");
    return Run(absl::StrCat(
        "python3 ", root ? root : "", "/", workspace ? workspace : "",
        "/docs/format/read_archive.py ", (folder_ / TestId(number)).string(),
        " >", (folder_ / "out").string(), " 2>/dev/null"));
  }

  int RunSha256sum(int number) {
    return Run(absl::StrCat("cd ", (folder_ / TestId(number)).string(),
                            " && sha256sum --strict -c SHA256SUMS >/dev/null "
                            "2>&1"));
  }

  static int Run(const std::string& command) {
    const int status = std::system(command.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  FakeClock clock_;
  std::shared_ptr<FakeObjectStore> store_ = std::make_shared<FakeObjectStore>();
  std::shared_ptr<ArchiveDestination> archives_ =
      ArchiveDestination::Create(store_, &clock_, TestOptions());
  const fs::path folder_;
};

TEST_F(ReadArchiveTest, GivesBackWhatTheCodeWrote) {
  int number = 0;
  for (const size_t size : {0, 1, 16, 17, 500}) {
    const std::string payload = TestPayload(size, 3);
    Put(++number, payload);
    EXPECT_EQ(RunReader(number), 0) << size;
    EXPECT_EQ(ReadFile(folder_ / "out"), payload);
    EXPECT_EQ(RunSha256sum(number), 0) << size;
  }
}

TEST_F(ReadArchiveTest, DoesNotBelieveAFlippedByteInAnyFile) {
  Put(1, TestPayload(40, 3));
  int files = 0;
  for (const auto& entry : fs::directory_iterator(folder_ / TestId(1))) {
    const std::string whole = ReadFile(entry.path());
    for (const size_t at : {size_t{0}, whole.size() / 2, whole.size() - 1}) {
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ 4);
      WriteFile(entry.path(), flipped);
      EXPECT_NE(RunReader(1), 0) << entry.path() << " byte " << at;
      EXPECT_NE(RunSha256sum(1), 0) << entry.path() << " byte " << at;
    }
    WriteFile(entry.path(), whole);
    ++files;
  }
  EXPECT_EQ(files, 7);  // three segments, ids, index, sums, manifest
  EXPECT_EQ(RunReader(1), 0);
}

TEST_F(ReadArchiveTest, DoesNotBelieveAnArchiveCutShortOrUnderAnotherName) {
  Put(1, TestPayload(40, 3));
  const fs::path last = folder_ / TestId(1) / "payload.bin.0002";
  const std::string whole = ReadFile(last);
  WriteFile(last, whole.substr(1));
  EXPECT_NE(RunReader(1), 0);
  fs::remove(last);
  EXPECT_NE(RunReader(1), 0);
  WriteFile(last, whole);
  EXPECT_EQ(RunReader(1), 0);
  fs::rename(folder_ / TestId(1), folder_ / TestId(2));
  EXPECT_NE(RunReader(2), 0);
}

TEST_F(ReadArchiveTest, TakesATombstoneForNoArchive) {
  Put(1, TestPayload(40, 3));
  ASSERT_EQ(archives_->Delete(Context::Background(), TestId(1)),
            absl::OkStatus());
  for (const auto& [name, bytes] : store_->objects())
    WriteFile(folder_ / name, bytes);
  EXPECT_NE(RunReader(1), 0);
}

}  // namespace
}  // namespace sluice
