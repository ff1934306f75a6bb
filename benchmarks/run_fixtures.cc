#include "sluice/benchmarks/run_fixtures.h"

#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "benchmark/benchmark.h"
#include "sluice/base/clock.h"
#include "sluice/base/mutex.h"
#include "sluice/base/status_macros.h"
#include "sluice/benchmarks/channels.h"
#include "sluice/benchmarks/measure.h"
#include "sluice/destinations/archive/protocol/repo.h"
#include "sluice/destinations/archive/testing/fake_object_store.h"
#include "sluice/destinations/local/factory.h"
#include "sluice/executor/ulid.h"
#include "sluice/plugins/host/plugin_host.h"

namespace sluice::benchmarks {
namespace {

constexpr size_t kWriteBytes = size_t{256} << 10;
constexpr size_t kStampEvery = 4096;

bool IsSegment(absl::string_view name) {
  return absl::StrContains(name, "/payload.bin");
}

class DiscardingPlace final : public ObjectStore {
 public:
  absl::StatusOr<PlaceInfo> Describe(const Context& context,
                                     bool probe) override {
    return small_.Describe(context, probe);
  }
  absl::Status Create(const Context& context) override {
    return small_.Create(context);
  }
  absl::StatusOr<std::unique_ptr<ObjectWriter>> Begin(
      const Context& context, absl::string_view name,
      uint64_t size_hint) override {
    absl::StatusOr<std::unique_ptr<ObjectWriter>> inner =
        small_.Begin(context, name, size_hint);
    if (!inner.ok() || !IsSegment(name)) return inner;
    return std::make_unique<Writer>(*this, std::string(name),
                                    *std::move(inner));
  }
  absl::StatusOr<std::unique_ptr<ObjectReader>> Open(const Context& context,
                                                     absl::string_view name,
                                                     uint64_t offset) override {
    return small_.Open(context, name, offset);
  }
  absl::StatusOr<ObjectInfo> Stat(const Context& context,
                                  absl::string_view name) override {
    SLUICE_ASSIGN_OR_RETURN(const ObjectInfo info, small_.Stat(context, name));
    return WithSize(info);
  }
  absl::Status List(const Context& context, absl::string_view prefix,
                    const Callback& callback) override {
    return small_.List(context, prefix, [&](const ObjectInfo& info) {
      return callback(WithSize(info));
    });
  }
  absl::Status Delete(const Context& context, absl::string_view name) override {
    return small_.Delete(context, name);
  }
  absl::Status ListUncommitted(const Context& context, absl::string_view prefix,
                               const Callback& callback) override {
    return small_.ListUncommitted(context, prefix, callback);
  }
  absl::Status AbortUncommitted(const Context& context,
                                absl::string_view upload) override {
    return small_.AbortUncommitted(context, upload);
  }

 private:
  class Writer final : public ObjectWriter {
   public:
    Writer(DiscardingPlace& place, std::string name,
           std::unique_ptr<ObjectWriter> inner)
        : place_(place), name_(std::move(name)), inner_(std::move(inner)) {}
    absl::Status Write(absl::string_view bytes) override {
      size_ += bytes.size();
      return absl::OkStatus();
    }
    absl::Status Commit(CommitMode mode) override {
      {
        MutexLock lock(place_.mutex_);
        place_.sizes_[name_] = size_;
      }
      return inner_->Commit(mode);
    }
    absl::Status Abort() override { return inner_->Abort(); }

   private:
    DiscardingPlace& place_;
    const std::string name_;
    const std::unique_ptr<ObjectWriter> inner_;
    uint64_t size_ = 0;
  };

  ObjectInfo WithSize(ObjectInfo info) {
    MutexLock lock(mutex_);
    const auto found = sizes_.find(info.name);
    if (found != sizes_.end()) info.size = found->second;
    return info;
  }

  FakeObjectStore small_;
  Mutex mutex_;
  std::map<std::string, uint64_t> sizes_ ABSL_GUARDED_BY(mutex_);
};

class UnhashedDestination final : public Destination {
 public:
  explicit UnhashedDestination(std::shared_ptr<ObjectStore> place)
      : place_(std::move(place)) {}

  absl::Status PutBackup(const Context& context, Manifest& manifest,
                         PayloadReader& payload,
                         const PutOptions& options) override {
    SLUICE_ASSIGN_OR_RETURN(
        std::unique_ptr<ObjectWriter> writer,
        place_->Begin(context, absl::StrCat(manifest.backup_id(), "/plain"),
                      0));
    while (true) {
      SLUICE_ASSIGN_OR_RETURN(const absl::string_view view, payload.Next());
      if (view.empty()) break;
      SLUICE_RETURN_IF_ERROR(writer->Write(view));
      payload.Release();
    }
    const PayloadTrailer& trailer = payload.trailer();
    manifest.set_plain_size_bytes(trailer.size_bytes);
    manifest.set_size_bytes(trailer.size_bytes);
    if (options.on_publishing) options.on_publishing();
    if (options.before_publish) {
      SLUICE_RETURN_IF_ERROR(options.before_publish());
    }
    return writer->Commit(CommitMode::kIfAbsent);
  }

  absl::StatusOr<Manifest> GetManifest(const Context&,
                                       absl::string_view) override {
    return No();
  }
  absl::StatusOr<std::unique_ptr<PayloadReader>> GetBackup(
      const Context&, absl::string_view) override {
    return No();
  }
  absl::StatusOr<std::vector<Manifest>> List(const Context&) override {
    return No();
  }
  absl::Status Stat(const Context&, absl::string_view) override { return No(); }
  absl::Status Delete(const Context& context,
                      absl::string_view backup_id) override {
    return place_->Delete(context, absl::StrCat(backup_id, "/plain"));
  }
  absl::Status Validate(const Context&) override { return absl::OkStatus(); }
  absl::Status Close() override { return absl::OkStatus(); }

 private:
  static absl::Status No() {
    return absl::UnimplementedError("only for PutBackup");
  }
  const std::shared_ptr<ObjectStore> place_;
};

}  // namespace

absl::StatusOr<StoreInfo> GeneratingStore::Describe(const Context&) {
  StoreInfo info;
  info.empty = true;
  return info;
}

absl::Status GeneratingStore::Backup(const Context&, BackupBase*,
                                     PayloadSink& sink) {
  sink.SetEstimate(bytes_);
  std::string block(kWriteBytes, 'x');
  for (uint64_t at = 0; at < bytes_; at += block.size()) {
    for (size_t i = 0; i < block.size(); i += kStampEvery) {
      const uint64_t stamp = at + i;
      std::memcpy(&block[i], &stamp, sizeof(stamp));
    }
    const uint64_t n = std::min<uint64_t>(block.size(), bytes_ - at);
    SLUICE_RETURN_IF_ERROR(sink.Write({block.data(), n}));
  }
  return sink.End({{"bytes", bytes_}});
}

absl::Status GeneratingStore::Restore(const Context&, absl::string_view,
                                      absl::Span<RestorePayload> chain,
                                      WarningSink&) {
  for (RestorePayload& link : chain) {
    while (true) {
      SLUICE_ASSIGN_OR_RETURN(const absl::string_view view,
                              link.reader->Next());
      if (view.empty()) break;
      benchmark::DoNotOptimize(SumOneIn64(view.data(), view.size()));
      link.reader->Release();
    }
  }
  return absl::OkStatus();
}

std::shared_ptr<ObjectStore> MakeDiscardingPlace() {
  return std::make_shared<DiscardingPlace>();
}

std::shared_ptr<ArchiveDestination> MakeArchives(
    const std::shared_ptr<ObjectStore>& place) {
  RepoInfo wanted;
  wanted.id = NewUlid(*Clock::Real());
  DieUnlessOk(InitRepo(Context::Background(), *place, wanted).status(),
              "make a repo");
  return ArchiveDestination::Create(place, Clock::Real(), {});
}

std::shared_ptr<Destination> MakeUnhashedDestination(
    std::shared_ptr<ObjectStore> place) {
  return std::make_shared<UnhashedDestination>(std::move(place));
}

LocalRepo::LocalRepo(const std::string& parent)
    : path_(parent + "/sluice-benchmark-XXXXXX") {
  if (mkdtemp(path_.data()) == nullptr) {
    DieUnlessOk(absl::ErrnoToStatus(errno, path_), "make a folder");
  }
  PluginHost host({});
  DieUnlessOk(host.RegisterStatic(&kLocalPlugin), "register local");
  absl::StatusOr<std::shared_ptr<ObjectStore>> place =
      host.OpenPlace(absl::StrCat("local:", path_, "/repo"));
  DieUnlessOk(place.status(), "open a place");
  place_ = *std::move(place);
  archives_ = MakeArchives(place_);
}

LocalRepo::~LocalRepo() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace sluice::benchmarks
