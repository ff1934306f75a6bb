#ifndef SLUICE_PLUGINS_CONFORMANCE_SOURCE_CHECKS_H_
#define SLUICE_PLUGINS_CONFORMANCE_SOURCE_CHECKS_H_

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "sluice/base/clock.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/executor/backupable.h"
#include "sluice/plugins/conformance/check.h"

namespace sluice {

using OpenSourceFunction =
    std::function<absl::StatusOr<std::shared_ptr<Backupable>>()>;
using OpenNumberedFunction =
    std::function<absl::StatusOr<std::shared_ptr<Backupable>>(int number)>;

// The stores to check with. Each call opens anew.
struct SourceSubject {
  OpenSourceFunction source;        // something in it; nobody changes it
  OpenNumberedFunction target;      // empty until restored into
  OpenNumberedFunction restored;    // reads what was restored into that target
  OpenSourceFunction empty_source;  // nothing in it; null: not checked
  OpenSourceFunction warning_source;  // leaves something out; null: the same
  // Where the archives go: an empty place, or a repo.
  std::function<absl::StatusOr<std::shared_ptr<ObjectStore>>()> place;
};

// The executor with this source, through the real archive: backup, verify,
// restore, backup of the copy; damage, errors and cancels on the way; chains
// where the source makes increments. A copy is held against the original by
// bytes and by counts; where only the counts agree it was not shown to be the
// same. Takes as long as about 15 backups and 8
// restores.
void RunSourceChecks(const SourceSubject& subject, Clock* clock,
                     CheckRunner& runner);

}  // namespace sluice

#endif  // SLUICE_PLUGINS_CONFORMANCE_SOURCE_CHECKS_H_
