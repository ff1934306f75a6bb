#include "sluice/executor/run/restore_chain.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "sluice/base/error.h"
#include "sluice/executor/run/run.h"

namespace sluice {
namespace {

constexpr absl::string_view kArchivePayload = "type.sluice/archive";

absl::Status Damaged(absl::string_view backup_id, absl::string_view message) {
  return AboutArchive(
      MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged, message),
      backup_id);
}

absl::Status CheckLink(const std::vector<Manifest>& chain,
                       const std::string& backup_id, const Manifest& link) {
  if (link.backup_id() != backup_id) {
    return Damaged(backup_id,
                   absl::StrCat("archive ", backup_id, " says that it is ",
                                link.backup_id()));
  }
  if (chain.empty() || (link.store_id() == chain[0].store_id() &&
                        link.store_kind() == chain[0].store_kind())) {
    return absl::OkStatus();
  }
  return Damaged(
      chain.back().backup_id(),
      absl::StrCat("archive ", backup_id, ", the base of ",
                   chain.back().backup_id(), ", is of another store"));
}

}  // namespace

absl::StatusOr<std::vector<Manifest>> ReadRestoreChain(
    absl::string_view backup_id,
    const std::function<absl::StatusOr<Manifest>(const std::string&)>& read) {
  std::vector<Manifest> chain;  // the archive asked for first
  std::set<std::string> seen;
  std::string next(backup_id);
  while (!next.empty()) {
    if (chain.size() == kMaxChainLength || !seen.insert(next).second) {
      return Damaged(backup_id,
                     absl::StrCat("archive ", backup_id,
                                  " has a chain of bases that is a circle or "
                                  "longer than ",
                                  kMaxChainLength));
    }
    absl::StatusOr<Manifest> manifest = read(next);
    if (!manifest.ok()) {
      const absl::Status failed = AboutArchive(manifest.status(), next);
      return chain.empty()
                 ? failed
                 : Annotate(failed, absl::StrCat("read the base of archive ",
                                                 chain.back().backup_id()));
    }
    if (absl::Status wrong = CheckLink(chain, next, *manifest); !wrong.ok())
      return wrong;
    next = manifest->base_backup_id();
    chain.push_back(*std::move(manifest));
  }
  std::reverse(chain.begin(), chain.end());
  return chain;
}

absl::Status AboutArchive(absl::Status status, absl::string_view backup_id) {
  if (ErrorCodeOf(status) == kArchiveDamaged && ArchiveOf(status).empty())
    status.SetPayload(kArchivePayload, absl::Cord(backup_id));
  return status;
}

std::string ArchiveOf(const absl::Status& status) {
  const absl::optional<absl::Cord> id = status.GetPayload(kArchivePayload);
  return id.has_value() ? std::string(*id) : std::string();
}

}  // namespace sluice
