#ifndef SLUICE_CATALOG_ACCESS_STORE_H_
#define SLUICE_CATALOG_ACCESS_STORE_H_

// Who may ask the service for what, and who did: tokens, by their hashes alone,
// and the audit list.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(
//       const absl::optional<AccessToken> token,
//       tokens.FindToken(context, Sha256Hex(presented)));
//   if (!token.has_value() || !token->IsValidAt(now)) return Refuse();
//
// Thread-safe; every call blocks as those of Catalog do. Errors:
// token_not_found, ambiguous_id, and those of Catalog.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/executor/context.h"

namespace sluice {

struct AccessToken {
  std::string id;       // ULID; not secret
  std::string sha256;   // of the token, hex
  std::string role;     // "metrics", "viewer", "operator", "admin"
  std::string plan_id;  // what it concerns; empty: all
  std::string label;    // what its maker called it
  absl::Time created_at = absl::UnixEpoch();
  absl::Time expires_at = absl::InfiniteFuture();
  absl::Time revoked_at = absl::InfiniteFuture();
  absl::Time last_used_at = absl::InfinitePast();

  bool IsValidAt(absl::Time now) const {
    return now < expires_at && now < revoked_at;
  }
};

struct AuditEntry {
  int64_t id = 0;  // grows
  absl::Time at;
  std::string who;      // "token 01H…", "uid 0", "cli root"
  std::string action;   // the operation's name
  std::string target;   // what it was done to
  std::string outcome;  // "ok", or the error's word
};

class AccessStore {
 public:
  virtual ~AccessStore() = default;

  virtual absl::Status AddToken(const Context& context,
                                const AccessToken& token) = 0;
  virtual absl::StatusOr<absl::optional<AccessToken>> FindToken(
      const Context& context, absl::string_view sha256) = 0;
  // Oldest first, those that are not valid any more too.
  virtual absl::StatusOr<std::vector<AccessToken>> ListTokens(
      const Context& context) = 0;
  // For ever; one that was revoked stays as it is.
  virtual absl::Status RevokeToken(const Context& context,
                                   absl::string_view id_or_prefix,
                                   absl::Time at) = 0;
  virtual absl::Status TouchToken(const Context& context, absl::string_view id,
                                  absl::Time used_at) = 0;

  virtual absl::Status AddAudit(const Context& context,
                                const AuditEntry& entry) = 0;
  // Newest first: those before `before` (0: from the newest), `limit` at most.
  virtual absl::StatusOr<std::vector<AuditEntry>> ListAudit(
      const Context& context, int64_t before, size_t limit) = 0;
};

}  // namespace sluice

#endif  // SLUICE_CATALOG_ACCESS_STORE_H_
