#include "sluice/service/http/api/access.h"

#include <grp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "sluice/base/status_macros.h"

namespace sluice::service {
namespace {

constexpr size_t kMostSessions = 1000;
constexpr size_t kSessionBytes = 32;
constexpr absl::Duration kTouchEvery = absl::Minutes(1);

absl::optional<std::string> CookieOf(const http::Request& request) {
  const auto header = request.headers.Find("Cookie");
  if (!header.has_value()) return absl::nullopt;
  for (absl::string_view part : absl::StrSplit(*header, ';')) {
    part = absl::StripAsciiWhitespace(part);
    if (absl::ConsumePrefix(&part, kSessionCookie) &&
        absl::ConsumePrefix(&part, "=")) {
      return std::string(part);
    }
  }
  return absl::nullopt;
}

// Whether the user is in the group, which a peer's own one need not be.
bool IsMember(const http::Peer& peer, gid_t group) {
  if (peer.gid == group) return true;
  passwd entry;
  passwd* found = nullptr;
  std::vector<char> buffer(16384);
  if (getpwuid_r(peer.uid, &entry, buffer.data(), buffer.size(), &found) != 0 ||
      found == nullptr) {
    return false;
  }
  std::vector<gid_t> groups(256);
  int count = static_cast<int>(groups.size());
  if (getgrouplist(found->pw_name, found->pw_gid, groups.data(), &count) < 0) {
    return false;
  }
  groups.resize(static_cast<size_t>(count));
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

// A proxy's word that another one asks: its own user is not who that is.
bool IsForwarded(const http::Request& request) {
  for (const char* name : {"Forwarded", "Via", "X-Forwarded-For",
                           "X-Forwarded-Host", "X-Real-IP"}) {
    if (request.headers.Find(name).has_value()) return true;
  }
  return false;
}

}  // namespace

std::string Sha256Of(absl::string_view text) {
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const uint8_t*>(text.data()), text.size(), digest);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest), sizeof(digest)));
}

Gatekeeper::Gatekeeper(AccessStore* access, Clock* clock,
                       absl::optional<gid_t> operator_group)
    : access_(access), clock_(clock), operator_group_(operator_group) {}

absl::StatusOr<absl::optional<Caller>> Gatekeeper::Identify(
    const Context& context, const http::Request& request) {
  if (const auto header = request.headers.Find("Authorization")) {
    constexpr absl::string_view kScheme = "bearer ";
    if (!absl::StartsWithIgnoreCase(*header, kScheme)) {
      return absl::optional<Caller>();
    }
    SLUICE_ASSIGN_OR_RETURN(
        const absl::optional<AccessToken> token,
        FindValidToken(
            context, *access_, *clock_,
            absl::StripAsciiWhitespace(header->substr(kScheme.size()))));
    if (!token.has_value()) return absl::optional<Caller>();
    Touch(context, *token);
    return ByToken(context, token->sha256);
  }
  if (const absl::optional<std::string> cookie = CookieOf(request)) {
    const std::string sha256 = Sha256Of(*cookie);
    std::string token;
    {
      MutexLock lock(mutex_);
      const auto session = sessions_.find(sha256);
      if (session == sessions_.end()) return absl::optional<Caller>();
      token = session->second.token_sha256;
    }
    SLUICE_ASSIGN_OR_RETURN(absl::optional<Caller> caller,
                            ByToken(context, token));
    if (caller.has_value()) caller->session_sha256 = sha256;
    return caller;
  }
  return IsForwarded(request) ? absl::nullopt : ByPeer(request.peer);
}

absl::StatusOr<absl::optional<Caller>> Gatekeeper::ByToken(
    const Context& context, absl::string_view sha256) {
  SLUICE_ASSIGN_OR_RETURN(const absl::optional<AccessToken> token,
                          access_->FindToken(context, sha256));
  if (!token.has_value() || !token->IsValidAt(clock_->Now())) {
    return absl::optional<Caller>();
  }
  SLUICE_ASSIGN_OR_RETURN(const Role role, ParseRole(token->role));
  Caller caller;
  caller.who = absl::StrCat("token ", token->id);
  caller.role = role;
  caller.plan_id = token->plan_id;
  caller.token_sha256 = token->sha256;
  caller.expires_at = token->expires_at;
  return absl::optional<Caller>(caller);
}

absl::optional<Caller> Gatekeeper::ByPeer(const http::Peer& peer) const {
  if (!peer.is_unix) return absl::nullopt;
  Caller caller;
  caller.who = absl::StrCat("uid ", peer.uid);
  if (peer.uid == 0 || peer.uid == geteuid()) {
    caller.role = Role::kAdmin;
    caller.is_local_admin = true;
    return caller;
  }
  if (!operator_group_.has_value() || !IsMember(peer, *operator_group_)) {
    return absl::nullopt;
  }
  caller.role = Role::kOperator;
  return caller;
}

// That it cannot be written keeps nobody out.
void Gatekeeper::Touch(const Context& context, const AccessToken& token) {
  const absl::Time now = clock_->Now();
  if (now < token.last_used_at + kTouchEvery) return;
  access_->TouchToken(context, token.id, now).IgnoreError();
}

absl::StatusOr<bool> Gatekeeper::IsStillKnown(const Context& context,
                                              const Caller& caller) {
  if (caller.token_sha256.empty()) return true;
  if (!caller.session_sha256.empty()) {
    MutexLock lock(mutex_);
    if (sessions_.count(caller.session_sha256) == 0) return false;
  }
  SLUICE_ASSIGN_OR_RETURN(const absl::optional<Caller> now,
                          ByToken(context, caller.token_sha256));
  return now.has_value();
}

std::string Gatekeeper::BeginSession(const Caller& caller) {
  uint8_t secret[kSessionBytes];
  // BoringSSL's aborts where the system has no randomness; it never fails.
  RAND_bytes(secret, sizeof(secret));
  const std::string text = absl::WebSafeBase64Escape(
      absl::string_view(reinterpret_cast<const char*>(secret), sizeof(secret)));
  MutexLock lock(mutex_);
  while (sessions_.size() >= kMostSessions) {
    sessions_.erase(std::min_element(sessions_.begin(), sessions_.end(),
                                     [](const auto& a, const auto& b) {
                                       return a.second.began < b.second.began;
                                     }));
  }
  sessions_[Sha256Of(text)] = {caller.token_sha256, clock_->Now()};
  return text;
}

void Gatekeeper::EndSession(const Caller& caller) {
  MutexLock lock(mutex_);
  sessions_.erase(caller.session_sha256);
}

}  // namespace sluice::service
