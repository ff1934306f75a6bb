#include "sluice/destinations/archive/protocol/sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "sluice/base/testing/fake_clock.h"
#include "sluice/destinations/archive/archive_destination.h"
#include "sluice/destinations/archive/protocol/lease.h"
#include "sluice/destinations/archive/testing/archive_fixture.h"
#include "sluice/destinations/archive/testing/fake_object_store.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SweepTest : public testing::Test {
 protected:
  SweepTest() { EXPECT_EQ(InitTestRepo(*store_), absl::OkStatus()); }

  SweepReport Sweep() {
    auto report = archives_->Sweep(context_);
    EXPECT_TRUE(report.ok()) << report.status();
    if (!report.ok()) return SweepReport();
    EXPECT_THAT(report->problems, IsEmpty());
    return *std::move(report);
  }

  void WriteLease(int number, absl::Time expires) {
    store_->PutRaw(TestId(number) + "/writer.json",
                   EncodeWriter({"someone", expires}));
  }

  bool Exists(const std::string& name) {
    return store_->objects().count(name) != 0;
  }

  const Context context_ = Context::Background();
  FakeClock clock_;
  std::shared_ptr<FakeObjectStore> store_ = std::make_shared<FakeObjectStore>();
  const ArchiveOptions options_ = TestOptions();
  std::shared_ptr<ArchiveDestination> archives_ =
      ArchiveDestination::Create(store_, &clock_, options_);
};

TEST_F(SweepTest, AnOldUploadOfALiveWriterStays) {
  // One segment that takes longer than the grace window.
  auto writer = store_->Begin(context_, TestId(1) + "/payload.bin", 0);
  ASSERT_TRUE(writer.ok());
  store_->Advance(3 * options_.grace_window);
  WriteLease(1, store_->now() + absl::Minutes(1));
  EXPECT_EQ(Sweep().uploads_aborted, 0);
  EXPECT_EQ((*writer)->Commit(CommitMode::kIfAbsent), absl::OkStatus());
}

TEST_F(SweepTest, OldUploadsOfTheDeadAreAbortedAndYoungOnesStay) {
  auto old = store_->Begin(context_, TestId(1) + "/payload.bin", 0);
  auto foreign = store_->Begin(context_, "movies/holiday.bin", 0);
  store_->Advance(options_.grace_window + absl::Seconds(1));
  auto young = store_->Begin(context_, TestId(2) + "/payload.bin", 0);
  EXPECT_EQ(Sweep().uploads_aborted, 1);
  EXPECT_THAT(store_->uncommitted(),
              testing::UnorderedElementsAre("movies/holiday.bin",
                                            TestId(2) + "/payload.bin"));
}

TEST_F(SweepTest, ATombstoneStaysThirtyDaysAndThenGoes) {
  ASSERT_EQ(PutTestBackup(*archives_, TestId(1), "x"), absl::OkStatus());
  ASSERT_EQ(archives_->Delete(context_, TestId(1)), absl::OkStatus());
  store_->Advance(absl::Hours(24 * 30) - absl::Seconds(1));
  EXPECT_EQ(Sweep().tombstones_deleted, 0);
  EXPECT_TRUE(Exists(TestId(1) + "/manifest.json"));
  store_->Advance(absl::Seconds(1));
  EXPECT_EQ(Sweep().tombstones_deleted, 1);
  EXPECT_THAT(store_->objects(), testing::SizeIs(1));  // the repo's own
}

TEST_F(SweepTest, AnOldTombstoneStaysWhileThereIsSomethingBesideIt) {
  ASSERT_EQ(PutTestBackup(*archives_, TestId(1), "x"), absl::OkStatus());
  ASSERT_EQ(archives_->Delete(context_, TestId(1)), absl::OkStatus());
  store_->Advance(absl::Hours(24 * 40));
  store_->PutRaw(TestId(1) + "/payload.bin", "a late request");
  EXPECT_EQ(Sweep().tombstones_deleted, 0);
  EXPECT_EQ(Sweep().tombstones_deleted, 1);
}

TEST_F(SweepTest, ALeaseThatCannotBeReadHoldsForOneGraceWindow) {
  for (const char* bytes : {"", "{}", "{\"version\": 2}", "\xff"}) {
    store_->PutRaw(TestId(1) + "/payload.bin", "x");
    store_->PutRaw(TestId(1) + "/writer.json", bytes);
    EXPECT_THAT(Sweep().live, ElementsAre(TestId(1)));
    store_->Advance(options_.grace_window);
    EXPECT_THAT(Sweep().ended, ElementsAre(TestId(1)));
    store_->DeleteRaw(TestId(1) + "/manifest.json");
  }
}

TEST_F(SweepTest, NoLeaseIsBelievedForEver) {
  store_->PutRaw(TestId(1) + "/payload.bin", "x");
  WriteLease(1, store_->now() + absl::Hours(24 * 3650));
  store_->Advance(kMaxLease - absl::Seconds(1));
  EXPECT_THAT(Sweep().live, ElementsAre(TestId(1)));
  store_->Advance(absl::Seconds(1));
  EXPECT_THAT(Sweep().ended, ElementsAre(TestId(1)));
}

TEST_F(SweepTest, TheWritersWrongClockDoesNoHarm) {
  // T19: the machine's clock is years ahead, or behind; the place's counts.
  for (const int64_t seconds :
       {int64_t{1'000'000'000}, int64_t{2'500'000'000}}) {
    clock_.SetNow(absl::FromUnixSeconds(seconds));
    store_->PutRaw(TestId(1) + "/payload.bin", "x");
    WriteLease(1, store_->now() + absl::Minutes(1));
    EXPECT_THAT(Sweep().live, ElementsAre(TestId(1)));
  }
}

TEST_F(SweepTest, AnExpiredLeaseBesideAPublishedArchiveGoesAlone) {
  ASSERT_EQ(PutTestBackup(*archives_, TestId(1), "x"), absl::OkStatus());
  WriteLease(1, store_->now() - absl::Seconds(1));
  store_->Advance(options_.grace_window);
  const SweepReport report = Sweep();
  EXPECT_EQ(report.objects_deleted, 1);
  EXPECT_THAT(report.ended, IsEmpty());
  EXPECT_EQ(archives_->Verify(context_, TestId(1), nullptr).status(),
            absl::OkStatus());
}

TEST_F(SweepTest, ProbesThatWereLeftBehindGo) {
  const std::string probe = "sluice-probe-0123456789abcdef0123456789abcdef";
  store_->PutRaw(probe, "x");
  store_->PutRaw("sluice-probe-notes", "not one of ours");
  EXPECT_EQ(Sweep().objects_deleted, 0);
  store_->Advance(options_.grace_window + absl::Seconds(1));
  EXPECT_EQ(Sweep().objects_deleted, 1);
  EXPECT_FALSE(Exists(probe));
  EXPECT_TRUE(Exists("sluice-probe-notes"));
}

}  // namespace
}  // namespace sluice
