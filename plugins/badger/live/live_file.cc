#include "sluice/plugins/badger/live/live_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/format/log_record.h"
#include "sluice/plugins/badger/image/log_file.h"
#include "sluice/plugins/badger/wire/image_error.h"
#include "sluice/plugins/badger/wire/random_file.h"

namespace sluice {
namespace badger {
namespace {

// So much is read between two looks at the run.
constexpr size_t kPieceBytes = size_t{1} << 20;
// So much where the kernel copies.
constexpr size_t kKernelPieceBytes = size_t{32} << 20;
constexpr uint64_t kMaxSmallBytes = uint64_t{64} << 20;
// Places in tables and in logs have 32 bits.
constexpr uint64_t kMaxCopiedBytes = uint64_t{1} << 32;

absl::Status SourceError(absl::string_view operation, const std::string& name,
                         int error) {
  if (error == ENOENT) return Changed(name, "it went away");
  return SourceIoError(operation, name, error);
}

absl::Status ScratchError(const std::string& name, int error) {
  return ScratchIoError("write scratch file", name, error);
}

// The copy of one file, written from its begin on.
class Copy {
 public:
  static absl::StatusOr<Copy> Create(FileSystem& to, const std::string& name) {
    auto file = to.Open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (!file.ok()) return ScratchError(name, file.error);
    return Copy(std::move(file.value), name);
  }

  absl::Status Append(absl::string_view bytes) {
    const int error = WriteAll(*file_, bytes);
    return error == 0 ? absl::OkStatus() : ScratchError(name_, error);
  }
  // The first `bytes` bytes of `from`, or as many of them as the kernel brings
  // over by itself. Where the two are on one file system that can, it shares
  // their blocks, and that costs next to nothing.
  absl::StatusOr<uint64_t> TakeWithinKernel(const File& from, uint64_t bytes) {
    off64_t at = 0;
    off64_t to = 0;
    while (static_cast<uint64_t>(to) < bytes) {
      const int source = from.NativeDescriptor();
      const int target = file_->NativeDescriptor();
      if (source < 0 || target < 0) break;
      const ssize_t count =
          copy_file_range(source, &at, target, &to,
                          std::min<uint64_t>(bytes - static_cast<uint64_t>(to),
                                             kKernelPieceBytes),
                          0);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && (errno == ENOSPC || errno == EDQUOT)) {
        return ScratchError(name_, errno);
      }
      if (count <= 0) break;  // not between these two; reading says why
    }
    if (const int error = file_->Seek(static_cast<uint64_t>(to)); error != 0) {
      return ScratchError(name_, error);
    }
    return static_cast<uint64_t>(to);
  }

  absl::Status Close() {
    const int error = file_->Close();
    return error == 0 ? absl::OkStatus() : ScratchError(name_, error);
  }

 private:
  Copy(std::unique_ptr<File> file, std::string name)
      : file_(std::move(file)), name_(std::move(name)) {}

  std::unique_ptr<File> file_;
  std::string name_;
};

// From byte `at` on, which becomes where it ended.
absl::Status CopyBytes(File& from, const std::string& name, uint64_t end,
                       uint64_t& at, Copy& copy) {
  std::string piece;
  while (at < end) {
    piece.resize(std::min<uint64_t>(end - at, kPieceBytes));
    const auto count = from.ReadAt(at, absl::MakeSpan(piece));
    if (!count.ok()) return SourceError("read", name, count.error);
    if (count.value == 0) break;
    SLUICE_RETURN_IF_ERROR(
        copy.Append(absl::string_view(piece).substr(0, count.value)));
    at += count.value;
  }
  return absl::OkStatus();
}

absl::StatusOr<FileIdentity> IdentityOf(File& file, const std::string& name) {
  const auto info = file.Stat();
  if (!info.ok()) return SourceError("stat", name, info.error);
  if (info.value.type != FileInfo::Type::kRegular) {
    return SourceError("open", name, EINVAL);
  }
  return FileIdentity::Of(info.value);
}

// An error of reading, unless it came of the file's being cut or replaced.
absl::Status UnlessChanged(FileSystem& from, const std::string& name,
                           const FileIdentity& before, absl::Status status) {
  SLUICE_ASSIGN_OR_RETURN(const FileIdentity now, Identify(from, name));
  if (!now.IsSameFile(before) || now.size < before.size) {
    return Changed(name, "it was replaced");
  }
  return status;
}

// Only where the records end is of interest here.
class NoVisitor final : public LogVisitor {
 public:
  absl::Status OnRecord(const ScannedRecord& record) override {
    return absl::OkStatus();
  }
  void Commit() override {}
  void Drop() override {}
};

absl::Status CopyPrefix(LogFile& log, uint64_t bytes, FileSystem& to) {
  SLUICE_ASSIGN_OR_RETURN(Copy copy, Copy::Create(to, log.name()));
  std::string piece;
  for (uint64_t at = 0; at < bytes; at += piece.size()) {
    SLUICE_RETURN_IF_ERROR(log.file().Read(
        at, std::min<uint64_t>(bytes - at, kPieceBytes), piece));
    SLUICE_RETURN_IF_ERROR(copy.Append(piece));
  }
  return copy.Close();
}

// The first `clip` bytes of a log.
struct ClippedLog {
  std::unique_ptr<LogFile> log;
  uint64_t file_bytes = 0;
};

absl::StatusOr<ClippedLog> OpenClipped(FileSystem& from,
                                       const std::string& name,
                                       const KeyRegistry& keys, uint64_t clip) {
  auto file = from.Open(name, O_RDONLY | O_NONBLOCK, 0);
  if (!file.ok()) return SourceError("open", name, file.error);
  SLUICE_ASSIGN_OR_RETURN(const FileIdentity identity,
                          IdentityOf(*file.value, name));
  ClippedLog clipped;
  clipped.file_bytes = identity.size;
  SLUICE_ASSIGN_OR_RETURN(clipped.log,
                          LogFile::Create(std::make_unique<RandomFile>(
                                              std::move(file.value), name,
                                              std::min(clip, identity.size)),
                                          keys));
  return clipped;
}

// How much of the log must be seen to tell whether `end` is its end; no more
// than was seen where it is.
absl::StatusOr<uint64_t> BytesToSee(const ClippedLog& clipped,
                                    const LogEnd& end) {
  const uint64_t seen = clipped.log->size();
  const uint64_t left = seen - std::min(seen, end.record_end);
  if (seen == clipped.file_bytes) return seen;
  if (left < kMaxRecordHeaderBytes) return 2 * seen;
  SLUICE_ASSIGN_OR_RETURN(
      const absl::string_view front,
      clipped.log->file().View(end.record_end, kMaxRecordHeaderBytes));
  RecordHeader header;
  if (!ParseRecordHeader(front, header) || header.key_size == 0) return seen;
  const uint64_t record_end = end.record_end + header.record_size();
  const bool is_cut_by_us =
      record_end > seen && record_end <= clipped.file_bytes;
  return is_cut_by_us ? std::max(2 * seen, record_end) : seen;
}

struct FoundEnd {
  ClippedLog clipped;
  LogEnd end;
};

absl::StatusOr<FoundEnd> FindEnd(FileSystem& from, const std::string& name,
                                 const KeyRegistry& keys, uint64_t start) {
  uint64_t clip = start + kPieceBytes;
  while (true) {
    FoundEnd found;
    SLUICE_ASSIGN_OR_RETURN(found.clipped, OpenClipped(from, name, keys, clip));
    NoVisitor visitor;
    SLUICE_ASSIGN_OR_RETURN(found.end,
                            ScanLog(*found.clipped.log, start, visitor));
    SLUICE_ASSIGN_OR_RETURN(const uint64_t needed,
                            BytesToSee(found.clipped, found.end));
    if (needed <= found.clipped.log->size()) return found;
    clip = needed;
    start = std::max(start, found.end.valid_end);
  }
}

// Whether the log begins as it did: a new one under the same name and inode has
// another random header.
absl::Status CheckHeader(FileSystem& from, const std::string& name,
                         const std::string& header) {
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<RandomFile> file,
                          RandomFile::Open(from, name));
  std::string now;
  SLUICE_RETURN_IF_ERROR(file->Read(0, header.size(), now));
  return now == header ? absl::OkStatus() : Changed(name, "it was replaced");
}

absl::StatusOr<LogEnd> CopyOpenLog(FileSystem& from, const std::string& name,
                                   const KeyRegistry& keys, FileSystem& to) {
  SLUICE_ASSIGN_OR_RETURN(FoundEnd found,
                          FindEnd(from, name, keys, kLogHeaderBytes));
  LogFile& log = *found.clipped.log;
  std::string header;
  SLUICE_RETURN_IF_ERROR(log.file().Read(
      0, std::min<uint64_t>(log.size(), kLogHeaderBytes), header));
  if (found.end.valid_end > kLogHeaderBytes) {
    SLUICE_RETURN_IF_ERROR(CopyPrefix(log, found.end.valid_end, to));
  }
  SLUICE_RETURN_IF_ERROR(CheckHeader(from, name, header));
  return found.end;
}

}  // namespace

absl::Status Changed(absl::string_view name, absl::string_view what) {
  return MakeError(absl::StatusCode::kAborted, kSourceFailed,
                   absl::StrCat(name, ": ", what, " while it was copied"));
}

absl::StatusOr<FileIdentity> Identify(FileSystem& folder,
                                      const std::string& name) {
  const auto info = folder.Stat(name);
  if (!info.ok()) return SourceError("stat", name, info.error);
  if (info.value.size == 0) return Changed(name, "it was emptied");
  return FileIdentity::Of(info.value);
}

absl::StatusOr<std::string> ReadFront(FileSystem& folder,
                                      const std::string& name, size_t count) {
  auto file = folder.Open(name, O_RDONLY | O_NONBLOCK, 0);
  if (!file.ok()) return SourceError("open", name, file.error);
  std::string bytes(count, '\0');
  const IoResult<size_t> got =
      ReadUpToAt(*file.value, 0, absl::MakeSpan(bytes));
  if (!got.ok()) return SourceError("read", name, got.error);
  bytes.resize(got.value);
  if (bytes.empty()) return Changed(name, "it was emptied");
  return bytes;
}

absl::Status CopyWhole(FileSystem& from, const std::string& name,
                       FileSystem& to, FileIdentity& identity) {
  auto file = from.Open(name, O_RDONLY | O_NONBLOCK, 0);
  if (!file.ok()) return SourceError("open", name, file.error);
  SLUICE_ASSIGN_OR_RETURN(identity, IdentityOf(*file.value, name));
  if (identity.size == 0) return Changed(name, "it was emptied");
  // Holes cost nothing there, and all of that here.
  if (identity.size > kMaxCopiedBytes) {
    return Damaged(name, absl::StrCat(identity.size, " bytes long"));
  }
  SLUICE_ASSIGN_OR_RETURN(Copy copy, Copy::Create(to, name));
  SLUICE_ASSIGN_OR_RETURN(uint64_t at,
                          copy.TakeWithinKernel(*file.value, identity.size));
  SLUICE_RETURN_IF_ERROR(CopyBytes(*file.value, name, identity.size, at, copy));
  SLUICE_RETURN_IF_ERROR(copy.Close());
  SLUICE_ASSIGN_OR_RETURN(const FileIdentity after,
                          IdentityOf(*file.value, name));
  if (at != identity.size || after.size != identity.size) {
    return Changed(name, "its length changed");
  }
  return absl::OkStatus();
}

absl::StatusOr<LogEnd> CopyLog(FileSystem& from, const std::string& name,
                               const KeyRegistry& keys, FileSystem& to) {
  SLUICE_ASSIGN_OR_RETURN(const FileIdentity before, Identify(from, name));
  const auto end = CopyOpenLog(from, name, keys, to);
  if (!end.ok()) {
    return UnlessChanged(from, name, before, end.status());
  }
  // It may have been cut just behind the last byte read.
  SLUICE_ASSIGN_OR_RETURN(const FileIdentity after, Identify(from, name));
  if (!after.IsSameFile(before) || after.size < end->valid_end) {
    return Changed(name, "it was replaced");
  }
  return end;
}

absl::StatusOr<LogEnd> FindLogEnd(FileSystem& from, const std::string& name,
                                  const KeyRegistry& keys, uint64_t start) {
  SLUICE_ASSIGN_OR_RETURN(const FoundEnd found,
                          FindEnd(from, name, keys, start));
  return found.end;
}

absl::StatusOr<LogEnd> FindLogEnd(std::unique_ptr<RandomFile> log,
                                  const KeyRegistry& keys, uint64_t start) {
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<LogFile> opened,
                          LogFile::Create(std::move(log), keys));
  NoVisitor visitor;
  return ScanLog(*opened, start, visitor);
}

absl::StatusOr<std::string> ReadSmall(FileSystem& from, const std::string& name,
                                      FileIdentity& identity) {
  auto file = from.Open(name, O_RDONLY | O_NONBLOCK, 0);
  if (file.error == ENOENT) {
    return MakeError(absl::StatusCode::kNotFound, kSourceUnavailable,
                     absl::StrCat(name, " is missing"));
  }
  if (!file.ok()) return SourceError("open", name, file.error);
  SLUICE_ASSIGN_OR_RETURN(identity, IdentityOf(*file.value, name));
  std::string bytes;
  std::string piece(kPieceBytes, '\0');
  while (bytes.size() <= kMaxSmallBytes) {
    const auto count = file.value->Read(absl::MakeSpan(piece));
    if (!count.ok()) return SourceError("read", name, count.error);
    if (count.value == 0) return bytes;
    bytes.append(piece, 0, count.value);
  }
  return MakeError(
      absl::StatusCode::kDataLoss, kSourceFailed,
      absl::StrCat(name, ": longer than ", kMaxSmallBytes, " bytes"));
}

absl::Status WriteSmall(FileSystem& to, const std::string& name,
                        absl::string_view bytes) {
  SLUICE_ASSIGN_OR_RETURN(Copy copy, Copy::Create(to, name));
  SLUICE_RETURN_IF_ERROR(copy.Append(bytes));
  return copy.Close();
}

}  // namespace badger
}  // namespace sluice
