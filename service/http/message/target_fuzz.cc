// Whatever a request's target holds: it is refused with a word, or its parts
// hold nothing that a path or a name must not hold.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/base/text/utf8.h"
#include "sluice/service/http/message/target.h"

namespace sluice::http {
namespace {

void CheckText(const std::string& text) {
  if (!IsUtf8(text)) std::abort();
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) std::abort();
  }
}

void CheckQuery(const Query& query) {
  std::set<std::string> names;
  for (const auto& [name, value] : query.parameters()) {
    CheckText(name);
    CheckText(value);
    if (name.empty() || !names.insert(name).second) std::abort();
  }
  if (names.size() > kMaxQueryParameters) std::abort();
}

void Check(absl::string_view text) {
  const auto query = ParseQuery(text);
  if (query.ok()) CheckQuery(*query);
  if (!query.ok() && !HasErrorCode(query.status())) std::abort();

  const auto target = ParseRequestTarget(text);
  if (!target.ok()) {
    if (!HasErrorCode(target.status())) std::abort();
    return;
  }
  CheckQuery(target->query);
  if (target->path.size() > kMaxPathSegments) std::abort();
  for (const std::string& segment : target->path) {
    CheckText(segment);
    if (segment == "." || segment == "..") std::abort();
  }
}

}  // namespace
}  // namespace sluice::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sluice::http::Check(
      absl::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
