#include "sluice/service/hooks/hooks.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sluice/base/error.h"
#include "sluice/base/program/program.h"
#include "sluice/base/status_macros.h"

namespace sluice::service {
namespace {

constexpr absl::string_view kHint =
    "as exec:/usr/local/bin/freeze 'a word'; there is no shell";

absl::Status HookError(const Hook& hook, absl::string_view program,
                       absl::string_view why) {
  return WithHint(
      WithRetryable(MakeError(absl::StatusCode::kUnavailable, kHookFailed,
                              absl::StrCat("hook ", hook.when(), " ", program,
                                           ": ", why)),
                    true),
      "run the hook by itself; it has nothing of the service's environment");
}

absl::Duration LimitOf(const PlanSpec& spec, const Hook& hook) {
  if (hook.timeout_ms() > 0) return absl::Milliseconds(hook.timeout_ms());
  if (spec.hook_timeout_ms() > 0) {
    return absl::Milliseconds(spec.hook_timeout_ms());
  }
  return kHookTimeout;
}

absl::string_view StatusWordOf(const absl::Status& ended) {
  if (ended.ok()) return "succeeded";
  return ended.code() == absl::StatusCode::kCancelled ||
                 ended.code() == absl::StatusCode::kDeadlineExceeded ||
                 ended.code() == absl::StatusCode::kAborted
             ? "interrupted"
             : "failed";
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ParseHook(absl::string_view command) {
  if (!absl::ConsumePrefix(&command, "exec:")) {
    return InvalidArgument("a hook begins with exec:", kHint);
  }
  absl::StatusOr<std::vector<std::string>> words = SplitWords(command);
  if (!words.ok()) return WithHint(words.status(), kHint);
  if (words->empty() || words->front().empty() || words->front()[0] != '/') {
    return InvalidArgument("a hook names a program by its absolute path",
                           kHint);
  }
  return words;
}

// --- turns

absl::Status HookTurns::Take(const Context& context,
                             const std::string& plan_id) {
  const Context::Registration ended =
      context.OnDone([this](const absl::Status&) {
        MutexLock lock(mutex_);
        left_.NotifyAll();
      });
  MutexLock lock(mutex_);
  while (!context.done() && taken_.count(plan_id) > 0) left_.Wait(lock);
  if (context.done()) return context.status();
  taken_.insert(plan_id);
  return absl::OkStatus();
}

void HookTurns::Leave(const std::string& plan_id) {
  MutexLock lock(mutex_);
  taken_.erase(plan_id);
  left_.NotifyAll();
}

// --- a run

HookRun::HookRun(const Plan& plan, HookTurns* turns, OnProblem on_problem)
    : plan_(plan), turns_(turns), on_problem_(std::move(on_problem)) {}

HookRun::~HookRun() {
  if (has_turn_) turns_->Leave(plan_.id());
}

absl::Status HookRun::Before(const Context& context,
                             const HookEnvironment& environment) {
  if (empty()) return absl::OkStatus();
  SLUICE_RETURN_IF_ERROR(turns_->Take(context, plan_.id()));
  has_turn_ = true;
  return RunAll(context, "before", environment, /*stop_at_failure=*/true);
}

absl::Status HookRun::After(HookEnvironment environment,
                            const absl::Status& ended) {
  if (!has_turn_) return absl::OkStatus();
  environment.emplace_back("SLUICE_STATUS", StatusWordOf(ended));
  environment.emplace_back("SLUICE_ERROR_CODE",
                           ended.ok() ? "" : ErrorCodeOf(ended));
  environment.emplace_back("SLUICE_ERROR", ended.message());
  const Context context = Context::Background();
  absl::Status first =
      RunAll(context, "after", environment, /*stop_at_failure=*/false);
  if (!ended.ok()) {
    first.Update(RunAll(context, "after_failure", environment,
                        /*stop_at_failure=*/false));
  }
  return first;
}

absl::Status HookRun::RunAll(const Context& context, absl::string_view when,
                             const HookEnvironment& environment,
                             bool stop_at_failure) {
  absl::Status first;
  for (const Hook& hook : plan_.spec().hooks()) {
    if (hook.when() != when) continue;
    const absl::Status status = RunOne(context, hook, environment);
    if (context.done()) return context.status();
    if (status.ok()) continue;
    if (!hook.required() && !plan_.spec().hooks_required()) {
      if (on_problem_) on_problem_(status);
      continue;
    }
    if (stop_at_failure) return status;
    first.Update(status);
  }
  return first;
}

absl::Status HookRun::RunOne(const Context& context, const Hook& hook,
                             const HookEnvironment& environment) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> words,
                          ParseHook(hook.command()));
  Program program;
  program.argv = words;
  program.environment = environment;
  program.environment.emplace_back("SLUICE_WHEN", hook.when());
  program.time_limit = LimitOf(plan_.spec(), hook);
  program.max_output = 1000;
  const absl::StatusOr<ProgramEnd> end =
      RunProgram(program, [&context] { return context.done(); });
  if (!end.ok()) return HookError(hook, words[0], end.status().message());
  if (end->succeeded()) return absl::OkStatus();
  return HookError(hook, words[0], end->Describe());
}

}  // namespace sluice::service
