#ifndef SLUICE_CLI_ARCHIVE_CHOICE_H_
#define SLUICE_CLI_ARCHIVE_CHOICE_H_

// Which archive a person means: an id, a unique beginning of one, or "latest";
// which others it builds on, and which build on it.
//
// Pure; any thread.

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sluice/executor/models.pb.h"

namespace sluice::cli {

// An archive as repo and catalog know it.
struct ArchiveRow {
  std::string id;
  absl::StatusOr<Manifest> manifest;    // archive_damaged, archive_unsupported
  absl::optional<BackupRecord> record;  // where the catalog has one

  // Found damaged now, or by an earlier verify.
  bool damaged() const;
  // Empty where neither manifest nor record can say.
  std::string store_id() const;
};

struct ArchiveWish {
  std::string id;     // as typed
  std::string store;  // only this store's; empty: any
};

// `archives` oldest first; `latest` passes over damage, and over increments on
// what is damaged or gone. invalid_argument for what is no id, several
// archives, or a `latest` that could be that of several stores;
// archive_not_found where there is none.
absl::StatusOr<ArchiveRow> ChooseArchive(
    const std::vector<ArchiveRow>& archives, const ArchiveWish& wish);

// `archive` and those that it builds on, full first: what a restore of it
// reads. archive_damaged where one of them is not among `archives`, or they
// lead in a circle. One whose manifest cannot be read ends the chain.
absl::StatusOr<std::vector<ArchiveRow>> ChainOf(
    const std::vector<ArchiveRow>& archives, const ArchiveRow& archive);

// `ids` and all that build on them, each before what it builds on: in this
// order a delete that is broken off leaves no increment without its base.
std::vector<std::string> WithDependants(const std::vector<ArchiveRow>& archives,
                                        const std::set<std::string>& ids);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_ARCHIVE_CHOICE_H_
