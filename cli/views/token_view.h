#ifndef SLUICE_CLI_VIEWS_TOKEN_VIEW_H_
#define SLUICE_CLI_VIEWS_TOKEN_VIEW_H_

// Tokens as they are printed. Any thread; nothing blocks.

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "sluice/catalog/access_store.h"
#include "sluice/cli/terminal/console.h"
#include "sluice/service/admin/tokens.h"

namespace sluice::cli {

// The one time that it is shown.
void PrintNewToken(Console& console, const service::NewToken& made);
// In the order that they are in.
void PrintTokens(Console& console, const std::vector<AccessToken>& tokens,
                 absl::Time now);
void PrintRevokedToken(Console& console, const std::string& id);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_VIEWS_TOKEN_VIEW_H_
