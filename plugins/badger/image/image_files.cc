#include "sluice/plugins/badger/image/image_files.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "sluice/plugins/badger/format/table.h"
#include "sluice/plugins/badger/wire/image_error.h"

namespace sluice {
namespace badger {
namespace {

// The number in `name` where it is digits and then `suffix`.
template <typename Number>
bool NumberIn(absl::string_view name, absl::string_view suffix,
              Number& number) {
  return absl::ConsumeSuffix(&name, suffix) && !name.empty() &&
         std::all_of(name.begin(), name.end(),
                     [](char byte) { return absl::ascii_isdigit(byte); }) &&
         absl::SimpleAtoi(name, &number);
}

void Classify(const std::string& name, ImageFiles& files) {
  uint64_t number = 0;
  uint32_t log = 0;
  if (name == "MANIFEST") {
    files.has_manifest = true;
  } else if (name == "KEYREGISTRY") {
    files.has_key_registry = true;
  } else if (NumberIn(name, ".sst", number) && name == TableFileName(number)) {
    files.tables.insert(number);
  } else if (NumberIn(name, ".mem", number)) {
    files.memtables[number] = name;
  } else if (NumberIn(name, ".vlog", log)) {
    files.value_logs[log] = name;
  } else if (name != "LOCK" && name != "DISCARD" &&
             name != "REWRITE-KEYREGISTRY" && name != "MANIFEST-REWRITE") {
    files.others.push_back(name);
  }
}

}  // namespace

std::string ValueLogFileName(uint32_t number) {
  return absl::StrFormat("%06d.vlog", number);
}

absl::StatusOr<ImageFiles> ListImageFiles(FileSystem& folder) {
  const auto entries = folder.List(".");
  if (!entries.ok()) {
    return SourceIoError("list", "folder", entries.error);
  }
  ImageFiles files;
  for (const DirectoryEntry& entry : entries.value) {
    if (entry.type != FileInfo::Type::kDirectory) Classify(entry.name, files);
  }
  std::sort(files.others.begin(), files.others.end());
  return files;
}

}  // namespace badger
}  // namespace sluice
