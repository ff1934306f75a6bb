// consumer FOLDER: a service backs up its own store, and brings it back.
#include <cstdlib>
#include <iostream>
#include <string>

#include "sluice/catalog/sqlite/sqlite_catalog.h"
#include "sluice/destinations/archive/archive_destination.h"
#include "sluice/destinations/archive/protocol/repo.h"
#include "sluice/destinations/local/factory.h"
#include "sluice/executor/executor.h"
#include "sluice/executor/ulid.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/plugins/memory/memory_source.h"
#include "sluice/plugins/memory/store/memory_store.h"
#include "sluice/plugins/sdk/wrap.h"

using sluice::Clock, sluice::Context, sluice::MemoryStore;

void Check(const absl::Status& status) {
  if (!status.ok()) std::exit((std::cerr << status << "\n", 1));
}
template <typename T>
T Check(absl::StatusOr<T> result) {
  Check(result.status());
  return *std::move(result);
}

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : "/tmp/consumer";
  const Context context = Context::Background();
  sluice::PluginHost host({});
  Check(host.RegisterStatic(&sluice::kLocalPlugin));  // linked in, no .so
  auto place = Check(host.OpenPlace("local:" + folder + "/repo"));
  const sluice::RepoInfo wanted{.id = sluice::NewUlid(*Clock::Real())};
  sluice::BackupRepo repo;
  repo.set_id(Check(sluice::InitRepo(context, *place, wanted)).id);
  auto archives = sluice::ArchiveDestination::Create(place, Clock::Real(),
                                                     {.repo_id = repo.id()});
  auto catalog = Check(
      sluice::OpenSqliteCatalog(context, {.path = folder + "/catalog.db"}));
  auto orders = Check(MemoryStore::Create("orders-1"));
  Check(orders->Put("order/17", "3 apples"));
  // [README
  auto source = Check(host.AdoptSource(
      "memory", sluice::sdk::WrapSource(sluice::MakeMemorySource(orders))));
  sluice::Executor executor(catalog.get(), Clock::Real());
  sluice::BackupResult backup = executor.RunBackup(
      context, source, archives, repo, "orders-1", "memory", {});
  Check(backup.status);  // backup.job says more; there is a record only if OK
  // README]
  auto restored = Check(MemoryStore::Create("orders-1"));
  auto target = Check(host.AdoptSource(
      "memory", sluice::sdk::WrapSource(sluice::MakeMemorySource(restored))));
  sluice::RestoreResult restore = executor.RunRestore(
      context, target, archives, repo, backup.record->id(), {});
  Check(restore.status);
  std::cout << "archive " << backup.record->id() << "\nrestored order/17: "
            << restored->Get("order/17").value_or("nothing") << "\n";
}
