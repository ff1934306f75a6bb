// Writes the golden repo of this format version, once, when the version is
// made; FOLDER is $PWD/tests/compatibility/testdata/repo_v<version>:
//
//   bazel run //tests/compatibility:make_golden_archive -- FOLDER
//
// Those of past versions stay as they are for ever.

#include <iostream>
#include <string>
#include <utility>

#include "sluice/base/clock.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/archive/archive_destination.h"
#include "sluice/destinations/archive/protocol/repo.h"
#include "sluice/destinations/local/factory.h"
#include "sluice/executor/executor.h"
#include "sluice/executor/testing/fake_job_store.h"
#include "sluice/executor/ulid.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/plugins/memory/memory_source.h"
#include "sluice/plugins/sdk/wrap.h"
#include "sluice/tests/compatibility/golden_store.h"

namespace sluice {
namespace {

// A memory store that has something to say.
class WarningSource final : public sdk::Source {
 public:
  explicit WarningSource(std::unique_ptr<sdk::Source> inner)
      : inner_(std::move(inner)) {}

  absl::StatusOr<sdk::SourceInfo> Describe(const sdk::Run& run) override {
    return inner_->Describe(run);
  }
  absl::Status Backup(const sdk::Run& run, const sdk::BackupRequest& request,
                      sdk::Sink& sink) override {
    sink.AddWarning("golden", "a warning, as a source gave it");
    SLUICE_RETURN_IF_ERROR(sink.SetMetadata("golden.key", "\"value\"\n"));
    return inner_->Backup(run, request, sink);
  }
  absl::Status Restore(const sdk::Run& run,
                       sdk::RestoreRequest& request) override {
    return inner_->Restore(run, request);
  }

 private:
  const std::unique_ptr<sdk::Source> inner_;
};

absl::Status Make(const std::string& folder) {
  const Context context = Context::Background();
  PluginHost host({});
  SLUICE_RETURN_IF_ERROR(host.RegisterStatic(&kLocalPlugin));
  SLUICE_ASSIGN_OR_RETURN(auto place, host.OpenPlace("local:" + folder));
  RepoInfo wanted;
  wanted.id = NewUlid(*Clock::Real());
  BackupRepo repo;
  SLUICE_ASSIGN_OR_RETURN(const RepoInfo made,
                          InitRepo(context, *place, wanted));
  repo.set_id(made.id);
  ArchiveOptions options;
  options.repo_id = repo.id();
  options.segment_bytes = kGoldenSegmentBytes;
  SLUICE_ASSIGN_OR_RETURN(const auto store, MakeGoldenStore());
  SLUICE_ASSIGN_OR_RETURN(
      const auto source,
      host.AdoptSource("memory",
                       sdk::WrapSource(std::make_unique<WarningSource>(
                           MakeMemorySource(store)))));
  FakeJobStore jobs;
  return Executor(&jobs, Clock::Real())
      .RunBackup(context, source,
                 ArchiveDestination::Create(place, Clock::Real(), options),
                 repo, kGoldenStoreId, "memory", {})
      .status;
}

}  // namespace
}  // namespace sluice

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const absl::Status status = sluice::Make(argv[1]);
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
