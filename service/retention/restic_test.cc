// What restic keeps of the same times under the same rules. The vectors are by
// tools/retention_restic.py; docs/retention.md says where we differ, and why.

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "sluice/service/retention/retention.h"
#include "sluice/service/retention/testing/history.h"
#include "sluice/service/retention/testing/reference.h"

namespace sluice::service {
namespace {

nlohmann::json ReadVectors() {
  const char* given = std::getenv("SLUICE_RESTIC_VECTORS");
  std::ifstream file(
      given != nullptr ? given : "service/retention/testdata/restic.json");
  return nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
}

RetentionInput InputOf(const nlohmann::json& history,
                       const std::string& rules) {
  RetentionInput input;
  input.zone = ZoneOf(history["zone"]);
  int number = 0;
  for (const int64_t time : history["times"]) {
    input.archives.push_back(FullArchive(absl::StrFormat("%03d", number++),
                                         absl::FromUnixSeconds(time)));
  }
  input.now = input.archives.back().created_at + absl::Hours(1);
  input.rules = ParseRetentionRules(rules).value();
  return input;
}

std::string KeptByRestic(const nlohmann::json& one) {
  return absl::StrJoin(one["keep"].get<std::vector<int>>(), " ",
                       [](std::string* out, int index) {
                         absl::StrAppendFormat(out, "%03d", index);
                       });
}

// By the definition, with restic's hours and its counting.
std::string KeptInItsStyle(const RetentionInput& input) {
  ReferenceStyle style;
  style.hours_have_offsets = false;
  style.buckets_are_runs = true;
  std::vector<std::string> kept;
  for (const auto& [id, why] :
       ReferenceWanted(input.archives, input.rules, input.zone, style)) {
    if (!why.empty()) kept.push_back(id);
  }
  return absl::StrJoin(kept, " ");
}

TEST(ResticTest, KeepsWhatWeKeepButForRepeatedHoursAndDays) {
  const nlohmann::json vectors = ReadVectors();
  ASSERT_TRUE(vectors.is_object());
  std::cout << "restic " << vectors["restic"] << ", seed " << vectors["seed"]
            << "\n";
  int same = 0;
  std::map<std::string, int> different;
  for (const nlohmann::json& history : vectors["histories"]) {
    for (const nlohmann::json& one : history["cases"]) {
      const RetentionInput input = InputOf(history, one["rules"]);
      const std::string theirs = KeptByRestic(one);
      if (KeptBy(input) == theirs) {
        ++same;
        continue;
      }
      // Only where the clock goes back, and only by what we know of.
      ++different[history["zone"]];
      EXPECT_EQ(KeptInItsStyle(input), theirs)
          << history["zone"] << " " << one["rules"] << "\nours "
          << KeptBy(input);
    }
  }
  for (const auto& [zone, count] : different) {
    std::cout << zone << ": " << count << " differ\n";
    EXPECT_TRUE(zone == "Europe/Berlin" || zone == "America/Goose_Bay") << zone;
  }
  EXPECT_GT(same, 200);
}

}  // namespace
}  // namespace sluice::service
