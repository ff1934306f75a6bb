#include "sluice/service/admin/tokens.h"

#include <openssl/rand.h>
#include <openssl/sha.h>

#include <cstdint>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/executor/ulid.h"

namespace sluice::service {
namespace {

constexpr char kPrefix[] = "sluice_";
constexpr size_t kSecretBytes = 32;

struct RoleEntry {
  Role role;
  absl::string_view word;
};
constexpr RoleEntry kRoles[] = {{Role::kMetrics, "metrics"},
                                {Role::kViewer, "viewer"},
                                {Role::kOperator, "operator"},
                                {Role::kAdmin, "admin"}};

std::string Sha256HexOf(absl::string_view text) {
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const uint8_t*>(text.data()), text.size(), digest);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest), sizeof(digest)));
}

}  // namespace

absl::string_view RoleWord(Role role) {
  for (const RoleEntry& entry : kRoles) {
    if (entry.role == role) return entry.word;
  }
  return "";
}

absl::StatusOr<Role> ParseRole(absl::string_view word) {
  for (const RoleEntry& entry : kRoles) {
    if (entry.word == word) return entry.role;
  }
  return InvalidArgument(absl::StrCat("role: there is no \"", word, "\""),
                         "metrics, viewer, operator or admin");
}

absl::StatusOr<NewToken> CreateToken(const Context& context,
                                     AccessStore& access, const Clock& clock,
                                     const TokenWish& wish) {
  if (wish.expires_in <= absl::ZeroDuration()) {
    return InvalidArgument("expires: the token would never be valid");
  }
  uint8_t secret[kSecretBytes];
  // BoringSSL's aborts where the system has no randomness; it never fails.
  RAND_bytes(secret, sizeof(secret));
  NewToken made;
  made.token = absl::StrCat(
      kPrefix, absl::WebSafeBase64Escape(absl::string_view(
                   reinterpret_cast<const char*>(secret), sizeof(secret))));
  made.row.id = NewUlid(clock);
  made.row.sha256 = Sha256HexOf(made.token);
  made.row.role = std::string(RoleWord(wish.role));
  made.row.plan_id = wish.plan_id;
  made.row.label = wish.label;
  made.row.created_at = clock.Now();
  made.row.expires_at = clock.Now() + wish.expires_in;
  SLUICE_RETURN_IF_ERROR(access.AddToken(context, made.row));
  return made;
}

absl::StatusOr<absl::optional<AccessToken>> FindValidToken(
    const Context& context, AccessStore& access, const Clock& clock,
    absl::string_view presented) {
  if (!absl::StartsWith(presented, kPrefix)) {
    return absl::optional<AccessToken>();
  }
  SLUICE_ASSIGN_OR_RETURN(absl::optional<AccessToken> found,
                          access.FindToken(context, Sha256HexOf(presented)));
  if (!found.has_value() || !found->IsValidAt(clock.Now())) {
    return absl::optional<AccessToken>();
  }
  return found;
}

}  // namespace sluice::service
