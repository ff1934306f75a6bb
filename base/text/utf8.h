#ifndef SLUICE_BASE_TEXT_UTF8_H_
#define SLUICE_BASE_TEXT_UTF8_H_

// UTF-8 as JSON and protocol buffers want it: shortest forms only, no
// surrogates, nothing above U+10FFFF. Pure.

#include <cstddef>

#include "absl/strings/string_view.h"

namespace sluice {

// Bytes of the character at the start of `text` (not empty); 0 where there is
// none.
size_t Utf8CharacterLength(absl::string_view text);

bool IsUtf8(absl::string_view text);

}  // namespace sluice

#endif  // SLUICE_BASE_TEXT_UTF8_H_
