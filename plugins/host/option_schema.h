#ifndef SLUICE_PLUGINS_HOST_OPTION_SCHEMA_H_
#define SLUICE_PLUGINS_HOST_OPTION_SCHEMA_H_

// What a factory accepts, and the check of a URI against it before the factory
// is called.

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

}  // namespace sluice

#endif  // SLUICE_PLUGINS_HOST_OPTION_SCHEMA_H_
