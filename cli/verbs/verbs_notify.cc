// notify list, test, retry.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/text.h"
#include "sluice/cli/verbs/asking.h"
#include "sluice/cli/verbs/verbs.h"
#include "sluice/executor/ulid.h"
#include "sluice/service/config/server_config.h"
#include "sluice/service/notify/notice.h"
#include "sluice/service/notify/sender.h"

namespace sluice::cli {
namespace {

constexpr size_t kNotificationsShown = 1000;

std::string NotificationState(const OutboxMessage& message) {
  return message.next_attempt == absl::InfiniteFuture() ? "given up"
                                                        : "waiting";
}

}  // namespace

Outcome RunNotifyListVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(
      const std::vector<OutboxMessage> messages,
      catalog->outbox().List(session.context(), 0, kNotificationsShown));
  Table table(
      {"ID", "SINCE", "CHANNEL", "STATE", "TRIES", "NEXT", "SUBJECT", "ERROR"});
  for (const OutboxMessage& message : messages) {
    if (session.console().json()) {
      session.console().ResultJson(service::NotificationJson(message));
    }
    table.Add({absl::StrCat(message.id), TimeText(message.at), message.channel,
               NotificationState(message), absl::StrCat(message.attempts),
               TimeText(message.next_attempt), message.subject, message.error});
  }
  if (!session.console().json()) session.console().Result(table.Text());
  return {};
}

Outcome RunNotifyTestVerb(Session& session) {
  const Command& command = session.command();
  const std::string& name = command.arguments.front();
  const std::string path = command.Has("config") ? command.Get("config")
                                                 : service::kServerConfigPath;
  SLUICE_ASSIGN_OR_RETURN(const service::ServerConfig config,
                          service::ReadServerConfig(path));
  const std::vector<service::NotifyChannel>& channels = config.notifications;
  const auto channel =
      std::find_if(channels.begin(), channels.end(),
                   [&](const auto& each) { return each.name == name; });
  if (channel == channels.end()) {
    return InvalidArgument(
        absl::StrCat(path, " has no notification of the name ", name));
  }
  const absl::Time now = Clock::Real()->Now();
  const service::Outgoing message =
      service::TestMessage(name, NewUlid(*Clock::Real()), now);
  SLUICE_RETURN_IF_ERROR(
      Annotate(service::Send(session.context(), *channel, message, now), name));
  if (session.console().json()) {
    session.console().ResultJson({{"channel", name}, {"delivered", true}});
  } else {
    session.console().Done(absl::StrCat(name, " took a test message\n"));
  }
  return {};
}

Outcome RunNotifyRetryVerb(Session& session) {
  const std::string& word = session.command().arguments.front();
  int64_t id = 0;
  if (!absl::SimpleAtoi(word, &id) || id < 1) {
    return InvalidArgument(absl::StrCat("\"", word, "\" is no notification"),
                           "`sluice notify list` shows their numbers");
  }
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  const absl::StatusOr<OutboxMessage> message =
      catalog->outbox().Retry(session.context(), id, Clock::Real()->Now());
  NoteAudit(session, "notify retry", word, message.status());
  SLUICE_RETURN_IF_ERROR(message.status());
  if (session.console().json()) {
    session.console().ResultJson(service::NotificationJson(*message));
  } else {
    session.console().Done(absl::StrCat(
        word, " is tried again by `sluice serve`, within seconds\n"));
  }
  return {};
}

}  // namespace sluice::cli
