#include "sluice/plugins/badger/stream/backup_spool.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/staged_files.h"
#include "sluice/base/status_macros.h"

namespace sluice {
namespace badger {
namespace {

constexpr size_t kPieceBytes = size_t{256} << 10;

// restore_file.h tells of the target of a restore, which this is not.
absl::Status OfScratch(const absl::Status& status) {
  if (status.ok()) return status;
  return MakeError(status.code(), kScratchUnavailable, status.message());
}

}  // namespace

BackupSpool::BackupSpool(FileSystem& folder, const std::string& name,
                         std::unique_ptr<OutputFile> file)
    : folder_(folder),
      name_(name),
      file_(std::move(file)),
      written_(XXH3_createState()) {
  XXH3_64bits_reset(written_.get());
}

absl::StatusOr<std::unique_ptr<BackupSpool>> BackupSpool::Create(
    FileSystem& folder, const std::string& name) {
  SLUICE_RETURN_IF_ERROR(OfScratch(RemoveTree(folder, name)));
  auto file = OutputFile::Create(folder, name);
  if (!file.ok()) return OfScratch(file.status());
  return std::unique_ptr<BackupSpool>(
      new BackupSpool(folder, name, *std::move(file)));
}

absl::Status BackupSpool::Append(absl::string_view bytes) {
  XXH3_64bits_update(written_.get(), bytes.data(), bytes.size());
  return OfScratch(file_->Append(bytes));
}

std::function<absl::Status(absl::string_view)> BackupSpool::AsOutput() {
  return [this](absl::string_view bytes) { return Append(bytes); };
}

absl::Status BackupSpool::CopyTo(
    absl::FunctionRef<absl::Status(absl::string_view)> output) {
  SLUICE_RETURN_IF_ERROR(OfScratch(file_->Flush()));
  auto file = InputFile::Open(folder_, name_);
  if (!file.ok()) return OfScratch(file.status());
  const State read(XXH3_createState());
  XXH3_64bits_reset(read.get());
  std::string bytes;
  while (true) {
    SLUICE_RETURN_IF_ERROR(OfScratch((*file)->Read(kPieceBytes, bytes)));
    if (bytes.empty()) break;
    XXH3_64bits_update(read.get(), bytes.data(), bytes.size());
    SLUICE_RETURN_IF_ERROR(output(bytes));
  }
  if (XXH3_64bits_digest(read.get()) == XXH3_64bits_digest(written_.get())) {
    return absl::OkStatus();
  }
  return MakeError(
      absl::StatusCode::kDataLoss, kScratchUnavailable,
      absl::StrCat("read scratch file ", name_, ": checksum mismatch"));
}

}  // namespace badger
}  // namespace sluice
