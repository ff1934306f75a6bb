#ifndef SLUICE_PLUGINS_BADGER_LIVE_LIVE_COPY_H_
#define SLUICE_PLUGINS_BADGER_LIVE_LIVE_COPY_H_

// The image of a database that another process has open and writes, taken
// without any lock: all transactions up to some moment of the call, none after
// it.
//
//   LiveCopy copy(options, &files, FileSystem::Posix(), "/var/tmp/x", run);
//   SLUICE_RETURN_IF_ERROR(copy.Take([](const ImageOptions& image) {
//     return ReadAll(image);
//   }));
//
// What makes it consistent is the order of the reads, and nothing else.
//
//   format 8:  the write-ahead logs, newest first, each cut after its last
//              whole transaction; MANIFEST; tables; MANIFEST again; the newest
//              value log, cut likewise; KEYREGISTRY; the other value logs
//   format 7:  MANIFEST; tables; MANIFEST again; the newest value log, cut
//              after its last whole transaction; KEYREGISTRY
//
// The value logs of format 7 are not copied: what an open descriptor shows of
// one stays (held_logs.h). They are held before all else. Those of format 8,
// and what there are more than max_held_logs, are copied as the proof first
// reads from them, for they are closed: one to which nothing leads is not.
// Should one have been deleted until then, all that are closed come first from
// the next attempt on. docs/format/ badger.md says what Badger does in which
// order, and why the image is then the one that a kill of the process would
// leave. Whatever goes away during the copy makes it look again; what is held
// already stays held, so that each attempt has less to do. It reads through the
// page cache, so the database must be on this host.
//
// `proof` reads all of the image that will be read of it (proof.h); an error of
// it that is not the run's is taken for a bad copy, and all but closed value
// logs is copied anew, kMaxProofs times in all; one of a value log that is not
// there, while logs come and go (DropAll), does not count. What it is given is
// for any thread, and good as long as the copy lives.
//
// Errors: source_unavailable where there is no database; source_failed, to be
// tried again, after max_attempts, with what kept changing; source_failed at
// once for a table that is not there while MANIFEST stays as it is: Badger
// deletes one after MANIFEST says so; the proof's; cancelled. One thread calls;
// tables are copied by `jobs`. Disk: the size of the database, checked by the
// caller (scratch_area.h), less the logs that are held.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/file_system.h"
#include "sluice/base/mutex.h"
#include "sluice/plugins/badger/format/key_registry.h"
#include "sluice/plugins/badger/format/manifest.h"
#include "sluice/plugins/badger/image/image.h"
#include "sluice/plugins/badger/live/held_files.h"
#include "sluice/plugins/badger/live/held_logs.h"
#include "sluice/plugins/badger/live/live_file.h"
#include "sluice/plugins/badger/wire/random_file.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice {
namespace badger {

struct LiveCopyOptions {
  std::string folder;
  std::string value_folder;  // empty: `folder`
  std::string master_key;
  // Looks at the directory before it is given up. One costs what changed since
  // the last.
  int max_attempts = 200;
  int jobs = 1;
  // Of format 7 that are held by their descriptors, and not copied; below 0: as
  // many as the process's limit lets it.
  int max_held_logs = -1;
};

// Whether a copy takes no room for value logs. False where it cannot be told.
bool HoldsAllLogs(FileSystem& source, const LiveCopyOptions& options);

struct LiveCopyReport {
  int attempts = 0;
  int proofs = 0;
  // Logs that end in bytes which are no record, and did not become one: Badger
  // drops these when it opens the directory.
  std::vector<std::string> unreadable_ends;
};

class LiveCopy {
 public:
  static constexpr int kMaxProofs = 3;
  using Proof = absl::FunctionRef<absl::Status(const ImageOptions& image)>;

  // The image becomes `scratch`/kImageFolder. Borrows `source`, in which the
  // options' folders are (give one that only reads), and `target`, in which
  // `scratch` is.
  static constexpr char kImageFolder[] = "image";
  LiveCopy(LiveCopyOptions options, FileSystem* source, FileSystem* target,
           std::string scratch, const sdk::Run& run);

  absl::Status Take(Proof proof);
  // That no other program wrote into a log that is held. After the last read.
  absl::Status CheckHeldLogs() const;
  // Where the image lies.
  std::string folder() const;
  const LiveCopyReport& report() const { return report_; }

 private:
  using LogNames = std::map<uint32_t, std::string>;
  struct Logs {
    LogNames names;
    // The first bytes, which are drawn at random: they tell a log from another
    // that takes its number after DropAll.
    std::map<uint32_t, std::string> headers;
    std::map<uint32_t, uint64_t> bytes;
  };
  // A log's end that could not be read.
  struct OpenEnd {
    FileSystem* folder;
    std::string name;
    uint64_t valid_end;
  };

  absl::Status OpenFolders();
  absl::Status Attempt();
  absl::Status ReadKeys();
  // Value logs that are not empty. An empty one is about to be deleted, or what
  // a crash left of one.
  absl::StatusOr<Logs> ListLogs();
  // Whether logs have gone since the last failure, or go now.
  bool LogsAreBeingDropped(const Logs& at_last_failure);
  absl::Status CopyClosedLogs();
  absl::StatusOr<LogEnd> CopyOpenLog(FileSystem& from, const std::string& name);
  absl::Status CopyMemtables();
  absl::Status CopyTables();
  absl::Status CopyTablesOnce();
  absl::Status CheckManifest(const Manifest& manifest, absl::string_view bytes,
                             const FileIdentity& identity);
  absl::Status RemoveOtherTables(const Manifest& manifest);
  // `gone`, the status of a table that could not be held, or damage where that
  // is one for good.
  absl::Status WhyGone(const std::vector<std::string>& tables,
                       absl::string_view manifest, const FileIdentity& identity,
                       const absl::Status& gone);
  absl::Status CopyOtherLogs(const Logs& logs_before);
  absl::Status CopyNewestLog(const std::string& name,
                             const std::string& header);
  absl::Status HoldLogs();
  absl::Status HoldNewestLog(uint32_t number, const std::string& name,
                             const std::string& header);
  // Takes those that are held out of `logs`.
  absl::Status HoldClosedLogs(LogNames& logs);
  absl::Status CheckHeldHeader(uint32_t number, const std::string& name);
  // From which byte on the newest log is to be replayed.
  uint64_t StartOfReplay(uint32_t newest_log);
  // A closed one, with the header that it had when they were listed.
  absl::Status HoldLog(uint32_t number, const std::string& name);
  // One of later_logs_.
  absl::Status Fetch(uint32_t number);
  absl::StatusOr<std::unique_ptr<RandomFile>> OpenOrFetch(uint32_t number);
  ImageOptions OptionsOfImage();
  absl::Status CopyKeys();
  absl::Status CheckEnds();
  absl::Status RemoveCopy(const std::string& name);
  absl::Status RemoveOpenLogs();
  absl::Status ForgetTables();
  absl::Status GiveUp(const absl::Status& last) const;

  const LiveCopyOptions options_;
  FileSystem* const source_;
  FileSystem* const target_;
  const std::string scratch_;
  const sdk::Run run_;
  std::unique_ptr<FileSystem> folder_;
  std::unique_ptr<FileSystem> value_folder_;
  std::unique_ptr<FileSystem> image_;
  KeyRegistry keys_;
  uint16_t format_ = 0;
  std::unique_ptr<HeldFiles> tables_;
  std::unique_ptr<HeldFiles> closed_logs_;
  std::unique_ptr<HeldLogs> held_logs_;
  // One was deleted before it was held: from now on they are held first.
  bool logs_go_away_ = false;
  Logs logs_;  // as they were after the tables had been copied
  Mutex fetch_mutex_;
  LogNames later_logs_;  // closed ones, for the proof to fetch
  std::vector<OpenEnd> open_ends_;
  std::map<std::string, int> changes_;  // what, and how often
  LiveCopyReport report_;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_LIVE_LIVE_COPY_H_
