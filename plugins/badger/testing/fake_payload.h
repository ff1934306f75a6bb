#ifndef SLUICE_PLUGINS_BADGER_TESTING_FAKE_PAYLOAD_H_
#define SLUICE_PLUGINS_BADGER_TESTING_FAKE_PAYLOAD_H_

// Payloads to restore from, and entries to make them of. For tests.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/badger/sort/stream_entry.h"
#include "sluice/plugins/badger/stream/backup_stream_reader.h"
#include "sluice/plugins/badger/stream/backup_stream_writer.h"
#include "sluice/plugins/sdk/testing/fake_sink.h"

namespace sluice {
namespace badger {

using sdk::FakePayload;

// An entry with bytes of its own.
struct OwnedEntry {
  std::string key;
  std::string value;
  uint64_t version = 0;
  uint64_t expires_at = 0;
  uint8_t user_meta = 0;
  uint8_t meta = 0;

  static OwnedEntry Of(const StreamEntry& entry) {
    return {std::string(entry.key), std::string(entry.value), entry.version,
            entry.expires_at,       entry.user_meta,          entry.meta};
  }
  StreamEntry View() const {
    return {key, value, version, expires_at, user_meta, meta};
  }
};

inline std::string StreamOf(const std::vector<OwnedEntry>& entries) {
  std::string stream;
  BackupStreamWriter writer([&stream](absl::string_view bytes) {
    stream.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  });
  absl::Status status;
  for (const OwnedEntry& entry : entries)
    status.Update(writer.Add(entry.View()));
  status.Update(writer.Finish());
  return status.ok() ? stream : status.ToString();
}

// Those of a stream that is whole.
inline std::vector<OwnedEntry> EntriesOf(absl::string_view stream) {
  std::vector<OwnedEntry> entries;
  BackupStreamReader reader([&entries](const StreamEntry& entry) {
    entries.push_back(OwnedEntry::Of(entry));
    return absl::OkStatus();
  });
  const absl::Status status = reader.Feed(stream);
  return status.ok() && reader.Finish().ok() ? entries
                                             : std::vector<OwnedEntry>();
}

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_TESTING_FAKE_PAYLOAD_H_
