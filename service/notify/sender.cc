#include "sluice/service/notify/sender.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/program/program.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/host/secret.h"
#include "sluice/service/http/client/http_client.h"
#include "sluice/service/notify/address_guard.h"

namespace sluice::service {
namespace {

// Of an answer, which nobody reads.
constexpr size_t kMaxAnswer = 64 << 10;

absl::StatusOr<std::string> Resolve(absl::string_view reference) {
  // cmd: might never end.
  if (!absl::StartsWith(reference, "env:") &&
      !absl::StartsWith(reference, "file:")) {
    return std::string(reference);
  }
  SLUICE_ASSIGN_OR_RETURN(std::string value, ResolveSecret(reference));
  return std::string(absl::StripAsciiWhitespace(value));
}

// Any 2xx is success, however much follows it.
absl::Status Call(const Context& context, http::HttpClientOptions options,
                  const http::HttpCall& call) {
  const auto [limited, cancel] =
      Context::WithTimeout(context, Clock::Real(), kSendTimeout);
  options.timeout = kSendTimeout;
  options.max_body_bytes = kMaxAnswer;
  size_t taken = 0;
  bool accepted = false;
  const absl::StatusOr<http::HttpAnswer> answer =
      http::HttpClient(std::move(options))
          .Stream(limited, call, [&](absl::string_view bytes) {
            accepted = true;  // of another status nothing comes here
            taken += bytes.size();
            return taken <= kMaxAnswer
                       ? absl::OkStatus()
                       : absl::CancelledError("more than is read");
          });
  if (accepted) return absl::OkStatus();
  SLUICE_RETURN_IF_ERROR(answer.status());
  if (answer->status >= 200 && answer->status < 300) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("answered ", answer->status,
                   answer->status >= 300 && answer->status < 400
                       ? ": redirects are not followed"
                       : ""));
}

absl::Status SendWebhook(const Context& context, const NotifyChannel& channel,
                         const Outgoing& message, absl::Time now) {
  http::HttpCall call;
  call.method = "POST";
  SLUICE_ASSIGN_OR_RETURN(call.url, Resolve(channel.webhook_url));
  const int64_t timestamp = absl::ToUnixSeconds(now);
  call.headers.Add("Content-Type", "application/json");
  call.headers.Add("webhook-id", message.id);
  call.headers.Add("webhook-timestamp", absl::StrCat(timestamp));
  if (!channel.secret.empty()) {
    SLUICE_ASSIGN_OR_RETURN(const std::string secret, Resolve(channel.secret));
    SLUICE_ASSIGN_OR_RETURN(
        const std::string signature,
        WebhookSignature(secret, message.id, timestamp, message.body));
    call.headers.Add("webhook-signature", signature);
  }
  call.body = message.body;
  http::HttpClientOptions options;
  options.ca_file = channel.ca_file;
  if (!channel.allow_link_local) options.allow_address = AllowAddress;
  return Call(context, std::move(options), call);
}

absl::Status SendExec(const Context& context, const NotifyChannel& channel,
                      const Outgoing& message) {
  Program program;
  program.argv = channel.exec;
  program.environment = {{"SLUICE_EVENT", message.event},
                         {"SLUICE_EVENT_ID", message.id},
                         {"SLUICE_SUBJECT", message.subject},
                         {"SLUICE_PLANS", message.plans}};
  program.input = message.body;
  program.time_limit = kExecTimeout;
  program.max_output = 1000;
  SLUICE_ASSIGN_OR_RETURN(const ProgramEnd end, RunProgram(program, [&context] {
                            return context.done();
                          }));
  if (end.succeeded()) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat(channel.exec.front(), ": ", end.Describe()));
}

}  // namespace

absl::Status Send(const Context& context, const NotifyChannel& channel,
                  const Outgoing& message, absl::Time now) {
  return channel.exec.empty() ? SendWebhook(context, channel, message, now)
                              : SendExec(context, channel, message);
}

absl::Status SendHeartbeat(const Context& context,
                           absl::string_view reference) {
  http::HttpCall call;
  SLUICE_ASSIGN_OR_RETURN(call.url, Resolve(reference));
  http::HttpClientOptions options;
  options.allow_address = AllowAddress;
  return Call(context, std::move(options), call);
}

absl::StatusOr<std::string> WebhookSignature(absl::string_view secret,
                                             absl::string_view id,
                                             int64_t timestamp,
                                             absl::string_view body) {
  std::string key(secret);
  if (absl::ConsumePrefix(&secret, "whsec_") &&
      !absl::Base64Unescape(secret, &key)) {
    return InvalidArgument("the webhook's secret: whsec_ is no base64");
  }
  if (key.empty()) return InvalidArgument("the webhook's secret is empty");
  const std::string text = absl::StrCat(id, ".", timestamp, ".", body);
  uint8_t mac[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), key.data(), key.size(),
           reinterpret_cast<const uint8_t*>(text.data()), text.size(), mac,
           &size) == nullptr) {
    return absl::ResourceExhaustedError("no memory for a signature");
  }
  return absl::StrCat("v1,", absl::Base64Escape(absl::string_view(
                                 reinterpret_cast<const char*>(mac), size)));
}

}  // namespace sluice::service
