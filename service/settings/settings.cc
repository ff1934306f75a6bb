#include "sluice/service/settings/settings.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/service/plan/plan_fields.h"
#include "sluice/service/plan/plan_rules.h"
#include "sluice/service/settings/fields.h"

namespace sluice::service {
namespace {

constexpr char kFormat[] = "sluice-settings";
constexpr int64_t kVersion = 1;

// --- reading JSON of which nothing is known

absl::StatusOr<BackupRepo> RepoOf(JsonFields fields) {
  BackupRepo repo;
  SLUICE_ASSIGN_OR_RETURN(*repo.mutable_id(), fields.Required("id"));
  SLUICE_ASSIGN_OR_RETURN(*repo.mutable_name(), fields.Required("name"));
  SLUICE_ASSIGN_OR_RETURN(*repo.mutable_kind(), fields.Required("kind"));
  SLUICE_ASSIGN_OR_RETURN(*repo.mutable_config(), fields.Required("config"));
  SLUICE_ASSIGN_OR_RETURN(const auto refs, fields.Texts("key_refs"));
  for (const std::string& ref : refs) repo.add_key_refs(ref);
  SLUICE_ASSIGN_OR_RETURN(const int64_t created, fields.Time("created_at"));
  SLUICE_ASSIGN_OR_RETURN(const int64_t updated, fields.Time("updated_at"));
  repo.set_created_at_ms(created);
  repo.set_updated_at_ms(updated);
  const Json& encryption = fields.Get("encryption");
  if (!encryption.is_null()) {
    SLUICE_ASSIGN_OR_RETURN(
        JsonFields inner,
        JsonFields::Of(encryption, fields.Path("encryption")));
    Encryption& said = *repo.mutable_encryption();
    SLUICE_ASSIGN_OR_RETURN(const bool required, inner.Switch("required"));
    said.set_required(required);
    SLUICE_ASSIGN_OR_RETURN(*said.mutable_algorithm(), inner.Text("algorithm"));
    SLUICE_ASSIGN_OR_RETURN(const auto keys, inner.Texts("key_ids"));
    for (const std::string& key : keys) said.add_key_ids(key);
    SLUICE_RETURN_IF_ERROR(inner.Finish());
  }
  SLUICE_RETURN_IF_ERROR(fields.Finish());
  return repo;
}

absl::StatusOr<Plan> PlanOf(JsonFields fields) {
  Plan plan;
  PlanSpec& spec = *plan.mutable_spec();
  SLUICE_ASSIGN_OR_RETURN(*plan.mutable_id(), fields.Required("id"));
  SLUICE_ASSIGN_OR_RETURN(*plan.mutable_name(), fields.Required("name"));
  SLUICE_ASSIGN_OR_RETURN(const bool paused, fields.Switch("paused"));
  SLUICE_ASSIGN_OR_RETURN(const uint64_t revision, fields.Count("revision"));
  SLUICE_ASSIGN_OR_RETURN(const int64_t created, fields.Time("created_at"));
  SLUICE_ASSIGN_OR_RETURN(const int64_t updated, fields.Time("updated_at"));
  plan.set_paused(paused);
  plan.set_revision(revision);
  plan.set_created_at_ms(created);
  plan.set_updated_at_ms(updated);
  SLUICE_ASSIGN_OR_RETURN(*spec.mutable_source(), fields.Required("source"));
  SLUICE_ASSIGN_OR_RETURN(const auto repos, fields.Texts("repos"));
  for (const std::string& repo : repos) spec.add_repos(repo);
  for (const PlanField& field : PlanFields()) {
    SLUICE_RETURN_IF_ERROR(SetPlanFieldFrom(fields, field, spec));
  }
  SLUICE_ASSIGN_OR_RETURN(const int64_t accepted,
                          fields.Time("shrink_accepted_at"));
  spec.set_shrink_accepted_at_ms(accepted);
  const Json& labels = fields.Get("labels");
  if (!labels.is_null()) {
    SLUICE_ASSIGN_OR_RETURN(JsonFields inner,
                            JsonFields::Of(labels, fields.Path("labels")));
    for (const auto& [name, value] : labels.items()) {
      SLUICE_ASSIGN_OR_RETURN((*spec.mutable_labels())[name], inner.Text(name));
    }
  }
  SLUICE_RETURN_IF_ERROR(fields.Finish());
  return plan;
}

absl::StatusOr<PinnedArchive> PinOf(JsonFields fields) {
  PinnedArchive pinned;
  SLUICE_ASSIGN_OR_RETURN(pinned.id, fields.Required("id"));
  SLUICE_ASSIGN_OR_RETURN(pinned.pin.reason, fields.Text("reason"));
  SLUICE_ASSIGN_OR_RETURN(const int64_t until, fields.Time("until"));
  if (until > 0) pinned.pin.until = absl::FromUnixMillis(until);
  SLUICE_RETURN_IF_ERROR(fields.Finish());
  return pinned;
}

// Each object of the list `name`.
template <typename T>
absl::Status ReadList(JsonFields& file, const std::string& name,
                      absl::StatusOr<T> (*read)(JsonFields),
                      std::vector<T>& out) {
  const Json& list = file.Get(name);
  if (list.is_null()) return absl::OkStatus();
  if (!list.is_array()) return WrongSettings(name, "is no list");
  for (size_t i = 0; i < list.size(); ++i) {
    SLUICE_ASSIGN_OR_RETURN(
        JsonFields fields,
        JsonFields::Of(list[i], absl::StrCat(name, "[", i, "]")));
    SLUICE_ASSIGN_OR_RETURN(T object, read(std::move(fields)));
    out.push_back(std::move(object));
  }
  return absl::OkStatus();
}

// --- bringing it back

ImportedObject Done(absl::string_view kind, const std::string& id,
                    const std::string& name, bool known,
                    const absl::Status& status) {
  using Action = ImportedObject::Action;
  return {std::string(kind), id, name,
          !status.ok() ? Action::kFailed
          : known      ? Action::kKept
                       : Action::kAdded,
          status};
}

ImportedObject ImportRepo(const Context& context, Catalog& catalog,
                          const BackupRepo& repo) {
  const absl::StatusOr<BackupRepo> there = catalog.GetRepo(context, repo.id());
  const bool known = there.ok() && there->id() == repo.id();
  return Done("repo", repo.id(), repo.name(), known,
              known ? absl::OkStatus() : catalog.AddRepo(context, repo));
}

absl::Status AddPlan(const Context& context, Catalog& catalog, const Plan& plan,
                     absl::Time now) {
  SLUICE_ASSIGN_OR_RETURN(const PlanRules rules, RulesOf(plan));
  return catalog.plans().AddPlan(context, plan, TargetsOf(plan, rules, now));
}

ImportedObject ImportPlan(const Context& context, Catalog& catalog,
                          const Plan& plan, absl::Time now) {
  const absl::StatusOr<Plan> there =
      catalog.plans().GetPlan(context, plan.id());
  const bool known = there.ok() && there->id() == plan.id();
  return Done("plan", plan.id(), plan.name(), known,
              known ? absl::OkStatus() : AddPlan(context, catalog, plan, now));
}

ImportedObject ImportPin(const Context& context, Catalog& catalog,
                         const PinnedArchive& pinned) {
  const absl::StatusOr<BackupRecord> record =
      catalog.GetRecord(context, pinned.id);
  absl::Status status = record.status();
  if (ErrorCodeOf(status) == kRecordNotFound) {
    status = WithHint(
        status, "`sluice reconcile --adopt-all` first, then import again");
  }
  const bool known = record.ok() && record->pinned();
  if (record.ok() && !known) {
    status = catalog.SetPin(context, record->id(), pinned.pin);
  }
  return Done("pin", pinned.id, pinned.id, known, status);
}

}  // namespace

absl::StatusOr<Settings> ReadSettings(const Context& context,
                                      Catalog& catalog) {
  Settings settings;
  SLUICE_ASSIGN_OR_RETURN(settings.repos, catalog.ListRepos(context));
  SLUICE_ASSIGN_OR_RETURN(settings.plans, catalog.plans().ListPlans(context));
  CatalogFilter filter;
  filter.pinned_only = true;
  SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRecord> records,
                          catalog.ListRecords(context, filter));
  for (const BackupRecord& record : records) {
    PinnedArchive pinned{record.id(), {record.pin_reason()}, record.repo_id()};
    if (record.pin_ends_at_ms() > 0) {
      pinned.pin.until = absl::FromUnixMillis(record.pin_ends_at_ms());
    }
    settings.pins.push_back(std::move(pinned));
  }
  return settings;
}

Json SettingsJson(const Settings& settings) {
  Json repos = Json::array();
  for (const BackupRepo& repo : settings.repos) repos.push_back(ToJson(repo));
  Json plans = Json::array();
  for (const Plan& plan : settings.plans) {
    Json json = PlanJson(plan);
    const int64_t accepted = plan.spec().shrink_accepted_at_ms();
    json["shrink_accepted_at"] =
        accepted == 0 ? Json(nullptr) : Json(TimeText(accepted));
    plans.push_back(std::move(json));
  }
  Json pins = Json::array();
  for (const PinnedArchive& pinned : settings.pins) {
    const std::string until = TimeText(pinned.pin.until);
    pins.push_back({{"id", pinned.id},
                    {"reason", pinned.pin.reason},
                    {"until", until.empty() ? Json(nullptr) : Json(until)}});
  }
  return {{"format", kFormat},
          {"version", kVersion},
          {"repos", std::move(repos)},
          {"plans", std::move(plans)},
          {"pins", std::move(pins)}};
}

absl::StatusOr<Settings> ReadSettingsLists(JsonFields& file) {
  Settings settings;
  SLUICE_RETURN_IF_ERROR(ReadList(file, "repos", &RepoOf, settings.repos));
  SLUICE_RETURN_IF_ERROR(ReadList(file, "plans", &PlanOf, settings.plans));
  SLUICE_RETURN_IF_ERROR(ReadList(file, "pins", &PinOf, settings.pins));
  return settings;
}

absl::StatusOr<Settings> ParseSettings(absl::string_view text) {
  SLUICE_ASSIGN_OR_RETURN(const Json json, ParseSettingsJson(text));
  SLUICE_ASSIGN_OR_RETURN(JsonFields file, JsonFields::Of(json, ""));
  SLUICE_ASSIGN_OR_RETURN(const std::string format, file.Text("format"));
  SLUICE_ASSIGN_OR_RETURN(const uint64_t version, file.Count("version"));
  if (format != kFormat)
    return WrongSettings("format", "is not sluice-settings");
  if (version != kVersion) {
    return WrongSettings("version",
                         absl::StrCat("is ", version, ", not ", kVersion));
  }
  SLUICE_ASSIGN_OR_RETURN(Settings settings, ReadSettingsLists(file));
  SLUICE_RETURN_IF_ERROR(file.Finish());
  return settings;
}

absl::string_view ImportWord(ImportedObject::Action action) {
  switch (action) {
    case ImportedObject::Action::kAdded:
      return "added";
    case ImportedObject::Action::kKept:
      return "kept";
    case ImportedObject::Action::kFailed:
      break;
  }
  return "failed";
}

std::vector<ImportedObject> Import(const Context& context, Catalog& catalog,
                                   const Settings& settings, absl::Time now) {
  std::vector<ImportedObject> done;
  for (const BackupRepo& repo : settings.repos) {
    done.push_back(ImportRepo(context, catalog, repo));
  }
  for (const Plan& plan : settings.plans) {
    done.push_back(ImportPlan(context, catalog, plan, now));
  }
  for (const PinnedArchive& pinned : settings.pins) {
    done.push_back(ImportPin(context, catalog, pinned));
  }
  return done;
}

}  // namespace sluice::service
