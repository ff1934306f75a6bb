#include "sluice/service/json/json.h"

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <random>
#include <set>
#include <sstream>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/service/plan/plan_fields.h"

namespace sluice::service {
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
    std::ofstream(absl::StrCat("service/json/testdata/", name, ".json"))
        << json.dump(2) << "\n";
  }
  std::ifstream file(absl::StrCat("service/json/testdata/", name, ".json"));
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

// The text that takes no tree is that of the tree.
template <typename Model>
void ExpectSameText(const Model& model) {
  JsonText text;
  text.BeginObject();
  WriteFields(model, text);
  text.EndObject();
  EXPECT_EQ(text.Take(),
            ToJson(model).dump(-1, ' ', false, Json::error_handler_t::replace));
}

TEST(JsonTextTest, AModelsTextIsThatOfItsTree) {
  ExpectSameText(Record());
  ExpectSameText(BackupRecord());
  ExpectSameText(Job());
  ExpectSameText(BackupJob());
  BackupRecord record = Record();
  (*record.mutable_source_counts())["b\""] = 2;
  (*record.mutable_source_counts())["a"] = 1;
  record.set_verified_depth(BackupRecord::AUTHENTIC);
  ExpectSameText(record);
  BackupJob job = Job();
  job.set_kind(BackupJob::PURGE);
  job.set_error("\xff\xfe \"\\\n\x01 \xc3\xa9");
  Warning& warning = *job.add_warnings();
  warning.set_code(std::string(kArchiveKept));
  warning.set_message("01JD4Q8Z0V: it is pinned");
  job.add_warnings()->set_code("other");
  ExpectSameText(job);
}

TEST(JsonTextTest, AnyBytesAreWrittenAsDumpWritesThem) {
  const char* const given = std::getenv("SLUICE_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10)
                                         : std::random_device{}();
  SCOPED_TRACE(absl::StrCat("SLUICE_SEED=", seed));
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20000; ++i) {
    // Of all bytes, and of those that begin and end what is special.
    const absl::string_view special("\"\\\x00\x1f\x7f\xc3\xa9\xe2\x82\xac a",
                                    12);
    std::string bytes;
    for (size_t left = random() % 12; left > 0; --left) {
      bytes += random() % 2 == 0 ? static_cast<char>(random() % 256)
                                 : special[random() % special.size()];
    }
    JsonText text;
    text.Value(bytes);
    ASSERT_EQ(text.Take(),
              Json(bytes).dump(-1, ' ', false, Json::error_handler_t::replace))
        << absl::CEscape(bytes);
  }
}

TEST(JsonTextTest, WritesCommasBetweenValuesAndNowhereElse) {
  JsonText text;
  text.BeginObject();
  text.Name("lists");
  text.BeginArray();
  text.BeginArray();
  text.EndArray();
  text.Value(std::numeric_limits<int64_t>::min());
  text.Value(std::numeric_limits<uint64_t>::max());
  text.Value("[{:");
  text.Value(nullptr);
  text.BeginObject();
  text.EndObject();
  text.EndArray();
  text.Field("is", true);
  text.Field("not", false);
  text.EndObject();
  EXPECT_EQ(text.Take(),
            R"({"lists":[[],-9223372036854775808,18446744073709551615,"[{:",)"
            R"(null,{}],"is":true,"not":false})");
  EXPECT_EQ(text.Take(), "");
}

TEST(TimeTextTest, IsWhatAbseilWrites) {
  const auto expect = [](int64_t milliseconds) {
    EXPECT_EQ(TimeText(milliseconds),
              absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ",
                               absl::FromUnixMillis(milliseconds),
                               absl::UTCTimeZone()));
  };
  constexpr int64_t kDay = 86'400'000;
  constexpr int64_t kYear10000 = 253'402'300'800'000;
  for (const int64_t edge :
       {kDay, 59 * kDay, 789 * kDay, 11016 * kDay, 47540 * kDay, kYear10000}) {
    for (int64_t near = -2; near <= 2; ++near) expect(edge + near);
  }
  for (int64_t time = 1; time < kYear10000; time += 7 * kDay + 12'345'678'901) {
    expect(time);
  }
  for (int64_t time : {int64_t{-1}, int64_t{-62'135'596'800'001}}) expect(time);
  EXPECT_EQ(TimeText(int64_t{0}), "");
}

TEST(JsonTest, KeepsSizesExactAsNumbers) {
  const std::string text = ToJson(Record()).dump();
  EXPECT_TRUE(absl::StrContains(text, ":9007199254740993,"));
  EXPECT_TRUE(absl::StrContains(text, ":18446744073709551615,"));
}

TEST(JsonTest, AbsentRecordsAndJobsAreNull) {
  EXPECT_TRUE(ToJson(absl::optional<BackupRecord>()).is_null());
  EXPECT_TRUE(ToJson(absl::optional<BackupJob>()).is_null());
}

Plan FullPlan() {
  return FromText<Plan>(R"(
    id: "01JD4Q8Z0V2222222222222222" name: "nightly" paused: true revision: 3
    created_at_ms: 1732270953125 updated_at_ms: 1732270954000
    spec { source: "memory:?load=/srv" repos: "r" repos: "s"
      schedule: "0 2 * * *" zone: "Europe/Berlin" jitter_ms: 0 catch_up_ms: 0
      timeout_ms: 5400000 retention { keep_daily: 7 keep_within: "30d" }
      allow_empty: true labels { key: "b" value: "2" }
      labels { key: "a" value: "1" } })");
}

QueuedRun Queued() {
  QueuedRun run;
  run.job = Job();
  run.request = FromText<JobRequest>(R"(
    job_id: "01JD4Q8Z0V1111111111111111" plan_id: "p" due_at_ms: 1732270953000
    attempt: 2 requester: "schedule" idempotency_key: "k"
    not_before_ms: 1732270953000 store: "memory:?load=/srv" base: "latest"
    timeout_ms: 1000)");
  return run;
}

Firing FullFiring() {
  Firing firing;
  firing.plan_id = "p";
  firing.repo_id = "r";
  firing.due_at = absl::FromUnixSeconds(1732270953);
  firing.outcome = Firing::Outcome::kFailed;
  firing.reason = "source_unavailable";
  firing.job_id = "j";
  firing.attempts = 3;
  firing.fired_at = firing.due_at;
  firing.size_bytes = 5;
  firing.duration = absl::Milliseconds(1500);
  return firing;
}

RetentionDecision Decision() {
  RetentionDecision decision;
  decision.verdicts.push_back(
      {"a", false, {{RetentionReasonKind::kUnwanted, "no rule wants it"}}});
  decision.removals = {"a"};
  decision.suspended.push_back(
      {RetentionSuspension::Kind::kShrunk, "a", "it shrank"});
  decision.summary.considered = 1;
  return decision;
}

AccessToken Token() {
  AccessToken token;
  token.id = "t";
  token.sha256 = "5ec7e7";
  token.role = "viewer";
  token.created_at = absl::FromUnixSeconds(1732270953);
  return token;
}

TEST(PlanJsonTest, IsAsTheGoldenFilesHaveIt) {
  ExpectGolden("plan", PlanJson(FullPlan()));
  ExpectGolden("plan_empty", PlanJson(Plan()));
  PlanTarget target;
  target.plan_id = "p";
  target.next_due = absl::FromUnixSeconds(1732270953);
  ExpectGolden("target", TargetJson(target));
  ExpectGolden("firing", FiringJson(FullFiring()));
  ExpectGolden("planned_time",
               PlannedTimeJson({absl::UnixEpoch(), "local", "CET", "utc", ""}));
  ExpectGolden("queued_run", QueuedRunJson(Queued()));
  ExpectGolden("decision", DecisionJson(Decision()));
  OutboxMessage message;
  message.id = 3;
  message.at = absl::FromUnixSeconds(1732270953);
  message.channel = "ops";
  message.subject = "nightly: backup failed";
  message.body = R"({"id":"01J9","type":"backup.failed"})";
  message.attempts = 30;
  message.next_attempt = absl::InfiniteFuture();
  message.error = "answered 500";
  ExpectGolden("notification", NotificationJson(message));
  ExpectGolden("token", TokenJson(Token()));
  ExpectGolden("audit", AuditJson({7, absl::FromUnixSeconds(1732270953),
                                   "uid 0", "plan pause", "nightly", "ok"}));
}

TEST(PlanJsonTest, HasEveryFieldByItsName) {
  const Json json = PlanJson(FullPlan());
  for (const PlanField& field : PlanFields()) {
    EXPECT_TRUE(json.contains(std::string(field.name))) << field.name;
  }
  EXPECT_EQ(json["keep_daily"], 7);
  EXPECT_EQ(json["timeout"], "1h30m");
  EXPECT_EQ(json["catch_up"], "skip");
  EXPECT_EQ(json["allow_empty"], true);
  EXPECT_TRUE(json["keep_last"].is_null());
}

TEST(PlanJsonTest, NeitherATokensHashNorAnIdempotencyKeyIsShown) {
  EXPECT_FALSE(absl::StrContains(TokenJson(Token()).dump(), "5ec7e7"));
  EXPECT_FALSE(QueuedRunJson(Queued())["request"].contains("idempotency_key"));
}

}  // namespace
}  // namespace sluice::service
