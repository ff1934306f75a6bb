// The archive suite over the fake object store, with and without conditional
// commits.

#include <memory>

#include "gtest/gtest.h"
#include "sluice/destinations/archive/testing/archive_suite.h"
#include "sluice/destinations/archive/testing/fake_object_store.h"

namespace sluice {
namespace {

std::shared_ptr<ObjectStore> NewStore(bool conditional) {
  FakeObjectStore::Options options;
  options.conditional_commit = conditional;
  options.exists = false;
  return std::make_shared<FakeObjectStore>(options);
}

void PassTime(ObjectStore& place, absl::Duration duration) {
  static_cast<FakeObjectStore&>(place).Advance(duration);
}

INSTANTIATE_TEST_SUITE_P(
    Fake, ArchiveSuite,
    testing::Values(ArchiveSuiteParam{"Conditional",
                                      [] { return NewStore(true); }, 1,
                                      PassTime},
                    ArchiveSuiteParam{"Unconditional",
                                      [] { return NewStore(false); }, 7,
                                      PassTime}),
    [](const auto& param_info) { return param_info.param.name; });

}  // namespace
}  // namespace sluice
