// Executor::RunRestore: the guard, the chain, what is checked on the way back,
// and runs that do not go well.

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/fake_clock.h"
#include "sluice/executor/executor.h"
#include "sluice/executor/limits.h"
#include "sluice/executor/stream/warning_list.h"
#include "sluice/executor/testing/fake_destination.h"
#include "sluice/executor/testing/fake_job_store.h"
#include "sluice/executor/testing/fake_source.h"
#include "sluice/executor/testing/interrupted.h"
#include "sluice/executor/testing/no_destination.h"

namespace sluice {
namespace {

using Call = FakeJobStore::Call;
using Point = FakeDestination::Point;

constexpr char kFull[] = "01ARZ3NDEKTSV4RRFFQ69G5FA1";
constexpr char kMiddle[] = "01ARZ3NDEKTSV4RRFFQ69G5FA2";
constexpr char kLatest[] = "01ARZ3NDEKTSV4RRFFQ69G5FA3";

class RestoreTest : public ::testing::Test {
 protected:
  RestoreTest() {
    repo_.set_id("repo");
    PutArchive(kFull, "full bytes");
  }

  void PutArchive(const std::string& id, std::string payload,
                  const std::string& base = "",
                  const std::string& store_id = "orders",
                  const std::string& kind = "fake") {
    FakeDestination::Archive archive =
        FakeDestination::MakeArchive(id, std::move(payload), store_id, kind);
    archive.manifest.set_base_backup_id(base);
    destination_->Put(std::move(archive));
  }

  RestoreResult Run(absl::string_view id = kFull,
                    const RunRestoreOptions& options = {},
                    const Context& context = Context::Background(),
                    Clock* clock = Clock::Real()) {
    return Executor(&jobs_, clock)
        .RunRestore(context, target_, destination_, repo_, id, options);
  }

  void ExpectFailed(const RestoreResult& result, absl::string_view code,
                    BackupJob::Status expected = BackupJob::FAILED) {
    EXPECT_EQ(ErrorCodeOf(result.status), code) << result.status;
    EXPECT_TRUE(target_->restored().empty());
    ASSERT_TRUE(result.job.has_value());
    const BackupJob stored = jobs_.job(result.job->id()).value();
    EXPECT_EQ(stored.status(), expected) << stored.DebugString();
    EXPECT_EQ(stored.error_code(), code);
    EXPECT_FALSE(stored.error().empty());
    EXPECT_GT(stored.finished_at_ms(), 0);
  }

  FakeJobStore jobs_;
  std::shared_ptr<FakeSource> target_ = std::make_shared<FakeSource>();
  std::shared_ptr<FakeDestination> destination_ =
      std::make_shared<FakeDestination>();
  BackupRepo repo_;
};

TEST_F(RestoreTest, BringsBackWhatWasBackedUp) {
  auto source = std::make_shared<FakeSource>();
  const std::string block(1234567, 'x');
  source->Write("some bytes").WriteInPlace(block).End({{"keys", 2}});
  const BackupResult backup =
      Executor(&jobs_, Clock::Real())
          .RunBackup(Context::Background(), source, destination_, repo_,
                     "orders", "fake", {});
  ASSERT_TRUE(backup.status.ok()) << backup.status;
  const RestoreResult result = Run(backup.record->id());
  ASSERT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(target_->restored(),
            std::vector<std::string>{"some bytes" + block});
  EXPECT_EQ(target_->restored_store_id(), "orders");
}

TEST_F(RestoreTest, HasAJobOfItsOwn) {
  RunRestoreOptions options;
  std::string told;
  options.on_job_created = [&](const BackupJob& job) {
    told = job.id();
    EXPECT_EQ(jobs_.job(job.id())->status(), BackupJob::RUNNING);
    EXPECT_EQ(target_->restores(), 0);
  };
  std::vector<uint32_t> percents;
  options.on_progress = [&](const RunProgress& progress) {
    percents.push_back(progress.percent);
  };
  const RestoreResult result = Run(kFull, options);
  ASSERT_TRUE(result.status.ok()) << result.status;
  const BackupJob job = jobs_.job(told).value();
  EXPECT_EQ(job.SerializeAsString(), result.job->SerializeAsString());
  EXPECT_EQ(job.kind(), BackupJob::RESTORE);
  EXPECT_EQ(job.status(), BackupJob::SUCCEEDED);
  EXPECT_EQ(job.backup_id(), kFull);
  EXPECT_EQ(job.record_id(), "");
  EXPECT_EQ(job.store_id(), "orders");
  EXPECT_EQ(job.store_kind(), "fake");
  EXPECT_EQ(job.progress(), 100u);
  EXPECT_EQ(job.bytes_done(), 10u);
  EXPECT_EQ(job.bytes_estimated(), 10u);
  ASSERT_FALSE(percents.empty());
  EXPECT_EQ(percents.front(), 10u);
  EXPECT_EQ(percents.back(), 100u);
  EXPECT_TRUE(jobs_.records().empty());
  EXPECT_EQ(result.manifest->backup_id(), kFull);
}

TEST_F(RestoreTest, WhatTheStoreWarnsOfIsInTheJob) {
  target_->WarnOfRestore("view_not_refreshed", "the view \"totals\" is empty");
  const RestoreResult result = Run();
  ASSERT_TRUE(result.status.ok()) << result.status;
  ASSERT_EQ(result.job->warnings_size(), 1);
  EXPECT_EQ(result.job->warnings(0).code(), "view_not_refreshed");
  EXPECT_EQ(result.job->warnings(0).message(), "the view \"totals\" is empty");
  EXPECT_EQ(jobs_.job(result.job->id())->warnings_size(), 1);
}

TEST_F(RestoreTest, BoundsTheWarningsAndSaysSo) {
  for (size_t i = 0; i < kMaxWarnings + 5; ++i) {
    target_->WarnOfRestore("left out", std::string(5000, 'x'));
  }
  const RestoreResult result = Run();
  ASSERT_TRUE(result.status.ok()) << result.status;
  ASSERT_EQ(result.job->warnings_size(), kMaxWarnings);
  EXPECT_EQ(result.job->warnings(0).code(), "left_out");
  EXPECT_EQ(result.job->warnings(0).message().size(), kMaxWarningMessageBytes);
  EXPECT_EQ(result.job->warnings(kMaxWarnings - 1).message(),
            "6 more warnings");
}

TEST_F(RestoreTest, FollowsTheChainFullFirst) {
  PutArchive(kMiddle, "more", kFull);
  PutArchive(kLatest, "most", kMiddle);
  ASSERT_TRUE(Run(kLatest).status.ok());
  EXPECT_EQ(target_->restored(),
            (std::vector<std::string>{"full bytes", "more", "most"}));
}

TEST_F(RestoreTest, RefusesBadArgumentsBeforeAnythingIsWritten) {
  const Executor executor(&jobs_, Clock::Real());
  const Context context = Context::Background();
  BackupRepo nameless;
  const std::vector<RestoreResult> refused = {
      executor.RunRestore(context, nullptr, destination_, repo_, kFull, {}),
      executor.RunRestore(context, target_, nullptr, repo_, kFull, {}),
      executor.RunRestore(context, target_, destination_, nameless, kFull, {}),
      executor.RunRestore(context, target_, destination_, repo_, "", {}),
      executor.RunRestore(context, target_, destination_, repo_, "../victim",
                          {}),
      executor.RunRestore(context, target_, destination_, repo_, "latest", {}),
      Executor(nullptr, Clock::Real())
          .RunRestore(context, target_, destination_, repo_, kFull, {})};
  for (size_t i = 0; i < refused.size(); ++i) {
    EXPECT_EQ(refused[i].status.code(), absl::StatusCode::kInvalidArgument)
        << i;
    EXPECT_FALSE(refused[i].job.has_value());
  }
  EXPECT_TRUE(jobs_.jobs().empty());
}

TEST_F(RestoreTest, ReturnsNoJobWhereNoneCouldBeCreated) {
  jobs_.FailNext(Call::kCreateJob, absl::UnavailableError("locked"));
  const RestoreResult result = Run();
  EXPECT_FALSE(result.status.ok());
  EXPECT_FALSE(result.job.has_value());
  EXPECT_EQ(target_->restores(), 0);
}

// ---- the guard

TEST_F(RestoreTest, RefusesATargetThatIsNotEmpty) {
  target_->set_info({"", false});
  ExpectFailed(Run(), kRestorePreconditionFailed);
  EXPECT_EQ(target_->restores(), 0);
}

TEST_F(RestoreTest, RefusesATargetOfAnotherKind) {
  target_->set_kind("other");
  ExpectFailed(Run(), kRestorePreconditionFailed);
  EXPECT_EQ(target_->restores(), 0);
}

TEST_F(RestoreTest, RefusesAnotherStoresArchiveUnlessItsStoreIsNamed) {
  target_->set_info({"customers", true});
  const RestoreResult refused = Run();
  ExpectFailed(refused, kRestorePreconditionFailed);
  EXPECT_FALSE(HintOf(refused.status).empty());
  EXPECT_EQ(target_->restores(), 0);
  RunRestoreOptions options;
  options.from_store_id = "orders";
  EXPECT_TRUE(Run(kFull, options).status.ok());
}

TEST_F(RestoreTest, RefusesAnArchiveOfAnotherStoreThanTheOneNamed) {
  RunRestoreOptions options;
  options.from_store_id = "customers";
  ExpectFailed(Run(kFull, options), kRestorePreconditionFailed);
  // Also where the target's own id would have matched.
  target_->set_info({"orders", true});
  ExpectFailed(Run(kFull, options), kRestorePreconditionFailed);
}

TEST_F(RestoreTest, AllowsATargetOfTheSameStoreOrOfNone) {
  EXPECT_TRUE(Run().status.ok());
  target_->set_info({"orders", true});
  EXPECT_TRUE(Run().status.ok());
}

// ---- the chain

TEST_F(RestoreTest, TellsAMissingArchive) {
  ExpectFailed(Run(kLatest), kArchiveNotFound);
}

TEST_F(RestoreTest, TellsAMissingBase) {
  PutArchive(kLatest, "most", kMiddle);
  const RestoreResult result = Run(kLatest);
  ExpectFailed(result, kArchiveNotFound);
  EXPECT_NE(std::string(result.status.message()).find("base of archive"),
            std::string::npos);
}

TEST_F(RestoreTest, RefusesACircle) {
  PutArchive(kMiddle, "more", kLatest);
  PutArchive(kLatest, "most", kMiddle);
  ExpectFailed(Run(kLatest), kArchiveDamaged);
  PutArchive(kLatest, "most", kLatest);
  ExpectFailed(Run(kLatest), kArchiveDamaged);
  EXPECT_EQ(target_->restores(), 0);
}

TEST_F(RestoreTest, RefusesAChainWithoutBound) {
  std::string base;
  std::string id;
  for (int i = 0; i < 1001; ++i) {
    id = absl::StrCat("01ARZ3NDEKTSV4RRFFQ69", 10000 + i);
    PutArchive(id, "x", base);
    base = id;
  }
  ExpectFailed(Run(id), kArchiveDamaged);
}

TEST_F(RestoreTest, RefusesABaseOfAnotherStore) {
  PutArchive(kMiddle, "more", "", "customers");
  PutArchive(kLatest, "most", kMiddle);
  ExpectFailed(Run(kLatest), kArchiveDamaged);
}

TEST_F(RestoreTest, RefusesAManifestThatIsNotItsArchives) {
  FakeDestination::Archive archive = destination_->archives()[0];
  class Mixed final : public NoDestination {
   public:
    explicit Mixed(Manifest manifest) : manifest_(std::move(manifest)) {}
    absl::StatusOr<Manifest> GetManifest(const Context&,
                                         absl::string_view) override {
      return manifest_;
    }

   private:
    const Manifest manifest_;
  };
  const RestoreResult result =
      Executor(&jobs_, Clock::Real())
          .RunRestore(Context::Background(), target_,
                      std::make_shared<Mixed>(archive.manifest), repo_, kLatest,
                      {});
  ExpectFailed(result, kArchiveDamaged);
}

// ---- what comes back is what left the source

TEST_F(RestoreTest, FindsADamagedLastByte) {
  FakeDestination::Archive archive = destination_->archives()[0];
  archive.payload.back() ^= 1;
  destination_->Put(archive);
  ExpectFailed(Run(), kArchiveDamaged);
}

// Damage between the source and the first hash: what was stored is what was
// hashed, and yet not what left the source.
TEST_F(RestoreTest, FindsAFaultThatTheStoredHashCannotSee) {
  destination_->DoNotVerify();
  const FakeDestination::Archive good = destination_->archives()[0];
  for (const int fault : {0, 1, 2}) {
    FakeDestination::Archive archive = good;
    if (fault == 0) archive.payload[3] ^= 0x40;
    if (fault == 1) archive.payload.pop_back();
    if (fault == 2) archive.manifest.clear_plain_xxh3();
    destination_->Put(archive);
    ExpectFailed(Run(), kArchiveDamaged);
  }
  destination_->Put(good);
  EXPECT_TRUE(Run().status.ok());
}

TEST_F(RestoreTest, ChecksEveryLinkOfTheChain) {
  destination_->DoNotVerify();
  PutArchive(kLatest, "most", kFull);
  FakeDestination::Archive full = destination_->archives()[0];
  full.payload[0] ^= 1;
  destination_->Put(full);
  ExpectFailed(Run(kLatest), kArchiveDamaged);
}

TEST_F(RestoreTest, DoesNotBelieveATargetThatHasNotReadTheEnd) {
  target_->OnRestore([](const Context&, absl::Span<RestorePayload> chain) {
    EXPECT_TRUE(chain[0].reader->Next().ok());
    return absl::OkStatus();
  });
  ExpectFailed(Run(), kSourceIncomplete);
}

TEST_F(RestoreTest, GivesTheTargetTheManifestAndTheIds) {
  FakeDestination::Archive archive = destination_->archives()[0];
  archive.ids = {"block-1"};
  (*archive.manifest.mutable_engine_metadata())["version"] = "7";
  destination_->Put(archive);
  target_->OnRestore([](const Context&, absl::Span<RestorePayload> chain) {
    EXPECT_EQ(chain[0].manifest.engine_metadata().at("version"), "7");
    EXPECT_GE(chain[0].reader->max_views(), 2u);
    EXPECT_TRUE(FakeSource::ReadAll(*chain[0].reader).ok());
    EXPECT_TRUE(chain[0].reader->Next()->empty()) << "the end stays the end";
    EXPECT_EQ(chain[0].reader->trailer().size_bytes, 10u);
    std::vector<std::string> ids;
    EXPECT_TRUE(chain[0]
                    .reader
                    ->ForEachPayloadId([&](absl::string_view id) {
                      ids.emplace_back(id);
                      return absl::OkStatus();
                    })
                    .ok());
    EXPECT_EQ(ids, std::vector<std::string>{"block-1"});
    return absl::OkStatus();
  });
  EXPECT_TRUE(Run().status.ok());
}

// ---- the wrong story

TEST_F(RestoreTest, TellsThePlacesErrorAsThePlaces) {
  PutArchive(kLatest, std::string(5000, 'x'));
  destination_->At(Point::kRead, [](const Context&) {
    return absl::UnavailableError("connection reset");
  });
  target_->OnRestore([](const Context&, absl::Span<RestorePayload> chain) {
    const auto bytes = FakeSource::ReadAll(*chain[0].reader);
    EXPECT_EQ(ErrorCodeOf(bytes.status()), kDestinationUnreachable);
    return absl::InternalError("my read failed");
  });
  ExpectFailed(Run(kLatest), kDestinationUnreachable);
}

TEST_F(RestoreTest, TellsTheTargetsErrorAsTheTargets) {
  target_->OnRestore([](const Context&, absl::Span<RestorePayload>) {
    return absl::ResourceExhaustedError("the store's disk is full");
  });
  ExpectFailed(Run(), kSourceFailed);
}

TEST_F(RestoreTest, ReadsNothingMoreAfterAnError) {
  PutArchive(kLatest, std::string(5000, 'x'));
  destination_->At(Point::kRead, [](const Context&) {
    return absl::UnavailableError("connection reset");
  });
  target_->OnRestore([this](const Context&, absl::Span<RestorePayload> chain) {
    const absl::Status first = FakeSource::ReadAll(*chain[0].reader).status();
    destination_->At(Point::kRead, nullptr);
    EXPECT_EQ(FakeSource::ReadAll(*chain[0].reader).status(), first);
    return absl::OkStatus();
  });
  ExpectFailed(Run(kLatest), kDestinationUnreachable);
}

TEST_F(RestoreTest, AThrowingTargetIsAFailedJobAndNoDeadProcess) {
  target_->OnRestore(
      [](const Context&, absl::Span<RestorePayload>) -> absl::Status {
        throw std::runtime_error("boom");
      });
  const RestoreResult result = Run();
  ExpectFailed(result, kSourceFailed);
  EXPECT_EQ(result.status.message(), "the target threw: boom");
}

TEST_F(RestoreTest, ATargetThatEndsItsThreadDoesNotHoldTheRun) {
  target_->OnRestore(
      [](const Context&, absl::Span<RestorePayload>) -> absl::Status {
        pthread_exit(nullptr);
      });
  ExpectFailed(Run(), kSourceFailed);
}

// ---- cancel

TEST_F(RestoreTest, ACancelInterrupts) {
  for (const bool while_reading_the_manifest : {true, false}) {
    auto [context, cancel] = Context::WithCancel(Context::Background());
    if (while_reading_the_manifest) {
      destination_->At(Point::kManifest, [end = cancel](const Context&) {
        end(Interrupted());
        return absl::OkStatus();
      });
    } else {
      destination_->At(Point::kManifest, nullptr);
      target_->OnRestore([end = cancel](const Context& seen,
                                        absl::Span<RestorePayload> chain) {
        end(Interrupted());
        EXPECT_EQ(seen.status(), Interrupted());
        return FakeSource::ReadAll(*chain[0].reader).status();
      });
    }
    ExpectFailed(Run(kFull, {}, context), kCancelled, BackupJob::INTERRUPTED);
  }
}

TEST_F(RestoreTest, ACancelAfterTheTargetHadAllChangesNothing) {
  auto [context, cancel] = Context::WithCancel(Context::Background());
  target_->OnRestore(
      [end = cancel](const Context&, absl::Span<RestorePayload> chain) {
        EXPECT_TRUE(FakeSource::ReadAll(*chain[0].reader).ok());
        end(Interrupted());
        return absl::OkStatus();
      });
  const RestoreResult result = Run(kFull, {}, context);
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(jobs_.job(result.job->id())->status(), BackupJob::SUCCEEDED);
}

TEST_F(RestoreTest, ATargetThatIgnoresCancellationIsAbandoned) {
  FakeClock clock;
  auto gate = std::make_shared<FakeGate>();
  auto done = std::make_shared<FakeGate>();
  target_->OnRestore(
      [gate, done](const Context& context, absl::Span<RestorePayload> chain) {
        gate->Pass();
        EXPECT_EQ(chain[0].reader->Next().status(), Interrupted());
        EXPECT_TRUE(context.done());
        done->Open();
        return absl::OkStatus();
      });
  auto [context, cancel] = Context::WithCancel(Context::Background());
  std::atomic<bool> returned{false};
  std::thread user([&, end = cancel] {
    gate->AwaitArrival();
    end(Interrupted());
    while (!returned) {
      clock.Advance(absl::Milliseconds(100));
      std::this_thread::yield();
    }
  });
  const RestoreResult result = Run(kFull, {}, context, &clock);
  returned = true;
  user.join();
  ExpectFailed(result, kCancelled, BackupJob::INTERRUPTED);
  EXPECT_TRUE(result.source_abandoned);
  ASSERT_EQ(result.job->warnings_size(), 1);
  EXPECT_EQ(result.job->warnings(0).code(), kSourceUnresponsive);
  target_.reset();
  destination_.reset();
  gate->Open();
  done->Pass();
}

TEST_F(RestoreTest, ATargetMayTakeItsTimeToDiscardWhatItStaged) {
  FakeClock clock;
  FakeDestination::Archive archive = destination_->archives()[0];
  archive.payload[0] ^= 1;
  destination_->Put(archive);
  target_->OnRestore([&](const Context&, absl::Span<RestorePayload> chain) {
    const absl::Status damaged = FakeSource::ReadAll(*chain[0].reader).status();
    for (int i = 0; i < 600; ++i) {  // a minute
      clock.AwaitWaiters(1);
      clock.Advance(absl::Milliseconds(100));
    }
    return damaged;
  });
  const RestoreResult result = Run(kFull, {}, Context::Background(), &clock);
  ExpectFailed(result, kArchiveDamaged);
  EXPECT_FALSE(result.source_abandoned);
}

TEST_F(RestoreTest, TheTerminalRowIsWrittenAgainWhereTheStoreIsBusy) {
  jobs_.FailNext(Call::kUpdateJob, absl::UnavailableError("locked"), 2);
  const RestoreResult result = Run();
  EXPECT_TRUE(result.status.ok());
  EXPECT_EQ(jobs_.job(result.job->id())->status(), BackupJob::SUCCEEDED);
}

}  // namespace
}  // namespace sluice
