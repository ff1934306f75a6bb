#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/base/file_system.h"
#include "sluice/base/testing/environment.h"
#include "sluice/base/testing/fault_file_system.h"
#include "sluice/base/testing/thread_fault.h"
#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/plugins/postgres/payload/payload_format.h"
#include "sluice/plugins/postgres/payload/payload_index.h"
#include "sluice/plugins/postgres/restore/restore.h"
#include "sluice/plugins/postgres/restore/restore_options.h"
#include "sluice/plugins/postgres/testing/test_payload.h"
#include "sluice/plugins/postgres/testing/test_server.h"
#include "sluice/plugins/sdk/run.h"
#include "sluice/plugins/sdk/source.h"
#include "sluice/plugins/sdk/testing/fake_sink.h"

namespace sluice::postgres {
namespace {

const TestPayload& Payload() {
  static const TestPayload* const kPayload = [] {
    const std::string source = Server().CreateDatabase();
    Server().Psql(source, R"(
      CREATE TABLE t AS SELECT i AS a, repeat('x', 100) AS b
        FROM generate_series(1, 2000) i;
      CREATE TABLE u (a integer PRIMARY KEY, b text);
      INSERT INTO u SELECT i, 'u' FROM generate_series(1, 500) i;
      CREATE INDEX ON t (b);
      CREATE MATERIALIZED VIEW m AS SELECT sum(a) FROM t;
      SELECT lo_from_bytea(7001, decode(repeat('00ff10', 1000), 'hex'));
      ALTER TABLE t ADD UNIQUE (a);)");
    return new TestPayload(
        MakeTestPayload(Server(), source, CopyFormat::kBinary, 10'000));
  }();
  return *kPayload;
}

const std::string& Packed() {
  static const std::string* const kPacked = new std::string(Payload().Pack());
  return *kPacked;
}

RestoreOptions Into(const std::string& database) {
  RestoreOptions options;
  options.target = Server().Options(database);
  return options;
}

absl::Status RestoreFrom(sdk::Payload& payload, const RestoreOptions& options,
                         const sdk::Run& run = sdk::Run(),
                         std::vector<std::string>* warnings = nullptr) {
  sdk::FakeRestoreRequest request({&payload});
  const absl::Status status = RestoreDatabase(run, request, options);
  if (warnings != nullptr) *warnings = request.warnings;
  return status;
}

absl::Status Restore(const std::string& payload, const RestoreOptions& options,
                     const sdk::Run& run = sdk::Run()) {
  sdk::FakePayload stream(payload, 10'000);
  return RestoreFrom(stream, options, run);
}

std::string Leftovers() {
  return Server().Query("postgres",
                        "SELECT coalesce(string_agg(datname, ' '), '') FROM"
                        " pg_database WHERE datname LIKE 'sluice%'");
}

std::string OidOf(const std::string& database) {
  return Server().Query("postgres",
                        absl::StrCat("SELECT oid FROM pg_database WHERE"
                                     " datname = '",
                                     database, "'"));
}

bool IsEmpty(const std::string& database) {
  return Server().Query(database,
                        "SELECT count(*) FROM pg_class WHERE oid >= 16384") ==
         "0";
}

bool IsWhole(const std::string& database) {
  return Server().Query(database,
                        "SELECT concat_ws(' ', (SELECT sum(a) FROM public.t),"
                        " (SELECT count(*) FROM public.u),"
                        " (SELECT sum FROM public.m),"
                        " (SELECT count(*) FROM pg_indexes WHERE schemaname ="
                        "  'public'), length(lo_get(7001)))") ==
         "2001000 500 2001000 3 3000";
}

// Refused, with this word, and nothing is there that was not before.
void ExpectUntouched(const absl::Status& status, absl::string_view word,
                     const std::string& target, const std::string& oid) {
  EXPECT_EQ(ErrorCodeOf(status), word) << status;
  EXPECT_EQ(OidOf(target), oid);
  EXPECT_TRUE(IsEmpty(target));
  EXPECT_EQ(Leftovers(), "");
}

std::vector<std::string> StepsOf(const std::string& target) {
  std::vector<std::string> steps;
  RestoreOptions options = Into(target);
  options.on_step = [&](absl::string_view step) { steps.emplace_back(step); };
  EXPECT_TRUE(Restore(Packed(), options).ok());
  return steps;
}

TEST(RestoreFaultTest, ACutPayloadLeavesTheTargetAsItWas) {
  const std::string target = Server().CreateDatabase();
  const std::string oid = OidOf(target);
  const size_t size = Packed().size();
  for (const size_t length : {size_t{0}, size_t{511}, size_t{1024}, size / 4,
                              size / 2, size - 3000, size - 1025, size - 1}) {
    ExpectUntouched(Restore(Packed().substr(0, length), Into(target)),
                    kArchiveDamaged, target, oid);
  }
}

TEST(RestoreFaultTest, WithoutThePayloadsOwnEndNothingIsSeen) {
  const std::string target = Server().CreateDatabase();
  const std::string oid = OidOf(target);
  sdk::FakePayload damaged(Packed(), 10'000,
                           MakeError(absl::StatusCode::kDataLoss,
                                     kArchiveDamaged, "the hash is wrong"));
  ExpectUntouched(RestoreFrom(damaged, Into(target)), kArchiveDamaged, target,
                  oid);
}

TEST(RestoreFaultTest, RowsThatAreNotThoseOfTheSourceAreSeen) {
  const std::string target = Server().CreateDatabase();
  const std::string oid = OidOf(target);
  // The last byte of a row: the integer or the text is another.
  TestPayload changed = Payload();
  for (auto& [name, bytes] : changed.parts) {
    if (name == "data/1/000003.copy") bytes.back() ^= 1;
  }
  ExpectUntouched(Restore(changed.Pack(), Into(target)), kArchiveDamaged,
                  target, oid);
  TestPayload doubled = Payload();
  for (auto& [name, bytes] : doubled.parts) {
    if (name == "data/2/000001.copy") bytes += bytes;
  }
  ExpectUntouched(Restore(doubled.Pack(), Into(target)), kArchiveDamaged,
                  target, oid);
  TestPayload torn = Payload();
  for (auto& [name, bytes] : torn.parts) {
    if (name == "data/1/000003.copy") bytes.pop_back();
  }
  ExpectUntouched(Restore(torn.Pack(), Into(target)), kArchiveDamaged, target,
                  oid);
  TestPayload blob = Payload();
  for (auto& [name, bytes] : blob.parts) {
    if (name == "blobs/7001/000000") bytes[7] ^= 1;
  }
  ExpectUntouched(Restore(blob.Pack(), Into(target)), kArchiveDamaged, target,
                  oid);
}

TEST(RestoreFaultTest, WhatTheServerRefusesIsTold) {
  const std::string target = Server().CreateDatabase();
  const std::string oid = OidOf(target);
  TestPayload payload = Payload();
  payload.head.tables[0].columns[0] = "no such column";
  const absl::Status column = Restore(payload.Pack(), Into(target));
  ExpectUntouched(column, kSourceFailed, target, oid);
  EXPECT_TRUE(absl::StrContains(column.message(), "load table public.t"))
      << column;
  payload = Payload();
  payload.schema_dump = "no archive at all";
  const absl::Status schema = Restore(payload.Pack(), Into(target));
  ExpectUntouched(schema, kSourceFailed, target, oid);
  EXPECT_TRUE(absl::StrContains(schema.message(), "pg_restore")) << schema;
}

// Whether a process that restores is killed at this step.
bool DiesAt(const std::string& fatal, RestoreOptions options) {
  const pid_t child = fork();
  if (child == 0) {
    options.on_step = [&](absl::string_view step) {
      if (step == fatal) raise(SIGKILL);
    };
    _exit(Restore(Packed(), options).ok() ? 0 : 1);
  }
  int state = 0;
  return child > 0 && waitpid(child, &state, 0) == child && WIFSIGNALED(state);
}

// All of them, or one in at most five where only a sample is asked for.
std::vector<std::string> Sampled(const std::vector<std::string>& steps) {
  const size_t stride =
      static_cast<size_t>(std::min<int64_t>(FaultStride(), 5));
  std::vector<std::string> sample;
  for (size_t i = FirstFault() % stride; i < steps.size(); i += stride) {
    sample.push_back(steps[i]);
  }
  std::cout << "steps " << absl::StrJoin(sample, ", ") << "\n";
  return sample;
}

TEST(RestoreFaultTest, AKillAtAnyStepIsMendedByTheNextRestore) {
  const std::vector<std::string> steps = StepsOf(Server().CreateDatabase());
  ASSERT_GE(steps.size(), 11u) << absl::StrJoin(steps, ", ");
  const std::string scratch =
      (std::filesystem::path(testing::TempDir()) / "killed_scratch").string();
  std::filesystem::create_directories(scratch);
  int whole = 0;
  for (const std::string& fatal : Sampled(steps)) {
    const std::string target = Server().CreateDatabase();
    RestoreOptions options = Into(target);
    options.scratch_folder = scratch;
    ASSERT_TRUE(DiesAt(fatal, options)) << fatal;
    EXPECT_TRUE(std::filesystem::is_empty(scratch)) << fatal;
    // Before the swap it is empty, after it whole: never anything between.
    if (IsEmpty(target)) {
      const absl::Status again = Restore(Packed(), Into(target));
      EXPECT_TRUE(again.ok()) << fatal << ": " << again;
    } else {
      ++whole;
      const absl::Status next =
          Restore(Packed(), Into(Server().CreateDatabase()));
      EXPECT_TRUE(next.ok()) << fatal << ": " << next;
    }
    EXPECT_TRUE(IsWhole(target)) << fatal;
    EXPECT_EQ(Leftovers(), "") << fatal;
  }
  EXPECT_LE(whole, 2);
  EXPECT_TRUE(whole == 2 || FaultStride() > 1) << whole;
}

TEST(RestoreFaultTest, AKillLeavesNoRoleThatTheNextRestoreDoesNotRemove) {
  Server().Exec("postgres", "CREATE ROLE successor");
  RestoreOptions options = Into(Server().CreateDatabase());
  options.role_map = {{"gone", "successor"}};
  const auto roles = [] {
    return Server().Query("postgres",
                          "SELECT count(*) FROM pg_roles WHERE rolname ="
                          " 'gone'");
  };
  ASSERT_TRUE(DiesAt("sequences", options));
  EXPECT_EQ(roles(), "1");
  // Even one into another target.
  EXPECT_TRUE(Restore(Packed(), Into(Server().CreateDatabase())).ok());
  EXPECT_EQ(roles(), "0");
  EXPECT_EQ(Leftovers(), "");
}

std::atomic<bool> g_cancelled{false};
const sluice_run kRun = {sizeof(sluice_run), nullptr, [](void*) -> uint32_t {
                           return g_cancelled.load() ? 1 : 0;
                         }};

TEST(RestoreFaultTest, ACancelAtAnyStepEndsItWithinASecond) {
  absl::Duration slowest;
  const std::vector<std::string> steps = StepsOf(Server().CreateDatabase());
  for (const std::string& fatal : Sampled(steps)) {
    const std::string target = Server().CreateDatabase();
    const std::string oid = OidOf(target);
    g_cancelled = false;
    absl::Time since;
    RestoreOptions options = Into(target);
    options.on_step = [&](absl::string_view step) {
      if (step != fatal) return;
      g_cancelled = true;
      since = absl::Now();
    };
    const absl::Status status = Restore(Packed(), options, sdk::Run(&kRun));
    const absl::Duration took = absl::Now() - since;
    slowest = std::max(slowest, took);
    EXPECT_LT(took, absl::Seconds(1)) << fatal;
    // A cancel while the names change comes too late, or in time.
    const bool late = fatal == "drop old" || fatal == "dropped";
    if (late || (fatal == "swap" && status.ok())) {
      EXPECT_TRUE(status.ok()) << status;
      EXPECT_TRUE(IsWhole(target));
      continue;
    }
    EXPECT_EQ(ErrorCodeOf(status), kCancelled) << fatal << ": " << status;
    EXPECT_EQ(OidOf(target), oid);
    EXPECT_TRUE(IsEmpty(target)) << fatal;
  }
  g_cancelled = false;
  // What there was no time for goes with the next.
  EXPECT_TRUE(Restore(Packed(), Into(Server().CreateDatabase())).ok());
  EXPECT_EQ(Leftovers(), "");
  std::cout << "slowest: " << slowest << "\n";
}

TEST(RestoreFaultTest, ACancelReachesASessionThatWaitsForALock) {
  const std::string target = Server().CreateDatabase();
  g_cancelled = false;
  absl::Time since;
  std::unique_ptr<Connection> blocker;
  RestoreOptions options = Into(target);
  options.on_step = [&](absl::string_view step) {
    if (step != "rows") return;
    blocker = Server().Connect(
        absl::StrCat("sluice-restore-", OidOf(target), "-new"));
    ASSERT_TRUE(blocker->Exec("BEGIN; LOCK TABLE t, u").ok());
  };
  class Cancelling : public sdk::FakePayload {
   public:
    Cancelling(const std::string& bytes, absl::Time* cancelled_at)
        : sdk::FakePayload(bytes, 10'000), cancelled_at_(cancelled_at) {}
    absl::StatusOr<absl::string_view> Next() override {
      const auto bytes = sdk::FakePayload::Next();
      if (ended()) {
        g_cancelled = true;
        *cancelled_at_ = absl::Now();
      }
      return bytes;
    }

   private:
    absl::Time* const cancelled_at_;
  } payload(Packed(), &since);
  const absl::Status status = RestoreFrom(payload, options, sdk::Run(&kRun));
  EXPECT_LT(absl::Now() - since, absl::Seconds(1));
  EXPECT_EQ(ErrorCodeOf(status), kCancelled) << status;
  g_cancelled = false;
  blocker.reset();
  EXPECT_TRUE(IsEmpty(target));
  EXPECT_TRUE(Restore(Packed(), Into(target)).ok());
  EXPECT_EQ(Leftovers(), "");
}

TEST(RestoreFaultTest, SessionsThatAreKilledAreToldAsThat) {
  for (const std::string fatal : {"pre-data", "rows", "sequences", "views"}) {
    const std::string target = Server().CreateDatabase();
    const std::string oid = OidOf(target);
    RestoreOptions options = Into(target);
    options.on_step = [&](absl::string_view step) {
      if (step != fatal) return;
      Server().Exec("postgres",
                    "SELECT pg_terminate_backend(pid, 5000) FROM"
                    " pg_stat_activity WHERE pid <> pg_backend_pid() AND"
                    " backend_type = 'client backend'");
    };
    const absl::Status status = Restore(Packed(), options);
    // At "pre-data" only the session that holds the lock is there: it is needed
    // at the end, so the error comes late, but it comes.
    EXPECT_TRUE(absl::IsUnavailable(status)) << fatal << ": " << status;
    EXPECT_EQ(OidOf(target), oid) << fatal;
    EXPECT_TRUE(IsEmpty(target)) << fatal;
    EXPECT_EQ(Leftovers(), "") << fatal;
  }
}

TEST(RestoreFaultTest, AServerThatDiesIsToldAndItsLeftoverRemoved) {
  const std::string target = Server().CreateDatabase();
  RestoreOptions options = Into(target);
  options.on_step = [&](absl::string_view step) {
    if (step == "post-data") Server().Stop(SIGQUIT);
  };
  const absl::Status status = Restore(Packed(), options);
  EXPECT_FALSE(status.ok());
  Server().Start();
  EXPECT_TRUE(IsEmpty(target));
  EXPECT_NE(Leftovers(), "");
  EXPECT_TRUE(Restore(Packed(), Into(target)).ok());
  EXPECT_TRUE(IsWhole(target));
  EXPECT_EQ(Leftovers(), "");
}

TEST(RestoreFaultTest, ASecondRestoreIntoTheSameTargetIsRefused) {
  const std::string target = Server().CreateDatabase();
  absl::Status second;
  RestoreOptions options = Into(target);
  options.on_step = [&](absl::string_view step) {
    if (step == "rows") second = Restore(Packed(), Into(target));
  };
  EXPECT_TRUE(Restore(Packed(), options).ok());
  EXPECT_EQ(ErrorCodeOf(second), kRestorePreconditionFailed) << second;
  EXPECT_TRUE(IsWhole(target));
  // One into another target leaves the first alone.
  const std::string first = Server().CreateDatabase();
  RestoreOptions outer = Into(first);
  outer.on_step = [&](absl::string_view step) {
    if (step == "rows") {
      second = Restore(Packed(), Into(Server().CreateDatabase()));
    }
  };
  EXPECT_TRUE(Restore(Packed(), outer).ok());
  EXPECT_TRUE(second.ok()) << second;
  EXPECT_TRUE(IsWhole(first));
  EXPECT_EQ(Leftovers(), "");
}

TEST(RestoreFaultTest, AnOpenSessionInTheTargetIsNamedAsTheReason) {
  const std::string target = Server().CreateDatabase();
  const std::string oid = OidOf(target);
  std::unique_ptr<Connection> guest = Server().Connect(target);
  const absl::Status early = Restore(Packed(), Into(target));
  EXPECT_EQ(ErrorCodeOf(early), kRestorePreconditionFailed) << early;
  EXPECT_TRUE(absl::StrContains(HintOf(early), "close every session"));
  guest.reset();
  // One that comes later.
  RestoreOptions options = Into(target);
  options.on_step = [&](absl::string_view step) {
    if (step == "rows") guest = Server().Connect(target);
  };
  const absl::Status late = Restore(Packed(), options);
  ExpectUntouched(late, kRestorePreconditionFailed, target, oid);
  EXPECT_TRUE(absl::StrContains(HintOf(late), "close every session"));
}

TEST(RestoreFaultTest, WhatSomebodyWroteIntoTheOldDatabaseIsKept) {
  const std::string target = Server().CreateDatabase();
  const std::string old =
      absl::StrCat("sluice-restore-", OidOf(target), "-old");
  RestoreOptions options = Into(target);
  options.on_step = [&](absl::string_view step) {
    if (step == "sequences") Server().Exec(target, "CREATE TABLE precious ()");
  };
  sdk::FakePayload stream(Packed(), 10'000);
  std::vector<std::string> warnings;
  const absl::Status status =
      RestoreFrom(stream, options, sdk::Run(), &warnings);
  EXPECT_TRUE(status.ok()) << status;
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_TRUE(absl::StrContains(warnings[0], old)) << warnings[0];
  EXPECT_EQ(Leftovers(), old);
  // A later restore does not take it away either.
  EXPECT_TRUE(Restore(Packed(), Into(Server().CreateDatabase())).ok());
  EXPECT_EQ(Server().Query(old, "SELECT count(*) FROM public.precious"), "0");
  Server().Exec("postgres", absl::StrCat("DROP DATABASE \"", old, "\""));
}

TEST(RestoreFaultTest, AThreadThatCannotBeStartedIsAnError) {
  const std::string target = Server().CreateDatabase();
  const std::string oid = OidOf(target);
  {
    const ThreadFault fault("rows");
    ExpectUntouched(Restore(Packed(), Into(target)), kResourceExhausted, target,
                    oid);
    EXPECT_GT(fault.refused(), 0);
  }
  EXPECT_TRUE(Restore(Packed(), Into(target)).ok());
}

TEST(RestoreFaultTest, AFailureOfAnyFileCallIsToldAndLeavesNoFile) {
  const std::string scratch =
      (std::filesystem::path(testing::TempDir()) / "restore_scratch").string();
  std::filesystem::create_directories(scratch);
  FaultPlan plan;
  FaultFileSystem files(FileSystem::Posix(), &plan);
  const auto restore = [&](const std::string& target) {
    RestoreOptions options = Into(target);
    options.file_system = &files;
    options.scratch_folder = scratch;
    return Restore(Packed(), options);
  };
  ASSERT_TRUE(restore(Server().CreateDatabase()).ok());
  const int64_t calls = plan.calls();
  ASSERT_GE(calls, 4);  // open, write, close, unlink
  const std::string target = Server().CreateDatabase();
  const std::string oid = OidOf(target);
  for (int64_t n = 1; n <= calls; ++n) {
    plan.Reset();
    plan.StrikeAt(n, Fault::Error(n % 2 == 0 ? ENOSPC : EIO));
    ExpectUntouched(restore(target),
                    n % 2 == 0 ? kScratchNoSpace : kScratchUnavailable, target,
                    oid);
    EXPECT_TRUE(plan.struck());
    EXPECT_TRUE(std::filesystem::is_empty(scratch));
  }
  RestoreOptions options = Into(target);
  options.scratch_folder = scratch + "/none";
  ExpectUntouched(Restore(Packed(), options), kScratchUnavailable, target, oid);
  std::filesystem::remove_all(scratch);
}

}  // namespace
}  // namespace sluice::postgres
