#include "sluice/plugins/badger/command.h"

#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/types/optional.h"
#include "sluice/base/error.h"
#include "sluice/base/file_system.h"
#include "sluice/base/scratch_folder.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/image/image.h"
#include "sluice/plugins/badger/inspect/inspect.h"
#include "sluice/plugins/badger/inspect/inspect_json.h"
#include "sluice/plugins/badger/live/live_copy.h"
#include "sluice/plugins/badger/live/lock_holder.h"
#include "sluice/plugins/badger/live/reading_file_system.h"
#include "sluice/plugins/badger/live/scratch_area.h"

namespace sluice {
namespace badger {
namespace {

struct Words {
  ImageOptions image;
  std::string scratch;
  bool tables = false;
  bool json = false;
};

constexpr absl::string_view kUsage =
    "sluice plugin badger inspect DIR [value_dir=DIR] [key=file:F] "
    "[scratch=DIR] [tables]";

absl::Status Usage(absl::string_view message) {
  return InvalidArgument(message, kUsage);
}

absl::StatusOr<std::string> ReadKey(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string key((std::istreambuf_iterator<char>(stream)),
                  std::istreambuf_iterator<char>());
  // As secrets by reference are everywhere: a newline at the end is no part.
  if (!key.empty() && key.back() == '\n') key.pop_back();
  if (stream.is_open() &&
      (key.size() == 16 || key.size() == 24 || key.size() == 32)) {
    return key;
  }
  return MakeError(
      absl::StatusCode::kInvalidArgument, kSourceConfigInvalid,
      absl::StrCat("key=file:", path, " holds no key of 16, 24 or 32 bytes"));
}

absl::Status TakeWord(absl::string_view word, Words& words) {
  if (word == "--json") {
    words.json = true;
  } else if (word == "tables") {
    words.tables = true;
  } else if (absl::ConsumePrefix(&word, "value_dir=")) {
    words.image.value_folder = std::string(word);
  } else if (absl::ConsumePrefix(&word, "scratch=")) {
    words.scratch = std::string(word);
  } else if (absl::ConsumePrefix(&word, "key=file:")) {
    SLUICE_ASSIGN_OR_RETURN(words.image.master_key, ReadKey(std::string(word)));
  } else if (words.image.folder.empty() && !word.empty()) {
    absl::ConsumePrefix(&word, "badger:");
    words.image.folder = std::string(word);
  } else {
    return Usage(absl::StrCat("unexpected word \"", word, "\""));
  }
  return absl::OkStatus();
}

absl::StatusOr<Words> ParseWords(absl::Span<const std::string> arguments) {
  Words words;
  words.scratch = ScratchFolderOf("", "/var/tmp");
  for (const std::string& argument : arguments) {
    SLUICE_RETURN_IF_ERROR(TakeWord(argument, words));
  }
  if (words.image.folder.empty()) return Usage("which directory?");
  return words;
}

absl::StatusOr<Inspection> InspectInPlace(const Words& words,
                                          const sdk::Run& run) {
  ReadingFileSystem files(FileSystem::Posix(), run);
  return Inspect(files, words.image, absl::Now());
}

absl::StatusOr<Inspection> InspectCopy(const Words& words,
                                       const sdk::Run& run) {
  std::vector<std::string> folders = {words.image.folder};
  if (!words.image.value_folder.empty()) {
    folders.push_back(words.image.value_folder);
  }
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<ScratchArea> scratch,
                          ScratchArea::Create(words.scratch, folders));
  ReadingFileSystem source(FileSystem::Posix(), run);
  LiveCopyOptions options;
  options.folder = words.image.folder;
  options.value_folder = words.image.value_folder;
  options.master_key = words.image.master_key;
  SLUICE_RETURN_IF_ERROR(
      scratch->CheckRoomForCopyOf(folders, !HoldsAllLogs(source, options)));
  LiveCopy copy(std::move(options), &source, FileSystem::Posix(),
                scratch->path(), run);
  Words of_copy = words;
  absl::StatusOr<Inspection> found = absl::UnknownError("not looked at");
  SLUICE_RETURN_IF_ERROR(copy.Take([&](const ImageOptions& image) {
    of_copy.image = image;
    found = InspectInPlace(of_copy, run);
    // Damage may be the copy's: then it is made anew, some times.
    if (!found.ok() || !found->is_damaged()) return found.status();
    return MakeError(absl::StatusCode::kDataLoss, kSourceFailed,
                     found->damage.front());
  }));
  found->folder = words.image.folder;
  // Of the directory itself; a table may have come or gone meanwhile.
  SLUICE_RETURN_IF_ERROR(FindFiles(source, words.image, *found));
  found->missing.clear();
  for (const std::string& end : copy.report().unreadable_ends) {
    found->summary.warnings.push_back(end);
  }
  return found;
}

bool IsWritten(const absl::optional<LockHolder>& holder) {
  return holder.has_value() && holder->writes;
}

absl::StatusOr<Inspection> InspectDirectory(const Words& words,
                                            const sdk::Run& run) {
  const auto before = FindLockHolder(words.image.folder);
  absl::StatusOr<Inspection> found =
      IsWritten(before) ? InspectCopy(words, run) : InspectInPlace(words, run);
  const auto after = FindLockHolder(words.image.folder);
  // Someone began to write while it was read in place.
  if (!IsWritten(before) && IsWritten(after) &&
      (!found.ok() || found->is_damaged())) {
    found = InspectCopy(words, run);
  }
  if (found.ok()) found->holder = after;
  return found;
}

}  // namespace

absl::Status RunBadgerCommand(const sdk::Host& host, const sdk::Run& run,
                              absl::string_view name,
                              absl::Span<const std::string> arguments,
                              sdk::Output& output) {
  if (name != "inspect") {
    return Usage(absl::StrCat("plugin badger has no verb \"", name, "\""));
  }
  if (std::find(arguments.begin(), arguments.end(), "--help") !=
      arguments.end()) {
    return output.Write(absl::StrCat("usage: ", kUsage, "\n"));
  }
  SLUICE_ASSIGN_OR_RETURN(const Words words, ParseWords(arguments));
  const absl::StatusOr<Inspection> found = InspectDirectory(words, run);
  SLUICE_RETURN_IF_ERROR(run.status());
  // What is read first may be damaged, too: then there is nothing to print.
  if (found.status().code() == absl::StatusCode::kDataLoss) {
    return MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                     found.status().message());
  }
  SLUICE_RETURN_IF_ERROR(found.status());
  SLUICE_RETURN_IF_ERROR(
      output.Write(words.json ? RenderJson(*found) : Render(*found)));
  if (words.tables && !words.json) {
    SLUICE_RETURN_IF_ERROR(output.Write(RenderTables(*found)));
  }
  if (!found->is_damaged()) return absl::OkStatus();
  const std::string& damage = found->damage[0];
  return MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                   absl::StartsWith(damage, words.image.folder)
                       ? damage
                       : absl::StrCat(words.image.folder, ": ", damage));
}

}  // namespace badger
}  // namespace sluice
