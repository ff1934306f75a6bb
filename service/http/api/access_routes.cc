// Tokens, sessions, and who did what.

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/service/http/api/api_state.h"

namespace sluice::service {
namespace {

using http::Response;

absl::StatusOr<Response> ListTokens(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const Page page, PageOf(call));
  SLUICE_ASSIGN_OR_RETURN(std::vector<AccessToken> tokens,
                          state.catalog->access().ListTokens(call.context));
  std::reverse(tokens.begin(), tokens.end());
  tokens.erase(std::remove_if(tokens.begin(), tokens.end(),
                              [&](const AccessToken& token) {
                                return !page.after.empty() &&
                                       token.id >= page.after;
                              }),
               tokens.end());
  const std::string last = CutPage(
      tokens, page.limit, [](const AccessToken& token) { return token.id; });
  Json items = Json::array();
  for (const AccessToken& token : tokens) items.push_back(TokenJson(token));
  return ListResponse("tokens", std::move(items), last);
}

absl::StatusOr<Response> PostToken(ApiState& state, ApiCall& call) {
  TokenWish wish;
  SLUICE_ASSIGN_OR_RETURN(wish.role, ParseRole(call.body.Text("role")));
  wish.label = call.body.Text("label");
  if (call.body.Has("plan")) {
    SLUICE_ASSIGN_OR_RETURN(const Plan plan,
                            FindPlan(state, call, call.body.Text("plan")));
    wish.plan_id = plan.id();
  }
  SLUICE_ASSIGN_OR_RETURN(wish.expires_in, SpanOf(call.body, "expires_in"));
  SLUICE_ASSIGN_OR_RETURN(const NewToken made,
                          CreateToken(call.context, state.catalog->access(),
                                      *state.options.clock, wish));
  call.target = made.row.id;
  Json json = TokenJson(made.row);
  json["token"] = made.token;
  return http::JsonResponse(201, json);
}

absl::StatusOr<Response> DeleteToken(ApiState& state, ApiCall& call) {
  SLUICE_RETURN_IF_ERROR(state.catalog->access().RevokeToken(
      call.context, call.Param("id"), state.options.clock->Now()));
  return NoContent();
}

absl::StatusOr<Response> ListAudit(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const Page page, PageOf(call));
  int64_t before = 0;
  if (!page.after.empty() &&
      (!absl::SimpleAtoi(page.after, &before) || before < 1)) {
    return InvalidArgument("cursor: is none that an answer gave");
  }
  SLUICE_ASSIGN_OR_RETURN(
      std::vector<AuditEntry> entries,
      state.catalog->access().ListAudit(call.context, before, page.limit + 1));
  const std::string last =
      CutPage(entries, page.limit,
              [](const AuditEntry& entry) { return absl::StrCat(entry.id); });
  Json items = Json::array();
  for (const AuditEntry& entry : entries) items.push_back(AuditJson(entry));
  return ListResponse("audit", std::move(items), last);
}

std::string CookieText(const ApiCall& call, absl::string_view value) {
  return absl::StrCat(kSessionCookie, "=", value,
                      "; Path=/; HttpOnly; SameSite=Strict",
                      call.request.is_tls ? "; Secure" : "",
                      value.empty() ? "; Max-Age=0" : "");
}

absl::StatusOr<Response> PostSession(ApiState& state, ApiCall& call) {
  if (call.caller.token_sha256.empty() || !call.caller.session_sha256.empty()) {
    return InvalidArgument("a session is begun with a token",
                           "Authorization: Bearer TOKEN");
  }
  const std::string expires = TimeText(call.caller.expires_at);
  Response response = http::JsonResponse(
      200, {{"who", call.caller.who},
            {"role", std::string(RoleWord(call.caller.role))},
            {"plan_id", call.caller.plan_id},
            {"expires_at", expires.empty() ? Json(nullptr) : Json(expires)}});
  response.headers.Set(
      "Set-Cookie",
      CookieText(call, state.gatekeeper.BeginSession(call.caller)));
  return response;
}

absl::StatusOr<Response> DeleteSession(ApiState& state, ApiCall& call) {
  state.gatekeeper.EndSession(call.caller);
  Response response = NoContent();
  response.headers.Set("Set-Cookie", CookieText(call, ""));
  return response;
}

}  // namespace

void AddAccessRoutes(std::vector<ApiRoute>& routes) {
  routes.push_back({"GET",
                    "/api/v1/tokens",
                    "listTokens",
                    "Tokens, the newest first, without what they are",
                    Role::kAdmin,
                    ListTokens,
                    "Tokens",
                    200,
                    {"limit", "cursor"},
                    {},
                    /*whole_catalog=*/true});
  routes.push_back(
      {"POST",
       "/api/v1/tokens",
       "createToken",
       "Makes a token, and shows it this once",
       Role::kAdmin,
       PostToken,
       "NewToken",
       201,
       {},
       {{"role", BodyKind::kText, "metrics, viewer, operator or admin", true},
        {"plan", BodyKind::kText, "it sees and touches only that plan's"},
        {"label", BodyKind::kText, "for people"},
        {"expires_in", BodyKind::kText, "a span, as 30d; never where absent"}},
       /*whole_catalog=*/true});
  routes.push_back({"DELETE",
                    "/api/v1/tokens/{id}",
                    "revokeToken",
                    "Revokes a token; its sessions and streams end",
                    Role::kAdmin,
                    DeleteToken,
                    "",
                    204,
                    {},
                    {},
                    /*whole_catalog=*/true,
                    false,
                    false,
                    /*on_a_copy=*/true});
  routes.push_back({"GET",
                    "/api/v1/audit",
                    "listAudit",
                    "Who changed what, the newest first",
                    Role::kAdmin,
                    ListAudit,
                    "Audit",
                    200,
                    {"limit", "cursor"},
                    {},
                    /*whole_catalog=*/true});
  routes.push_back({"POST",
                    "/api/v1/session",
                    "beginSession",
                    "A token for an HttpOnly cookie, which lives as long",
                    Role::kMetrics,
                    PostSession,
                    "Session",
                    200,
                    {},
                    {},
                    false,
                    false,
                    false,
                    /*on_a_copy=*/true});
  routes.push_back({"DELETE",
                    "/api/v1/session",
                    "endSession",
                    "The cookie is worth nothing any more",
                    Role::kMetrics,
                    DeleteSession,
                    "",
                    204,
                    {},
                    {},
                    false,
                    false,
                    false,
                    /*on_a_copy=*/true});
}

}  // namespace sluice::service
