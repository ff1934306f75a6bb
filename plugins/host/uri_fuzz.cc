// Whatever parses must come out of FormatUri as the same URI, and no error may
// show what stood in the text.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/host/uri.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<sluice::Uri> parsed = sluice::ParseUri(text);
  if (!parsed.ok()) {
    // Names of options may be shown, what stands before the query may not.
    if (text.find('?') == absl::string_view::npos &&
        parsed.status().message().find("hunter2") != absl::string_view::npos)
      std::abort();
    return 0;
  }
  sluice::Uri uri = *parsed;
  const std::string formatted = sluice::FormatUri(uri);
  if (formatted.size() > sluice::kMaxUriBytes) return 0;
  absl::StatusOr<sluice::Uri> again = sluice::ParseUri(formatted);
  if (!again.ok()) std::abort();
  std::sort(uri.options.begin(), uri.options.end());
  std::sort(again->options.begin(), again->options.end());
  if (again->kind != uri.kind || again->options != uri.options) std::abort();
  return 0;
}
