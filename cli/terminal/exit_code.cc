#include "sluice/cli/terminal/exit_code.h"

#include <algorithm>
#include <string>
#include <vector>

#include "sluice/base/error.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/service/retention/retention.h"

namespace sluice::cli {
namespace {

// A server's words (service/http/message/problem.h), which this room does not
// know: no token, or one that may not.
constexpr absl::string_view kUnauthenticated = "unauthenticated";
constexpr absl::string_view kForbidden = "forbidden";

}  // namespace

const std::vector<ExitCodeSpec>& ExitCodes() {
  static const auto& codes = *new std::vector<ExitCodeSpec>{
      {ExitCode::kOk, "ok", {}},
      {ExitCode::kFailed, "failed", {}},
      {ExitCode::kUsage,
       "wrong usage",
       {kInvalidArgument, kSourceConfigInvalid, kDestinationConfigInvalid,
        kAmbiguousId}},
      {ExitCode::kWarnings, "done, with warnings", {}},
      {ExitCode::kDamage, "damage found", {kArchiveDamaged}},
      {ExitCode::kNotFound,
       "not found",
       {kDestinationNotFound, kArchiveNotFound, kRecordNotFound, kJobNotFound,
        kRepoNotFound, kPlanNotFound, kTokenNotFound, kNotificationNotFound,
        kSourceUnavailable}},
      {ExitCode::kAlreadyRunning,
       "already running",
       {kBackupAlreadyRunning, kOverlap}},
      {ExitCode::kWrongKey, "wrong key", {kSourceWrongKey}},
      {ExitCode::kPermission,
       "permission denied",
       {kDestinationPermissionDenied, kDestinationCredentialsInvalid,
        kDestinationReadOnly, kSourcePermissionDenied, kSourceReadOnly,
        kScratchPermissionDenied, kCatalogPermissionDenied, kUnauthenticated,
        kForbidden}},
      {ExitCode::kUnreachable,
       "destination or server unreachable",
       {kDestinationUnreachable, kServerUnreachable}},
      {ExitCode::kNoSpace,
       "no space left",
       {kDestinationNoSpace, kCatalogNoSpace, kSourceNoSpace, kScratchNoSpace}},
      {ExitCode::kPluginUnusable,
       "plugin unusable, or it ended the process",
       {kPluginUnusable, kProcessDied}},
      {ExitCode::kUnsupported,
       "unsupported version",
       {kSourceUnsupported, kArchiveUnsupported, kCatalogNewer}},
      {ExitCode::kProtected,
       "archive or repo protected, or in use",
       {service::kArchiveProtected, service::kArchiveInUse, kPurgeIncomplete,
        kRepoInUse}},
      {ExitCode::kTimedOut, "timed out", {kDeadlineExceeded}},
      {ExitCode::kHangup, "interrupted (SIGHUP)", {}},
      {ExitCode::kInterrupted,
       "interrupted (SIGINT, job cancel)",
       {kCancelled}},
      {ExitCode::kTerminated, "interrupted (SIGTERM)", {}},
  };
  return codes;
}

ExitCode ExitCodeOf(const absl::Status& status) {
  if (status.ok()) return ExitCode::kOk;
  const std::string word = ErrorCodeOf(status);
  for (const ExitCodeSpec& spec : ExitCodes()) {
    if (std::find(spec.words.begin(), spec.words.end(), word) !=
        spec.words.end()) {
      return spec.code;
    }
  }
  return ExitCode::kFailed;
}

}  // namespace sluice::cli
