#ifndef SLUICE_CLI_ARCHIVE_CHOICE_H_
#define SLUICE_CLI_ARCHIVE_CHOICE_H_

// Which archive a person means: an id, a unique beginning of one, or "latest".
//
// Pure; any thread.

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

// `archives` oldest first; `latest` passes over damage. invalid_argument for
// what is no id, several archives, or a `latest` that could be that of several
// stores; archive_not_found where there is none.
absl::StatusOr<ArchiveRow> ChooseArchive(
    const std::vector<ArchiveRow>& archives, const ArchiveWish& wish);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_ARCHIVE_CHOICE_H_
