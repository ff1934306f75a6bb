// A plugin's source that ignores its cancel, through the executor.

#include <memory>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/destinations/archive/archive_destination.h"
#include "sluice/destinations/archive/protocol/repo.h"
#include "sluice/destinations/archive/testing/fake_object_store.h"
#include "sluice/executor/context.h"
#include "sluice/executor/executor.h"
#include "sluice/executor/testing/fake_job_store.h"
#include "sluice/executor/testing/fake_source.h"
#include "sluice/executor/ulid.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/plugins/sdk/factory.h"

namespace sluice {
namespace {

// Shut until the test is over; shared with the thread that is left behind.
std::shared_ptr<FakeGate>& Gate() {
  static auto* const gate =
      new std::shared_ptr<FakeGate>(std::make_shared<FakeGate>());
  return *gate;
}

// Passed by a source that is destroyed.
std::shared_ptr<FakeGate>& Gone() {
  static auto* const gate =
      new std::shared_ptr<FakeGate>(std::make_shared<FakeGate>());
  return *gate;
}

class DeafSource : public sdk::Source {
 public:
  ~DeafSource() override { Gone()->Pass(); }

  absl::StatusOr<sdk::SourceInfo> Describe(const sdk::Run&) override {
    return sdk::SourceInfo{"deaf", true, false};
  }
  absl::Status Backup(const sdk::Run&, const sdk::BackupRequest&,
                      sdk::Sink& sink) override {
    (void)sink.Write("bytes");
    Gate()->Pass();
    return sink.Write("late");
  }
  absl::Status Restore(const sdk::Run&, sdk::RestoreRequest&) override {
    return absl::UnimplementedError("never asked");
  }
};

absl::StatusOr<std::unique_ptr<sdk::Source>> CreateDeaf(const sdk::Host&,
                                                        const sdk::Options&) {
  return std::make_unique<DeafSource>();
}

constexpr sluice_option_spec kDeafOptions[] = {
    sdk::Option("path", SLUICE_OPTION_STRING, 0, "", "unused")};
constinit const sluice_factory kDeaf =
    sdk::SourceFactory<&CreateDeaf>("deaf", "Hears nothing.", kDeafOptions);
constexpr const sluice_factory* kDeafFactories[] = {&kDeaf};
constexpr sluice_plugin_entry kDeafPlugin =
    sdk::PluginEntry("deaf", "1", "MIT", kDeafFactories);

TEST(AbandonTest, APluginWhoseSourceWasAbandonedGetsNoNewRuns) {
  PluginHost host({});
  ASSERT_TRUE(host.RegisterStatic(&kDeafPlugin).ok());
  auto store = std::make_shared<FakeObjectStore>();
  Clock* const clock = Clock::Real();
  RepoInfo wanted;
  wanted.id = NewUlid(*clock);
  ASSERT_TRUE(InitRepo(Context::Background(), *store, wanted).ok());
  BackupRepo repo;
  repo.set_id(wanted.id);
  FakeJobStore jobs;
  const Executor executor(&jobs, clock);
  RunBackupOptions options;
  options.abandon_after = absl::Milliseconds(20);

  auto [context, cancel] = Context::WithCancel(Context::Background());
  std::thread user([end = cancel] {
    Gate()->AwaitArrival();
    end(absl::CancelledError("enough"));
  });
  const BackupResult result =
      executor.RunBackup(context, *host.CreateSource("deaf:"),
                         ArchiveDestination::Create(store, clock, {}), repo,
                         "deaf", "deaf", options);
  user.join();
  EXPECT_EQ(result.status.code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(result.source_abandoned);
  EXPECT_EQ(ErrorCodeOf(host.CreateSource("deaf:").status()),
            "source_unresponsive");
  // The thread that was left behind ends once it can, and frees its source.
  Gone()->Open();
  Gate()->Open();
  Gone()->AwaitArrival();
}

}  // namespace
}  // namespace sluice
