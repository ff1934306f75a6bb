#include "sluice/destinations/archive/testing/fake_object_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sluice/base/error.h"
#include "sluice/destinations/archive/protocol/object_io.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Fault = FakeObjectStore::Fault;

class FakeObjectStoreTest : public testing::Test {
 protected:
  absl::Status Put(absl::string_view name, absl::string_view bytes,
                   CommitMode mode) {
    auto writer = store_.Begin(context_, name, 0);
    if (!writer.ok()) return writer.status();
    const absl::Status written = (*writer)->Write(bytes);
    return written.ok() ? (*writer)->Commit(mode) : written;
  }

  const Context context_ = Context::Background();
  FakeObjectStore store_;
};

TEST_F(FakeObjectStoreTest, AnObjectAppearsWholeAtItsCommit) {
  auto writer = store_.Begin(context_, "a/b", 0);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->Write("hel").ok());
  EXPECT_TRUE(absl::IsNotFound(store_.Stat(context_, "a/b").status()));
  EXPECT_THAT(store_.uncommitted(), ElementsAre("a/b"));
  ASSERT_TRUE((*writer)->Write("lo").ok());
  ASSERT_TRUE((*writer)->Commit(CommitMode::kIfAbsent).ok());
  EXPECT_EQ(store_.objects()["a/b"], "hello");
  EXPECT_THAT(store_.uncommitted(), IsEmpty());
}

TEST_F(FakeObjectStoreTest, AConditionalCommitOfATakenNameIsRefused) {
  ASSERT_TRUE(Put("a", "1", CommitMode::kIfAbsent).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(Put("a", "2", CommitMode::kIfAbsent)));
  EXPECT_EQ(store_.objects()["a"], "1");
  EXPECT_TRUE(Put("a", "3", CommitMode::kReplace).ok());
  EXPECT_EQ(store_.objects()["a"], "3");
}

TEST_F(FakeObjectStoreTest, ALostAnswerTookEffect) {
  store_.PlantFault(3, Fault::kLostAnswer);
  EXPECT_TRUE(absl::IsUnknown(Put("a", "1", CommitMode::kIfAbsent)));
  EXPECT_EQ(store_.objects()["a"], "1");
  EXPECT_TRUE(store_.fault_struck());
}

TEST_F(FakeObjectStoreTest, AFaultBeforeTheEffectLeavesTheNameFree) {
  store_.PlantFault(3, Fault::kBefore);
  EXPECT_TRUE(absl::IsUnavailable(Put("a", "1", CommitMode::kIfAbsent)));
  EXPECT_THAT(store_.objects(), IsEmpty());
}

TEST_F(FakeObjectStoreTest, AShortReadIsNoEnd) {
  store_.PutRaw("a", "0123456789");
  store_.PlantFault(2, Fault::kShort);
  EXPECT_EQ(ReadObject(context_, store_, "a", 100).value(), "0123456789");
  EXPECT_TRUE(store_.fault_struck());
}

TEST_F(FakeObjectStoreTest, ADeadPlaceLeavesItsUploadsBehind) {
  store_.PlantFault(3, Fault::kDeadFrom);
  EXPECT_FALSE(Put("a", "1", CommitMode::kIfAbsent).ok());
  store_.Reset();
  EXPECT_THAT(store_.uncommitted(), ElementsAre("a"));
  std::string upload;
  ASSERT_TRUE(store_
                  .ListUncommitted(context_, "",
                                   [&](const ObjectInfo& info) {
                                     upload = info.upload;
                                     return absl::OkStatus();
                                   })
                  .ok());
  EXPECT_TRUE(store_.AbortUncommitted(context_, upload).ok());
  EXPECT_TRUE(absl::IsNotFound(store_.AbortUncommitted(context_, upload)));
}

TEST_F(FakeObjectStoreTest, NotesWhatACallerMustNotDo) {
  EXPECT_FALSE(store_.Begin(context_, "../victim", 0).ok());
  EXPECT_FALSE(store_.Delete(context_, "").ok());
  auto writer = store_.Begin(context_, "a", 0);
  ASSERT_TRUE((*writer)->Commit(CommitMode::kReplace).ok());
  EXPECT_FALSE((*writer)->Write("late").ok());
  EXPECT_FALSE((*writer)->Commit(CommitMode::kReplace).ok());
  EXPECT_EQ(store_.misuses().size(), 4);
}

TEST_F(FakeObjectStoreTest, ObeysItsContext) {
  auto [context, cancel] = Context::WithCancel(context_);
  cancel(absl::CancelledError("enough"));
  EXPECT_TRUE(absl::IsCancelled(store_.Stat(context, "a").status()));
}

}  // namespace
}  // namespace sluice
