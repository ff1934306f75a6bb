#include "sluice/benchmarks/measure.h"

#include "gtest/gtest.h"

namespace sluice::benchmarks {
namespace {

TEST(MeasureTest, TakesTheMiddleAndTheEnds) {
  const Spread spread = SpreadOf({5, 1, 9});
  EXPECT_EQ(spread.median, 5);
  EXPECT_EQ(spread.low, 1);
  EXPECT_EQ(spread.high, 9);
  EXPECT_EQ(SpreadOf({7}).median, 7);
}

TEST(MeasureTest, CountsAPercentileByRank) {
  std::vector<double> values;
  for (int i = 100; i >= 1; --i) values.push_back(i);
  EXPECT_EQ(Percentile(values, 0.5), 50);
  EXPECT_EQ(Percentile(values, 0.99), 99);
  EXPECT_EQ(Percentile(values, 1.0), 100);
  EXPECT_EQ(Percentile(values, 0.0), 1);
  EXPECT_EQ(Percentile({3}, 0.99), 3);
}

TEST(MeasureTest, MeasuresLessForABriefCheckButNeverNothing) {
  Effort brief;
  brief.brief = true;
  EXPECT_LT(brief.pairs(), Effort().pairs());
  EXPECT_EQ(brief.pairs() % 2, 1);
  EXPECT_GT(brief.Scale(1 << 20), 0u);
}

}  // namespace
}  // namespace sluice::benchmarks
