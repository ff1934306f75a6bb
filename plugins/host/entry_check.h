#ifndef SLUICE_PLUGINS_HOST_ENTRY_CHECK_H_
#define SLUICE_PLUGINS_HOST_ENTRY_CHECK_H_

// What is checked of a plugin's tables before any function in them is called.
// One function a step; each has one error (plugin_unusable) and one plugin in
// tests/plugin_zoo that triggers it. Pure functions.

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/abi/sluice_plugin.h"

namespace sluice {

// FAILED_PRECONDITION with the word plugin_unusable and a hint.
absl::Status PluginUnusable(absl::string_view message, absl::string_view hint);

// "source" or "place"; empty for a role that this program does not know.
absl::string_view RoleName(uint32_t role);
// SLUICE_ROLE_..., or 0.
uint32_t RoleOf(absl::string_view name);

// ---- the entry, in this order
absl::Status CheckMajor(const sluice_plugin_entry& entry);
absl::Status CheckEntrySize(const sluice_plugin_entry& entry);
absl::Status CheckFactoryList(const sluice_plugin_entry& entry);

// ---- one factory, in this order
absl::Status CheckFactorySize(const sluice_factory& factory);
absl::Status CheckKind(const sluice_factory& factory);
absl::Status CheckCreate(const sluice_factory& factory);
absl::Status CheckOptionTable(const sluice_factory& factory);

// All of the above. The factories with a role that this program knows; at least
// one, each role and kind once.
absl::StatusOr<std::vector<const sluice_factory*>> CheckEntry(
    const sluice_plugin_entry& entry);

// ---- what create() and begin() and open() gave
absl::Status CheckSource(const sluice_source* source);
absl::Status CheckPlace(const sluice_place* place);
absl::Status CheckWriter(const sluice_writer* writer);
absl::Status CheckReader(const sluice_reader* reader);

// Bytes that may be memory: the pointer is not null unless the size is 0, and
// the size is one that an address space holds (64 TiB).
bool IsBytes(sluice_bytes bytes);

}  // namespace sluice

#endif  // SLUICE_PLUGINS_HOST_ENTRY_CHECK_H_
