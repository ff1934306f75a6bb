#ifndef SLUICE_EXECUTOR_TESTING_FAKE_DESTINATION_H_
#define SLUICE_EXECUTOR_TESTING_FAKE_DESTINATION_H_

// Archives in memory, with places where a test can make it fail, stop, or lie.
//
//   auto destination = std::make_shared<FakeDestination>();
//   destination->At(FakeDestination::Point::kPayload, [&](const Context&) {
//     return MakeError(..., kDestinationNoSpace, "write: no space left"); });
//
// Like the real one it publishes whole or not at all, looks at its context
// until the commit begins and not after, and verifies what it gives back.
// Thread-safe; hooks run without its lock.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/mutex.h"
#include "sluice/executor/destination.h"

namespace sluice {

class FakeDestination final : public Destination {
 public:
  enum class Point {
    kBegin,      // of PutBackup
    kPayload,    // after the first bytes
    kEnd,        // the payload was read to its end
    kCommit,     // after before_publish
    kCommitted,  // it is published; an error is what PutBackup then says
    kManifest,   // of GetManifest
    kRead,       // in a reader of GetBackup, after the first bytes
  };
  using Hook = std::function<absl::Status(const Context&)>;

  struct Archive {
    Manifest manifest;
    std::string payload;
    std::vector<std::string> ids;
    std::string index;  // empty: none
  };

  // `hook` is asked each time the point is passed; an error ends the call.
  void At(Point point, Hook hook);
  // PutBackup says OK at once and reads nothing.
  void ClaimSuccessWithoutReading();
  // GetBackup gives whatever there is, unverified.
  void DoNotVerify();

  std::vector<Archive> archives() const;  // by id
  // Puts an archive there, or changes one.
  void Put(Archive archive);
  // An archive as PutBackup would have made it.
  static Archive MakeArchive(std::string backup_id, std::string payload,
                             std::string store_id, std::string store_kind);

  absl::Status PutBackup(const Context& context, Manifest& manifest,
                         PayloadReader& payload,
                         const PutOptions& options) override;
  absl::StatusOr<Manifest> GetManifest(const Context& context,
                                       absl::string_view backup_id) override;
  absl::StatusOr<std::unique_ptr<PayloadReader>> GetBackup(
      const Context& context, absl::string_view backup_id) override;
  absl::StatusOr<std::unique_ptr<PayloadReader>> GetIndex(
      const Context& context, const Manifest& manifest) override;
  absl::StatusOr<std::vector<Manifest>> List(const Context& context) override;
  absl::Status Stat(const Context& context,
                    absl::string_view backup_id) override;
  absl::Status Delete(const Context& context,
                      absl::string_view backup_id) override;
  absl::Status Validate(const Context& context) override;
  absl::Status Close() override;

 private:
  class Reader;

  absl::Status Pass(Point point, const Context& context) const;
  absl::StatusOr<Archive> Find(const Context& context,
                               absl::string_view backup_id) const;

  mutable Mutex mutex_;
  std::map<Point, Hook> hooks_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Archive> archives_ ABSL_GUARDED_BY(mutex_);
  bool claim_success_ ABSL_GUARDED_BY(mutex_) = false;
  bool verify_ ABSL_GUARDED_BY(mutex_) = true;
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_TESTING_FAKE_DESTINATION_H_
