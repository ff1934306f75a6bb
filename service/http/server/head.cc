#include "sluice/service/http/server/head.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sluice/service/http/message/problem.h"
#include "sluice/service/http/server/origin.h"

namespace sluice::http {
namespace {

// Those that two readers would take different ones of.
constexpr absl::string_view kOnce[] = {
    "Authorization", "Content-Length",   "Content-Type",
    "Expect",        "Idempotency-Key",  "Last-Event-ID",
    "Origin",        "Sec-Fetch-Site",   "Host",
    "Cookie",        "Transfer-Encoding"};

bool IsToken(absl::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           absl::string_view("!#$%&'*+-.^_`|~").find(c) !=
               absl::string_view::npos;
  });
}

bool IsFieldValue(absl::string_view value) {
  return std::none_of(value.begin(), value.end(), [](char c) {
    return c != '\t' && absl::ascii_iscntrl(static_cast<unsigned char>(c));
  });
}

Refusal Close(int status, absl::string_view code, absl::string_view detail) {
  return {ProblemResponse(status, code, detail), /*must_close=*/true};
}

Refusal Keep(Response response) { return {std::move(response), false}; }

absl::optional<Refusal> CheckFields(const HeadRules& rules, const RawHead& head,
                                    const Request& request) {
  if (head.bytes > rules.max_bytes ||
      request.headers.fields().size() > static_cast<size_t>(rules.max_fields)) {
    return Close(431, kHeadersTooLarge,
                 absl::StrCat("the head is larger than ", rules.max_bytes,
                              " bytes or ", rules.max_fields, " fields"));
  }
  if (!head.is_exact) {
    return Close(400, kBadRequest,
                 "the head has folded lines, or line ends that are not CR LF");
  }
  for (const Headers::Field& field : request.headers.fields()) {
    if (!IsToken(field.first) || !IsFieldValue(field.second)) {
      return Close(400, kBadRequest, "a header holds what none may hold");
    }
  }
  for (const absl::string_view name : kOnce) {
    if (request.headers.Count(name) > 1) {
      return Close(400, kBadRequest,
                   absl::StrCat("the header ", name, " is there twice"));
    }
  }
  return absl::nullopt;
}

absl::optional<Refusal> CheckFraming(const HeadRules& rules,
                                     const RawHead& head,
                                     const Request& request, HeadCheck& check) {
  const auto coding = request.headers.Find("Transfer-Encoding");
  const auto length = request.headers.Find("Content-Length");
  if (coding.has_value() &&
      (length.has_value() || head.version != "HTTP/1.1")) {
    return Close(400, kBadRequest,
                 "Transfer-Encoding with Content-Length, or before HTTP/1.1");
  }
  if (coding.has_value() && !absl::EqualsIgnoreCase(*coding, "chunked")) {
    return Close(501, kBadRequest,
                 "the only transfer coding that is known here is chunked");
  }
  if (length.has_value() &&
      (length->find_first_not_of("0123456789") != absl::string_view::npos ||
       !absl::SimpleAtoi(*length, &check.content_length))) {
    return Close(400, kBadRequest, "Content-Length is no number");
  }
  check.has_body = coding.has_value() || check.content_length > 0;
  if (const auto expect = request.headers.Find("Expect")) {
    if (!absl::EqualsIgnoreCase(*expect, "100-continue")) {
      return Close(417, kBadRequest, "Expect is not 100-continue");
    }
    check.expects_continue = true;
  }
  if (check.content_length > rules.max_body_bytes) {
    return Keep(ProblemResponse(413, kBodyTooLarge,
                                absl::StrCat("the body is larger than ",
                                             rules.max_body_bytes, " bytes")));
  }
  return absl::nullopt;
}

absl::optional<Refusal> CheckTarget(const HeadRules& rules, const RawHead& head,
                                    Request& request) {
  absl::StatusOr<RequestTarget> target = ParseRequestTarget(head.target);
  if (!target.ok()) return Keep(ProblemResponse(target.status()));
  if (target->is_asterisk && request.method != "OPTIONS") {
    return Keep(ProblemResponse(400, kBadRequest, "the target is \"*\""));
  }
  request.path = std::move(target->path);
  request.query = std::move(target->query);

  std::string host(request.headers.Find("Host").value_or(""));
  if (target->authority.has_value()) host = *target->authority;
  if (request.headers.Count("Host") == 0 || !IsHostSyntax(host)) {
    return Close(400, kBadRequest, "there is no Host, or none that can be one");
  }
  if (!rules.is_unix && !IsAllowedHost(host, rules.own_port, rules.own_host,
                                       rules.allowed_hosts)) {
    return Keep(ProblemResponse(
        421, kHostNotAllowed, absl::StrCat("this server is not ", host),
        "add the name to the allowed hosts if it is one of the server's"));
  }
  if (!IsAllowedOrigin(request, host, rules.allowed_origins)) {
    return Keep(ProblemResponse(
        403, kOriginNotAllowed, "the request comes from a page of another site",
        "add the origin to the allowed ones if the page is to be trusted"));
  }
  return absl::nullopt;
}

}  // namespace

HeadCheck CheckHead(const HeadRules& rules, const RawHead& head,
                    Request& request) {
  HeadCheck check;
  check.refusal = CheckFields(rules, head, request);
  if (!check.refusal) {
    check.refusal = CheckFraming(rules, head, request, check);
  }
  // A body that is too large is told only to who may ask at all.
  if (!check.refusal || !check.refusal->must_close) {
    if (absl::optional<Refusal> refusal = CheckTarget(rules, head, request)) {
      check.refusal = std::move(refusal);
    }
  }
  return check;
}

}  // namespace sluice::http
