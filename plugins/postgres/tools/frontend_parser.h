#ifndef SLUICE_PLUGINS_POSTGRES_TOOLS_FRONTEND_PARSER_H_
#define SLUICE_PLUGINS_POSTGRES_TOOLS_FRONTEND_PARSER_H_

// What a client of PostgreSQL says, in protocol 3.0, as far as
// session_gateway.h answers it: the startup packet, after any requests for
// encryption, then simple queries.
//
//   FrontendParser parser;
//   parser.Feed(bytes);                          // cut in whatever way
//   while (absl::optional<FrontendRequest> request = parser.Next()) ...
//
// Source: https://www.postgresql.org/docs/15/protocol-message-formats.html.
// Does no input and no output. Anything else than such requests, and any that
// is longer than allowed, is the end, for good; so is Terminate. Holds one
// request and what was fed beyond it. One thread.

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace sluice::postgres {

struct FrontendRequest {
  enum class Kind { kEncryption, kStartup, kQuery, kEnd };
  Kind kind;
  std::string sql;  // of a query, without its NUL
};

class FrontendParser {
 public:
  static constexpr uint32_t kMaxStartupBytes = 10'000;  // as the server has it
  static constexpr uint32_t kMaxQueryBytes = 64 << 20;

  void Feed(absl::string_view bytes) {
    bytes_.append(bytes.data(), bytes.size());
  }
  // The next request; nothing while it is not whole. After kEnd only that.
  absl::optional<FrontendRequest> Next();

 private:
  absl::optional<FrontendRequest> NextStartup();
  absl::optional<FrontendRequest> NextQuery();
  FrontendRequest End();
  uint32_t Int32At(size_t at) const;

  bool started_ = false;
  bool ended_ = false;
  std::string bytes_;
};

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_TOOLS_FRONTEND_PARSER_H_
