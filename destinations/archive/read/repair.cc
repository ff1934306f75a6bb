#include "sluice/destinations/archive/read/repair.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/archive/format/names.h"
#include "sluice/destinations/archive/protocol/object_io.h"
#include "sluice/destinations/archive/protocol/repo_listing.h"
#include "sluice/destinations/archive/read/load.h"
#include "sluice/executor/models.pb.h"

namespace sluice {
namespace {

// What the archives say of the repo that they are in.
struct Witnesses {
  std::map<std::string, uint64_t> archives_by_id;
  std::string earliest;  // time of the first archive
  bool encrypted = false;
};

absl::StatusOr<Witnesses> AskArchives(const Context& context,
                                      ObjectStore& store) {
  std::vector<std::string> ids;
  SLUICE_RETURN_IF_ERROR(ForEachFound(
      context, store,
      [&](const FoundArchive& found) {
        if (found.manifest.has_value()) ids.push_back(found.backup_id);
        return absl::OkStatus();
      },
      nullptr));
  Witnesses witnesses;
  for (const std::string& id : ids) {
    SLUICE_RETURN_IF_ERROR(context.status());
    const absl::StatusOr<Manifest> manifest =
        LoadManifestUnproven(context, store, id);
    // One that cannot be read is no witness; the others are enough.
    if (!manifest.ok() || !IsBackupId(manifest->repo_id())) continue;
    ++witnesses.archives_by_id[manifest->repo_id()];
    if (witnesses.earliest.empty()) witnesses.earliest = manifest->created_at();
    if (!manifest->encryption().algorithm().empty()) witnesses.encrypted = true;
  }
  return witnesses;
}

absl::StatusOr<std::string> ChooseId(const Witnesses& witnesses,
                                     absl::string_view known_id) {
  const auto& ids = witnesses.archives_by_id;
  if (ids.empty()) {
    return WithHint(
        MakeError(
            absl::StatusCode::kNotFound, kDestinationNotFound,
            "repair repo: the place holds no archive that could say which "
            "repo it was"),
        "is the disk mounted? `sluice repo add` makes a new repo");
  }
  if (ids.count(std::string(known_id)) > 0) return std::string(known_id);
  if (!known_id.empty()) {
    return MakeError(
        absl::StatusCode::kNotFound, kDestinationNotFound,
        absl::StrCat("repair repo: the archives are of repo ",
                     ids.begin()->first, " in place of ", known_id));
  }
  if (ids.size() == 1) return ids.begin()->first;
  std::vector<std::string> names;
  names.reserve(ids.size());
  for (const auto& [id, archives] : ids) names.push_back(id);
  return WithHint(
      MakeError(absl::StatusCode::kFailedPrecondition,
                kDestinationConfigInvalid,
                absl::StrCat("repair repo: the archives are of several repos: ",
                             absl::StrJoin(names, ", "))),
      "name the repo as the catalog knows it, or move the archives of the "
      "others away");
}

}  // namespace

absl::StatusOr<RepairedRepo> RepairRepo(const Context& context,
                                        ObjectStore& store,
                                        absl::string_view known_id) {
  RepairedRepo repaired;
  const absl::StatusOr<RepoInfo> there =
      OpenRepo(context, store, "", RepoUse::kRead);
  if (there.ok()) {
    SLUICE_ASSIGN_OR_RETURN(repaired.repo,
                            OpenRepo(context, store, known_id, RepoUse::kRead));
    return repaired;
  }
  const std::string code = ErrorCodeOf(there.status());
  if (code != kDestinationNotFound && code != kDestinationConfigInvalid)
    return there.status();
  SLUICE_ASSIGN_OR_RETURN(const Witnesses witnesses,
                          AskArchives(context, store));
  SLUICE_ASSIGN_OR_RETURN(repaired.repo.id, ChooseId(witnesses, known_id));
  repaired.repo.created_at = witnesses.earliest;
  repaired.repo.encryption_required = witnesses.encrypted;
  repaired.archives = witnesses.archives_by_id.at(repaired.repo.id);
  const CommitOutcome outcome =
      StoreObject(context, store, kRepoFile, EncodeRepo(repaired.repo),
                  code == kDestinationNotFound ? CommitMode::kIfAbsent
                                               : CommitMode::kReplace);
  SLUICE_RETURN_IF_ERROR(Annotate(outcome.status, "repair repo"));
  repaired.written = true;
  return repaired;
}

}  // namespace sluice
