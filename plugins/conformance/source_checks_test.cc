#include "sluice/plugins/conformance/source_checks.h"

#include <map>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "sluice/base/clock.h"
#include "sluice/destinations/archive/testing/fake_object_store.h"
#include "sluice/executor/testing/fake_source.h"

namespace sluice {
namespace {

using Outcome = CheckResult::Outcome;

// What the kit says of a store "good" whose copies read as `copy`, `keys`.
CheckResult RestoreCheck(const std::string& copy, uint64_t keys) {
  const auto script = [](const std::string& bytes, uint64_t count) {
    auto source = std::make_shared<FakeSource>();
    source->set_info({"", false, false});
    source->Write(bytes).End({{"keys", count}});
    return std::shared_ptr<Backupable>(source);
  };
  const auto place = std::make_shared<FakeObjectStore>();
  SourceSubject subject;
  subject.source = [&] { return script("good", 1); };
  subject.target = [](int) {
    return std::shared_ptr<Backupable>(std::make_shared<FakeSource>());
  };
  subject.restored = [&](int) { return script(copy, keys); };
  subject.place = [&] { return std::shared_ptr<ObjectStore>(place); };
  CheckResult found;
  CheckRunner runner([&](const CheckResult& result) {
    if (absl::StrContains(result.name, "the copy backs up to the same"))
      found = result;
  });
  RunSourceChecks(subject, Clock::Real(), runner);
  return found;
}

TEST(SourceChecksTest, ACopyOfTheSameBytesAndCountsPasses) {
  EXPECT_EQ(RestoreCheck("good", 1).outcome, Outcome::kPassed);
}

TEST(SourceChecksTest, ARestoreThatWritesOtherBytesIsNotShownToBeRight) {
  const CheckResult result = RestoreCheck("evil", 1);
  EXPECT_EQ(result.outcome, Outcome::kNotShown);
  EXPECT_TRUE(absl::StrContains(result.detail, "the counts agree (keys 1)"))
      << result.detail;
}

TEST(SourceChecksTest, ARestoreThatCountsOtherwiseFails) {
  EXPECT_EQ(RestoreCheck("good", 2).outcome, Outcome::kFailed);
}

}  // namespace
}  // namespace sluice
