#include "sluice/tests/faults/invariants.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sluice/service/repo_view.h"

namespace sluice {
namespace {

using Found = std::vector<std::string>;

const Context& Unbounded() {
  static const auto* const context = new Context(Context::Background());
  return *context;
}

void Recover(const House& house, Found& found) {
  const auto report = ReconcileAll(house);
  const absl::Status reconciled =
      report.ok() ? report->status() : report.status();
  if (!reconciled.ok()) {
    found.push_back(absl::StrCat("I4: reconcile: ", reconciled.ToString()));
  }
  const auto swept = house.archives->Sweep(Unbounded());
  const absl::Status problem = !swept.ok()               ? swept.status()
                               : swept->problems.empty() ? absl::OkStatus()
                                                         : swept->problems[0];
  if (!problem.ok()) {
    found.push_back(absl::StrCat("I6: sweep: ", problem.ToString()));
  }
}

void CheckNothingIsLeftToReconcile(const House& house, Found& found) {
  const auto report = ReconcileAll(house);
  if (!report.ok()) {
    found.push_back(
        absl::StrCat("I4: reconcile: ", report.status().ToString()));
  } else if (!report->findings.empty()) {
    found.push_back(absl::StrCat("I4: a second reconcile still finds: ",
                                 report->findings[0].message));
  }
}

void CheckJobs(const House& house, Found& found) {
  const auto jobs = house.catalog.ListJobs(Unbounded(), {});
  if (!jobs.ok()) {
    found.push_back(absl::StrCat("I3: ", jobs.status().ToString()));
    return;
  }
  for (const CatalogJob& job : *jobs) {
    if (!IsTerminal(job.job) && job.job.status() != BackupJob::PENDING) {
      found.push_back(absl::StrCat("I3: job ", job.job.id(), " never ended"));
    }
  }
}

std::set<std::string> CheckArchives(const House& house, Found& found) {
  std::set<std::string> published;
  const auto entries = house.archives->ListAll(Unbounded());
  if (!entries.ok()) {
    found.push_back(absl::StrCat("I1: list: ", entries.status().ToString()));
    return published;
  }
  for (const auto& entry : *entries) {
    published.insert(entry.backup_id);
    const auto verified =
        house.archives->Verify(Unbounded(), entry.backup_id, nullptr);
    if (!verified.ok()) {
      found.push_back(absl::StrCat("I1: listed and not whole: ",
                                   verified.status().ToString()));
    }
  }
  return published;
}

void CheckRecords(const House& house, const std::set<std::string>& published,
                  Found& found) {
  const auto records = house.catalog.ListRecords(Unbounded(), {});
  std::set<std::string> recorded;
  if (records.ok()) {
    for (const BackupRecord& record : *records) recorded.insert(record.id());
  }
  if (recorded != published) {
    found.push_back(absl::StrCat("I4: ", recorded.size(), " records, ",
                                 published.size(), " archives"));
  }
}

// Whether a recovered repo may hold an object of this name.
bool IsExpected(const std::string& name,
                const std::set<std::string>& published) {
  if (name == "sluice-repo.json") return true;
  if (absl::EndsWith(name, "/writer.json")) return false;
  const std::string id = name.substr(0, name.find('/'));
  // Verify has looked at what a published archive holds; of an ended one the
  // tombstone stays.
  return published.count(id) > 0 || name == id + "/manifest.json";
}

void CheckLeftovers(const House& house, const std::set<std::string>& published,
                    Found& found) {
  const absl::Status uncommitted = house.place->ListUncommitted(
      Unbounded(), "", [&](const ObjectInfo& object) {
        found.push_back(absl::StrCat("I6: never committed: ", object.name));
        return absl::OkStatus();
      });
  const absl::Status listed =
      house.place->List(Unbounded(), "", [&](const ObjectInfo& object) {
        if (!IsExpected(object.name, published)) {
          found.push_back(absl::StrCat("I6: left behind: ", object.name));
        }
        return absl::OkStatus();
      });
  if (!uncommitted.ok() || !listed.ok()) {
    found.push_back("I6: the place cannot be listed");
  }
}

}  // namespace

absl::StatusOr<ReconcileReport> ReconcileAll(const House& house) {
  service::RepoView view(house.archives);
  ReconcileOptions options;
  options.adopt = true;
  options.forget = true;
  options.clock = house.clock;
  return Reconcile(Unbounded(), house.catalog, house.repo, view, options);
}

std::set<std::string> RecoverAndCheck(const House& house, Found& found) {
  Recover(house, found);
  CheckNothingIsLeftToReconcile(house, found);
  CheckJobs(house, found);
  const std::set<std::string> published = CheckArchives(house, found);
  CheckRecords(house, published, found);
  CheckLeftovers(house, published, found);
  return published;
}

}  // namespace sluice
