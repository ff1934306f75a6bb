#include "sluice/service/http/api/testing/stopping_plugin.h"

#include <atomic>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "sluice/base/clock.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/local/local_object_store.h"
#include "sluice/plugins/sdk/factory.h"

namespace sluice::service {

void Stops::Pass(const std::string& at, const sdk::Run& run) {
  MutexLock lock(mutex_);
  if (at_ != at) return;
  arrived_ = true;
  changed_.NotifyAll();
  while (at_ == at && (is_deaf_ || !run.cancelled())) {
    Clock::Real()->WaitFor(changed_, lock, absl::Milliseconds(1));
  }
}

void Stops::Set(const std::string& at, bool is_deaf) {
  MutexLock lock(mutex_);
  at_ = at;
  is_deaf_ = is_deaf;
  arrived_ = false;
  changed_.NotifyAll();
}

void Stops::AwaitArrival() {
  MutexLock lock(mutex_);
  while (!arrived_) changed_.Wait(lock);
}

Stops& TheStops() {
  static auto& stops = *new Stops;
  return stops;
}

namespace {

class StoppingSource final : public sdk::Source {
 public:
  absl::StatusOr<sdk::SourceInfo> Describe(const sdk::Run& run) override {
    TheStops().Pass("describe", run);
    SLUICE_RETURN_IF_ERROR(run.status());
    return sdk::SourceInfo{"", true, false};
  }
  absl::Status Backup(const sdk::Run& run, const sdk::BackupRequest&,
                      sdk::Sink& sink) override {
    TheStops().Pass("begin", run);
    SLUICE_RETURN_IF_ERROR(run.status());
    SLUICE_RETURN_IF_ERROR(sink.Write("bytes"));
    TheStops().Pass("stream", run);
    SLUICE_RETURN_IF_ERROR(run.status());
    SLUICE_RETURN_IF_ERROR(sink.End({{"rows", 1}}));
    TheStops().Pass("end", run);
    return run.status();
  }
  absl::Status Restore(const sdk::Run& run,
                       sdk::RestoreRequest& request) override {
    TheStops().Pass("restore begin", run);
    SLUICE_RETURN_IF_ERROR(run.status());
    for (sdk::Payload* payload : request.payloads()) {
      while (true) {
        SLUICE_ASSIGN_OR_RETURN(const absl::string_view bytes, payload->Next());
        TheStops().Pass("restore stream", run);
        SLUICE_RETURN_IF_ERROR(run.status());
        if (bytes.empty()) break;
      }
    }
    TheStops().Pass("restore end", run);
    SLUICE_RETURN_IF_ERROR(run.status());
    // It is made: from here on a cancel is too late.
    TheStops().Pass("restore made", run);
    return absl::OkStatus();
  }
};

// --- the place

// "a/b" is the file b.
absl::string_view FileOf(absl::string_view name) {
  return name.substr(name.rfind('/') + 1);
}

// A real place, and all that it does can be held up.
class StoppingPlace final : public sdk::Place {
 public:
  explicit StoppingPlace(const LocalOptions& options) : place_(options) {}

  // Waits there; the run's end, where that is why it goes on.
  absl::Status Pass(absl::string_view what, absl::string_view name,
                    const sdk::Run& run) {
    TheStops().Pass(absl::StrCat(is_published_ ? "published, " : "", what, " ",
                                 FileOf(name)),
                    run);
    return run.status();
  }
  void NotePublished() { is_published_ = true; }

  absl::StatusOr<sdk::PlaceInfo> Describe(const sdk::Run& run,
                                          bool probe) override {
    return place_.Describe(run, probe);
  }
  absl::Status Create(const sdk::Run& run) override {
    return place_.Create(run);
  }
  absl::StatusOr<std::unique_ptr<sdk::ObjectWriter>> Begin(
      const sdk::Run& run, absl::string_view name, uint64_t hint) override;
  absl::StatusOr<std::unique_ptr<sdk::ObjectReader>> Open(
      const sdk::Run& run, absl::string_view name, uint64_t offset) override;
  absl::StatusOr<sdk::ObjectInfo> Stat(const sdk::Run& run,
                                       absl::string_view name) override {
    return place_.Stat(run, name);
  }
  absl::Status List(const sdk::Run& run, absl::string_view prefix,
                    const Callback& callback) override {
    return place_.List(run, prefix, callback);
  }
  absl::Status Delete(const sdk::Run& run, absl::string_view name) override {
    SLUICE_RETURN_IF_ERROR(Pass("delete", name, run));
    return place_.Delete(run, name);
  }
  absl::Status ListUncommitted(const sdk::Run& run, absl::string_view prefix,
                               const Callback& callback) override {
    return place_.ListUncommitted(run, prefix, callback);
  }
  absl::Status AbortUncommitted(const sdk::Run& run,
                                absl::string_view upload) override {
    return place_.AbortUncommitted(run, upload);
  }

 private:
  LocalObjectStore place_;
  std::atomic<bool> is_published_{false};
};

class StoppingWriter final : public sdk::ObjectWriter {
 public:
  StoppingWriter(StoppingPlace& place, const sdk::Run& run,
                 absl::string_view name,
                 std::unique_ptr<sdk::ObjectWriter> writer)
      : place_(place), run_(run), name_(name), writer_(std::move(writer)) {}

  absl::Status Write(absl::string_view bytes) override {
    SLUICE_RETURN_IF_ERROR(place_.Pass("write", name_, run_));
    return writer_->Write(bytes);
  }
  absl::Status Commit(sdk::CommitMode mode) override {
    SLUICE_RETURN_IF_ERROR(place_.Pass("commit", name_, run_));
    SLUICE_RETURN_IF_ERROR(writer_->Commit(mode));
    if (FileOf(name_) == "manifest.json") place_.NotePublished();
    return absl::OkStatus();
  }
  absl::Status Abort() override { return writer_->Abort(); }

 private:
  StoppingPlace& place_;
  const sdk::Run run_;
  const std::string name_;
  const std::unique_ptr<sdk::ObjectWriter> writer_;
};

class StoppingReader final : public sdk::ObjectReader {
 public:
  StoppingReader(StoppingPlace& place, const sdk::Run& run,
                 absl::string_view name,
                 std::unique_ptr<sdk::ObjectReader> reader)
      : place_(place), run_(run), name_(name), reader_(std::move(reader)) {}

  absl::StatusOr<size_t> Read(absl::Span<char> buffer) override {
    SLUICE_RETURN_IF_ERROR(place_.Pass("read", name_, run_));
    return reader_->Read(buffer);
  }

 private:
  StoppingPlace& place_;
  const sdk::Run run_;
  const std::string name_;
  const std::unique_ptr<sdk::ObjectReader> reader_;
};

absl::StatusOr<std::unique_ptr<sdk::ObjectWriter>> StoppingPlace::Begin(
    const sdk::Run& run, absl::string_view name, uint64_t hint) {
  SLUICE_RETURN_IF_ERROR(Pass("begin", name, run));
  SLUICE_ASSIGN_OR_RETURN(auto writer, place_.Begin(run, name, hint));
  return std::make_unique<StoppingWriter>(*this, run, name, std::move(writer));
}

absl::StatusOr<std::unique_ptr<sdk::ObjectReader>> StoppingPlace::Open(
    const sdk::Run& run, absl::string_view name, uint64_t offset) {
  SLUICE_RETURN_IF_ERROR(Pass("open", name, run));
  SLUICE_ASSIGN_OR_RETURN(auto reader, place_.Open(run, name, offset));
  return std::make_unique<StoppingReader>(*this, run, name, std::move(reader));
}

// --- the tables

absl::StatusOr<std::unique_ptr<sdk::Source>> CreateStopping(
    const sdk::Host&, const sdk::Options&) {
  return std::make_unique<StoppingSource>();
}

absl::StatusOr<std::unique_ptr<sdk::Place>> CreateStopdisk(
    const sdk::Host&, const sdk::Options& options) {
  LocalOptions local;
  local.path = options.Get("path");
  return std::make_unique<StoppingPlace>(local);
}

constexpr sluice_option_spec kSourceOptions[] = {
    sdk::Option("path", SLUICE_OPTION_STRING, 0, "", "unused")};
constexpr sluice_option_spec kPlaceOptions[] = {sdk::Option(
    "path", SLUICE_OPTION_PATH, SLUICE_OPTION_REQUIRED, "", "the folder")};
constinit const sluice_factory kStopping =
    sdk::SourceFactory<&CreateStopping>("stopping", "Stops.", kSourceOptions);
constinit const sluice_factory kStopdisk =
    sdk::PlaceFactory<&CreateStopdisk>("stopdisk", "Stops.", kPlaceOptions);
constexpr const sluice_factory* kFactories[] = {&kStopping, &kStopdisk};

}  // namespace

constinit const sluice_plugin_entry kStoppingPlugin =
    sdk::PluginEntry("stopping", "1", "MIT", kFactories);

}  // namespace sluice::service
