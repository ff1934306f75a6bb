#include "sluice/plugins/badger/format/key_registry.h"

#include <openssl/mem.h>

#include <string>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/wire/byte_cursor.h"
#include "sluice/plugins/badger/wire/crc32c.h"
#include "sluice/plugins/badger/wire/image_error.h"
#include "sluice/plugins/badger/wire/pb_wire.h"

namespace sluice {
namespace badger {
namespace {

constexpr absl::string_view kRegistryName = "KEYREGISTRY";
constexpr absl::string_view kSanityText = "Hello Badger";

absl::Status WrongKey(bool encrypted_text_is_plain, bool has_key) {
  if (!has_key) {
    return WithHint(
        MakeError(absl::StatusCode::kPermissionDenied, kSourceWrongKey,
                  absl::StrCat(kRegistryName,
                               ": the directory is encrypted and no key was "
                               "given, or this file is damaged")),
        "name the directory's key with key=file:F");
  }
  if (encrypted_text_is_plain) {
    return WithHint(
        MakeError(absl::StatusCode::kPermissionDenied, kSourceWrongKey,
                  absl::StrCat(kRegistryName,
                               ": the directory is not encrypted, but a key "
                               "was given")),
        "leave out key=");
  }
  return WithHint(
      MakeError(absl::StatusCode::kPermissionDenied, kSourceWrongKey,
                absl::StrCat(kRegistryName,
                             ": the key is not the directory's, or this file "
                             "is damaged")),
      "key=file:F names the key that the application opens it with, 16, 24 or "
      "32 raw bytes");
}

// The text that shows whether the key is the right one.
absl::Status CheckSanity(absl::string_view iv, absl::string_view stored,
                         const AesKey* master) {
  std::string text(stored);
  if (master != nullptr) master->Apply(iv, absl::MakeSpan(text));
  if (text == kSanityText) return absl::OkStatus();
  return WrongKey(stored == kSanityText, master != nullptr);
}

}  // namespace

absl::StatusOr<KeyRegistry> KeyRegistry::Parse(absl::string_view file,
                                               absl::string_view master_key) {
  absl::optional<AesKey> master;
  if (!master_key.empty()) {
    SLUICE_ASSIGN_OR_RETURN(master, AesKey::Create(master_key));
  }
  const AesKey* key = master.has_value() ? &*master : nullptr;
  ByteCursor cursor(file);
  absl::string_view iv;
  absl::string_view sanity;
  if (!cursor.Bytes(kIvBytes, iv) ||
      !cursor.Bytes(kSanityText.size(), sanity)) {
    return Damaged(kRegistryName, "too short for its header");
  }
  SLUICE_RETURN_IF_ERROR(CheckSanity(iv, sanity, key));
  KeyRegistry registry;
  while (!cursor.empty()) {
    uint32_t length = 0;
    uint32_t crc = 0;
    absl::string_view body;
    if (!cursor.BigEndian32(length) || !cursor.BigEndian32(crc) ||
        !cursor.Bytes(length, body)) {
      return Damaged(kRegistryName, "truncated data key");
    }
    if (Crc32c(body) != crc) {
      return Damaged(kRegistryName, "a data key: checksum mismatch");
    }
    SLUICE_RETURN_IF_ERROR(registry.AddRecord(body, key));
  }
  return registry;
}

absl::Status KeyRegistry::AddRecord(absl::string_view body,
                                    const AesKey* master) {
  uint64_t number = 0;
  std::string data;
  const auto wipe =
      absl::MakeCleanup([&data] { OPENSSL_cleanse(data.data(), data.size()); });
  absl::string_view iv;
  PbReader reader(body);
  PbField field;
  while (reader.Next(field)) {
    if (field.IsVarint(1)) number = field.value;
    if (field.IsBytes(2)) data.assign(field.bytes.data(), field.bytes.size());
    if (field.IsBytes(3)) iv = field.bytes;
  }
  if (!reader.ok() || number == 0 || iv.size() != kIvBytes) {
    return Damaged(kRegistryName, "a malformed data key");
  }
  if (master == nullptr) {
    return Damaged(kRegistryName, "a data key in a directory without a key");
  }
  master->Apply(iv, absl::MakeSpan(data));
  auto key = AesKey::Create(data);
  if (!key.ok()) return Damaged(kRegistryName, key.status().message());
  if (!keys_.emplace(number, *std::move(key)).second) {
    return Damaged(kRegistryName, absl::StrCat("data key ", number, " twice"));
  }
  return absl::OkStatus();
}

absl::StatusOr<const AesKey*> KeyRegistry::Find(uint64_t number) const {
  if (number == 0) return nullptr;
  const auto found = keys_.find(number);
  if (found != keys_.end()) return &found->second;
  return Damaged(kRegistryName, absl::StrCat("no data key ", number));
}

}  // namespace badger
}  // namespace sluice
