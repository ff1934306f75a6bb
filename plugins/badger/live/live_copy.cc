#include "sluice/plugins/badger/live/live_copy.h"

#include <errno.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/format/log_record.h"
#include "sluice/plugins/badger/format/table.h"
#include "sluice/plugins/badger/image/image_files.h"
#include "sluice/plugins/badger/live/whole_records.h"
#include "sluice/plugins/badger/wire/image_error.h"
#include "sluice/plugins/sdk/workers.h"

namespace sluice {
namespace badger {
namespace {

constexpr char kManifest[] = "MANIFEST";
constexpr char kKeyRegistry[] = "KEYREGISTRY";
// Tables are looked for again so often before the logs are, too.
constexpr int kMaxTableLooks = 20;

absl::StatusOr<std::unique_ptr<FileSystem>> OpenBeneath(
    FileSystem& files, const std::string& path) {
  auto folder = files.Beneath(path);
  if (folder.ok()) return std::move(folder.value);
  return SourceIoError("open folder", path, folder.error);
}

// Whether a record behind byte `from` of MANIFEST creates one of `tables`
// again.
absl::StatusOr<bool> CreatesAgain(absl::string_view bytes, size_t from,
                                  const Manifest& tables) {
  const std::string header(bytes.substr(0, kManifestHeaderBytes));
  size_t at = from;
  for (size_t end = RecordEnd(bytes, at); end != 0;
       end = RecordEnd(bytes, at)) {
    const std::string record = absl::StrCat(header, bytes.substr(at, end - at));
    SLUICE_ASSIGN_OR_RETURN(const Manifest made, ParseManifest(record));
    for (const auto& table : made.tables) {
      if (tables.tables.count(table.first) > 0) return true;
    }
    at = end;
  }
  return false;
}

size_t MaxHeldLogsOf(const LiveCopyOptions& options) {
  return options.max_held_logs < 0 ? MaxHeldLogs()
                                   : static_cast<size_t>(options.max_held_logs);
}

}  // namespace

bool HoldsAllLogs(FileSystem& source, const LiveCopyOptions& options) {
  const auto folder = source.Beneath(options.folder);
  const auto value_folder = source.Beneath(
      options.value_folder.empty() ? options.folder : options.value_folder);
  if (!folder.ok() || !value_folder.ok()) return false;
  FileIdentity identity;
  const auto bytes = ReadSmall(*folder.value, kManifest, identity);
  if (!bytes.ok()) return false;
  const auto manifest =
      ParseManifest(WholeRecords(*bytes, kManifestHeaderBytes));
  if (!manifest.ok() || manifest->version >= 8) return false;
  const auto files = ListImageFiles(*value_folder.value);
  // More may come while they are read.
  return files.ok() && 2 * files->value_logs.size() <= MaxHeldLogsOf(options);
}

LiveCopy::LiveCopy(LiveCopyOptions options, FileSystem* source,
                   FileSystem* target, std::string scratch, const sdk::Run& run)
    : options_(std::move(options)),
      source_(source),
      target_(target),
      scratch_(std::move(scratch)),
      run_(run) {}

std::string LiveCopy::folder() const {
  return absl::StrCat(scratch_, "/", kImageFolder);
}

absl::Status LiveCopy::Take(Proof proof) {
  SLUICE_RETURN_IF_ERROR(OpenFolders());
  int bad_copies = 0;
  Logs last_logs;
  while (true) {
    SLUICE_RETURN_IF_ERROR(run_.status());
    ++report_.attempts;
    absl::Status status = Attempt();
    if (status.ok()) {
      ++report_.proofs;
      status = proof(OptionsOfImage());
      if (status.ok()) return CheckEnds();
      if (run_.cancelled()) return status;
      const bool is_dropping =
          IsMissingLog(status) && LogsAreBeingDropped(last_logs);
      if (!is_dropping && ++bad_copies >= kMaxProofs) return status;
      last_logs = logs_;
      logs_go_away_ = true;
      SLUICE_RETURN_IF_ERROR(ForgetTables());
    } else if (!IsChanged(status)) {
      return Annotate(status, options_.folder);
    }
    ++changes_[std::string(status.message())];
    if (report_.attempts >= options_.max_attempts) return GiveUp(status);
  }
}

absl::Status LiveCopy::GiveUp(const absl::Status& last) const {
  const auto most = std::max_element(
      changes_.begin(), changes_.end(),
      [](const auto& a, const auto& b) { return a.second < b.second; });
  return WithHint(
      WithRetryable(
          MakeError(
              absl::StatusCode::kUnavailable, kSourceFailed,
              absl::StrCat("no moment at which the database could be "
                           "copied, in ",
                           report_.attempts, " attempts: ", most->first, " (",
                           most->second, " times); at last ", last.message())),
          true),
      "it changes faster than it is copied: a faster disk for scratch=DIR, or "
      "a quieter hour; mode=offline while the application is stopped");
}

absl::Status LiveCopy::OpenFolders() {
  SLUICE_ASSIGN_OR_RETURN(folder_, OpenBeneath(*source_, options_.folder));
  SLUICE_ASSIGN_OR_RETURN(value_folder_,
                          OpenBeneath(*source_, options_.value_folder.empty()
                                                    ? options_.folder
                                                    : options_.value_folder));
  if (const int error = target_->MakeDirectory(folder(), 0700); error != 0) {
    return ScratchIoError("make folder", folder(), error);
  }
  SLUICE_ASSIGN_OR_RETURN(image_, OpenBeneath(*target_, folder()));
  tables_ = std::make_unique<HeldFiles>(*folder_, *image_);
  closed_logs_ = std::make_unique<HeldFiles>(*value_folder_, *image_);
  FileIdentity identity;
  const auto bytes = ReadSmall(*folder_, kManifest, identity);
  if (!bytes.ok()) return Annotate(bytes.status(), options_.folder);
  const auto manifest =
      ParseManifest(WholeRecords(*bytes, kManifestHeaderBytes));
  if (!manifest.ok()) return Annotate(manifest.status(), options_.folder);
  format_ = manifest->version;
  held_logs_ = std::make_unique<HeldLogs>(
      *value_folder_, format_ < 8 ? MaxHeldLogsOf(options_) : 0);
  return absl::OkStatus();
}

absl::Status LiveCopy::Attempt() {
  open_ends_.clear();
  later_logs_.clear();
  SLUICE_RETURN_IF_ERROR(RemoveOpenLogs());
  SLUICE_RETURN_IF_ERROR(ReadKeys());
  if (format_ < 8) SLUICE_RETURN_IF_ERROR(HoldLogs());
  if (logs_go_away_) SLUICE_RETURN_IF_ERROR(CopyClosedLogs());
  SLUICE_ASSIGN_OR_RETURN(const Logs before, ListLogs());
  if (format_ >= 8) SLUICE_RETURN_IF_ERROR(CopyMemtables());
  SLUICE_RETURN_IF_ERROR(CopyTables());
  SLUICE_RETURN_IF_ERROR(CopyOtherLogs(before));
  return CopyKeys();
}

// What decrypts the logs, to find their ends.
absl::Status LiveCopy::ReadKeys() {
  FileIdentity identity;
  const auto bytes = ReadSmall(*folder_, kKeyRegistry, identity);
  if (absl::IsNotFound(bytes.status())) {
    keys_ = KeyRegistry();
    return absl::OkStatus();
  }
  SLUICE_RETURN_IF_ERROR(bytes.status());
  SLUICE_ASSIGN_OR_RETURN(
      keys_, KeyRegistry::Parse(WholeRecords(*bytes, kKeyRegistryHeaderBytes),
                                options_.master_key));
  return absl::OkStatus();
}

absl::StatusOr<LiveCopy::Logs> LiveCopy::ListLogs() {
  SLUICE_ASSIGN_OR_RETURN(const ImageFiles files,
                          ListImageFiles(*value_folder_));
  Logs logs;
  for (const auto& [number, name] : files.value_logs) {
    auto header = ReadFront(*value_folder_, name, kLogHeaderBytes);
    if (IsChanged(header.status())) continue;
    SLUICE_RETURN_IF_ERROR(header.status());
    logs.names[number] = name;
    logs.headers[number] = *std::move(header);
    const auto info = value_folder_->Stat(name);
    if (info.ok()) logs.bytes[number] = info.value.size;
  }
  return logs;
}

bool LiveCopy::LogsAreBeingDropped(const Logs& at_last_failure) {
  const auto has_lost = [](const Logs& then, const Logs& now) {
    return std::any_of(
        then.headers.begin(), then.headers.end(), [&now](const auto& log) {
          const auto found = now.headers.find(log.first);
          return found == now.headers.end() || found->second != log.second;
        });
  };
  if (has_lost(at_last_failure, logs_)) return true;
  const auto now = ListLogs();
  return now.ok() && has_lost(logs_, *now);
}

// All but the newest: they are complete and never written again, only deleted.
// Held early, those that go away later do no harm.
absl::Status LiveCopy::CopyClosedLogs() {
  SLUICE_ASSIGN_OR_RETURN(const Logs logs, ListLogs());
  LogNames names = logs.names;
  if (!names.empty()) names.erase(std::prev(names.end()));
  for (const auto& held : held_logs_->logs()) names.erase(held.first);
  for (const auto& log : names) {
    const absl::Status status = closed_logs_->HoldClosed(log.second);
    if (!IsChanged(status)) SLUICE_RETURN_IF_ERROR(status);
  }
  return absl::OkStatus();
}

// That costs no more than to open them, and those that are deleted from now on
// do no harm.
absl::Status LiveCopy::HoldLogs() {
  SLUICE_ASSIGN_OR_RETURN(const Logs logs, ListLogs());
  for (const auto& [number, name] : logs.names) {
    const auto held = held_logs_->Hold(number, name);
    if (!IsChanged(held.status())) SLUICE_RETURN_IF_ERROR(held.status());
  }
  return absl::OkStatus();
}

absl::Status LiveCopy::HoldClosedLogs(LogNames& logs) {
  const LogNames all = logs;
  for (const auto& [number, name] : all) {
    SLUICE_ASSIGN_OR_RETURN(const bool held, held_logs_->Hold(number, name));
    if (!held) continue;
    SLUICE_RETURN_IF_ERROR(CheckHeldHeader(number, name));
    logs.erase(number);
  }
  return absl::OkStatus();
}

absl::Status LiveCopy::CheckHeldHeader(uint32_t number,
                                       const std::string& name) {
  const auto listed = logs_.headers.find(number);
  if (listed == logs_.headers.end() ||
      held_logs_->logs()[number].header == listed->second) {
    return absl::OkStatus();
  }
  held_logs_->Forget(number);
  return Changed(name, "it was replaced");
}

// What is before the head lies in the tables.
uint64_t LiveCopy::StartOfReplay(uint32_t newest_log) {
  ImageOptions options;
  options.folder = folder();
  options.master_key = options_.master_key;
  if (!CopyKeys().ok()) return kLogHeaderBytes;
  const auto head = Image::HeadOf(*target_, options);
  // What is wrong, the proof says.
  if (!head.ok() || head->file != newest_log) return kLogHeaderBytes;
  return std::max<uint64_t>(uint64_t{head->offset} + head->size,
                            kLogHeaderBytes);
}

absl::Status LiveCopy::HoldNewestLog(uint32_t number, const std::string& name,
                                     const std::string& header) {
  SLUICE_ASSIGN_OR_RETURN(const bool held, held_logs_->Hold(number, name));
  if (!held) return CopyNewestLog(name, header);
  SLUICE_RETURN_IF_ERROR(CheckHeldHeader(number, name));
  const uint64_t start = StartOfReplay(number);
  auto end = FindLogEnd(held_logs_->Open(number), keys_, start);
  if (!end.ok()) {
    SLUICE_RETURN_IF_ERROR(ReadKeys());
    end = FindLogEnd(held_logs_->Open(number), keys_, start);
  }
  SLUICE_RETURN_IF_ERROR(end.status());
  if (end->valid_end < kLogHeaderBytes) {
    held_logs_->Forget(number);
  } else {
    held_logs_->Limit(number, end->valid_end);
  }
  if (end->tail == LogTail::kUnreadable) {
    open_ends_.push_back({value_folder_.get(), name, end->valid_end});
  }
  return absl::OkStatus();
}

absl::StatusOr<LogEnd> LiveCopy::CopyOpenLog(FileSystem& from,
                                             const std::string& name) {
  auto end = CopyLog(from, name, keys_, *image_);
  if (end.ok() || IsChanged(end.status())) return end;
  // Its data key may be newer than ours: each is in KEYREGISTRY before any file
  // uses it.
  SLUICE_RETURN_IF_ERROR(ReadKeys());
  return CopyLog(from, name, keys_, *image_);
}

// The newest first: only it grows, so that an older one, read later, is
// complete, and there is no hole. One that is gone was flushed, and MANIFEST,
// read later still, has it.
absl::Status LiveCopy::CopyMemtables() {
  SLUICE_ASSIGN_OR_RETURN(const ImageFiles files, ListImageFiles(*folder_));
  for (auto log = files.memtables.rbegin(); log != files.memtables.rend();
       ++log) {
    const std::string& name = log->second;
    const auto end = CopyOpenLog(*folder_, name);
    if (IsChanged(end.status())) {
      SLUICE_RETURN_IF_ERROR(RemoveCopy(name));
      // A new log under an old name is no flushed one.
      if (Identify(*folder_, name).ok()) return end.status();
      continue;
    }
    SLUICE_RETURN_IF_ERROR(end.status());
    if (end->tail == LogTail::kUnreadable) {
      open_ends_.push_back({folder_.get(), name, end->valid_end});
    }
  }
  return absl::OkStatus();
}

absl::Status LiveCopy::CopyTables() {
  absl::Status status;
  for (int i = 0; i < kMaxTableLooks; ++i) {
    SLUICE_RETURN_IF_ERROR(run_.status());
    status = CopyTablesOnce();
    if (!IsChanged(status)) return status;
  }
  return status;
}

absl::Status LiveCopy::CopyTablesOnce() {
  FileIdentity identity;
  SLUICE_ASSIGN_OR_RETURN(const std::string bytes,
                          ReadSmall(*folder_, kManifest, identity));
  const absl::string_view whole = WholeRecords(bytes, kManifestHeaderBytes);
  SLUICE_ASSIGN_OR_RETURN(const Manifest manifest, ParseManifest(whole));
  std::vector<std::string> names;
  for (const auto& table : manifest.tables) {
    names.push_back(TableFileName(table.first));
  }
  const absl::Status held = sdk::ForEach(
      names.size(), options_.jobs,
      [&](size_t i) { return tables_->Hold(names[i]); },
      sdk::Helpers::kGiveWay);
  if (IsChanged(held)) return WhyGone(names, bytes, identity, held);
  SLUICE_RETURN_IF_ERROR(held);
  SLUICE_RETURN_IF_ERROR(CheckManifest(manifest, whole, identity));
  SLUICE_RETURN_IF_ERROR(RemoveOtherTables(manifest));
  return WriteSmall(*image_, kManifest, whole);
}

// MANIFEST says that a table is deleted before it is: one that is gone while
// MANIFEST is what it was, is lost.
absl::Status LiveCopy::WhyGone(const std::vector<std::string>& tables,
                               absl::string_view manifest,
                               const FileIdentity& identity,
                               const absl::Status& gone) {
  const auto lost = std::find_if(
      tables.begin(), tables.end(), [this](const std::string& name) {
        return IsChanged(Identify(*folder_, name).status());
      });
  if (lost == tables.end()) return gone;
  FileIdentity identity_now;
  SLUICE_ASSIGN_OR_RETURN(const std::string now,
                          ReadSmall(*folder_, kManifest, identity_now));
  if (!identity_now.IsSameFile(identity) || now != manifest) return gone;
  return Damaged(*lost, "listed in MANIFEST, but missing");
}

// That the tables just copied are those that `bytes` speak of: MANIFEST was
// neither replaced since, nor did it give one of their numbers to another.
absl::Status LiveCopy::CheckManifest(const Manifest& manifest,
                                     absl::string_view bytes,
                                     const FileIdentity& identity) {
  FileIdentity identity_now;
  SLUICE_ASSIGN_OR_RETURN(const std::string now,
                          ReadSmall(*folder_, kManifest, identity_now));
  bool is_same =
      identity_now.IsSameFile(identity) && absl::StartsWith(now, bytes);
  if (is_same) {
    SLUICE_ASSIGN_OR_RETURN(const bool again,
                            CreatesAgain(now, bytes.size(), manifest));
    is_same = !again;
  }
  if (is_same) return absl::OkStatus();
  SLUICE_RETURN_IF_ERROR(ForgetTables());
  return Changed(kManifest, "it was replaced");
}

// All that tables and logs copied so far may point to is in these: a value is
// written before what points to it.
absl::Status LiveCopy::CopyOtherLogs(const Logs& logs_before) {
  SLUICE_ASSIGN_OR_RETURN(logs_, ListLogs());
  for (const auto& [number, header] : logs_before.headers) {
    const auto now = logs_.headers.find(number);
    if (now != logs_.headers.end() && now->second != header) {
      return Changed(logs_.names[number], "it was replaced");
    }
  }
  const LogNames& before = logs_before.names;
  const LogNames& after = logs_.names;
  LogNames wanted = before;
  wanted.insert(after.begin(), after.end());
  if (wanted.empty()) return absl::OkStatus();
  const uint32_t newest = wanted.rbegin()->first;
  const uint32_t known =
      before.empty() ? wanted.begin()->first : before.rbegin()->first;
  for (uint32_t number = newest; number > known; --number) {
    if (wanted.count(number) == 0) {
      return Changed(absl::StrCat("value log ", number), "it went away");
    }
  }
  if (after.count(newest) > 0) {
    const std::string& name = wanted[newest];
    const std::string& header = logs_.headers[newest];
    SLUICE_RETURN_IF_ERROR(format_ < 8 ? HoldNewestLog(newest, name, header)
                                       : CopyNewestLog(name, header));
    wanted.erase(newest);
  } else if (format_ < 8) {
    return Changed(wanted[newest], "it went away");
  }
  if (format_ < 8) SLUICE_RETURN_IF_ERROR(HoldClosedLogs(wanted));
  if (!logs_go_away_) {
    for (const auto& [number, name] : wanted) {
      logs_go_away_ |= after.count(number) == 0;
    }
    later_logs_ = std::move(wanted);
    return logs_go_away_ ? Changed("a value log", "it went away")
                         : absl::OkStatus();
  }
  for (auto log = wanted.rbegin(); log != wanted.rend(); ++log) {
    SLUICE_RETURN_IF_ERROR(HoldLog(log->first, log->second));
  }
  return absl::OkStatus();
}

absl::Status LiveCopy::Fetch(uint32_t number) {
  const auto log = later_logs_.find(number);
  if (log == later_logs_.end()) return absl::OkStatus();
  MutexLock lock(fetch_mutex_);
  if (closed_logs_->Holds(log->second)) return absl::OkStatus();
  return HoldLog(number, log->second);
}

absl::StatusOr<std::unique_ptr<RandomFile>> LiveCopy::OpenOrFetch(
    uint32_t number) {
  std::unique_ptr<RandomFile> held = held_logs_->Open(number);
  if (held == nullptr) SLUICE_RETURN_IF_ERROR(Fetch(number));
  return held;
}

absl::Status LiveCopy::CheckHeldLogs() const { return held_logs_->Check(); }

absl::Status LiveCopy::HoldLog(uint32_t number, const std::string& name) {
  SLUICE_RETURN_IF_ERROR(closed_logs_->HoldClosed(name));
  SLUICE_ASSIGN_OR_RETURN(const std::string header,
                          ReadFront(*image_, name, kLogHeaderBytes));
  const auto listed = logs_.headers.find(number);
  if (listed == logs_.headers.end() || listed->second == header) {
    return absl::OkStatus();
  }
  closed_logs_->Forget(name);
  return Changed(name, "it was replaced");
}

ImageOptions LiveCopy::OptionsOfImage() {
  ImageOptions options;
  options.folder = folder();
  options.shown_folder = options_.folder;
  options.master_key = options_.master_key;
  for (const auto& [number, name] : later_logs_) {
    options.later_logs[number] = {name, logs_.bytes[number]};
  }
  for (const auto& [number, log] : held_logs_->logs()) {
    options.later_logs[number] = {log.name, log.bytes};
    if (logs_.names.count(number) == 0) options.gone_logs.insert(number);
  }
  const auto held = ListImageFiles(*image_);
  options.logs_stay = format_ < 8 && later_logs_.empty() && held.ok() &&
                      held->value_logs.empty();
  if (held.ok()) {
    for (const auto& log : held->value_logs) {
      if (logs_.names.count(log.first) == 0) {
        options.gone_logs.insert(log.first);
      }
    }
  }
  options.fetch_log = [this](uint32_t number) { return OpenOrFetch(number); };
  return options;
}

absl::Status LiveCopy::CopyNewestLog(const std::string& name,
                                     const std::string& header) {
  closed_logs_->Forget(name);
  SLUICE_ASSIGN_OR_RETURN(const LogEnd end, CopyOpenLog(*value_folder_, name));
  if (end.valid_end <= kLogHeaderBytes) {
    SLUICE_RETURN_IF_ERROR(RemoveCopy(name));
    // Where the logs are to be replayed, none may be missing.
    if (format_ < 8 && header.size() == kLogHeaderBytes) {
      SLUICE_RETURN_IF_ERROR(WriteSmall(*image_, name, header));
    }
  }
  if (end.tail == LogTail::kUnreadable) {
    open_ends_.push_back({value_folder_.get(), name, end.valid_end});
  }
  return absl::OkStatus();
}

absl::Status LiveCopy::CopyKeys() {
  FileIdentity identity;
  const auto bytes = ReadSmall(*folder_, kKeyRegistry, identity);
  if (absl::IsNotFound(bytes.status())) return absl::OkStatus();
  SLUICE_RETURN_IF_ERROR(bytes.status());
  return WriteSmall(*image_, kKeyRegistry,
                    WholeRecords(*bytes, kKeyRegistryHeaderBytes));
}

// A record that was being written has grown whole by now, or its log is gone.
// Else it is half a record of a crash, or damage.
absl::Status LiveCopy::CheckEnds() {
  for (const OpenEnd& open_end : open_ends_) {
    const auto end =
        FindLogEnd(*open_end.folder, open_end.name, keys_, open_end.valid_end);
    if (!end.ok() || end->valid_end != open_end.valid_end ||
        end->tail == LogTail::kEmpty) {
      continue;
    }
    report_.unreadable_ends.push_back(
        absl::StrCat(open_end.name, ": what follows byte ", open_end.valid_end,
                     " is not a record: a partial one of a crash, or damage"));
  }
  return run_.status();
}

absl::Status LiveCopy::RemoveCopy(const std::string& name) {
  const int error = image_->Unlink(name);
  if (error == 0 || error == ENOENT) return absl::OkStatus();
  return ScratchIoError("remove scratch file", name, error);
}

absl::Status LiveCopy::ForgetTables() { return RemoveOtherTables(Manifest()); }

absl::Status LiveCopy::RemoveOtherTables(const Manifest& manifest) {
  SLUICE_ASSIGN_OR_RETURN(const ImageFiles files, ListImageFiles(*image_));
  for (const uint64_t number : files.tables) {
    if (manifest.tables.count(number) > 0) continue;
    tables_->Forget(TableFileName(number));
    SLUICE_RETURN_IF_ERROR(RemoveCopy(TableFileName(number)));
  }
  return absl::OkStatus();
}

absl::Status LiveCopy::RemoveOpenLogs() {
  SLUICE_ASSIGN_OR_RETURN(const ImageFiles files, ListImageFiles(*image_));
  for (const auto& memtable : files.memtables) {
    SLUICE_RETURN_IF_ERROR(RemoveCopy(memtable.second));
  }
  for (const auto& log : files.value_logs) {
    if (!closed_logs_->Holds(log.second)) {
      SLUICE_RETURN_IF_ERROR(RemoveCopy(log.second));
    }
  }
  return absl::OkStatus();
}

}  // namespace badger
}  // namespace sluice
