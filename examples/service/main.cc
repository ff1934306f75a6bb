// service FOLDER [BACKUPS]: a service whose own store is backed up each second
// by a plan that keeps three, and that prints what happens.
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "sluice/catalog/sqlite/sqlite_catalog.h"
#include "sluice/destinations/archive/protocol/repo.h"
#include "sluice/destinations/local/factory.h"
#include "sluice/executor/ulid.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/plugins/memory/memory_source.h"
#include "sluice/plugins/memory/store/memory_store.h"
#include "sluice/plugins/sdk/factory.h"
#include "sluice/service/admin/plan_admin.h"
#include "sluice/service/engine/service.h"

using sluice::Clock, sluice::Context, sluice::MemoryStore;
namespace sdk = sluice::sdk;
namespace service = sluice::service;

void Check(const absl::Status& status) {
  if (!status.ok()) std::exit((std::cerr << status << "\n", 1));
}
template <typename T>
T Check(absl::StatusOr<T> result) {
  Check(result.status());
  return *std::move(result);
}

// --- the service's own store, as a kind that URIs can name: "orders:"

std::shared_ptr<MemoryStore> Orders() {
  static auto* const kOrders =
      new std::shared_ptr<MemoryStore>(Check(MemoryStore::Create("orders-1")));
  return *kOrders;
}
absl::StatusOr<std::unique_ptr<sdk::Source>> OpenOrders(const sdk::Host&,
                                                        const sdk::Options&) {
  return sluice::MakeMemorySource(Orders());
}
constexpr sluice_option_spec kNoOptions[] = {
    sdk::Option("shard", SLUICE_OPTION_STRING, 0, "", "not used")};
constexpr sluice_factory kOrdersSource = sdk::SourceFactory<&OpenOrders>(
    "orders", "The orders of this service.\norders:", kNoOptions);
constexpr const sluice_factory* kFactories[] = {&kOrdersSource};
constexpr sluice_plugin_entry kOrdersPlugin =
    sdk::PluginEntry("orders", "1.0.0", "Apache-2.0", kFactories);

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : "/tmp/service";
  const int backups = argc > 2 ? std::atoi(argv[2]) : 5;
  const Context context = Context::Background();
  sluice::PluginHost host({});
  Check(host.RegisterStatic(&sluice::kLocalPlugin));
  Check(host.RegisterStatic(&kOrdersPlugin));
  auto catalog = Check(
      sluice::OpenSqliteCatalog(context, {.path = folder + "/catalog.db"}));
  sluice::BackupRepo repo;
  repo.set_name("disk");
  repo.set_kind("local");
  repo.set_config("local:" + folder + "/repo");
  auto place = Check(host.OpenPlace(repo.config()));
  const sluice::RepoInfo wanted{.id = sluice::NewUlid(*Clock::Real())};
  repo.set_id(Check(sluice::InitRepo(context, *place, wanted)).id);
  Check(catalog->AddRepo(context, repo));

  Check(Orders()->Put("order/17", "3 apples"));
  service::PlanAdmin admin(catalog.get(), &host, Clock::Real());
  service::PlanWords words;
  words.source = "orders:";
  words.repos = {"disk"};
  words.fields = {{"every", "1s"}, {"jitter", "0"}, {"keep_last", "3"}};
  Check(admin.Add(context, "orders", words, {}).status());

  auto running = Check(service::Service::Start(catalog.get(), &host, {}));
  int64_t seen = 0;
  for (int recorded = 0; recorded < backups;) {
    for (const sluice::CatalogEvent& event :
         Check(catalog->events().Read(context, seen, 100))) {
      seen = event.id;
      std::cout << event.type << " " << event.record_id << event.word << "\n";
      if (event.type == "backup.recorded") ++recorded;
    }
  }
  running->Drain(absl::Seconds(10));
  std::cout << "kept " << Check(catalog->ListRecords(context, {})).size()
            << "\n";
}
