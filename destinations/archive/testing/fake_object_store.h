#ifndef SLUICE_DESTINATIONS_ARCHIVE_TESTING_FAKE_OBJECT_STORE_H_
#define SLUICE_DESTINATIONS_ARCHIVE_TESTING_FAKE_OBJECT_STORE_H_

// An object store in memory with S3's manners, stricter than the real thing.
//
// There is no rename. An upload exists, uncommitted, from Begin until it is
// committed or aborted, also when the process that began it dies. A conditional
// commit answers ALREADY_EXISTS. Answers get lost: the effect took place and
// the caller is told UNKNOWN or UNAVAILABLE. The clock is its own. Every call
// has a number, and a fault, or a callback, may be planted at each.
//
//   FakeObjectStore store;
//   store.PlantFault(7, FakeObjectStore::Fault::kLostAnswer);
//   ... run ...
//   EXPECT_TRUE(store.fault_struck());
//   EXPECT_THAT(store.misuses(), IsEmpty());
//
// What a caller must never do (a bad name, Write after Commit, two threads in
// one writer, a writer that outlives its store) fails and is noted in
// misuses().
//
// Thread-safe, as every ObjectStore. Shipped for the tests of services that
// embed Sluice.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/base/mutex.h"
#include "sluice/destinations/archive/object_store.h"

namespace sluice {

class FakeObjectStore final : public ObjectStore {
 public:
  struct Options {
    // Without, kIfAbsent looks first and then replaces, as a server that
    // ignores If-None-Match: a race is lost.
    bool conditional_commit = true;
    bool durable_commit = true;
    bool exists = true;
    uint64_t max_object_bytes = 0;
    absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  };

  enum class Fault {
    kBefore,      // fails, no effect
    kLostAnswer,  // takes effect, fails all the same
    kShort,       // a read gives half of what it could; a write takes half of
                  // its bytes and fails; other calls: as kBefore
    kDeadFrom,    // as kBefore, this call and every later one: the process, or
                  // the place, is gone
  };

  enum class Operation {
    kDescribe,
    kCreate,
    kBegin,
    kWrite,
    kCommit,
    kAbort,
    kOpen,
    kRead,
    kStat,
    kList,
    kDelete,
    kListUncommitted,
    kAbortUncommitted,
  };

  struct Call {
    Operation operation;
    std::string name;
  };

  FakeObjectStore() : FakeObjectStore(Options()) {}
  explicit FakeObjectStore(const Options& options);
  ~FakeObjectStore() override;

  // --- the test's side

  // Plants a fault at call `number` (the first call is 1). `status` is told in
  // place of the fault's own (kBefore: UNAVAILABLE, kLostAnswer: UNKNOWN of a
  // commit, else UNAVAILABLE).
  void PlantFault(uint64_t number, Fault fault,
                  absl::Status status = absl::OkStatus());
  // Runs `callback` right before call `number` takes effect, outside of any
  // lock: it may use the store (its calls are not counted and strike no fault).
  void PlantCallback(uint64_t number, std::function<void()> callback);
  // Forgets planted faults and callbacks and starts to count anew.
  void Reset();
  // Calls since Reset.
  std::vector<Call> calls() const;
  uint64_t call_count() const;
  // Whether a planted fault or callback was reached since Reset.
  bool fault_struck() const;
  std::vector<std::string> misuses() const;

  void Advance(absl::Duration duration);
  void SetNow(absl::Time now);
  absl::Time now() const;

  // Straight to the objects, uncounted.
  std::map<std::string, std::string> objects() const;
  void PutRaw(absl::string_view name, absl::string_view bytes);
  void DeleteRaw(absl::string_view name);
  std::vector<std::string> uncommitted() const;  // names

  // --- ObjectStore
  absl::StatusOr<PlaceInfo> Describe(const Context& context,
                                     bool probe) override;
  absl::Status Create(const Context& context) override;
  absl::StatusOr<std::unique_ptr<ObjectWriter>> Begin(
      const Context& context, absl::string_view name,
      uint64_t size_hint) override;
  absl::StatusOr<std::unique_ptr<ObjectReader>> Open(const Context& context,
                                                     absl::string_view name,
                                                     uint64_t offset) override;
  absl::StatusOr<ObjectInfo> Stat(const Context& context,
                                  absl::string_view name) override;
  absl::Status List(const Context& context, absl::string_view prefix,
                    const Callback& callback) override;
  absl::Status Delete(const Context& context, absl::string_view name) override;
  absl::Status ListUncommitted(const Context& context, absl::string_view prefix,
                               const Callback& callback) override;
  absl::Status AbortUncommitted(const Context& context,
                                absl::string_view upload) override;

 private:
  class Writer;
  class Reader;

  struct Object {
    std::shared_ptr<const std::string> bytes;
    absl::Time modified;
  };
  struct Upload {
    std::string name;
    std::string bytes;
    absl::Time begun;
  };
  struct Planted {
    Fault fault;
    absl::Status status;
  };
  // What one call is to do.
  struct Verdict {
    absl::Status before;  // not OK: fail now, without effect
    absl::Status after;   // not OK: take effect, then fail with this
    bool is_short = false;
  };

  // Counts the call, runs a planted callback, and says what is to happen.
  Verdict Enter(const Context& context, Operation operation,
                absl::string_view name, bool checked_name);
  void NoteMisuse(std::string what);
  bool Holds(const std::string& name) const;
  absl::Status CommitUpload(const std::string& token, CommitMode mode);
  std::vector<ObjectInfo> Matching(absl::string_view prefix) const;
  std::vector<ObjectInfo> MatchingUploads(absl::string_view prefix) const;

  const Options options_;
  mutable Mutex mutex_;
  bool exists_ ABSL_GUARDED_BY(mutex_);
  absl::Time now_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Object> objects_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Upload> uploads_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_upload_ ABSL_GUARDED_BY(mutex_) = 1;
  std::vector<Call> calls_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, Planted> faults_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, std::function<void()>> callbacks_ ABSL_GUARDED_BY(mutex_);
  bool dead_ ABSL_GUARDED_BY(mutex_) = false;
  bool struck_ ABSL_GUARDED_BY(mutex_) = false;
  bool in_callback_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::string> misuses_ ABSL_GUARDED_BY(mutex_);
  std::atomic<int> handles_{0};  // writers and readers alive
};

absl::string_view OperationName(FakeObjectStore::Operation operation);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_TESTING_FAKE_OBJECT_STORE_H_
