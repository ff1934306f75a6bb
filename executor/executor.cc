#include "sluice/executor/executor.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/text/utf8.h"
#include "sluice/executor/printable.h"
#include "sluice/executor/run/backup_run.h"
#include "sluice/executor/run/guarded_thread.h"
#include "sluice/executor/run/restore_run.h"
#include "sluice/executor/ulid.h"

namespace sluice {
namespace {

constexpr size_t kMaxKindBytes = 32;
constexpr size_t kMaxIdBytes = 1024;

absl::Status Invalid(absl::string_view message) {
  return InvalidArgument(message);
}

absl::Status CheckId(absl::string_view what, absl::string_view id) {
  if (id.empty()) return Invalid(absl::StrCat("the ", what, " is empty"));
  // It goes into the manifest, which is JSON.
  if (id.size() > kMaxIdBytes || !IsUtf8(id) ||
      std::any_of(id.begin(), id.end(), absl::ascii_iscntrl)) {
    return Invalid(absl::StrCat("the ", what, " is not UTF-8 of at most ",
                                kMaxIdBytes, " bytes without control bytes"));
  }
  return absl::OkStatus();
}

absl::Status CheckParties(const JobStore* jobs, const Clock* clock,
                          const Backupable* store,
                          const Destination* destination) {
  if (jobs == nullptr) return Invalid("no job store");
  if (clock == nullptr) return Invalid("no clock");
  if (store == nullptr) return Invalid("no store");
  if (destination == nullptr) return Invalid("no destination");
  return absl::OkStatus();
}

absl::StatusOr<std::string> KindOf(const Backupable& store) {
  std::string kind;
  SLUICE_RETURN_IF_ERROR(CallGuarded("the store", [&] {
    kind = store.store_kind();
    return absl::OkStatus();
  }));
  if (!IsStoreKind(kind)) {
    return Invalid("the store's kind is not [a-z][a-z0-9_]{0,31}");
  }
  return kind;
}

absl::Status CheckBase(const Manifest* base, absl::string_view store_id,
                       absl::string_view store_kind) {
  if (base == nullptr) return absl::OkStatus();
  if (!IsUlid(base->backup_id())) return Invalid("the base has no id");
  if (base->store_id() != store_id || base->store_kind() != store_kind) {
    return Invalid(absl::StrCat("the base ", base->backup_id(),
                                " is an archive of another store"));
  }
  return absl::OkStatus();
}

template <typename Result>
Result Refused(const absl::Status& status) {
  Result result;
  result.status = status;
  return result;
}

}  // namespace

bool IsStoreKind(absl::string_view kind) {
  return !kind.empty() && kind.size() <= kMaxKindBytes &&
         absl::ascii_islower(kind[0]) &&
         std::all_of(kind.begin(), kind.end(), [](char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_';
         });
}

Executor::Executor(JobStore* jobs, Clock* clock) : jobs_(jobs), clock_(clock) {}

BackupResult Executor::RunBackup(const Context& context,
                                 std::shared_ptr<Backupable> source,
                                 std::shared_ptr<Destination> destination,
                                 const BackupRepo& repo,
                                 absl::string_view store_id,
                                 absl::string_view store_kind,
                                 const RunBackupOptions& options) const {
  const absl::Status checked = [&]() -> absl::Status {
    SLUICE_RETURN_IF_ERROR(
        CheckParties(jobs_, clock_, source.get(), destination.get()));
    SLUICE_RETURN_IF_ERROR(CheckId("repo's id", repo.id()));
    SLUICE_RETURN_IF_ERROR(CheckId("store's id", store_id));
    SLUICE_ASSIGN_OR_RETURN(const std::string kind, KindOf(*source));
    if (kind != store_kind) {
      return Invalid(absl::StrCat("a store of kind ", kind,
                                  " can't be backed up as ",
                                  Printable(store_kind, kMaxKindBytes)));
    }
    return CheckBase(options.base, store_id, store_kind);
  }();
  if (!checked.ok()) return Refused<BackupResult>(checked);
  BackupRun run(jobs_, clock_,
                {context, std::move(source), std::move(destination), repo,
                 std::string(store_kind)},
                std::string(store_id), options);
  return run.Run();
}

RestoreResult Executor::RunRestore(const Context& context,
                                   std::shared_ptr<Backupable> target,
                                   std::shared_ptr<Destination> destination,
                                   const BackupRepo& repo,
                                   absl::string_view backup_id,
                                   const RunRestoreOptions& options) const {
  std::string kind;
  const absl::Status checked = [&]() -> absl::Status {
    SLUICE_RETURN_IF_ERROR(
        CheckParties(jobs_, clock_, target.get(), destination.get()));
    SLUICE_RETURN_IF_ERROR(CheckId("repo's id", repo.id()));
    if (!IsUlid(backup_id)) return Invalid("the backup's id is not a ULID");
    SLUICE_ASSIGN_OR_RETURN(kind, KindOf(*target));
    return absl::OkStatus();
  }();
  if (!checked.ok()) return Refused<RestoreResult>(checked);
  RestoreRun run(jobs_, clock_,
                 {context, std::move(target), std::move(destination), repo,
                  std::move(kind)},
                 std::string(backup_id), options);
  return run.Run();
}

}  // namespace sluice
