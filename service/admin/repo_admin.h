#ifndef SLUICE_SERVICE_ADMIN_REPO_ADMIN_H_
#define SLUICE_SERVICE_ADMIN_REPO_ADMIN_H_

// What people do with repos that the catalog knows, whoever carries their
// words: the command, the API, a service's own code.
//
// Example:
//
//   RepoWords words;
//   words.options = {{"allow_unsynced", "true"}};
//   SLUICE_ASSIGN_OR_RETURN(
//       const EditedRepo edited,
//       EditRepo(context, *catalog, *host, *clock, repo, words));
//   for (const std::string& note : edited.notes) Print(note);
//
// To forget one with its archives is AskForPurge's (requests.h). Any thread;
// blocks for the catalog, and EditRepo for the place where its options change.
// Errors: invalid_argument, which names the field and stores nothing;
// name_taken, repo_in_use, those of Catalog, the plugin's.

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sluice/base/clock.h"
#include "sluice/catalog/catalog.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"
#include "sluice/plugins/host/plugin_host.h"

namespace sluice::service {

// 1 to 63 lower case letters, digits, '.', '_' and '-', the first a letter or a
// digit. Else invalid_argument.
absl::Status CheckRepoName(absl::string_view name);

// What is said of a repo; what is not said stays as it is. Place and kind are
// not among it: `repo move` follows a repo that lies elsewhere now.
struct RepoWords {
  std::string name;
  // Of the place's URI; an empty value takes one back.
  std::map<std::string, std::string> options;
  // Where this machine finds its keys, all of them anew: references.
  absl::optional<std::vector<std::string>> key_refs;

  bool empty() const {
    return name.empty() && options.empty() && !key_refs.has_value();
  }
};

// The place's URI with `options`. invalid_argument where one says where the
// place is.
absl::StatusOr<std::string> ConfigWithOptions(
    PluginHost& host, const std::string& config,
    const std::map<std::string, std::string>& options);

struct EditedRepo {
  BackupRepo repo;
  std::vector<std::string> notes;  // what a person should know of it
};

// Stores it once the place, with its new options, is found to be that very
// repo.
absl::StatusOr<EditedRepo> EditRepo(const Context& context, Catalog& catalog,
                                    PluginHost& host, const Clock& clock,
                                    BackupRepo repo, const RepoWords& words);

// Forgets it; its archives stay. repo_in_use where plans or jobs that are not
// over need it, and with `records_hold` while the catalog has records of it.
absl::Status ForgetRepo(const Context& context, Catalog& catalog,
                        const BackupRepo& repo, bool records_hold);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_ADMIN_REPO_ADMIN_H_
