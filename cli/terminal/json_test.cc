#include "sluice/cli/terminal/json.h"

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice::cli {
namespace {

template <typename Message>
Message FromText(const char* text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

BackupRecord Record() {
  return FromText<BackupRecord>(R"(
    id: "01JD4Q8Z0V6T8YQ2M3N4P5R6S7" repo_id: "01JD4Q8Z0V0000000000000000"
    job_id: "01JD4Q8Z0V1111111111111111" store_id: "orders"
    store_kind: "memory" created_at_ms: 1732270953125
    finished_at_ms: 1732270954000 sha256: "ab12" size_bytes: 9007199254740993
    plain_size_bytes: 18446744073709551615 pinned: true payload_id_count: 3
    warnings { code: "symlink_skipped" message: "a/b" })");
}

BackupJob Job() {
  return FromText<BackupJob>(R"(
    id: "01JD4Q8Z0V1111111111111111" kind: BACKUP status: INTERRUPTED
    repo_id: "r" store_id: "orders" store_kind: "memory" backup_id: "b"
    progress: 50 bytes_done: 12 bytes_estimated: 24 created_at_ms: 1
    started_at_ms: 2 error: "interrupted by SIGINT" error_code: "cancelled"
    stage: "streaming")");
}

BackupRepo Repo() {
  return FromText<BackupRepo>(R"(
    id: "r" name: "nightly" kind: "local" config: "local:/mnt/disk"
    encryption { required: true algorithm: "x" key_ids: "k" }
    created_at_ms: 1732270953000)");
}

Manifest FullManifest() {
  return FromText<Manifest>(R"(
    version: 1 backup_id: "b" created_at: "2024-11-22T10:22:33.125Z"
    store_id: "orders" store_kind: "memory" segments {
      name: "payload.bin" size_bytes: 5 sha256: "cd" }
    sha256: "cd" size_bytes: 5 plain_size_bytes: 5 compression: "none"
    source_counts { key: "keys" value: 2 }
    source_counts { key: "bytes" value: 3 }
    engine_metadata { key: "clock" value: "\377\000" }
    segment_bytes: 1073741824 writer: "sluice 0.1.0")");
}

// A golden file is the promise: a change that only adds a field is made there
// too, any other change is a mistake.
void ExpectGolden(const std::string& name, const Json& json) {
  // Run from the tree's top, with this set, the test writes the files anew.
  if (getenv("SLUICE_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(absl::StrCat("cli/terminal/testdata/", name, ".json"))
        << json.dump(2) << "\n";
  }
  std::ifstream file(absl::StrCat("cli/terminal/testdata/", name, ".json"));
  std::stringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(golden.str(), json.dump(2) + "\n") << name;
}

TEST(JsonTest, IsAsTheGoldenFilesHaveIt) {
  ExpectGolden("record", ToJson(Record()));
  ExpectGolden("record_empty", ToJson(BackupRecord()));
  ExpectGolden("job", ToJson(Job()));
  ExpectGolden("job_empty", ToJson(BackupJob()));
  ExpectGolden("repo", ToJson(Repo()));
  ExpectGolden("manifest", ToJson(FullManifest()));
  ExpectGolden("manifest_empty", ToJson(Manifest()));
  const absl::Status status =
      WithHint(MakeError(absl::StatusCode::kNotFound, kDestinationNotFound,
                         "open /mnt: no such folder"),
               "is the disk mounted?");
  ExpectGolden("error", ErrorJson(status, absl::nullopt));
  ExpectGolden("error_job", ErrorJson(status, Job()));
}

// A field that is added to a model must be added to the encoder.
template <typename Message>
void ExpectEveryField(const Json& json, const std::set<std::string>& except) {
  const auto* descriptor = Message::descriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    std::string name(descriptor->field(i)->name());
    if (except.count(name) > 0) continue;
    if (absl::EndsWith(name, "_at_ms")) name.resize(name.size() - 3);
    EXPECT_TRUE(json.contains(name)) << descriptor->name() << "." << name;
  }
}

TEST(JsonTest, HasEveryFieldOfTheModelsAlsoOfEmptyOnes) {
  ExpectEveryField<BackupRecord>(ToJson(BackupRecord()), {});
  ExpectEveryField<BackupJob>(ToJson(BackupJob()), {});
  ExpectEveryField<BackupRepo>(ToJson(BackupRepo()), {});
  // An archive that is listed has no tombstone.
  ExpectEveryField<Manifest>(ToJson(Manifest()), {"tombstone"});
}

TEST(JsonTest, KeepsSizesExactAsNumbers) {
  const std::string text = Encode(ToJson(Record()));
  EXPECT_TRUE(absl::StrContains(text, ":9007199254740993,"));
  EXPECT_TRUE(absl::StrContains(text, ":18446744073709551615,"));
}

TEST(JsonTest, BytesThatAreNotUtf8DoNotBreakIt) {
  BackupRecord record;
  record.add_warnings()->mutable_message()->assign("name \xFF\n");
  const Json parsed = Json::parse(Encode(ToJson(record)));
  EXPECT_EQ(parsed["warnings"][0]["message"], "name \xEF\xBF\xBD\n");
}

TEST(JsonTest, AbsentRecordsAndJobsAreNull) {
  EXPECT_EQ(Encode(ToJson(absl::optional<BackupRecord>())), "null");
  EXPECT_EQ(Encode(ToJson(absl::optional<BackupJob>())), "null");
}

}  // namespace
}  // namespace sluice::cli
