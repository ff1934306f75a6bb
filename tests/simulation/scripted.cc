#include "sluice/tests/simulation/scripted.h"

#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/status_macros.h"

namespace sluice {

absl::StatusOr<StoreInfo> ScriptedStore::Describe(const Context&) {
  StoreInfo info;
  info.empty = content_.empty();
  return info;
}

absl::Status ScriptedStore::WritePieces(const Context& context,
                                        PayloadSink& sink) {
  for (size_t i = 0; i < pieces_.size(); ++i) {
    const absl::Status written =
        script_->Around(Party::kStore, "write", [&]() -> absl::Status {
          SLUICE_RETURN_IF_ERROR(
              sink.AddPayloadIds({absl::StrCat("id-", i % 3)}));
          SLUICE_RETURN_IF_ERROR(sink.Write(pieces_[i]));
          written_ += pieces_[i];
          return absl::OkStatus();
        });
    if (!written.ok() && manner_ != Manner::kSwallowsErrors) return written;
  }
  return absl::OkStatus();
}

absl::Status ScriptedStore::Backup(const Context& context, BackupBase*,
                                   PayloadSink& sink) {
  const absl::Status written = WritePieces(context, sink);
  if (manner_ == Manner::kHangs) {
    while (!freed_) {
      (void)script_->Around(Party::kStore, "hang",
                            [] { return absl::OkStatus(); });
      if (!context.done()) break;  // nobody has cancelled: a proper source
    }
  }
  SLUICE_RETURN_IF_ERROR(written);
  if (manner_ == Manner::kThrows) throw std::runtime_error("scripted throw");
  if (manner_ == Manner::kReturnsWithoutEnd) return absl::OkStatus();
  return script_->Around(Party::kStore, "end", [&] {
    const absl::Status ended = sink.End({{"pieces", pieces_.size()}});
    return manner_ == Manner::kSwallowsErrors ? absl::OkStatus() : ended;
  });
}

absl::Status ScriptedStore::Restore(const Context&, absl::string_view,
                                    absl::Span<RestorePayload> chain,
                                    WarningSink&) {
  std::string staged;
  for (RestorePayload& payload : chain) {
    // A step takes as many bytes as the last one did, however large the views
    // are: that depends on a thread that no schedule orders.
    constexpr size_t kBytes = 4096;
    bool ended = false;
    for (size_t target = staged.size(); !ended;) {
      target += kBytes;
      SLUICE_RETURN_IF_ERROR(
          script_->Around(Party::kStore, "read", [&]() -> absl::Status {
            while (!ended && staged.size() < target) {
              SLUICE_ASSIGN_OR_RETURN(const absl::string_view bytes,
                                      payload.reader->Next());
              staged.append(bytes.data(), bytes.size());
              ended = bytes.empty();
              if (!ended) payload.reader->Release();
            }
            return absl::OkStatus();
          }));
    }
  }
  return script_->Around(Party::kStore, "show", [&] {
    content_ = std::move(staged);
    return absl::OkStatus();
  });
}

namespace {

class StepWriter final : public ObjectWriter {
 public:
  StepWriter(std::unique_ptr<ObjectWriter> inner, FaultScript* script)
      : inner_(std::move(inner)), script_(script) {}

  absl::Status Write(absl::string_view bytes) override {
    return script_->Around(Party::kPlace, "write",
                           [&] { return inner_->Write(bytes); });
  }
  absl::Status Commit(CommitMode mode) override {
    return script_->Around(Party::kPlace, "commit",
                           [&] { return inner_->Commit(mode); });
  }
  absl::Status Abort() override {
    return script_->Around(Party::kPlace, "abort",
                           [&] { return inner_->Abort(); });
  }

 private:
  const std::unique_ptr<ObjectWriter> inner_;
  FaultScript* const script_;
};

class StepReader final : public ObjectReader {
 public:
  StepReader(std::unique_ptr<ObjectReader> inner, FaultScript* script)
      : inner_(std::move(inner)), script_(script) {}

  absl::StatusOr<size_t> Read(absl::Span<char> buffer) override {
    absl::StatusOr<size_t> size = 0;
    SLUICE_RETURN_IF_ERROR(script_->Around(Party::kPlace, "read", [&] {
      size = inner_->Read(buffer);
      return size.status();
    }));
    return size;
  }

 private:
  const std::unique_ptr<ObjectReader> inner_;
  FaultScript* const script_;
};

class StepPlace final : public ObjectStore {
 public:
  StepPlace(std::shared_ptr<ObjectStore> inner, FaultScript* script)
      : inner_(std::move(inner)), script_(script) {}

  absl::StatusOr<PlaceInfo> Describe(const Context& context,
                                     bool probe) override {
    return Value<PlaceInfo>("describe",
                            [&] { return inner_->Describe(context, probe); });
  }
  absl::Status Create(const Context& context) override {
    return script_->Around(Party::kPlace, "create",
                           [&] { return inner_->Create(context); });
  }
  absl::StatusOr<std::unique_ptr<ObjectWriter>> Begin(const Context& context,
                                                      absl::string_view name,
                                                      uint64_t hint) override {
    SLUICE_ASSIGN_OR_RETURN(auto writer,
                            Value<std::unique_ptr<ObjectWriter>>("begin", [&] {
                              return inner_->Begin(context, name, hint);
                            }));
    return std::make_unique<StepWriter>(std::move(writer), script_);
  }
  absl::StatusOr<std::unique_ptr<ObjectReader>> Open(const Context& context,
                                                     absl::string_view name,
                                                     uint64_t offset) override {
    SLUICE_ASSIGN_OR_RETURN(auto reader,
                            Value<std::unique_ptr<ObjectReader>>("open", [&] {
                              return inner_->Open(context, name, offset);
                            }));
    return std::make_unique<StepReader>(std::move(reader), script_);
  }
  absl::StatusOr<ObjectInfo> Stat(const Context& context,
                                  absl::string_view name) override {
    return Value<ObjectInfo>("stat",
                             [&] { return inner_->Stat(context, name); });
  }
  absl::Status List(const Context& context, absl::string_view prefix,
                    const Callback& callback) override {
    return script_->Around(Party::kPlace, "list", [&] {
      return inner_->List(context, prefix, callback);
    });
  }
  absl::Status Delete(const Context& context, absl::string_view name) override {
    return script_->Around(Party::kPlace, "delete",
                           [&] { return inner_->Delete(context, name); });
  }
  absl::Status ListUncommitted(const Context& context, absl::string_view prefix,
                               const Callback& callback) override {
    return script_->Around(Party::kPlace, "list_uncommitted", [&] {
      return inner_->ListUncommitted(context, prefix, callback);
    });
  }
  absl::Status AbortUncommitted(const Context& context,
                                absl::string_view upload) override {
    return script_->Around(Party::kPlace, "abort_uncommitted", [&] {
      return inner_->AbortUncommitted(context, upload);
    });
  }

 private:
  template <typename T>
  absl::StatusOr<T> Value(absl::string_view what,
                          absl::FunctionRef<absl::StatusOr<T>()> call) {
    absl::StatusOr<T> value = absl::UnknownError("not called");
    SLUICE_RETURN_IF_ERROR(script_->Around(Party::kPlace, what, [&] {
      value = call();
      return value.status();
    }));
    return value;
  }

  const std::shared_ptr<ObjectStore> inner_;
  FaultScript* const script_;
};

class StepJobStore final : public JobStore {
 public:
  StepJobStore(JobStore* inner, FaultScript* script)
      : inner_(inner), script_(script) {}

  std::string catalog_id() const override { return inner_->catalog_id(); }
  absl::Status CreateBackupJob(const Context& context,
                               const BackupJob& job) override {
    return script_->Around(Party::kCatalog, "create_job", [&] {
      return inner_->CreateBackupJob(context, job);
    });
  }
  absl::Status UpdateBackupJob(const Context& context,
                               const BackupJob& job) override {
    return script_->Around(Party::kCatalog, "update_job", [&] {
      return inner_->UpdateBackupJob(context, job);
    });
  }
  absl::Status UpdateBackupJobProgress(const Context& context,
                                       absl::string_view job_id,
                                       uint32_t progress, uint64_t bytes_done,
                                       absl::string_view stage) override {
    return script_->Around(Party::kCatalog, "progress", [&] {
      return inner_->UpdateBackupJobProgress(context, job_id, progress,
                                             bytes_done, stage);
    });
  }
  absl::Status CreateBackupRecord(const Context& context,
                                  const BackupRecord& record) override {
    return script_->Around(Party::kCatalog, "create_record", [&] {
      return inner_->CreateBackupRecord(context, record);
    });
  }

 private:
  JobStore* const inner_;
  FaultScript* const script_;
};

}  // namespace

std::shared_ptr<ObjectStore> StepEachCall(std::shared_ptr<ObjectStore> inner,
                                          FaultScript* script) {
  return std::make_shared<StepPlace>(std::move(inner), script);
}

std::unique_ptr<JobStore> StepEachCall(JobStore* inner, FaultScript* script) {
  return std::make_unique<StepJobStore>(inner, script);
}

}  // namespace sluice
