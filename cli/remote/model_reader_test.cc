#include "sluice/cli/remote/model_reader.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/cli/terminal/exit_code.h"
#include "sluice/service/json/json.h"
#include "sluice/service/plan/plan_fields.h"

namespace sluice::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using service::Json;
using service::ToJson;

// Something other than nothing in each field.
void Fill(Message& message, int depth = 0) {
  const auto& reflection = *message.GetReflection();
  const auto& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const std::string text = "t" + std::to_string(i);
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (field.is_repeated()) {
        Fill(*reflection.AddMessage(&message, &field), depth + 1);
      } else {
        Fill(*reflection.MutableMessage(&message, &field), depth + 1);
      }
    } else if (field.is_repeated()) {
      reflection.AddString(&message, &field, text);
    } else {
      switch (field.cpp_type()) {
        case FieldDescriptor::CPPTYPE_STRING:
          reflection.SetString(&message, &field, text);
          break;
        case FieldDescriptor::CPPTYPE_BOOL:
          reflection.SetBool(&message, &field, true);
          break;
        case FieldDescriptor::CPPTYPE_UINT32:
          reflection.SetUInt32(&message, &field, 40 + i);
          break;
        case FieldDescriptor::CPPTYPE_UINT64:
          reflection.SetUInt64(&message, &field, (uint64_t{1} << 60) + i);
          break;
        case FieldDescriptor::CPPTYPE_INT64:
          reflection.SetInt64(&message, &field, 1'800'000'000'123 + i);
          break;
        case FieldDescriptor::CPPTYPE_ENUM:
          reflection.SetEnum(&message, &field, field.enum_type()->value(2));
          break;
        default:
          FAIL() << field.full_name();
      }
    }
  }
}

AnswerJson Sent(const Json& json) {
  return AnswerJson::parse(json.dump(), nullptr, false);
}

TEST(ModelReaderTest, WhatIsReadPrintsAsItWasPrinted) {
  BackupRecord record;
  Fill(record);
  const auto read_record = ReadRecord(Sent(ToJson(record)));
  ASSERT_TRUE(read_record.ok()) << read_record.status();
  EXPECT_EQ(ToJson(*read_record).dump(), ToJson(record).dump());

  BackupRepo repo;
  Fill(repo);
  const auto read_repo = ReadRepo(Sent(ToJson(repo)));
  ASSERT_TRUE(read_repo.ok()) << read_repo.status();
  EXPECT_EQ(ToJson(*read_repo).dump(), ToJson(repo).dump());

  QueuedRun run;
  Fill(run.job);
  Fill(run.request);
  const auto read_run = ReadQueued(Sent(service::QueuedRunJson(run)));
  ASSERT_TRUE(read_run.ok()) << read_run.status();
  EXPECT_EQ(service::QueuedRunJson(*read_run).dump(),
            service::QueuedRunJson(run).dump());

  Manifest manifest;
  Fill(manifest);
  const Json archive = {{"id", "a"},
                        {"damaged", true},
                        {"manifest", ToJson(manifest)},
                        {"record", ToJson(record)},
                        {"recorded_as", 3}};
  const auto read_archive = ReadArchive(Sent(archive));
  ASSERT_TRUE(read_archive.ok()) << read_archive.status();
  EXPECT_EQ(ToJson(*read_archive->manifest).dump(), ToJson(manifest).dump());
  EXPECT_EQ(read_archive->recorded_as, 3u);
}

TEST(ModelReaderTest, APlanIsReadWithAllThatIsSaidOfIt) {
  Plan plan;
  plan.set_id("01J");
  plan.set_name("nightly");
  plan.set_revision(7);
  plan.set_paused(true);
  plan.set_created_at_ms(1'800'000'000'000);
  plan.set_updated_at_ms(1'800'000'000'001);
  PlanSpec& spec = *plan.mutable_spec();
  spec.set_source("memory:?load=/srv");
  spec.add_repos("r1");
  for (const auto& [field, value] :
       {std::pair("cron", "0 2 * * *"), std::pair("zone", "Europe/Berlin"),
        std::pair("keep_daily", "7"), std::pair("keep_within", "30d"),
        std::pair("jitter", "1m")}) {
    ASSERT_TRUE(service::SetPlanField(field, value, spec).ok()) << field;
  }
  (*spec.mutable_labels())["team"] = "storage";
  Json json = service::PlanJson(plan);
  json["repo_names"] = Json::array({"disk"});
  json["targets"] = Json::array({service::TargetJson({})});
  const auto view = ReadPlan(Sent(json));
  ASSERT_TRUE(view.ok()) << view.status();
  EXPECT_EQ(service::PlanJson(view->plan).dump(),
            service::PlanJson(plan).dump());
  EXPECT_EQ(service::TargetJson(view->targets.at(0)).dump(),
            service::TargetJson({}).dump());
  EXPECT_EQ(view->zone.name(), "Europe/Berlin");
}

TEST(ModelReaderTest, AnUnreadableArchiveKeepsItsWord) {
  const auto row = ReadArchive(Sent(
      {{"id", "a"},
       {"manifest", nullptr},
       {"error", {{"code", "archive_damaged"}, {"message", "a bit is off"}}}}));
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(ErrorCodeOf(row->manifest.status()), kArchiveDamaged);
  EXPECT_TRUE(row->damaged());
}

TEST(ModelReaderTest, AFieldOfTheWrongTypeIsNamed) {
  for (const char* wrong :
       {R"([])", R"({"id":1,"status":"running"})",
        R"({"id":"j","status":"running","progress":-1})",
        R"({"id":"j","status":"running","progress":5000000000})",
        R"({"id":"j","status":"running","bytes_done":"9"})",
        R"({"id":"j","status":"running","started_at":"yesterday"})",
        R"({"id":"j","status":"running","warnings":[1]})",
        R"({"id":"j","status":"running","live":"yes"})",
        R"({"id":"j","status":"done"})", R"({"id":"j"})",
        R"({"status":"succeeded"})"}) {
    const auto job = ReadJob(AnswerJson::parse(wrong));
    EXPECT_EQ(ErrorCodeOf(job.status()), kServerAnswerInvalid) << wrong;
  }
}

TEST(ModelReaderTest, ANewerServersFieldsArePassedOver) {
  const auto job = ReadJob(AnswerJson::parse(
      R"({"id":"j","status":"running","kind":"replay","wonder":{"a":[1]}})"));
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->job.kind(), BackupJob::KIND_UNSPECIFIED);
}

}  // namespace
}  // namespace sluice::cli
