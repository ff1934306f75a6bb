#ifndef SLUICE_PLUGINS_SDK_OPTIONS_H_
#define SLUICE_PLUGINS_SDK_OPTIONS_H_

// What a factory is given: the URI taken apart, secrets resolved.
//
// memory:/data?keys=10&store_id=a gives path=/data, keys=10, store_id=a;
// s3://bucket/prefix gives authority=bucket, path=/prefix. The host has already
// refused what the factory's schema does not list, so a getter fails only on a
// value of the wrong form.
//
// Example:
//
//   const std::string folder = options.Get("path");
//   SLUICE_ASSIGN_OR_RETURN(const uint64_t keys,
//                           options.GetInteger("keys", 0));
//
// A value: it holds copies. Thread-safe once it is built. A look-up is one in a
// map.

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/plugins/abi/sluice_plugin.h"

namespace sluice::sdk {

class Options {
 public:
  bool Has(absl::string_view key) const;
  // The bytes as given, `fallback` where the option is absent.
  std::string Get(absl::string_view key, absl::string_view fallback = "") const;
  // INVALID_ARGUMENT that names the option, never a secret's value.
  absl::StatusOr<uint64_t> GetInteger(absl::string_view key,
                                      uint64_t fallback) const;
  // "1", "true", "yes", "on" and their opposites.
  absl::StatusOr<bool> GetBoolean(absl::string_view key, bool fallback) const;
  // As absl::ParseDuration: "30s", "1h30m".
  absl::StatusOr<absl::Duration> GetDuration(absl::string_view key,
                                             absl::Duration fallback) const;

  void Set(absl::string_view key, absl::string_view value);
  static Options FromTable(const sluice_option* options, uint64_t count);

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace sluice::sdk

#endif  // SLUICE_PLUGINS_SDK_OPTIONS_H_
