#ifndef SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_REPO_LISTING_H_
#define SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_REPO_LISTING_H_

// Every object of a repo, without a look at what else lies in the place.
//
// A place may be shared with other things: a folder of films, a system's
// lost+found, a tree of thousands of folders. All names of ours begin with the
// first character of a backup id or with "sluice-", so only those are asked
// for, and the rest costs nothing, whatever state it is in. Functions block;
// any thread.

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/executor/context.h"

namespace sluice {

// What lies below one backup id. Not necessarily an archive.
struct FoundArchive {
  std::string backup_id;
  absl::optional<ObjectInfo> manifest;
  absl::optional<ObjectInfo> writer;
  std::vector<ObjectInfo> objects;  // the others of ours
  std::vector<ObjectInfo> foreign;  // what no version of Sluice puts there
  // The folder cannot be read: nothing is known of what is in it.
  bool unreadable = false;
};

// Each backup id that something lies below, ascending, one held at a time.
// `other` gets the objects that lie below none (sluice-repo.json, probes); may
// be null. Ends with the first error of the place or of a callback.
absl::Status ForEachFound(
    const Context& context, ObjectStore& store,
    const std::function<absl::Status(FoundArchive)>& found,
    const ObjectStore::Callback& other);

// What lies below one id now.
absl::StatusOr<FoundArchive> FindArchive(const Context& context,
                                         ObjectStore& store,
                                         absl::string_view backup_id);

// What was begun in the repo and neither committed nor aborted; below
// `backup_id` only, unless that is empty.
absl::StatusOr<std::vector<ObjectInfo>> FindUploads(
    const Context& context, ObjectStore& store, absl::string_view backup_id);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_REPO_LISTING_H_
