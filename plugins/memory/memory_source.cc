#include "sluice/plugins/memory/memory_source.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/memory/payload/payload_reading.h"
#include "sluice/plugins/memory/payload/payload_writer.h"
#include "sluice/plugins/sdk/empty_restore.h"

namespace sluice {
namespace {

using memory_internal::PayloadVisitor;
using memory_internal::PayloadWriter;

absl::Status WriteEntry(const MemoryEntry& entry, PayloadWriter& writer) {
  SLUICE_RETURN_IF_ERROR(writer.BeginEntry(entry.key));
  SLUICE_RETURN_IF_ERROR(writer.AddPayloadIds(entry.payload_ids));
  SLUICE_RETURN_IF_ERROR(writer.AppendValue(entry.value));
  return writer.EndEntry();
}

// Puts what a payload holds into a store that nobody sees yet.
class Stager : public PayloadVisitor {
 public:
  explicit Stager(MemoryStore& staged) : staged_(staged) {}

  absl::Status BeginEntry(absl::string_view key) override {
    key_ = std::string(key);
    value_.clear();
    ids_.clear();
    return absl::OkStatus();
  }
  absl::Status AddPayloadId(absl::string_view id) override {
    ids_.emplace_back(id);
    return absl::OkStatus();
  }
  absl::Status AppendValue(absl::string_view bytes) override {
    value_.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  }
  absl::Status EndEntry() override {
    return staged_.Put(key_, value_, std::move(ids_));
  }

 private:
  MemoryStore& staged_;
  std::string key_;
  std::string value_;
  std::vector<std::string> ids_;
};

class MemorySource : public sdk::Source {
 public:
  explicit MemorySource(std::shared_ptr<MemoryStore> store)
      : store_(std::move(store)) {}

  absl::StatusOr<sdk::SourceInfo> Describe(const sdk::Run& run) override {
    sdk::SourceInfo info;
    info.store_id = store_->store_id();
    info.empty = store_->stats().keys == 0;
    return info;
  }

  absl::Status Backup(const sdk::Run& run, const sdk::BackupRequest& request,
                      sdk::Sink& sink) override {
    const MemorySnapshot snapshot = store_->Snapshot();
    if (request.has_base) {
      SLUICE_RETURN_IF_ERROR(sink.SetMetadata(sdk::kFullMetadata, "1"));
    }
    sink.SetEstimate(EstimateOf(snapshot.stats()));
    PayloadWriter writer(sink);
    absl::Status status;
    snapshot.Scan("", "", [&](const MemoryEntry& entry) {
      status = WriteEntry(entry, writer);
      if (status.ok()) status = run.status();
      return status.ok();
    });
    SLUICE_RETURN_IF_ERROR(status);
    return writer.Finish();
  }

  absl::Status Restore(const sdk::Run& run,
                       sdk::RestoreRequest& request) override {
    if (const uint64_t keys = store_->stats().keys; keys > 0) {
      return MakeError(
          absl::StatusCode::kFailedPrecondition, kRestorePreconditionFailed,
          absl::StrCat("restore: the store holds ", keys, " keys"));
    }
    SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<MemoryStore> staged,
                            MemoryStore::Create(""));
    Stager stager(*staged);
    SLUICE_RETURN_IF_ERROR(memory_internal::ReadPayloads(run, request, stager));
    if (staged->stats().keys == 0 && sdk::MustHoldSomething(request)) {
      return MakeError(absl::StatusCode::kFailedPrecondition, kSourceEmpty,
                       "restore: the file holds no key");
    }
    return store_->Adopt(staged, request.store_id());
  }

 private:
  static uint64_t EstimateOf(const MemoryStoreStats& stats) {
    constexpr uint64_t kRecordBytesAnEntry = 9;
    return stats.key_bytes + stats.value_bytes +
           stats.keys * kRecordBytesAnEntry +
           memory_internal::kPayloadHeaderBytes + 1 +
           memory_internal::kEndCountsBytes;
  }

  const std::shared_ptr<MemoryStore> store_;
};

}  // namespace

std::unique_ptr<sdk::Source> MakeMemorySource(
    std::shared_ptr<MemoryStore> store) {
  return std::make_unique<MemorySource>(std::move(store));
}

}  // namespace sluice
