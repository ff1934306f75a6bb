#ifndef SLUICE_CATALOG_TESTING_ATTEMPT_H_
#define SLUICE_CATALOG_TESTING_ATTEMPT_H_

// One backup as the catalog sees it, over any file system, and what must be
// true of the catalog however it ended. For the tests that make every I/O call
// fail and cut the power between any two.

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "sluice/base/file_system.h"

namespace sluice {

// What the catalog said is stored; each holds from then on.
struct Acknowledged {
  bool opened = false;
  bool planned = false;   // the plan, with a due time
  bool fired = false;     // that due time, and its pending job
  bool claimed = false;   // that job
  bool created = false;   // the job's row
  bool recorded = false;  // the record's
  bool ended = false;     // the job's terminal row
  bool settled = false;   // what became of the due time
  std::string catalog_id;
  absl::Status last;  // of the last try that failed
};

struct AttemptOptions {
  // How often a step that failed is tried again.
  int retries = 0;
  // Called after each step that was acknowledged.
  std::function<void(const std::string& step)> on_step;
};

// Opens the catalog "/state/catalog.db" on `file_system`, fires a plan's due
// time, and makes one succeeded backup of it, as far as it gets.
Acknowledged RunAttempt(FileSystem& file_system, const AttemptOptions& options);

// Opens it again, as after a crash: empty where all is well, else what is
// wrong. Looks for what was acknowledged; that the database is sound; that a
// job which succeeded has its record; that the due time was fired once or can be
// fired now, never both; that a job which did not end can be ended by another,
// and a next backup made.
std::string WhatIsWrong(FileSystem& file_system,
                        const Acknowledged& acknowledged);

}  // namespace sluice

#endif  // SLUICE_CATALOG_TESTING_ATTEMPT_H_
