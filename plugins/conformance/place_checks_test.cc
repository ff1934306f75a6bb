#include "sluice/plugins/conformance/place_checks.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/destinations/archive/passing_store.h"
#include "sluice/destinations/archive/testing/fake_object_store.h"
#include "sluice/destinations/local/factory.h"
#include "sluice/plugins/host/plugin_host.h"

namespace sluice {
namespace {

CheckSummary Check(const OpenPlaceFunction& open, std::string* failures) {
  CheckRunner runner([&](const CheckResult& result) {
    if (result.outcome == CheckResult::Outcome::kFailed)
      absl::StrAppend(failures, result.name, ": ", result.detail, "\n");
  });
  RunPlaceChecks(open, runner);
  return runner.summary();
}

TEST(PlaceChecksTest, TheFakeObjectStorePasses) {
  auto store = std::make_shared<FakeObjectStore>();
  std::string failures;
  const CheckSummary summary =
      Check([&] { return std::shared_ptr<ObjectStore>(store); }, &failures);
  EXPECT_EQ(summary.failed, 0) << failures;
  EXPECT_EQ(summary.skipped, 0);
  EXPECT_GE(summary.passed, 18);
}

TEST(PlaceChecksTest, AnUnconditionalStoreSkipsTheRace) {
  FakeObjectStore::Options options;
  options.conditional_commit = false;
  auto store = std::make_shared<FakeObjectStore>(options);
  std::string failures;
  const CheckSummary summary =
      Check([&] { return std::shared_ptr<ObjectStore>(store); }, &failures);
  EXPECT_EQ(summary.failed, 0) << failures;
  EXPECT_EQ(summary.skipped, 1);
}

TEST(PlaceChecksTest, TheLocalDestinationPassesThroughItsPluginTable) {
  PluginHost host({});
  ASSERT_TRUE(host.RegisterStatic(&kLocalPlugin).ok());
  const std::string uri =
      absl::StrCat("local:", testing::TempDir(), "/place-checks");
  std::string failures;
  const CheckSummary summary =
      Check([&] { return host.OpenPlace(uri); }, &failures);
  EXPECT_EQ(summary.failed, 0) << failures;
  EXPECT_GE(summary.passed, 17);
}

// ---- the checks can fail: each spoiled store is found out

class ListsBackwards : public PassingStore {
 public:
  using PassingStore::PassingStore;
  absl::Status List(const Context& c, absl::string_view prefix,
                    const Callback& callback) override {
    std::vector<ObjectInfo> all;
    absl::Status status = inner_->List(c, prefix, [&](const ObjectInfo& info) {
      all.push_back(info);
      return absl::OkStatus();
    });
    for (auto it = all.rbegin(); status.ok() && it != all.rend(); ++it)
      status = callback(*it);
    return status;
  }
};

class ForgetsOffsets : public PassingStore {
 public:
  using PassingStore::PassingStore;
  absl::StatusOr<std::unique_ptr<ObjectReader>> Open(const Context& c,
                                                     absl::string_view name,
                                                     uint64_t) override {
    return inner_->Open(c, name, 0);
  }
};

class DeletesWhatIsNotThere : public PassingStore {
 public:
  using PassingStore::PassingStore;
  absl::Status Delete(const Context& c, absl::string_view name) override {
    const absl::Status status = inner_->Delete(c, name);
    return status.code() == absl::StatusCode::kNotFound ? absl::OkStatus()
                                                        : status;
  }
};

class IgnoresTheRun : public PassingStore {
 public:
  using PassingStore::PassingStore;
  absl::StatusOr<std::unique_ptr<ObjectWriter>> Begin(const Context&,
                                                      absl::string_view name,
                                                      uint64_t hint) override {
    return inner_->Begin(Context::Background(), name, hint);
  }
};

class HidesUploads : public PassingStore {
 public:
  using PassingStore::PassingStore;
  absl::Status ListUncommitted(const Context&, absl::string_view,
                               const Callback&) override {
    return absl::OkStatus();
  }
};

class ReplacesAlways : public PassingStore {
 public:
  using PassingStore::PassingStore;
  class Writer : public ObjectWriter {
   public:
    explicit Writer(std::unique_ptr<ObjectWriter> writer)
        : writer_(std::move(writer)) {}
    absl::Status Write(absl::string_view bytes) override {
      return writer_->Write(bytes);
    }
    absl::Status Commit(CommitMode) override {
      return writer_->Commit(CommitMode::kReplace);
    }
    absl::Status Abort() override { return writer_->Abort(); }

   private:
    const std::unique_ptr<ObjectWriter> writer_;
  };
  absl::StatusOr<std::unique_ptr<ObjectWriter>> Begin(const Context& c,
                                                      absl::string_view name,
                                                      uint64_t hint) override {
    auto writer = inner_->Begin(c, name, hint);
    if (!writer.ok()) return writer.status();
    return std::make_unique<Writer>(*std::move(writer));
  }
};

template <typename Spoiled>
std::string FailuresOf() {
  auto store = std::make_shared<FakeObjectStore>();
  auto spoiled = std::make_shared<Spoiled>(store);
  std::string failures;
  Check([&] { return std::shared_ptr<ObjectStore>(spoiled); }, &failures);
  return failures;
}

TEST(PlaceChecksTest, EachSpoiledStoreIsFoundOut) {
  EXPECT_EQ(FailuresOf<PassingStore>(), "");
  EXPECT_NE(FailuresOf<ListsBackwards>().find("in byte order"),
            std::string::npos);
  EXPECT_NE(FailuresOf<ForgetsOffsets>().find("any offset"), std::string::npos);
  EXPECT_NE(FailuresOf<DeletesWhatIsNotThere>().find("NOT_FOUND"),
            std::string::npos);
  EXPECT_NE(FailuresOf<IgnoresTheRun>().find("cancelled run"),
            std::string::npos);
  EXPECT_NE(FailuresOf<HidesUploads>().find("never committed"),
            std::string::npos);
  EXPECT_NE(FailuresOf<ReplacesAlways>().find("taken name"), std::string::npos);
  EXPECT_NE(FailuresOf<ReplacesAlways>().find("one wins"), std::string::npos);
}

}  // namespace
}  // namespace sluice
