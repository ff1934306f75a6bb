#ifndef SLUICE_PLUGINS_MEMORY_PAYLOAD_PAYLOAD_READING_H_
#define SLUICE_PLUGINS_MEMORY_PAYLOAD_PAYLOAD_READING_H_

#include "absl/status/status.h"
#include "sluice/plugins/memory/payload/payload_parser.h"
#include "sluice/plugins/sdk/run.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice {
namespace memory_internal {

// Reads the chain of `request` and shows `visitor` what its last payload holds:
// each payload of a memory store is a full one, so the last is the state. OK
// only where every payload gave its end and the last is well-formed: then, and
// only then, the caller makes visible what it staged. Blocks for as long as the
// payloads take.
absl::Status ReadPayloads(const sdk::Run& run, sdk::RestoreRequest& request,
                          PayloadVisitor& visitor);

}  // namespace memory_internal
}  // namespace sluice

#endif  // SLUICE_PLUGINS_MEMORY_PAYLOAD_PAYLOAD_READING_H_
