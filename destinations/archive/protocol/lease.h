#ifndef SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_LEASE_H_
#define SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_LEASE_H_

// writer.json: "this archive is being written, leave it alone until then".
//
// WriterLease takes the object (only where nobody else has it), renews it on a
// thread of its own every quarter of the grace window, also while the source
// gives nothing for hours, and removes it at the end. The expiry is told in the
// place's own clock, so a writer's wrong clock does no harm.
//
// A lease that could not be renewed within half the grace window is lost for
// good: a process that was stopped past it must not take it up again, since a
// sweep may have been there meanwhile. docs/format/writer.md.

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/mutex.h"
#include "sluice/base/thread.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/executor/context.h"

namespace sluice {

inline constexpr uint32_t kWriterVersion = 1;
inline constexpr uint64_t kMaxWriterBytes = uint64_t{64} << 10;
// No lease is believed for longer than this after its object was written.
inline constexpr absl::Duration kMaxLease = absl::Hours(24 * 7);

struct WriterRecord {
  std::string owner;  // 1 to 256 bytes; differs between any two attempts
  absl::Time expires_at;
};

std::string EncodeWriter(const WriterRecord& record);
// archive_damaged where `bytes` is no writer.json of a version known here.
absl::StatusOr<WriterRecord> ParseWriter(absl::string_view bytes);

class WriterLease {
 public:
  // Takes the lease of archive `backup_id`. publish_fenced where another writer
  // has it. `clock` and `store` must outlive the lease. After an error the
  // object may exist all the same; nobody renews it and a sweep takes it away.
  static absl::StatusOr<std::unique_ptr<WriterLease>> Take(
      const Context& context, ObjectStore& store, Clock* clock,
      absl::string_view backup_id, absl::string_view owner,
      absl::Duration grace_window);
  ~WriterLease();
  WriterLease(const WriterLease&) = delete;
  WriterLease& operator=(const WriterLease&) = delete;

  // Whether the last renewal began less than half the grace window ago and none
  // before it came later than that.
  bool IsFresh() const;
  // Ends the renewing; the object stays. Idempotent.
  void Stop();

 private:
  WriterLease(const Context& context, ObjectStore& store, Clock* clock,
              std::string name, std::string owner, absl::Duration grace_window);
  absl::Status Renew(CommitMode mode);
  void RenewUntilStopped();

  ObjectStore& store_;
  Clock* const clock_;
  const std::string name_;
  const std::string owner_;
  const absl::Duration grace_window_;
  Context context_;
  Context::CancelFunction cancel_;
  mutable Mutex mutex_;
  CondVar stopped_;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  bool lost_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Duration renewed_
      ABSL_GUARDED_BY(mutex_);  // SinceBoot, before the call
  Thread thread_;
};

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_LEASE_H_
