#ifndef SLUICE_SERVICE_SCHEDULE_CRON_TEXT_H_
#define SLUICE_SERVICE_SCHEDULE_CRON_TEXT_H_

// A schedule's text, taken apart. Pure; what may be written stands in cron.h.

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/service/schedule/cron_fields.h"

namespace sluice::service {

struct CronText {
  // Of a leading CRON_TZ= or TZ=; empty where there is none.
  std::string zone;
  size_t zone_column = 0;
  // "*/5 0-6 * * 1", "@daily", "@every 1h30m": numbers for names, one space
  // between fields, without the zone.
  std::string text;
  // Fields, or the period of "@every".
  absl::optional<CronFields> fields;
  absl::Duration period;
};

// Errors are invalid_argument: the column (from 1, in bytes), the field, what
// is wrong there, and a hint.
absl::StatusOr<CronText> TakeApart(absl::string_view text);

// One such error.
absl::Status FaultAt(size_t column, absl::string_view field,
                     absl::string_view what, absl::string_view hint);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_SCHEDULE_CRON_TEXT_H_
