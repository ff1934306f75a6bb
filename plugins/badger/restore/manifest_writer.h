#ifndef SLUICE_PLUGINS_BADGER_RESTORE_MANIFEST_WRITER_H_
#define SLUICE_PLUGINS_BADGER_RESTORE_MANIFEST_WRITER_H_

// The MANIFEST of a directory that is written at once: its header and one
// record that creates all tables. See docs/format/badger.md. Pure, any thread.

#include <cstdint>
#include <string>

#include "absl/types/span.h"
#include "sluice/plugins/badger/format/manifest.h"

namespace sluice {
namespace badger {

// `version`: 7 or 8. `external_magic`: an application that sets one opens no
// directory with another; 0 where it sets none.
std::string BuildManifest(uint16_t version, uint16_t external_magic,
                          absl::Span<const ManifestTable> tables);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_RESTORE_MANIFEST_WRITER_H_
