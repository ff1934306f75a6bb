// Whatever a body holds: it is refused with a word, or it says the same when
// it is written and read again.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/service/http/message/json_body.h"

namespace sluice::http {
namespace {

void Check(absl::string_view text) {
  const auto value = ParseJson(text);
  if (!value.ok()) {
    if (!HasErrorCode(value.status())) std::abort();
    return;
  }
  // Throws, and so ends the fuzzer, where a text in it is not UTF-8.
  const auto again = ParseJson(value->dump());
  if (!again.ok() || *again != *value) std::abort();

  JsonObjectReader fields(*value);
  std::string plan;
  absl::optional<int64_t> keep;
  absl::optional<std::vector<std::string>> labels;
  fields.Required("plan", plan);
  fields.Optional("keep", keep);
  fields.Optional("labels", labels);
  const absl::Status status = fields.Finish();
  if (!status.ok() && !HasErrorCode(status)) std::abort();
  if (status.ok() && value->size() > 3) std::abort();
}

}  // namespace
}  // namespace sluice::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sluice::http::Check(
      absl::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
