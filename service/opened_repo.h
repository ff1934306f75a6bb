#ifndef SLUICE_SERVICE_OPENED_REPO_H_
#define SLUICE_SERVICE_OPENED_REPO_H_

// A repo that was opened: its row in the catalog, its place, and the archives
// in it. A value; as thread-safe as the parts it points to.

#include <map>
#include <memory>
#include <string>

#include "sluice/destinations/archive/archive_destination.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/executor/models.pb.h"

namespace sluice::service {

struct OpenedRepo {
  // The catalog's row; for a bare URI that the catalog does not know one
  // without a name.
  BackupRepo row;
  std::shared_ptr<ObjectStore> store;
  std::shared_ptr<ArchiveDestination> destination;
  std::map<std::string, std::string> paths;  // of its URI, absolute

  // For people: the name, else the URI.
  std::string label() const {
    return row.name().empty() ? row.config() : row.name();
  }
};

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_OPENED_REPO_H_
