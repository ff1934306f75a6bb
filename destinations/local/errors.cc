#include "sluice/destinations/local/errors.h"

#include <errno.h>

#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"

namespace sluice {
namespace {

struct Meaning {
  absl::StatusCode code;
  absl::string_view word;
  absl::string_view hint;
};

Meaning MeaningOf(int error) {
  using Code = absl::StatusCode;
  switch (error) {
    case ENOSPC:
      return {Code::kResourceExhausted, kDestinationNoSpace,
              "delete old backups, or make room"};
    case EDQUOT:
      return {Code::kResourceExhausted, kDestinationNoSpace,
              "the quota is used up: delete old backups, or raise it"};
    case EMLINK:
      return {Code::kResourceExhausted, kDestinationNoSpace,
              "the folder holds as many folders as its file system allows"};
    case EACCES:
    case EPERM:
      return {Code::kPermissionDenied, kDestinationPermissionDenied,
              "run sluice as a user who may read and write the place"};
    case EROFS:
      return {Code::kFailedPrecondition, kDestinationReadOnly,
              "the file system is mounted read-only, or went so after a fault"};
    case ENOENT:
      return {Code::kFailedPrecondition, kDestinationNotFound,
              "is the disk mounted?"};
    case EEXIST:
      return {Code::kAlreadyExists, kDestinationPathConflict, ""};
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case ENOTEMPTY:
    case EXDEV:
      return {Code::kFailedPrecondition, kDestinationPathConflict,
              "something else is where Sluice keeps its own"};
    case EFBIG:
      return {Code::kOutOfRange, kDestinationTooLarge,
              "the file system or a limit of the process allows no file of "
              "this size"};
    case ENAMETOOLONG:
      return {Code::kInvalidArgument, kDestinationConfigInvalid, ""};
    case EINVAL:
    case ENOSYS:
    case EOPNOTSUPP:
      return {Code::kUnimplemented, kDestinationUnsupported, ""};
    case ETIMEDOUT:
    case ENOTCONN:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ECONNREFUSED:
      return {Code::kUnavailable, kDestinationUnreachable,
              "is the server of this mount up?"};
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
      return {Code::kResourceExhausted, kResourceExhausted, ""};
    case ESTALE:
      return {Code::kUnavailable, kDestinationIoError,
              "the server replaced the file system: mount it anew"};
    default:
      return {Code::kUnavailable, kDestinationIoError, ""};
  }
}

}  // namespace

absl::Status ErrnoError(absl::string_view operation, absl::string_view path,
                        int error) {
  const Meaning meaning = MeaningOf(error);
  absl::Status status =
      MakeError(meaning.code, meaning.word,
                absl::StrCat(operation, " ", path, ": ",
                             std::generic_category().message(error)));
  return meaning.hint.empty() ? status
                              : WithHint(std::move(status), meaning.hint);
}

absl::Status Uncertain(const absl::Status& cause) {
  return WithHint(MakeError(absl::StatusCode::kUnknown, ErrorCodeOf(cause),
                            cause.message()),
                  HintOf(cause));
}

bool IsUnsupported(int error) {
  return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP ||
         error == ENOTTY;
}

}  // namespace sluice
