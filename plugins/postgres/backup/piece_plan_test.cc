#include "sluice/plugins/postgres/backup/piece_plan.h"

#include <cstdint>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::postgres {
namespace {

using ::testing::ElementsAre;

constexpr uint64_t kAny = 4096;

TEST(PiecePlanTest, LeavesTablesWholeThatBalanceByThemselves) {
  EXPECT_THAT(PlanPieces({{300, kAny}, {200, kAny}, {140, kAny}, {60, kAny}},
                         {.sessions = 2}),
              ElementsAre(1, 1, 1, 1));
}

TEST(PiecePlanTest, CutsOneThatWouldKeepTheOthersWaiting) {
  EXPECT_THAT(PlanPieces({{900, kAny}, {100, kAny}}, {.sessions = 2}),
              ElementsAre(2, 1));
  EXPECT_THAT(PlanPieces({{1000, kAny}}, {.sessions = 4}), ElementsAre(4));
}

TEST(PiecePlanTest, GoesByWhatATableCostsRatherThanByItsBytes) {
  // Many short rows take as long as few long ones.
  EXPECT_THAT(PlanPieces({{400, kAny, 330}, {140, kAny, 210}}, {.sessions = 2}),
              ElementsAre(1, 1));
  EXPECT_THAT(PlanPieces({{400, kAny, 100}, {140, kAny, 900}}, {.sessions = 2}),
              ElementsAre(1, 2));
}

TEST(PiecePlanTest, CutsEqualTablesThatDoNotDivideAmongTheSessions) {
  EXPECT_THAT(
      PlanPieces({{300, kAny}, {300, kAny}, {300, kAny}}, {.sessions = 2}),
      ElementsAre(2, 1, 1));
}

TEST(PiecePlanTest, CutsNothingForOneSession) {
  EXPECT_THAT(PlanPieces({{900, kAny}, {1, kAny}}, {.sessions = 1}),
              ElementsAre(1, 1));
}

TEST(PiecePlanTest, MakesNoPieceSmallerThanWanted) {
  EXPECT_THAT(
      PlanPieces({{1000, kAny}}, {.sessions = 8, .min_piece_bytes = 300}),
      ElementsAre(2));
}

TEST(PiecePlanTest, CutsNoFinerThanATableCanBe) {
  EXPECT_THAT(PlanPieces({{1000, 1}, {10, kAny}}, {.sessions = 2}),
              ElementsAre(1, 1));
  EXPECT_THAT(PlanPieces({{1000, 3}}, {.sessions = 4}), ElementsAre(2));
}

TEST(PiecePlanTest, EndsWhereThereIsNothing) {
  EXPECT_THAT(PlanPieces({}, {.sessions = 2}), ElementsAre());
  EXPECT_THAT(
      PlanPieces({{0, kAny}, {0, kAny}}, {.sessions = 2, .min_piece_bytes = 1}),
      ElementsAre(1, 1));
}

}  // namespace
}  // namespace sluice::postgres
