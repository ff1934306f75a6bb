#include "sluice/service/hooks/hooks.h"

#include <unistd.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/thread.h"

namespace sluice::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class HooksTest : public ::testing::Test {
 protected:
  HooksTest() {
    std::string folder = absl::StrCat(::testing::TempDir(), "/hooks-XXXXXX");
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    log_ = folder + "/log";
    plan_.set_id("01P");
  }

  void Add(const std::string& when, const std::string& script,
           bool required = false) {
    Hook* const hook = plan_.mutable_spec()->add_hooks();
    hook->set_when(when);
    hook->set_command(absl::StrCat("exec:/bin/sh -c '", script, "'"));
    hook->set_required(required);
    hook->set_timeout_ms(60'000);
  }
  void AddLogging(const std::string& when) {
    Add(when, absl::StrCat("echo $SLUICE_WHEN $SLUICE_STATUS $SLUICE_ERROR_CODE"
                           " >> ",
                           log_));
  }

  std::string Log() const {
    std::ifstream file(log_);
    return std::string(std::istreambuf_iterator<char>(file),
                       std::istreambuf_iterator<char>());
  }

  std::unique_ptr<HookRun> Run() {
    return std::make_unique<HookRun>(
        plan_, &turns_, [this](const absl::Status& problem) {
          problems_.emplace_back(problem.message());
        });
  }

  const Context context_ = Context::Background();
  Plan plan_;
  HookTurns turns_;
  std::string log_;
  std::vector<std::string> problems_;
};

TEST_F(HooksTest, AfterRunsAlwaysAndAfterFailureWhereTheRunFailed) {
  AddLogging("before");
  AddLogging("after");
  AddLogging("after_failure");
  auto run = Run();
  ASSERT_TRUE(run->Before(context_, {}).ok());
  EXPECT_TRUE(run->After({}, absl::OkStatus()).ok());
  EXPECT_EQ(Log(), "before\nafter succeeded\n");
  run.reset();
  run = Run();
  ASSERT_TRUE(run->Before(context_, {}).ok());
  EXPECT_TRUE(run->After({}, MakeError(absl::StatusCode::kUnavailable,
                                       kSourceUnavailable, "gone"))
                  .ok());
  EXPECT_EQ(Log(),
            "before\nafter succeeded\nbefore\nafter failed source_unavailable\n"
            "after_failure failed source_unavailable\n");
}

TEST_F(HooksTest, ARequiredHookThatFailsIsTheRunsFailureWithWhatItWrote) {
  Add("before", "echo no such volume; exit 3", /*required=*/true);
  AddLogging("before");
  AddLogging("after");
  auto run = Run();
  const absl::Status status = run->Before(context_, {});
  EXPECT_EQ(ErrorCodeOf(status), kHookFailed);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("exit status 3: no such volume"));
  // Half of what it froze may have to be thawed.
  EXPECT_TRUE(run->After({}, status).ok());
  EXPECT_EQ(Log(), "after failed hook_failed\n");
}

TEST_F(HooksTest, OneThatIsNotRequiredIsToldAndDecidesNothing) {
  Add("before", "exit 1");
  AddLogging("before");
  auto run = Run();
  EXPECT_TRUE(run->Before(context_, {}).ok());
  EXPECT_THAT(problems_, SizeIs(1));
  EXPECT_EQ(Log(), "before\n");
}

TEST_F(HooksTest, ThePlansOwnWordsCountWhereAHookHasNone) {
  Add("before", "sleep 600");
  plan_.mutable_spec()->mutable_hooks(0)->clear_timeout_ms();
  plan_.mutable_spec()->set_hook_timeout_ms(100);
  plan_.mutable_spec()->set_hooks_required(true);
  const absl::Status status = Run()->Before(context_, {});
  EXPECT_EQ(ErrorCodeOf(status), kHookFailed);
  EXPECT_THAT(std::string(status.message()), HasSubstr("did not end in time"));
}

TEST_F(HooksTest, ACancelEndsAHookAndAfterRunsAllTheSame) {
  Add("before", absl::StrCat("touch ", log_, "; sleep 600"));
  AddLogging("after");
  auto [context, cancel] = Context::WithCancel(context_);
  auto run = Run();
  auto thread = Thread::Start("cancel", [cancel = cancel, this] {
    while (access(log_.c_str(), F_OK) != 0) sched_yield();
    cancel(absl::CancelledError("by a person"));
  });
  ASSERT_TRUE(thread.ok());
  const absl::Status status = run->Before(context, {});
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(run->After({}, status).ok());
  EXPECT_EQ(Log(), "after interrupted cancelled\n");
}

TEST_F(HooksTest, WithoutABeginThereIsNoEnd) {
  AddLogging("after");
  auto [context, cancel] = Context::WithCancel(context_);
  cancel(absl::CancelledError("by a person"));
  auto run = Run();
  const absl::Status status = run->Before(context, {});
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(run->After({}, status).ok());
  EXPECT_EQ(Log(), "");
}

// Two repos of one plan: the first run's thaw must not come under the second's
// read.
TEST_F(HooksTest, RunsOfOnePlanTakeTurns) {
  AddLogging("before");
  AddLogging("after");
  auto first = Run();
  ASSERT_TRUE(first->Before(context_, {}).ok());
  auto second = Thread::Start("second", [this] {
    HookRun run(plan_, &turns_, nullptr);
    EXPECT_TRUE(run.Before(context_, {}).ok());
  });
  ASSERT_TRUE(second.ok());
  EXPECT_TRUE(first->After({}, absl::OkStatus()).ok());
  first.reset();
  second->Join();
  EXPECT_EQ(Log(), "before\nafter succeeded\nbefore\n");
}

TEST(ParseHookTest, TakesAProgramAndItsWordsAndNothingElse) {
  EXPECT_THAT(*ParseHook("exec:/usr/bin/x 'a b' $HOME"),
              ElementsAre("/usr/bin/x", "a b", "$HOME"));
  for (const char* wrong : {"", "exec:", "exec:x", "/usr/bin/x",
                            "cmd:/usr/bin/x", "exec:/x 'a", "exec: ''"}) {
    EXPECT_EQ(ErrorCodeOf(ParseHook(wrong).status()), kInvalidArgument)
        << wrong;
  }
}

}  // namespace
}  // namespace sluice::service
