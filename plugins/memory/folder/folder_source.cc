#include "sluice/plugins/memory/folder/folder_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/memory/folder/folder_walk.h"
#include "sluice/plugins/memory/payload/payload_writer.h"

namespace sluice {
namespace {

using memory_internal::FolderWalk;
using memory_internal::PayloadWriter;
using memory_internal::ShowPath;

constexpr uint64_t kMaxWarningsOfAWord = 1000;
// A folder of more entries is not measured before it is read.
constexpr uint64_t kMaxEntriesToEstimate = 100000;

std::string Contents(FileSystem& file_system, const std::string& path) {
  auto file = file_system.Open(path, O_RDONLY, 0);
  if (!file.ok()) return "";
  char buffer[256];
  const auto count = file.value->Read(absl::MakeSpan(buffer));
  return count.ok() ? std::string(buffer, count.value) : "";
}

std::string DeriveStoreId(FileSystem& file_system, const std::string& folder) {
  char* const resolved = realpath(folder.c_str(), nullptr);
  const std::string canonical = resolved != nullptr ? resolved : folder;
  free(resolved);
  const std::string identity =
      absl::StrCat(Contents(file_system, "/etc/machine-id"),
                   absl::string_view("\0", 1), canonical);
  return absl::StrFormat("folder-%016x",
                         XXH3_64bits(identity.data(), identity.size()));
}

// Lists what was left out: each by name, up to a limit a word, then how many
// more there were.
class Warnings {
 public:
  explicit Warnings(sdk::Sink& sink) : sink_(sink) {}

  void Add(absl::string_view word, absl::string_view path,
           absl::string_view what) {
    if (++counts_[std::string(word)] > kMaxWarningsOfAWord) return;
    sink_.AddWarning(word, absl::StrCat(ShowPath(path), ": ", what));
  }
  void Finish() {
    for (const auto& [word, count] : counts_) {
      if (count <= kMaxWarningsOfAWord) continue;
      sink_.AddWarning(word, absl::StrCat("and ", count - kMaxWarningsOfAWord,
                                          " more that are not listed"));
    }
  }

 private:
  sdk::Sink& sink_;
  std::map<std::string, uint64_t> counts_;
};

absl::Status ReadFailed(absl::string_view path, int error) {
  return MakeError(
      absl::StatusCode::kUnavailable, kSourceFailed,
      absl::StrCat("read file ", ShowPath(path), ": ", std::strerror(error)));
}

// Streams the files of one walk.
class Reading {
 public:
  Reading(const sdk::Run& run, sdk::Sink& sink)
      : run_(run), warnings_(sink), writer_(sink) {}

  absl::Status ReadAll(FolderWalk& walk) {
    while (true) {
      SLUICE_RETURN_IF_ERROR(run_.status());
      SLUICE_ASSIGN_OR_RETURN(const FolderWalk::Item* item, walk.Next());
      if (item == nullptr) break;
      SLUICE_RETURN_IF_ERROR(Take(*item));
    }
    warnings_.Finish();
    return writer_.Finish();
  }

 private:
  absl::Status Take(const FolderWalk::Item& item) {
    switch (item.kind) {
      case FolderWalk::Item::Kind::kFile:
        return TakeFile(item);
      case FolderWalk::Item::Kind::kSymlink:
        warnings_.Add("skipped_symlink", item.path, "a symlink, left out");
        break;
      case FolderWalk::Item::Kind::kSpecial:
        warnings_.Add("skipped_special_file", item.path,
                      "not a regular file, left out");
        break;
      case FolderWalk::Item::Kind::kTooLong:
        warnings_.Add("skipped_long_path", item.path,
                      "a path of more than 4,095 bytes, left out");
        break;
      case FolderWalk::Item::Kind::kFolderUnreadable:
        warnings_.Add("folder_unreadable", item.path,
                      "no permission to list it, left out with all in it");
        break;
      case FolderWalk::Item::Kind::kFolderVanished:
        warnings_.Add("folder_vanished", item.path,
                      "gone before it was read, left out");
        break;
    }
    return absl::OkStatus();
  }

  absl::Status TakeFile(const FolderWalk::Item& item) {
    // O_NONBLOCK: a FIFO put in the file's place must not hold us.
    auto file =
        item.folder->Open(item.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
    switch (file.error) {
      case 0:
        break;
      case EACCES:
      case EPERM:
        warnings_.Add("file_unreadable", item.path,
                      "no permission to read it, left out");
        return absl::OkStatus();
      case ENOENT:
      case ENOTDIR:
      case ELOOP:
      case ENXIO:
        return Vanished(item);
      default:
        return ReadFailed(item.path, file.error);
    }
    const auto before = file.value->Stat();
    if (!before.ok()) return ReadFailed(item.path, before.error);
    if (before.value.type != FileInfo::Type::kRegular) return Vanished(item);
    SLUICE_RETURN_IF_ERROR(writer_.BeginEntry(item.path));
    SLUICE_ASSIGN_OR_RETURN(
        const uint64_t bytes,
        CopyValue(item.path, *file.value, before.value.size));
    SLUICE_RETURN_IF_ERROR(writer_.EndEntry());
    return CompareAfter(item.path, *file.value, before.value, bytes);
  }

  absl::Status Vanished(const FolderWalk::Item& item) {
    warnings_.Add("file_vanished", item.path,
                  "gone before it was read, left out");
    return absl::OkStatus();
  }

  // Reads straight into the sink's chunks, at most the size that the file had,
  // so that one which grows for ever ends. A file that says 0 (as those of
  // /proc do) is read to its end.
  absl::StatusOr<uint64_t> CopyValue(absl::string_view path, File& file,
                                     uint64_t size) {
    uint64_t done = 0;
    while (size == 0 || done < size) {
      SLUICE_ASSIGN_OR_RETURN(absl::Span<char> room, writer_.ReserveValue());
      if (size != 0 && size - done < room.size()) {
        room = room.first(size - done);
      }
      const auto count = file.Read(room);
      if (!count.ok()) return ReadFailed(path, count.error);
      if (count.value == 0) break;
      SLUICE_RETURN_IF_ERROR(writer_.CommitValue(count.value));
      done += count.value;
    }
    return done;
  }

  absl::Status CompareAfter(absl::string_view path, File& file,
                            const FileInfo& before, uint64_t bytes) {
    const auto after = file.Stat();
    if (!after.ok()) return ReadFailed(path, after.error);
    if (after.value.size != bytes || after.value.modified != before.modified) {
      warnings_.Add("file_changed", path, "changed while being read");
    }
    return absl::OkStatus();
  }

  const sdk::Run& run_;
  Warnings warnings_;
  PayloadWriter writer_;
};

// What the payload will have, where a look at each file is cheap; else 0.
absl::StatusOr<uint64_t> Estimate(const sdk::Run& run, FolderWalk& walk) {
  constexpr uint64_t kRecordBytesAFile = 10;
  uint64_t bytes = 0;
  for (uint64_t seen = 0; seen < kMaxEntriesToEstimate; ++seen) {
    SLUICE_RETURN_IF_ERROR(run.status());
    SLUICE_ASSIGN_OR_RETURN(const FolderWalk::Item* item, walk.Next());
    if (item == nullptr) return bytes;
    if (item->kind != FolderWalk::Item::Kind::kFile) continue;
    const auto info = item->folder->Stat(item->name);
    if (!info.ok()) continue;  // the reading will say so
    bytes += info.value.size + item->path.size() + kRecordBytesAFile;
  }
  return 0;
}

class FolderSource : public sdk::Source {
 public:
  FolderSource(FileSystem* file_system, FolderSourceOptions options)
      : file_system_(file_system), options_(std::move(options)) {}

  absl::StatusOr<sdk::SourceInfo> Describe(const sdk::Run& run) override {
    SLUICE_RETURN_IF_ERROR(
        FolderWalk::Open(file_system_, options_.folder).status());
    sdk::SourceInfo info;
    info.store_id = options_.store_id.empty()
                        ? DeriveStoreId(*file_system_, options_.folder)
                        : options_.store_id;
    return info;
  }

  absl::Status Backup(const sdk::Run& run, const sdk::BackupRequest& request,
                      sdk::Sink& sink) override {
    if (request.has_base) {
      SLUICE_RETURN_IF_ERROR(sink.SetMetadata(sdk::kFullMetadata, "1"));
    }
    SLUICE_ASSIGN_OR_RETURN(FolderWalk measured,
                            FolderWalk::Open(file_system_, options_.folder));
    SLUICE_ASSIGN_OR_RETURN(const uint64_t bytes, Estimate(run, measured));
    if (bytes > 0) sink.SetEstimate(bytes);
    SLUICE_ASSIGN_OR_RETURN(FolderWalk walk,
                            FolderWalk::Open(file_system_, options_.folder));
    return Reading(run, sink).ReadAll(walk);
  }

  absl::Status Restore(const sdk::Run& run,
                       sdk::RestoreRequest& request) override {
    return WithHint(MakeError(absl::StatusCode::kFailedPrecondition,
                              kRestorePreconditionFailed,
                              "restore: a folder given as load= is only read"),
                    "give it as memory:?save=DIR");
  }

 private:
  FileSystem* const file_system_;
  const FolderSourceOptions options_;
};

}  // namespace

std::unique_ptr<sdk::Source> MakeFolderSource(FileSystem* file_system,
                                              FolderSourceOptions options) {
  return std::make_unique<FolderSource>(file_system, std::move(options));
}

}  // namespace sluice
