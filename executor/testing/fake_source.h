#ifndef SLUICE_EXECUTOR_TESTING_FAKE_SOURCE_H_
#define SLUICE_EXECUTOR_TESTING_FAKE_SOURCE_H_

// A store that follows a script, well or badly, and remembers what was restored
// into it.
//
//   auto source = std::make_shared<FakeSource>();
//   source->Write("some bytes").AddIds({"block-1"}).End({{"keys", 1}});
//   source->Write("half").Return(absl::DataLossError("torn page"));
//   source->Write("half").Throw(std::runtime_error("boom"));
//   source->Write("half").Hang(&gate);        // ignores cancellation
//
// Script it before the run. The script is run anew by each Backup.

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/base/mutex.h"
#include "sluice/executor/backupable.h"

namespace sluice {

// A door that a test holds shut, and through which it sees who waits.
class FakeGate {
 public:
  // Blocks until it is open.
  void Pass();
  void Open();
  // Blocks until someone waits at it, or has passed.
  void AwaitArrival();

 private:
  Mutex mutex_;
  CondVar changed_;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
  bool arrived_ ABSL_GUARDED_BY(mutex_) = false;
};

class FakeSource final : public Backupable {
 public:
  using Step = std::function<absl::Status(const Context&, PayloadSink&)>;

  // --- the script of Backup. A step that fails ends it, with that error.
  FakeSource& Do(Step step);
  FakeSource& Write(std::string bytes);
  // Through Reserve and Commit.
  FakeSource& WriteInPlace(std::string bytes);
  // `count` writes of `bytes`.
  FakeSource& WriteMany(int count, std::string bytes);
  FakeSource& AddIds(std::vector<std::string> ids);
  FakeSource& SetMetadata(std::string key, std::string value);
  FakeSource& SetEstimate(uint64_t bytes);
  FakeSource& Warn(std::string code, std::string message);
  FakeSource& End(SourceCounts counts);
  FakeSource& Return(absl::Status status);
  template <typename T>
  FakeSource& Throw(T thing) {
    return Do(
        [thing](const Context&, PayloadSink&) -> absl::Status { throw thing; });
  }
  // Waits until the context ends, then returns its status.
  FakeSource& Stall();
  // Waits at the gate, whatever the context says.
  FakeSource& Hang(std::shared_ptr<FakeGate> gate);

  // Called before the script where there is a base.
  FakeSource& OnBase(std::function<absl::Status(BackupBase&)> look);

  // --- as a target
  FakeSource& set_info(StoreInfo info);
  FakeSource& set_kind(std::string kind);
  // Called in place of reading the chain.
  FakeSource& OnRestore(
      std::function<absl::Status(const Context&, absl::Span<RestorePayload>)>
          restore);
  // Said by each Restore, before it reads.
  FakeSource& WarnOfRestore(std::string code, std::string message);
  // The payloads restored, full first; empty unless all went well.
  std::vector<std::string> restored() const;
  std::string restored_store_id() const;
  int backups() const;            // calls so far
  int restores() const;           // calls so far
  std::string base_seen() const;  // of the last Backup

  std::string store_kind() const override;
  absl::StatusOr<StoreInfo> Describe(const Context& context) override;
  absl::Status Backup(const Context& context, BackupBase* base,
                      PayloadSink& sink) override;
  absl::Status Restore(const Context& context, absl::string_view store_id,
                       absl::Span<RestorePayload> chain,
                       WarningSink& warnings) override;

  // Reads a payload to its end.
  static absl::StatusOr<std::string> ReadAll(PayloadReader& reader);

 private:
  std::vector<Step> script_;
  std::function<absl::Status(BackupBase&)> on_base_;
  StoreInfo info_ = {"", true};
  std::string kind_ = "fake";
  std::function<absl::Status(const Context&, absl::Span<RestorePayload>)>
      on_restore_;
  std::vector<PayloadWarning> restore_warnings_;
  mutable Mutex mutex_;
  std::vector<std::string> restored_ ABSL_GUARDED_BY(mutex_);
  std::string restored_store_id_ ABSL_GUARDED_BY(mutex_);
  std::string base_seen_ ABSL_GUARDED_BY(mutex_);
  int backups_ ABSL_GUARDED_BY(mutex_) = 0;
  int restores_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_TESTING_FAKE_SOURCE_H_
