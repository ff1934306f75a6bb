// Messages to people that wait, or that nobody took.

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/service/http/api/api_state.h"

namespace sluice::service {
namespace {

using http::Response;

absl::StatusOr<Response> ListNotifications(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const Page page, PageOf(call));
  int64_t before = 0;
  if (!page.after.empty() &&
      (!absl::SimpleAtoi(page.after, &before) || before < 1)) {
    return InvalidArgument("cursor: is none that an answer gave");
  }
  SLUICE_ASSIGN_OR_RETURN(
      std::vector<OutboxMessage> messages,
      state.catalog->outbox().List(call.context, before, page.limit + 1));
  const std::string last = CutPage(
      messages, page.limit,
      [](const OutboxMessage& message) { return absl::StrCat(message.id); });
  Json items = Json::array();
  for (const OutboxMessage& message : messages) {
    items.push_back(NotificationJson(message));
  }
  return ListResponse("notifications", std::move(items), last);
}

absl::StatusOr<Response> RetryNotification(ApiState& state, ApiCall& call) {
  int64_t id = 0;
  if (!absl::SimpleAtoi(call.Param("id"), &id) || id < 1) {
    return InvalidArgument("id: is no number that the list gave");
  }
  SLUICE_ASSIGN_OR_RETURN(const OutboxMessage message,
                          state.catalog->outbox().Retry(
                              call.context, id, state.options.clock->Now()));
  state.Wake();
  return http::JsonResponse(202, NotificationJson(message));
}

}  // namespace

void AddNotificationRoutes(std::vector<ApiRoute>& routes) {
  routes.push_back({"GET",
                    "/api/v1/notifications",
                    "listNotifications",
                    "Messages that wait or were given up, the newest first",
                    Role::kViewer,
                    ListNotifications,
                    "Notifications",
                    200,
                    {"limit", "cursor"},
                    {},
                    /*whole_catalog=*/true});
  routes.push_back({"POST",
                    "/api/v1/notifications/{id}/retry",
                    "retryNotification",
                    "Tries a message again, as if it were new",
                    Role::kOperator,
                    RetryNotification,
                    "Notification",
                    202,
                    {},
                    {},
                    /*whole_catalog=*/true});
}

}  // namespace sluice::service
