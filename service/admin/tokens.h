#ifndef SLUICE_SERVICE_ADMIN_TOKENS_H_
#define SLUICE_SERVICE_ADMIN_TOKENS_H_

// Tokens that let somebody ask the service: made, shown once, and known by
// their hashes from then on.
//
// Example:
//
//   TokenWish wish;
//   wish.role = Role::kViewer;
//   const absl::StatusOr<NewToken> made =
//       CreateToken(context, catalog->access(), *clock, wish);
//   if (made.ok()) std::cout << made->token << "\n";
//   FindValidToken(context, catalog->access(), *clock, presented);
//
// Any thread; blocks for the catalog.

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/clock.h"
#include "sluice/catalog/access_store.h"
#include "sluice/executor/context.h"

namespace sluice::service {

// Each may do what those before it may.
enum class Role {
  kMetrics,   // read metrics
  kViewer,    // read all
  kOperator,  // run, cancel, pin, verify, restore
  kAdmin,     // change plans and repos, make tokens
};

// "metrics", "viewer", "operator", "admin".
absl::string_view RoleWord(Role role);
absl::StatusOr<Role> ParseRole(absl::string_view word);

struct TokenWish {
  Role role = Role::kViewer;
  std::string plan_id;  // only what concerns it; empty: all
  std::string label;
  absl::Duration expires_in = absl::InfiniteDuration();
};

struct NewToken {
  std::string token;  // secret: "sluice_" and 43 letters
  AccessToken row;
};

absl::StatusOr<NewToken> CreateToken(const Context& context,
                                     AccessStore& access, const Clock& clock,
                                     const TokenWish& wish);

// The valid token that `presented` is; none for any other text. What is
// compared is a hash, so that time tells nothing of the token.
absl::StatusOr<absl::optional<AccessToken>> FindValidToken(
    const Context& context, AccessStore& access, const Clock& clock,
    absl::string_view presented);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_ADMIN_TOKENS_H_
