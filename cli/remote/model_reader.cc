#include "sluice/cli/remote/model_reader.h"

#include <cstdint>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/exit_code.h"
#include "sluice/service/plan/plan_fields.h"
#include "sluice/service/plan/plan_rules.h"

namespace sluice::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

absl::Status WrongField(absl::string_view name, absl::string_view wanted) {
  return AnswerError(absl::StrCat("\"", name, "\" is no ", wanted));
}

absl::Status CheckObject(const AnswerJson& json, absl::string_view what) {
  return json.is_object() ? absl::OkStatus() : WrongField(what, "object");
}

absl::StatusOr<std::string> TextOf(const AnswerJson& value,
                                   absl::string_view name) {
  if (!value.is_string()) return WrongField(name, "text");
  return value.get<std::string>();
}

absl::StatusOr<uint64_t> CountOf(const AnswerJson& value,
                                 absl::string_view name) {
  if (!value.is_number_unsigned()) return WrongField(name, "count");
  return value.get<uint64_t>();
}

absl::StatusOr<absl::Time> TimeOf(const AnswerJson& value,
                                  absl::string_view name) {
  SLUICE_ASSIGN_OR_RETURN(const std::string text, TextOf(value, name));
  absl::Time time;
  std::string ignored;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &ignored)) {
    return WrongField(name, "time");
  }
  return time;
}

// --- any of the models whose JSON has the names of its fields; but for moments:
// "x_at_ms" is "x_at". An enum's word is in lower case, bytes are in base64.

absl::Status ReadMessage(const AnswerJson& json, absl::string_view what,
                         Message& message);

// The value of a field; null where it is missing or null.
const AnswerJson* ValueOf(const AnswerJson& json,
                          const FieldDescriptor& field) {
  auto value = json.find(field.name());
  if (value == json.end() && absl::EndsWith(field.name(), "_ms")) {
    value = json.find(std::string(absl::StripSuffix(field.name(), "_ms")));
  }
  return value == json.end() || value->is_null() ? nullptr : &*value;
}

absl::Status ReadMapEntry(const std::string& key, const AnswerJson& value,
                          const FieldDescriptor& field, Message& message) {
  Message* const entry =
      message.GetReflection()->AddMessage(&message, &field, nullptr);
  const google::protobuf::Descriptor& type = *entry->GetDescriptor();
  const FieldDescriptor& second = *type.FindFieldByName("value");
  entry->GetReflection()->SetString(entry, type.FindFieldByName("key"), key);
  if (second.cpp_type() == FieldDescriptor::CPPTYPE_UINT64) {
    SLUICE_ASSIGN_OR_RETURN(const uint64_t count, CountOf(value, field.name()));
    entry->GetReflection()->SetUInt64(entry, &second, count);
    return absl::OkStatus();
  }
  SLUICE_ASSIGN_OR_RETURN(const std::string text, TextOf(value, field.name()));
  std::string bytes;
  if (!absl::Base64Unescape(text, &bytes)) {
    return WrongField(field.name(), "base64");
  }
  entry->GetReflection()->SetString(entry, &second, bytes);
  return absl::OkStatus();
}

absl::Status ReadMap(const AnswerJson& value, const FieldDescriptor& field,
                     Message& message) {
  SLUICE_RETURN_IF_ERROR(CheckObject(value, field.name()));
  for (const auto& member : value.items()) {
    SLUICE_RETURN_IF_ERROR(
        ReadMapEntry(member.key(), member.value(), field, message));
  }
  return absl::OkStatus();
}

absl::Status ReadRepeated(const AnswerJson& value, const FieldDescriptor& field,
                          Message& message) {
  if (!value.is_array()) return WrongField(field.name(), "list");
  const Reflection& reflection = *message.GetReflection();
  for (const AnswerJson& item : value) {
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      SLUICE_RETURN_IF_ERROR(
          ReadMessage(item, field.name(),
                      *reflection.AddMessage(&message, &field, nullptr)));
      continue;
    }
    SLUICE_ASSIGN_OR_RETURN(const std::string text, TextOf(item, field.name()));
    reflection.AddString(&message, &field, text);
  }
  return absl::OkStatus();
}

absl::Status ReadMillis(const AnswerJson& value, const FieldDescriptor& field,
                        Message& message) {
  SLUICE_ASSIGN_OR_RETURN(const uint64_t count, CountOf(value, field.name()));
  if (count > uint64_t{std::numeric_limits<int64_t>::max()}) {
    return WrongField(field.name(), "count");
  }
  message.GetReflection()->SetInt64(&message, &field,
                                    static_cast<int64_t>(count));
  return absl::OkStatus();
}

absl::Status ReadSingle(const AnswerJson& value, const FieldDescriptor& field,
                        Message& message) {
  const Reflection& reflection = *message.GetReflection();
  const absl::string_view name = field.name();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      SLUICE_ASSIGN_OR_RETURN(const std::string text, TextOf(value, name));
      reflection.SetString(&message, &field, text);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      if (!value.is_boolean()) return WrongField(name, "yes or no");
      reflection.SetBool(&message, &field, value.get<bool>());
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_UINT64: {
      SLUICE_ASSIGN_OR_RETURN(const uint64_t count, CountOf(value, name));
      reflection.SetUInt64(&message, &field, count);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_UINT32: {
      SLUICE_ASSIGN_OR_RETURN(const uint64_t count, CountOf(value, name));
      if (count > std::numeric_limits<uint32_t>::max()) {
        return WrongField(name, "count");
      }
      reflection.SetUInt32(&message, &field, static_cast<uint32_t>(count));
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      if (value.is_number()) return ReadMillis(value, field, message);
      SLUICE_ASSIGN_OR_RETURN(const absl::Time time, TimeOf(value, name));
      reflection.SetInt64(&message, &field, absl::ToUnixMillis(time));
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      SLUICE_ASSIGN_OR_RETURN(const std::string word, TextOf(value, name));
      const google::protobuf::EnumValueDescriptor* const known =
          field.enum_type()->FindValueByName(absl::AsciiStrToUpper(word));
      if (known != nullptr) reflection.SetEnum(&message, &field, known);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ReadMessage(value, name,
                         *reflection.MutableMessage(&message, &field));
    default:
      return absl::OkStatus();  // no model has one
  }
}

absl::Status ReadMessage(const AnswerJson& json, absl::string_view what,
                         Message& message) {
  SLUICE_RETURN_IF_ERROR(CheckObject(json, what));
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const AnswerJson* const value = ValueOf(json, field);
    if (value == nullptr) continue;
    SLUICE_RETURN_IF_ERROR(field.is_map() ? ReadMap(*value, field, message)
                           : field.is_repeated()
                               ? ReadRepeated(*value, field, message)
                               : ReadSingle(*value, field, message));
  }
  return absl::OkStatus();
}

// --- fields of what is no message

absl::Status ReadFlag(const AnswerJson& object, const std::string& name,
                      bool& flag) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return absl::OkStatus();
  if (!found->is_boolean()) return WrongField(name, "yes or no");
  flag = found->get<bool>();
  return absl::OkStatus();
}

// What is null stays as it was.
absl::Status ReadTime(const AnswerJson& object, const std::string& name,
                      absl::Time& time) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(time, TimeOf(*found, name));
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> ReadCount(const AnswerJson& object,
                                   const std::string& name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return 0;
  return CountOf(*found, name);
}

absl::StatusOr<std::string> ReadTextItem(const AnswerJson& value) {
  return TextOf(value, "item");
}

absl::StatusOr<PlanTarget> ReadTarget(const AnswerJson& json) {
  SLUICE_RETURN_IF_ERROR(CheckObject(json, "target"));
  PlanTarget target;
  target.next_due = target.run_at = absl::InfiniteFuture();
  SLUICE_ASSIGN_OR_RETURN(target.plan_id, ReadText(json, "plan_id"));
  SLUICE_ASSIGN_OR_RETURN(target.repo_id, ReadText(json, "repo_id"));
  SLUICE_RETURN_IF_ERROR(ReadTime(json, "next_due", target.next_due));
  SLUICE_RETURN_IF_ERROR(ReadTime(json, "run_at", target.run_at));
  absl::Time fired = absl::InfinitePast();
  SLUICE_RETURN_IF_ERROR(ReadTime(json, "last_fired", fired));
  if (fired != absl::InfinitePast()) target.last_fired = fired;
  SLUICE_ASSIGN_OR_RETURN(target.store_id, ReadText(json, "store_id"));
  return target;
}

// As SetPlanField takes it.
absl::StatusOr<std::string> PlanFieldText(const AnswerJson& value,
                                          const std::string& name) {
  if (value.is_boolean()) return std::string(value.get<bool>() ? "true" : "");
  if (value.is_number_unsigned()) return absl::StrCat(value.get<uint64_t>());
  return TextOf(value, name);
}

absl::Status ReadSpec(const AnswerJson& json, PlanSpec& spec) {
  SLUICE_ASSIGN_OR_RETURN(const std::string source, ReadText(json, "source"));
  spec.set_source(source);
  SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> repos,
                          ReadList(json, "repos", &ReadTextItem));
  for (const std::string& repo : repos) spec.add_repos(repo);
  for (const service::PlanField& field : service::PlanFields()) {
    const std::string name(field.name);
    const auto found = json.find(name);
    if (found == json.end() || found->is_null()) continue;
    SLUICE_ASSIGN_OR_RETURN(const std::string text,
                            PlanFieldText(*found, name));
    const absl::Status set = service::SetPlanField(name, text, spec);
    if (!set.ok()) return AnswerError(set.message());
  }
  const auto labels = json.find("labels");
  if (labels == json.end() || labels->is_null()) return absl::OkStatus();
  SLUICE_RETURN_IF_ERROR(CheckObject(*labels, "labels"));
  for (const auto& label : labels->items()) {
    SLUICE_ASSIGN_OR_RETURN((*spec.mutable_labels())[label.key()],
                            TextOf(label.value(), "labels"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Firing::Outcome> ReadOutcome(const AnswerJson& json) {
  SLUICE_ASSIGN_OR_RETURN(const std::string word, ReadText(json, "outcome"));
  for (const Firing::Outcome outcome :
       {Firing::Outcome::kOpen, Firing::Outcome::kSucceeded,
        Firing::Outcome::kFailed, Firing::Outcome::kInterrupted,
        Firing::Outcome::kSkipped, Firing::Outcome::kMissed}) {
    if (OutcomeWord(outcome) == word) return outcome;
  }
  return WrongField("outcome", "outcome that is known");
}

absl::StatusOr<service::RetentionReason> ReadReason(const AnswerJson& json) {
  SLUICE_RETURN_IF_ERROR(CheckObject(json, "reason"));
  service::RetentionReason reason;
  SLUICE_ASSIGN_OR_RETURN(const std::string word, ReadText(json, "reason"));
  SLUICE_ASSIGN_OR_RETURN(reason.text, ReadText(json, "text"));
  for (int kind = 0;; ++kind) {
    reason.kind = static_cast<service::RetentionReasonKind>(kind);
    const absl::string_view known = RetentionReasonWord(reason.kind);
    if (known.empty()) return WrongField("reason", "reason that is known");
    if (known == word) return reason;
  }
}

absl::StatusOr<service::RetentionVerdict> ReadVerdict(const AnswerJson& json) {
  SLUICE_RETURN_IF_ERROR(CheckObject(json, "verdict"));
  service::RetentionVerdict verdict;
  SLUICE_ASSIGN_OR_RETURN(verdict.id, ReadText(json, "id"));
  SLUICE_RETURN_IF_ERROR(ReadFlag(json, "keep", verdict.keep));
  SLUICE_ASSIGN_OR_RETURN(verdict.reasons,
                          ReadList(json, "reasons", &ReadReason));
  return verdict;
}

absl::StatusOr<service::RetentionSuspension> ReadSuspension(
    const AnswerJson& json) {
  SLUICE_RETURN_IF_ERROR(CheckObject(json, "suspension"));
  service::RetentionSuspension suspension;
  SLUICE_ASSIGN_OR_RETURN(const std::string word, ReadText(json, "reason"));
  suspension.kind = word == "future"
                        ? service::RetentionSuspension::Kind::kFuture
                        : service::RetentionSuspension::Kind::kShrunk;
  SLUICE_ASSIGN_OR_RETURN(suspension.archive_id, ReadText(json, "archive_id"));
  SLUICE_ASSIGN_OR_RETURN(suspension.text, ReadText(json, "text"));
  return suspension;
}

absl::Status ReadProblemOf(const AnswerJson& json) {
  const auto error = json.find("error");
  if (error == json.end() || error->is_null()) {
    return AnswerError("an archive has neither manifest nor error");
  }
  SLUICE_RETURN_IF_ERROR(CheckObject(*error, "error"));
  SLUICE_ASSIGN_OR_RETURN(const std::string code, ReadText(*error, "code"));
  SLUICE_ASSIGN_OR_RETURN(const std::string text, ReadText(*error, "message"));
  if (code.empty()) return WrongField("code", "word");
  return MakeError(code == kArchiveDamaged ? absl::StatusCode::kDataLoss
                                           : absl::StatusCode::kUnknown,
                   code, text);
}

}  // namespace

absl::Status AnswerError(absl::string_view message) {
  return WithHint(
      MakeError(absl::StatusCode::kDataLoss, kServerAnswerInvalid,
                absl::StrCat("the server's answer is none of Sluice's, or of "
                             "a version that is not known: ",
                             message)),
      "is it a `sluice serve` that --server names? `sluice version` there and "
      "here");
}

absl::StatusOr<std::string> ReadText(const AnswerJson& object,
                                     const std::string& name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return std::string();
  return TextOf(*found, name);
}

absl::StatusOr<CatalogJob> ReadJob(const AnswerJson& json) {
  CatalogJob job;
  SLUICE_RETURN_IF_ERROR(ReadMessage(json, "job", job.job));
  SLUICE_RETURN_IF_ERROR(ReadFlag(json, "live", job.live));
  SLUICE_RETURN_IF_ERROR(
      ReadFlag(json, "cancel_requested", job.cancel_requested));
  SLUICE_ASSIGN_OR_RETURN(const std::string owner, ReadText(json, "owner"));
  if (!owner.empty()) {
    job.lease.emplace();
    job.lease->owner = owner;
  }
  if (job.job.id().empty()) return WrongField("id", "id");
  if (job.job.status() == BackupJob::STATUS_UNSPECIFIED) {
    return WrongField("status", "status that is known");
  }
  return job;
}

absl::StatusOr<QueuedRun> ReadQueued(const AnswerJson& json) {
  QueuedRun run;
  SLUICE_ASSIGN_OR_RETURN(CatalogJob job, ReadJob(json));
  run.job = std::move(job.job);
  const auto request = json.find("request");
  if (request != json.end() && !request->is_null()) {
    SLUICE_RETURN_IF_ERROR(ReadMessage(*request, "request", run.request));
  }
  return run;
}

absl::StatusOr<BackupRecord> ReadRecord(const AnswerJson& json) {
  BackupRecord record;
  SLUICE_RETURN_IF_ERROR(ReadMessage(json, "backup", record));
  if (record.id().empty()) return WrongField("id", "id");
  return record;
}

absl::StatusOr<BackupRepo> ReadRepo(const AnswerJson& json) {
  BackupRepo repo;
  SLUICE_RETURN_IF_ERROR(ReadMessage(json, "repo", repo));
  if (repo.id().empty()) return WrongField("id", "id");
  return repo;
}

absl::StatusOr<service::ArchiveRow> ReadArchive(const AnswerJson& json) {
  SLUICE_RETURN_IF_ERROR(CheckObject(json, "archive"));
  service::ArchiveRow row;
  SLUICE_ASSIGN_OR_RETURN(row.id, ReadText(json, "id"));
  if (row.id.empty()) return WrongField("id", "id");
  SLUICE_ASSIGN_OR_RETURN(const uint64_t place, ReadCount(json, "recorded_as"));
  row.recorded_as = place;
  const auto record = json.find("record");
  if (record != json.end() && !record->is_null()) {
    SLUICE_ASSIGN_OR_RETURN(row.record, ReadRecord(*record));
  }
  const auto manifest = json.find("manifest");
  if (manifest == json.end() || manifest->is_null()) {
    row.manifest = ReadProblemOf(json);
    return row;
  }
  Manifest read;
  SLUICE_RETURN_IF_ERROR(ReadMessage(*manifest, "manifest", read));
  row.manifest = std::move(read);
  return row;
}

absl::StatusOr<PlanView> ReadPlan(const AnswerJson& json) {
  SLUICE_RETURN_IF_ERROR(CheckObject(json, "plan"));
  PlanView view;
  Plan& plan = view.plan;
  SLUICE_ASSIGN_OR_RETURN(*plan.mutable_id(), ReadText(json, "id"));
  SLUICE_ASSIGN_OR_RETURN(*plan.mutable_name(), ReadText(json, "name"));
  if (plan.id().empty() || plan.name().empty()) {
    return AnswerError("a plan has no id or no name");
  }
  bool paused = false;
  SLUICE_RETURN_IF_ERROR(ReadFlag(json, "paused", paused));
  plan.set_paused(paused);
  SLUICE_ASSIGN_OR_RETURN(const uint64_t revision, ReadCount(json, "revision"));
  plan.set_revision(revision);
  absl::Time at = absl::UnixEpoch();
  SLUICE_RETURN_IF_ERROR(ReadTime(json, "created_at", at));
  plan.set_created_at_ms(absl::ToUnixMillis(at));
  at = absl::UnixEpoch();
  SLUICE_RETURN_IF_ERROR(ReadTime(json, "updated_at", at));
  plan.set_updated_at_ms(absl::ToUnixMillis(at));
  SLUICE_RETURN_IF_ERROR(ReadSpec(json, *plan.mutable_spec()));
  SLUICE_ASSIGN_OR_RETURN(view.repo_names,
                          ReadList(json, "repo_names", &ReadTextItem));
  SLUICE_ASSIGN_OR_RETURN(view.targets, ReadList(json, "targets", &ReadTarget));
  const auto last = json.find("last_job");
  if (last != json.end() && !last->is_null()) {
    SLUICE_ASSIGN_OR_RETURN(CatalogJob job, ReadJob(*last));
    view.last_job = std::move(job.job);
  }
  const auto rules = service::RulesOf(plan);
  if (rules.ok()) view.zone = rules->zone;
  return view;
}

absl::StatusOr<Firing> ReadFiring(const AnswerJson& json) {
  SLUICE_RETURN_IF_ERROR(CheckObject(json, "firing"));
  Firing firing;
  SLUICE_ASSIGN_OR_RETURN(firing.plan_id, ReadText(json, "plan_id"));
  SLUICE_ASSIGN_OR_RETURN(firing.repo_id, ReadText(json, "repo_id"));
  SLUICE_RETURN_IF_ERROR(ReadTime(json, "due_at", firing.due_at));
  SLUICE_ASSIGN_OR_RETURN(firing.outcome, ReadOutcome(json));
  SLUICE_ASSIGN_OR_RETURN(firing.reason, ReadText(json, "reason"));
  SLUICE_ASSIGN_OR_RETURN(firing.job_id, ReadText(json, "job_id"));
  SLUICE_ASSIGN_OR_RETURN(const uint64_t attempts, ReadCount(json, "attempts"));
  if (attempts > std::numeric_limits<uint32_t>::max()) {
    return WrongField("attempts", "count");
  }
  firing.attempts = static_cast<uint32_t>(attempts);
  SLUICE_RETURN_IF_ERROR(ReadTime(json, "fired_at", firing.fired_at));
  SLUICE_RETURN_IF_ERROR(ReadTime(json, "finished_at", firing.finished_at));
  SLUICE_ASSIGN_OR_RETURN(firing.record_id, ReadText(json, "record_id"));
  SLUICE_ASSIGN_OR_RETURN(firing.size_bytes, ReadCount(json, "size_bytes"));
  SLUICE_ASSIGN_OR_RETURN(const uint64_t took, ReadCount(json, "duration_ms"));
  if (took > uint64_t{std::numeric_limits<int64_t>::max()}) {
    return WrongField("duration_ms", "count");
  }
  firing.duration = absl::Milliseconds(static_cast<int64_t>(took));
  return firing;
}

absl::StatusOr<service::PlannedTime> ReadPlannedTime(const AnswerJson& json) {
  SLUICE_RETURN_IF_ERROR(CheckObject(json, "time"));
  service::PlannedTime time;
  SLUICE_ASSIGN_OR_RETURN(time.utc, ReadText(json, "utc"));
  SLUICE_RETURN_IF_ERROR(ReadTime(json, "utc", time.nominal));
  SLUICE_ASSIGN_OR_RETURN(time.local, ReadText(json, "local"));
  SLUICE_ASSIGN_OR_RETURN(time.zone, ReadText(json, "zone"));
  SLUICE_ASSIGN_OR_RETURN(time.note, ReadText(json, "note"));
  return time;
}

absl::StatusOr<service::PrunedGroup> ReadPruned(const AnswerJson& json) {
  SLUICE_RETURN_IF_ERROR(CheckObject(json, "store"));
  service::PrunedGroup group;
  SLUICE_ASSIGN_OR_RETURN(group.store_id, ReadText(json, "store_id"));
  service::RetentionDecision& decision = group.decision;
  SLUICE_ASSIGN_OR_RETURN(decision.verdicts,
                          ReadList(json, "verdicts", &ReadVerdict));
  SLUICE_ASSIGN_OR_RETURN(decision.removals,
                          ReadList(json, "removals", &ReadTextItem));
  SLUICE_ASSIGN_OR_RETURN(decision.suspended,
                          ReadList(json, "suspended", &ReadSuspension));
  service::RetentionSummary& summary = decision.summary;
  SLUICE_ASSIGN_OR_RETURN(summary.considered, ReadCount(json, "considered"));
  SLUICE_ASSIGN_OR_RETURN(summary.removed, ReadCount(json, "removed"));
  SLUICE_ASSIGN_OR_RETURN(summary.removed_bytes,
                          ReadCount(json, "removed_bytes"));
  SLUICE_ASSIGN_OR_RETURN(summary.held_by_pin, ReadCount(json, "held_by_pin"));
  SLUICE_ASSIGN_OR_RETURN(summary.held_by_floor,
                          ReadCount(json, "held_by_floor"));
  return group;
}

absl::StatusOr<AccessToken> ReadToken(const AnswerJson& json) {
  SLUICE_RETURN_IF_ERROR(CheckObject(json, "token"));
  AccessToken token;
  SLUICE_ASSIGN_OR_RETURN(token.id, ReadText(json, "id"));
  if (token.id.empty()) return WrongField("id", "id");
  SLUICE_ASSIGN_OR_RETURN(token.role, ReadText(json, "role"));
  SLUICE_ASSIGN_OR_RETURN(token.plan_id, ReadText(json, "plan_id"));
  SLUICE_ASSIGN_OR_RETURN(token.label, ReadText(json, "label"));
  SLUICE_RETURN_IF_ERROR(ReadTime(json, "created_at", token.created_at));
  SLUICE_RETURN_IF_ERROR(ReadTime(json, "expires_at", token.expires_at));
  SLUICE_RETURN_IF_ERROR(ReadTime(json, "revoked_at", token.revoked_at));
  SLUICE_RETURN_IF_ERROR(ReadTime(json, "last_used_at", token.last_used_at));
  return token;
}

}  // namespace sluice::cli
