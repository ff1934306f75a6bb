#include "sluice/executor/stream/warning_list.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "sluice/executor/limits.h"
#include "sluice/executor/printable.h"

namespace sluice {

void WarningList::AddWarning(absl::string_view code,
                             absl::string_view message) {
  PayloadWarning warning = {Printable(code, kMaxWarningCodeBytes),
                            Printable(message, kMaxWarningMessageBytes)};
  // A code is one word of a line.
  std::replace_if(warning.code.begin(), warning.code.end(), absl::ascii_isspace,
                  '_');
  MutexLock lock(mutex_);
  if (warnings_.size() < kMaxWarnings - 1) {
    warnings_.push_back(std::move(warning));
  } else {
    ++dropped_;
  }
}

std::vector<PayloadWarning> WarningList::All() const {
  MutexLock lock(mutex_);
  std::vector<PayloadWarning> all = warnings_;
  if (dropped_ > 0) {
    all.push_back(
        {"warnings_dropped", absl::StrCat(dropped_, " more warnings")});
  }
  return all;
}

}  // namespace sluice
