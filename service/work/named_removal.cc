#include "sluice/service/work/named_removal.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/service/work/prune.h"

namespace sluice::service {

absl::StatusOr<NamedRemoval> DecideNamed(
    const Context& context, Catalog& catalog, const OpenedRepo& repo,
    const std::vector<ArchiveRow>& archives, const std::set<std::string>& ids,
    const std::set<RetentionReasonKind>& overrides, absl::Time now) {
  SLUICE_ASSIGN_OR_RETURN(
      std::vector<RetentionGroup> groups,
      GroupsOf(context, catalog, repo, archives, /*job_id=*/""));
  NamedRemoval all;
  std::set<std::string> left = ids;
  for (RetentionGroup& group : groups) {
    std::vector<std::string> named;
    for (const RetentionArchive& archive : group.archives) {
      if (!archive.others && left.erase(archive.id) > 0) {
        named.push_back(archive.id);
      }
    }
    if (named.empty()) continue;
    RetentionInput input;
    input.archives = std::move(group.archives);
    input.now = now;
    SLUICE_ASSIGN_OR_RETURN(const NamedRemoval part,
                            DecideNamedRemoval(input, named, overrides));
    all.removals.insert(all.removals.end(), part.removals.begin(),
                        part.removals.end());
    all.refused.insert(all.refused.end(), part.refused.begin(),
                       part.refused.end());
  }
  if (!left.empty()) {
    return MakeError(absl::StatusCode::kNotFound, kArchiveNotFound,
                     absl::StrCat("the repo holds no archive ", *left.begin()));
  }
  if (!all.refused.empty()) all.removals.clear();
  return all;
}

}  // namespace sluice::service
