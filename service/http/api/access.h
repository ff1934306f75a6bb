#ifndef SLUICE_SERVICE_HTTP_API_ACCESS_H_
#define SLUICE_SERVICE_HTTP_API_ACCESS_H_

// Who asks.
//
// Thread-safe; blocks for the catalog.

#include <sys/types.h>

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/clock.h"
#include "sluice/base/mutex.h"
#include "sluice/catalog/access_store.h"
#include "sluice/executor/context.h"
#include "sluice/service/admin/tokens.h"
#include "sluice/service/http/message/request.h"

namespace sluice::service {

inline constexpr char kSessionCookie[] = "sluice_session";

struct Caller {
  std::string who;  // "token 01H…", "uid 0"
  Role role = Role::kMetrics;
  std::string plan_id;  // what he may see; empty: all
  // May name what he likes: root, or this process's own user.
  bool is_local_admin = false;
  std::string token_sha256;    // of a token or a session
  std::string session_sha256;  // of a session
  absl::Time expires_at = absl::InfiniteFuture();

  bool MaySee(absl::string_view plan) const {
    return plan_id.empty() || plan_id == plan;
  }
};

class Gatekeeper {
 public:
  // Borrows all.
  Gatekeeper(AccessStore* access, Clock* clock,
             absl::optional<gid_t> operator_group);

  // None: nobody that is known. A token or cookie that is presented and not
  // valid is nobody, whoever the peer is; so is a peer that says that it
  // forwards another's request, and has no token of his.
  absl::StatusOr<absl::optional<Caller>> Identify(const Context& context,
                                                  const http::Request& request);
  // Whether he still is who he was: his token was not revoked, his session not
  // ended.
  absl::StatusOr<bool> IsStillKnown(const Context& context,
                                    const Caller& caller);

  // The secret that a cookie holds. It lives as long as the token does and this
  // process; of very many the oldest go.
  std::string BeginSession(const Caller& caller);
  void EndSession(const Caller& caller);

 private:
  absl::StatusOr<absl::optional<Caller>> ByToken(const Context& context,
                                                 absl::string_view sha256);
  absl::optional<Caller> ByPeer(const http::Peer& peer) const;
  void Touch(const Context& context, const AccessToken& token);

  struct Session {
    std::string token_sha256;
    absl::Time began;
  };

  AccessStore* const access_;
  Clock* const clock_;
  const absl::optional<gid_t> operator_group_;
  Mutex mutex_;
  std::map<std::string, Session> sessions_ ABSL_GUARDED_BY(mutex_);  // by hash
};

// In hex.
std::string Sha256Of(absl::string_view text);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_HTTP_API_ACCESS_H_
