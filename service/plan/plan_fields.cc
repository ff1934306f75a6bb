#include "sluice/service/plan/plan_fields.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/service/hooks/hooks.h"
#include "sluice/service/plan/span.h"
#include "sluice/service/plan/verify_rule.h"
#include "sluice/service/retention/rules.h"

namespace sluice::service {
namespace {

constexpr char kEvery[] = "@every ";

struct Access {
  PlanField field;
  std::function<absl::Status(absl::string_view, PlanSpec&)> set;
  std::function<std::string(const PlanSpec&)> get;
};

// --- how a field of each kind is read and written

absl::StatusOr<int64_t> Millis(absl::string_view value) {
  if (value.empty()) return 0;
  SLUICE_ASSIGN_OR_RETURN(const absl::Duration span, ParseSpan(value));
  return absl::ToInt64Milliseconds(span);
}

Access Span(PlanField field, int64_t (PlanSpec::*get)() const,
            void (PlanSpec::*set)(int64_t)) {
  return {field,
          [set](absl::string_view value, PlanSpec& spec) -> absl::Status {
            SLUICE_ASSIGN_OR_RETURN(const int64_t millis, Millis(value));
            (spec.*set)(millis);
            return absl::OkStatus();
          },
          [get](const PlanSpec& spec) -> std::string {
            const int64_t millis = (spec.*get)();
            return millis == 0 ? "" : FormatSpan(absl::Milliseconds(millis));
          }};
}

// One whose 0 is not: nothing is said.
Access OptionalSpan(PlanField field, bool (PlanSpec::*has)() const,
                    int64_t (PlanSpec::*get)() const,
                    void (PlanSpec::*set)(int64_t), void (PlanSpec::*clear)()) {
  return {
      field,
      [set, clear](absl::string_view value, PlanSpec& spec) -> absl::Status {
        if (value.empty()) {
          (spec.*clear)();
          return absl::OkStatus();
        }
        SLUICE_ASSIGN_OR_RETURN(const int64_t millis, Millis(value));
        (spec.*set)(millis);
        return absl::OkStatus();
      },
      [has, get](const PlanSpec& spec) -> std::string {
        if (!(spec.*has)()) return "";
        return FormatSpan(absl::Milliseconds((spec.*get)()));
      }};
}

absl::StatusOr<uint32_t> Count(absl::string_view value) {
  uint32_t count = 0;
  if (value.empty() || absl::SimpleAtoi(value, &count)) return count;
  return InvalidArgument(absl::StrCat("\"", value, "\" is no count"),
                         "a number, 0 or more");
}

Access Number(PlanField field, uint32_t (PlanSpec::*get)() const,
              void (PlanSpec::*set)(uint32_t)) {
  return {field,
          [set](absl::string_view value, PlanSpec& spec) -> absl::Status {
            SLUICE_ASSIGN_OR_RETURN(const uint32_t count, Count(value));
            (spec.*set)(count);
            return absl::OkStatus();
          },
          [get](const PlanSpec& spec) -> std::string {
            const uint32_t count = (spec.*get)();
            return count == 0 ? "" : absl::StrCat(count);
          }};
}

Access Keep(PlanField field, uint32_t (Retention::*get)() const,
            void (Retention::*set)(uint32_t)) {
  return {field,
          [set](absl::string_view value, PlanSpec& spec) -> absl::Status {
            SLUICE_ASSIGN_OR_RETURN(const uint32_t count, Count(value));
            (spec.mutable_retention()->*set)(count);
            return absl::OkStatus();
          },
          [get](const PlanSpec& spec) -> std::string {
            const uint32_t count = (spec.retention().*get)();
            return count == 0 ? "" : absl::StrCat(count);
          }};
}

Access Text(PlanField field, const std::string& (PlanSpec::*get)() const,
            std::string* (PlanSpec::*mutable_text)()) {
  return {field,
          [mutable_text](absl::string_view value, PlanSpec& spec) {
            *(spec.*mutable_text)() = std::string(value);
            return absl::OkStatus();
          },
          [get](const PlanSpec& spec) { return (spec.*get)(); }};
}

Access Flag(PlanField field, bool (PlanSpec::*get)() const,
            void (PlanSpec::*set)(bool)) {
  return {field,
          [set](absl::string_view value, PlanSpec& spec) -> absl::Status {
            if (!value.empty() && value != "true" && value != "false") {
              return InvalidArgument(
                  absl::StrCat("\"", value, "\" is neither true nor false"));
            }
            (spec.*set)(value == "true");
            return absl::OkStatus();
          },
          [get](const PlanSpec& spec) {
            return std::string((spec.*get)() ? "true" : "");
          }};
}

// --- what is run or called beside a backup

Hook* FindHook(absl::string_view when, PlanSpec& spec) {
  for (Hook& hook : *spec.mutable_hooks()) {
    if (hook.when() == when) return &hook;
  }
  return nullptr;
}

void RemoveHooks(absl::string_view when, PlanSpec& spec) {
  auto& hooks = *spec.mutable_hooks();
  hooks.erase(
      std::remove_if(hooks.begin(), hooks.end(),
                     [&](const Hook& hook) { return hook.when() == when; }),
      hooks.end());
}

// The plan's hook of that name: `when` is the field's name, too.
Access HookField(PlanField field) {
  const absl::string_view when = field.name;
  return {field,
          [when](absl::string_view value, PlanSpec& spec) -> absl::Status {
            if (value.empty()) {
              RemoveHooks(when, spec);
              return absl::OkStatus();
            }
            SLUICE_RETURN_IF_ERROR(ParseHook(value).status());
            Hook* hook = FindHook(when, spec);
            if (hook == nullptr) hook = spec.add_hooks();
            hook->set_when(std::string(when));
            hook->set_command(std::string(value));
            return absl::OkStatus();
          },
          [when](const PlanSpec& spec) -> std::string {
            for (const Hook& hook : spec.hooks()) {
              if (hook.when() == when) return hook.command();
            }
            return "";
          }};
}

// Whoever knows the URL can say that all is well: it is a secret.
Access Heartbeat() {
  return {{"heartbeat", PlanFieldKind::kText, "REF",
           "a URL that is called after each success, as env:NAME or "
           "file:/path"},
          [](absl::string_view value, PlanSpec& spec) -> absl::Status {
            if (!value.empty() && !absl::StartsWith(value, "env:") &&
                !absl::StartsWith(value, "file:/")) {
              return InvalidArgument("the URL is given by reference",
                                     "use env:NAME or file:/path");
            }
            spec.set_heartbeat_url(std::string(value));
            return absl::OkStatus();
          },
          [](const PlanSpec& spec) { return spec.heartbeat_url(); }};
}

// --- the table

Access Verify() {
  return {{"verify", PlanFieldKind::kText, "RULE",
           "read archives again, a share each day: \"all in 30d\", or off"},
          [](absl::string_view value, PlanSpec& spec) -> absl::Status {
            SLUICE_RETURN_IF_ERROR(ParseVerifyRule(value).status());
            spec.set_verify(value == "off" ? "" : std::string(value));
            return absl::OkStatus();
          },
          [](const PlanSpec& spec) { return spec.verify(); }};
}

// The span of a schedule that `every` alone can say; else empty.
std::string SpanOfEvery(absl::string_view schedule) {
  absl::Duration span;
  if (!absl::ConsumePrefix(&schedule, kEvery) ||
      !absl::ParseDuration(std::string(schedule), &span)) {
    return "";
  }
  return FormatSpan(span);
}

Access Cron() {
  return {{"cron", PlanFieldKind::kText, "CRON",
           "when: five fields, or @daily and its kin"},
          [](absl::string_view value, PlanSpec& spec) {
            spec.set_schedule(std::string(value));
            return absl::OkStatus();
          },
          [](const PlanSpec& spec) {
            return SpanOfEvery(spec.schedule()).empty() ? spec.schedule() : "";
          }};
}

Access Every() {
  return {{"every", PlanFieldKind::kText, "SPAN",
           "when: each so long since the plan was made, as 90m"},
          [](absl::string_view value, PlanSpec& spec) -> absl::Status {
            if (value.empty()) {
              spec.clear_schedule();
              return absl::OkStatus();
            }
            SLUICE_ASSIGN_OR_RETURN(const absl::Duration span,
                                    ParseSpan(value));
            // The schedule's own words have no days.
            spec.set_schedule(
                absl::StrCat(kEvery, absl::ToInt64Seconds(span), "s"));
            if (span % absl::Seconds(1) == absl::ZeroDuration()) {
              return absl::OkStatus();
            }
            return InvalidArgument("a schedule counts whole seconds");
          },
          [](const PlanSpec& spec) { return SpanOfEvery(spec.schedule()); }};
}

Access KeepWithin() {
  return {
      {"keep_within", PlanFieldKind::kText, "SPAN",
       "keep what is younger than the newest by that: 30d, 1y6m"},
      [](absl::string_view value, PlanSpec& spec) -> absl::Status {
        RetentionRules rules;
        if (!value.empty()) {
          SLUICE_RETURN_IF_ERROR(SetRetentionRule("keep_within", value, rules));
        }
        spec.mutable_retention()->set_keep_within(
            rules.keep_within.is_zero()
                ? ""
                : FormatCalendarSpan(rules.keep_within));
        return absl::OkStatus();
      },
      [](const PlanSpec& spec) { return spec.retention().keep_within(); }};
}

// `skip` or a span.
Access CatchUp() {
  return {{"catch_up", PlanFieldKind::kText, "SPAN|skip",
           "run a missed time that is younger than that; skip: none. Not "
           "said: the schedule's own interval"},
          [](absl::string_view value, PlanSpec& spec) -> absl::Status {
            if (value.empty()) {
              spec.clear_catch_up_ms();
            } else if (value == "skip") {
              spec.set_catch_up_ms(0);
            } else {
              SLUICE_ASSIGN_OR_RETURN(const int64_t millis, Millis(value));
              spec.set_catch_up_ms(millis);
            }
            return absl::OkStatus();
          },
          [](const PlanSpec& spec) -> std::string {
            if (!spec.has_catch_up_ms()) return "";
            if (spec.catch_up_ms() == 0) return "skip";
            return FormatSpan(absl::Milliseconds(spec.catch_up_ms()));
          }};
}

const std::vector<Access>& Table() {
  using K = PlanFieldKind;
  using S = PlanSpec;
  using R = Retention;
  static const auto* const kTable = new std::vector<Access>{
      Cron(),
      Every(),
      Text({"zone", K::kText, "ZONE", "of the IANA database; UTC if not said"},
           &S::zone, &S::mutable_zone),
      OptionalSpan({"jitter", K::kSpan, "SPAN",
                    "spread over that; not said: 5m, or a tenth of the "
                    "interval where that is less"},
                   &S::has_jitter_ms, &S::jitter_ms, &S::set_jitter_ms,
                   &S::clear_jitter_ms),
      CatchUp(),
      Text({"window", K::kText, "FROM-TO",
            "missed times run only then, by the plan's zone: 22:00-05:00"},
           &S::window, &S::mutable_window),
      Span({"timeout", K::kSpan, "SPAN", "a run ends after that"},
           &S::timeout_ms, &S::set_timeout_ms),
      Span({"retry_for", K::kSpan, "SPAN",
            "try a failed run again until so long after its due time"},
           &S::retry_for_ms, &S::set_retry_for_ms),
      Number({"attempts", K::kCount, "N", "tries of one due time; 3"},
             &S::attempts, &S::set_attempts),
      Span({"full_every", K::kSpan, "SPAN",
            "increments, and a full backup each so long"},
           &S::full_every_ms, &S::set_full_every_ms),
      Keep({"keep_last", K::kCount, "N", "keep the newest N"}, &R::keep_last,
           &R::set_keep_last),
      KeepWithin(),
      Keep({"keep_hourly", K::kCount, "N", "keep one of each of N hours"},
           &R::keep_hourly, &R::set_keep_hourly),
      Keep({"keep_daily", K::kCount, "N", "keep one of each of N days"},
           &R::keep_daily, &R::set_keep_daily),
      Keep({"keep_weekly", K::kCount, "N", "keep one of each of N weeks"},
           &R::keep_weekly, &R::set_keep_weekly),
      Keep({"keep_monthly", K::kCount, "N", "keep one of each of N months"},
           &R::keep_monthly, &R::set_keep_monthly),
      Keep({"keep_yearly", K::kCount, "N", "keep one of each of N years"},
           &R::keep_yearly, &R::set_keep_yearly),
      Number({"max_shrink", K::kCount, "PERCENT",
              "remove nothing after a backup that is smaller by more; 50"},
             &S::max_shrink_percent, &S::set_max_shrink_percent),
      Verify(),
      Span({"expected_every", K::kSpan, "SPAN",
            "without a schedule: overdue after that"},
           &S::expected_every_ms, &S::set_expected_every_ms),
      Flag({"allow_empty", K::kFlag, "", "an empty store is no failure"},
           &S::allow_empty, &S::set_allow_empty),
      Flag({"read_back", K::kFlag, "", "read every byte back before it counts"},
           &S::read_back, &S::set_read_back),
      HookField({"before", K::kText, "exec:PROGRAM",
                 "run that before each backup; with words, as exec:/bin/x 'a "
                 "b', and no shell"}),
      HookField({"after", K::kText, "exec:PROGRAM",
                 "run that after each backup, however it ended"}),
      HookField({"after_failure", K::kText, "exec:PROGRAM",
                 "run that after a backup that did not succeed"}),
      Span(
          {"hook_timeout", K::kSpan, "SPAN", "a hook is killed after that; 5m"},
          &S::hook_timeout_ms, &S::set_hook_timeout_ms),
      Flag({"hooks_required", K::kFlag, "",
            "no backup where the hook before it fails, and an alarm where one "
            "after it does"},
           &S::hooks_required, &S::set_hooks_required),
      Heartbeat(),
  };
  return *kTable;
}

const Access* Find(absl::string_view name) {
  for (const Access& access : Table()) {
    if (access.field.name == name) return &access;
  }
  return nullptr;
}

}  // namespace

absl::Span<const PlanField> PlanFields() {
  static const auto* const kFields = [] {
    auto* fields = new std::vector<PlanField>;
    for (const Access& access : Table()) fields->push_back(access.field);
    return fields;
  }();
  return *kFields;
}

const PlanField* FindPlanField(absl::string_view name) {
  const Access* access = Find(name);
  return access == nullptr ? nullptr : &access->field;
}

absl::Status SetPlanField(absl::string_view name, absl::string_view value,
                          PlanSpec& spec) {
  if (name == "schedule") name = "cron";
  if (name == "keep_count") name = "keep_last";
  if (name == "keep_age_days") {
    return SetPlanField("keep_within",
                        value.empty() || value == "0"
                            ? std::string()
                            : absl::StrCat(value, "d"),
                        spec);
  }
  const Access* access = Find(name);
  if (access == nullptr) {
    return InvalidArgument(absl::StrCat("a plan has no ", name));
  }
  const absl::Status set = access->set(value, spec);
  return WithHint(Annotate(set, name), HintOf(set));
}

std::string GetPlanField(const PlanField& field, const PlanSpec& spec) {
  return Find(field.name)->get(spec);
}

}  // namespace sluice::service
