#include "sluice/plugins/sdk/error.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"

namespace sluice::sdk {
namespace {

// Copies what fits, whole UTF-8 characters only, and terminates it. A NUL
// within the text ends it: the reader could not see past it anyway.
template <size_t kSize>
void CopyText(absl::string_view text, char (&to)[kSize]) {
  size_t size = std::min(text.size(), kSize - 1);
  if (size < text.size()) {
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80)
      --size;
  }
  if (size > 0) std::memcpy(to, text.data(), size);
  to[size] = '\0';
}

template <size_t kSize>
absl::string_view ReadText(const char (&from)[kSize]) {
  return absl::string_view(from, strnlen(from, kSize));
}

bool IsKnownCode(sluice_code code) {
  return code > SLUICE_OK && code <= SLUICE_UNAUTHENTICATED;
}

}  // namespace

sluice_code FillError(sluice_error* error, sluice_code code,
                      absl::string_view word, absl::string_view message,
                      absl::string_view hint, bool retryable) {
  if (error == nullptr) return code;
  if (SLUICE_HAS(error, sluice_error, code)) error->code = code;
  if (SLUICE_HAS(error, sluice_error, retryable)) error->retryable = retryable;
  if (SLUICE_HAS(error, sluice_error, word)) CopyText(word, error->word);
  if (SLUICE_HAS(error, sluice_error, message))
    CopyText(message, error->message);
  if (SLUICE_HAS(error, sluice_error, hint)) CopyText(hint, error->hint);
  return code;
}

sluice_code ToError(const absl::Status& status, sluice_error* error) {
  if (status.ok()) return SLUICE_OK;
  const std::string word =
      HasErrorCode(status) ? ErrorCodeOf(status) : std::string();
  return FillError(error, static_cast<sluice_code>(status.code()), word,
                   status.message(), HintOf(status), IsRetryable(status));
}

absl::Status FromError(sluice_code code, const sluice_error& error) {
  if (code == SLUICE_OK) return absl::OkStatus();
  std::string message(ReadText(error.message));
  if (message.empty()) message = absl::StrCat("no message, code ", code);
  if (!IsKnownCode(code)) {
    message = absl::StrCat(message, " (unknown code ", code, ")");
    code = SLUICE_UNKNOWN;
  }
  if (error.native_code != 0)
    absl::StrAppend(&message, " (native code ", error.native_code, ")");
  absl::Status status(static_cast<absl::StatusCode>(code), message);
  if (const absl::string_view word = ReadText(error.word); !word.empty())
    status = WithCode(std::move(status), word);
  if (const absl::string_view hint = ReadText(error.hint); !hint.empty())
    status = WithHint(std::move(status), hint);
  const bool retryable = error.retryable == 1;
  if (retryable != IsRetryable(status))
    status = WithRetryable(std::move(status), retryable);
  return status;
}

}  // namespace sluice::sdk
