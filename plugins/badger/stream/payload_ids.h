#ifndef SLUICE_PLUGINS_BADGER_STREAM_PAYLOAD_IDS_H_
#define SLUICE_PLUGINS_BADGER_STREAM_PAYLOAD_IDS_H_

// The payload ids that values name: the blocks elsewhere that a snapshot refers
// to.
//
//   PayloadIds ids("file/", "blocks");  // values as {"blocks":["b1","b2"]}
//   SLUICE_RETURN_IF_ERROR(ids.Add(entry, sink));  // each entry of a backup
//   if (ids.undecoded() > 0) ...
//
// One thread. Memory: the ids of one value, and what JSON needs of it.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sluice/plugins/badger/sort/stream_entry.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice {
namespace badger {

// What is in `field` of the JSON object: a string, or an array of strings,
// which may be empty. Null for all else: no object, no such field, an id that
// is not 1 to 1,024 bytes without control bytes.
absl::optional<std::vector<std::string>> DecodePayloadIds(
    absl::string_view json, absl::string_view field);

class PayloadIds {
 public:
  // Of keys that begin with `prefix`.
  PayloadIds(std::string prefix, std::string field)
      : prefix_(std::move(prefix)), field_(std::move(field)) {}

  // Adds what the entry's value names, unless it is deleted. A value that
  // cannot be decoded is counted. Errors: the sink's.
  absl::Status Add(const StreamEntry& entry, sdk::Sink& sink);

  uint64_t undecoded() const { return undecoded_; }
  // One line on those, with the key of the first; only where there is one.
  std::string Warning() const;

 private:
  const std::string prefix_;
  const std::string field_;
  uint64_t undecoded_ = 0;
  std::string first_undecoded_;  // its key
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_STREAM_PAYLOAD_IDS_H_
