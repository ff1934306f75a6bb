#include "sluice/plugins/badger/source.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
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
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/base/file_system.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/store_id.h"
#include "sluice/base/testing/fault_file_system.h"
#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/plugins/badger/image/image.h"
#include "sluice/plugins/badger/image/store_id.h"
#include "sluice/plugins/badger/image/version_reader.h"
#include "sluice/plugins/badger/restore/table_writer.h"
#include "sluice/plugins/badger/source_options.h"
#include "sluice/plugins/badger/testing/backup_chain.h"
#include "sluice/plugins/badger/testing/collecting_sink.h"
#include "sluice/plugins/badger/testing/fake_payload.h"
#include "sluice/plugins/badger/testing/fixture.h"
#include "sluice/plugins/sdk/run.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice {
namespace badger {
namespace {

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

// That of a log that is held is read once, for the stream.
TEST_F(SourceTest, AValueWhoseChecksumIsWrongFailsTheBackup) {
  for (const bool offline : {false, true}) {
    const Fixture fixture("v2-snappy-levels");
    const std::string log = fixture.folder() + "/000000.vlog";
    std::string bytes = ReadBytes(log);
    // Ends of values, of whichever are alive.
    for (size_t at = 2000; at < bytes.size(); at += 4000) bytes[at] ^= 1;
    WriteBytes(log, bytes);
    SourceOptions options = OptionsOf(fixture);
    options.offline = offline;
    CollectingSink sink;
    const absl::Status status = Backup(options, sink);
    EXPECT_EQ(ErrorCodeOf(status), kSourceFailed) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "000000.vlog")) << status;
    EXPECT_EQ(sink.ends, 0);
  }
}

// While the stream is sent another program puts another file's bytes into a
// value log, by its name.
class OverwritingSink final : public CollectingSink {
 public:
  explicit OverwritingSink(std::string log) : log_(std::move(log)) {}
  absl::Status Write(absl::string_view bytes) override {
    std::fstream file(log_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(15);  // of its IV
    file.put('\x5a');
    return CollectingSink::Write(bytes);
  }

 private:
  const std::string log_;
};

TEST_F(SourceTest, ALogThatIsWrittenOverWhileItIsReadFailsTheBackup) {
  const Fixture fixture("v2-none");
  OverwritingSink sink(fixture.folder() + "/000000.vlog");
  const absl::Status status = Backup(OptionsOf(fixture), sink);
  EXPECT_EQ(ErrorCodeOf(status), kSourceFailed);
  EXPECT_TRUE(IsRetryable(status)) << status;
  EXPECT_EQ(sink.ends, 0);
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

// What the library lists of a store, and the state of it before.
class Increments : public SourceTest {
 protected:
  // Unpacks testdata/NAME: base/, later/ and expected.jsonl.
  void Unpack(const std::string& name) {
    const std::string command = absl::StrCat(
        "tar --zstd -xf plugins/badger/testdata/", name, ".tar.zst -C ", root_);
    ASSERT_EQ(system(command.c_str()), 0) << command;
    folder_ = absl::StrCat(root_, "/", name);
  }
  // What lies in folder `state` is the database now, and is backed up on all
  // before it.
  void BackUp(const std::string& state) {
    const std::string database = root_ + "/db";
    std::filesystem::remove_all(database);
    std::filesystem::copy(absl::StrCat(folder_, "/", state), database,
                          std::filesystem::copy_options::recursive);
    const bool has_base = !chain_.empty();
    const OnChain base(has_base ? chain_ : std::vector<CollectingSink>(1));
    CollectingSink sink;
    const absl::Status status =
        Backup(At(database), sink, has_base ? base.request() : no_base_);
    ASSERT_TRUE(status.ok()) << status;
    if (sink.metadata.count("sluice.full") > 0) chain_.clear();
    chain_.push_back(std::move(sink));
  }
  void ExpectRestoresTo(const Listing& expected) {
    RestoreOf request(chain_);
    const std::string target = root_ + "/restored";
    const absl::Status restored =
        MakeBadgerSource(At(target))->Restore(sdk::Run(), request);
    ASSERT_TRUE(restored.ok()) << restored;
    ImageOptions image;
    image.folder = target;
    const auto listed = List(image);
    ASSERT_TRUE(listed.ok()) << listed.status();
    EXPECT_EQ(listed->live, expected);
  }
  // Without what has expired since it was listed.
  Listing Expected() const {
    Listing alive;
    for (const std::string& line : ReadListing(folder_ + "/expected.jsonl")) {
      uint64_t expires_at = 0;
      EXPECT_TRUE(
          absl::SimpleAtoi(line.substr(line.rfind('x') + 1), &expires_at));
      if (expires_at == 0 || absl::FromUnixSeconds(expires_at) > absl::Now()) {
        alive.push_back(line);
      }
    }
    return alive;
  }

  const sdk::BackupRequest no_base_{};
  std::string folder_;
  std::vector<CollectingSink> chain_;
};

TEST_F(Increments, AfterADropAllWithTheSameKeysAndVersionsHoldTheNewValues) {
  Unpack("increment-after-dropall-v4");
  BackUp("base");
  BackUp("later");
  ExpectRestoresTo(Expected());
}

TEST_F(Increments, AfterASessionOfDeletesAreRestored) {
  Unpack("increment-with-deletes-v2");
  BackUp("base");
  BackUp("later");
  ExpectRestoresTo(Expected());
  EXPECT_EQ(chain_.size(), 2u) << chain_.back().metadata["sluice.full_reason"];
  EXPECT_LT(chain_[1].payload.size(), chain_[0].payload.size());
  // Of a store in which nothing happened there is nothing to say.
  BackUp("later");
  EXPECT_EQ(chain_.back().payload, "");
  EXPECT_LT(chain_.back().index.size(), 16u);
}

TEST_F(Increments, OfADirectoryThatWasRolledBackAreWhatItIsNow) {
  Unpack("increment-with-deletes-v2");
  BackUp("base");
  const Listing before = [&] {
    ImageOptions image;
    image.folder = root_ + "/db";
    return List(image)->live;
  }();
  BackUp("later");
  BackUp("base");
  EXPECT_EQ(chain_.size(), 1u) << "an increment on what came later";
  EXPECT_NE(chain_[0].metadata["sluice.full_reason"], "");
  ExpectRestoresTo(before);
}

// Compaction has dropped the tombstone of a key that the base holds. No index
// told of it when archives had none: such a chain is refused.
TEST_F(SourceTest, AChainThatWouldBringBackADeletedKeyIsRefused) {
  const Fixture fixture("v4-versions");
  CollectingSink increment;
  ASSERT_TRUE(Backup(OptionsOf(fixture), increment).ok());
  CollectingSink base = increment;
  std::vector<OwnedEntry> entries = EntriesOf(increment.payload);
  OwnedEntry deleted;
  deleted.key = "zz-deleted-since";
  deleted.value = "value";
  deleted.version = 1;
  entries.push_back(deleted);
  base.payload = StreamOf(entries);
  for (const bool is_old : {false, true}) {
    if (is_old) increment.metadata.erase("badger.content_digest");
    RestoreOf request({base, increment});
    EXPECT_EQ(ErrorCodeOf(MakeBadgerSource(At(root_ + "/chain"))
                              ->Restore(sdk::Run(), request)),
              kRestorePreconditionFailed);
    EXPECT_FALSE(std::filesystem::exists(root_ + "/chain"));
  }
}

// And is not out of reach.
TEST_F(SourceTest, ARefusedChainIsRestoredWhereTheMismatchIsAccepted) {
  const Fixture fixture("v4-none-inline");
  CollectingSink sink;
  ASSERT_TRUE(Backup(OptionsOf(fixture), sink).ok());
  sink.metadata["badger.content_digest"] = std::string(32, '0');
  SourceOptions options = At(root_ + "/chain");
  RestoreOf refused({sink});
  EXPECT_EQ(
      ErrorCodeOf(MakeBadgerSource(options)->Restore(sdk::Run(), refused)),
      kRestorePreconditionFailed);
  options.accept_mismatch = true;
  RestoreOf accepted({sink});
  const absl::Status status =
      MakeBadgerSource(options)->Restore(sdk::Run(), accepted);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(accepted.words,
            std::vector<std::string>{"badger_restored_mismatch"});
  ImageOptions image;
  image.folder = options.folder;
  EXPECT_EQ(List(image)->live, fixture.Expected().live);
}

TEST_F(SourceTest, ABaseThatNothingCanBeBuiltOnMakesAFullBackupThatSaysWhy) {
  const Fixture fixture("v4-versions");
  CollectingSink full;
  ASSERT_TRUE(Backup(OptionsOf(fixture), full).ok());
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"badger.incarnation", "00112233445566778899aabbccddeeff"},
      {"badger.max_version", "18446744073709551615"},
      {"badger.max_version", "none"},
      {"badger.live_at", "18446744073709551615"},
      {"badger.index", "2"}};
  for (const auto& [key, value] : changes) {
    CollectingSink base = full;
    base.metadata[key] = value;
    CollectingSink again;
    const OnChain on({base});
    ASSERT_TRUE(Backup(OptionsOf(fixture), again, on.request()).ok());
    EXPECT_EQ(again.metadata.at("sluice.full"), "1");
    EXPECT_NE(again.metadata.at("sluice.full_reason"), "") << key;
    EXPECT_EQ(again.counts, full.counts);
    EXPECT_EQ(again.index, full.index);
  }
}

TEST_F(SourceTest, AnIndexThatIsDamagedOrMissingMakesAFullBackup) {
  const Fixture fixture("v4-versions");
  CollectingSink full;
  ASSERT_TRUE(Backup(OptionsOf(fixture), full).ok());
  for (const size_t size : {size_t{0}, size_t{5}, full.index.size() - 1}) {
    CollectingSink base = full;
    base.index.resize(size);
    CollectingSink again;
    const OnChain on({base});
    ASSERT_TRUE(Backup(OptionsOf(fixture), again, on.request()).ok());
    EXPECT_EQ(again.metadata.at("sluice.full"), "1") << size;
    EXPECT_EQ(again.counts, full.counts);
  }
}

TEST_F(SourceTest, AHostThatKeepsNoIndexGetsFullBackups) {
  const Fixture fixture("v4-versions");
  CollectingSink full;
  full.keeps = false;
  ASSERT_TRUE(Backup(OptionsOf(fixture), full).ok());
  EXPECT_EQ(full.index, "");
  EXPECT_EQ(full.metadata.count("badger.index"), 0u);
  CollectingSink again;
  again.keeps = false;
  const OnChain on({full});
  ASSERT_TRUE(Backup(OptionsOf(fixture), again, on.request()).ok());
  EXPECT_EQ(again.metadata.at("sluice.full"), "1");
  EXPECT_EQ(again.index, "");
  EXPECT_EQ(again.payload, full.payload);
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
