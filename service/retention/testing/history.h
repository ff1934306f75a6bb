#ifndef SLUICE_SERVICE_RETENTION_TESTING_HISTORY_H_
#define SLUICE_SERVICE_RETENTION_TESTING_HISTORY_H_

// Short words for tests of retention.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "sluice/service/retention/retention.h"

namespace sluice::service {

// A time by RFC 3339, or as "2026-11-03 04:00" in UTC.
inline absl::Time At(const std::string& text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime("%Y-%m-%d %H:%M", text, &time, &error) ||
              absl::ParseTime(absl::RFC3339_full, text, &time, &error))
      << text;
  return time;
}

inline absl::TimeZone ZoneOf(const std::string& name) {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone(name, &zone)) << name;
  return zone;
}

// A full archive of 1,000 bytes.
inline RetentionArchive FullArchive(const std::string& id, absl::Time made) {
  RetentionArchive archive;
  archive.id = id;
  archive.created_at = made;
  archive.size_bytes = 500;
  archive.plain_size_bytes = 1000;
  return archive;
}

// `count` full archives "000", "001", ..., `apart`; the last one at `last`.
inline RetentionInput HistoryUntil(absl::Time last, int count,
                                   absl::Duration apart,
                                   const std::string& rules) {
  RetentionInput input;
  for (int i = 0; i < count; ++i) {
    input.archives.push_back(FullArchive(absl::StrFormat("%03d", i),
                                         last - apart * (count - 1 - i)));
  }
  const auto parsed = ParseRetentionRules(rules);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  input.rules = parsed.value_or(RetentionRules());
  input.now = last + absl::Hours(1);
  return input;
}

// The ids to remove, in order.
inline std::string RemovedBy(const RetentionInput& input) {
  const auto decision = DecideRetention(input);
  EXPECT_TRUE(decision.ok()) << decision.status();
  return decision.ok() ? absl::StrJoin(decision->removals, " ") : "error";
}

// The ids that stay, oldest first.
inline std::string KeptBy(const RetentionInput& input) {
  const auto decision = DecideRetention(input);
  EXPECT_TRUE(decision.ok()) << decision.status();
  std::vector<std::string> kept;
  for (const RetentionVerdict& verdict : decision->verdicts)
    if (verdict.keep) kept.push_back(verdict.id);
  return absl::StrJoin(kept, " ");
}

// The reasons of one archive, ", " between them.
inline std::string WhyOf(const RetentionInput& input, const std::string& id) {
  const auto decision = DecideRetention(input);
  EXPECT_TRUE(decision.ok()) << decision.status();
  for (const RetentionVerdict& verdict : decision->verdicts) {
    if (verdict.id != id) continue;
    return absl::StrJoin(verdict.reasons, ", ",
                         [](std::string* out, const RetentionReason& reason) {
                           out->append(reason.text);
                         });
  }
  return "no such archive";
}

// Takes out what retention removes.
inline void Prune(RetentionInput& input) {
  const auto decision = DecideRetention(input);
  ASSERT_TRUE(decision.ok()) << decision.status();
  const std::vector<std::string>& gone = decision->removals;
  input.archives.erase(
      std::remove_if(input.archives.begin(), input.archives.end(),
                     [&](const RetentionArchive& archive) {
                       return std::count(gone.begin(), gone.end(), archive.id) >
                              0;
                     }),
      input.archives.end());
}

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_RETENTION_TESTING_HISTORY_H_
