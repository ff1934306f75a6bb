// T1 and T2 of the reliability plan: every call that a verb makes to the file
// system fails in turn, in each of its ways, and is the last one before a
// SIGKILL, and the first one after. Nothing that the invariants forbid may
// follow.

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "sluice/base/testing/environment.h"
#include "sluice/base/testing/fault_file_system.h"
#include "sluice/tests/faults/harness.h"

namespace sluice {
namespace {

struct NamedFault {
  const char* name;
  Fault fault;
};

std::vector<NamedFault> Faults() {
  return {{"EIO", Fault::Error(EIO)},
          {"ENOSPC", Fault::Error(ENOSPC)},
          {"short write", Fault::ShortWrite()},
          {"lost answer", Fault::LostAnswer(EIO)}};
}

std::string Describe(const std::vector<FileCall>& trace, int64_t n) {
  if (n < 1 || n > static_cast<int64_t>(trace.size())) return "?";
  const FileCall& call = trace[n - 1];
  return absl::StrCat(FileOpName(call.op), " ", call.path);
}

class FaultMatrixTest : public testing::TestWithParam<Verb> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(harness_.Prepare(GetParam()).ok());
    harness_.Refresh();
    FaultPlan plan;
    FaultFileSystem files(FileSystem::Posix(), &plan);
    const World::Told told = harness_.Run(GetParam(), &files);
    ASSERT_TRUE(told.status.ok()) << told.status;
    trace_ = plan.trace();
    calls_ = plan.calls();
    ASSERT_GT(calls_, 20);
    EXPECT_EQ(harness_.Violations(GetParam(), told),
              std::vector<std::string>());
  }

  // Runs with the n-th call struck, in this process.
  std::vector<std::string> Strike(int64_t n, const Fault& fault) {
    harness_.Refresh();
    FaultPlan plan;
    plan.StrikeAt(n, fault);
    FaultFileSystem files(FileSystem::Posix(), &plan);
    const World::Told told = harness_.Run(GetParam(), &files);
    struck_ += plan.struck();
    refused_ += !told.status.ok();
    return harness_.Violations(GetParam(), told);
  }

  // Runs in a child that dies at the n-th call.
  std::vector<std::string> Kill(int64_t n, Fault::Kind when) {
    harness_.Refresh();
    const pid_t child = fork();
    if (child == 0) {
      FaultPlan plan;
      plan.StrikeAt(n, Fault::Kill(when));
      FaultFileSystem files(FileSystem::Posix(), &plan);
      harness_.Run(GetParam(), &files);
      _exit(0);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    struck_ += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    return harness_.Violations(GetParam(), absl::nullopt);
  }

  Harness harness_;
  std::vector<FileCall> trace_;
  int64_t calls_ = 0;
  int64_t struck_ = 0;
  int64_t refused_ = 0;
};

TEST_P(FaultMatrixTest, EveryCallMayFailAndNothingForbiddenFollows) {
  const std::vector<NamedFault> faults = Faults();
  const int64_t first = 1 + FirstFault();
  int64_t wrong = 0;
  for (const NamedFault& fault : faults) {
    for (int64_t n = first; n <= calls_; n += FaultStride()) {
      const std::vector<std::string> violations = Strike(n, fault.fault);
      if (violations.empty()) continue;
      if (++wrong > 20) continue;
      ADD_FAILURE() << fault.name << " at call " << n << " ("
                    << Describe(trace_, n)
                    << "): " << absl::StrJoin(violations, "; ");
    }
  }
  std::printf(
      "T1 %s: %lld calls x %zu faults, %lld struck, %lld runs refused, "
      "%lld wrong states\n",
      std::string(VerbName(GetParam())).c_str(), static_cast<long long>(calls_),
      faults.size(), static_cast<long long>(struck_),
      static_cast<long long>(refused_), static_cast<long long>(wrong));
  // A short write strikes writes only; and a run may take fewer calls when it
  // ends early, never so few that a fault set for the first half is missed.
  EXPECT_GE(struck_, (calls_ / FaultStride()) * 3 * 8 / 10);
  EXPECT_GT(refused_, 0);
}

// What is on disk after a call is what is there before the next one.
TEST_P(FaultMatrixTest, EveryCallMayBeTheLastBeforeAKill) {
  const int64_t first = 1 + FirstFault();
  int64_t runs = 0;
  int64_t wrong = 0;
  const auto kill = [&](int64_t n, Fault::Kind when) {
    ++runs;
    const std::vector<std::string> violations = Kill(n, when);
    if (violations.empty() || ++wrong > 20) return;
    ADD_FAILURE() << "killed "
                  << (when == Fault::Kind::kBefore ? "before" : "after")
                  << " call " << n << " (" << Describe(trace_, n)
                  << "): " << absl::StrJoin(violations, "; ");
  };
  for (int64_t n = first; n <= calls_; n += FaultStride()) {
    kill(n, Fault::Kind::kBefore);
  }
  kill(calls_, Fault::Kind::kAfter);
  std::printf("T2 %s: %lld calls, %lld of %lld kills, %lld wrong states\n",
              std::string(VerbName(GetParam())).c_str(),
              static_cast<long long>(calls_), static_cast<long long>(struck_),
              static_cast<long long>(runs), static_cast<long long>(wrong));
  EXPECT_GE(struck_, runs * 8 / 10);
}

INSTANTIATE_TEST_SUITE_P(Verbs, FaultMatrixTest, testing::ValuesIn(kAllVerbs),
                         [](const testing::TestParamInfo<Verb>& verb) {
                           return std::string(VerbName(verb.param));
                         });

}  // namespace
}  // namespace sluice
