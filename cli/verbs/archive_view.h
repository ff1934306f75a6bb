#ifndef SLUICE_CLI_VERBS_ARCHIVE_VIEW_H_
#define SLUICE_CLI_VERBS_ARCHIVE_VIEW_H_

// A repo as the catalog's reconcile asks for it. One thread.

#include <memory>
#include <vector>

#include "sluice/catalog/reconcile.h"
#include "sluice/destinations/archive/archive_destination.h"
#include "sluice/destinations/archive/object_store.h"

namespace sluice::cli {

class RepoView final : public ArchiveView {
 public:
  RepoView(std::shared_ptr<ObjectStore> store,
           std::shared_ptr<ArchiveDestination> destination)
      : store_(std::move(store)), destination_(std::move(destination)) {}

  absl::StatusOr<std::vector<Entry>> List(const Context& context) override;
  absl::StatusOr<Manifest> Verify(const Context& context,
                                  absl::string_view backup_id) override;
  absl::StatusOr<bool> WriterAlive(const Context& context,
                                   absl::string_view backup_id) override;
  absl::StatusOr<Fenced> Fence(const Context& context,
                               absl::string_view backup_id,
                               absl::string_view reason) override;
  absl::StatusOr<bool> IsPublished(const Context& context,
                                   absl::string_view backup_id) override;

 private:
  const std::shared_ptr<ObjectStore> store_;
  const std::shared_ptr<ArchiveDestination> destination_;
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_VERBS_ARCHIVE_VIEW_H_
