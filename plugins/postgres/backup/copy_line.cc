#include "sluice/plugins/postgres/backup/copy_line.h"

#include <cstddef>

#include "absl/strings/strip.h"

namespace sluice::postgres {

absl::optional<std::string> ValueOfLine(absl::string_view line) {
  absl::ConsumeSuffix(&line, "\n");
  if (line == "\\N") return absl::nullopt;
  std::string value;
  value.reserve(line.size());
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\\' || i + 1 == line.size()) {
      value.push_back(line[i]);
      continue;
    }
    constexpr absl::string_view kLetters = "bfnrtv";
    const size_t letter = kLetters.find(line[++i]);
    value.push_back(letter == absl::string_view::npos ? line[i]
                                                      : "\b\f\n\r\t\v"[letter]);
  }
  return value;
}

}  // namespace sluice::postgres
