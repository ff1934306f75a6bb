#ifndef SLUICE_PLUGINS_BADGER_STREAM_BACKUP_STREAM_FORMAT_H_
#define SLUICE_PLUGINS_BADGER_STREAM_BACKUP_STREAM_FORMAT_H_

// What the reader and the writer of Badger's backup stream agree on: frames,
// each a length and a KVList of pb.proto.

#include <cstddef>
#include <cstdint>

namespace sluice::badger {

inline constexpr size_t kFrameLengthBytes = 8;  // little-endian
inline constexpr uint32_t kListEntry = 1;       // KVList.kv

}  // namespace sluice::badger

#endif  // SLUICE_PLUGINS_BADGER_STREAM_BACKUP_STREAM_FORMAT_H_
