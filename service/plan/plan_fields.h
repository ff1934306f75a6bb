#ifndef SLUICE_SERVICE_PLAN_PLAN_FIELDS_H_
#define SLUICE_SERVICE_PLAN_PLAN_FIELDS_H_

// What a person can say of a plan, by name: the one table behind the flags of
// `sluice plan add`, the JSON of the API and of exports, and the OpenAPI
// document.
//
// Example:
//
//   PlanSpec spec;
//   SLUICE_RETURN_IF_ERROR(SetPlanField("cron", "0 2 * * *", spec));
//   SLUICE_RETURN_IF_ERROR(SetPlanField("keep_daily", "7", spec));
//   GetPlanField(*FindPlanField("keep_daily"), spec);  // "7"
//
// Pure; any thread. Errors are invalid_argument, name the field, and have a
// hint. What only all fields together can say is PlanRules'.

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/catalog/plan.pb.h"

namespace sluice::service {

enum class PlanFieldKind {
  kText,
  kCount,  // a number, 0 or more
  kSpan,   // "90m", see ParseSpan
  kFlag,   // "true", "false"
};

struct PlanField {
  absl::string_view name;  // snake_case; as a flag with "-" for "_"
  PlanFieldKind kind;
  absl::string_view value;  // what stands for it in help: "CRON", "N"
  absl::string_view help;
};

// In the order of help and JSON. `source`, `repos` and `labels`, which are no
// single texts, are not among them.
absl::Span<const PlanField> PlanFields();
// Null where there is none.
const PlanField* FindPlanField(absl::string_view name);

// An empty `value` takes the field back to what it is when nothing is said.
// Also takes the names that services of old have: schedule (of cron or @every),
// keep_count, keep_age_days.
absl::Status SetPlanField(absl::string_view name, absl::string_view value,
                          PlanSpec& spec);
// As SetPlanField takes it; empty: nothing is said.
std::string GetPlanField(const PlanField& field, const PlanSpec& spec);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_PLAN_PLAN_FIELDS_H_
