#include "sluice/destinations/archive/protocol/repo_listing.h"

#include <utility>

#include "sluice/base/status_macros.h"
#include "sluice/destinations/archive/format/names.h"

namespace sluice {
namespace {

// Ascending, as the names that they find.
constexpr absl::string_view kPrefixes[] = {"0", "1", "2", "3",      "4",
                                           "5", "6", "7", "sluice-"};

void Add(FoundArchive& found, absl::string_view file, const ObjectInfo& info) {
  if (file == kManifestFile) {
    found.manifest = info;
  } else if (file == kWriterFile) {
    found.writer = info;
  } else if (file == kUnreadableFile) {
    found.unreadable = true;
  } else if (IsArchiveFile(file)) {
    found.objects.push_back(info);
  } else {
    found.foreign.push_back(info);
  }
}

}  // namespace

absl::Status ForEachFound(
    const Context& context, ObjectStore& store,
    const std::function<absl::Status(FoundArchive)>& found,
    const ObjectStore::Callback& other) {
  FoundArchive current;
  const auto finish = [&]() -> absl::Status {
    FoundArchive done = std::exchange(current, FoundArchive());
    return done.backup_id.empty() ? absl::OkStatus() : found(std::move(done));
  };
  // Objects come in ascending order, so one id's come together.
  const auto add = [&](const ObjectInfo& info) -> absl::Status {
    SLUICE_RETURN_IF_ERROR(context.status());
    const SplitName name = SplitObjectName(info.name);
    if (name.backup_id.empty()) {
      return other ? other(info) : absl::OkStatus();
    }
    if (name.backup_id != current.backup_id) {
      SLUICE_RETURN_IF_ERROR(finish());
      current.backup_id = std::string(name.backup_id);
    }
    Add(current, name.file, info);
    return absl::OkStatus();
  };
  for (const absl::string_view prefix : kPrefixes) {
    SLUICE_RETURN_IF_ERROR(store.List(context, prefix, add));
    SLUICE_RETURN_IF_ERROR(finish());
  }
  return absl::OkStatus();
}

absl::StatusOr<FoundArchive> FindArchive(const Context& context,
                                         ObjectStore& store,
                                         absl::string_view backup_id) {
  FoundArchive found;
  found.backup_id = std::string(backup_id);
  SLUICE_RETURN_IF_ERROR(
      store.List(context, ObjectName(backup_id, ""),
                 [&](const ObjectInfo& info) -> absl::Status {
                   Add(found, SplitObjectName(info.name).file, info);
                   return context.status();
                 }));
  return found;
}

absl::StatusOr<std::vector<ObjectInfo>> FindUploads(
    const Context& context, ObjectStore& store, absl::string_view backup_id) {
  std::vector<ObjectInfo> uploads;
  const auto add = [&](const ObjectInfo& upload) -> absl::Status {
    const SplitName name = SplitObjectName(upload.name);
    // "-": a folder that a writer made before it died, for an unknown object.
    if (upload.name == kRepoFile || IsProbeName(upload.name) ||
        IsArchiveFile(name.file) || name.file == kUnreadableFile) {
      uploads.push_back(upload);
    }
    return context.status();
  };
  if (!backup_id.empty()) {
    SLUICE_RETURN_IF_ERROR(
        store.ListUncommitted(context, ObjectName(backup_id, ""), add));
    return uploads;
  }
  for (const absl::string_view prefix : kPrefixes) {
    SLUICE_RETURN_IF_ERROR(store.ListUncommitted(context, prefix, add));
  }
  return uploads;
}

}  // namespace sluice
