#ifndef SLUICE_PLUGINS_BADGER_INSPECT_INSPECT_H_
#define SLUICE_PLUGINS_BADGER_INSPECT_INSPECT_H_

// What a Badger directory consists of and whether it can be read, for people.
//
//   SLUICE_ASSIGN_OR_RETURN(const Inspection found,
//                           Inspect(*FileSystem::Posix(), options, now));
//   std::cout << Render(found);
//
// Reads every version and every value, so it takes as long as a backup and
// verifies all that a backup would; memory as image.h says. Any thread. Damage
// is a finding; where it is to what makes the directory readable (a table or a
// log to replay that is missing, an index), nothing is counted. MANIFEST that
// cannot be read is an error, as of Image::Open.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/badger/image/image.h"
#include "sluice/plugins/badger/live/lock_holder.h"

namespace sluice {
namespace badger {

struct LevelTotals {
  uint64_t tables = 0;
  uint64_t bytes = 0;
  uint64_t entries = 0;  // 0 in format 7, which does not say
};

struct Inspection {
  std::string folder;
  // Who has it open, for display; the caller looks, see lock_holder.h.
  absl::optional<LockHolder> holder;
  ImageSummary summary;
  // False where the image could not be opened: then nothing is counted.
  bool is_read = false;
  std::map<uint32_t, LevelTotals> levels;

  uint64_t versions = 0;
  uint64_t live_keys = 0;
  uint64_t deleted_keys = 0;  // whose newest version is a tombstone
  uint64_t expired_keys = 0;
  uint64_t key_bytes = 0;    // of all versions
  uint64_t value_bytes = 0;  // of all versions
  // Of value logs, the records that live keys lead to. The rest of
  // summary.value_log_bytes is what the value log's collector could give back.
  uint64_t live_log_bytes = 0;
  std::vector<uint64_t> banned;  // namespaces
  // Tables that MANIFEST lists and that are not there.
  std::vector<std::string> missing;
  // Files in the folders that belong to nothing: tables that MANIFEST does not
  // list, and names that are not Badger's.
  std::vector<std::string> extra;

  // Versions, not live, whose value the value log's collector dropped: no
  // damage.
  uint64_t collected_values = 0;
  // Versions whose value cannot be read though it should be, and what was said
  // of the first of them; or where reading broke off.
  uint64_t damaged_values = 0;
  std::vector<std::string> damage;

  bool is_damaged() const { return !damage.empty(); }
};

// `now` tells what has expired.
absl::StatusOr<Inspection> Inspect(FileSystem& file_system,
                                   const ImageOptions& options, absl::Time now);

// What lies in the folders of `options` beside what MANIFEST lists: sets
// found.extra, and found.missing. Of a directory that someone writes meanwhile
// either may be out of date.
absl::Status FindFiles(FileSystem& file_system, const ImageOptions& options,
                       Inspection& found);

// Lines of text, each with its newline.
std::string Render(const Inspection& inspection);
// One line a table, below a heading.
std::string RenderTables(const Inspection& inspection);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_INSPECT_INSPECT_H_
