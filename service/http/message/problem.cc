#include "sluice/service/http/message/problem.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "sluice/base/error.h"

namespace sluice::http {
namespace {

constexpr struct {
  absl::string_view code;
  int status;
} kStatusOfWord[] = {
    {kSourceUnavailable, 503},
    {kBackupAlreadyRunning, 409},
    {kRestorePreconditionFailed, 409},
    {kArchiveNotFound, 404},
    {kArchiveDamaged, 422},
    {kArchiveUnsupported, 422},
    {kPublishFenced, 409},
    {kCatalogUnavailable, 503},
    {kCatalogNoSpace, 507},
    {kCatalogNewer, 503},
    {kRecordNotFound, 404},
    {kJobNotFound, 404},
    {kJobFinished, 409},
    {kRepoNotFound, 404},
    {kNameTaken, 409},
    {kAmbiguousId, 409},
    {kPluginUnusable, 422},
    {kInvalidArgument, 400},
    {kResourceExhausted, 503},
    {kCancelled, 503},
    {kDeadlineExceeded, 504},
    {kScratchUnavailable, 503},
    {kScratchNoSpace, 507},
    {kScratchPermissionDenied, 500},
    {kBadRequest, 400},
    {kUnauthenticated, 401},
    {kForbidden, 403},
    {kOriginNotAllowed, 403},
    {kHostNotAllowed, 421},
    {kNotFound, 404},
    {kMethodNotAllowed, 405},
    {kBodyTooLarge, 413},
    {kHeadersTooLarge, 431},
    {kUnsupportedMediaType, 415},
    {kOverloaded, 503},
    {kShuttingDown, 503},
};

int StatusOfCanonical(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return 400;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
      return 409;
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kCancelled:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    case absl::StatusCode::kUnimplemented:
      return 501;
    default:
      return 500;
  }
}

// "backup_already_running" as a title: "Backup already running".
std::string TitleOf(absl::string_view code) {
  std::string title = absl::StrReplaceAll(code, {{"_", " "}});
  if (!title.empty()) {
    title[0] = absl::ascii_toupper(static_cast<unsigned char>(title[0]));
  }
  return title;
}

}  // namespace

int HttpStatusOf(const absl::Status& status) {
  if (HasErrorCode(status)) {
    const std::string code = ErrorCodeOf(status);
    for (const auto& row : kStatusOfWord) {
      if (row.code == code) return row.status;
    }
    if (absl::StartsWith(code, "destination_") ||
        absl::StartsWith(code, "source_")) {
      return 422;
    }
  }
  return StatusOfCanonical(status.code());
}

Problem ProblemFor(const absl::Status& status) {
  Problem problem;
  problem.status = HttpStatusOf(status);
  problem.code = ErrorCodeOf(status);
  problem.detail = std::string(status.message());
  problem.hint = HintOf(status);
  return problem;
}

Response ProblemResponse(const Problem& problem) {
  nlohmann::ordered_json body = {
      {"type", absl::StrCat("urn:sluice:error:", problem.code)},
      {"title", TitleOf(problem.code)},
      {"status", problem.status},
      {"detail", problem.detail},
      {"code", problem.code},
  };
  if (!problem.hint.empty()) body["hint"] = problem.hint;
  for (const auto& member : problem.members.items()) {
    if (!body.contains(member.key())) body[member.key()] = member.value();
  }
  Response response = JsonResponse(problem.status, body);
  response.headers.Set("Content-Type", "application/problem+json");
  if (problem.status == 401) {
    response.headers.Set("WWW-Authenticate", "Bearer");
  }
  if (problem.status == 503) response.headers.Set("Retry-After", "1");
  return response;
}

Response ProblemResponse(const absl::Status& status) {
  return ProblemResponse(ProblemFor(status));
}

Response ProblemResponse(int status, absl::string_view code,
                         absl::string_view detail, absl::string_view hint) {
  Problem problem;
  problem.status = status;
  problem.code = std::string(code);
  problem.detail = std::string(detail);
  problem.hint = std::string(hint);
  return ProblemResponse(problem);
}

}  // namespace sluice::http
