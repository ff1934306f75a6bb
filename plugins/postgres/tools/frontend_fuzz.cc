// Whatever a client says: it does not matter how it is cut, an end is for good,
// nothing but the first is a startup, and no query holds a NUL or more than was
// said.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sluice/plugins/postgres/tools/frontend_parser.h"

namespace sluice::postgres {
namespace {

using Kind = FrontendRequest::Kind;

// All requests, in one string, fed `step` bytes at a time.
std::string Requests(absl::string_view bytes, size_t step) {
  FrontendParser parser;
  std::string all;
  bool started = false;
  for (size_t at = 0; at < bytes.size(); at += step) {
    parser.Feed(bytes.substr(at, step));
    while (absl::optional<FrontendRequest> request = parser.Next()) {
      if (request->kind == Kind::kEnd) {
        parser.Feed(bytes);
        if (parser.Next()->kind != Kind::kEnd) std::abort();
        return all + "end";
      }
      if (started != (request->kind == Kind::kQuery)) std::abort();
      started = started || request->kind == Kind::kStartup;
      if (request->sql.size() > bytes.size() ||
          request->sql.find('\0') != std::string::npos) {
        std::abort();
      }
      all += std::to_string(static_cast<int>(request->kind)) + request->sql;
      all += '\n';
    }
  }
  return all;
}

}  // namespace
}  // namespace sluice::postgres

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using sluice::postgres::Requests;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string whole = Requests(bytes, size + 1);
  for (const size_t step : {1, 3, 8}) {
    if (Requests(bytes, step) != whole) std::abort();
  }
  return 0;
}
