#include "sluice/plugins/conformance/check.h"

#include <csignal>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "sluice/base/child_process.h"
#include "sluice/plugins/sdk/barrier.h"

namespace sluice {
namespace {

using Outcome = CheckResult::Outcome;

constexpr absl::string_view kSkip = "skip: ";
constexpr absl::string_view kNotShown = "not shown: ";

// Messages of a child. One longer than a piece comes as several.
constexpr char kOutcomeMessage = 'o';
constexpr char kDetailMessage = 'd';
constexpr char kMemoryMessage = 'm';

CheckResult ResultOf(const absl::Status& status) {
  CheckResult result;
  absl::string_view why = status.message();
  if (status.ok()) {
    result.outcome = Outcome::kPassed;
  } else if (absl::IsUnimplemented(status) &&
             absl::ConsumePrefix(&why, kSkip)) {
    result.outcome = Outcome::kSkipped;
    result.detail = std::string(why);
  } else if (absl::IsUnimplemented(status) &&
             absl::ConsumePrefix(&why, kNotShown)) {
    result.outcome = Outcome::kNotShown;
    result.detail = std::string(why);
  } else {
    result.outcome = Outcome::kFailed;
    result.detail = status.ToString();
  }
  return result;
}

// A function without a result has no other way to tell that it threw.
absl::Status Judge(const std::function<absl::Status()>& check) {
  const uint64_t before = sdk::swallowed_exceptions;
  absl::Status status = check();
  if (status.ok() && sdk::swallowed_exceptions != before) {
    return CheckFailed(
        "a function without a result, as destroy(), threw an exception across "
        "the ABI");
  }
  return status;
}

// Netstrings: "3:abc".
std::string Pack(const std::vector<std::string>& strings) {
  std::string packed;
  for (const std::string& text : strings)
    absl::StrAppend(&packed, text.size(), ":", text);
  return packed;
}

std::vector<std::string> Unpack(absl::string_view packed) {
  std::vector<std::string> strings;
  while (!packed.empty()) {
    const size_t colon = packed.find(':');
    size_t size = 0;
    if (colon == absl::string_view::npos ||
        !absl::SimpleAtoi(packed.substr(0, colon), &size) ||
        size > packed.size() - colon - 1)
      return {};
    strings.emplace_back(packed.substr(colon + 1, size));
    packed.remove_prefix(colon + 1 + size);
  }
  return strings;
}

}  // namespace

absl::Status SkipCheck(absl::string_view why) {
  return absl::UnimplementedError(absl::StrCat(kSkip, why));
}

absl::Status NotShown(absl::string_view why) {
  return absl::UnimplementedError(absl::StrCat(kNotShown, why));
}

bool CheckRunner::Run(absl::string_view name,
                      const std::function<absl::Status()>& check) {
  if (isolation_.go_on != nullptr && !isolation_.go_on().ok()) return false;
  CheckResult result =
      isolation_.in_children ? RunIsolated(check) : ResultOf(Judge(check));
  result.name = std::string(name);
  Count(result);
  if (report_ != nullptr) report_(result);
  return result.outcome == Outcome::kPassed;
}

void CheckRunner::Count(const CheckResult& result) {
  switch (result.outcome) {
    case Outcome::kPassed:
      ++summary_.passed;
      break;
    case Outcome::kFailed:
      ++summary_.failed;
      break;
    case Outcome::kNotShown:
      ++summary_.not_shown;
      break;
    case Outcome::kSkipped:
      ++summary_.skipped;
      break;
  }
}

CheckResult CheckRunner::RunIsolated(
    const std::function<absl::Status()>& check) {
  std::map<char, std::string> said;
  const absl::StatusOr<ChildEnd> end = RunInChild(
      {.time_limit = isolation_.time_limit},
      [&](ChildLink& link) {
        // The caller's handlers speak for the caller.
        for (const int number : {SIGINT, SIGTERM}) signal(number, SIG_DFL);
        absl::Status status = absl::OkStatus();
        if (isolation_.prepare != nullptr) status = isolation_.prepare();
        if (status.ok()) status = Judge(check);
        const CheckResult result = ResultOf(status);
        if (memory_ != nullptr) {
          link.Send(kMemoryMessage, Pack(memory_->Save()));
        }
        link.Send(kDetailMessage, result.detail);
        link.Send(kOutcomeMessage,
                  absl::StrCat(static_cast<int>(result.outcome)));
        return 0;
      },
      [&](char kind, absl::string_view bytes) {
        absl::StrAppend(&said[kind], bytes);
      });
  CheckResult result;
  int outcome = 0;
  if (!end.ok()) {
    result.detail = end.status().ToString();
  } else if (end->last_word.has_value() &&
             absl::SimpleAtoi(said[kOutcomeMessage], &outcome)) {
    result.outcome = static_cast<Outcome>(outcome);
    result.detail = said[kDetailMessage];
    if (memory_ != nullptr) memory_->Load(Unpack(said[kMemoryMessage]));
    return result;
  } else if (end->timed_out) {
    result.detail = absl::StrCat("it had not ended after ",
                                 absl::FormatDuration(isolation_.time_limit));
  } else {
    result.detail = absl::StrCat("it ended the process: ", DescribeEnd(*end));
  }
  if (memory_ != nullptr) memory_->Lost();
  return result;
}

}  // namespace sluice
