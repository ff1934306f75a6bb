#include "sluice/destinations/archive/testing/archive_suite.h"

#include <algorithm>
#include <map>
#include <thread>  // NOLINT
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "sluice/base/error.h"
#include "sluice/destinations/archive/format/manifest.h"
#include "sluice/destinations/archive/format/names.h"
#include "sluice/destinations/archive/format/sha256.h"
#include "sluice/destinations/archive/protocol/fence.h"
#include "sluice/destinations/archive/protocol/lease.h"
#include "sluice/destinations/archive/protocol/object_io.h"
#include "sluice/destinations/archive/testing/archive_fixture.h"
#include "sluice/destinations/archive/testing/fake_payload.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::string CodeOf(const absl::Status& status) { return ErrorCodeOf(status); }

std::vector<std::string> IdsOf(const std::vector<Manifest>& manifests) {
  std::vector<std::string> ids;
  for (const Manifest& manifest : manifests)
    ids.push_back(manifest.backup_id());
  return ids;
}

}  // namespace

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ArchiveSuite);

ArchiveSuite::ArchiveSuite() : store_(GetParam().make()) {
  options_ = TestOptions();
  archives_ = ArchiveDestination::Create(store_, &clock_, options_);
  EXPECT_EQ(InitTestRepo(*store_), absl::OkStatus());
}

void ArchiveSuite::Overwrite(const std::string& name,
                             const std::string& bytes) {
  const CommitOutcome outcome =
      StoreObject(context_, *store_, name, bytes, CommitMode::kReplace);
  ASSERT_EQ(outcome.kind, CommitOutcome::kStored) << outcome.status;
}

std::string ArchiveSuite::ReadWhole(const std::string& name) {
  absl::StatusOr<std::string> bytes =
      ReadObject(context_, *store_, name, uint64_t{1} << 30);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return bytes.value_or("");
}

std::vector<std::string> ArchiveSuite::Names() {
  std::vector<std::string> names;
  EXPECT_EQ(store_->List(context_, "",
                         [&](const ObjectInfo& info) {
                           names.push_back(info.name);
                           return absl::OkStatus();
                         }),
            absl::OkStatus());
  return names;
}

std::vector<std::string> ArchiveSuite::NamesOf(const std::string& backup_id) {
  std::vector<std::string> files;
  for (const std::string& name : Names()) {
    const SplitName split = SplitObjectName(name);
    if (split.backup_id == backup_id) files.emplace_back(split.file);
  }
  return files;
}

size_t ArchiveSuite::CountUncommitted() {
  size_t count = 0;
  EXPECT_EQ(store_->ListUncommitted(context_, "",
                                    [&](const ObjectInfo&) {
                                      ++count;
                                      return absl::OkStatus();
                                    }),
            absl::OkStatus());
  return count;
}

absl::StatusOr<std::string> ArchiveSuite::Restore(
    const std::string& backup_id) {
  auto reader = archives_->GetBackup(context_, backup_id);
  if (!reader.ok()) return reader.status();
  return ReadAll(**reader);
}

std::shared_ptr<ArchiveDestination> ArchiveSuite::AfterGrace() {
  if (GetParam().pass_time != nullptr) {
    GetParam().pass_time(*store_, 2 * options_.grace_window);
    return archives_;
  }
  // For a clock that ticks by itself: until it is later than all that is there.
  ArchiveOptions impatient = options_;
  impatient.grace_window = absl::Nanoseconds(1);
  const absl::StatusOr<absl::Time> began = PlaceNow(context_, *store_);
  EXPECT_TRUE(began.ok()) << began.status();
  while (began.ok() &&
         PlaceNow(context_, *store_).value_or(absl::InfiniteFuture()) <=
             *began) {
  }
  return ArchiveDestination::Create(store_, &clock_, impatient);
}

void ArchiveSuite::ExpectDamaged(const std::string& backup_id) {
  EXPECT_EQ(CodeOf(archives_->Verify(context_, backup_id, nullptr).status()),
            "archive_damaged");
}

// --- publishing

TEST_P(ArchiveSuite, GivesBackPayloadsOfEverySizeAroundASegment) {
  int number = 0;
  for (const size_t size : {0, 1, 15, 16, 17, 31, 32, 33, 5000}) {
    const std::string payload = TestPayload(size, 1);
    const std::string id = TestId(number++);
    ASSERT_EQ(PutTestBackup(*archives_, id, payload), absl::OkStatus());
    const auto manifest = archives_->Verify(context_, id, nullptr);
    ASSERT_TRUE(manifest.ok()) << manifest.status();
    EXPECT_EQ(manifest->segments_size(),
              std::max<int>(1, static_cast<int>((size + 15) / 16)));
    const auto restored = Restore(id);
    ASSERT_TRUE(restored.ok()) << restored.status();
    EXPECT_EQ(*restored, payload);
  }
  EXPECT_EQ(CountUncommitted(), 0);
}

TEST_P(ArchiveSuite, LeavesExactlyTheFilesOfTheFormat) {
  ASSERT_EQ(PutTestBackup(*archives_, TestId(1), TestPayload(20, 1)),
            absl::OkStatus());
  EXPECT_THAT(NamesOf(TestId(1)),
              ElementsAre("SHA256SUMS", "manifest.json", "payload.bin",
                          "payload.bin.0001", "payload_ids"));
}

TEST_P(ArchiveSuite, SumsCoverEveryFileWithItsTrueDigest) {
  ASSERT_EQ(PutTestBackup(*archives_, TestId(1), TestPayload(20, 1)),
            absl::OkStatus());
  const std::string sums = ReadWhole(TestId(1) + "/SHA256SUMS");
  std::vector<std::string> covered;
  for (absl::string_view line : absl::StrSplit(sums, '\n', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits("  ", 1));
    const std::string name = ObjectName(TestId(1), parts.second);
    EXPECT_EQ(parts.first, ToHex(Sha256Of(ReadWhole(name)))) << name;
    covered.emplace_back(parts.second);
  }
  EXPECT_THAT(covered, ElementsAre("payload.bin", "payload.bin.0001",
                                   "payload_ids", "manifest.json"));
}

TEST_P(ArchiveSuite, FillsInWhatIsKnownOnlyAtTheEnd) {
  CannedPayload payload(TestPayload(20, 1));
  payload.SetIds({"a", "b", "c"});
  payload.mutable_trailer().metadata["version"] = std::string("\0\xff", 2);
  payload.mutable_trailer().warnings.push_back({"skipped", "a socket"});
  Manifest manifest = TestManifest(TestId(1));
  ASSERT_EQ(archives_->PutBackup(context_, manifest, payload, {}),
            absl::OkStatus());
  const auto stored = archives_->GetManifest(context_, TestId(1));
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_EQ(stored->SerializeAsString().size(),
            manifest.SerializeAsString().size());
  EXPECT_EQ(stored->size_bytes(), 20);
  EXPECT_EQ(stored->payload_id_count(), 3);
  EXPECT_EQ(stored->repo_id(), kTestRepoId);
  EXPECT_EQ(stored->engine_metadata().at("version"), std::string("\0\xff", 2));
  ASSERT_EQ(stored->warnings_size(), 1);
  EXPECT_EQ(stored->warnings(0).code(), "skipped");
  const auto reader = archives_->GetBackup(context_, TestId(1));
  ASSERT_TRUE(reader.ok());
  ASSERT_TRUE(ReadAll(**reader).ok());
  EXPECT_EQ((*reader)->trailer().xxh3, payload.trailer().xxh3);
  EXPECT_EQ((*reader)->trailer().counts, payload.trailer().counts);
}

TEST_P(ArchiveSuite, KeepsAnIndexBesideThePayload) {
  const std::string index = TestPayload(200'000, 7);
  CannedPayload payload(TestPayload(20, 1));
  payload.SetIndex(index);
  Manifest manifest = TestManifest(TestId(1));
  ASSERT_EQ(archives_->PutBackup(context_, manifest, payload, {}),
            absl::OkStatus());
  const auto stored = archives_->GetManifest(context_, TestId(1));
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_EQ(stored->version(), 2);
  EXPECT_EQ(stored->index_size_bytes(), index.size());
  EXPECT_EQ(stored->size_bytes(), 20);
  auto reader = archives_->GetIndex(context_, *stored);
  ASSERT_TRUE(reader.ok()) << reader.status();
  const auto read = ReadAll(**reader);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, index);
  EXPECT_EQ(Restore(TestId(1)).value(), TestPayload(20, 1));
  EXPECT_EQ(archives_->Verify(context_, TestId(1), nullptr).status(),
            absl::OkStatus());
  ASSERT_EQ(archives_->Delete(context_, TestId(1)), absl::OkStatus());
  EXPECT_THAT(NamesOf(TestId(1)), ElementsAre("manifest.json"));
}

TEST_P(ArchiveSuite, ADamagedIndexGivesNoEndAndIsFoundByVerify) {
  std::string index = TestPayload(1000, 7);
  CannedPayload payload(TestPayload(20, 1));
  payload.SetIndex(index);
  Manifest manifest = TestManifest(TestId(1));
  ASSERT_EQ(archives_->PutBackup(context_, manifest, payload, {}),
            absl::OkStatus());
  const std::string name = ObjectName(TestId(1), "index");
  for (const bool is_cut : {false, true}) {
    std::string damaged = index;
    if (is_cut) damaged.pop_back();
    if (!is_cut) damaged[999] ^= 1;
    Overwrite(name, damaged);
    auto reader = archives_->GetIndex(context_, manifest);
    ASSERT_TRUE(reader.ok()) << reader.status();
    EXPECT_EQ(CodeOf(ReadAll(**reader).status()), "archive_damaged");
    EXPECT_EQ(CodeOf(archives_->Verify(context_, TestId(1), nullptr).status()),
              "archive_damaged");
    // What is restored is the payload.
    EXPECT_TRUE(Restore(TestId(1)).ok());
  }
}

TEST_P(ArchiveSuite, AnArchiveWithoutAnIndexIsAsItWas) {
  ASSERT_EQ(PutTestBackup(*archives_, TestId(1), "x"), absl::OkStatus());
  const auto stored = archives_->GetManifest(context_, TestId(1));
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ(stored->version(), 1);
  EXPECT_TRUE(
      absl::IsNotFound(archives_->GetIndex(context_, *stored).status()));
}

TEST_P(ArchiveSuite, ListsOldestFirstAndOnlyWhatIsOurs) {
  Overwrite("notes.txt", "mine");
  Overwrite("folder/manifest.json", "{}");
  const char* const times[] = {"2026-11-22T10:00:03.000Z",
                               "2026-11-22T10:00:01.000Z",
                               "2026-11-22T10:00:02.000Z"};
  for (int i = 0; i < 3; ++i) {
    CannedPayload payload("x");
    Manifest manifest = TestManifest(TestId(i));
    manifest.set_created_at(times[i]);
    ASSERT_EQ(archives_->PutBackup(context_, manifest, payload, {}),
              absl::OkStatus());
  }
  const auto listed = archives_->List(context_);
  ASSERT_TRUE(listed.ok()) << listed.status();
  EXPECT_THAT(IdsOf(*listed), ElementsAre(TestId(1), TestId(2), TestId(0)));
}

TEST_P(ArchiveSuite, NeverReplacesAnArchiveOfTheSameId) {
  const std::string payload = TestPayload(20, 1);
  ASSERT_EQ(PutTestBackup(*archives_, TestId(1), payload), absl::OkStatus());
  EXPECT_EQ(CodeOf(PutTestBackup(*archives_, TestId(1), TestPayload(20, 2))),
            "destination_path_conflict");
  const auto restored = Restore(TestId(1));
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(*restored, payload);
  EXPECT_EQ(archives_->Verify(context_, TestId(1), nullptr).status(),
            absl::OkStatus());
}

TEST_P(ArchiveSuite, PublishesNothingWhenTheSourceFails) {
  const std::vector<std::string> before = Names();
  CannedPayload payload(TestPayload(50, 1));
  payload.FailAtEnd(MakeError(absl::StatusCode::kInternal, kSourceFailed,
                              "the store burnt down"));
  Manifest manifest = TestManifest(TestId(1));
  const absl::Status status =
      archives_->PutBackup(context_, manifest, payload, {});
  EXPECT_EQ(CodeOf(status), "source_failed");
  EXPECT_EQ(Names(), before);
  EXPECT_EQ(CountUncommitted(), 0);
}

TEST_P(ArchiveSuite, PublishesNothingWhenThePayloadIsShorterThanItsEndSaid) {
  const std::vector<std::string> before = Names();
  CannedPayload payload(TestPayload(50, 1));
  payload.mutable_trailer().size_bytes = 51;
  Manifest manifest = TestManifest(TestId(1));
  EXPECT_EQ(CodeOf(archives_->PutBackup(context_, manifest, payload, {})),
            "source_incomplete");
  EXPECT_EQ(Names(), before);
}

TEST_P(ArchiveSuite, CancelWinsUntilTheManifestIsCommitted) {
  const std::vector<std::string> before = Names();
  for (const size_t view : {0, 3, 7}) {
    auto [context, cancel] = Context::WithCancel(context_);
    CannedPayload payload(TestPayload(50, 1));
    payload.CallBefore(
        view, [cancel = cancel] { cancel(absl::CancelledError("ctrl-c")); });
    Manifest manifest = TestManifest(TestId(1));
    EXPECT_EQ(CodeOf(archives_->PutBackup(context, manifest, payload, {})),
              "cancelled");
    EXPECT_EQ(Names(), before);
    EXPECT_EQ(CountUncommitted(), 0);
  }
  // Within before_publish is still before the commit.
  auto [context, cancel] = Context::WithCancel(context_);
  CannedPayload payload(TestPayload(50, 1));
  Manifest manifest = TestManifest(TestId(1));
  PutOptions put;
  put.before_publish = [cancel = cancel] {
    cancel(absl::CancelledError("ctrl-c"));
    return absl::OkStatus();
  };
  EXPECT_EQ(CodeOf(archives_->PutBackup(context, manifest, payload, put)),
            "cancelled");
  EXPECT_EQ(Names(), before);
  EXPECT_EQ(CountUncommitted(), 0);
}

TEST_P(ArchiveSuite, AnErrorBeforePublishStopsIt) {
  const std::vector<std::string> before = Names();
  CannedPayload payload("x");
  Manifest manifest = TestManifest(TestId(1));
  PutOptions put;
  int publishing = 0;
  put.on_publishing = [&] { ++publishing; };
  put.before_publish = [] {
    return MakeError(absl::StatusCode::kAborted, kPublishFenced, "lease lost");
  };
  EXPECT_EQ(CodeOf(archives_->PutBackup(context_, manifest, payload, put)),
            "publish_fenced");
  EXPECT_EQ(publishing, 1);
  EXPECT_EQ(Names(), before);
  EXPECT_EQ(CountUncommitted(), 0);
}

TEST_P(ArchiveSuite, AWriterWhoseNameWasEndedIsFenced) {
  const std::vector<std::string> before = Names();
  CannedPayload payload(TestPayload(50, 1));
  payload.CallBefore(2, [&] {
    const CommitOutcome tombstone =
        CommitTombstone(context_, *store_, TestId(1), "swept", "another",
                        clock_.Now(), CommitMode::kIfAbsent);
    EXPECT_EQ(tombstone.kind, CommitOutcome::kStored);
  });
  Manifest manifest = TestManifest(TestId(1));
  EXPECT_EQ(CodeOf(archives_->PutBackup(context_, manifest, payload, {})),
            "publish_fenced");
  EXPECT_THAT(NamesOf(TestId(1)), ElementsAre("manifest.json"));
  EXPECT_THAT(archives_->List(context_).value(), IsEmpty());
  EXPECT_EQ(CodeOf(archives_->Stat(context_, TestId(1))), "archive_not_found");
}

TEST_P(ArchiveSuite, OfTwoWritersOfOneIdOneIsRefusedAndHarmsNothing) {
  CannedPayload first(TestPayload(50, 1));
  absl::Status second;
  first.CallBefore(3, [&] {
    second = PutTestBackup(*archives_, TestId(1), TestPayload(9, 2));
  });
  Manifest manifest = TestManifest(TestId(1));
  EXPECT_EQ(archives_->PutBackup(context_, manifest, first, {}),
            absl::OkStatus());
  EXPECT_EQ(CodeOf(second), "publish_fenced");
  EXPECT_EQ(archives_->Verify(context_, TestId(1), nullptr).status(),
            absl::OkStatus());
}

TEST_P(ArchiveSuite, EightWritersAtOncePublishEightArchives) {
  std::vector<std::thread> writers;
  std::vector<absl::Status> statuses(8);
  for (int i = 0; i < 8; ++i) {
    writers.emplace_back([&, i] {
      statuses[i] = PutTestBackup(*archives_, TestId(i), TestPayload(100, i));
    });
  }
  for (std::thread& writer : writers) writer.join();
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(statuses[i], absl::OkStatus());
    EXPECT_EQ(archives_->Verify(context_, TestId(i), nullptr).status(),
              absl::OkStatus());
  }
  EXPECT_EQ(archives_->List(context_)->size(), 8);
}

TEST_P(ArchiveSuite, HoldsNoMoreViewsThanThePayloadAllows) {
  CannedPayload payload(TestPayload(2000, 1));
  Manifest manifest = TestManifest(TestId(1));
  ASSERT_EQ(archives_->PutBackup(context_, manifest, payload, {}),
            absl::OkStatus());
  EXPECT_LE(payload.most_held(), payload.max_views());
  EXPECT_EQ(payload.views_released(), payload.views_taken());
}

// --- the repo

TEST_P(ArchiveSuite, RefusesAPlaceThatIsNoRepoAndChangesNothing) {
  ASSERT_EQ(PutTestBackup(*archives_, TestId(1), "x"), absl::OkStatus());
  ASSERT_EQ(store_->Delete(context_, kRepoFile), absl::OkStatus());
  const std::vector<std::string> before = Names();
  std::string hint(kRepairHint);
  const auto expect = [&](const absl::Status& status) {
    EXPECT_EQ(CodeOf(status), "destination_not_found") << status;
    EXPECT_EQ(HintOf(status), hint);
  };
  expect(PutTestBackup(*archives_, TestId(2), "x"));
  expect(archives_->GetManifest(context_, TestId(1)).status());
  expect(archives_->GetBackup(context_, TestId(1)).status());
  expect(archives_->List(context_).status());
  expect(archives_->Stat(context_, TestId(1)));
  expect(archives_->Delete(context_, TestId(1)));
  expect(archives_->Verify(context_, TestId(1), nullptr).status());
  expect(archives_->Sweep(context_).status());
  EXPECT_EQ(Names(), before);
  // A mount point, where there is nothing at all.
  for (const std::string& name : before)
    ASSERT_EQ(store_->Delete(context_, name), absl::OkStatus());
  hint = "is the disk mounted?";
  expect(archives_->List(context_).status());
  expect(PutTestBackup(*archives_, TestId(2), "x"));
  EXPECT_THAT(Names(), testing::IsEmpty());
}

TEST_P(ArchiveSuite, RefusesAnotherRepoThanTheOneThatIsMeant) {
  options_.repo_id = "01ARZ3NDEKTSV4RRFFQ69G5ZZZ";
  auto other = ArchiveDestination::Create(store_, &clock_, options_);
  EXPECT_EQ(CodeOf(PutTestBackup(*other, TestId(1), "x")),
            "destination_not_found");
  EXPECT_EQ(CodeOf(other->Sweep(context_).status()), "destination_not_found");
}

TEST_P(ArchiveSuite, InitUsesARepoThatIsThereAndNeverReplacesIt) {
  const std::string before = ReadWhole("sluice-repo.json");
  RepoInfo wanted;
  wanted.id = "01ARZ3NDEKTSV4RRFFQ69G5ZZZ";
  const auto repo = InitRepo(context_, *store_, wanted);
  ASSERT_TRUE(repo.ok()) << repo.status();
  EXPECT_EQ(repo->id, kTestRepoId);
  EXPECT_EQ(ReadWhole("sluice-repo.json"), before);
}

TEST_P(ArchiveSuite, ReadsANewerRepoAndDoesNotWriteIt) {
  ASSERT_EQ(PutTestBackup(*archives_, TestId(1), "x"), absl::OkStatus());
  RepoInfo newer;
  newer.id = std::string(kTestRepoId);
  newer.version = kRepoFormatVersion + 1;
  Overwrite("sluice-repo.json", EncodeRepo(newer));
  EXPECT_EQ(archives_->List(context_)->size(), 1);
  EXPECT_TRUE(Restore(TestId(1)).ok());
  const std::vector<std::string> before = Names();
  EXPECT_EQ(CodeOf(PutTestBackup(*archives_, TestId(2), "x")),
            "archive_unsupported");
  EXPECT_EQ(CodeOf(archives_->Delete(context_, TestId(1))),
            "archive_unsupported");
  EXPECT_EQ(CodeOf(archives_->Sweep(context_).status()), "archive_unsupported");
  EXPECT_EQ(Names(), before);
}

TEST_P(ArchiveSuite, ValidateLeavesNothingBehind) {
  const std::vector<std::string> before = Names();
  EXPECT_EQ(archives_->Validate(context_), absl::OkStatus());
  EXPECT_EQ(Names(), before);
  EXPECT_EQ(CountUncommitted(), 0);
}

TEST_P(ArchiveSuite, IdsThatAreNoneAreRefusedBeforeAnythingIsTouched) {
  Overwrite("victim/payload.bin", "precious");
  for (const char* id :
       {"", "../victim", "victim", ".", "..", "/", "01ARZ3NDEKTSV4RRFFQ69G5X0",
        "01arz3ndektsv4rrffq69g5x01", "01ARZ3NDEKTSV4RRFFQ69G5X01/.."}) {
    EXPECT_EQ(CodeOf(archives_->Delete(context_, id)), "invalid_argument");
    EXPECT_EQ(CodeOf(archives_->Stat(context_, id)), "invalid_argument");
    EXPECT_EQ(CodeOf(archives_->GetBackup(context_, id).status()),
              "invalid_argument");
    EXPECT_EQ(CodeOf(archives_->Verify(context_, id, nullptr).status()),
              "invalid_argument");
    EXPECT_EQ(CodeOf(PutTestBackup(*archives_, id, "x")), "invalid_argument");
  }
  EXPECT_EQ(ReadWhole("victim/payload.bin"), "precious");
}

// --- damage (T9)

TEST_P(ArchiveSuite, FindsEveryFlippedByteOfEveryFile) {
  ASSERT_EQ(PutTestBackup(*archives_, TestId(1), TestPayload(40, 1)),
            absl::OkStatus());
  size_t flipped = 0;
  size_t total = 0;
  for (const std::string& file : NamesOf(TestId(1))) {
    const std::string name = ObjectName(TestId(1), file);
    const std::string whole = ReadWhole(name);
    total += (whole.size() + GetParam().stride - 1) / GetParam().stride;
    for (size_t i = 0; i < whole.size(); i += GetParam().stride) {
      SCOPED_TRACE(absl::StrCat(file, " byte ", i));
      std::string bytes = whole;
      bytes[i] = static_cast<char>(bytes[i] ^ (1 << (i % 8)));
      Overwrite(name, bytes);
      ExpectDamaged(TestId(1));
      // A restore reads no more than it needs: payload_ids is not its affair.
      if (file != kPayloadIdsFile) {
        EXPECT_EQ(CodeOf(Restore(TestId(1)).status()), "archive_damaged");
      }
      if (HasFailure()) return;
      ++flipped;
    }
    Overwrite(name, whole);
  }
  ASSERT_EQ(archives_->Verify(context_, TestId(1), nullptr).status(),
            absl::OkStatus());
  std::printf("coverage flips: %zu of %zu bytes\n", flipped, total);
  EXPECT_EQ(flipped, total);
}

TEST_P(ArchiveSuite, FindsEveryFileCutAtEveryLengthOrLengthened) {
  ASSERT_EQ(PutTestBackup(*archives_, TestId(1), TestPayload(40, 1)),
            absl::OkStatus());
  for (const std::string& file : NamesOf(TestId(1))) {
    const std::string name = ObjectName(TestId(1), file);
    const std::string whole = ReadWhole(name);
    for (size_t size = 0; size < whole.size(); size += GetParam().stride) {
      SCOPED_TRACE(absl::StrCat(file, " cut to ", size));
      Overwrite(name, whole.substr(0, size));
      ExpectDamaged(TestId(1));
      if (file != kPayloadIdsFile) {
        EXPECT_EQ(CodeOf(Restore(TestId(1)).status()), "archive_damaged");
      }
      if (HasFailure()) return;
    }
    for (const char* more : {"x", "\n"}) {
      SCOPED_TRACE(absl::StrCat(file, " lengthened"));
      Overwrite(name, whole + more);
      ExpectDamaged(TestId(1));
      if (absl::StartsWith(file, "payload.bin")) {
        EXPECT_EQ(CodeOf(Restore(TestId(1)).status()), "archive_damaged");
      }
      if (HasFailure()) return;
    }
    Overwrite(name, whole);
  }
  ASSERT_EQ(archives_->Verify(context_, TestId(1), nullptr).status(),
            absl::OkStatus());
}

TEST_P(ArchiveSuite, FindsSwappedMissingAndForeignObjects) {
  ASSERT_EQ(PutTestBackup(*archives_, TestId(1), TestPayload(40, 1)),
            absl::OkStatus());
  ASSERT_EQ(PutTestBackup(*archives_, TestId(2), TestPayload(40, 2)),
            absl::OkStatus());
  const auto at = [](int archive, absl::string_view file) {
    return ObjectName(TestId(archive), file);
  };
  const std::string first = ReadWhole(at(1, "payload.bin"));
  const std::string second = ReadWhole(at(1, "payload.bin.0001"));
  Overwrite(at(1, "payload.bin"), second);
  Overwrite(at(1, "payload.bin.0001"), first);
  ExpectDamaged(TestId(1));
  EXPECT_EQ(CodeOf(Restore(TestId(1)).status()), "archive_damaged");
  Overwrite(at(1, "payload.bin"), first);
  Overwrite(at(1, "payload.bin.0001"), second);
  // Whole files of another archive in place of this one's.
  for (const std::string& file : NamesOf(TestId(1))) {
    if (file == kPayloadIdsFile) continue;  // the same ids in both
    SCOPED_TRACE(file);
    const std::string whole = ReadWhole(at(1, file));
    Overwrite(at(1, file), ReadWhole(at(2, file)));
    ExpectDamaged(TestId(1));
    EXPECT_EQ(CodeOf(Restore(TestId(1)).status()), "archive_damaged");
    if (file != kManifestFile) {
      ASSERT_EQ(store_->Delete(context_, at(1, file)), absl::OkStatus());
      ExpectDamaged(TestId(1));
      EXPECT_EQ(CodeOf(Restore(TestId(1)).status()), "archive_damaged");
    }
    Overwrite(at(1, file), whole);
  }
  // An archive as a whole under another's name.
  for (const std::string& file : NamesOf(TestId(2)))
    Overwrite(at(3, file), ReadWhole(at(2, file)));
  ExpectDamaged(TestId(3));
  EXPECT_EQ(CodeOf(Restore(TestId(3)).status()), "archive_damaged");
  Overwrite(at(1, "payload.bin.0003"), "more");
  ExpectDamaged(TestId(1));
}

TEST_P(ArchiveSuite, AnArchiveWithADamagedManifestIsNotListedAndNotForgotten) {
  ASSERT_EQ(PutTestBackup(*archives_, TestId(1), "x"), absl::OkStatus());
  ASSERT_EQ(PutTestBackup(*archives_, TestId(2), "x"), absl::OkStatus());
  Overwrite(ObjectName(TestId(1), kManifestFile), "not JSON");
  EXPECT_THAT(IdsOf(*archives_->List(context_)), ElementsAre(TestId(2)));
  const auto all = archives_->ListAll(context_);
  ASSERT_TRUE(all.ok()) << all.status();
  ASSERT_EQ(all->size(), 2);
  EXPECT_EQ(CodeOf((*all)[0].manifest.status()), "archive_damaged");
  // A sweep does not take damage for remains.
  const std::vector<std::string> before = Names();
  ASSERT_TRUE(archives_->Sweep(context_).ok());
  EXPECT_EQ(Names(), before);
}

TEST_P(ArchiveSuite, PayloadIdsComeProvenAndWithoutThePayload) {
  ASSERT_EQ(PutTestBackup(*archives_, TestId(1), TestPayload(40, 1)),
            absl::OkStatus());
  // The payload is gone: ids are found all the same.
  ASSERT_EQ(store_->Delete(context_, ObjectName(TestId(1), kPayloadFile)),
            absl::OkStatus());
  std::vector<std::string> ids;
  const auto collect = [&](absl::string_view id) {
    ids.emplace_back(id);
    return absl::OkStatus();
  };
  EXPECT_EQ(archives_->ForEachPayloadId(context_, TestId(1), collect),
            absl::OkStatus());
  EXPECT_THAT(ids, ElementsAre("a", "b"));
  for (const char* wrong :
       {"a\nc\n", "a\n", "b\na\n", "a\nb", "", "a\nb\nc\n"}) {
    Overwrite(ObjectName(TestId(1), kPayloadIdsFile), wrong);
    EXPECT_EQ(CodeOf(archives_->ForEachPayloadId(context_, TestId(1), collect)),
              "archive_damaged")
        << wrong;
  }
}

// --- delete and sweep

TEST_P(ArchiveSuite, DeleteUnlistsAtOnceAndKeepsTheNameTaken) {
  ASSERT_EQ(PutTestBackup(*archives_, TestId(1), TestPayload(40, 1)),
            absl::OkStatus());
  ASSERT_EQ(PutTestBackup(*archives_, TestId(2), "x"), absl::OkStatus());
  EXPECT_EQ(archives_->Delete(context_, TestId(1)), absl::OkStatus());
  EXPECT_THAT(IdsOf(*archives_->List(context_)), ElementsAre(TestId(2)));
  EXPECT_THAT(NamesOf(TestId(1)), ElementsAre("manifest.json"));
  for (const absl::Status& status :
       {archives_->Stat(context_, TestId(1)),
        archives_->Delete(context_, TestId(1)),
        archives_->GetManifest(context_, TestId(1)).status(),
        archives_->GetBackup(context_, TestId(1)).status(),
        archives_->Verify(context_, TestId(1), nullptr).status(),
        archives_->Delete(context_, TestId(3))}) {
    EXPECT_EQ(CodeOf(status), "archive_not_found");
  }
  EXPECT_EQ(CodeOf(PutTestBackup(*archives_, TestId(1), "x")),
            "publish_fenced");
  EXPECT_THAT(NamesOf(TestId(1)), ElementsAre("manifest.json"));
}

TEST_P(ArchiveSuite, DeletesAnArchiveWhoseManifestIsDamaged) {
  ASSERT_EQ(PutTestBackup(*archives_, TestId(1), "x"), absl::OkStatus());
  Overwrite(ObjectName(TestId(1), kManifestFile), "not JSON");
  EXPECT_EQ(archives_->Delete(context_, TestId(1)), absl::OkStatus());
  EXPECT_THAT(archives_->ListAll(context_).value(), IsEmpty());
}

TEST_P(ArchiveSuite, SweepEndsTheRemainsOfAWriterThatIsGone) {
  ASSERT_EQ(PutTestBackup(*archives_, TestId(1), "kept"), absl::OkStatus());
  Overwrite(ObjectName(TestId(2), "payload.bin"), "half a backup");
  Overwrite(ObjectName(TestId(2), "notes.txt"), "not ours");
  Overwrite("notes.txt", "not ours");
  const std::string lease = EncodeWriter({"someone", absl::UnixEpoch()});
  Overwrite(ObjectName(TestId(2), kWriterFile), lease);
  const auto report = AfterGrace()->Sweep(context_);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->ended, ElementsAre(TestId(2)));
  EXPECT_EQ(report->objects_deleted, 2);
  EXPECT_EQ(report->bytes_deleted, 13 + lease.size());
  EXPECT_THAT(report->problems, IsEmpty());
  EXPECT_THAT(NamesOf(TestId(2)), ElementsAre("manifest.json", "notes.txt"));
  EXPECT_EQ(ReadWhole("notes.txt"), "not ours");
  EXPECT_EQ(archives_->Verify(context_, TestId(1), nullptr).status(),
            absl::OkStatus());
  EXPECT_EQ(CodeOf(PutTestBackup(*archives_, TestId(2), "x")),
            "publish_fenced");
}

TEST_P(ArchiveSuite, SweepLeavesALiveWriterAlone) {
  const absl::Time now = store_->Describe(context_, false)->now;
  CannedPayload payload(TestPayload(50, 1));
  payload.CallBefore(5, [&] {
    // Another program's lease beside our own.
    Overwrite(ObjectName(TestId(2), "payload.bin"), "a second writer's");
    Overwrite(ObjectName(TestId(2), kWriterFile),
              EncodeWriter({"someone", now + absl::Minutes(30)}));
    const auto report = archives_->Sweep(context_);
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_THAT(report->live, ElementsAre(TestId(1), TestId(2)));
    EXPECT_EQ(report->objects_deleted, 0);
  });
  Manifest manifest = TestManifest(TestId(1));
  EXPECT_EQ(archives_->PutBackup(context_, manifest, payload, {}),
            absl::OkStatus());
  EXPECT_THAT(NamesOf(TestId(2)), ElementsAre("payload.bin", "writer.json"));
  // Its lease runs out.
  Overwrite(ObjectName(TestId(2), kWriterFile),
            EncodeWriter({"someone", now - absl::Seconds(1)}));
  const auto report = AfterGrace()->Sweep(context_);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->ended, ElementsAre(TestId(2)));
  EXPECT_THAT(NamesOf(TestId(2)), ElementsAre("manifest.json"));
}

TEST_P(ArchiveSuite, SweepFinishesADeleteThatWasBrokenOff) {
  ASSERT_EQ(PutTestBackup(*archives_, TestId(1), TestPayload(40, 1)),
            absl::OkStatus());
  ASSERT_EQ(CommitTombstone(context_, *store_, TestId(1), "deleted", "me",
                            clock_.Now(), CommitMode::kReplace)
                .kind,
            CommitOutcome::kStored);
  EXPECT_THAT(archives_->List(context_).value(), IsEmpty());
  const auto report = archives_->Sweep(context_);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(NamesOf(TestId(1)), ElementsAre("manifest.json"));
}

TEST_P(ArchiveSuite, SweepOfACleanRepoChangesNothing) {
  ASSERT_EQ(PutTestBackup(*archives_, TestId(1), TestPayload(40, 1)),
            absl::OkStatus());
  const std::vector<std::string> before = Names();
  const auto report = archives_->Sweep(context_);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->objects_deleted, 0);
  EXPECT_EQ(Names(), before);
}

}  // namespace sluice
