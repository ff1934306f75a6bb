#ifndef SLUICE_PLUGINS_BADGER_TESTING_LIVE_BACKUP_FIXTURE_H_
#define SLUICE_PLUGINS_BADGER_TESTING_LIVE_BACKUP_FIXTURE_H_

// A folder for a database that another program has open and writes, and for
// backups of it meanwhile. For tests.
//
//   class LiveBackupTest : public LiveBackupFixture {};
//   TEST_F(LiveBackupTest, ...) {
//     WriterProcess bank({"badger", "bank", "test", "--dir", options_.folder},
//                        Log("bank"));
//     while (bank.IsRunning()) {
//       VersionSink sink;
//       if (!BacksUp(sink)) continue;
//       ...
//
// One thread.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/badger/format/manifest.h"
#include "sluice/plugins/badger/sort/stream_entry.h"
#include "sluice/plugins/badger/source.h"
#include "sluice/plugins/badger/source_options.h"
#include "sluice/plugins/badger/stream/backup_stream_reader.h"
#include "sluice/plugins/badger/testing/collecting_sink.h"
#include "sluice/plugins/sdk/run.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice {
namespace badger {

// A program that writes until it ends, or is killed at our end.
class WriterProcess {
 public:
  // The first word is looked for in PATH. What it says goes to the file `log`.
  WriterProcess(std::vector<std::string> command, const std::string& log) {
    std::vector<char*> argv;
    argv.reserve(command.size() + 1);
    for (std::string& word : command) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ != 0) return;
    const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(fd, 1);
    dup2(fd, 2);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  ~WriterProcess() { Kill(); }
  WriterProcess(const WriterProcess&) = delete;
  WriterProcess& operator=(const WriterProcess&) = delete;

  bool IsRunning() {
    if (!ended_ && waitpid(pid_, &status_, WNOHANG) == pid_) ended_ = true;
    return !ended_;
  }
  // Its wait status.
  int Wait() {
    if (!ended_ && waitpid(pid_, &status_, 0) == pid_) ended_ = true;
    return status_;
  }
  void Kill() {
    if (ended_) return;
    kill(pid_, SIGKILL);
    Wait();
  }

 private:
  pid_t pid_ = -1;
  bool ended_ = false;
  int status_ = 0;
};

class LiveBackupFixture : public testing::Test {
 protected:
  LiveBackupFixture() {
    std::string root = testing::TempDir() + "/live-XXXXXX";
    root_ = mkdtemp(root.data()) == nullptr ? "" : root;
    std::filesystem::create_directory(root_ + "/scratch");
    options_.folder = root_ + "/db";
    options_.scratch = root_ + "/scratch";
    options_.restore_format = DiskFormat::kBadger2;
  }
  ~LiveBackupFixture() override {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  // Reads the database through `files`.
  absl::Status Backup(sdk::Sink& sink,
                      FileSystem* files = FileSystem::Posix()) const {
    const sdk::BackupRequest request;
    const absl::Status status =
        MakeBadgerSource(options_, files)->Backup(sdk::Run(), request, sink);
    EXPECT_TRUE(std::filesystem::is_empty(options_.scratch));
    return status;
  }

  // False while the database is being made, and there is none to back up yet.
  bool BacksUp(sdk::Sink& sink) const {
    const absl::Status status = Backup(sink);
    EXPECT_TRUE(status.ok() || ErrorCodeOf(status) == kSourceUnavailable ||
                ErrorCodeOf(status) == kSourceEmpty)
        << status;
    return status.ok();
  }

  // Of the database's folder, those that end in `extension`, ascending.
  std::vector<std::string> FileNames(absl::string_view extension) const {
    std::vector<std::string> names;
    std::error_code ignored;
    for (const auto& entry :
         std::filesystem::directory_iterator(options_.folder, ignored)) {
      const std::string name = entry.path().filename();
      if (absl::EndsWith(name, extension)) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  std::string Log(absl::string_view name) const {
    return absl::StrCat(root_, "/", name, ".log");
  }

  SourceOptions options_;
  std::string root_;
};

// Keeps of a stream the versions only.
class VersionSink final : public CollectingSink {
 public:
  absl::Status Write(absl::string_view bytes) override {
    return reader_.Feed(bytes);
  }
  // Ascending.
  std::vector<uint64_t> Versions() {
    EXPECT_TRUE(reader_.Finish().ok());
    std::sort(versions_.begin(), versions_.end());
    return versions_;
  }

 private:
  std::vector<uint64_t> versions_;
  BackupStreamReader reader_{[this](const StreamEntry& entry) {
    versions_.push_back(entry.version);
    return absl::OkStatus();
  }};
};

// Where versions are given in the order of commits and no key is written twice,
// a consistent state is exactly what the end holds up to some version.
inline void ExpectPrefix(const std::vector<uint64_t>& versions,
                         const std::vector<uint64_t>& all) {
  ASSERT_FALSE(versions.empty());
  const auto end = std::upper_bound(all.begin(), all.end(), versions.back());
  EXPECT_TRUE(std::equal(all.begin(), end, versions.begin(), versions.end()))
      << versions.size() << " entries up to " << versions.back();
}

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_TESTING_LIVE_BACKUP_FIXTURE_H_
