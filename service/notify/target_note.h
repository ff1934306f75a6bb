#ifndef SLUICE_SERVICE_NOTIFY_TARGET_NOTE_H_
#define SLUICE_SERVICE_NOTIFY_TARGET_NOTE_H_

// What is remembered of a plan in one of its repos while something is wrong
// with it: one note of the outbox each, none where all is well.
//
// Pure; any thread.

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace sluice::service {

// Times are milliseconds since the epoch; 0: it is not so, or was not told.
struct TargetNote {
  int64_t failed_since = 0;
  int64_t failed_told = 0;
  std::string error_code;
  std::string job_id;
  // Succeeded since a hook after a backup failed: the next one proves it.
  bool hook_in_doubt = false;
  int64_t recovered_at = 0;  // and that is not told yet
  int64_t overdue_since = 0;
  int64_t overdue_told = 0;
  int64_t missed_since = 0;
  int64_t missed_told = 0;  // stays for a day
  std::string missed_reason;

  bool fails() const { return failed_since > 0 && recovered_at == 0; }
  // It is the repo that fails, and with it all that is written there.
  bool is_of_repo() const;
  bool empty() const {
    return failed_since == 0 && overdue_since == 0 && missed_since == 0 &&
           missed_told == 0 && recovered_at == 0;
  }
  void ForgetFailure();
};

std::string EncodeNote(const TargetNote& note);
// What is not understood is as if it were not there.
TargetNote DecodeNote(absl::string_view text);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_NOTIFY_TARGET_NOTE_H_
