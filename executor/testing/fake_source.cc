#include "sluice/executor/testing/fake_source.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "sluice/base/status_macros.h"

namespace sluice {

void FakeGate::Pass() {
  MutexLock lock(mutex_);
  arrived_ = true;
  changed_.NotifyAll();
  while (!open_) changed_.Wait(lock);
}

void FakeGate::Open() {
  MutexLock lock(mutex_);
  open_ = true;
  changed_.NotifyAll();
}

void FakeGate::AwaitArrival() {
  MutexLock lock(mutex_);
  while (!arrived_) changed_.Wait(lock);
}

FakeSource& FakeSource::Do(Step step) {
  script_.push_back(std::move(step));
  return *this;
}

FakeSource& FakeSource::Write(std::string bytes) {
  return WriteMany(1, std::move(bytes));
}

FakeSource& FakeSource::WriteInPlace(std::string bytes) {
  return Do([bytes](const Context&, PayloadSink& sink) -> absl::Status {
    absl::string_view left = bytes;
    while (!left.empty()) {
      SLUICE_ASSIGN_OR_RETURN(absl::Span<char> chunk, sink.Reserve());
      const size_t part = std::min(chunk.size(), left.size());
      std::memcpy(chunk.data(), left.data(), part);
      SLUICE_RETURN_IF_ERROR(sink.Commit(part));
      left.remove_prefix(part);
    }
    return absl::OkStatus();
  });
}

FakeSource& FakeSource::WriteMany(int count, std::string bytes) {
  return Do([count, bytes](const Context&, PayloadSink& sink) -> absl::Status {
    for (int i = 0; i < count; ++i) SLUICE_RETURN_IF_ERROR(sink.Write(bytes));
    return absl::OkStatus();
  });
}

FakeSource& FakeSource::AddIds(std::vector<std::string> ids) {
  return Do([ids](const Context&, PayloadSink& sink) {
    const std::vector<absl::string_view> views(ids.begin(), ids.end());
    return sink.AddPayloadIds(views);
  });
}

FakeSource& FakeSource::SetMetadata(std::string key, std::string value) {
  return Do([key, value](const Context&, PayloadSink& sink) {
    return sink.SetMetadata(key, value);
  });
}

FakeSource& FakeSource::SetEstimate(uint64_t bytes) {
  return Do([bytes](const Context&, PayloadSink& sink) {
    sink.SetEstimate(bytes);
    return absl::OkStatus();
  });
}

FakeSource& FakeSource::Warn(std::string code, std::string message) {
  return Do([code, message](const Context&, PayloadSink& sink) {
    sink.AddWarning(code, message);
    return absl::OkStatus();
  });
}

FakeSource& FakeSource::End(SourceCounts counts) {
  return Do(
      [counts](const Context&, PayloadSink& sink) { return sink.End(counts); });
}

FakeSource& FakeSource::Return(absl::Status status) {
  return Do([status](const Context&, PayloadSink&) { return status; });
}

FakeSource& FakeSource::Stall() {
  return Do([](const Context& context, PayloadSink&) {
    FakeGate ended;
    const auto open =
        context.OnDone([&ended](const absl::Status&) { ended.Open(); });
    ended.Pass();
    return context.status();
  });
}

FakeSource& FakeSource::Hang(std::shared_ptr<FakeGate> gate) {
  return Do([gate](const Context&, PayloadSink&) {
    gate->Pass();
    return absl::OkStatus();
  });
}

FakeSource& FakeSource::set_info(StoreInfo info) {
  info_ = std::move(info);
  return *this;
}

FakeSource& FakeSource::set_kind(std::string kind) {
  kind_ = std::move(kind);
  return *this;
}

FakeSource& FakeSource::OnRestore(
    std::function<absl::Status(const Context&, absl::Span<RestorePayload>)>
        restore) {
  on_restore_ = std::move(restore);
  return *this;
}

FakeSource& FakeSource::WarnOfRestore(std::string code, std::string message) {
  restore_warnings_.push_back({std::move(code), std::move(message)});
  return *this;
}

std::vector<std::string> FakeSource::restored() const {
  MutexLock lock(mutex_);
  return restored_;
}

std::string FakeSource::restored_store_id() const {
  MutexLock lock(mutex_);
  return restored_store_id_;
}

int FakeSource::backups() const {
  MutexLock lock(mutex_);
  return backups_;
}

int FakeSource::restores() const {
  MutexLock lock(mutex_);
  return restores_;
}

std::string FakeSource::base_seen() const {
  MutexLock lock(mutex_);
  return base_seen_;
}

FakeSource& FakeSource::OnBase(std::function<absl::Status(BackupBase&)> look) {
  on_base_ = std::move(look);
  return *this;
}

std::string FakeSource::store_kind() const { return kind_; }

absl::StatusOr<StoreInfo> FakeSource::Describe(const Context&) { return info_; }

absl::Status FakeSource::Backup(const Context& context, BackupBase* base,
                                PayloadSink& sink) {
  {
    MutexLock lock(mutex_);
    ++backups_;
    base_seen_ = base == nullptr ? "" : base->manifest.backup_id();
  }
  if (base != nullptr && on_base_) SLUICE_RETURN_IF_ERROR(on_base_(*base));
  for (const Step& step : script_) {
    SLUICE_RETURN_IF_ERROR(step(context, sink));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> FakeSource::ReadAll(PayloadReader& reader) {
  std::string all;
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(absl::string_view bytes, reader.Next());
    if (bytes.empty()) return all;
    all.append(bytes.data(), bytes.size());
    reader.Release();
  }
}

absl::Status FakeSource::Restore(const Context& context,
                                 absl::string_view store_id,
                                 absl::Span<RestorePayload> chain,
                                 WarningSink& warnings) {
  {
    MutexLock lock(mutex_);
    ++restores_;
  }
  for (const PayloadWarning& warning : restore_warnings_) {
    warnings.AddWarning(warning.code, warning.message);
  }
  if (on_restore_) return on_restore_(context, chain);
  std::vector<std::string> staged;
  for (RestorePayload& payload : chain) {
    SLUICE_ASSIGN_OR_RETURN(std::string bytes, ReadAll(*payload.reader));
    staged.push_back(std::move(bytes));
  }
  MutexLock lock(mutex_);
  restored_ = std::move(staged);
  restored_store_id_ = std::string(store_id);
  return absl::OkStatus();
}

}  // namespace sluice
