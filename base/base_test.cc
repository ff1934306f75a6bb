// The small ones of base/.

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include <algorithm>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "sluice/base/disk_error.h"
#include "sluice/base/error.h"
#include "sluice/base/piece_parser.h"
#include "sluice/base/read_only_file_system.h"
#include "sluice/base/scratch_folder.h"
#include "sluice/base/store_id.h"

namespace sluice {
namespace {

constexpr DiskWords kWords = {"no_space", "denied", "unavailable",
                              "room",     "rights", "another"};

TEST(DiskErrorTest, SaysInTheRoomsWordsWhatWentWrong) {
  const absl::Status full = DiskError(EDQUOT, "write x", kWords);
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrorCodeOf(full), "no_space");
  EXPECT_EQ(HintOf(full), "room");
  const absl::Status denied = DiskError(EROFS, "write x", kWords);
  EXPECT_EQ(denied.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ErrorCodeOf(denied), "denied");
  EXPECT_EQ(HintOf(denied), "rights");
  const absl::Status gone = DiskError(EIO, "write x", kWords);
  EXPECT_EQ(gone.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ErrorCodeOf(gone), "unavailable");
  EXPECT_EQ(gone.message(), "write x: Input/output error");
}

TEST(ScratchFolderOfTest, IsTheChosenOneThenTheEnvironmentsThenTheOther) {
  setenv("TMPDIR", "/scratch", 1);
  EXPECT_EQ(ScratchFolderOf("/mine"), "/mine");
  EXPECT_EQ(ScratchFolderOf(""), "/scratch");
  setenv("TMPDIR", "", 1);
  EXPECT_EQ(ScratchFolderOf(""), "/tmp");
  unsetenv("TMPDIR");
  EXPECT_EQ(ScratchFolderOf("", "/var/tmp"), "/var/tmp");
}

TEST(StoreIdTest, IsOfAFewBytesThatNeedNoQuoting) {
  EXPECT_TRUE(IsStoreId("orders-2.db_EU"));
  EXPECT_TRUE(IsStoreId(std::string(128, 'a')));
  for (const std::string& id :
       {std::string(), std::string(129, 'a'), std::string("a b"),
        std::string("a/b"), std::string("caf\xe9"), std::string("a\0", 2)}) {
    EXPECT_FALSE(IsStoreId(id)) << id;
  }
}

// Fields of three bytes, none of which may be "bad".
class Threes final : public PieceParser {
 public:
  std::string fields;
  uint64_t consumed() const { return consumed_; }

 private:
  absl::Status Step(absl::string_view& bytes) override {
    absl::string_view field;
    if (!Gather(3, bytes, field)) return absl::OkStatus();
    if (field == "bad") return absl::DataLossError("bad");
    fields += std::string(field) + "|";
    gathered_.clear();
    return absl::OkStatus();
  }
};

TEST(PieceParserTest, GathersWhatWasCutAndFailsForGood) {
  const absl::string_view bytes = "onetwosixbadten";
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    Threes threes;
    absl::Status status;
    for (size_t at = 0; at < bytes.size() && status.ok(); at += piece) {
      status = threes.Feed(bytes.substr(at, piece));
    }
    EXPECT_EQ(status, absl::DataLossError("bad"));
    EXPECT_EQ(threes.fields, "one|two|six|");
    EXPECT_EQ(threes.consumed(), 12u);
    EXPECT_EQ(threes.Feed("ten"), absl::DataLossError("bad"));
  }
}

class Empty final : public ReadOnlyFile {
  IoResult<size_t> ReadAt(uint64_t, absl::Span<char>) override {
    return {0, 0};
  }
  IoResult<FileInfo> Stat() override { return {0, {}}; }
};

TEST(ReadOnlyFileTest, RefusesAllThatWrites) {
  Empty empty;
  File& file = empty;
  EXPECT_EQ(file.Write("x").error, EROFS);
  EXPECT_EQ(file.WriteAt(0, "x").error, EROFS);
  EXPECT_EQ(file.Truncate(0), EROFS);
  EXPECT_EQ(file.Sync(), EROFS);
  EXPECT_EQ(file.Read({}).error, ESPIPE) << "by position alone";
  EXPECT_EQ(file.Close(), 0);
}

}  // namespace
}  // namespace sluice
