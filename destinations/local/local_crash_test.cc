// T3 for one place: all states that a power cut can leave, before, within and
// after commits and deletes.

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/file_system.h"
#include "sluice/base/testing/crash_file_system.h"
#include "sluice/base/testing/crash_states.h"
#include "sluice/base/testing/crash_trace.h"
#include "sluice/destinations/local/local_object_store.h"
#include "sluice/plugins/sdk/place.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice {
namespace {

using sdk::CommitMode;
using sdk::ObjectInfo;

const sdk::Run kRun;

LocalObjectStore StoreOver(FileSystem* fs) {
  LocalOptions options;
  options.path = "/mnt/backups/repo";
  options.file_system = fs;
  return LocalObjectStore(options);
}

absl::Status Put(sdk::Place& store, absl::string_view name,
                 absl::string_view content, CommitMode mode) {
  auto writer = store.Begin(kRun, name, 0);
  if (!writer.ok()) return writer.status();
  absl::Status status;
  for (size_t at = 0; at < content.size() && status.ok(); at += 1500) {
    status = (*writer)->Write(content.substr(at, 1500));
  }
  return status.ok() ? (*writer)->Commit(mode) : status;
}

std::string Get(sdk::Place& store, absl::string_view name) {
  auto reader = store.Open(kRun, name, 0);
  if (!reader.ok()) {
    return absl::IsNotFound(reader.status()) ||
                   absl::IsFailedPrecondition(reader.status())
               ? "none"
               : reader.status().ToString();
  }
  std::string content(40000, '?');
  const absl::StatusOr<size_t> got = (*reader)->Read(absl::MakeSpan(content));
  return got.ok() ? content.substr(0, *got) : got.status().ToString();
}

// What an object holds once so many promises were made. In between it holds
// either.
struct History {
  std::string name;
  std::vector<std::string> holds;
};

const std::string& Payload() {
  static const std::string* const payload = new std::string([] {
    std::string bytes;
    for (int i = 0; bytes.size() < 20001; ++i) absl::StrAppend(&bytes, i, ",");
    return bytes;
  }());
  return *payload;
}

// Creates a place, publishes an archive of three objects, replaces one, deletes
// another. Each promise is marked.
std::vector<History> Publish(CrashFileSystem& disk) {
  disk.MakeDirectory("/mnt", 0755);
  disk.SyncDirectory("/");
  disk.Settle();
  LocalObjectStore store = StoreOver(&disk);
  EXPECT_TRUE(store.Create(kRun).ok());
  EXPECT_TRUE(Put(store, "ID/writer.json", "w1", CommitMode::kReplace).ok());
  disk.Mark("writer");  // 1
  EXPECT_TRUE(
      Put(store, "ID/deep/payload.bin", Payload(), CommitMode::kIfAbsent).ok());
  disk.Mark("payload");  // 2
  EXPECT_TRUE(Put(store, "ID/writer.json", "w2", CommitMode::kReplace).ok());
  disk.Mark("writer renewed");  // 3
  EXPECT_TRUE(
      Put(store, "ID/manifest.json", "manifest", CommitMode::kIfAbsent).ok());
  disk.Mark("manifest");  // 4
  EXPECT_TRUE(store.Delete(kRun, "ID/writer.json").ok());
  disk.Mark("writer gone");  // 5
  EXPECT_TRUE(
      Put(store, "X/deep/gone", "short-lived", CommitMode::kIfAbsent).ok());
  disk.Mark("second archive");  // 6
  EXPECT_TRUE(store.Delete(kRun, "X/deep/gone").ok());
  disk.Mark("second archive gone");  // 7
  const std::string& p = Payload();
  const std::string m = "manifest";
  const std::string x = "none";
  return {{"ID/writer.json", {x, "w1", "w1", "w2", "w2", x, x, x}},
          {"ID/deep/payload.bin", {x, x, p, p, p, p, p, p}},
          {"ID/manifest.json", {x, x, x, x, m, m, m, m}},
          {"X/deep/gone", {x, x, x, x, x, x, "short-lived", x}}};
}

// Whether something was done since the last promise.
bool UnderWay(const std::vector<CrashEvent>& trace, size_t point) {
  return point > 0 && trace[point - 1].kind != CrashEvent::Kind::kMark;
}

// What is wrong with a crashed disk, or "".
std::string Check(const std::vector<History>& histories,
                  const CrashedDisk& crashed, bool under_way) {
  auto disk = crashed.Mount();
  LocalObjectStore store = StoreOver(disk.get());
  for (const History& history : histories) {
    const size_t now = crashed.marks();
    const size_t next = std::min(now + 1, history.holds.size() - 1);
    const std::string content = Get(store, history.name);
    if (content != history.holds[now] &&
        !(under_way && content == history.holds[next])) {
      return absl::StrCat(history.name, " holds '", content.substr(0, 20), "'");
    }
  }
  // Recovery: what was never committed goes, what was stays.
  std::vector<std::string> uploads;
  (void)store.ListUncommitted(kRun, "", [&](const ObjectInfo& object) {
    uploads.push_back(object.upload);
    return absl::OkStatus();
  });
  const std::string manifest = Get(store, "ID/manifest.json");
  for (const std::string& upload : uploads) {
    if (!store.AbortUncommitted(kRun, upload).ok()) return "sweep failed";
  }
  if (Get(store, "ID/manifest.json") != manifest) return "swept a manifest";
  return "";
}

TEST(LocalCrashTest, KeepsItsPromisesInEveryStateThatAPowerCutLeaves) {
  CrashFileSystem disk;
  const std::vector<History> histories = Publish(disk);
  const std::vector<CrashEvent> trace = disk.trace();
  CrashStateOptions options;
  options.max_states_per_point = 256;
  const CrashStateCount count =
      disk.ForEachCrash(options, [&](const CrashedDisk& crashed) {
        EXPECT_EQ(Check(histories, crashed, UnderWay(trace, crashed.point())),
                  "")
            << crashed.text();
        return !::testing::Test::HasFailure();
      });
  std::printf(
      "crash states visited: %zu different of %zu selections at %zu points, "
      "%lld syncs\n",
      count.states, count.selections, count.points,
      static_cast<long long>(disk.syncs()));
  EXPECT_FALSE(count.stopped);
  EXPECT_GE(count.states, 1000u);
}

TEST(LocalCrashTest, TakingOutAnyOneSyncBreaksAPromise) {
  int64_t syncs = 0;
  {
    CrashFileSystem disk;
    Publish(disk);
    syncs = disk.syncs();
  }
  for (int64_t n = 1; n <= syncs; ++n) {
    CrashFileSystem disk;
    disk.DropSync(n);
    // Settle counts from 1 again; the first sync is the test's own.
    const std::vector<History> histories = Publish(disk);
    const std::vector<CrashEvent> trace = disk.trace();
    std::string broken;
    disk.ForEachCrash({}, [&](const CrashedDisk& crashed) {
      broken = Check(histories, crashed, UnderWay(trace, crashed.point()));
      return broken.empty();
    });
    EXPECT_NE(broken, "") << "sync " << n << " of " << syncs
                          << " is not needed, or not tested";
  }
  std::printf("syncs taken out one by one: %lld, all noticed\n",
              static_cast<long long>(syncs));
}

}  // namespace
}  // namespace sluice
