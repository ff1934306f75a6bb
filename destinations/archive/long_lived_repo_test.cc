// What years, other people and other machines do to a repo: files that are not
// ours, rights that were changed, manifests that are lost, disks that are full,
// clocks that disagree. Each archive stands for itself.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/fake_clock.h"
#include "sluice/destinations/archive/archive_destination.h"
#include "sluice/destinations/archive/format/manifest.h"
#include "sluice/destinations/archive/format/names.h"
#include "sluice/destinations/archive/format/sha256.h"
#include "sluice/destinations/archive/format/sums.h"
#include "sluice/destinations/archive/passing_store.h"
#include "sluice/destinations/archive/protocol/end_attempt.h"
#include "sluice/destinations/archive/protocol/lease.h"
#include "sluice/destinations/archive/protocol/object_io.h"
#include "sluice/destinations/archive/protocol/repo.h"
#include "sluice/destinations/archive/protocol/repo_index.h"
#include "sluice/destinations/archive/read/repair.h"
#include "sluice/destinations/archive/testing/archive_fixture.h"
#include "sluice/destinations/archive/testing/fake_object_store.h"
#include "sluice/destinations/archive/testing/fake_payload.h"
#include "sluice/executor/destination.h"

namespace sluice {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A place some of whose calls fail, by the names that they are made for.
class FailingStore final : public PassingStore {
 public:
  using PassingStore::PassingStore;
  using Failure = std::function<absl::Status(absl::string_view name)>;

  absl::StatusOr<PlaceInfo> Describe(const Context& context,
                                     bool probe) override {
    auto info = inner_->Describe(context, probe);
    if (info.ok()) info->now += clock_ahead;
    return info;
  }
  absl::StatusOr<std::unique_ptr<ObjectReader>> Open(const Context& context,
                                                     absl::string_view name,
                                                     uint64_t offset) override {
    if (on_open && !on_open(name).ok()) return on_open(name);
    return inner_->Open(context, name, offset);
  }
  absl::StatusOr<std::unique_ptr<ObjectWriter>> Begin(const Context& context,
                                                      absl::string_view name,
                                                      uint64_t hint) override {
    if (on_begin && !on_begin(name).ok()) return on_begin(name);
    auto writer = inner_->Begin(context, name, hint);
    if (after_begin) std::exchange(after_begin, nullptr)();
    return writer;
  }
  absl::StatusOr<ObjectInfo> Stat(const Context& context,
                                  absl::string_view name) override {
    if (before_stat) std::exchange(before_stat, nullptr)();
    return inner_->Stat(context, name);
  }

  Failure on_open;
  Failure on_begin;
  std::function<void()> after_begin;  // once
  std::function<void()> before_stat;  // once
  absl::Duration clock_ahead;
};

class LongLivedRepoTest : public testing::Test {
 protected:
  LongLivedRepoTest() {
    EXPECT_EQ(InitTestRepo(*objects_), absl::OkStatus());
    for (int i : {1, 2, 3}) {
      EXPECT_EQ(PutTestBackup(*archives_, TestId(i), TestPayload(40, i)),
                absl::OkStatus());
    }
  }

  void FailToOpen(const std::string& name, const absl::Status& status) {
    store_->on_open = [name, status](absl::string_view opened) {
      return opened == name ? status : absl::OkStatus();
    };
  }

  SweepReport Sweep(const SweepOptions& sweep = {}) {
    auto report = archives_->Sweep(context_, sweep);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *std::move(report) : SweepReport();
  }

  std::vector<std::string> Listed() {
    std::vector<std::string> lines;
    const auto all = archives_->ListAll(context_);
    EXPECT_TRUE(all.ok()) << all.status();
    if (!all.ok()) return lines;
    for (const auto& entry : *all) {
      lines.push_back(absl::StrCat(entry.backup_id, " ",
                                   ErrorCodeOf(entry.manifest.status())));
    }
    return lines;
  }

  std::vector<std::string> FilesOf(int number) {
    std::vector<std::string> files;
    const std::string folder = TestId(number) + "/";
    for (const auto& [name, bytes] : objects_->objects()) {
      if (absl::StartsWith(name, folder))
        files.push_back(name.substr(folder.size()));
    }
    return files;
  }

  // Replaces the manifest by what `change` makes of it, SHA256SUMS too, as a
  // faulty writer would have made them.
  void Rewrite(int number, const std::function<void(std::string&)>& change) {
    const std::string folder = TestId(number) + "/";
    std::string bytes = objects_->objects().at(folder + "manifest.json");
    change(bytes);
    auto sums = ParseSums(objects_->objects().at(folder + "SHA256SUMS"));
    ASSERT_TRUE(sums.ok());
    for (FileSum& sum : *sums) {
      if (sum.file == "manifest.json") sum.sha256 = ToHex(Sha256Of(bytes));
    }
    objects_->PutRaw(folder + "manifest.json", bytes);
    objects_->PutRaw(folder + "SHA256SUMS", *EncodeSums(*sums));
  }

  absl::Status Verify(int number, VerifyFindings* found = nullptr) {
    return archives_->Verify(context_, TestId(number), nullptr, found).status();
  }

  const Context context_ = Context::Background();
  FakeClock clock_;
  std::shared_ptr<FakeObjectStore> objects_ =
      std::make_shared<FakeObjectStore>();
  std::shared_ptr<FailingStore> store_ =
      std::make_shared<FailingStore>(objects_);
  const ArchiveOptions options_ = TestOptions();
  std::shared_ptr<ArchiveDestination> archives_ =
      ArchiveDestination::Create(store_, &clock_, options_);
};

// --- one that cannot be read

TEST_F(LongLivedRepoTest, OneManifestThatCannotBeReadHidesNoOther) {
  const absl::Status denied =
      MakeError(absl::StatusCode::kPermissionDenied,
                kDestinationPermissionDenied, "open: permission denied");
  const absl::Status bad =
      MakeError(absl::StatusCode::kDataLoss, kDestinationIoError, "read: EIO");
  for (const absl::Status& status : {denied, bad}) {
    FailToOpen(TestId(2) + "/manifest.json", status);
    EXPECT_THAT(Listed(),
                ElementsAre(TestId(1) + " ",
                            absl::StrCat(TestId(2), " ", ErrorCodeOf(status)),
                            TestId(3) + " "));
    EXPECT_EQ(Verify(1), absl::OkStatus());
    EXPECT_EQ(ErrorCodeOf(Verify(2)), ErrorCodeOf(status));
    // Who asks what may be forgotten is told that nobody knows.
    EXPECT_EQ(ErrorCodeOf(archives_->List(context_).status()),
              ErrorCodeOf(status));
    const SweepReport report = Sweep();
    EXPECT_EQ(report.problems.size(), 1);
    EXPECT_EQ(report.objects_deleted, 0);
  }
  // It can be deleted unread, and so can its neighbour.
  EXPECT_EQ(archives_->Delete(context_, TestId(1)), absl::OkStatus());
  EXPECT_EQ(archives_->Delete(context_, TestId(2)), absl::OkStatus());
  store_->on_open = nullptr;
  EXPECT_THAT(Listed(), ElementsAre(TestId(3) + " "));
}

TEST_F(LongLivedRepoTest, APlaceThatDoesNotAnswerIsAnErrorAndNoList) {
  FailToOpen(TestId(2) + "/manifest.json",
             MakeError(absl::StatusCode::kUnavailable, kDestinationUnreachable,
                       "no route to host"));
  EXPECT_EQ(ErrorCodeOf(archives_->ListAll(context_).status()),
            kDestinationUnreachable);
}

TEST_F(LongLivedRepoTest, AnArchiveWhoseFolderCannotBeReadIsNamed) {
  objects_->PutRaw(TestId(4) + "/-", "");  // as a folder's place lists it
  FailToOpen(TestId(4) + "/manifest.json",
             MakeError(absl::StatusCode::kPermissionDenied,
                       kDestinationPermissionDenied, "permission denied"));
  EXPECT_THAT(Listed(), Contains(TestId(4) + " destination_permission_denied"));
  objects_->Advance(absl::Hours(1000));
  const SweepReport report = Sweep();
  EXPECT_EQ(report.problems.size(), 1);
  EXPECT_THAT(report.ended, IsEmpty());
}

// --- what is not ours

TEST_F(LongLivedRepoTest, FilesOfOthersInAnArchiveAreToldAndAreNoDamage) {
  for (const char* file : {".DS_Store", "notes.txt", ".nfs000000000001"}) {
    objects_->PutRaw(absl::StrCat(TestId(1), "/", file), "x");
  }
  VerifyFindings found;
  EXPECT_EQ(Verify(1, &found), absl::OkStatus());
  EXPECT_THAT(found.foreign_files,
              ElementsAre(".DS_Store", ".nfs000000000001", "notes.txt"));
  objects_->PutRaw(TestId(1) + "/payload.bin.0009", "x");
  EXPECT_EQ(ErrorCodeOf(Verify(1)), kArchiveDamaged);
}

TEST_F(LongLivedRepoTest, WhatElseLiesInThePlaceIsNotEvenLookedAt) {
  objects_->PutRaw("movies/holiday.bin", "x");
  objects_->PutRaw("lost.found", "x");
  objects_->Reset();
  Listed();
  Sweep();
  for (const FakeObjectStore::Call& call : objects_->calls()) {
    const bool lists =
        call.operation == FakeObjectStore::Operation::kList ||
        call.operation == FakeObjectStore::Operation::kListUncommitted;
    EXPECT_FALSE(lists && call.name.empty()) << "a listing of everything";
  }
}

// --- a manifest that is lost, a repo that is copied in

TEST_F(LongLivedRepoTest, ThePayloadOfALostManifestIsNeverSwept) {
  const std::string manifest = TestId(2) + "/manifest.json";
  const std::string bytes = objects_->objects().at(manifest);
  objects_->DeleteRaw(manifest);
  objects_->Advance(absl::Hours(24 * 365));
  const SweepReport report = Sweep();
  EXPECT_THAT(report.lost, ElementsAre(TestId(2)));
  EXPECT_EQ(report.objects_deleted, 0);
  EXPECT_THAT(Listed(),
              ElementsAre(TestId(1) + " ", TestId(2) + " archive_damaged",
                          TestId(3) + " "));
  objects_->PutRaw(manifest, bytes);
  EXPECT_EQ(Verify(2), absl::OkStatus());
}

TEST_F(LongLivedRepoTest, WhatLostItsManifestGoesWhenThatIsAskedFor) {
  objects_->DeleteRaw(TestId(1) + "/manifest.json");
  objects_->DeleteRaw(TestId(2) + "/manifest.json");
  SweepOptions sweep;
  sweep.take_lost = true;
  EXPECT_THAT(Sweep(sweep).spared, ElementsAre(TestId(1), TestId(2)));
  objects_->Advance(options_.grace_window);
  sweep.is_recorded = [](absl::string_view id) { return id == TestId(1); };
  const SweepReport report = Sweep(sweep);
  EXPECT_THAT(report.spared, ElementsAre(TestId(1)));
  EXPECT_THAT(report.ended, ElementsAre(TestId(2)));
  EXPECT_THAT(FilesOf(2), ElementsAre("manifest.json"));
  EXPECT_EQ(archives_->Delete(context_, TestId(1)), absl::OkStatus());
  EXPECT_THAT(FilesOf(1), ElementsAre("manifest.json"));
}

TEST_F(LongLivedRepoTest, WhatIsBeingCopiedInIsNotEaten) {
  // The writer had died right after its publish; the copy has come so far, and
  // is at a file that no version of Sluice makes.
  objects_->DeleteRaw(TestId(1) + "/manifest.json");
  objects_->PutRaw(TestId(1) + "/writer.json",
                   EncodeWriter({"a", objects_->now() - absl::Hours(99)}));
  objects_->Advance(options_.grace_window);
  objects_->PutRaw(TestId(1) + "/.payload.bin.0001.kWz3Qq", "half");
  EXPECT_THAT(Sweep().spared, ElementsAre(TestId(1)));
  SweepOptions recorded;
  recorded.is_recorded = [](absl::string_view id) { return id == TestId(1); };
  objects_->Advance(options_.grace_window);
  EXPECT_THAT(Sweep(recorded).spared, ElementsAre(TestId(1)));
  EXPECT_THAT(Sweep().ended, ElementsAre(TestId(1)));
}

// --- clocks

TEST_F(LongLivedRepoTest, AMachineWhoseClockIsAheadEndsNoLiveWriter) {
  bool swept = false;
  CannedPayload payload(TestPayload(50, 1));
  payload.CallBefore(5, [&] {
    auto ahead = std::make_shared<FailingStore>(objects_);
    ahead->clock_ahead = absl::Hours(5);
    const auto report =
        ArchiveDestination::Create(ahead, &clock_, options_)->Sweep(context_);
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_THAT(report->live, ElementsAre(TestId(4)));
    swept = true;
  });
  Manifest manifest = TestManifest(TestId(4));
  EXPECT_EQ(archives_->PutBackup(context_, manifest, payload, {}),
            absl::OkStatus());
  EXPECT_TRUE(swept);
}

TEST_F(LongLivedRepoTest, AWriterWhoseClockIsBehindIsAlive) {
  store_->clock_ahead = -absl::Hours(5);
  CannedPayload payload(TestPayload(50, 1));
  payload.CallBefore(5, [&] {
    const auto report = ArchiveDestination::Create(objects_, &clock_, options_)
                            ->Sweep(context_);
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_THAT(report->live, ElementsAre(TestId(4)));
  });
  Manifest manifest = TestManifest(TestId(4));
  EXPECT_EQ(archives_->PutBackup(context_, manifest, payload, {}),
            absl::OkStatus());
}

TEST_F(LongLivedRepoTest, ACancelLeavesNoProbeOfTheClockBehind) {
  auto [context, cancel] = Context::WithCancel(context_);
  store_->before_stat = [end = cancel] { end(absl::CancelledError("")); };
  (void)PlaceNow(context, *store_);
  for (const auto& [name, bytes] : objects_->objects())
    EXPECT_FALSE(IsProbeName(name)) << name;
}

TEST_F(LongLivedRepoTest, ALeaseThatWasJustRenewedIsAliveWhateverItSays) {
  // All but the lease is old: the source gave nothing for hours.
  objects_->PutRaw(TestId(4) + "/payload.bin", "half");
  objects_->Advance(2 * options_.grace_window);
  for (const absl::Duration ahead : {-absl::Hours(5), options_.grace_window}) {
    objects_->PutRaw(TestId(4) + "/writer.json",
                     EncodeWriter({"a", objects_->now() + ahead}));
    const SweepReport report = Sweep();
    EXPECT_THAT(report.live, ElementsAre(TestId(4))) << ahead;
    EXPECT_THAT(report.ended, IsEmpty()) << ahead;
  }
  objects_->Advance(2 * options_.grace_window);
  EXPECT_THAT(Sweep().ended, ElementsAre(TestId(4)));
}

// --- two at once

TEST_F(LongLivedRepoTest, OfTwoDeletesAtOnceBothSayThatItIsGone) {
  store_->after_begin = [&] {
    EXPECT_EQ(ArchiveDestination::Create(objects_, &clock_, options_)
                  ->Delete(context_, TestId(2)),
              absl::OkStatus());
  };
  EXPECT_EQ(archives_->Delete(context_, TestId(2)), absl::OkStatus());
  EXPECT_THAT(FilesOf(2), ElementsAre("manifest.json"));
}

TEST_F(LongLivedRepoTest, WhatIsDeletedWhileItIsVerifiedIsNotDamaged) {
  Rewrite(3, [](std::string& bytes) {
    bytes = absl::StrReplaceAll(
        bytes, {{"\"base_backup_id\": \"\"",
                 absl::StrCat("\"base_backup_id\": \"", TestId(2), "\"")}});
  });
  bool deleted = false;
  // The increment was read, and what it builds on is next.
  store_->on_open = [&](absl::string_view name) {
    if (name == TestId(2) + "/manifest.json" && !std::exchange(deleted, true)) {
      const auto other =
          ArchiveDestination::Create(objects_, &clock_, options_);
      EXPECT_EQ(other->Delete(context_, TestId(3)), absl::OkStatus());
      EXPECT_EQ(other->Delete(context_, TestId(2)), absl::OkStatus());
    }
    return absl::OkStatus();
  };
  EXPECT_EQ(ErrorCodeOf(Verify(3)), kArchiveNotFound);
  EXPECT_TRUE(deleted);
}

// --- no room

TEST_F(LongLivedRepoTest, DeletesWhereThereIsNoRoomForATombstone) {
  const auto full = [&](absl::string_view) {
    const bool room =
        objects_->objects().count(TestId(2) + "/payload.bin") == 0;
    return room ? absl::OkStatus()
                : MakeError(absl::StatusCode::kResourceExhausted,
                            kDestinationNoSpace, "no space left on device");
  };
  store_->on_begin = full;
  EXPECT_EQ(archives_->Delete(context_, TestId(2)), absl::OkStatus());
  EXPECT_THAT(Listed(), ElementsAre(TestId(1) + " ", TestId(3) + " "));
  // Its name is taken all the same, once there was room.
  EXPECT_THAT(FilesOf(2), ElementsAre("manifest.json"));
  EXPECT_EQ(ErrorCodeOf(archives_->Stat(context_, TestId(2))),
            kArchiveNotFound);
  EXPECT_EQ(Verify(1), absl::OkStatus());
}

TEST_F(LongLivedRepoTest, ADiskThatStaysFullIsDeletedFromAllTheSame) {
  store_->on_begin = [](absl::string_view) {
    return MakeError(absl::StatusCode::kResourceExhausted, kDestinationNoSpace,
                     "no space left on device");
  };
  EXPECT_EQ(archives_->Delete(context_, TestId(2)), absl::OkStatus());
  EXPECT_THAT(FilesOf(2), IsEmpty());
  EXPECT_EQ(ErrorCodeOf(archives_->Delete(context_, TestId(2))),
            kArchiveNotFound);
}

TEST_F(LongLivedRepoTest, ADeadRunsUploadsMakeRoomForItsTombstone) {
  auto upload = objects_->Begin(context_, TestId(4) + "/payload.bin", 0);
  ASSERT_TRUE(upload.ok());
  ASSERT_EQ((*upload)->Write("what filled the disk"), absl::OkStatus());
  objects_->PutRaw(TestId(4) + "/writer.json",
                   EncodeWriter({"a", objects_->now() + absl::Hours(1)}));
  store_->on_begin = [&](absl::string_view) {
    return objects_->uncommitted().empty()
               ? absl::OkStatus()
               : MakeError(absl::StatusCode::kResourceExhausted,
                           kDestinationNoSpace, "no space left on device");
  };
  const auto ended =
      EndAttempt(context_, *store_, TestId(4), "its process died", "me");
  ASSERT_TRUE(ended.ok()) << ended.status();
  EXPECT_TRUE(ended->fence_taken);
  EXPECT_EQ(ended->problem, absl::OkStatus());
  EXPECT_THAT(objects_->uncommitted(), IsEmpty());
  EXPECT_THAT(FilesOf(4), ElementsAre("manifest.json"));
}

TEST_F(LongLivedRepoTest, TheRoomOfARunThatIsKnownToHaveEndedIsFreeAtOnce) {
  auto upload = objects_->Begin(context_, TestId(4) + "/payload.bin.0001", 0);
  ASSERT_TRUE(upload.ok());
  objects_->PutRaw(TestId(4) + "/payload.bin", "half");
  objects_->PutRaw(TestId(4) + "/writer.json",
                   EncodeWriter({"a", objects_->now() + absl::Hours(1)}));
  SweepOptions sweep;
  sweep.has_ended = [](absl::string_view id) { return id == TestId(5); };
  EXPECT_THAT(Sweep(sweep).live, ElementsAre(TestId(4)));
  sweep.has_ended = [](absl::string_view) { return true; };
  sweep.is_recorded = [](absl::string_view id) { return id == TestId(4); };
  EXPECT_THAT(Sweep(sweep).spared, ElementsAre(TestId(4)));
  sweep.is_recorded = nullptr;
  // What lost its manifest is no run.
  objects_->DeleteRaw(TestId(3) + "/manifest.json");
  const SweepReport report = Sweep(sweep);
  EXPECT_THAT(report.ended, ElementsAre(TestId(4)));
  EXPECT_EQ(report.uploads_aborted, 1);
  EXPECT_THAT(FilesOf(4), ElementsAre("manifest.json"));
  EXPECT_THAT(report.lost, ElementsAre(TestId(3)));
  EXPECT_EQ(Verify(1), absl::OkStatus());
}

TEST_F(LongLivedRepoTest, WhatBelongsToATombstoneIsFreeAtTheNextSweep) {
  auto upload = objects_->Begin(context_, TestId(2) + "/payload.bin.0003", 0);
  ASSERT_TRUE(upload.ok());
  objects_->PutRaw(TestId(2) + "/manifest.json",
                   *EncodeManifest(MakeTombstone(TestId(2), "died", "me",
                                                 "2026-11-22T10:00:00.000Z")));
  const SweepReport report = Sweep();  // at once, not an hour later
  EXPECT_EQ(report.uploads_aborted, 1);
  EXPECT_THAT(FilesOf(2), ElementsAre("manifest.json"));
}

// --- what verify says and restore does

TEST_F(LongLivedRepoTest, VerifyRefusesAPlainSizeThatARestoreWouldRefuse) {
  Rewrite(2, [](std::string& bytes) {
    ASSERT_TRUE(absl::StrContains(bytes, "\"plain_size_bytes\": \"40\""));
    bytes = absl::StrReplaceAll(bytes, {{"\"plain_size_bytes\": \"40\"",
                                         "\"plain_size_bytes\": \"41\""}});
  });
  EXPECT_EQ(ErrorCodeOf(Verify(2)), kArchiveDamaged);
  EXPECT_EQ(Verify(1), absl::OkStatus());
}

TEST_F(LongLivedRepoTest, VerifyOfAnIncrementLooksAtWhatItBuildsOn) {
  const auto build_on = [&](int number, int base, const char* store) {
    Rewrite(number, [&](std::string& bytes) {
      bytes = absl::StrReplaceAll(
          bytes, {{"\"base_backup_id\": \"\"",
                   absl::StrCat("\"base_backup_id\": \"", TestId(base), "\"")},
                  {"\"store_id\": \"orders\"",
                   absl::StrCat("\"store_id\": \"", store, "\"")}});
    });
  };
  build_on(2, 1, "orders");
  build_on(3, 2, "orders");
  EXPECT_EQ(Verify(3), absl::OkStatus());
  objects_->PutRaw(TestId(1) + "/manifest.json", "not JSON");
  EXPECT_THAT(Verify(3).message(),
              AllOf(HasSubstr(TestId(1)), HasSubstr("SHA256SUMS")));
  EXPECT_EQ(archives_->Delete(context_, TestId(1)), absl::OkStatus());
  EXPECT_EQ(ErrorCodeOf(Verify(3)), kArchiveDamaged);
}

TEST_F(LongLivedRepoTest, ReadsThePayloadBackBeforeThePublishWhereThatIsAsked) {
  // A place that flips a byte while it commits.
  for (const bool read_back : {false, true}) {
    const std::string id = TestId(read_back ? 8 : 7);
    CannedPayload payload(TestPayload(40, 5));
    Manifest manifest = TestManifest(id);
    PutOptions put;
    put.read_back_payload = read_back;
    put.on_publishing = [&] {
      std::string bytes = objects_->objects().at(id + "/payload.bin.0001");
      bytes[3] ^= 1;
      objects_->PutRaw(id + "/payload.bin.0001", bytes);
    };
    const absl::Status status =
        archives_->PutBackup(context_, manifest, payload, put);
    EXPECT_EQ(ErrorCodeOf(status), read_back ? "destination_io_error" : "");
  }
  // Without, only a verify finds it; with, nothing was published or left.
  EXPECT_EQ(ErrorCodeOf(Verify(7)), kArchiveDamaged);
  EXPECT_THAT(FilesOf(8), IsEmpty());
}

TEST_F(LongLivedRepoTest, SaysWhatTheReadingBackCost) {
  CannedPayload payload(TestPayload(40, 5));
  Manifest manifest = TestManifest(TestId(7));
  PutOptions put;
  put.read_back_payload = true;
  uint64_t read = 0;
  put.on_read_back = [&](uint64_t bytes, absl::Duration) { read = bytes; };
  ASSERT_EQ(archives_->PutBackup(context_, manifest, payload, put),
            absl::OkStatus());
  EXPECT_EQ(read, 40);
}

// --- many archives

TEST_F(LongLivedRepoTest, TheIndexSparesTheManifestsAndIsOnlyAHint) {
  for (int i = 10; i < 80; ++i)
    ASSERT_EQ(PutTestBackup(*archives_, TestId(i), "x"), absl::OkStatus());
  const std::vector<std::string> listed = Listed();
  ASSERT_EQ(listed.size(), 73u);
  const auto manifests_read = [&] {
    int count = 0;
    for (const FakeObjectStore::Call& call : objects_->calls()) {
      count += call.operation == FakeObjectStore::Operation::kOpen &&
               absl::EndsWith(call.name, "/manifest.json");
    }
    return count;
  };
  Sweep();
  ASSERT_EQ(objects_->objects().count("sluice-index"), 1u);
  objects_->Reset();
  EXPECT_EQ(Listed(), listed);
  Sweep();
  EXPECT_EQ(manifests_read(), 0);
  // What changed since is read, and nothing else.
  ASSERT_EQ(archives_->Delete(context_, TestId(2)), absl::OkStatus());
  objects_->Advance(absl::Seconds(1));
  objects_->PutRaw(TestId(3) + "/manifest.json", "damaged");
  objects_->Reset();
  std::vector<std::string> now = listed;
  now.erase(now.begin() + 1);
  now[1] = TestId(3) + " archive_damaged";
  EXPECT_EQ(Listed(), now);
  EXPECT_EQ(manifests_read(), 2);
  // One that is damaged, or gone, costs time only.
  std::string index = objects_->objects().at("sluice-index");
  for (const size_t at : {size_t{3}, size_t{12}, index.size() / 2}) {
    std::string wrong = index;
    wrong[at] ^= 1;
    objects_->PutRaw("sluice-index", wrong);
    EXPECT_EQ(Listed(), now);
  }
  objects_->DeleteRaw("sluice-index");
  EXPECT_EQ(Listed(), now);
  Sweep();
  EXPECT_EQ(objects_->objects().count("sluice-index"), 1u);
}

TEST_F(LongLivedRepoTest, AnIndexThatCallsAnArchiveEndedCostsNothing) {
  Manifest ended = TestManifest(TestId(2));
  ended.mutable_tombstone()->set_reason("says a liar");
  const absl::StatusOr<ObjectInfo> info =
      objects_->Stat(context_, TestId(2) + "/manifest.json");
  ASSERT_TRUE(info.ok()) << info.status();
  RepoIndex index;
  index.Add(*info, ended);
  ASSERT_EQ(index.IsTombstone(*info), true);
  objects_->PutRaw("sluice-index", index.Encode());
  objects_->Advance(absl::Hours(24 * 365));
  const std::vector<std::string> before = FilesOf(2);
  Sweep();
  EXPECT_EQ(FilesOf(2), before);
  EXPECT_EQ(Verify(2), absl::OkStatus());
}

// --- a repo that does not know itself any more

TEST_F(LongLivedRepoTest, TheArchivesSayWhichRepoTheyAreIn) {
  const std::string before = objects_->objects().at("sluice-repo.json");
  for (const char* left : {"", "{\"version\": 1, \"id\": \"01ARZ3ND", "gone"}) {
    if (left == std::string("gone")) {
      objects_->DeleteRaw("sluice-repo.json");
    } else {
      objects_->PutRaw("sluice-repo.json", left);
    }
    EXPECT_FALSE(archives_->ListAll(context_).ok());
    FailToOpen(TestId(1) + "/manifest.json",
               MakeError(absl::StatusCode::kDataLoss, kDestinationIoError,
                         "one that cannot be read is no witness"));
    const auto repaired = RepairRepo(context_, *store_, "");
    ASSERT_TRUE(repaired.ok()) << repaired.status();
    EXPECT_TRUE(repaired->written);
    EXPECT_EQ(repaired->archives, 2);
    EXPECT_EQ(repaired->repo.id, kTestRepoId);
    store_->on_open = nullptr;
    EXPECT_EQ(Verify(1), absl::OkStatus());
    EXPECT_EQ(PutTestBackup(*archives_, TestId(9), "x"), absl::OkStatus());
    EXPECT_EQ(archives_->Delete(context_, TestId(9)), absl::OkStatus());
    objects_->DeleteRaw(TestId(9) + "/manifest.json");
  }
  objects_->PutRaw("sluice-repo.json", before);
  EXPECT_FALSE(RepairRepo(context_, *store_, "")->written);
  EXPECT_EQ(objects_->objects().at("sluice-repo.json"), before);
}

TEST_F(LongLivedRepoTest, NoNewRepoIsMadeAroundTheArchivesOfALostOne) {
  objects_->DeleteRaw("sluice-repo.json");
  RepoInfo wanted;
  wanted.id = "01ARZ3NDEKTSV4RRFFQ69G5ZZZ";
  const absl::Status made = InitRepo(context_, *store_, wanted).status();
  EXPECT_EQ(ErrorCodeOf(made), kDestinationNotFound);
  EXPECT_EQ(HintOf(made), kRepairHint);
  EXPECT_EQ(HintOf(archives_->ListAll(context_).status()), kRepairHint);
  EXPECT_EQ(objects_->objects().count("sluice-repo.json"), 0);
}

TEST_F(LongLivedRepoTest, ARepairMakesNoRepoOfAnEmptyPlaceOrOfAnother) {
  FakeObjectStore empty;
  EXPECT_EQ(ErrorCodeOf(RepairRepo(context_, empty, "").status()),
            kDestinationNotFound);
  EXPECT_THAT(empty.objects(), IsEmpty());
  objects_->DeleteRaw("sluice-repo.json");
  EXPECT_EQ(
      ErrorCodeOf(
          RepairRepo(context_, *store_, "01ARZ3NDEKTSV4RRFFQ69G5ZZZ").status()),
      kDestinationNotFound);
  Rewrite(2, [](std::string& bytes) {
    bytes = absl::StrReplaceAll(
        bytes, {{std::string(kTestRepoId), "01ARZ3NDEKTSV4RRFFQ69G5ZZZ"}});
  });
  EXPECT_EQ(ErrorCodeOf(RepairRepo(context_, *store_, "").status()),
            kDestinationConfigInvalid);
  EXPECT_EQ(objects_->objects().count("sluice-repo.json"), 0);
  EXPECT_TRUE(RepairRepo(context_, *store_, kTestRepoId)->written);
}

}  // namespace
}  // namespace sluice
