#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/catalog/outbox_store.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class OutboxStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string folder = absl::StrCat(::testing::TempDir(), "/outbox-XXXXXX");
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    options_.path = folder + "/catalog.db";
    auto opened = OpenSqliteCatalog(context_, options_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    catalog_ = *std::move(opened);
  }

  OutboxStore& outbox() { return catalog_->outbox(); }

  OutboxMessage Message(const std::string& channel) const {
    OutboxMessage message;
    message.at = now_;
    message.channel = channel;
    message.subject = "a subject";
    message.body = "{}";
    message.next_attempt = now_;
    return message;
  }

  // Makes a message for each, as the reader of events does.
  void Make(const std::vector<std::string>& channels) {
    OutboxStep step;
    step.expected = *outbox().Reading(context_);
    step.event_id = step.expected.event_id + 1;
    for (const std::string& channel : channels) {
      step.messages.push_back(Message(channel));
    }
    ASSERT_TRUE(*outbox().Advance(context_, step));
  }

  std::vector<std::string> ChannelsDue(absl::Time at) {
    std::vector<std::string> channels;
    const auto due = outbox().Due(context_, at, 100, 1);
    EXPECT_TRUE(due.ok()) << due.status();
    for (const OutboxMessage& message : *due) {
      channels.push_back(message.channel);
    }
    return channels;
  }

  const Context context_ = Context::Background();
  const absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
  SqliteCatalogOptions options_;
  std::unique_ptr<Catalog> catalog_;
};

TEST_F(OutboxStoreTest, WhatWasReadAndWhatCameOfItAreOneTransaction) {
  EXPECT_FALSE(outbox().Reading(context_)->begun);
  OutboxStep step;
  step.event_id = 7;
  step.messages = {Message("ops")};
  step.notes = {{"a", "1"}, {"b", "2"}};
  ASSERT_TRUE(*outbox().Advance(context_, step));
  // Another process read the same events: it makes nothing of them.
  auto other = OpenSqliteCatalog(context_, options_);
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_FALSE(*(*other)->outbox().Advance(context_, step));

  const OutboxReading reading = *(*other)->outbox().Reading(context_);
  EXPECT_TRUE(reading.begun);
  EXPECT_EQ(reading.event_id, 7);
  EXPECT_THAT(*outbox().Notes(context_),
              ElementsAre(Pair("a", "1"), Pair("b", "2")));
  EXPECT_THAT(ChannelsDue(now_), ElementsAre("ops"));

  OutboxStep next;
  next.expected = reading;
  next.event_id = 7;
  next.notes = {{"a", absl::nullopt}};
  ASSERT_TRUE(*outbox().Advance(context_, next));
  EXPECT_THAT(*outbox().Notes(context_), ElementsAre(Pair("b", "2")));
}

TEST_F(OutboxStoreTest, AMessageIsClaimedByOneAndComesBackWhereHeDies) {
  Make({"ops"});
  const OutboxMessage message = outbox().Due(context_, now_, 10, 1)->front();
  EXPECT_TRUE(*outbox().Claim(context_, message, now_ + absl::Minutes(2)));
  EXPECT_FALSE(*outbox().Claim(context_, message, now_ + absl::Minutes(2)));
  EXPECT_THAT(ChannelsDue(now_ + absl::Minutes(1)), IsEmpty());
  EXPECT_THAT(ChannelsDue(now_ + absl::Minutes(2)), ElementsAre("ops"));
  ASSERT_TRUE(outbox().Delivered(context_, message.id).ok());
  EXPECT_THAT(ChannelsDue(now_ + absl::Hours(1)), IsEmpty());
}

TEST_F(OutboxStoreTest, OneChannelWithManyMessagesIsInNobodysWay) {
  Make({"dead", "dead", "dead", "ops"});
  EXPECT_THAT(ChannelsDue(now_), ElementsAre("dead", "ops"));
}

TEST_F(OutboxStoreTest, AGivenUpMessageIsShownRetriedAndGoesWithTime) {
  Make({"ops"});
  const int64_t id = outbox().List(context_, 0, 10)->front().id;
  ASSERT_TRUE(
      outbox().Failed(context_, id, "refused", absl::InfiniteFuture()).ok());
  EXPECT_EQ(*outbox().NextAttempt(context_), absl::InfiniteFuture());
  EXPECT_THAT(ChannelsDue(absl::FromUnixSeconds(4'000'000'000)), IsEmpty());
  const OutboxMessage shown = outbox().List(context_, 0, 10)->front();
  EXPECT_EQ(shown.next_attempt, absl::InfiniteFuture());
  EXPECT_EQ(shown.error, "refused");

  EXPECT_EQ(outbox().Retry(context_, id, now_)->attempts, 0u);
  EXPECT_THAT(ChannelsDue(now_), ElementsAre("ops"));
  EXPECT_EQ(ErrorCodeOf(outbox().Retry(context_, id + 1, now_).status()),
            kNotificationNotFound);

  // One that waits is never too old.
  EXPECT_EQ(*outbox().DeleteGivenUp(context_, now_ + absl::Hours(1)), 0u);
  ASSERT_TRUE(
      outbox().Failed(context_, id, "refused", absl::InfiniteFuture()).ok());
  EXPECT_EQ(*outbox().DeleteGivenUp(context_, now_ + absl::Hours(1)), 1u);
  EXPECT_THAT(*outbox().List(context_, 0, 10), IsEmpty());
}

TEST_F(OutboxStoreTest, OfAHeartbeatTheNewestAloneIsKept) {
  Make({"heartbeat:p", "ops"});
  OutboxStep step;
  step.expected = *outbox().Reading(context_);
  step.event_id = 2;
  step.replaced = {"heartbeat:p"};
  step.messages = {Message("heartbeat:p")};
  ASSERT_TRUE(*outbox().Advance(context_, step));
  EXPECT_EQ(outbox().List(context_, 0, 10)->size(), 2u);
}

}  // namespace
}  // namespace sluice
