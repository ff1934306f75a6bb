#ifndef SLUICE_PLUGINS_BADGER_FORMAT_KEY_REGISTRY_H_
#define SLUICE_PLUGINS_BADGER_FORMAT_KEY_REGISTRY_H_

// KEYREGISTRY: the data keys of a Badger directory, under its master key. See
// docs/format/badger.md.

#include <cstdint>
#include <map>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/badger/wire/aes_key.h"

namespace sluice {
namespace badger {

// The data keys by their number. Immutable after Parse, so any thread.
class KeyRegistry {
 public:
  // Of a directory without the file: it has no keys.
  KeyRegistry() = default;

  // `file`: the whole of KEYREGISTRY. `master_key`: empty where the directory
  // is not encrypted. Errors: source_wrong_key for a key that is not the
  // directory's, source_failed for damage, a half-written end too.
  static absl::StatusOr<KeyRegistry> Parse(absl::string_view file,
                                           absl::string_view master_key);

  // Null for number 0, which says "not encrypted". Lives as long as this.
  absl::StatusOr<const AesKey*> Find(uint64_t number) const;

  const std::map<uint64_t, AesKey>& keys() const { return keys_; }

 private:
  absl::Status AddRecord(absl::string_view body, const AesKey* master);

  std::map<uint64_t, AesKey> keys_;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_FORMAT_KEY_REGISTRY_H_
