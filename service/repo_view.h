#ifndef SLUICE_SERVICE_REPO_VIEW_H_
#define SLUICE_SERVICE_REPO_VIEW_H_

// A repo as the catalog's reconcile asks for it.
//
// Example:
//
//   RepoView view(repo.destination);
//   const auto report = Reconcile(context, catalog, repo.row, view, options);
//
// As thread-safe as the destination.

#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/catalog/reconcile.h"
#include "sluice/destinations/archive/archive_destination.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"

namespace sluice::service {

class RepoView final : public ArchiveView {
 public:
  explicit RepoView(std::shared_ptr<ArchiveDestination> destination)
      : destination_(std::move(destination)) {}

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
  const std::shared_ptr<ArchiveDestination> destination_;
};

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_REPO_VIEW_H_
