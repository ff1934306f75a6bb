#include "sluice/executor/executor.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/testing/thread_fault.h"
#include "sluice/executor/testing/fake_destination.h"
#include "sluice/executor/testing/fake_job_store.h"
#include "sluice/executor/testing/fake_source.h"
#include "sluice/executor/testing/interrupted.h"
#include "sluice/executor/testing/no_destination.h"
#include "sluice/executor/ulid.h"

namespace sluice {
namespace {

using Call = FakeJobStore::Call;
using Point = FakeDestination::Point;

absl::Status NoSpace() {
  return MakeError(absl::StatusCode::kResourceExhausted, kDestinationNoSpace,
                   "write payload.bin: no space left on device");
}

// The manifest of a full backup, for an increment on it.
Manifest BaseOf(const std::string& store_id) {
  Manifest base;
  base.set_backup_id("01ARZ3NDEKTSV4RRFFQ69G5FAV");
  base.set_store_id(store_id);
  base.set_store_kind("fake");
  return base;
}

class ExecutorTest : public ::testing::Test {
 protected:
  ExecutorTest() { repo_.set_id("repo"); }

  BackupResult Run(const RunBackupOptions& options = {},
                   const Context& context = Context::Background()) {
    return Executor(&jobs_, Clock::Real())
        .RunBackup(context, source_, destination_, repo_, "orders", "fake",
                   options);
  }

  // A source that works, for tests of everything else.
  void GoodSource() {
    source_->Write("some ").Write("bytes").End({{"keys", 2}});
  }

  FakeSource& source() { return *source_; }

  void At(Point point, std::function<absl::Status()> hook) {
    destination_->At(point, [hook](const Context&) { return hook(); });
  }

  // Neither record nor archive; the terminal row is stored, as returned.
  void ExpectNothingPublished(const BackupResult& result,
                              BackupJob::Status expected,
                              absl::string_view code) {
    EXPECT_FALSE(result.status.ok());
    EXPECT_EQ(ErrorCodeOf(result.status), code) << result.status;
    EXPECT_FALSE(result.record.has_value());
    EXPECT_FALSE(result.manifest.has_value());
    EXPECT_TRUE(destination_->archives().empty());
    EXPECT_TRUE(jobs_.records().empty());
    ExpectEnded(result, expected, code);
  }

  void ExpectEnded(const BackupResult& result, BackupJob::Status expected,
                   absl::string_view code) {
    ASSERT_TRUE(result.job.has_value());
    const absl::optional<BackupJob> stored = jobs_.job(result.job->id());
    ASSERT_TRUE(stored.has_value());
    EXPECT_EQ(stored->SerializeAsString(), result.job->SerializeAsString());
    EXPECT_EQ(stored->status(), expected) << stored->DebugString();
    EXPECT_EQ(stored->error_code(), code) << stored->error();
    EXPECT_EQ(stored->error().empty(), code.empty());
    EXPECT_GE(stored->finished_at_ms(), stored->started_at_ms());
    EXPECT_EQ(stored->record_id().empty(), expected != BackupJob::SUCCEEDED);
  }

  FakeJobStore jobs_;
  std::shared_ptr<FakeSource> source_ = std::make_shared<FakeSource>();
  std::shared_ptr<FakeDestination> destination_ =
      std::make_shared<FakeDestination>();
  BackupRepo repo_;
};

// ---- a run that goes well

TEST_F(ExecutorTest, PublishesWhatTheSourceGave) {
  repo_.mutable_encryption()->set_algorithm("none of this test's business");
  source()
      .SetEstimate(10)
      .Write("some ")
      .AddIds({"block-2", "block-1", "block-2"})
      .SetMetadata("version", "7")
      .Warn("skipped", "a symlink")
      .WriteInPlace("bytes")
      .End({{"keys", 2}});
  const BackupResult result = Run();
  ASSERT_TRUE(result.status.ok()) << result.status;
  ASSERT_EQ(destination_->archives().size(), 1u);
  const FakeDestination::Archive archive = destination_->archives()[0];
  EXPECT_EQ(archive.payload, "some bytes");
  EXPECT_EQ(archive.ids, (std::vector<std::string>{"block-1", "block-2"}));

  const Manifest& manifest = *result.manifest;
  EXPECT_EQ(manifest.SerializeAsString(), archive.manifest.SerializeAsString());
  EXPECT_TRUE(IsUlid(manifest.backup_id()));
  EXPECT_EQ(manifest.store_id(), "orders");
  EXPECT_EQ(manifest.store_kind(), "fake");
  EXPECT_EQ(manifest.catalog_id(), "fake-catalog");
  EXPECT_EQ(manifest.job_id(), result.job->id());
  EXPECT_EQ(manifest.repo_id(), "repo");
  EXPECT_EQ(manifest.encryption().algorithm(), repo_.encryption().algorithm());
  EXPECT_EQ(manifest.plain_size_bytes(), 10u);
  EXPECT_EQ(manifest.source_counts().at("keys"), 2u);
  EXPECT_EQ(manifest.engine_metadata().at("version"), "7");
  ASSERT_EQ(manifest.warnings_size(), 1);
  EXPECT_EQ(manifest.warnings(0).code(), "skipped");
  EXPECT_EQ(manifest.created_at().size(), 24u);
}

TEST_F(ExecutorTest, ManifestRecordAndJobBearTheSameId) {
  GoodSource();
  const BackupResult result = Run();
  ASSERT_TRUE(result.status.ok());
  const std::string id = result.manifest->backup_id();
  EXPECT_EQ(result.record->id(), id);
  EXPECT_EQ(result.job->backup_id(), id);
  EXPECT_EQ(result.job->record_id(), id);
  EXPECT_EQ(result.record->job_id(), result.job->id());
  EXPECT_EQ(result.record->sha256(), result.manifest->sha256());
  EXPECT_EQ(result.record->size_bytes(), 10u);
  EXPECT_EQ(result.record->plain_size_bytes(), 10u);
  ASSERT_EQ(jobs_.records().size(), 1u);
  EXPECT_EQ(jobs_.records()[0].SerializeAsString(),
            result.record->SerializeAsString());
  ExpectEnded(result, BackupJob::SUCCEEDED, "");
  EXPECT_EQ(result.job->progress(), 100u);
  EXPECT_EQ(result.job->bytes_done(), 10u);
  EXPECT_EQ(result.job->stage(), "done");
}

TEST_F(ExecutorTest, TellsTheJobBeforeTheFirstByte) {
  GoodSource();
  RunBackupOptions options;
  int calls = 0;
  options.on_job_created = [&](const BackupJob& job) {
    ++calls;
    EXPECT_EQ(source_->backups(), 0);
    ASSERT_TRUE(jobs_.job(job.id()).has_value());
    EXPECT_EQ(jobs_.job(job.id())->status(), BackupJob::RUNNING);
    EXPECT_TRUE(IsUlid(job.backup_id()));
    EXPECT_GT(job.started_at_ms(), 0);
  };
  EXPECT_TRUE(Run(options).status.ok());
  EXPECT_EQ(calls, 1);
}

TEST_F(ExecutorTest, TellsTheStagesInOrder) {
  GoodSource();
  RunBackupOptions options;
  std::vector<std::pair<std::string, uint32_t>> told;
  options.on_progress = [&](const RunProgress& progress) {
    told.emplace_back(std::string(progress.stage), progress.percent);
  };
  ASSERT_TRUE(Run(options).status.ok());
  const std::vector<std::pair<std::string, uint32_t>> expected = {
      {"starting", 10},
      {"streaming", 50},
      {"publishing", 95},
      {"recording", 95},
      {"done", 100}};
  EXPECT_EQ(told, expected);
  std::vector<uint32_t> stored;
  for (const auto& progress : jobs_.progress())
    stored.push_back(progress.percent);
  EXPECT_EQ(stored, (std::vector<uint32_t>{10, 50, 95}));
}

TEST_F(ExecutorTest, CountsBytesBetweenFiftyAndNinetyFiveWhereItCan) {
  const std::string block(size_t{1} << 20, 'x');
  source().SetEstimate(block.size() * 10).WriteMany(5, block);
  source().Return(absl::DataLossError("then it fails"));
  // The destination sees each of the five before the failure is due.
  auto gate = std::make_shared<FakeGate>();
  std::atomic<uint64_t> seen{0};
  RunBackupOptions options;
  options.on_progress = [&](const RunProgress& p) { seen = p.bytes_estimated; };
  const BackupResult result = Run(options);
  EXPECT_GE(result.job->progress(), 10u);
  EXPECT_LE(result.job->progress(), 73u);
  if (result.job->bytes_done() > 0) {
    EXPECT_EQ(result.job->bytes_estimated(), block.size() * 10);
  }
}

TEST_F(ExecutorTest, AFailingProgressIsAWarningAndNeverFailsTheRun) {
  GoodSource();
  jobs_.FailAlways(Call::kUpdateProgress, absl::UnavailableError("locked"));
  const BackupResult result = Run();
  ASSERT_TRUE(result.status.ok());
  ExpectEnded(result, BackupJob::SUCCEEDED, "");
  ASSERT_EQ(result.job->warnings_size(), 1);
  EXPECT_EQ(result.job->warnings(0).code(), "progress_not_stored");
}

TEST_F(ExecutorTest, BuildsOnABase) {
  GoodSource();
  const Manifest base = Run().manifest.value();
  RunBackupOptions options;
  options.base = &base;
  const BackupResult result = Run(options);
  ASSERT_TRUE(result.status.ok());
  EXPECT_EQ(source_->base_seen(), base.backup_id());
  EXPECT_EQ(result.manifest->base_backup_id(), base.backup_id());
  EXPECT_EQ(result.record->base_backup_id(), base.backup_id());
}

TEST_F(ExecutorTest, GivesASourceTheIndexesOfTheChainOfItsBase) {
  std::string seen;
  std::string wrote = "index of the full one";
  source_->Do([&](const Context&, PayloadSink& sink) {
    return sink.keeps_index() ? sink.WriteIndex(wrote)
                              : absl::InternalError("no index is kept");
  });
  source_->Write("bytes").End({{"keys", 1}});
  source_->OnBase([&](BackupBase& base) -> absl::Status {
    seen.clear();
    for (RestorePayload& index : base.indexes) {
      SLUICE_ASSIGN_OR_RETURN(const std::string all,
                              FakeSource::ReadAll(*index.reader));
      absl::StrAppend(&seen, all, ".");
    }
    return absl::OkStatus();
  });
  const Manifest full = Run().manifest.value();
  RunBackupOptions options;
  options.base = &full;
  wrote = "of an increment";
  const Manifest increment = Run(options).manifest.value();
  EXPECT_EQ(seen, "index of the full one.");
  options.base = &increment;
  wrote = "";
  const Manifest last = Run(options).manifest.value();
  EXPECT_EQ(seen, "index of the full one.of an increment.");
  // The last has none: then none of its chain is of use.
  options.base = &last;
  Run(options);
  EXPECT_EQ(seen, "");
}

TEST_F(ExecutorTest, PublishesNoIncrementOnABaseThatWasDeletedMeanwhile) {
  GoodSource();
  const Manifest base = Run().manifest.value();
  source().Do([&](const Context& context, PayloadSink&) {
    return destination_->Delete(context, base.backup_id());
  });
  RunBackupOptions options;
  options.base = &base;
  const BackupResult result = Run(options);
  EXPECT_EQ(ErrorCodeOf(result.status), kArchiveNotFound);
  ExpectEnded(result, BackupJob::FAILED, kArchiveNotFound);
  EXPECT_TRUE(destination_->archives().empty());
}

TEST_F(ExecutorTest, ForgetsTheBaseWhereTheSourceStreamedAll) {
  source().SetMetadata("sluice.full", "1");
  GoodSource();
  const Manifest base = BaseOf("orders");
  RunBackupOptions options;
  options.base = &base;
  const BackupResult result = Run(options);
  ASSERT_TRUE(result.status.ok());
  EXPECT_EQ(result.manifest->base_backup_id(), "");
}

TEST_F(ExecutorTest, MakesNamesThatAreNotUtf8FitForTheManifest) {
  source().Warn("skipped\nfile", "symlink caf\xe9\x01");
  GoodSource();
  const BackupResult result = Run();
  ASSERT_TRUE(result.status.ok());
  EXPECT_EQ(result.manifest->warnings(0).code(), "skipped_file");
  EXPECT_EQ(result.manifest->warnings(0).message(), "symlink caf\\xe9\\x01");
  EXPECT_EQ(result.record->warnings(0).message(), "symlink caf\\xe9\\x01");
}

TEST_F(ExecutorTest, BoundsTheWarningsAndSaysSo) {
  source().Do([](const Context&, PayloadSink& sink) {
    for (int i = 0; i < 1234; ++i) {
      sink.AddWarning("skipped", std::string(5000, 'x'));
    }
    return absl::OkStatus();
  });
  GoodSource();
  const BackupResult result = Run();
  ASSERT_TRUE(result.status.ok());
  // 1,000 are as many as a manifest's readers accept.
  ASSERT_EQ(result.manifest->warnings_size(), 1000);
  EXPECT_EQ(result.manifest->warnings(999).message(), "235 more warnings");
  EXPECT_LE(result.manifest->warnings(0).message().size(), 1024u);
}

TEST_F(ExecutorTest, SixteenRunsAtOnceShareNothing) {
  std::vector<std::thread> threads;
  std::vector<BackupResult> results(16);
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&, i] {
      auto source = std::make_shared<FakeSource>();
      source->WriteMany(100, std::string(997, static_cast<char>('a' + i)))
          .AddIds({absl::StrCat("block-", i)})
          .End({{"keys", 100}});
      RunBackupOptions options;
      options.pipe.chunk_bytes = 4096;
      options.pipe.chunks = 4;
      results[i] =
          Executor(&jobs_, Clock::Real())
              .RunBackup(Context::Background(), source, destination_, repo_,
                         absl::StrCat("store-", i), "fake", options);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(destination_->archives().size(), 16u);
  for (int i = 0; i < 16; ++i) {
    ASSERT_TRUE(results[i].status.ok()) << results[i].status;
    for (const auto& archive : destination_->archives()) {
      if (archive.manifest.backup_id() != results[i].record->id()) continue;
      EXPECT_EQ(archive.payload,
                std::string(99700, static_cast<char>('a' + i)));
      EXPECT_EQ(archive.ids[0], absl::StrCat("block-", i));
    }
  }
}

// ---- arguments

TEST_F(ExecutorTest, RefusesBadArgumentsBeforeAnythingIsWritten) {
  GoodSource();
  const Context context = Context::Background();
  const Executor executor(&jobs_, Clock::Real());
  BackupRepo nameless;
  RunBackupOptions bad_pipe;
  bad_pipe.pipe.chunks = 1;
  RunBackupOptions tiny_chunks;
  tiny_chunks.pipe.chunk_bytes = 7;
  auto odd = std::make_shared<FakeSource>();
  odd->set_kind("Odd");
  const std::vector<BackupResult> refused = {
      executor.RunBackup(context, nullptr, destination_, repo_, "s", "fake",
                         {}),
      executor.RunBackup(context, source_, nullptr, repo_, "s", "fake", {}),
      executor.RunBackup(context, source_, destination_, nameless, "s", "fake",
                         {}),
      executor.RunBackup(context, source_, destination_, repo_, "", "fake", {}),
      executor.RunBackup(context, source_, destination_, repo_, "\xff", "fake",
                         {}),
      executor.RunBackup(context, source_, destination_, repo_, "s", "", {}),
      executor.RunBackup(context, source_, destination_, repo_, "s", "badger",
                         {}),
      executor.RunBackup(context, odd, destination_, repo_, "s", "Odd", {}),
      executor.RunBackup(context, source_, destination_, repo_, "s", "fake",
                         bad_pipe),
      executor.RunBackup(context, source_, destination_, repo_, "s", "fake",
                         tiny_chunks),
      Executor(nullptr, Clock::Real())
          .RunBackup(context, source_, destination_, repo_, "s", "fake", {}),
      Executor(&jobs_, nullptr)
          .RunBackup(context, source_, destination_, repo_, "s", "fake", {})};
  for (size_t i = 0; i < refused.size(); ++i) {
    EXPECT_EQ(refused[i].status.code(), absl::StatusCode::kInvalidArgument)
        << i;
    EXPECT_FALSE(refused[i].job.has_value());
    EXPECT_FALSE(refused[i].record.has_value());
  }
  EXPECT_TRUE(jobs_.jobs().empty());
  EXPECT_EQ(source_->backups(), 0);
}

TEST_F(ExecutorTest, RefusesABaseOfAnotherStore) {
  const Manifest base = BaseOf("customers");
  RunBackupOptions options;
  options.base = &base;
  EXPECT_EQ(Run(options).status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(jobs_.jobs().empty());
}

TEST_F(ExecutorTest, KnowsTheKindsThatAStoreMayHave) {
  for (const absl::string_view kind : {"a", "memory", "my_store2"}) {
    EXPECT_TRUE(IsStoreKind(kind)) << kind;
  }
  for (const absl::string_view kind :
       {"", "2a", "_a", "A", "a-b", "a.b", "../a",
        "abcdefghijklmnopqrstuvwxyzabcdefg"}) {
    EXPECT_FALSE(IsStoreKind(kind)) << kind;
  }
}

TEST_F(ExecutorTest, ReturnsNeitherJobNorRecordWhereNoJobCouldBeCreated) {
  GoodSource();
  jobs_.FailNext(Call::kCreateJob,
                 MakeError(absl::StatusCode::kUnavailable, kCatalogUnavailable,
                           "the catalog is gone"));
  RunBackupOptions options;
  options.on_job_created = [](const BackupJob&) { ADD_FAILURE(); };
  const BackupResult result = Run(options);
  EXPECT_EQ(ErrorCodeOf(result.status), kCatalogUnavailable);
  EXPECT_FALSE(result.job.has_value());
  EXPECT_FALSE(result.record.has_value());
  EXPECT_EQ(source_->backups(), 0);
}

TEST_F(ExecutorTest, SaysThatABackupOfTheStoreIsRunningAlready) {
  source().Do([this](const Context&, PayloadSink&) {
    const BackupResult second = Run();
    EXPECT_EQ(ErrorCodeOf(second.status), kBackupAlreadyRunning);
    EXPECT_FALSE(second.job.has_value());
    return absl::OkStatus();
  });
  GoodSource();
  EXPECT_TRUE(Run().status.ok());
  EXPECT_EQ(source_->backups(), 1);
}

// ---- success that is none

TEST_F(ExecutorTest, PublishesNothingWhenTheSourceStopsWithoutItsEnd) {
  source().Write("half a dump");
  ExpectNothingPublished(Run(), BackupJob::FAILED, kSourceIncomplete);
}

TEST_F(ExecutorTest, PublishesNothingWhenTheSourceReturnsABareEndOfFile) {
  source().Write("half a dump").Return(absl::OutOfRangeError("EOF"));
  ExpectNothingPublished(Run(), BackupJob::FAILED, kSourceFailed);
}

TEST_F(ExecutorTest, PublishesNothingWhenTheSourceFailsAfterItsEnd) {
  GoodSource();
  source().Return(absl::DataLossError("the transaction did not commit"));
  ExpectNothingPublished(Run(), BackupJob::FAILED, kSourceFailed);
}

TEST_F(ExecutorTest, PublishesNothingWhereThereIsNothing) {
  source().End({});
  const BackupResult result = Run();
  ExpectNothingPublished(result, BackupJob::FAILED, kSourceEmpty);
  EXPECT_FALSE(HintOf(result.status).empty());
}

TEST_F(ExecutorTest, TakesCountsOfZeroForNothing) {
  source().End({{"keys", 0}});
  ExpectNothingPublished(Run(), BackupJob::FAILED, kSourceEmpty);
}

TEST_F(ExecutorTest, PublishesNothingAsNothingWhereThatIsAllowed) {
  source().End({});
  RunBackupOptions options;
  options.allow_empty = true;
  const BackupResult result = Run(options);
  ASSERT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(destination_->archives()[0].payload, "");
}

TEST_F(ExecutorTest, AnIncrementMayHoldNothingNewButAFullBackupMayNot) {
  const Manifest base = BaseOf("orders");
  RunBackupOptions options;
  options.base = &base;
  source().SetMetadata("sluice.full", "1").End({{"keys", 0}});
  ExpectNothingPublished(Run(options), BackupJob::FAILED, kSourceEmpty);

  source_ = std::make_shared<FakeSource>();
  GoodSource();
  const Manifest whole = Run().manifest.value();
  options.base = &whole;
  source_ = std::make_shared<FakeSource>();
  source().End({{"keys", 0}});
  const BackupResult result = Run(options);
  ASSERT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.manifest->base_backup_id(), whole.backup_id());
}

TEST_F(ExecutorTest, TakesCountsWithoutBytesForABackup) {
  source().End({{"keys", 3}});
  EXPECT_TRUE(Run().status.ok());
}

TEST_F(ExecutorTest, DoesNotBelieveADestinationThatHasNotReadTheEnd) {
  GoodSource();
  destination_->ClaimSuccessWithoutReading();
  ExpectNothingPublished(Run(), BackupJob::FAILED, kInternal);
}

TEST_F(ExecutorTest, ASinksErrorThatTheSourceIgnoresStillFailsTheRun) {
  source().Do([](const Context&, PayloadSink& sink) {
    const std::vector<absl::string_view> ids = {"two\nlines"};
    EXPECT_FALSE(sink.AddPayloadIds(ids).ok());
    EXPECT_FALSE(sink.Write("more").ok()) << "an error stays";
    return absl::OkStatus();
  });
  source().Do([](const Context&, PayloadSink& sink) {
    (void)sink.End({{"keys", 1}});
    return absl::OkStatus();
  });
  ExpectNothingPublished(Run(), BackupJob::FAILED, kSourceFailed);
}

// Each of these is a source's mistake; none may end as a backup.
TEST_F(ExecutorTest, PublishesNothingWhenTheSinkIsMisused) {
  const std::vector<std::pair<std::string, FakeSource::Step>> mistakes = {
      {"write after the end",
       [](const Context&, PayloadSink& sink) {
         EXPECT_TRUE(sink.End({{"keys", 1}}).ok());
         return sink.Write("late");
       }},
      {"the end twice",
       [](const Context&, PayloadSink& sink) {
         EXPECT_TRUE(sink.End({{"keys", 1}}).ok());
         return sink.End({{"keys", 1}});
       }},
      {"ids after the end",
       [](const Context&, PayloadSink& sink) {
         EXPECT_TRUE(sink.End({{"keys", 1}}).ok());
         return sink.AddPayloadIds({"a"});
       }},
      {"reserve after the end",
       [](const Context&, PayloadSink& sink) {
         EXPECT_TRUE(sink.End({{"keys", 1}}).ok());
         return sink.Reserve().status();
       }},
      {"commit after the end",
       [](const Context&, PayloadSink& sink) {
         EXPECT_TRUE(sink.End({{"keys", 1}}).ok());
         return sink.Commit(0);
       }},
      {"a warning after the end",
       [](const Context&, PayloadSink& sink) {
         EXPECT_TRUE(sink.End({{"keys", 1}}).ok());
         sink.AddWarning("late", "late");
         return absl::OkStatus();
       }},
      {"an estimate after the end",
       [](const Context&, PayloadSink& sink) {
         EXPECT_TRUE(sink.End({{"keys", 1}}).ok());
         sink.SetEstimate(1);
         return absl::OkStatus();
       }},
      {"the end while a chunk is reserved",
       [](const Context&, PayloadSink& sink) {
         EXPECT_TRUE(sink.Reserve().ok());
         return sink.End({{"keys", 1}});
       }},
      {"a write while a chunk is reserved",
       [](const Context&, PayloadSink& sink) {
         EXPECT_TRUE(sink.Reserve().ok());
         return sink.Write("late");
       }},
      {"reserve twice",
       [](const Context&, PayloadSink& sink) {
         EXPECT_TRUE(sink.Reserve().ok());
         return sink.Reserve().status();
       }},
      {"commit without reserve",
       [](const Context&, PayloadSink& sink) { return sink.Commit(1); }},
      {"commit of more than reserved",
       [](const Context&, PayloadSink& sink) {
         return sink.Commit(sink.Reserve()->size() + 1);
       }},
      {"a metadata key that is not text",
       [](const Context&, PayloadSink& sink) {
         return sink.SetMetadata("\xff", "");
       }},
      {"a metadata key of two lines",
       [](const Context&, PayloadSink& sink) {
         return sink.SetMetadata("a\nb", "");
       }},
      {"metadata keys without bound",
       [](const Context&, PayloadSink& sink) {
         absl::Status status;
         for (int i = 0; i < 10001 && status.ok(); ++i) {
           status = sink.SetMetadata(absl::StrCat(i), "");
         }
         return status;
       }},
      {"metadata without bound",
       [](const Context&, PayloadSink& sink) {
         absl::Status status;
         for (int i = 0; i < 20 && status.ok(); ++i) {
           status = sink.SetMetadata(absl::StrCat(i), std::string(99999, 'x'));
         }
         return status;
       }},
      {"a count without a name",
       [](const Context&, PayloadSink& sink) {
         return sink.End({{"", 1}});
       }},
  };
  for (const auto& [name, mistake] : mistakes) {
    SCOPED_TRACE(name);
    source_ = std::make_shared<FakeSource>();
    source().Write("some bytes").Do(mistake);
    ExpectNothingPublished(Run(), BackupJob::FAILED, kSourceFailed);
  }
}

// One of the two is refused as soon as they meet, and told so although the
// source says that all is well.
TEST_F(ExecutorTest, ASourceThatWritesFromTwoThreadsAtOncePublishesNothing) {
  const std::string block(1000, 'x');
  const auto write = [&block](PayloadSink& sink) {
    for (int i = 0; i < 1'000'000 && sink.Write(block).ok(); ++i) {
    }
  };
  source().Do([&write](const Context&, PayloadSink& sink) {
    std::thread other([&] { write(sink); });
    write(sink);
    other.join();
    (void)sink.End({{"keys", 1}});
    return absl::OkStatus();
  });
  const BackupResult result = Run();
  ExpectNothingPublished(result, BackupJob::FAILED, kSourceFailed);
  EXPECT_EQ(result.status.message(),
            "write while another thread used the sink: calls must come one at "
            "a time");
}

TEST_F(ExecutorTest, AThreadThatTheSourceLeftInACallFailsTheRun) {
  const auto gate = std::make_shared<FakeGate>();
  std::thread left;
  // Nothing is read before the source has returned, so the pipe fills up and
  // holds the thread.
  At(Point::kBegin, [gate] {
    gate->Pass();
    return absl::OkStatus();
  });
  source().Do([&left](const Context&, PayloadSink& sink) {
    left = std::thread([&sink] {
      const std::string block(1 << 20, 'x');
      while (sink.Write(block).ok()) {
      }
    });
    // Once the thread is in a call this one is refused, and so is the run.
    while (sink.SetMetadata("key", "value").ok()) std::this_thread::yield();
    return absl::OkStatus();
  });
  std::thread opener([gate] {
    gate->AwaitArrival();
    gate->Open();
  });
  ExpectNothingPublished(Run(), BackupJob::FAILED, kSourceFailed);
  opener.join();
  left.join();
}

// What restore and verify compare is compared before the publish.
TEST_F(ExecutorTest, BytesThatChangedOnTheirWayArePublishedByNobody) {
  const auto gate = std::make_shared<FakeGate>();
  At(Point::kBegin, [gate] {
    gate->Pass();
    return absl::OkStatus();
  });
  source().Do([gate](const Context&, PayloadSink& sink) {
    const absl::Span<char> chunk = sink.Reserve().value();
    std::fill(chunk.begin(), chunk.end(), 'a');
    EXPECT_TRUE(sink.Commit(chunk.size()).ok());
    chunk[0] = 'b';  // no longer its own
    gate->Open();
    return sink.End({{"keys", 1}});
  });
  const BackupResult result = Run();
  ExpectNothingPublished(result, BackupJob::FAILED, kSourceFailed);
  EXPECT_EQ(result.status.code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(absl::StrContains(result.status.message(), "checksum mismatch"))
      << result.status;
}

TEST_F(ExecutorTest, AKeyOfMetadataSetAgainCountsOnce) {
  source().Do([](const Context&, PayloadSink& sink) {
    for (int i = 0; i < 20; ++i) {
      EXPECT_TRUE(sink.SetMetadata("key", std::string(99999, 'x')).ok());
    }
    return sink.SetMetadata("key", "last");
  });
  GoodSource();
  const BackupResult result = Run();
  ASSERT_TRUE(result.status.ok());
  EXPECT_EQ(result.manifest->engine_metadata().at("key"), "last");
}

TEST_F(ExecutorTest, DoesNotBelieveAnArchiveOfAnotherSize) {
  GoodSource();
  class Liar final : public NoDestination {
   public:
    absl::Status PutBackup(const Context&, Manifest& manifest,
                           PayloadReader& payload, const PutOptions&) override {
      EXPECT_TRUE(FakeSource::ReadAll(payload).ok());
      manifest.set_plain_size_bytes(3);
      return absl::OkStatus();
    }
  };
  const BackupResult result =
      Executor(&jobs_, Clock::Real())
          .RunBackup(Context::Background(), source_, std::make_shared<Liar>(),
                     repo_, "orders", "fake", {});
  ExpectNothingPublished(result, BackupJob::FAILED, kArchiveDamaged);
}

// ---- the wrong story

TEST_F(ExecutorTest, TellsAFullDiskAsSuchThoughTheSourceSawABrokenPipe) {
  const std::string block(4096, 'x');
  source().Do([block](const Context&, PayloadSink& sink) -> absl::Status {
    while (true) {
      const absl::Status status = sink.Write(block);
      if (status.ok()) continue;
      EXPECT_EQ(ErrorCodeOf(status), kDestinationNoSpace)
          << "the source hears the cause";
      return absl::InternalError("my write failed: broken pipe");
    }
  });
  At(Point::kPayload, NoSpace);
  const BackupResult result = Run();
  ExpectNothingPublished(result, BackupJob::FAILED, kDestinationNoSpace);
  EXPECT_EQ(result.status, NoSpace());
}

TEST_F(ExecutorTest, TellsTheSourcesErrorToTheDestinationAndToTheCaller) {
  const absl::Status torn =
      MakeError(absl::StatusCode::kDataLoss, kSourceUnavailable, "torn page");
  source().Write("half").Return(torn);
  const BackupResult result = Run();
  ExpectNothingPublished(result, BackupJob::FAILED, kSourceUnavailable);
  EXPECT_EQ(result.status, torn);
  EXPECT_EQ(result.job->error(), "torn page");
}

TEST_F(ExecutorTest, TellsAFullScratchFolderAsNeitherSideNorInterrupted) {
  RunBackupOptions options;
  options.scratch_dir = "/nowhere/at/all";
  source().Do([](const Context&, PayloadSink& sink) {
    absl::Status status;
    for (int i = 0; i < 1000000 && status.ok(); ++i) {
      const std::string id = absl::StrCat("block-", i);
      status = sink.AddPayloadIds({id});
    }
    return absl::InternalError(absl::StrCat("ids: ", status.message()));
  });
  ExpectNothingPublished(Run(options), BackupJob::FAILED, kScratchUnavailable);
}

TEST_F(ExecutorTest, GivesWordsToErrorsThatCameWithout) {
  const std::vector<std::pair<absl::Status, absl::string_view>> words = {
      {absl::PermissionDeniedError("x"), kDestinationPermissionDenied},
      {absl::UnauthenticatedError("x"), kDestinationCredentialsInvalid},
      {absl::NotFoundError("x"), kDestinationNotFound},
      {absl::UnavailableError("x"), kDestinationUnreachable},
      {absl::InternalError("x"), kInternal}};
  GoodSource();
  for (const auto& [status, word] : words) {
    At(Point::kEnd, [error = status] { return error; });
    ExpectNothingPublished(Run(), BackupJob::FAILED, word);
  }
}

TEST_F(ExecutorTest, AnAbortByTheStoreInterrupts) {
  source().Write("half").Return(absl::AbortedError("shutting down"));
  ExpectNothingPublished(Run(), BackupJob::INTERRUPTED, kSourceAborted);
}

TEST_F(ExecutorTest, ACancelThatTheSourceInventsIsItsOwn) {
  source().Write("half").Return(absl::CancelledError("me, not you"));
  ExpectNothingPublished(Run(), BackupJob::INTERRUPTED, kSourceAborted);
}

TEST_F(ExecutorTest, TellsTheRecordsFailureAsTheRecords) {
  GoodSource();
  jobs_.FailAlways(Call::kCreateRecord,
                   absl::PermissionDeniedError("read-only catalog"));
  const BackupResult result = Run();
  EXPECT_EQ(ErrorCodeOf(result.status), kRecordPersistFailed);
  EXPECT_EQ(result.status.message(),
            "archive published but record persist failed: read-only catalog");
  EXPECT_FALSE(result.record.has_value());
  EXPECT_EQ(destination_->archives().size(), 1u) << "reconcile adopts it";
  ExpectEnded(result, BackupJob::FAILED, kRecordPersistFailed);
}

TEST_F(ExecutorTest, TellsAnUnknownOutcomeAsSuch) {
  GoodSource();
  At(Point::kCommitted, [] {
    return MakeError(absl::StatusCode::kUnknown, kPublishOutcomeUnknown,
                     "the commit was not answered");
  });
  const BackupResult result = Run();
  EXPECT_EQ(ErrorCodeOf(result.status), kPublishOutcomeUnknown);
  EXPECT_FALSE(result.record.has_value());
  ExpectEnded(result, BackupJob::FAILED, kPublishOutcomeUnknown);
}

TEST_F(ExecutorTest, AnUnknownOutcomeIsToldEvenAfterACancel) {
  GoodSource();
  auto [context, cancel] = Context::WithCancel(Context::Background());
  At(Point::kEnd, [cancel = cancel] {
    cancel(Interrupted());
    return MakeError(absl::StatusCode::kUnknown, kPublishOutcomeUnknown, "?");
  });
  ExpectEnded(Run({}, context), BackupJob::FAILED, kPublishOutcomeUnknown);
}

TEST_F(ExecutorTest, ALostLeaseStopsThePublish) {
  GoodSource();
  RunBackupOptions options;
  std::string seen;
  options.before_publish = [&](const BackupJob& job) {
    seen = job.backup_id();
    return MakeError(absl::StatusCode::kAborted, kPublishFenced, "lease lost");
  };
  const BackupResult result = Run(options);
  EXPECT_EQ(seen, result.job->backup_id());
  ExpectNothingPublished(result, BackupJob::FAILED, kPublishFenced);
}

TEST_F(ExecutorTest, AThrowingSourceIsAFailedJobAndNoDeadProcess) {
  source().Write("half").Throw(std::runtime_error("boom"));
  const BackupResult result = Run();
  ExpectNothingPublished(result, BackupJob::FAILED, kSourceFailed);
  EXPECT_EQ(result.status.message(), "the source threw: boom");
  source_ = std::make_shared<FakeSource>();
  source().Write("half").Throw(42);
  ExpectNothingPublished(Run(), BackupJob::FAILED, kSourceFailed);
}

TEST_F(ExecutorTest, WithoutAThreadForTheSourceTheJobFails) {
  GoodSource();
  const ThreadFault fault("store");
  ExpectNothingPublished(Run(), BackupJob::FAILED, kResourceExhausted);
  EXPECT_EQ(fault.refused(), 1);
}

TEST_F(ExecutorTest, AFailureKeepsTheProgress) {
  GoodSource();
  At(Point::kEnd, NoSpace);
  const BackupResult result = Run();
  EXPECT_EQ(result.job->progress(), 50u);
  EXPECT_EQ(result.job->bytes_done(), 10u);
  EXPECT_EQ(result.job->stage(), "streaming");
  ExpectNothingPublished(result, BackupJob::FAILED, kDestinationNoSpace);
}

// ---- the last rows

TEST_F(ExecutorTest, WritesTheLastRowsAgainWhereTheStoreIsBusy) {
  GoodSource();
  jobs_.FailNext(Call::kCreateRecord, absl::UnavailableError("locked"), 2);
  jobs_.FailNext(Call::kUpdateJob, absl::UnavailableError("locked"), 2);
  const BackupResult result = Run();
  ASSERT_TRUE(result.status.ok()) << result.status;
  ExpectEnded(result, BackupJob::SUCCEEDED, "");
  EXPECT_EQ(jobs_.calls(Call::kUpdateJob), 3);
}

TEST_F(ExecutorTest, ALostAnswerToTheRecordIsNoFailure) {
  GoodSource();
  jobs_.LoseNextAnswer(Call::kCreateRecord, absl::UnavailableError("reset"));
  const BackupResult result = Run();
  ASSERT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(jobs_.records().size(), 1u);
}

TEST_F(ExecutorTest, AGoodBackupStaysGoodWhereItsJobCannotBeStored) {
  GoodSource();
  jobs_.FailAlways(Call::kUpdateJob, absl::PermissionDeniedError("read-only"));
  const BackupResult result = Run();
  EXPECT_TRUE(result.status.ok());
  EXPECT_TRUE(result.record.has_value());
  ASSERT_EQ(result.job->warnings_size(), 1);
  EXPECT_EQ(result.job->warnings(0).code(), "job_not_stored");
}

TEST_F(ExecutorTest, TellsTheCauseAlsoWhereTheLastRowCannotBeStored) {
  source().Return(absl::DataLossError("torn"));
  jobs_.FailAlways(Call::kUpdateJob, absl::PermissionDeniedError("read-only"));
  const BackupResult result = Run();
  EXPECT_EQ(ErrorCodeOf(result.status), kSourceFailed);
  EXPECT_EQ(result.job->status(), BackupJob::FAILED);
  EXPECT_EQ(result.job->warnings(0).code(), "job_not_stored");
}

// The disk that the catalog is on may be full of what the run wrote.
TEST_F(ExecutorTest, WritesTheTerminalRowAfterTheDestinationHasCleanedUp) {
  GoodSource();
  bool cleaned = false;
  At(Point::kEnd, [&] {
    cleaned = true;
    return NoSpace();
  });
  jobs_.OnCall(
      [&](Call call) { EXPECT_TRUE(call != Call::kUpdateJob || cleaned); });
  ExpectNothingPublished(Run(), BackupJob::FAILED, kDestinationNoSpace);
}

}  // namespace
}  // namespace sluice
