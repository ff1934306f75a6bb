#ifndef SLUICE_SERVICE_BASE_CHOICE_H_
#define SLUICE_SERVICE_BASE_CHOICE_H_

// The archive that the next increment builds on. Pure; any thread.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "sluice/executor/models.pb.h"
#include "sluice/service/archive_choice.h"

namespace sluice::service {

struct BaseChoice {
  absl::optional<Manifest> base;  // none: a full backup
  // Where one was wished for and there is none to build on.
  std::string why_full;
  // As ChooseArchive has them.
  std::vector<std::string> notes;
};

// What can be restored can be built on: an archive whose whole chain is there,
// not known to be damaged, and shorter than the longest one. An empty wish is a
// full backup, and so is "latest" where there is no such archive: the first of
// a series needs no other words than the rest. One that is named by its id and
// cannot be built on is an error: archive_not_found, archive_damaged,
// invalid_argument, or why it cannot be read.
absl::StatusOr<BaseChoice> ChooseBase(const std::vector<ArchiveRow>& archives,
                                      const ArchiveWish& wish);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_BASE_CHOICE_H_
