#ifndef SLUICE_EXECUTOR_PRINTABLE_H_
#define SLUICE_EXECUTOR_PRINTABLE_H_

// Text of others (file names, error messages) made fit for manifests and rows,
// which are UTF-8.
//
// Example:
//
//   Printable("caf\xe9\n", 64);  // "caf\\xe9\n"
//
// Pure functions over borrowed text, any thread, one pass. Nothing fails.

#include <string>

#include "absl/strings/string_view.h"

namespace sluice {

// `text` as UTF-8 of at most `max_bytes`: bytes that are not UTF-8 and control
// characters but newline and tab become \xNN, and what is too long ends in
// "...". `max_bytes` is 8 or more.
std::string Printable(absl::string_view text, size_t max_bytes);

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_PRINTABLE_H_
