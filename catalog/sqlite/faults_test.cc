// T1 for the catalog: each I/O call fails in turn, once and from then on.

#include <errno.h>

#include <cstdio>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/crash_file_system.h"
#include "sluice/base/testing/environment.h"
#include "sluice/base/testing/fault_file_system.h"
#include "sluice/catalog/catalog.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"
#include "sluice/catalog/testing/attempt.h"
#include "sluice/catalog/testing/sqlite_vfs.h"

namespace sluice {
namespace {

struct NamedFault {
  const char* name;
  Fault fault;
};

const NamedFault kFaults[] = {
    {"EIO", Fault::Error(EIO)},
    {"ENOSPC", Fault::Error(ENOSPC)},
    {"short write", Fault::ShortWrite()},
    {"EIO after it was done", Fault::LostAnswer(EIO)},
};

int64_t CountCalls() {
  CrashFileSystem disk;
  FaultPlan plan;
  FaultFileSystem files(&disk, &plan);
  const Acknowledged done = RunAttempt(files, {});
  EXPECT_TRUE(done.ended) << done.last;
  EXPECT_EQ(WhatIsWrong(disk, done), "");
  return plan.calls();
}

TEST(FaultsTest, EachCallFailsOnceAndTheNextTryIsWhole) {
  const int64_t calls = CountCalls();
  ASSERT_GT(calls, 50);
  constexpr int64_t kKinds = std::size(kFaults);
  int64_t visited = 0;
  for (const NamedFault& fault : kFaults) {
    for (int64_t n = 1 + FirstFault(); n <= calls; n += FaultStride()) {
      CrashFileSystem disk;
      FaultPlan plan;
      FaultFileSystem files(&disk, &plan);
      plan.StrikeAt(n, fault.fault);
      AttemptOptions options;
      options.retries = 2;
      const Acknowledged done = RunAttempt(files, options);
      SCOPED_TRACE(absl::StrCat(fault.name, " at call ", n, ", ",
                                FileOpName(plan.trace()[n - 1].op), " ",
                                plan.trace()[n - 1].path));
      EXPECT_TRUE(done.ended) << done.last;
      ASSERT_EQ(WhatIsWrong(disk, done), "");
      ++visited;
    }
  }
  std::printf("visited %ld of %ld calls x faults\n", long{visited},
              long{calls * kKinds});
  EXPECT_GE(visited, calls / FaultStride() * kKinds);
}

// From the n-th call on nothing works any more: the disk is gone, or the
// process was killed before that call.
TEST(FaultsTest, NoStateIsBetweenOldAndNewWhereverTheDiskGoes) {
  const int64_t calls = CountCalls();
  for (const NamedFault& fault : {kFaults[0], kFaults[1], kFaults[3]}) {
    int acknowledged = 0;
    for (int64_t n = 1 + FirstFault(); n <= calls; n += FaultStride()) {
      CrashFileSystem disk;
      FaultPlan plan;
      FaultFileSystem files(&disk, &plan);
      plan.StrikeFrom(n, fault.fault);
      AttemptOptions options;
      options.retries = 1;
      const Acknowledged done = RunAttempt(files, options);
      acknowledged += done.created ? 1 : 0;
      SCOPED_TRACE(absl::StrCat(fault.name, " from call ", n));
      if (!done.ended) {
        EXPECT_FALSE(done.last.ok());
        EXPECT_NE(ErrorCodeOf(done.last), kInternal) << done.last;
      }
      ASSERT_EQ(WhatIsWrong(disk, done), "");
    }
    EXPECT_TRUE(acknowledged > 0 || IsSlowBuild())
        << "the test sees no acknowledged job fail";
  }
}

TEST(FaultsTest, AFullDiskHasItsOwnWord) {
  CrashFileSystem disk;
  FaultPlan plan;
  FaultFileSystem files(&disk, &plan);
  plan.SetFilter([](const FileCall& call) { return IsChange(call.op); });
  plan.StrikeFrom(1, Fault::Error(ENOSPC));
  const Acknowledged done = RunAttempt(files, {});
  EXPECT_FALSE(done.opened);
  EXPECT_EQ(ErrorCodeOf(done.last), kCatalogNoSpace);
  EXPECT_FALSE(HintOf(done.last).empty());
}

// How much of the disk a look at the jobs reads, where thousands are over.
TEST(ReadsTest, WhoAsksForWhatIsNotOverReadsNothingOfWhatIs) {
  CrashFileSystem disk;
  FaultPlan plan;
  FaultFileSystem files(&disk, &plan);
  SqliteVfs vfs(&files);
  SqliteCatalogOptions options;
  options.path = "/state/catalog.db";
  options.file_system = &files;
  options.vfs = vfs.name();
  options.exclusive = true;
  options.heartbeat = false;
  const Context context = Context::Background();
  {
    const auto catalog = OpenSqliteCatalog(context, options);
    ASSERT_TRUE(catalog.ok()) << catalog.status();
    for (int i = 0; i < 3000; ++i) {
      BackupJob job;
      job.set_id(absl::StrCat("job-", i));
      job.set_kind(BackupJob::BACKUP);
      job.set_status(BackupJob::SUCCEEDED);
      job.set_created_at_ms(i);
      job.set_error(std::string(200, '-'));
      ASSERT_TRUE((*catalog)->CreateBackupJob(context, job).ok());
    }
  }
  CatalogFilter running;
  running.status = BackupJob::RUNNING;
  CatalogFilter unfinished;
  unfinished.unfinished_only = true;
  for (const CatalogFilter& filter : {running, unfinished}) {
    // Anew, so that no page is in memory.
    const auto catalog = OpenSqliteCatalog(context, options);
    ASSERT_TRUE(catalog.ok()) << catalog.status();
    plan.Reset();
    const auto jobs = (*catalog)->ListJobs(context, filter);
    ASSERT_TRUE(jobs.ok()) << jobs.status();
    EXPECT_TRUE(jobs->empty());
    EXPECT_LT(plan.calls(), 50) << filter.unfinished_only;
  }
}

}  // namespace
}  // namespace sluice
