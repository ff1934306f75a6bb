#include "sluice/cli/views/prune_view.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sluice/cli/terminal/json.h"
#include "sluice/cli/terminal/text.h"

namespace sluice::cli {
namespace {

using service::PrunedGroup;
using service::PruneReport;
using service::RetentionReason;
using service::RetentionSuspension;
using service::RetentionVerdict;

std::string ReasonsText(const RetentionVerdict& verdict) {
  return absl::StrJoin(verdict.reasons, "; ",
                       [](std::string* out, const RetentionReason& reason) {
                         absl::StrAppend(out, reason.text);
                       });
}

std::string SummaryText(const PrunedGroup& group, const PruneReport& report,
                        bool dry_run) {
  const service::RetentionSummary& summary = group.decision.summary;
  std::string text = absl::StrCat(
      summary.considered, " archives, ", group.decision.removals.size(),
      dry_run ? " would be removed (" : " to remove (",
      SizeText(summary.removed_bytes), ")");
  if (!report.failed.empty()) {
    absl::StrAppend(&text, ", ", report.failed.size(), " could not be");
  }
  return absl::StrCat(text, "\n");
}

void PrintGroup(Console& console, const std::string& repo_id,
                absl::string_view repo, const PrunedGroup& group,
                const PruneReport& report, bool dry_run) {
  if (console.json()) {
    Json json = {{"plan", group.plan_name},
                 {"plan_id", group.plan_id},
                 {"store_id", group.store_id},
                 {"repo_id", repo_id},
                 {"dry_run", dry_run}};
    json.update(service::DecisionJson(group.decision));
    const std::set<std::string> ours(group.decision.removals.begin(),
                                     group.decision.removals.end());
    json["gone"] = Json::array();
    json["failed"] = Json::array();
    for (const std::string& id : report.removed) {
      if (ours.count(id) > 0) json["gone"].push_back(id);
    }
    for (const std::string& id : report.failed) {
      if (ours.count(id) > 0) json["failed"].push_back(id);
    }
    console.ResultJson(json);
    return;
  }
  console.Result(absl::StrCat("plan ", group.plan_name, ", store ",
                              Printable(group.store_id), ", repo ",
                              Printable(repo), "\n"));
  Table table({"ID", "VERDICT", "WHY"});
  for (const RetentionVerdict& verdict : group.decision.verdicts) {
    table.Add(
        {verdict.id, verdict.keep ? "keep" : "remove", ReasonsText(verdict)});
  }
  console.Result(table.Text());
  console.Result(SummaryText(group, report, dry_run));
}

void NoteSuspended(Console& console, const PrunedGroup& group) {
  for (const RetentionSuspension& suspension : group.decision.suspended) {
    console.Note(
        absl::StrCat("warning: plan ", group.plan_name,
                     ": nothing is removed: ", Printable(suspension.text)));
  }
}

}  // namespace

void PrintPruned(Console& console, const std::string& repo_id,
                 absl::string_view repo, const PrunedGroup& group,
                 const PruneReport& report, bool dry_run) {
  PrintGroup(console, repo_id, repo, group, report, dry_run);
  NoteSuspended(console, group);
}

}  // namespace sluice::cli
