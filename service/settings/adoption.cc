#include "sluice/service/settings/adoption.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/host/uri.h"

namespace sluice::service {
namespace {

bool IsCommand(absl::string_view text) {
  return absl::StartsWith(text, "cmd:") || absl::StartsWith(text, "exec:");
}

// Whether a value anywhere in it, decoded as a URI too, is run when it is used.
bool NamesCommand(const Json& json) {
  if (json.is_string()) {
    const std::string text = json.get<std::string>();
    if (IsCommand(text)) return true;
    const absl::StatusOr<Uri> uri = ParseUri(text);
    if (!uri.ok()) return false;
    for (const auto& [key, value] : uri->options) {
      if (IsCommand(value)) return true;
    }
    return false;
  }
  if (!json.is_structured()) return false;
  for (const Json& item : json) {
    if (NamesCommand(item)) return true;
  }
  return false;
}

absl::Status CheckHarmless(const Json& json, absl::string_view what) {
  if (!NamesCommand(json)) return absl::OkStatus();
  return InvalidArgument(
      absl::StrCat(what, " would run a command that stands in the repo"),
      "look at it in settings/ there, and make it by hand if it is yours");
}

absl::Status CheckPlanHarmless(const Plan& plan) {
  SLUICE_RETURN_IF_ERROR(
      CheckHarmless(PlanJson(plan), absl::StrCat("plan ", plan.name())));
  if (plan.spec().hooks().empty())
    return ParseUri(plan.spec().source()).status();
  return InvalidArgument(absl::StrCat("plan ", plan.name(), " has hooks"),
                         "make it by hand if it is yours");
}

ImportedObject Refused(absl::string_view kind, const std::string& id,
                       const std::string& name, absl::Status status) {
  return {std::string(kind), id, name, ImportedObject::Action::kFailed,
          std::move(status)};
}

std::string AdoptedName(absl::string_view plan_id) {
  return absl::StrCat("adopted/", plan_id);
}

// The name that it had, where the catalog knows it by its id alone.
void NameRepo(const Context& context, Catalog& catalog,
              const BackupRepo& said) {
  absl::StatusOr<BackupRepo> row = catalog.GetRepo(context, said.id());
  if (!row.ok() || row->name() != absl::AsciiStrToLower(said.id())) return;
  row->set_name(said.name());
  // A name that is taken is no reason to fail: it can be renamed.
  catalog.UpdateRepo(context, *row).IgnoreError();
}

// Where the catalog does not know it yet: by its id, until it has its name.
void KnowRepo(const Context& context, Catalog& catalog, const BackupRepo& repo,
              absl::Time now, std::vector<ImportedObject>& done) {
  const absl::StatusOr<BackupRepo> row = catalog.GetRepo(context, repo.id());
  if (ErrorCodeOf(row.status()) != kRepoNotFound) return;
  BackupRepo added = repo;
  added.set_name(absl::AsciiStrToLower(repo.id()));
  added.set_created_at_ms(absl::ToUnixMillis(now));
  const absl::Status status = catalog.AddRepo(context, added);
  done.push_back({"repo", added.id(), added.name(),
                  status.ok() ? ImportedObject::Action::kAdded
                              : ImportedObject::Action::kFailed,
                  status});
}

// What of it may come in; the rest is told.
Settings Harmless(const Settings& said, const BackupRepo& repo,
                  std::vector<ImportedObject>& refused) {
  Settings kept;
  for (const BackupRepo& other : said.repos) {
    if (other.id() == repo.id()) continue;
    absl::Status status =
        CheckHarmless(ToJson(other), absl::StrCat("repo ", other.name()));
    if (status.ok()) {
      kept.repos.push_back(other);
    } else {
      refused.push_back(
          Refused("repo", other.id(), other.name(), std::move(status)));
    }
  }
  for (Plan plan : said.plans) {
    absl::Status status = CheckPlanHarmless(plan);
    if (!status.ok()) {
      refused.push_back(
          Refused("plan", plan.id(), plan.name(), std::move(status)));
      continue;
    }
    plan.set_paused(true);
    kept.plans.push_back(std::move(plan));
  }
  kept.pins = said.pins;
  return kept;
}

// Marks those that the catalog does not have, before they are there: no rule of
// theirs removes anything meanwhile. The others, and those that were marked.
std::vector<Plan> MarkNew(const Context& context, Catalog& catalog,
                          std::vector<Plan> plans,
                          std::vector<ImportedObject>& refused) {
  std::vector<Plan> marked;
  for (Plan& plan : plans) {
    const absl::StatusOr<Plan> there =
        catalog.plans().GetPlan(context, plan.id());
    absl::Status status;
    if (!there.ok() || there->id() != plan.id()) {
      status = AwaitAcceptance(context, catalog, plan.id());
    }
    if (status.ok()) {
      marked.push_back(std::move(plan));
    } else {
      refused.push_back(
          Refused("plan", plan.id(), plan.name(), std::move(status)));
    }
  }
  return marked;
}

}  // namespace

absl::StatusOr<bool> AwaitsAcceptance(const Context& context, Catalog& catalog,
                                      absl::string_view plan_id) {
  SLUICE_ASSIGN_OR_RETURN(
      const absl::optional<std::string> mark,
      catalog.settings().Get(context, AdoptedName(plan_id)));
  return mark.has_value();
}

absl::Status AwaitAcceptance(const Context& context, Catalog& catalog,
                             absl::string_view plan_id) {
  return catalog.settings().Set(context, AdoptedName(plan_id), "1");
}

absl::Status AcceptAdopted(const Context& context, Catalog& catalog,
                           absl::string_view plan_id) {
  return catalog.settings().Remove(context, AdoptedName(plan_id));
}

std::vector<ImportedObject> ImportFromRepo(const Context& context,
                                           Catalog& catalog,
                                           const BackupRepo& repo,
                                           const FoundSettings& found,
                                           absl::Time now) {
  std::vector<ImportedObject> done;
  if (!found.newest.empty()) KnowRepo(context, catalog, repo, now, done);
  for (const RepoSettings& settings : found.newest) {
    for (const BackupRepo& said : settings.settings.repos) {
      if (said.id() == repo.id()) NameRepo(context, catalog, said);
    }
    Settings kept = Harmless(settings.settings, repo, done);
    kept.plans = MarkNew(context, catalog, std::exchange(kept.plans, {}), done);
    for (ImportedObject& object : Import(context, catalog, kept, now)) {
      done.push_back(std::move(object));
    }
  }
  return done;
}

}  // namespace sluice::service
