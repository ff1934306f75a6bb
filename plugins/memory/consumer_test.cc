// What a service writes to back up a store of its own and to bring it back: no
// .so, the destination linked in. Short, because it is an example.

#include <gtest/gtest.h>

#include <memory>

#include "sluice/base/clock.h"
#include "sluice/destinations/archive/archive_destination.h"
#include "sluice/destinations/archive/protocol/repo.h"
#include "sluice/destinations/local/factory.h"
#include "sluice/executor/executor.h"
#include "sluice/executor/testing/fake_job_store.h"
#include "sluice/executor/ulid.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/plugins/memory/memory_source.h"
#include "sluice/plugins/memory/store/memory_store.h"
#include "sluice/plugins/sdk/testing/scratch_folder.h"
#include "sluice/plugins/sdk/wrap.h"

namespace sluice {
namespace {

TEST(ConsumerTest, BacksUpItsOwnStoreAndBringsItBack) {
  ScratchFolder folder;
  const Context context = Context::Background();
  PluginHost host({});
  ASSERT_TRUE(host.RegisterStatic(&kLocalPlugin).ok());
  auto place = host.OpenPlace("local:" + folder.Path("repo"));
  ASSERT_TRUE(place.ok()) << place.status();
  RepoInfo wanted;
  wanted.id = NewUlid(*Clock::Real());
  ASSERT_TRUE(InitRepo(context, **place, wanted).ok());
  auto archives = ArchiveDestination::Create(*place, Clock::Real(), {});
  BackupRepo repo;
  repo.set_id(wanted.id);

  std::shared_ptr<MemoryStore> orders = *MemoryStore::Create("orders-eu-1");
  ASSERT_TRUE(orders->Put("order/17", "3 apples", {"block-9"}).ok());
  FakeJobStore jobs;  // a service opens //catalog/sqlite
  Executor executor(&jobs, Clock::Real());
  auto source =
      host.AdoptSource("memory", sdk::WrapSource(MakeMemorySource(orders)));
  ASSERT_TRUE(source.ok()) << source.status();
  BackupResult backup = executor.RunBackup(context, *source, archives, repo,
                                           "orders-eu-1", "memory", {});
  ASSERT_TRUE(backup.status.ok()) << backup.status;

  std::shared_ptr<MemoryStore> restored = *MemoryStore::Create("orders-eu-1");
  auto target =
      host.AdoptSource("memory", sdk::WrapSource(MakeMemorySource(restored)));
  ASSERT_TRUE(target.ok()) << target.status();
  RestoreResult restore = executor.RunRestore(context, *target, archives, repo,
                                              backup.record->id(), {});
  ASSERT_TRUE(restore.status.ok()) << restore.status;
  EXPECT_EQ(restored->Get("order/17"), "3 apples");
}

}  // namespace
}  // namespace sluice
