#ifndef SLUICE_SERVICE_TESTING_TEST_HOUSE_H_
#define SLUICE_SERVICE_TESTING_TEST_HOUSE_H_

// A catalog, a store and a repo, all real and below one new folder: what tests
// of the service stand on.

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/catalog/catalog.h"
#include "sluice/executor/context.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/service/opened_repo.h"

namespace sluice::service {

// Dies where something of it cannot be made. Any thread may use its parts.
class TestHouse {
 public:
  TestHouse();
  // Below a folder that is there, and empty.
  explicit TestHouse(const std::string& folder);

  Catalog& catalog() { return *catalog_; }
  PluginHost& host() { return host_; }
  const Context& context() const { return context_; }
  const std::string& folder() const { return folder_; }
  const std::string& repo_id() const { return repo_id_; }
  // A folder with the file "a" in it, as a store of kind memory.
  std::string store_uri() const;
  std::string repo_folder() const { return folder_ + "/repo"; }

  // The catalog again, as another process has it.
  std::unique_ptr<Catalog> OpenCatalogAgain();
  // The repo, named "disk" in the catalog.
  OpenedRepo OpenRepoAgain();
  // Each hour, at once, one try; not stored.
  Plan HourlyPlan(absl::string_view source) const;
  // Stores the plan as one that is due now.
  void AddAsDue(const Plan& plan);
  // A backup by `plan` (a person's where it is empty), claimed by catalog().
  QueuedRun ClaimBackup(const Plan& plan);

 private:
  std::string folder_;
  Context context_ = Context::Background();
  std::unique_ptr<Catalog> catalog_;
  PluginHost host_{{}};
  std::string repo_id_;
};

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_TESTING_TEST_HOUSE_H_
