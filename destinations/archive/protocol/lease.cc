#include "sluice/destinations/archive/protocol/lease.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/archive/format/json.h"
#include "sluice/destinations/archive/format/names.h"
#include "sluice/destinations/archive/format/times.h"
#include "sluice/destinations/archive/protocol/object_io.h"
#include "sluice/executor/ulid.h"

namespace sluice {
namespace {

constexpr size_t kMaxOwnerBytes = 256;

absl::Status Damaged(absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                   absl::StrCat(kWriterFile, ": ", what));
}

}  // namespace

std::string EncodeWriter(const WriterRecord& record) {
  nlohmann::ordered_json object;
  object["version"] = kWriterVersion;
  object["owner"] = record.owner;
  object["expires_at"] = FormatTimestamp(record.expires_at);
  return DumpJson(object);
}

absl::StatusOr<WriterRecord> ParseWriter(absl::string_view bytes) {
  const absl::optional<nlohmann::json> object =
      bytes.size() > kMaxWriterBytes ? absl::nullopt : ParseJsonObject(bytes);
  if (!object.has_value()) return Damaged("not a JSON object");
  if (JsonNumber(*object, "version").value_or(0) != kWriterVersion)
    return Damaged("another version");
  WriterRecord record;
  record.owner = JsonText(*object, "owner").value_or("");
  if (record.owner.empty() || record.owner.size() > kMaxOwnerBytes)
    return Damaged("no owner");
  if (!ReadTime(JsonText(*object, "expires_at").value_or(""),
                record.expires_at)) {
    return Damaged("no expiry");
  }
  return record;
}

absl::StatusOr<std::unique_ptr<WriterLease>> WriterLease::Take(
    const Context& context, ObjectStore& store, Clock* clock,
    absl::string_view backup_id, absl::string_view owner,
    absl::Duration grace_window) {
  std::unique_ptr<WriterLease> lease(
      new WriterLease(context, store, clock, ObjectName(backup_id, kWriterFile),
                      std::string(owner), grace_window));
  SLUICE_RETURN_IF_ERROR(lease->Renew(CommitMode::kIfAbsent));
  SLUICE_ASSIGN_OR_RETURN(lease->thread_,
                          Thread::Start("lease", [raw = lease.get()] {
                            raw->RenewUntilStopped();
                          }));
  return lease;
}

WriterLease::WriterLease(const Context& context, ObjectStore& store,
                         Clock* clock, std::string name, std::string owner,
                         absl::Duration grace_window)
    : store_(store),
      clock_(clock),
      name_(std::move(name)),
      owner_(std::move(owner)),
      grace_window_(grace_window),
      context_(context),
      renewed_(clock->SinceBoot()) {
  std::tie(context_, cancel_) = Context::WithCancel(context);
}

WriterLease::~WriterLease() { Stop(); }

bool WriterLease::IsFresh() const {
  MutexLock lock(mutex_);
  return !lost_ && clock_->SinceBoot() - renewed_ < grace_window_ / 2;
}

void WriterLease::Stop() {
  {
    MutexLock lock(mutex_);
    stop_ = true;
  }
  stopped_.NotifyAll();
  cancel_(absl::CancelledError("the archive's lease has ended"));
  thread_.Join();
}

absl::Status WriterLease::Renew(CommitMode mode) {
  const absl::Duration began = clock_->SinceBoot();
  SLUICE_ASSIGN_OR_RETURN(const absl::Time now, PlaceNow(context_, store_));
  WriterRecord record;
  record.owner = owner_;
  record.expires_at = now + grace_window_;
  const CommitOutcome outcome =
      StoreObject(context_, store_, name_, EncodeWriter(record), mode);
  if (outcome.kind == CommitOutcome::kTaken && mode == CommitMode::kIfAbsent) {
    return MakeError(absl::StatusCode::kAborted, kPublishFenced,
                     absl::StrCat("take ", name_, ": another writer has it"));
  }
  SLUICE_RETURN_IF_ERROR(outcome.status);
  MutexLock lock(mutex_);
  renewed_ = began;
  return absl::OkStatus();
}

void WriterLease::RenewUntilStopped() {
  absl::Duration due = absl::ZeroDuration();
  while (true) {
    {
      MutexLock lock(mutex_);
      due = std::max(due, renewed_ + grace_window_ / 4);
      for (absl::Duration left = due - clock_->SinceBoot();
           !stop_ && left > absl::ZeroDuration();
           left = due - clock_->SinceBoot()) {
        clock_->WaitFor(stopped_, lock, left);
      }
      if (stop_) return;
      if (clock_->SinceBoot() - renewed_ >= grace_window_ / 2) {
        lost_ = true;
        return;
      }
    }
    // Where the place does not answer: again a little later, until it is too
    // late.
    due = clock_->SinceBoot() + grace_window_ / 16;
    if (Renew(CommitMode::kReplace).ok()) due = absl::ZeroDuration();
  }
}

}  // namespace sluice
