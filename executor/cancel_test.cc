// Runs that are cancelled, late or stalled, at every stage: each must end, be
// told as what it was, and leave nothing behind.

#include <dirent.h>
#include <pthread.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/fake_clock.h"
#include "sluice/executor/executor.h"
#include "sluice/executor/testing/fake_destination.h"
#include "sluice/executor/testing/fake_job_store.h"
#include "sluice/executor/testing/fake_source.h"
#include "sluice/executor/testing/interrupted.h"

namespace sluice {
namespace {

using Call = FakeJobStore::Call;
using Point = FakeDestination::Point;

int EntriesOf(const char* folder) {
  DIR* const dir = opendir(folder);
  int entries = 0;
  while (readdir(dir) != nullptr) ++entries;
  closedir(dir);
  return entries;
}

int OpenDescriptors() { return EntriesOf("/proc/self/fd"); }

// A thread that was joined may stay in /proc for a moment, also when `expected`
// was counted.
void ExpectThreads(int expected) {
  for (int i = 0; i < 1000000 && EntriesOf("/proc/self/task") > expected; ++i) {
    std::this_thread::yield();
  }
  EXPECT_LE(EntriesOf("/proc/self/task"), expected);
}

class CancelTest : public ::testing::Test {
 protected:
  CancelTest() {
    repo_.set_id("repo");
    // Some sanitizers start a thread of their own with our first.
    std::thread([] {}).join();
    threads_ = EntriesOf("/proc/self/task");
    descriptors_ = OpenDescriptors();
  }

  BackupResult Run(const Context& context, const RunBackupOptions& options = {},
                   Clock* clock = Clock::Real()) {
    return Executor(&jobs_, clock)
        .RunBackup(context, source_, destination_, repo_, "orders", "fake",
                   options);
  }

  void ExpectInterrupted(const BackupResult& result,
                         absl::string_view code = kCancelled) {
    EXPECT_EQ(ErrorCodeOf(result.status), code) << result.status;
    EXPECT_FALSE(result.record.has_value());
    EXPECT_TRUE(destination_->archives().empty());
    EXPECT_TRUE(jobs_.records().empty());
    ASSERT_TRUE(result.job.has_value());
    const BackupJob stored = jobs_.job(result.job->id()).value();
    EXPECT_EQ(stored.status(), BackupJob::INTERRUPTED) << stored.DebugString();
    EXPECT_EQ(stored.error_code(), code);
    EXPECT_GT(stored.finished_at_ms(), 0);
  }

  void ExpectNothingLeft() {
    ExpectThreads(threads_);
    EXPECT_EQ(OpenDescriptors(), descriptors_);
  }

  FakeJobStore jobs_;
  std::shared_ptr<FakeSource> source_ = std::make_shared<FakeSource>();
  std::shared_ptr<FakeDestination> destination_ =
      std::make_shared<FakeDestination>();
  BackupRepo repo_;
  int threads_ = 0;
  int descriptors_ = 0;
};

// T13: a cancel at each stage before the point of no return.
TEST_F(CancelTest, ACancelAtAnyStageBeforeTheCommitInterrupts) {
  source_->WriteMany(100, std::string(5000, 'x')).End({{"keys", 1}});
  using Arm = std::function<void(std::function<void()>, RunBackupOptions&)>;
  const auto at = [this](Point point) -> Arm {
    return [this, point](std::function<void()> cancel, RunBackupOptions&) {
      destination_->At(point, [cancel](const Context&) {
        cancel();
        return absl::OkStatus();
      });
    };
  };
  const std::vector<std::pair<std::string, Arm>> stages = {
      {"job created",
       [](std::function<void()> cancel, RunBackupOptions& options) {
         options.on_job_created = [cancel](const BackupJob&) { cancel(); };
       }},
      {"begin", at(Point::kBegin)},
      {"payload", at(Point::kPayload)},
      {"end", at(Point::kEnd)},
      {"publishing",
       [](std::function<void()> cancel, RunBackupOptions& options) {
         options.on_progress = [cancel](const RunProgress& progress) {
           if (progress.stage == "publishing") cancel();
         };
       }},
      {"before publish",
       [](std::function<void()> cancel, RunBackupOptions& options) {
         options.before_publish = [cancel](const BackupJob&) {
           cancel();
           return absl::OkStatus();
         };
       }},
  };
  for (const auto& [name, arm] : stages) {
    SCOPED_TRACE(name);
    destination_ = std::make_shared<FakeDestination>();
    auto [context, cancel] = Context::WithCancel(Context::Background());
    RunBackupOptions options;
    options.pipe.chunk_bytes = 4096;
    arm([cancel = cancel] { cancel(Interrupted()); }, options);
    ExpectInterrupted(Run(context, options));
  }
  ExpectNothingLeft();
}

TEST_F(CancelTest, ACancelFromTheCommitOnChangesNothing) {
  source_->Write("bytes").End({{"keys", 1}});
  for (const Point point : {Point::kCommit, Point::kCommitted}) {
    destination_ = std::make_shared<FakeDestination>();
    auto [context, cancel] = Context::WithCancel(Context::Background());
    destination_->At(point, [cancel = cancel](const Context& seen) {
      cancel(Interrupted());
      return seen.status();  // the end of the run is masked
    });
    const BackupResult result = Run(context);
    ASSERT_TRUE(result.status.ok()) << result.status;
    EXPECT_TRUE(result.record.has_value());
    EXPECT_EQ(jobs_.job(result.job->id())->status(), BackupJob::SUCCEEDED);
    EXPECT_EQ(destination_->archives().size(), 1u);
  }
  EXPECT_EQ(jobs_.records().size(), 2u);
}

TEST_F(CancelTest, ADeadlineFromTheCommitOnChangesNothing) {
  FakeClock clock;
  source_->Write("bytes").End({{"keys", 1}});
  auto [context, cancel] =
      Context::WithTimeout(Context::Background(), &clock, absl::Seconds(30));
  destination_->At(Point::kCommit, [&, late = context](const Context& seen) {
    clock.AwaitWaiters(1);
    clock.Advance(absl::Seconds(31));
    while (!late.done()) std::this_thread::yield();
    return seen.status();
  });
  const BackupResult result = Run(context, {}, &clock);
  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(jobs_.job(result.job->id())->status(), BackupJob::SUCCEEDED);
}

TEST_F(CancelTest, AFailureAfterTheCommitBeganIsToldAndNotTheCancel) {
  source_->Write("bytes").End({{"keys", 1}});
  auto [context, cancel] = Context::WithCancel(Context::Background());
  destination_->At(Point::kCommit, [cancel = cancel](const Context&) {
    cancel(Interrupted());
    return MakeError(absl::StatusCode::kUnavailable, kDestinationUnreachable,
                     "gone");
  });
  const BackupResult result = Run(context);
  EXPECT_EQ(ErrorCodeOf(result.status), kDestinationUnreachable);
  EXPECT_EQ(jobs_.job(result.job->id())->status(), BackupJob::FAILED);
}

TEST_F(CancelTest, ACancelledContextAtTheStartLeavesNoJob) {
  source_->Write("bytes").End({{"keys", 1}});
  auto [context, cancel] = Context::WithCancel(Context::Background());
  cancel(Interrupted());
  const BackupResult result = Run(context);
  EXPECT_EQ(ErrorCodeOf(result.status), kCancelled);
  EXPECT_FALSE(result.job.has_value());
  EXPECT_TRUE(jobs_.jobs().empty());
  EXPECT_EQ(source_->backups(), 0);
}

// The terminal row on the context that was just cancelled: the fake job store
// refuses that, as a real one does.
TEST_F(CancelTest, TheTerminalRowIsNotWrittenOnTheCancelledContext) {
  auto [context, cancel] = Context::WithCancel(Context::Background());
  source_->Write("bytes").Do(
      [cancel = cancel](const Context& seen, PayloadSink& sink) {
        cancel(Interrupted());
        EXPECT_TRUE(seen.done());
        EXPECT_EQ(sink.Poll(), Interrupted());
        return sink.Poll();
      });
  const BackupResult result = Run(context);
  ExpectInterrupted(result);
  EXPECT_EQ(result.job->warnings_size(), 0);
}

TEST_F(CancelTest, AnEchoOfTheCancelIsNotTheCause) {
  auto [context, cancel] = Context::WithCancel(Context::Background());
  source_->Write("bytes").Do([cancel = cancel](const Context&, PayloadSink&) {
    cancel(Interrupted());
    return absl::InternalError("my connection broke");
  });
  ExpectInterrupted(Run(context));
}

TEST_F(CancelTest, ALateRunIsInterruptedAsLate) {
  FakeClock clock;
  auto [context, cancel] =
      Context::WithTimeout(Context::Background(), &clock, absl::Seconds(30));
  source_->Write("bytes")
      .Do([&clock](const Context&, PayloadSink&) {
        clock.AwaitWaiters(1);
        clock.Advance(absl::Seconds(30));
        return absl::OkStatus();
      })
      .Stall();
  ExpectInterrupted(Run(context, {}, &clock), kDeadlineExceeded);
}

// A destination that waits for bytes, a source that gives none.
TEST_F(CancelTest, ACancelWakesAStalledRun) {
  for (const bool wrote_before : {false, true}) {
    source_ = std::make_shared<FakeSource>();
    if (wrote_before) source_->Write("bytes");
    std::atomic<bool> stalled{false};
    source_->Do([&stalled](const Context&, PayloadSink&) {
      stalled = true;
      return absl::OkStatus();
    });
    source_->Stall();
    auto [context, cancel] = Context::WithCancel(Context::Background());
    std::thread user([&stalled, cancel = cancel] {
      while (!stalled) std::this_thread::yield();
      cancel(Interrupted());
    });
    ExpectInterrupted(Run(context));
    user.join();
  }
  ExpectNothingLeft();
}

// A source in a write that nobody will read.
TEST_F(CancelTest, ACancelWakesASourceThatIsBlockedInAWrite) {
  source_->WriteMany(1000000, std::string(4096, 'x'));
  auto [context, cancel] = Context::WithCancel(Context::Background());
  RunBackupOptions options;
  options.pipe.chunk_bytes = 4096;
  options.pipe.chunks = 3;
  destination_->At(Point::kBegin, [cancel = cancel](const Context& seen) {
    FakeGate ended;
    const auto open =
        seen.OnDone([&ended](const absl::Status&) { ended.Open(); });
    cancel(Interrupted());
    ended.Pass();
    return seen.status();
  });
  ExpectInterrupted(Run(context, options));
  ExpectNothingLeft();
}

TEST_F(CancelTest, AnUploadThatFailsWakesASourceThatIsBlockedInAWrite) {
  source_->WriteMany(1000000, std::string(4096, 'x'));
  destination_->At(Point::kBegin, [](const Context&) {
    return MakeError(absl::StatusCode::kUnavailable, kDestinationUnreachable,
                     "reset by peer");
  });
  const BackupResult result = Run(Context::Background());
  EXPECT_EQ(ErrorCodeOf(result.status), kDestinationUnreachable);
  EXPECT_FALSE(result.source_abandoned);
  ExpectNothingLeft();
}

// T13: a source that ignores cancellation, stalled at each stage of its own.
TEST_F(CancelTest, ASourceThatIgnoresCancellationIsAbandonedAfterTwoSeconds) {
  using Script = std::function<void(FakeSource&)>;
  const std::vector<std::pair<std::string, Script>> stages = {
      {"before the first byte", [](FakeSource&) {}},
      {"between bytes", [](FakeSource& source) { source.Write("bytes"); }},
      {"after its end",
       [](FakeSource& source) {
         source.Write("bytes").End({{"keys", 1}});
       }},
  };
  for (const auto& [name, script] : stages) {
    SCOPED_TRACE(name);
    FakeClock clock;
    auto gate = std::make_shared<FakeGate>();
    source_ = std::make_shared<FakeSource>();
    script(*source_);
    source_->Hang(gate).Do([](const Context& context, PayloadSink& sink) {
      EXPECT_TRUE(context.done());
      EXPECT_EQ(sink.Write("late"), Interrupted()) << "cancelled for ever";
      EXPECT_EQ(sink.Reserve().status(), Interrupted());
      EXPECT_EQ(sink.AddPayloadIds({"late"}), Interrupted());
      EXPECT_EQ(sink.Poll(), Interrupted());
      sink.AddWarning("late", "late");
      return absl::OkStatus();
    });
    // The end may have been said; then misuse is told instead.
    if (name == "after its end") {
      source_ = std::make_shared<FakeSource>();
      script(*source_);
      source_->Hang(gate);
    }
    std::weak_ptr<FakeSource> weak = source_;
    auto [context, cancel] = Context::WithCancel(Context::Background());
    std::thread user([&, end = cancel] {
      gate->AwaitArrival();
      end(Interrupted());
      clock.AwaitWaiters(1);  // the run waits for its source now
      clock.Advance(absl::Seconds(2));
    });
    const absl::Duration begin = clock.SinceBoot();
    const BackupResult result = Run(context, {}, &clock);
    user.join();
    ExpectInterrupted(result);
    EXPECT_LE(clock.SinceBoot() - begin, absl::Seconds(2));
    EXPECT_TRUE(result.source_abandoned);
    ASSERT_EQ(result.job->warnings_size(), 1);
    EXPECT_EQ(result.job->warnings(0).code(), kSourceUnresponsive);
    // The thread lives on with what it needs, and ends once it can.
    source_.reset();
    EXPECT_FALSE(weak.expired());
    gate->Open();
    ExpectThreads(threads_);
    EXPECT_TRUE(weak.expired());
  }
  ExpectNothingLeft();
}

TEST_F(CancelTest, AFailedUploadAbandonsASourceThatDoesNotNotice) {
  FakeClock clock;
  auto gate = std::make_shared<FakeGate>();
  source_->Write("bytes").Hang(gate);
  destination_->At(Point::kPayload, [&gate](const Context&) {
    gate->AwaitArrival();
    return MakeError(absl::StatusCode::kResourceExhausted, kDestinationNoSpace,
                     "full");
  });
  std::thread time([&] {
    clock.AwaitWaiters(1);
    clock.Advance(absl::Seconds(2));
  });
  const BackupResult result = Run(Context::Background(), {}, &clock);
  time.join();
  EXPECT_EQ(ErrorCodeOf(result.status), kDestinationNoSpace);
  EXPECT_EQ(jobs_.job(result.job->id())->status(), BackupJob::FAILED);
  EXPECT_TRUE(result.source_abandoned);
  gate->Open();
  ExpectNothingLeft();
}

TEST_F(CancelTest, ASourceThatEndsItsThreadDoesNotHoldTheRun) {
  source_->Write("bytes").Do([](const Context&, PayloadSink&) -> absl::Status {
    pthread_exit(nullptr);
  });
  const BackupResult result = Run(Context::Background());
  EXPECT_EQ(ErrorCodeOf(result.status), kSourceFailed);
  EXPECT_FALSE(result.source_abandoned);
  ExpectNothingLeft();
}

TEST_F(CancelTest, SuccessAndFailureLeaveNoThreadAndNoDescriptor) {
  RunBackupOptions options;
  options.scratch_dir = ::testing::TempDir();
  source_->Do([](const Context&, PayloadSink& sink) {
    absl::Status status;
    for (int i = 0; i < 10000 && status.ok(); ++i) {
      const std::string id = std::string(1000, 'x') + std::to_string(i);
      status = sink.AddPayloadIds({id});  // enough for a file
    }
    return status;
  });
  source_->End({{"keys", 1}});
  EXPECT_TRUE(Run(Context::Background(), options).status.ok());
  EXPECT_EQ(destination_->archives()[0].ids.size(), 10000u);
  destination_->At(Point::kEnd,
                   [](const Context&) { return absl::InternalError("no"); });
  EXPECT_FALSE(Run(Context::Background(), options).status.ok());
  ExpectNothingLeft();
}

TEST_F(CancelTest, ManyRunsCancelledAtAnyMomentAllEnd) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([this, i] {
      auto source = std::make_shared<FakeSource>();
      source->WriteMany(200, std::string(4096, 'x')).End({{"keys", 1}});
      auto [context, cancel] = Context::WithCancel(Context::Background());
      RunBackupOptions options;
      options.pipe.chunk_bytes = 4096;
      std::thread user([end = cancel, i] {
        for (int spin = 0; spin < i * 200; ++spin) std::this_thread::yield();
        end(Interrupted());
      });
      const BackupResult result =
          Executor(&jobs_, Clock::Real())
              .RunBackup(context, source, destination_, repo_,
                         "store-" + std::to_string(i), "fake", options);
      user.join();
      if (!result.job.has_value()) return;  // cancelled before the job
      const BackupJob stored = jobs_.job(result.job->id()).value();
      EXPECT_EQ(stored.status(), result.status.ok() ? BackupJob::SUCCEEDED
                                                    : BackupJob::INTERRUPTED);
      EXPECT_EQ(result.status.ok(), result.record.has_value());
    });
  }
  for (std::thread& thread : threads) thread.join();
  // A record for each archive and an archive for each record.
  EXPECT_EQ(destination_->archives().size(), jobs_.records().size());
  ExpectNothingLeft();
}

}  // namespace
}  // namespace sluice
