#include "sluice/cli/views/token_view.h"

#include "absl/strings/str_cat.h"
#include "sluice/cli/terminal/json.h"
#include "sluice/cli/terminal/text.h"

namespace sluice::cli {
namespace {

std::string StateOf(const AccessToken& token, absl::Time now) {
  if (token.revoked_at <= now) return "revoked";
  return token.expires_at <= now ? "expired" : "valid";
}

}  // namespace

void PrintNewToken(Console& console, const service::NewToken& made) {
  if (console.json()) {
    Json json = {{"token", made.token}};
    json.update(service::TokenJson(made.row));
    console.ResultJson(json);
  } else {
    console.Result(absl::StrCat(made.token, "\n"));
    console.Note(
        absl::StrCat("it is shown this once; its id is ", made.row.id));
  }
}

void PrintTokens(Console& console, const std::vector<AccessToken>& tokens,
                 absl::Time now) {
  Table table({"ID", "ROLE", "STATE", "PLAN", "EXPIRES", "LAST USED", "LABEL"});
  for (const AccessToken& token : tokens) {
    if (console.json()) console.ResultJson(service::TokenJson(token));
    table.Add({token.id, token.role, StateOf(token, now), token.plan_id,
               TimeText(token.expires_at), TimeText(token.last_used_at),
               token.label});
  }
  if (!console.json()) console.Result(table.Text());
}

void PrintRevokedToken(Console& console, const std::string& id) {
  if (console.json()) {
    console.ResultJson({{"id", id}, {"revoked", true}});
  } else {
    console.Done(absl::StrCat(id, " is valid no more\n"));
  }
}

}  // namespace sluice::cli
