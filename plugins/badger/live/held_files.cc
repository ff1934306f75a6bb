#include "sluice/plugins/badger/live/held_files.h"

#include "absl/status/statusor.h"
#include "sluice/base/status_macros.h"

namespace sluice {
namespace badger {

absl::Status HeldFiles::Hold(const std::string& name) {
  SLUICE_ASSIGN_OR_RETURN(const FileIdentity now, Identify(source_, name));
  const absl::optional<FileIdentity> held = Find(name);
  if (held.has_value() && *held == now) return absl::OkStatus();
  return Copy(name);
}

absl::Status HeldFiles::HoldClosed(const std::string& name) {
  if (const auto held = Find(name); held.has_value()) {
    const auto now = Identify(source_, name);
    if (IsChanged(now.status())) return absl::OkStatus();
    SLUICE_RETURN_IF_ERROR(now.status());
    if (now->IsSameFile(*held) && now->size == held->size) {
      return absl::OkStatus();
    }
  }
  return Copy(name);
}

absl::Status HeldFiles::Copy(const std::string& name) {
  Forget(name);
  FileIdentity identity;
  SLUICE_RETURN_IF_ERROR(CopyWhole(source_, name, image_, identity));
  MutexLock lock(mutex_);
  held_[name] = identity;
  return absl::OkStatus();
}

bool HeldFiles::Holds(const std::string& name) const {
  return Find(name).has_value();
}

void HeldFiles::Forget(const std::string& name) {
  MutexLock lock(mutex_);
  held_.erase(name);
}

absl::optional<FileIdentity> HeldFiles::Find(const std::string& name) const {
  MutexLock lock(mutex_);
  const auto held = held_.find(name);
  if (held == held_.end()) return absl::nullopt;
  return held->second;
}

}  // namespace badger
}  // namespace sluice
