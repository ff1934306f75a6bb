// token create, list, revoke.

#include <string>
#include <vector>

#include "sluice/base/clock.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/verbs/asking.h"
#include "sluice/cli/verbs/verbs.h"
#include "sluice/cli/views/token_view.h"
#include "sluice/service/admin/tokens.h"
#include "sluice/service/plan/span.h"

namespace sluice::cli {

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
  PrintNewToken(session.console(), *made);
  return {};
}

Outcome RunTokenListVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(const std::vector<AccessToken> tokens,
                          catalog->access().ListTokens(session.context()));
  PrintTokens(session.console(), tokens, Clock::Real()->Now());
  return {};
}

Outcome RunTokenRevokeVerb(Session& session) {
  const std::string& id = session.command().arguments.front();
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  const absl::Status revoked = catalog->access().RevokeToken(
      session.context(), id, Clock::Real()->Now());
  NoteAudit(session, "token revoke", id, revoked);
  SLUICE_RETURN_IF_ERROR(revoked);
  PrintRevokedToken(session.console(), id);
  return {};
}

}  // namespace sluice::cli
