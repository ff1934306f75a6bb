#include "sluice/service/retention/wanted.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace sluice::service {
namespace {

struct Tier {
  RetentionReasonKind kind;
  int64_t RetentionRules::*count;
  const char* bucket;  // names the hour, day, ... that an archive is of
};

// An hour that the clock repeats is two: its offset is part of its name.
constexpr Tier kTiers[] = {
    {RetentionReasonKind::kHourly, &RetentionRules::keep_hourly,
     "%Y-%m-%dT%H%Ez"},
    {RetentionReasonKind::kDaily, &RetentionRules::keep_daily, "%Y-%m-%d"},
    {RetentionReasonKind::kWeekly, &RetentionRules::keep_weekly, "%G-W%V"},
    {RetentionReasonKind::kMonthly, &RetentionRules::keep_monthly, "%Y-%m"},
    {RetentionReasonKind::kYearly, &RetentionRules::keep_yearly, "%Y"},
};

void AddLast(const RetentionInput& input, const std::vector<size_t>& sound,
             std::vector<RetentionReasons>& reasons) {
  const size_t most = static_cast<size_t>(input.rules.keep_last);
  for (size_t rank = 0; rank < std::min(most, sound.size()); ++rank) {
    reasons[sound[rank]].push_back(
        {RetentionReasonKind::kLast,
         absl::StrCat("last (", rank + 1, " of ", most, ")")});
  }
}

void AddWithin(const RetentionInput& input, const ArchiveChains& chains,
               const std::vector<size_t>& sound,
               std::vector<RetentionReasons>& reasons) {
  const CalendarSpan& span = input.rules.keep_within;
  if (span.is_zero() || sound.empty()) return;
  const absl::Time newest = chains[sound[0]].archive->created_at;
  const absl::Time start = TimeBefore(newest, span, input.zone);
  const std::string text =
      absl::StrCat("within ", FormatCalendarSpan(span), " of ",
                   absl::FormatTime("%Y-%m-%d %H:%M", newest, input.zone));
  for (size_t i : sound) {
    if (chains[i].archive->created_at <= start) return;
    reasons[i].push_back({RetentionReasonKind::kWithin, text});
  }
}

void AddTier(const RetentionInput& input, const ArchiveChains& chains,
             const std::vector<size_t>& sound, const Tier& tier,
             std::vector<RetentionReasons>& reasons) {
  const size_t most = static_cast<size_t>(input.rules.*tier.count);
  // A change of the clock around midnight goes back to a day that had ended:
  // it is not enough to compare with the one before.
  std::set<std::string> seen;
  for (size_t i : sound) {
    if (seen.size() == most) return;
    std::string bucket = absl::FormatTime(
        tier.bucket, chains[i].archive->created_at, input.zone);
    if (!seen.insert(bucket).second) continue;
    reasons[i].push_back(
        {tier.kind, absl::StrCat(RetentionReasonWord(tier.kind), " ", bucket,
                                 " (", seen.size(), " of ", most, ")")});
  }
}

// What is compared, by name.
std::map<std::string, uint64_t> Measures(const RetentionArchive& archive) {
  std::map<std::string, uint64_t> measures = archive.counts;
  measures["size"] = archive.plain_size_bytes;
  return measures;
}

// Full archives that had not shrunk, oldest first.
class FullHistory {
 public:
  explicit FullHistory(int64_t max_shrink) : max_shrink_(max_shrink) {}

  void Begin(const RetentionArchive& archive) { past_ = {Measures(archive)}; }

  // What shrank, for people; empty where nothing did: then it is history now.
  std::string Add(const RetentionArchive& archive) {
    std::map<std::string, uint64_t> measures = Measures(archive);
    for (const auto& [name, value] : measures) {
      const uint64_t usual = Usual(name);
      // Not in integers: a hundredfold size need not fit.
      if (static_cast<double>(value) * 100 >=
          static_cast<double>(usual) * static_cast<double>(100 - max_shrink_)) {
        continue;
      }
      return absl::StrCat("its ", name, " of ", value, " is more than ",
                          max_shrink_, "% below the usual ", usual);
    }
    past_.push_back(std::move(measures));
    return "";
  }

 private:
  static constexpr size_t kCompared = 7;

  // The median of the last few that have it; of two, the smaller. 0: none has.
  uint64_t Usual(const std::string& name) const {
    std::vector<uint64_t> values;
    for (size_t i = past_.size(); i-- > 0 && values.size() < kCompared;) {
      const auto found = past_[i].find(name);
      if (found != past_[i].end()) values.push_back(found->second);
    }
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    return values[(values.size() - 1) / 2];
  }

  const int64_t max_shrink_;
  std::vector<std::map<std::string, uint64_t>> past_;
};

}  // namespace

void AddWantedReasons(const RetentionInput& input, const ArchiveChains& chains,
                      std::vector<RetentionReasons>& reasons) {
  std::vector<size_t> sound;  // newest first
  for (size_t i = chains.size(); i-- > 0;) {
    if (chains[i].can_fill_rules()) sound.push_back(i);
  }
  AddLast(input, sound, reasons);
  AddWithin(input, chains, sound, reasons);
  for (const Tier& tier : kTiers) AddTier(input, chains, sound, tier, reasons);
}

absl::optional<RetentionSuspension> FindShrink(const RetentionInput& input,
                                               const ArchiveChains& chains) {
  if (input.rules.max_shrink == 0) return absl::nullopt;
  FullHistory history(input.rules.max_shrink);
  absl::optional<RetentionSuspension> shrink;
  for (size_t i = 0; i < chains.size(); ++i) {
    const RetentionArchive& archive = *chains[i].archive;
    if (!chains[i].can_fill_rules() || !archive.base_id.empty()) continue;
    std::string what;
    if (input.shrink_accepted_at.has_value() &&
        archive.created_at <= *input.shrink_accepted_at) {
      history.Begin(archive);
    } else {
      what = history.Add(archive);
    }
    shrink = absl::nullopt;  // only the newest counts
    if (what.empty()) continue;
    shrink = {RetentionSuspension::Kind::kShrunk, archive.id,
              absl::StrCat("archive ", archive.id, " shrank: ", what)};
  }
  return shrink;
}

}  // namespace sluice::service
