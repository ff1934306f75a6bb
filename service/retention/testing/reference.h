#ifndef SLUICE_SERVICE_RETENTION_TESTING_REFERENCE_H_
#define SLUICE_SERVICE_RETENTION_TESTING_REFERENCE_H_

// Retention by its definition, each archive against each other: slow, and
// written from docs/retention.md alone. Shares no code with what it judges.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "sluice/service/retention/retention.h"

namespace sluice::service {

// Where restic's rules are others than ours; see docs/retention.md.
struct ReferenceStyle {
  bool hours_have_offsets = true;
  // An hour, day, ... that comes back after another one counts anew.
  bool buckets_are_runs = false;
};

// Of archives that are all sound: the rules that want each, by id.
std::map<std::string, std::set<RetentionReasonKind>> ReferenceWanted(
    const std::vector<RetentionArchive>& archives, const RetentionRules& rules,
    absl::TimeZone zone, const ReferenceStyle& style = {});

struct ReferenceDecision {
  std::map<std::string, std::set<RetentionReasonKind>> reasons;  // own ones
  std::set<std::string> removed;
  bool suspended = false;
};

ReferenceDecision DecideByDefinition(const RetentionInput& input);

// The floors that hold each archive if all of `named` and nothing else go.
std::map<std::string, std::set<RetentionReasonKind>> ReferenceFloors(
    const RetentionInput& input, const std::set<std::string>& named);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_RETENTION_TESTING_REFERENCE_H_
