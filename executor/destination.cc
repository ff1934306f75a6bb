#include "sluice/executor/destination.h"

#include "absl/strings/str_cat.h"
#include "sluice/base/status_macros.h"

namespace sluice {

absl::Status Destination::ForEachPayloadId(
    const Context& context, absl::string_view backup_id,
    const std::function<absl::Status(absl::string_view)>& callback) {
  SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<PayloadReader> reader,
                          GetBackup(context, backup_id));
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(absl::string_view bytes, reader->Next());
    if (bytes.empty()) return reader->ForEachPayloadId(callback);
    reader->Release();
  }
}

absl::StatusOr<std::unique_ptr<PayloadReader>> Destination::GetIndex(
    const Context& context, const Manifest& manifest) {
  return absl::NotFoundError(
      absl::StrCat("archive ", manifest.backup_id(), " has no index"));
}

}  // namespace sluice
