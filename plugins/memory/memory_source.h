#ifndef SLUICE_PLUGINS_MEMORY_MEMORY_SOURCE_H_
#define SLUICE_PLUGINS_MEMORY_MEMORY_SOURCE_H_

// A MemoryStore as something that can be backed up and restored into.
//
// Example:
//
//   std::unique_ptr<sdk::Source> source = MakeMemorySource(store);
//
// Backup streams the store as it was when the call began: writers go on, the
// snapshot is held until the call ends. Restore stages a store of its own and
// lets `store` adopt it at once, after the last byte was right; it fails with
// restore_precondition_failed where `store` is not empty, before it reads and
// again when it adopts. Other errors are the sink's and the payload's. Memory:
// nothing but the snapshot's nodes; at restore, the restored store. Threads as
// sdk::Source. The source and the service share the store.

#include <memory>

#include "sluice/plugins/memory/store/memory_store.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice {

// `store` must not be null; the service goes on using it.
std::unique_ptr<sdk::Source> MakeMemorySource(
    std::shared_ptr<MemoryStore> store);

}  // namespace sluice

#endif  // SLUICE_PLUGINS_MEMORY_MEMORY_SOURCE_H_
