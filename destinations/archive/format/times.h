#ifndef SLUICE_DESTINATIONS_ARCHIVE_FORMAT_TIMES_H_
#define SLUICE_DESTINATIONS_ARCHIVE_FORMAT_TIMES_H_

// Times as they are read back. Written by FormatTimestamp of executor/ulid.h:
// RFC 3339, UTC, milliseconds, "Z" at the end.

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sluice {

// Any RFC 3339 time; false where it is none.
bool ReadTime(absl::string_view text, absl::Time& time);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_FORMAT_TIMES_H_
