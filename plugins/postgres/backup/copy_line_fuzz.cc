// Whatever a line holds, its value is no longer, and what holds no backslash is
// its own value.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sluice/plugins/postgres/backup/copy_line.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view line(reinterpret_cast<const char*>(data), size);
  const absl::optional<std::string> value = sluice::postgres::ValueOfLine(line);
  if (!value.has_value()) {
    if (line != "\\N" && line != "\\N\n") std::abort();
    return 0;
  }
  if (value->size() > line.size()) std::abort();
  const bool plain = line.find_first_of("\\\n") == absl::string_view::npos;
  if (plain && *value != line) std::abort();
  return 0;
}
