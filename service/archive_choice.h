#ifndef SLUICE_SERVICE_ARCHIVE_CHOICE_H_
#define SLUICE_SERVICE_ARCHIVE_CHOICE_H_

// Which archive a person means: an id, a unique beginning of one, or "latest";
// which others it builds on, and which build on it.
//
// Lists of archives are ascending by id throughout. Pure; any thread.

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/executor/models.pb.h"

namespace sluice::service {

// An archive as repo and catalog know it.
struct ArchiveRow {
  std::string id;
  // archive_damaged, archive_unsupported, or why it cannot be read.
  absl::StatusOr<Manifest> manifest;
  absl::optional<BackupRecord> record;  // where the catalog has one
  // The how-manieth record of the repo the catalog wrote: its own order, which
  // no clock has a hand in. Where there is a record.
  size_t recorded_as = 0;

  // Found damaged now, or by an earlier verify.
  bool damaged() const;
  // Why nobody can say what it is, which reading it by other rights or at
  // another time may show: OK where it is read, damaged, or of a newer version.
  absl::Status unreadable() const;
  // Empty where neither manifest nor record can say.
  std::string store_id() const;
  // The archive that it builds on; empty: none, or nobody can say.
  std::string base_id() const;
  // Whether it says that it was made more than a moment after `now`.
  bool is_from_the_future(absl::Time now) const;
};

struct ArchiveWish {
  std::string id;     // as typed
  std::string store;  // only this store's; empty: any
  // By this machine's clock. What was made after it bears a wrong time, or this
  // clock is wrong: then `latest` goes by what the catalog saw.
  absl::Time now = absl::InfiniteFuture();
};

// `archives` oldest first; `latest` passes over damage, over what cannot be
// read, and over increments on what is damaged or gone. An archive from the
// future is the latest only where the catalog recorded none of the present
// after it; where the catalog does not know them, only if it is less than a day
// ahead or there is no other. What a person should know of the choice (a newer
// one was passed over, a time is wrong) is added to `notes`, unless that is
// null. invalid_argument for what is no id, several archives, or a `latest`
// that could be that of several stores; archive_not_found where there is none.
absl::StatusOr<ArchiveRow> ChooseArchive(
    const std::vector<ArchiveRow>& archives, const ArchiveWish& wish,
    std::vector<std::string>* notes = nullptr);

// `archive` and those that it builds on, full first: what a restore of it
// reads. archive_damaged where one of them is not among `archives`, or they
// lead in a circle. One whose manifest cannot be read ends the chain.
absl::StatusOr<std::vector<ArchiveRow>> ChainOf(
    const std::vector<ArchiveRow>& archives, const ArchiveRow& archive);

// `ids` and all that build on them, each before what it builds on: in this
// order a delete that is broken off leaves no increment without its base.
std::vector<std::string> WithDependants(const std::vector<ArchiveRow>& archives,
                                        const std::set<std::string>& ids);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_ARCHIVE_CHOICE_H_
