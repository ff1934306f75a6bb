#include "sluice/plugins/badger/image/store_id.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sluice/base/error.h"
#include "sluice/base/staged_files.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/store_id.h"
#include "sluice/plugins/badger/sort/restore_file.h"

namespace sluice {
namespace badger {
namespace {

constexpr char kUnfinishedFile[] = ".sluice-store-id.new";
// The IV that KEYREGISTRY begins with.
constexpr size_t kRandomBytes = 16;

absl::Status Unwritable(int error) {
  return WithHint(
      MakeError(absl::StatusCode::kFailedPrecondition, kSourceConfigInvalid,
                absl::StrCat("write ", kStoreIdFile,
                             " into the database: ", strerror(error))),
      "a database that cannot be written into is named with store_id=");
}

int WriteNew(FileSystem& folder, const std::string& bytes) {
  folder.Unlink(kUnfinishedFile);
  auto file = folder.Open(kUnfinishedFile, O_WRONLY | O_CREAT | O_EXCL, 0644);
  if (!file.ok()) return file.error;
  // Where it cannot be given away, all can read it.
  const auto owner = FileOwner::Of(folder);
  if (owner.ok()) owner->Give(*file.value, kUnfinishedFile).IgnoreError();
  const auto written = file.value->Write(bytes);
  if (!written.ok()) return written.error;
  if (written.value != bytes.size()) return ENOSPC;
  if (const int error = file.value->Sync(); error != 0) return error;
  if (const int error = file.value->Close(); error != 0) return error;
  const int error = folder.Rename(kUnfinishedFile, kStoreIdFile);
  return error != 0 ? error : folder.SyncDirectory(".");
}

}  // namespace

absl::StatusOr<std::string> ReadIncarnation(FileSystem& folder) {
  const auto bytes = ReadWholeFile(folder, "KEYREGISTRY");
  if (absl::IsNotFound(bytes.status())) return std::string();
  SLUICE_RETURN_IF_ERROR(bytes.status());
  if (bytes->size() < kRandomBytes) return std::string();
  return absl::BytesToHexString(bytes->substr(0, kRandomBytes));
}

absl::StatusOr<std::string> ReadStoreId(FileSystem& folder) {
  const auto bytes = ReadWholeFile(folder, kStoreIdFile);
  if (absl::IsNotFound(bytes.status())) {
    SLUICE_ASSIGN_OR_RETURN(const std::string incarnation,
                            ReadIncarnation(folder));
    return incarnation.empty() ? "" : absl::StrCat("badger-", incarnation);
  }
  SLUICE_RETURN_IF_ERROR(bytes.status());
  absl::string_view id = *bytes;
  absl::ConsumeSuffix(&id, "\n");
  if (!IsStoreId(id)) {
    return WithHint(
        MakeError(absl::StatusCode::kFailedPrecondition, kSourceConfigInvalid,
                  absl::StrCat(kStoreIdFile, ": it holds no store id")),
        "remove it, or name the database with store_id=");
  }
  return std::string(id);
}

absl::Status KeepStoreId(FileSystem& folder, const std::string& id) {
  const auto there = folder.Stat(kStoreIdFile);
  if (there.ok()) return absl::OkStatus();
  if (there.error != ENOENT) return Unwritable(there.error);
  const int error = WriteNew(folder, StoreIdContents(id));
  if (error == 0) return absl::OkStatus();
  folder.Unlink(kUnfinishedFile);
  return Unwritable(error);
}

}  // namespace badger
}  // namespace sluice
