// "Nothing lost, nothing doubled": weeks of plans in forty zones around clock
// changes, from a printed seed, with all that befalls machines.
//
//   SLUICE_SIM_SEED=N     that seed alone
//   SLUICE_SIM_BASE=N     the first of the seeds; 1
//   SLUICE_SIM_SEEDS=N    how many; 20
//   SLUICE_SIM_PLANS=N    plans of each; 12
//   SLUICE_SIM_YEARS=N    as many seeds of ten years besides; none

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "sluice/base/testing/environment.h"
#include "sluice/service/engine/simulation/judge.h"
#include "sluice/service/engine/simulation/plans.h"
#include "sluice/service/engine/simulation/reference.h"
#include "sluice/service/engine/simulation/world.h"

namespace sluice::service {
namespace {

constexpr uint64_t kShards = 4;

// Kinds are told apart by what is no number and no name.
std::vector<std::string> OneOfEachKind(const std::vector<std::string>& all) {
  std::map<std::string, std::string> kinds;
  for (const std::string& one : all) {
    const size_t colon = one.find("): ");
    std::string kind = one.substr(colon == std::string::npos ? 0 : colon);
    kind.erase(std::remove_if(kind.begin(), kind.end(),
                              [](char c) { return c < 'a' || c > 'z'; }),
               kind.end());
    kinds.emplace(kind, one);
  }
  std::vector<std::string> shown;
  for (const auto& [kind, one] : kinds) shown.push_back(one);
  shown.resize(std::min<size_t>(shown.size(), 20));
  return shown;
}

class SimulationTest : public ::testing::TestWithParam<uint64_t> {
 protected:
  void Live(const SimCase& sim_case) {
    SimWorld world(sim_case);
    world.Run();
    const SimHistory& history = world.history();
    std::vector<std::string> wrong = history.violations;
    Catalog* const catalog = world.catalog();
    ASSERT_NE(catalog, nullptr);
    const SimVerdict verdict = Judge(*catalog, history);
    wrong.insert(wrong.end(), verdict.violations.begin(),
                 verdict.violations.end());
    if (!wrong.empty()) {
      const size_t count = wrong.size();
      wrong = OneOfEachKind(wrong);
      ADD_FAILURE() << "SLUICE_SIM_SEED=" << sim_case.seed << ", "
                    << sim_case.days << " days: " << count << " wrong\n  "
                    << absl::StrJoin(wrong, "\n  ");
    }
    for (const auto& [what, times] : history.befell) counts_[what] += times;
    counts_["due times"] += verdict.due;
    counts_["ended as succeeded"] += verdict.succeeded;
    counts_["ended as failed"] += verdict.failed;
    counts_["ended as interrupted"] += verdict.interrupted;
    counts_["ended as skipped"] += verdict.skipped;
    counts_["ended as missed"] += verdict.missed;
    counts_["ran late"] += verdict.late;
    ++counts_["seeds"];
  }

  void Print() const {
    for (const auto& [what, times] : counts_) {
      std::cout << absl::StrCat("  ", times, " ", what) << std::endl;
    }
  }

  std::map<std::string, int64_t> counts_;
};

// A slow build takes one in twenty.
uint64_t SeedsOf(const char* name, uint64_t otherwise) {
  const uint64_t count = NumberFromEnvironment(name, otherwise);
  return IsSlowBuild() ? count / 20 : count;
}

uint64_t FirstSeed() {
  const uint64_t seed = NumberFromEnvironment(
      "SLUICE_SIM_SEED", NumberFromEnvironment("SLUICE_SIM_BASE", 1));
  std::cout << "SLUICE_SIM_SEED=" << seed << " and on" << std::endl;
  return seed;
}

bool IsOneSeed() { return std::getenv("SLUICE_SIM_SEED") != nullptr; }

TEST_P(SimulationTest, NothingIsLostAndNothingIsDoubled) {
  const uint64_t first = FirstSeed();
  const uint64_t count = IsOneSeed() ? 1 : SeedsOf("SLUICE_SIM_SEEDS", 20);
  for (uint64_t i = 0; i < count; ++i) {
    if (i % kShards != GetParam()) continue;
    SimCase sim_case;
    sim_case.seed = first + i;
    sim_case.plans =
        static_cast<int>(NumberFromEnvironment("SLUICE_SIM_PLANS", 12));
    sim_case.days = 30;
    sim_case.faulty_disk = sim_case.seed % 2 == 0;
    Live(sim_case);
  }
  Print();
}

TEST_P(SimulationTest, NorInTenYears) {
  const uint64_t first = FirstSeed();
  for (uint64_t i = 0; i < SeedsOf("SLUICE_SIM_YEARS", 0); ++i) {
    if (i % kShards != GetParam()) continue;
    SimCase sim_case;
    sim_case.seed = first + i;
    sim_case.plans = 6;
    sim_case.days = 3652;
    sim_case.slow = true;
    sim_case.faulty_disk = i % 2 == 0;
    Live(sim_case);
  }
  Print();
}

// A fault that a seed brought to light once comes back with it.
TEST(ReplayTest, ASeedIsLivedAgainToTheLetter) {
  for (const bool faulty_disk : {false, true}) {
    uint64_t fingerprints[2];
    for (uint64_t& fingerprint : fingerprints) {
      SimCase sim_case;
      sim_case.seed = 7;
      sim_case.plans = 6;
      sim_case.days = 4;
      sim_case.faulty_disk = faulty_disk;
      SimWorld world(sim_case);
      world.Run();
      fingerprint = FingerprintOf(*world.catalog());
    }
    EXPECT_NE(fingerprints[0], 0u);
    EXPECT_EQ(fingerprints[0], fingerprints[1]) << faulty_disk;
  }
}

INSTANTIATE_TEST_SUITE_P(Shards, SimulationTest,
                         ::testing::Range(uint64_t{0}, kShards));

}  // namespace
}  // namespace sluice::service
