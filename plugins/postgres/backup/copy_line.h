#ifndef SLUICE_PLUGINS_POSTGRES_BACKUP_COPY_LINE_H_
#define SLUICE_PLUGINS_POSTGRES_BACKUP_COPY_LINE_H_

// The value of a line of COPY in text form, of one column. Pure functions.
//
//   ValueOfLine("a\\\\b\n") == "a\\b"
//   ValueOfLine("\\N\n") == absl::nullopt

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace sluice::postgres {

// With or without its newline; none for NULL. What COPY never writes is taken
// as it stands.
absl::optional<std::string> ValueOfLine(absl::string_view line);

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_BACKUP_COPY_LINE_H_
