#ifndef SLUICE_DESTINATIONS_ARCHIVE_FORMAT_UTF8_H_
#define SLUICE_DESTINATIONS_ARCHIVE_FORMAT_UTF8_H_

#include <string>

#include "absl/strings/string_view.h"

namespace sluice {

// `text` cut to at most `most` bytes between characters; bytes that are no
// UTF-8 become '?'.
std::string ToBoundedUtf8(absl::string_view text, size_t most);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_FORMAT_UTF8_H_
