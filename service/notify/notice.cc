#include "sluice/service/notify/notice.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sluice/service/json/json.h"

namespace sluice::service {
namespace {

constexpr size_t kMaxErrorBytes = 500;

// "nightly", or how many there are.
std::string WhoText(const std::vector<NoticePlan>& plans) {
  std::set<std::string> names;
  for (const NoticePlan& plan : plans) names.insert(plan.plan);
  return names.size() == 1 ? *names.begin()
                           : absl::StrCat(names.size(), " plans");
}

// What all have in common; empty: nothing.
std::string Common(const std::vector<NoticePlan>& plans,
                   std::string NoticePlan::*field) {
  const std::string& first = plans.front().*field;
  const bool all =
      std::all_of(plans.begin(), plans.end(),
                  [&](const NoticePlan& plan) { return plan.*field == first; });
  return all ? first : "";
}

std::string SubjectOf(const Notice& notice,
                      const std::vector<NoticePlan>& plans) {
  const std::string who = WhoText(plans);
  const std::string repo = Common(plans, &NoticePlan::repo);
  const std::string code = Common(plans, &NoticePlan::error_code);
  const std::string where = repo.empty() ? "" : absl::StrCat(" into ", repo);
  const std::string why = code.empty() ? "" : absl::StrCat(" (", code, ")");
  if (notice.event == "failed") {
    return absl::StrCat(who, ": backup", where,
                        notice.reminder ? " still fails" : " failed", why);
  }
  if (notice.event == "missed") {
    return absl::StrCat(who, ": a backup", where, " was missed", why);
  }
  if (notice.event == "overdue") {
    return absl::StrCat(who, ": backup", where,
                        notice.reminder ? " is still overdue" : " is overdue");
  }
  return absl::StrCat(who, ": backup", where, " succeeds again");
}

Json PlanOf(const NoticePlan& plan) {
  const std::string since = TimeText(plan.since_ms);
  return {{"plan", plan.plan},
          {"plan_id", plan.plan_id},
          {"repo", plan.repo},
          {"repo_id", plan.repo_id},
          {"since", since.empty() ? Json(nullptr) : Json(since)},
          {"error_code", plan.error_code},
          {"error", plan.error.substr(0, kMaxErrorBytes)},
          {"job_id", plan.job_id}};
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string BodyOf(const Notice& notice, const std::vector<NoticePlan>& plans,
                   const std::string& subject, const std::string& id,
                   absl::Time now) {
  Json named = Json::array();
  for (size_t i = 0; i < std::min(plans.size(), kPlansNamed); ++i) {
    named.push_back(PlanOf(plans[i]));
  }
  return Dump({{"id", id},
               {"type", absl::StrCat("backup.", notice.event)},
               {"timestamp", TimeText(now)},
               {"text", subject},
               {"data",
                {{"event", notice.event},
                 {"reminder", notice.reminder},
                 {"plan_count", plans.size()},
                 {"plans", named}}}});
}

}  // namespace

std::vector<OutboxMessage> MessagesFor(
    const Notice& notice, const std::vector<NotifyChannel>& channels,
    const std::string& id, absl::Time now) {
  std::vector<OutboxMessage> messages;
  for (const NotifyChannel& channel : channels) {
    if (!channel.Wants(notice.event)) continue;
    std::vector<NoticePlan> plans;
    for (const NoticePlan& plan : notice.plans) {
      if (channel.WantsPlan(plan.plan)) plans.push_back(plan);
    }
    if (plans.empty()) continue;
    OutboxMessage message;
    message.at = now;
    message.next_attempt = now;
    message.channel = channel.name;
    message.subject = SubjectOf(notice, plans);
    message.body = BodyOf(notice, plans, message.subject, id, now);
    messages.push_back(std::move(message));
  }
  return messages;
}

Outgoing OutgoingOf(const OutboxMessage& message) {
  Outgoing outgoing;
  outgoing.id = absl::StrCat(message.id);
  outgoing.subject = message.subject;
  outgoing.body = message.body;
  const Json json = Json::parse(message.body, /*cb=*/nullptr,
                                /*allow_exceptions=*/false);
  if (!json.is_object()) return outgoing;
  const auto id = json.find("id");
  if (id != json.end() && id->is_string()) outgoing.id = id->get<std::string>();
  const auto data = json.find("data");
  if (data == json.end() || !data->is_object()) return outgoing;
  const auto event = data->find("event");
  if (event != data->end() && event->is_string()) {
    outgoing.event = event->get<std::string>();
  }
  std::vector<std::string> names;
  const auto plans = data->find("plans");
  if (plans != data->end() && plans->is_array()) {
    for (const Json& plan : *plans) {
      if (!plan.is_object() || !plan.contains("plan")) continue;
      const Json& name = plan["plan"];
      if (name.is_string()) names.push_back(name.get<std::string>());
    }
  }
  outgoing.plans = absl::StrJoin(names, ",");
  return outgoing;
}

Outgoing TestMessage(const std::string& channel, const std::string& id,
                     absl::Time now) {
  Outgoing message;
  message.id = id;
  message.event = "test";
  message.subject = absl::StrCat("Sluice: a test of ", channel);
  message.body = Dump({{"id", id},
                       {"type", "test"},
                       {"timestamp", TimeText(now)},
                       {"text", message.subject},
                       {"data",
                        {{"event", "test"},
                         {"reminder", false},
                         {"plan_count", 0},
                         {"plans", Json::array()}}}});
  return message;
}

}  // namespace sluice::service
