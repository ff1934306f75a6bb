#ifndef SLUICE_PLUGINS_BADGER_SOURCE_OPTIONS_H_
#define SLUICE_PLUGINS_BADGER_SOURCE_OPTIONS_H_

// Which database, and how it is read and restored; see source.h.

#include <cstdint>
#include <string>

#include "absl/types/optional.h"
#include "sluice/plugins/badger/restore/table_writer.h"

namespace sluice {
namespace badger {

struct SourceOptions {
  std::string folder;
  std::string value_folder;  // empty: `folder`
  std::string master_key;    // 16, 24 or 32 bytes; empty: not encrypted
  std::string scratch;       // where copies go; not used offline
  bool offline = false;
  int jobs = 1;  // threads that copy and prove a live database
  // Payload ids are collected from the values of keys that begin with this,
  // out of this field of theirs. Field empty: none are.
  std::string payload_id_prefix;
  std::string payload_id_field;
  std::string store_id;  // empty: the database's own
  // Restore although what results is not what the backup says was there.
  bool accept_mismatch = false;
  // What a restore writes; where it is not said: as the archive's store had
  // it, or for Badger 4 with its defaults.
  absl::optional<DiskFormat> restore_format;
  absl::optional<uint16_t> external_magic;
  uint32_t levels = 0;  // the application's MaxLevels; 0: not said
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_SOURCE_OPTIONS_H_
