#include "sluice/service/notify/channels.h"

#include <fnmatch.h>

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/service/http/message/json_body.h"

namespace sluice::service {
namespace {

using http::JsonObjectReader;
using ConfigJson = nlohmann::json;

constexpr size_t kMaxChannels = 64;

bool IsName(absl::string_view name) {
  return !name.empty() && name.size() <= 63 &&
         absl::ascii_isalnum(static_cast<unsigned char>(name[0])) &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_islower(static_cast<unsigned char>(c)) ||
                  absl::ascii_isdigit(static_cast<unsigned char>(c)) ||
                  absl::StrContains("._-", absl::string_view(&c, 1));
         });
}

bool IsReferenced(absl::string_view text) {
  return (absl::StartsWith(text, "env:") && text.size() > 4) ||
         absl::StartsWith(text, "file:/");
}

bool IsUrl(absl::string_view text) {
  return absl::StartsWith(text, "https://") ||
         absl::StartsWith(text, "http://");
}

void ReadWebhook(const ConfigJson& value, const std::string& where,
                 JsonObjectReader& outer, NotifyChannel& channel,
                 absl::Status& status) {
  if (!value.is_object()) return outer.Wrong("webhook", "is no object");
  JsonObjectReader fields(value, where);
  absl::optional<std::string> secret;
  absl::optional<std::string> ca_file;
  absl::optional<bool> allow_link_local;
  fields.Required("url", channel.webhook_url);
  fields.Optional("secret", secret);
  fields.Optional("ca_file", ca_file);
  fields.Optional("allow_link_local", allow_link_local);
  channel.secret = secret.value_or("");
  channel.ca_file = ca_file.value_or("");
  channel.allow_link_local = allow_link_local.value_or(false);
  if (!IsUrl(channel.webhook_url) && !IsReferenced(channel.webhook_url)) {
    fields.Wrong("url", "is none of https://…, env:NAME and file:/path");
  }
  if (secret.has_value() && !IsReferenced(*secret)) {
    fields.Wrong("secret", "is given by reference: env:NAME or file:/path");
  }
  if (ca_file.has_value() && !absl::StartsWith(*ca_file, "/")) {
    fields.Wrong("ca_file", "is no absolute path");
  }
  status = fields.Finish();
}

absl::Status ReadChannel(const ConfigJson& value, const std::string& where,
                         NotifyChannel& channel) {
  if (!value.is_object()) {
    return InvalidArgument(absl::StrCat(where, " is no object"));
  }
  JsonObjectReader fields(value, where);
  absl::optional<std::vector<std::string>> events;
  absl::optional<std::vector<std::string>> plans;
  absl::optional<std::vector<std::string>> exec;
  absl::Status webhook_status;
  fields.Required("name", channel.name);
  fields.Optional("events", events);
  fields.Optional("plans", plans);
  fields.Optional("exec", exec);
  const ConfigJson* const webhook = fields.Take("webhook");
  if (webhook != nullptr) {
    ReadWebhook(*webhook, absl::StrCat(where, ".webhook"), fields, channel,
                webhook_status);
  }
  if (!IsName(channel.name)) fields.Wrong("name", "is none: a-z 0-9 . _ -");
  if ((webhook != nullptr) == exec.has_value()) {
    fields.Wrong("webhook", "and exec: one of both is needed");
  }
  if (exec.has_value() &&
      (exec->empty() || !absl::StartsWith(exec->front(), "/"))) {
    fields.Wrong("exec", "begins with no absolute path");
  }
  if (events.has_value()) {
    if (events->empty()) fields.Wrong("events", "is empty");
    for (const std::string& event : *events) {
      if (std::find(std::begin(kNotifyEvents), std::end(kNotifyEvents),
                    event) == std::end(kNotifyEvents)) {
        fields.Wrong("events", "knows failed, missed, overdue and recovered");
      }
    }
  }
  if (plans.has_value() && plans->empty()) fields.Wrong("plans", "is empty");
  SLUICE_RETURN_IF_ERROR(fields.Finish());
  SLUICE_RETURN_IF_ERROR(webhook_status);
  channel.events = events.value_or(std::vector<std::string>());
  channel.plans = plans.value_or(std::vector<std::string>());
  channel.exec = exec.value_or(std::vector<std::string>());
  return absl::OkStatus();
}

}  // namespace

bool NotifyChannel::Wants(absl::string_view event) const {
  return events.empty() ||
         std::find(events.begin(), events.end(), event) != events.end();
}

bool NotifyChannel::WantsPlan(const std::string& plan) const {
  return plans.empty() ||
         std::any_of(plans.begin(), plans.end(),
                     [&](const std::string& pattern) {
                       return fnmatch(pattern.c_str(), plan.c_str(), 0) == 0;
                     });
}

absl::StatusOr<std::vector<NotifyChannel>> ParseNotifications(
    const ConfigJson& value) {
  if (!value.is_array()) return InvalidArgument("notifications: is no list");
  if (value.size() > kMaxChannels) {
    return InvalidArgument("notifications: are more than 64");
  }
  std::vector<NotifyChannel> channels;
  std::set<std::string> names;
  for (const ConfigJson& entry : value) {
    const std::string where =
        absl::StrCat("notifications[", channels.size(), "]");
    NotifyChannel channel;
    SLUICE_RETURN_IF_ERROR(ReadChannel(entry, where, channel));
    if (!names.insert(channel.name).second) {
      return InvalidArgument(
          absl::StrCat(where, ".name: ", channel.name, " stands there twice"));
    }
    channels.push_back(std::move(channel));
  }
  return channels;
}

absl::StatusOr<std::vector<NotifyChannel>> ParseNotificationsText(
    absl::string_view text) {
  SLUICE_ASSIGN_OR_RETURN(const ConfigJson value, http::ParseJson(text));
  return ParseNotifications(value);
}

ConfigJson NotificationsJson(const std::vector<NotifyChannel>& channels) {
  ConfigJson list = ConfigJson::array();
  for (const NotifyChannel& channel : channels) {
    ConfigJson entry = {{"name", channel.name}};
    if (!channel.events.empty()) entry["events"] = channel.events;
    if (!channel.plans.empty()) entry["plans"] = channel.plans;
    if (!channel.exec.empty()) {
      entry["exec"] = channel.exec;
    } else {
      ConfigJson webhook = {{"url", channel.webhook_url},
                            {"allow_link_local", channel.allow_link_local}};
      if (!channel.secret.empty()) webhook["secret"] = channel.secret;
      if (!channel.ca_file.empty()) webhook["ca_file"] = channel.ca_file;
      entry["webhook"] = webhook;
    }
    list.push_back(entry);
  }
  return list;
}

}  // namespace sluice::service
