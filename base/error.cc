#include "sluice/base/error.h"

#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"

namespace sluice {
namespace {

constexpr absl::string_view kCodePayload = "type.sluice/error_code";
constexpr absl::string_view kHintPayload = "type.sluice/hint";
constexpr absl::string_view kRetryPayload = "type.sluice/retryable";

std::string PayloadOf(const absl::Status& status, absl::string_view key) {
  const absl::optional<absl::Cord> payload = status.GetPayload(key);
  return payload.has_value() ? std::string(*payload) : std::string();
}

absl::string_view WordFor(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return "";
    case absl::StatusCode::kCancelled:
      return kCancelled;
    case absl::StatusCode::kDeadlineExceeded:
      return kDeadlineExceeded;
    case absl::StatusCode::kInvalidArgument:
      return kInvalidArgument;
    case absl::StatusCode::kResourceExhausted:
      return kResourceExhausted;
    default:
      return kInternal;
  }
}

}  // namespace

absl::Status MakeError(absl::StatusCode canonical, absl::string_view code,
                       absl::string_view message) {
  absl::Status status(canonical, message);
  status.SetPayload(kCodePayload, absl::Cord(code));
  return status;
}

absl::Status InvalidArgument(absl::string_view message,
                             absl::string_view hint) {
  const absl::Status status =
      MakeError(absl::StatusCode::kInvalidArgument, kInvalidArgument, message);
  return hint.empty() ? status : WithHint(status, hint);
}

std::string ErrorCodeOf(const absl::Status& status) {
  std::string code = PayloadOf(status, kCodePayload);
  return code.empty() ? std::string(WordFor(status.code())) : code;
}

absl::Status WithDefaultErrorCode(absl::Status status, absl::string_view code) {
  if (PayloadOf(status, kCodePayload).empty()) {
    status.SetPayload(kCodePayload, absl::Cord(code));  // does nothing to OK
  }
  return status;
}

absl::Status Annotate(const absl::Status& status, absl::string_view prefix) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(),
                         absl::StrCat(prefix, ": ", status.message()));
  status.ForEachPayload([&](absl::string_view key, const absl::Cord& value) {
    annotated.SetPayload(key, value);
  });
  return annotated;
}

absl::Status DeepCopy(const absl::Status& status) {
  absl::Status copy(status.code(), status.message());
  status.ForEachPayload([&](absl::string_view key, const absl::Cord& value) {
    copy.SetPayload(key, absl::Cord(std::string(value)));
  });
  return copy;
}

absl::Status WithHint(absl::Status status, absl::string_view hint) {
  status.SetPayload(kHintPayload, absl::Cord(hint));  // does nothing to OK
  return status;
}

std::string HintOf(const absl::Status& status) {
  return PayloadOf(status, kHintPayload);
}

absl::Status WithRetryable(absl::Status status, bool retryable) {
  status.SetPayload(kRetryPayload, absl::Cord(retryable ? "1" : "0"));
  return status;
}

bool IsRetryable(const absl::Status& status) {
  const std::string said = PayloadOf(status, kRetryPayload);
  return said.empty() ? status.code() == absl::StatusCode::kUnavailable
                      : said == "1";
}

bool HasErrorCode(const absl::Status& status) {
  return !PayloadOf(status, kCodePayload).empty();
}

absl::Status WithCode(absl::Status status, absl::string_view code) {
  status.SetPayload(kCodePayload, absl::Cord(code));
  return status;
}

}  // namespace sluice
