#ifndef SLUICE_PLUGINS_BADGER_INSPECT_H_
#define SLUICE_PLUGINS_BADGER_INSPECT_H_

// What a Badger directory consists of and whether it can be read, for people.
//
//   SLUICE_ASSIGN_OR_RETURN(const Inspection found,
//                           Inspect(*FileSystem::Posix(), options, now));
//   std::cout << Render(found);
//
// Reads every version and every value, so it takes as long as a backup and
// verifies all that a backup would; memory as image.h says. Any thread. Damage
// to what makes the directory readable (MANIFEST, a table's index, a log to
// replay) is an error as of Image::Open; damage beyond that is a finding.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/badger/image.h"
#include "sluice/plugins/badger/lock_holder.h"

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
  std::map<uint32_t, LevelTotals> levels;

  uint64_t versions = 0;
  uint64_t live_keys = 0;
  uint64_t deleted_keys = 0;  // whose newest version is a tombstone
  uint64_t expired_keys = 0;
  uint64_t key_bytes = 0;    // of all versions
  uint64_t value_bytes = 0;  // of all versions

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

// Lines of text, each with its newline.
std::string Render(const Inspection& inspection);
// One line a table, below a heading.
std::string RenderTables(const Inspection& inspection);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_INSPECT_H_
