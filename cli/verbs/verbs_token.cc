// token create, list, revoke.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sluice/base/clock.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/text.h"
#include "sluice/cli/verbs/asking.h"
#include "sluice/cli/verbs/verbs.h"
#include "sluice/service/admin/tokens.h"
#include "sluice/service/plan/span.h"

namespace sluice::cli {
namespace {

std::string StateOf(const AccessToken& token, absl::Time now) {
  if (token.revoked_at <= now) return "revoked";
  return token.expires_at <= now ? "expired" : "valid";
}

}  // namespace

Outcome RunTokenCreateVerb(Session& session) {
  const Command& command = session.command();
  service::TokenWish wish;
  SLUICE_ASSIGN_OR_RETURN(const std::string role, command.Require("role"));
  SLUICE_ASSIGN_OR_RETURN(wish.role, service::ParseRole(role));
  wish.label = command.Get("label");
  if (command.Has("expires")) {
    SLUICE_ASSIGN_OR_RETURN(wish.expires_in,
                            service::ParseSpan(command.Get("expires")));
  }
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  if (command.Has("plan")) {
    SLUICE_ASSIGN_OR_RETURN(const Plan plan,
                            KnownPlan(session, command.Get("plan")));
    wish.plan_id = plan.id();
  }
  const absl::StatusOr<service::NewToken> made = service::CreateToken(
      session.context(), catalog->access(), *Clock::Real(), wish);
  NoteAudit(session, "token create", made.ok() ? made->row.id : role,
            made.status());
  SLUICE_RETURN_IF_ERROR(made.status());
  if (session.console().json()) {
    Json json = {{"token", made->token}};
    json.update(service::TokenJson(made->row));
    session.console().ResultJson(json);
  } else {
    session.console().Result(absl::StrCat(made->token, "\n"));
    session.console().Note(
        absl::StrCat("it is shown this once; its id is ", made->row.id));
  }
  return {};
}

Outcome RunTokenListVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(const std::vector<AccessToken> tokens,
                          catalog->access().ListTokens(session.context()));
  const absl::Time now = Clock::Real()->Now();
  Table table({"ID", "ROLE", "STATE", "PLAN", "EXPIRES", "LAST USED", "LABEL"});
  for (const AccessToken& token : tokens) {
    if (session.console().json()) {
      session.console().ResultJson(service::TokenJson(token));
    }
    table.Add({token.id, token.role, StateOf(token, now), token.plan_id,
               TimeText(token.expires_at), TimeText(token.last_used_at),
               token.label});
  }
  if (!session.console().json()) session.console().Result(table.Text());
  return {};
}

Outcome RunTokenRevokeVerb(Session& session) {
  const std::string& id = session.command().arguments.front();
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  const absl::Status revoked = catalog->access().RevokeToken(
      session.context(), id, Clock::Real()->Now());
  NoteAudit(session, "token revoke", id, revoked);
  SLUICE_RETURN_IF_ERROR(revoked);
  if (session.console().json()) {
    session.console().ResultJson({{"id", id}, {"revoked", true}});
  } else {
    session.console().Done(absl::StrCat(id, " is valid no more\n"));
  }
  return {};
}

}  // namespace sluice::cli
