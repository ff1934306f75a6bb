#include "sluice/service/retention/retention.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/service/retention/chains.h"
#include "sluice/service/retention/floors.h"
#include "sluice/service/retention/wanted.h"

namespace sluice::service {
namespace {

bool IsRule(RetentionReasonKind kind) {
  return kind <= RetentionReasonKind::kYearly;
}

std::vector<RetentionSuspension> FindSuspensions(const RetentionInput& input,
                                                 const ArchiveChains& chains) {
  std::vector<RetentionSuspension> found;
  for (size_t i = 0; i < chains.size(); ++i) {
    if (!chains[i].own() || !chains[i].future) continue;
    found.push_back(
        {RetentionSuspension::Kind::kFuture, chains.id(i),
         absl::StrCat(
             "archive ", chains.id(i), " is from the future (",
             absl::FormatTime("%Y-%m-%d %H:%M", chains[i].archive->created_at,
                              input.zone),
             "): it has a wrong time, or this clock does")});
  }
  if (auto shrink = FindShrink(input, chains)) found.push_back(*shrink);
  if (input.adopted) {
    found.push_back({RetentionSuspension::Kind::kAdopted, "",
                     "it came back from a repo, and nobody has agreed yet to "
                     "what its rules remove: `sluice prune --accept-adopted` "
                     "does"});
  }
  return found;
}

// Why an archive stays that neither a rule nor a floor holds; empty: it goes.
RetentionReasons WhyElseItStays(const ArchiveChains& chains, size_t i,
                                const absl::optional<size_t>& verified) {
  const ChainLink& link = chains[i];
  if (link.future) {
    return {{RetentionReasonKind::kFuture, "made after now, by its time"}};
  }
  if (link.condition == ArchiveCondition::kUnreadable) {
    return {{RetentionReasonKind::kUnreadable,
             link.archive->unreadable ? "cannot be read"
                                      : "what it builds on cannot be read"}};
  }
  if (link.condition == ArchiveCondition::kDamaged &&
      (!verified.has_value() || *verified < i)) {
    return {{RetentionReasonKind::kDamaged,
             "damaged, and no newer archive is verified"}};
  }
  return {};
}

RetentionReason WhyItGoes(const ArchiveChains& chains, size_t i,
                          const absl::optional<size_t>& verified) {
  if (chains[i].condition == ArchiveCondition::kDamaged) {
    return {RetentionReasonKind::kDamaged,
            absl::StrCat("damaged, and ", chains.id(*verified),
                         " is newer and verified")};
  }
  return {RetentionReasonKind::kUnwanted, "no rule wants it"};
}

// What goes if nothing suspends it; `reasons` then holds why the rest stays.
std::vector<bool> Decide(const RetentionInput& input,
                         const ArchiveChains& chains,
                         std::vector<RetentionReasons>& reasons) {
  if (input.rules.keeps_everything()) {
    for (RetentionReasons& why : reasons)
      why.push_back({RetentionReasonKind::kNoRule, "no rule is set"});
  }
  AddWantedReasons(input, chains, reasons);
  AddFloorReasons(input, chains, reasons);
  const absl::optional<size_t> verified = chains.NewestVerified();
  for (size_t i = 0; i < chains.size(); ++i) {
    for (RetentionReason& why : WhyElseItStays(chains, i, verified))
      reasons[i].push_back(std::move(why));
  }
  std::vector<bool> goes(chains.size());
  for (size_t i = 0; i < chains.size(); ++i)
    goes[i] = chains[i].own() && reasons[i].empty();
  AddBaseReasons(chains, reasons, goes);
  return goes;
}

void AddToSummary(const RetentionVerdict& verdict, uint64_t size_bytes,
                  RetentionSummary& summary) {
  ++summary.considered;
  if (!verdict.keep) {
    ++summary.removed;
    summary.removed_bytes += size_bytes;
    return;
  }
  bool rule = false;
  bool pin = false;
  bool floor = false;
  for (const RetentionReason& reason : verdict.reasons) {
    rule = rule || IsRule(reason.kind);
    pin = pin || reason.kind == RetentionReasonKind::kPinned;
    floor = floor || reason.kind != RetentionReasonKind::kSuspended;
  }
  if (rule) return;
  if (pin) {
    ++summary.held_by_pin;
  } else if (floor) {
    ++summary.held_by_floor;
  }
}

}  // namespace

absl::StatusOr<RetentionDecision> DecideRetention(const RetentionInput& input) {
  SLUICE_RETURN_IF_ERROR(CheckRetentionRules(input.rules));
  SLUICE_ASSIGN_OR_RETURN(const ArchiveChains chains,
                          ArchiveChains::Create(input));
  std::vector<RetentionReasons> reasons(chains.size());
  std::vector<bool> goes = Decide(input, chains, reasons);
  RetentionDecision decision;
  decision.suspended = FindSuspensions(input, chains);
  const absl::optional<size_t> verified = chains.NewestVerified();
  for (size_t i = 0; i < chains.size(); ++i) {
    if (!chains[i].own()) continue;
    if (goes[i] && !decision.suspended.empty()) {
      goes[i] = false;
      reasons[i] = {{RetentionReasonKind::kSuspended,
                     "no rule wants it, but removal is suspended"}};
    } else if (goes[i]) {
      reasons[i] = {WhyItGoes(chains, i, verified)};
    }
    std::stable_sort(reasons[i].begin(), reasons[i].end(),
                     [](const RetentionReason& a, const RetentionReason& b) {
                       return a.kind < b.kind;
                     });
    decision.verdicts.push_back(
        {chains.id(i), !goes[i], std::move(reasons[i])});
    AddToSummary(decision.verdicts.back(), chains[i].archive->size_bytes,
                 decision.summary);
  }
  decision.removals = chains.RemovalOrder(goes);
  return decision;
}

std::vector<RetentionGroup> GroupForRetention(
    const std::vector<RetentionRow>& rows) {
  using Place = std::pair<std::string, std::string>;  // store, repo
  std::map<Place, std::vector<const RetentionRow*>> places;
  std::set<std::tuple<std::string, std::string, std::string>> keys;
  for (const RetentionRow& row : rows) {
    places[{row.store_id, row.repo_id}].push_back(&row);
    keys.insert({row.plan_id, row.store_id, row.repo_id});
  }
  std::vector<RetentionGroup> groups;
  for (const auto& [plan, store, repo] : keys) {
    RetentionGroup& group = groups.emplace_back();
    group.plan_id = plan;
    group.store_id = store;
    group.repo_id = repo;
    for (const RetentionRow* row : places[{store, repo}]) {
      group.archives.push_back(row->archive);
      group.archives.back().others = row->plan_id != plan;
    }
  }
  return groups;
}

}  // namespace sluice::service
