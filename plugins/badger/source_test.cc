#include "sluice/plugins/badger/source.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/base/error.h"
#include "sluice/base/fault_file_system.h"
#include "sluice/base/file_system.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/plugins/badger/collecting_sink.h"
#include "sluice/plugins/badger/fake_payload.h"
#include "sluice/plugins/badger/fixture.h"
#include "sluice/plugins/badger/image.h"
#include "sluice/plugins/badger/source_options.h"
#include "sluice/plugins/badger/store_id.h"
#include "sluice/plugins/badger/table_writer.h"
#include "sluice/plugins/badger/version_reader.h"
#include "sluice/plugins/sdk/run.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice {
namespace badger {
namespace {

// A payload with what its backup left beside it.
class StoredPayload : public FakePayload {
 public:
  explicit StoredPayload(const CollectingSink& sink)
      : FakePayload(sink.payload), stored_(sink.metadata) {}
  const sdk::Metadata& metadata() const override { return stored_; }

 private:
  const sdk::Metadata stored_;
};

class RestoreOf : public sdk::RestoreRequest {
 public:
  explicit RestoreOf(const std::vector<CollectingSink>& chain) {
    for (const CollectingSink& sink : chain) {
      payloads_.push_back(std::make_unique<StoredPayload>(sink));
      borrowed_.push_back(payloads_.back().get());
    }
  }
  absl::string_view store_id() const override { return "the-store"; }
  absl::Span<sdk::Payload* const> payloads() const override {
    return borrowed_;
  }
  void AddWarning(absl::string_view word, absl::string_view message) override {
    words.push_back(std::string(word));
  }

  std::vector<std::string> words;  // of the warnings

 private:
  std::vector<std::unique_ptr<StoredPayload>> payloads_;
  std::vector<sdk::Payload*> borrowed_;
};

class SourceTest : public testing::Test {
 protected:
  SourceTest() {
    std::string root = testing::TempDir() + "/source-XXXXXX";
    root_ = mkdtemp(root.data()) == nullptr ? "" : root;
    std::filesystem::create_directory(root_ + "/scratch");
  }
  ~SourceTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  SourceOptions OptionsOf(const Fixture& fixture) const {
    SourceOptions options = At(fixture.Options().folder);
    options.value_folder = fixture.Options().value_folder;
    options.master_key = fixture.Options().master_key;
    return options;
  }
  SourceOptions At(const std::string& folder) const {
    SourceOptions options;
    options.folder = folder;
    options.scratch = root_ + "/scratch";
    return options;
  }

  absl::Status Backup(const SourceOptions& options, CollectingSink& sink,
                      const sdk::BackupRequest& request = {},
                      const sdk::Run& run = sdk::Run()) const {
    return MakeBadgerSource(options)->Backup(run, request, sink);
  }
  std::string WordOfBackup(const SourceOptions& options) const {
    CollectingSink sink;
    const absl::Status status = Backup(options, sink);
    EXPECT_EQ(sink.ends, status.ok() ? 1 : 0);
    return ErrorCodeOf(status);
  }
  size_t FilesIn(const std::string& folder) const {
    size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      files += entry.exists() ? 1 : 0;
    }
    return files;
  }

  std::string root_;
};

sdk::BackupRequest On(const CollectingSink& base) {
  sdk::BackupRequest request;
  request.has_base = true;
  request.base_backup_id = "base";
  request.base_metadata = base.metadata;
  return request;
}

TEST_F(SourceTest, EachFixtureComesBackAsItsLiveListing) {
  for (const std::string& name : FixtureNames()) {
    for (const bool offline : {false, true}) {
      const Fixture fixture(name);
      SourceOptions options = OptionsOf(fixture);
      options.offline = offline;
      CollectingSink sink;
      const absl::Status status = Backup(options, sink);
      ASSERT_TRUE(status.ok()) << name << ": " << status;
      EXPECT_EQ(FilesIn(options.scratch), 0u) << name;
      const std::string target = absl::StrCat(root_, "/", name, offline);
      RestoreOf request({sink});
      const absl::Status restored =
          MakeBadgerSource(At(target))->Restore(sdk::Run(), request);
      ASSERT_TRUE(restored.ok()) << name << ": " << restored;
      ImageOptions image;
      image.folder = target;
      const auto listed = List(image);
      ASSERT_TRUE(listed.ok()) << name << ": " << listed.status();
      EXPECT_EQ(listed->live, fixture.Expected().live) << name;
      EXPECT_EQ(listed->versions.size(), sink.counts.at("versions")) << name;
      EXPECT_EQ(ReadBytes(target + "/" + kStoreIdFile), "the-store\n");
    }
  }
}

TEST_F(SourceTest, WhatIsNoDatabaseIsAnErrorAndStaysAsItIs) {
  EXPECT_EQ(WordOfBackup(At(root_ + "/absent")), kSourceUnavailable);
  EXPECT_FALSE(std::filesystem::exists(root_ + "/absent"));
  std::filesystem::create_directory(root_ + "/empty");
  EXPECT_EQ(WordOfBackup(At(root_ + "/empty")), kSourceEmpty);
  EXPECT_EQ(FilesIn(root_ + "/empty"), 0u);
  std::filesystem::create_directory(root_ + "/other");
  WriteBytes(root_ + "/other/file", "mine");
  EXPECT_EQ(WordOfBackup(At(root_ + "/other")), kSourceUnavailable);
  EXPECT_EQ(FilesIn(root_ + "/other"), 1u);
  EXPECT_EQ(FilesIn(root_ + "/scratch"), 0u);
}

TEST_F(SourceTest, AForgottenValueFolderIsHintedAtAndNoScratchIsNamed) {
  for (const char* name : {"v2-many-logs", "v4-snappy-vlog"}) {
    const Fixture fixture(name);
    SourceOptions options = OptionsOf(fixture);
    const std::filesystem::path values = absl::StrCat(root_, "/values-", name);
    std::filesystem::create_directory(values);
    for (const auto& entry :
         std::filesystem::directory_iterator(options.folder)) {
      if (entry.path().extension() != ".vlog") continue;
      std::filesystem::rename(entry.path(), values / entry.path().filename());
    }
    CollectingSink sink;
    const absl::Status status = Backup(options, sink);
    EXPECT_NE(ErrorCodeOf(status), kSourceEmpty) << status;
    EXPECT_TRUE(absl::StrContains(HintOf(status), "value_dir=DIR")) << status;
    EXPECT_EQ(sink.ends, 0);
    EXPECT_FALSE(absl::StrContains(status.message(), options.scratch))
        << status;
    options.value_folder = values.string();
    EXPECT_EQ(WordOfBackup(options), "");
  }
}

TEST_F(SourceTest, AFolderThatMayNotBeReadIsToldAsThat) {
  const Fixture fixture("v4-none-inline");
  FaultPlan plan;
  FaultFileSystem files(FileSystem::Posix(), &plan);
  const auto word_where = [&](FileOp op, bool describes) {
    plan.Reset();
    plan.SetFilter([op](const FileCall& call) { return call.op == op; });
    plan.StrikeAt(1, Fault::Error(EACCES));
    const auto source = MakeBadgerSource(OptionsOf(fixture), &files);
    CollectingSink sink;
    const absl::Status status = describes
                                    ? source->Describe(sdk::Run()).status()
                                    : source->Backup(sdk::Run(), {}, sink);
    EXPECT_TRUE(absl::StrContains(status.message(), fixture.folder()))
        << status;
    EXPECT_FALSE(absl::StrContains(status.message(), "restore")) << status;
    return ErrorCodeOf(status);
  };
  EXPECT_EQ(word_where(FileOp::kBeneath, true), kSourcePermissionDenied);
  EXPECT_EQ(word_where(FileOp::kBeneath, false), kSourcePermissionDenied);
  EXPECT_EQ(word_where(FileOp::kList, true), kSourcePermissionDenied);
  EXPECT_EQ(word_where(FileOp::kList, false), kSourcePermissionDenied);
}

TEST_F(SourceTest, TheStoreIdIsTheSameBeforeAndAfterTheFirstBackupAndAMove) {
  const Fixture fixture("v4-none-inline");
  const SourceOptions options = OptionsOf(fixture);
  const auto before = MakeBadgerSource(options)->Describe(sdk::Run());
  ASSERT_TRUE(before.ok()) << before.status();
  EXPECT_TRUE(IsStoreId(before->store_id)) << before->store_id;
  EXPECT_FALSE(before->empty);
  EXPECT_FALSE(std::filesystem::exists(options.folder + "/" + kStoreIdFile));
  CollectingSink sink;
  ASSERT_TRUE(Backup(options, sink).ok());
  EXPECT_EQ(ReadBytes(options.folder + "/" + kStoreIdFile),
            before->store_id + "\n");
  // As after `badger rotate`, which makes KEYREGISTRY anew.
  std::filesystem::copy(options.folder, root_ + "/moved");
  std::filesystem::remove(root_ + "/moved/KEYREGISTRY");
  const auto moved =
      MakeBadgerSource(At(root_ + "/moved"))->Describe(sdk::Run());
  ASSERT_TRUE(moved.ok());
  EXPECT_EQ(moved->store_id, before->store_id);
}

TEST_F(SourceTest, AGivenStoreIdWritesNothingIntoTheDatabase) {
  const Fixture fixture("v4-none-inline");
  SourceOptions options = OptionsOf(fixture);
  options.store_id = "given";
  const size_t files = FilesIn(options.folder);
  CollectingSink sink;
  ASSERT_TRUE(Backup(options, sink).ok());
  EXPECT_EQ(FilesIn(options.folder), files);
  EXPECT_EQ(MakeBadgerSource(options)->Describe(sdk::Run())->store_id, "given");
}

TEST_F(SourceTest, LiveTakesNoLockAndOfflineIsRefusedWhileAnotherHasIt) {
  const Fixture fixture("v4-none-inline");
  SourceOptions options = OptionsOf(fixture);
  const int fd = open(options.folder.c_str(), O_RDONLY | O_DIRECTORY);
  ASSERT_EQ(flock(fd, LOCK_EX | LOCK_NB), 0);
  EXPECT_EQ(WordOfBackup(options), "");
  options.offline = true;
  EXPECT_EQ(WordOfBackup(options), kSourceUnavailable);
  close(fd);
  EXPECT_EQ(WordOfBackup(options), "");
}

TEST_F(SourceTest, AnIncrementHoldsWhatIsAboveItsBaseAndTheChainComesBack) {
  const Fixture fixture("v4-versions");
  CollectingSink full;
  ASSERT_TRUE(Backup(OptionsOf(fixture), full).ok());
  // A base in the middle of the history.
  const std::vector<OwnedEntry> entries = EntriesOf(full.payload);
  uint64_t max_version = 0;
  ASSERT_TRUE(
      absl::SimpleAtoi(full.metadata["badger.max_version"], &max_version));
  const uint64_t middle = max_version / 2;
  CollectingSink base = full;
  base.metadata["badger.max_version"] = absl::StrCat(middle);
  std::vector<OwnedEntry> old;
  for (const OwnedEntry& entry : entries) {
    if (entry.version <= middle) old.push_back(entry);
  }
  ASSERT_GT(old.size(), 0u);
  ASSERT_LT(old.size(), entries.size());
  base.payload = StreamOf(old);
  CollectingSink increment;
  ASSERT_TRUE(Backup(OptionsOf(fixture), increment, On(base)).ok());
  EXPECT_EQ(increment.metadata.count("sluice.full"), 0u);
  EXPECT_EQ(increment.counts.at("versions"), entries.size() - old.size());
  EXPECT_EQ(increment.metadata.at("badger.live_keys"),
            full.metadata.at("badger.live_keys"));
  RestoreOf request({base, increment});
  const absl::Status restored =
      MakeBadgerSource(At(root_ + "/chain"))->Restore(sdk::Run(), request);
  ASSERT_TRUE(restored.ok()) << restored;
  ImageOptions image;
  image.folder = root_ + "/chain";
  EXPECT_EQ(List(image)->live, fixture.Expected().live);
}

// Compaction has dropped the tombstone of a key that the base holds.
TEST_F(SourceTest, AChainThatWouldBringBackADeletedKeyIsRefused) {
  const Fixture fixture("v4-versions");
  CollectingSink full;
  ASSERT_TRUE(Backup(OptionsOf(fixture), full).ok());
  CollectingSink base = full;
  std::vector<OwnedEntry> entries = EntriesOf(full.payload);
  OwnedEntry deleted;
  deleted.key = "zz-deleted-since";
  deleted.value = "value";
  deleted.version = 1;
  entries.push_back(deleted);
  base.payload = StreamOf(entries);
  CollectingSink increment;
  ASSERT_TRUE(Backup(OptionsOf(fixture), increment, On(base)).ok());
  RestoreOf request({base, increment});
  EXPECT_EQ(
      ErrorCodeOf(
          MakeBadgerSource(At(root_ + "/chain"))->Restore(sdk::Run(), request)),
      kRestorePreconditionFailed);
  EXPECT_FALSE(std::filesystem::exists(root_ + "/chain"));
}

TEST_F(SourceTest, ABaseOfAnotherIncarnationOrAboveTheStoreMakesAFullBackup) {
  const Fixture fixture("v4-versions");
  CollectingSink full;
  ASSERT_TRUE(Backup(OptionsOf(fixture), full).ok());
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"badger.incarnation", "00112233445566778899aabbccddeeff"},
      {"badger.max_version", "18446744073709551615"},
      {"badger.max_version", "none"}};
  for (const auto& [key, value] : changes) {
    CollectingSink base = full;
    base.metadata[key] = value;
    CollectingSink again;
    ASSERT_TRUE(Backup(OptionsOf(fixture), again, On(base)).ok());
    EXPECT_EQ(again.metadata.at("sluice.full"), "1");
    EXPECT_EQ(again.counts, full.counts);
  }
}

TEST_F(SourceTest, AWrongKeyIsToldAsThat) {
  const Fixture fixture("v4-aes256-snappy");
  SourceOptions options = OptionsOf(fixture);
  options.master_key = std::string(32, 'x');
  EXPECT_EQ(WordOfBackup(options), kSourceWrongKey);
  EXPECT_EQ(FilesIn(options.scratch), 0u);
}

// What an application needs to open what was restored.
class TraitsTest : public SourceTest {
 protected:
  // Backs up `name`, and restores it with `options`.
  absl::Status Copy(const std::string& name, SourceOptions options) {
    const Fixture fixture(name);
    CollectingSink sink;
    SLUICE_RETURN_IF_ERROR(Backup(OptionsOf(fixture), sink));
    RestoreOf request({sink});
    const absl::Status restored =
        MakeBadgerSource(std::move(options))->Restore(sdk::Run(), request);
    words_ = request.words;
    return restored;
  }
  absl::Status Copy(const std::string& name) { return Copy(name, Target()); }
  SourceOptions Target() const { return At(root_ + "/target"); }

  ImageSummary Summary() const {
    const auto image = OpenTarget();
    return image == nullptr ? ImageSummary() : image->summary();
  }
  std::unique_ptr<Image> OpenTarget() const {
    ImageOptions options;
    options.folder = root_ + "/target";
    auto image = Image::Open(*FileSystem::Posix(), options);
    EXPECT_TRUE(image.ok()) << image.status();
    return image.ok() ? *std::move(image) : nullptr;
  }
  std::set<uint32_t> Levels() const {
    std::set<uint32_t> levels;
    for (const TableSummary& table : Summary().tables) {
      levels.insert(table.listed.level);
    }
    return levels;
  }

  std::vector<std::string> words_;  // of the warnings of the last restore
};

TEST_F(TraitsTest, ABadger2StoreComesBackAsOne) {
  ASSERT_TRUE(Copy("v2-snappy-levels").ok());
  EXPECT_EQ(Summary().manifest_version, 7);
}

TEST_F(TraitsTest, AFormatThatIsNamedIsWritten) {
  SourceOptions options = Target();
  options.restore_format = DiskFormat::kBadger4;
  ASSERT_TRUE(Copy("v2-snappy-levels", options).ok());
  EXPECT_EQ(Summary().manifest_version, 8);
}

TEST_F(TraitsTest, TheExternalMagicIsKept) {
  ASSERT_TRUE(Copy("v4-external-magic").ok());
  EXPECT_EQ(Summary().external_magic, 1);
}

TEST_F(TraitsTest, AnExternalMagicThatIsNamedIsWritten) {
  SourceOptions options = Target();
  options.external_magic = 513;
  ASSERT_TRUE(Copy("v4-external-magic", options).ok());
  EXPECT_EQ(Summary().external_magic, 513);
}

TEST_F(TraitsTest, TablesLieOnLevelsThatTheApplicationHas) {
  ASSERT_TRUE(Copy("v4-five-levels").ok());
  EXPECT_EQ(Levels(), std::set<uint32_t>{1});  // every application has it
}

TEST_F(TraitsTest, TablesLieOnTheDeepestLevelThatTheStoreUsed) {
  ASSERT_TRUE(Copy("v4-zstd-levels").ok());
  EXPECT_EQ(Levels(), std::set<uint32_t>{6});
}

TEST_F(TraitsTest, TheNumberOfLevelsCanBeNamed) {
  SourceOptions options = Target();
  options.levels = 5;
  ASSERT_TRUE(Copy("v4-zstd-levels", options).ok());
  EXPECT_EQ(Levels(), std::set<uint32_t>{4});
}

TEST_F(TraitsTest, ABannedNamespaceStaysBanned) {
  ASSERT_TRUE(Copy("v4-banned").ok());
  EXPECT_EQ(*OpenTarget()->BannedNamespaces(), (std::vector<uint64_t>{2}));
  // The copy of a copy, too.
  CollectingSink sink;
  ASSERT_TRUE(Backup(At(root_ + "/target"), sink).ok());
  EXPECT_EQ(sink.metadata.at("badger.banned"), "2");
}

TEST_F(TraitsTest, BansAreNotDroppedForAFormatThatHasNone) {
  SourceOptions options = Target();
  options.restore_format = DiskFormat::kBadger2;
  EXPECT_EQ(ErrorCodeOf(Copy("v4-banned", options)),
            kRestorePreconditionFailed);
  EXPECT_FALSE(std::filesystem::exists(root_ + "/target"));
}

TEST_F(TraitsTest, AnEncryptedStoreThatComesBackPlainIsAWarning) {
  ASSERT_TRUE(Copy("v4-aes256-snappy").ok());
  EXPECT_EQ(words_, std::vector<std::string>{"badger_restored_plain"});
}

TEST_F(TraitsTest, AStoreThatWasPlainComesBackWithoutAWord) {
  ASSERT_TRUE(Copy("v4-snappy-vlog").ok());
  EXPECT_EQ(words_, std::vector<std::string>{});
}

TEST_F(TraitsTest, WhatWasInValueLogsComesBackThere) {
  for (const char* name : {"v4-snappy-vlog", "v2-none"}) {
    ASSERT_TRUE(Copy(name).ok()) << name;
    const std::unique_ptr<Image> image = OpenTarget();
    const auto reader = image->ReadVersions();
    uint64_t shortest_logged = UINT64_MAX;
    uint64_t longest_in_a_table = 0;
    for (std::string value; (*reader)->Valid();) {
      ASSERT_TRUE((*reader)->ReadValue(value).ok());
      const uint64_t bytes = value.size();
      if ((*reader)->values().front().is_pointer()) {
        shortest_logged = std::min(shortest_logged, bytes);
      } else {
        longest_in_a_table = std::max(longest_in_a_table, bytes);
      }
      ASSERT_TRUE((*reader)->Next().ok());
    }
    EXPECT_LT(longest_in_a_table, shortest_logged) << name;
    EXPECT_NE(shortest_logged, UINT64_MAX) << name;
    std::filesystem::remove_all(root_ + "/target");
  }
}

TEST_F(TraitsTest, ValueLogsGoToTheirFolder) {
  for (const char* name : {"v4-snappy-vlog", "v2-none"}) {
    SourceOptions options = Target();
    options.value_folder = root_ + "/values";
    ASSERT_TRUE(Copy(name, options).ok()) << name;
    ImageOptions image;
    image.folder = root_ + "/target";
    EXPECT_FALSE(List(image).ok()) << name;
    image.value_folder = options.value_folder;
    const auto listed = List(image);
    ASSERT_TRUE(listed.ok()) << listed.status();
    EXPECT_EQ(listed->live, Fixture(name).Expected().live) << name;
    EXPECT_FALSE(std::filesystem::exists(image.folder + "/.sluice-restore"));
    EXPECT_FALSE(
        std::filesystem::exists(image.value_folder + "/.sluice-restore"));
    std::filesystem::remove_all(image.folder);
    std::filesystem::remove_all(image.value_folder);
  }
}

// Of a chain that does not ascend what was written first is read again.
TEST_F(TraitsTest, ValuesOfLogsOutliveAMerge) {
  const Fixture fixture("v4-snappy-vlog");
  CollectingSink sink;
  ASSERT_TRUE(Backup(OptionsOf(fixture), sink).ok());
  SourceOptions options = Target();
  options.value_folder = root_ + "/values";
  RestoreOf request({sink, sink});
  const absl::Status restored =
      MakeBadgerSource(options)->Restore(sdk::Run(), request);
  ASSERT_TRUE(restored.ok()) << restored;
  ImageOptions image;
  image.folder = options.folder;
  image.value_folder = options.value_folder;
  EXPECT_EQ(List(image)->live, fixture.Expected().live);
}

TEST_F(TraitsTest, ARestoreThatFailsLeavesNoLogsBehind) {
  const Fixture fixture("v4-snappy-vlog");
  CollectingSink sink;
  ASSERT_TRUE(Backup(OptionsOf(fixture), sink).ok());
  FaultPlan plan;
  FaultFileSystem files(FileSystem::Posix(), &plan);
  SourceOptions options = Target();
  options.value_folder = root_ + "/values";
  for (const char* name : {"MANIFEST", "000002.vlog"}) {
    plan.Reset();
    plan.SetFilter([name](const FileCall& call) {
      return call.op == FileOp::kRenameNoReplace &&
             absl::EndsWith(call.path, name);
    });
    plan.StrikeAt(1, Fault::Error(EIO));
    RestoreOf request({sink});
    EXPECT_EQ(
        ErrorCodeOf(
            MakeBadgerSource(options, &files)->Restore(sdk::Run(), request)),
        kSourceFailed);
    EXPECT_TRUE(plan.struck()) << name;
    EXPECT_FALSE(std::filesystem::exists(options.folder)) << name;
    EXPECT_FALSE(std::filesystem::exists(options.value_folder)) << name;
  }
}

TEST_F(TraitsTest, MetadataThatNobodyWroteIsRefused) {
  const Fixture fixture("v4-banned");
  CollectingSink sink;
  ASSERT_TRUE(Backup(OptionsOf(fixture), sink).ok());
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"badger.format", "seven"},       {"badger.external_magic", "65536"},
      {"badger.deepest_level", "4000"}, {"badger.banned", "2,2"},
      {"badger.banned", "2,x"},         {"badger.encrypted", "2"}};
  for (const auto& [key, value] : changes) {
    CollectingSink changed = sink;
    changed.metadata[key] = value;
    RestoreOf request({changed});
    EXPECT_EQ(
        ErrorCodeOf(MakeBadgerSource(Target())->Restore(sdk::Run(), request)),
        kArchiveDamaged)
        << key << "=" << value;
  }
}

// A run that is cancelled from its n-th look on.
class CancelledAfter {
 public:
  explicit CancelledAfter(int looks) : left_(looks) {
    table_.struct_size = sizeof(table_);
    table_.self = this;
    table_.cancelled = [](void* self) -> uint32_t {
      return --static_cast<CancelledAfter*>(self)->left_ < 0 ? 1 : 0;
    };
  }
  sdk::Run run() const { return sdk::Run(&table_); }

 private:
  sluice_run table_{};
  int64_t left_;
};

TEST_F(SourceTest, ACancelAtAnyPointEndsItAndLeavesNoScratch) {
  const Fixture fixture("v4-sigkill");
  int cancelled = 0;
  for (int looks = 0; looks < 1000000; looks = looks * 3 / 2 + 1) {
    CancelledAfter cancelled_run(looks);
    CollectingSink sink;
    const absl::Status status =
        Backup(OptionsOf(fixture), sink, {}, cancelled_run.run());
    EXPECT_EQ(FilesIn(root_ + "/scratch"), 0u);
    if (status.ok()) break;
    ++cancelled;
    EXPECT_EQ(status.code(), absl::StatusCode::kCancelled) << status;
    EXPECT_EQ(sink.ends, 0);
  }
  EXPECT_GT(cancelled, 10);
}

TEST_F(SourceTest, ARestoreNeedsAnEmptyValueFolder) {
  const Fixture fixture("v4-none-inline");
  CollectingSink sink;
  ASSERT_TRUE(Backup(OptionsOf(fixture), sink).ok());
  SourceOptions options = At(root_ + "/db");
  options.value_folder = root_ + "/values";
  std::filesystem::create_directory(options.value_folder);
  WriteBytes(options.value_folder + "/000001.vlog", "old");
  RestoreOf request({sink});
  EXPECT_EQ(
      ErrorCodeOf(MakeBadgerSource(options)->Restore(sdk::Run(), request)),
      kRestorePreconditionFailed);
  EXPECT_FALSE(std::filesystem::exists(options.folder));
}

}  // namespace
}  // namespace badger
}  // namespace sluice
