#include "sluice/plugins/conformance/check.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/plugins/sdk/barrier.h"

namespace sluice {
namespace {

using Outcome = CheckResult::Outcome;
using ::testing::HasSubstr;

class CheckTest : public testing::Test {
 protected:
  CheckRunner Runner(CheckIsolation isolation) {
    return CheckRunner(
        [this](const CheckResult& result) { results_.push_back(result); },
        std::move(isolation));
  }
  static CheckIsolation InChildren() {
    CheckIsolation isolation;
    isolation.in_children = true;
    return isolation;
  }

  std::vector<CheckResult> results_;
};

TEST_F(CheckTest, EachOutcomeIsToldAndCountedInAChildToo) {
  for (const bool in_children : {false, true}) {
    results_.clear();
    CheckIsolation isolation;
    isolation.in_children = in_children;
    CheckRunner runner = Runner(isolation);
    EXPECT_TRUE(runner.Run("a", [] { return absl::OkStatus(); }));
    EXPECT_FALSE(runner.Run("b", [] { return CheckFailed("wrong"); }));
    EXPECT_FALSE(runner.Run("c", [] { return NotShown("who knows"); }));
    EXPECT_FALSE(runner.Run("d", [] { return SkipCheck("not asked"); }));
    ASSERT_EQ(results_.size(), 4u);
    EXPECT_EQ(results_[0].outcome, Outcome::kPassed);
    EXPECT_EQ(results_[1].outcome, Outcome::kFailed);
    EXPECT_THAT(results_[1].detail, HasSubstr("wrong"));
    EXPECT_EQ(results_[2].outcome, Outcome::kNotShown);
    EXPECT_EQ(results_[2].detail, "who knows");
    EXPECT_EQ(results_[3].outcome, Outcome::kSkipped);
    EXPECT_EQ(results_[3].detail, "not asked");
    EXPECT_EQ(runner.summary().passed, 1);
    EXPECT_EQ(runner.summary().failed, 1);
    EXPECT_EQ(runner.summary().not_shown, 1);
    EXPECT_EQ(runner.summary().skipped, 1);
  }
}

TEST_F(CheckTest, AnExceptionThatNobodyCouldTellFailsTheCheckThatSawIt) {
  for (const bool in_children : {false, true}) {
    results_.clear();
    CheckIsolation isolation;
    isolation.in_children = in_children;
    CheckRunner runner = Runner(isolation);
    EXPECT_FALSE(runner.Run("throws", [] {
      sdk::GuardedQuietly([] { throw std::runtime_error("boom"); });
      return absl::OkStatus();
    }));
    EXPECT_TRUE(runner.Run("does not", [] { return absl::OkStatus(); }));
    ASSERT_EQ(results_.size(), 2u);
    EXPECT_THAT(results_[0].detail, HasSubstr("exception"));
  }
}

// Whatever ends the process is a line that says failed, and the next check
// runs.
TEST_F(CheckTest, WhateverEndsTheProcessIsACheckThatFailed) {
  CheckRunner runner = Runner(InChildren());
  runner.Run("exit", []() -> absl::Status { exit(0); });
  runner.Run("_exit", []() -> absl::Status { _exit(0); });
  runner.Run("abort", []() -> absl::Status { abort(); });
  runner.Run("kill", []() -> absl::Status {
    raise(SIGKILL);
    return absl::OkStatus();
  });
  runner.Run("thread", []() -> absl::Status { pthread_exit(nullptr); });
  EXPECT_TRUE(runner.Run("next", [] { return absl::OkStatus(); }));
  EXPECT_EQ(runner.summary().failed, 5);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(results_[i].outcome, Outcome::kFailed) << results_[i].name;
    EXPECT_THAT(results_[i].detail, HasSubstr("it ended the process"));
  }
  EXPECT_THAT(results_[2].detail, HasSubstr("signal 6"));
}

TEST_F(CheckTest, OneThatHangsIsKilledAtItsLimit) {
  CheckIsolation isolation = InChildren();
  isolation.time_limit = absl::Milliseconds(200);
  CheckRunner runner = Runner(isolation);
  runner.Run("hang", []() -> absl::Status {
    while (true) pause();
  });
  EXPECT_EQ(runner.summary().failed, 1);
  EXPECT_EQ(results_[0].detail, "it had not ended after 200ms");
}

class Counter final : public CheckMemory {
 public:
  std::vector<std::string> Save() const override {
    return {std::string(static_cast<size_t>(count), 'x'), big};
  }
  void Load(const std::vector<std::string>& saved) override {
    ASSERT_EQ(saved.size(), 2u);
    count = static_cast<int>(saved[0].size());
    big = saved[1];
  }
  void Lost() override { count += 100; }

  int count = 0;
  std::string big;
};

TEST_F(CheckTest, WhatOneCheckFoundTheNextOneKnows) {
  Counter counter;
  CheckRunner runner = Runner(InChildren());
  runner.set_memory(&counter);
  runner.Run("first", [&] {
    ++counter.count;
    counter.big = std::string(200'000, '\0') + ":9";
    return absl::OkStatus();
  });
  EXPECT_EQ(counter.count, 1);
  EXPECT_EQ(counter.big, std::string(200'000, '\0') + ":9");
  runner.Run("failed", [&] {
    ++counter.count;
    return CheckFailed("all the same");
  });
  EXPECT_EQ(counter.count, 2);
  runner.Run("lost", [&]() -> absl::Status {
    ++counter.count;
    _exit(0);
  });
  EXPECT_EQ(counter.count, 102);
}

TEST_F(CheckTest, WhatCannotBePreparedFails) {
  CheckIsolation isolation = InChildren();
  isolation.prepare = [] { return absl::NotFoundError("no plugin"); };
  CheckRunner runner = Runner(isolation);
  EXPECT_FALSE(runner.Run("a", [] { return absl::OkStatus(); }));
  EXPECT_THAT(results_[0].detail, HasSubstr("no plugin"));
}

TEST_F(CheckTest, NothingRunsOnceTheCallerIsToStop) {
  CheckIsolation isolation;
  isolation.go_on = [] { return absl::CancelledError("Ctrl-C"); };
  CheckRunner runner = Runner(isolation);
  EXPECT_FALSE(runner.Run("a", [] { return absl::OkStatus(); }));
  EXPECT_TRUE(results_.empty());
}

}  // namespace
}  // namespace sluice
