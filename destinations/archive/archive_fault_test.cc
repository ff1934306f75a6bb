// Every call to the place fails in turn, in each of a place's manners, while an
// archive is published, deleted or swept. Whatever happens, the invariants hold
// and the status tells the truth.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/environment.h"
#include "sluice/base/testing/fake_clock.h"
#include "sluice/destinations/archive/archive_destination.h"
#include "sluice/destinations/archive/testing/archive_fixture.h"
#include "sluice/destinations/archive/testing/fake_object_store.h"
#include "sluice/destinations/archive/testing/invariants.h"

namespace sluice {
namespace {

using ::testing::IsEmpty;
using Fault = FakeObjectStore::Fault;

constexpr Fault kFaults[] = {Fault::kBefore, Fault::kLostAnswer, Fault::kShort,
                             Fault::kDeadFrom};

std::string FaultName(Fault fault) {
  constexpr const char* kNames[] = {"before", "lost answer", "short", "dead"};
  return kNames[static_cast<int>(fault)];
}

// And of single calls one in seven.
size_t Step() { return FaultStride() == 1 ? 1 : 7; }
size_t StepsOf(size_t calls) { return (calls + Step() - 1) / Step(); }

// One repo with an earlier archive, in which one verb runs.
struct World {
  explicit World(bool conditional) {
    FakeObjectStore::Options store_options;
    store_options.conditional_commit = conditional;
    store = std::make_shared<FakeObjectStore>(store_options);
    options = TestOptions();
    archives = ArchiveDestination::Create(store, &clock, options);
    EXPECT_EQ(InitTestRepo(*store), absl::OkStatus());
    EXPECT_EQ(PutTestBackup(*archives, TestId(0), earlier), absl::OkStatus());
    store->PutRaw("notes/of-someone-else.txt", "hands off");
    store->Reset();
  }

  // Both clocks go on, the writer's and the place's.
  void PassGrace() { store->Advance(2 * options.grace_window); }

  absl::Status CheckInvariants(const absl::Status& put,
                               const std::string& payload) {
    ArchiveInvariants invariants(store, &clock, options);
    invariants.Expect(TestId(0), earlier);
    invariants.ExpectForeign("notes/of-someone-else.txt");
    if (put.ok()) {
      invariants.Expect(TestId(1), payload);
    } else if (ErrorCodeOf(put) != kPublishOutcomeUnknown) {
      invariants.Forbid(TestId(1));
    }
    invariants.PassGrace([this] { PassGrace(); });
    return invariants.Check();
  }

  FakeClock clock;
  std::shared_ptr<FakeObjectStore> store;
  ArchiveOptions options;
  std::shared_ptr<ArchiveDestination> archives;
  const std::string earlier = TestPayload(40, 1);
};

// One in which archive 1 is published, and nothing fails.
struct CleanRun : World {
  CleanRun(bool conditional, const std::string& payload) : World(conditional) {
    EXPECT_EQ(PutTestBackup(*archives, TestId(1), payload), absl::OkStatus());
  }
};

// The number of the call that published archive 1.
size_t CommitOfManifest(const FakeObjectStore& store) {
  const std::vector<FakeObjectStore::Call> calls = store.calls();
  for (size_t n = calls.size(); n > 0; --n) {
    if (calls[n - 1].operation != FakeObjectStore::Operation::kCommit) continue;
    EXPECT_EQ(calls[n - 1].name, TestId(1) + "/manifest.json");
    return n;
  }
  ADD_FAILURE() << "nothing was published";
  return 0;
}

class ArchiveFaultTest : public testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(, ArchiveFaultTest, testing::Bool(),
                         [](const auto& param_info) {
                           return param_info.param ? "Conditional"
                                                   : "Unconditional";
                         });

TEST_P(ArchiveFaultTest, PutIsWholeOrNotAtAllWhicheverCallFails) {
  const std::string payload = TestPayload(40, 2);
  CleanRun clean(GetParam(), payload);
  const std::vector<FakeObjectStore::Call> calls = clean.store->calls();
  FaultCoverage coverage("put");
  int published = 0;
  for (size_t n = 1; n <= calls.size(); n += Step()) {
    for (const Fault fault : kFaults) {
      const std::string where =
          absl::StrCat("call ", n, " ", OperationName(calls[n - 1].operation),
                       " ", calls[n - 1].name, ", ", FaultName(fault));
      SCOPED_TRACE(where);
      World world(GetParam());
      world.store->PlantFault(n, fault);
      const absl::Status status =
          PutTestBackup(*world.archives, TestId(1), payload);
      coverage.Visit(absl::StrCat(n), FaultName(fault),
                     world.store->fault_struck());
      published += status.ok();
      world.store->Reset();
      ASSERT_EQ(world.CheckInvariants(status, payload), absl::OkStatus())
          << status;
      ASSERT_THAT(world.store->misuses(), IsEmpty());
    }
  }
  EXPECT_GT(published, 0);
  EXPECT_EQ(coverage.Finish(4 * StepsOf(calls.size())), absl::OkStatus());
}

TEST_P(ArchiveFaultTest, PutIsWholeOrNotAtAllWhicheverTwoCallsFail) {
  const std::string payload = TestPayload(20, 2);
  CleanRun clean(GetParam(), payload);
  const size_t calls = clean.store->call_count();
  FaultCoverage coverage("put, two faults");
  for (size_t n = 1; n <= calls; ++n) {
    for (const Fault first : {Fault::kBefore, Fault::kLostAnswer}) {
      // Only a lost answer goes another way where the fence is none.
      if (!GetParam() && first == Fault::kBefore) continue;
      // What follows the first fault differs: all its calls are visited too.
      bool struck_second = true;
      for (size_t m = n + 1 + n % FaultStride(); struck_second;
           m += FaultStride()) {
        for (const Fault second :
             {Fault::kBefore, Fault::kLostAnswer, Fault::kDeadFrom}) {
          SCOPED_TRACE(absl::StrCat("calls ", n, " ", FaultName(first), " and ",
                                    m, " ", FaultName(second)));
          World world(GetParam());
          world.store->PlantFault(n, first);
          world.store->PlantFault(m, second);
          const absl::Status status =
              PutTestBackup(*world.archives, TestId(1), payload);
          struck_second = world.store->call_count() >= m;
          if (!struck_second) break;
          coverage.Visit(absl::StrCat(n), FaultName(second), true);
          world.store->Reset();
          ASSERT_EQ(world.CheckInvariants(status, payload), absl::OkStatus())
              << status;
          ASSERT_THAT(world.store->misuses(), IsEmpty());
        }
      }
    }
  }
  // Of the pairs of calls, both kinds of first fault are visited only where
  // the fence is real.
  const size_t pairs = 3 * calls * calls / (GetParam() ? 2 : 4);
  EXPECT_EQ(
      coverage.Finish(FaultStride() == 1 ? pairs : pairs / (2 * FaultStride())),
      absl::OkStatus());
}

// A commit that seems to have failed and takes effect later: at any of the
// calls that follow, or when the writer has gone.
TEST(LateCommitTest, AManifestThatLandsLateIsNeverHalfAnArchive) {
  const std::string payload = TestPayload(40, 2);
  const std::string manifest = TestId(1) + "/manifest.json";
  World clean(/*conditional=*/true);
  ASSERT_EQ(PutTestBackup(*clean.archives, TestId(1), payload),
            absl::OkStatus());
  const size_t commit = CommitOfManifest(*clean.store);
  const std::string bytes = clean.store->objects()[manifest];
  int published = 0;
  bool landed_during_the_run = true;
  for (size_t m = commit + 1; landed_during_the_run; ++m) {
    SCOPED_TRACE(absl::StrCat("lands at call ", m));
    World world(/*conditional=*/true);
    const auto land = [&] {  // only if the name is free
      const auto objects = world.store->objects();
      if (objects.count(manifest) == 0) world.store->PutRaw(manifest, bytes);
    };
    world.store->PlantFault(commit, Fault::kBefore,
                            MakeError(absl::StatusCode::kUnknown,
                                      kDestinationUnreachable, "timed out"));
    world.store->PlantCallback(m, land);
    const absl::Status status =
        PutTestBackup(*world.archives, TestId(1), payload);
    landed_during_the_run = world.store->call_count() >= m;
    if (!landed_during_the_run) land();
    published += status.ok();
    world.store->Reset();
    ASSERT_EQ(world.CheckInvariants(status, payload), absl::OkStatus())
        << status;
  }
  EXPECT_GT(published, 0);
}

TEST_P(ArchiveFaultTest, AFailedPutLeavesNothingWhereThePlaceStillAnswers) {
  const std::string payload = TestPayload(40, 2);
  CleanRun clean(GetParam(), payload);
  const std::vector<FakeObjectStore::Call> calls = clean.store->calls();
  for (size_t n = 1; n <= calls.size(); ++n) {
    World world(GetParam());
    const std::map<std::string, std::string> before = world.store->objects();
    world.store->PlantFault(n, Fault::kBefore,
                            MakeError(absl::StatusCode::kResourceExhausted,
                                      kDestinationNoSpace, "disk full"));
    const absl::Status status =
        PutTestBackup(*world.archives, TestId(1), payload);
    if (status.ok() || ErrorCodeOf(status) == kPublishOutcomeUnknown) continue;
    EXPECT_EQ(ErrorCodeOf(status), "destination_no_space");
    EXPECT_THAT(world.store->uncommitted(), IsEmpty()) << n;
    EXPECT_EQ(world.store->objects(), before) << n;
  }
}

TEST_P(ArchiveFaultTest, DeleteIsFinishedByTheSweepWhicheverCallFails) {
  World clean(GetParam());
  const std::string payload = TestPayload(40, 2);
  ASSERT_EQ(PutTestBackup(*clean.archives, TestId(1), payload),
            absl::OkStatus());
  clean.store->Reset();
  ASSERT_EQ(clean.archives->Delete(Context::Background(), TestId(1)),
            absl::OkStatus());
  const size_t calls = clean.store->call_count();
  FaultCoverage coverage("delete");
  for (size_t n = 1; n <= calls; n += Step()) {
    for (const Fault fault : kFaults) {
      SCOPED_TRACE(absl::StrCat("call ", n, ", ", FaultName(fault)));
      World world(GetParam());
      ASSERT_EQ(PutTestBackup(*world.archives, TestId(1), payload),
                absl::OkStatus());
      world.store->Reset();
      world.store->PlantFault(n, fault);
      const absl::Status status =
          world.archives->Delete(Context::Background(), TestId(1));
      coverage.Visit(absl::StrCat(n), FaultName(fault),
                     world.store->fault_struck());
      world.store->Reset();
      const bool listed =
          world.archives->Stat(Context::Background(), TestId(1)).ok();
      EXPECT_FALSE(status.ok() && listed);
      // Still listed is still whole: the checker verifies what is listed.
      ASSERT_EQ(
          world.CheckInvariants(
              listed ? absl::OkStatus() : absl::UnknownError(""), payload),
          absl::OkStatus())
          << status;
    }
  }
  EXPECT_EQ(coverage.Finish(4 * StepsOf(calls)), absl::OkStatus());
}

// What a process leaves that dies at call `n` of a put.
void LeaveRemains(World& world, size_t n) {
  world.store->PlantFault(n, Fault::kDeadFrom);
  EXPECT_FALSE(
      PutTestBackup(*world.archives, TestId(1), TestPayload(40, 2)).ok());
  world.store->Reset();
  world.PassGrace();
}

TEST_P(ArchiveFaultTest, SweepIsFinishedByTheNextWhicheverCallFails) {
  FaultCoverage coverage("sweep");
  size_t least = 0;
  // The remains of a writer that died early, in the middle, before the
  // manifest.
  World count(GetParam());
  ASSERT_EQ(PutTestBackup(*count.archives, TestId(1), TestPayload(40, 2)),
            absl::OkStatus());
  size_t manifest_commit = 0;
  const std::vector<FakeObjectStore::Call> calls = count.store->calls();
  for (size_t i = 0; i < calls.size(); ++i) {
    if (calls[i].operation == FakeObjectStore::Operation::kCommit &&
        calls[i].name == TestId(1) + "/manifest.json")
      manifest_commit = i + 1;
  }
  ASSERT_GT(manifest_commit, 0);
  for (const size_t died :
       {manifest_commit / 3, manifest_commit / 2, manifest_commit}) {
    World clean(GetParam());
    LeaveRemains(clean, died);
    ASSERT_TRUE(clean.archives->Sweep(Context::Background()).ok());
    const size_t sweep_calls = clean.store->call_count();
    least += 4 * StepsOf(sweep_calls);
    for (size_t n = 1; n <= sweep_calls; n += Step()) {
      for (const Fault fault : kFaults) {
        SCOPED_TRACE(absl::StrCat("died at ", died, ", call ", n, ", ",
                                  FaultName(fault)));
        World world(GetParam());
        LeaveRemains(world, died);
        world.store->PlantFault(n, fault);
        world.archives->Sweep(Context::Background()).IgnoreError();
        coverage.Visit(absl::StrCat(died, "/", n), FaultName(fault),
                       world.store->fault_struck());
        world.store->Reset();
        ASSERT_EQ(world.CheckInvariants(absl::AbortedError(""), ""),
                  absl::OkStatus());
      }
    }
  }
  EXPECT_EQ(coverage.Finish(least), absl::OkStatus());
}

// T14: the writer is stopped at each of its calls, past its lease; its objects
// are swept; it goes on.
TEST_P(ArchiveFaultTest, AWriterStoppedPastItsLeaseIsFencedAtEveryCall) {
  const std::string payload = TestPayload(40, 2);
  CleanRun clean(GetParam(), payload);
  const size_t calls = clean.store->call_count();
  const size_t commit = CommitOfManifest(*clean.store);
  const std::string manifest = TestId(1) + "/manifest.json";
  FaultCoverage coverage("stopped writer");
  int fenced = 0;
  int fences = 0;
  for (const bool asleep : {false, true}) {
    // On a place without conditional commits the fence is the writer's own
    // clock, which counts the time asleep.
    if (!GetParam() && !asleep) continue;
    for (size_t n = 1; n <= calls; ++n) {
      SCOPED_TRACE(absl::StrCat("stopped at call ", n));
      World world(GetParam());
      absl::optional<std::string> fence;
      world.store->PlantCallback(n, [&] {
        world.PassGrace();
        if (asleep) world.clock.Advance(2 * world.options.grace_window);
        auto other = ArchiveDestination::Create(world.store, &world.clock,
                                                world.options);
        EXPECT_TRUE(other->Sweep(Context::Background()).ok());
        const auto objects = world.store->objects();
        const auto found = objects.find(manifest);
        if (found != objects.end()) fence = found->second;
      });
      const absl::Status status =
          PutTestBackup(*world.archives, TestId(1), payload);
      fenced += ErrorCodeOf(status) == kPublishFenced;
      // Not for a moment is an archive listed whose parts were swept: the fence
      // stays as it was set. Where the place cannot refuse, a writer that has
      // just looked at its lease replaces it, and must withdraw.
      const bool has_looked = !GetParam() && n >= commit;
      if (fence.has_value() && !status.ok() && !has_looked) {
        EXPECT_EQ(world.store->objects()[manifest], *fence);
        ++fences;
      }
      coverage.Visit(absl::StrCat(n), asleep ? "asleep" : "stopped",
                     world.store->fault_struck());
      world.store->Reset();
      ASSERT_EQ(world.CheckInvariants(status, payload), absl::OkStatus())
          << status;
    }
  }
  EXPECT_GT(fenced, 5);
  EXPECT_GT(fences, 5);
  EXPECT_EQ(coverage.Finish(calls), absl::OkStatus());
}

// A place that cannot refuse a taken name: a sweep may come between its look at
// the name and its write. A writer that slept past its lease never gets there.
TEST(UnconditionalTest, AWriterThatSleptPastItsLeaseDoesNotCommit) {
  const std::string payload = TestPayload(40, 2);
  World clean(/*conditional=*/false);
  ASSERT_EQ(PutTestBackup(*clean.archives, TestId(1), payload),
            absl::OkStatus());
  const size_t commit = CommitOfManifest(*clean.store);
  int fenced = 0;
  for (size_t n = 1; n < commit; ++n) {
    SCOPED_TRACE(absl::StrCat("asleep at call ", n));
    World world(/*conditional=*/false);
    world.store->PlantCallback(n, [&] {
      world.PassGrace();
      world.clock.Advance(2 * world.options.grace_window);
    });
    world.store->PlantCallback(commit, [&] {
      using Operation = FakeObjectStore::Operation;
      if (world.store->calls().back().operation != Operation::kCommit) return;
      auto other =
          ArchiveDestination::Create(world.store, &world.clock, world.options);
      EXPECT_TRUE(other->Sweep(Context::Background()).ok());
      EXPECT_EQ(world.store->objects().count(TestId(1) + "/manifest.json"), 0u)
          << "swept while it publishes";
    });
    const absl::Status status =
        PutTestBackup(*world.archives, TestId(1), payload);
    fenced += ErrorCodeOf(status) == kPublishFenced;
    world.store->Reset();
    ASSERT_EQ(world.CheckInvariants(status, payload), absl::OkStatus())
        << status;
  }
  EXPECT_GT(fenced, 5);
}

// A place that says yes and keeps something else: found by reading back.
TEST_P(ArchiveFaultTest, NothingIsPublishedThatDoesNotReadBack) {
  const std::string payload = TestPayload(40, 2);
  CleanRun clean(GetParam(), payload);
  const size_t commit = CommitOfManifest(*clean.store);
  int damaged = 0;
  for (const auto& [name, bytes] : clean.store->objects()) {
    const bool of_archive = name.substr(0, 26) == TestId(1);
    if (!of_archive || name == TestId(1) + "/manifest.json") continue;
    for (const bool gone : {false, true}) {
      SCOPED_TRACE(name);
      World world(GetParam());
      world.store->PlantCallback(commit, [&, file = name] {
        if (gone) {
          world.store->DeleteRaw(file);
        } else {
          world.store->PutRaw(file, "another length");
        }
      });
      const absl::Status status =
          PutTestBackup(*world.archives, TestId(1), payload);
      EXPECT_EQ(ErrorCodeOf(status),
                GetParam() ? "destination_io_error" : "publish_fenced");
      world.store->Reset();
      ASSERT_EQ(world.CheckInvariants(status, payload), absl::OkStatus());
      ++damaged;
    }
  }
  EXPECT_EQ(damaged, 10);  // three segments, ids and sums
}

// Reads tell a place that does not answer from an archive that is damaged, and
// what fails in passing does not fail a restore.
TEST_P(ArchiveFaultTest, AReadFaultIsNeverTakenForDamage) {
  FaultCoverage coverage("read");
  World clean(GetParam());
  const Context context = Context::Background();
  ASSERT_TRUE(clean.archives->Verify(context, TestId(0), nullptr).ok());
  const size_t calls = clean.store->call_count();
  for (size_t n = 1; n <= calls; ++n) {
    for (const Fault fault : kFaults) {
      SCOPED_TRACE(absl::StrCat("call ", n, ", ", FaultName(fault)));
      World world(GetParam());
      world.store->PlantFault(n, fault);
      const absl::Status status =
          world.archives->Verify(context, TestId(0), nullptr).status();
      coverage.Visit(absl::StrCat(n), FaultName(fault),
                     world.store->fault_struck());
      EXPECT_THAT(ErrorCodeOf(status),
                  testing::AnyOf("", "destination_unreachable"))
          << status;
      if (fault == Fault::kShort && clean.store->calls()[n - 1].operation ==
                                        FakeObjectStore::Operation::kRead) {
        EXPECT_EQ(status, absl::OkStatus());
      }
    }
  }
  EXPECT_EQ(coverage.Finish(4 * calls), absl::OkStatus());
}

// The other way round: at each call of a sweep a writer publishes.
TEST_P(ArchiveFaultTest, ASweepThatMeetsAPublishAtAnyCallHarmsNothing) {
  const std::string payload = TestPayload(40, 2);
  World clean(GetParam());
  LeaveRemains(clean, 12);
  ASSERT_TRUE(clean.archives->Sweep(Context::Background()).ok());
  const size_t calls = clean.store->call_count();
  for (size_t n = 1; n <= calls; ++n) {
    SCOPED_TRACE(absl::StrCat("at call ", n));
    World world(GetParam());
    LeaveRemains(world, 12);
    absl::Status put;
    world.store->PlantCallback(
        n, [&] { put = PutTestBackup(*world.archives, TestId(2), payload); });
    ASSERT_TRUE(world.archives->Sweep(Context::Background()).ok());
    ASSERT_EQ(put, absl::OkStatus());
    world.store->Reset();
    ArchiveInvariants invariants(world.store, &world.clock, world.options);
    invariants.Expect(TestId(0), world.earlier);
    invariants.Expect(TestId(2), payload);
    invariants.Forbid(TestId(1));
    invariants.ExpectForeign("notes/of-someone-else.txt");
    invariants.PassGrace([&] { world.PassGrace(); });
    ASSERT_EQ(invariants.Check(), absl::OkStatus());
  }
}

}  // namespace
}  // namespace sluice
