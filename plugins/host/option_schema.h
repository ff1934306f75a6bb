#ifndef SLUICE_PLUGINS_HOST_OPTION_SCHEMA_H_
#define SLUICE_PLUGINS_HOST_OPTION_SCHEMA_H_

// What a factory accepts, and the check of a URI against it before the factory
// is called.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(const Uri uri, ParseUri("orders:/srv?keys=7"));
//   SLUICE_ASSIGN_OR_RETURN(
//       const std::vector<ResolvedOption> options,
//       ResolveOptions(uri, ReadOptionSpecs(kOrders), kSourceConfigInvalid));
//
// Any thread; values in and out, which borrow nothing. To resolve a secret may
// block for a file or a command (secret.h); the rest is pure.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/plugins/host/uri.h"

namespace sluice {

struct OptionSpec {
  std::string name;
  uint32_t type = SLUICE_OPTION_STRING;
  bool required = false;
  bool secret = false;
  std::string fallback;  // shown as the default; empty: none
  std::string help;
};

// What `factory` lists. Its table must have been checked.
std::vector<OptionSpec> ReadOptionSpecs(const sluice_factory& factory);

struct ResolvedOption {
  std::string key;
  std::string value;
  bool secret = false;
};

// The options of `uri`, secrets resolved. INVALID_ARGUMENT with `word` where
// one is unknown (with a hint that names the nearest), missing, or of the wrong
// form. No message shows a value of a secret option.
absl::StatusOr<std::vector<ResolvedOption>> ResolveOptions(
    const Uri& uri, const std::vector<OptionSpec>& specs,
    absl::string_view word);

// `uri` with each option of kind path as AbsolutePath has it: so it is hashed,
// stored and shown, and means the same from every folder. A secret stays the
// reference that it is. INVALID_ARGUMENT with `word` for a path that is none.
absl::StatusOr<Uri> WithAbsolutePaths(Uri uri,
                                      const std::vector<OptionSpec>& specs,
                                      absl::string_view word);

// What a store without an id of its own is known by: the URI, of
// WithAbsolutePaths, in whatever order its options were typed. Without secrets:
// a new password is no new store.
std::string IdentityOf(const Uri& uri, const std::vector<OptionSpec>& specs);

}  // namespace sluice

#endif  // SLUICE_PLUGINS_HOST_OPTION_SCHEMA_H_
