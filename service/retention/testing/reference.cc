#include "sluice/service/retention/testing/reference.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/time/civil_time.h"

namespace sluice::service {
namespace {

using Kind = RetentionReasonKind;
using Archive = RetentionArchive;
using Archives = std::vector<Archive>;
using Bucket = std::array<int64_t, 5>;

bool IsNewer(const Archive& a, const Archive& b) {
  return a.created_at != b.created_at ? a.created_at > b.created_at
                                      : a.id > b.id;
}

const Archive* ById(const Archives& archives, const std::string& id) {
  for (const Archive& archive : archives)
    if (archive.id == id) return &archive;
  return nullptr;
}

Bucket BucketOf(absl::Time time, Kind kind, absl::TimeZone zone,
                const ReferenceStyle& style) {
  const absl::TimeZone::CivilInfo local = zone.At(time);
  const absl::CivilDay day(local.cs);
  switch (kind) {
    case Kind::kHourly:
      return {day.year(), day.month(), day.day(), local.cs.hour(),
              style.hours_have_offsets ? local.offset : 0};
    case Kind::kDaily:
      return {day.year(), day.month(), day.day()};
    case Kind::kWeekly: {
      const absl::CivilDay monday =
          absl::PrevWeekday(day + 1, absl::Weekday::monday);
      return {monday.year(), monday.month(), monday.day()};
    }
    case Kind::kMonthly:
      return {day.year(), day.month()};
    default:
      return {day.year()};
  }
}

absl::Time Earlier(absl::Time time, const CalendarSpan& span,
                   absl::TimeZone zone) {
  const absl::TimeZone::CivilInfo local = zone.At(time);
  absl::CivilMonth month(local.cs);
  month -= 12 * span.years + span.months;
  const absl::CivilDay day =
      absl::CivilDay(month) + (local.cs.day() - 1) - span.days;
  const absl::CivilSecond second(day.year(), day.month(), day.day(),
                                 local.cs.hour(), local.cs.minute(),
                                 local.cs.second());
  const absl::TimeZone::TimeInfo info = zone.At(second);
  absl::Time then = info.pre;
  if (info.kind == absl::TimeZone::TimeInfo::REPEATED)
    then = std::min(info.pre, info.post);
  return then + local.subsecond - absl::Hours(span.hours);
}

// The archive and all that it is built on; with a copy of the first one at its
// end where they lead in a circle.
std::vector<const Archive*> ChainOfArchive(const Archives& archives,
                                           const Archive& top) {
  std::vector<const Archive*> chain = {&top};
  while (chain.size() <= archives.size()) {
    const Archive* base = ById(archives, chain.back()->base_id);
    if (base == nullptr) return chain;
    chain.push_back(base);
  }
  return chain;
}

enum class State { kGood, kBad, kUnknown, kUnfinished };

State StateOf(const Archives& archives, const Archive& archive) {
  if (!archive.finished) return State::kUnfinished;
  if (archive.unreadable) return State::kUnknown;
  if (archive.damaged) return State::kBad;
  const auto chain = ChainOfArchive(archives, archive);
  // The first one below that is not whole says what this one is.
  for (const Archive* link : chain) {
    if (!link->finished || link->unreadable) return State::kUnknown;
    if (link->damaged) return State::kBad;
  }
  return chain.size() > archives.size() ? State::kBad : State::kGood;
}

bool IsFuture(const RetentionInput& input, const Archive& archive) {
  return archive.created_at - input.clock_slack > input.now;
}

Archives SoundOnes(const RetentionInput& input) {
  Archives sound;
  for (const Archive& archive : input.archives) {
    if (!archive.others && !IsFuture(input, archive) &&
        StateOf(input.archives, archive) == State::kGood)
      sound.push_back(archive);
  }
  return sound;
}

// What `archive` is built on, or may be; null: nothing that is there.
const Archive* BaseOrGuess(const Archives& archives, const Archive& archive) {
  if (!archive.base_id.empty()) return ById(archives, archive.base_id);
  if (!archive.unreadable) return nullptr;
  const Archive* guess = nullptr;
  for (const Archive& other : archives) {
    if (!IsNewer(archive, other) || !other.finished || other.damaged ||
        other.unreadable)
      continue;
    if (guess == nullptr || IsNewer(other, *guess)) guess = &other;
  }
  return guess;
}

template <typename Predicate>
const Archive* NewestOf(const Archives& archives, Predicate predicate) {
  const Archive* newest = nullptr;
  for (const Archive& archive : archives) {
    if (!predicate(archive)) continue;
    if (newest == nullptr || IsNewer(archive, *newest)) newest = &archive;
  }
  return newest;
}

using Reasons = std::map<std::string, std::set<Kind>>;

void AddSimpleFloors(const RetentionInput& input, Reasons& reasons) {
  const Archives sound = SoundOnes(input);
  const auto any = [](const Archive&) { return true; };
  const auto verified = [](const Archive& archive) {
    return archive.verified_at.has_value();
  };
  const auto present = [&](const Archive& archive) {
    return !archive.others && archive.finished && !IsFuture(input, archive);
  };
  if (const Archive* it = NewestOf(input.archives, present))
    reasons[it->id].insert(Kind::kNewest);
  if (const Archive* it = NewestOf(sound, any))
    reasons[it->id].insert(Kind::kNewest);
  if (const Archive* it = NewestOf(sound, verified))
    reasons[it->id].insert(Kind::kNewestVerified);
  for (const Archive& archive : input.archives) {
    if (archive.pin.has_value() && archive.pin->until > input.now)
      reasons[archive.id].insert(Kind::kPinned);
    if (archive.finished && archive.in_use.empty()) continue;
    const Archive* link = &archive;
    for (size_t i = 0; i <= input.archives.size() && link != nullptr; ++i) {
      reasons[link->id].insert(Kind::kInUse);
      link = BaseOrGuess(input.archives, *link);
    }
  }
}

uint64_t MedianOf(std::vector<uint64_t> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[(values.size() - 1) / 2];
}

bool ShrankBelow(uint64_t value, uint64_t usual, int64_t percent) {
  return 100.0 * static_cast<double>(value) <
         static_cast<double>(100 - percent) * static_cast<double>(usual);
}

bool Shrank(const Archive& archive, const Archives& history, int64_t percent) {
  const auto past = [&](const auto& value_of) {
    std::vector<uint64_t> values;
    for (auto it = history.rbegin(); it != history.rend(); ++it) {
      const auto value = value_of(*it);
      if (value.has_value() && values.size() < 7) values.push_back(*value);
    }
    return MedianOf(values);
  };
  const auto size_of = [](const Archive& it) {
    return absl::optional<uint64_t>(it.plain_size_bytes);
  };
  if (ShrankBelow(archive.plain_size_bytes, past(size_of), percent))
    return true;
  for (const auto& named : archive.counts) {
    const auto count_of = [&](const Archive& it) {
      const auto found = it.counts.find(named.first);
      return found == it.counts.end() ? absl::optional<uint64_t>()
                                      : absl::optional<uint64_t>(found->second);
    };
    if (ShrankBelow(named.second, past(count_of), percent)) return true;
  }
  return false;
}

bool NewestFullShrank(const RetentionInput& input) {
  Archives full = SoundOnes(input);
  full.erase(
      std::remove_if(full.begin(), full.end(),
                     [](const Archive& it) { return !it.base_id.empty(); }),
      full.end());
  std::sort(full.begin(), full.end(),
            [](const Archive& a, const Archive& b) { return IsNewer(b, a); });
  Archives history;
  bool shrank = false;
  for (const Archive& archive : full) {
    const bool accepted = input.shrink_accepted_at.has_value() &&
                          archive.created_at <= *input.shrink_accepted_at;
    if (accepted) history.clear();
    shrank = !accepted && Shrank(archive, history, input.rules.max_shrink);
    if (!shrank) history.push_back(archive);
  }
  return shrank && input.rules.max_shrink > 0;
}

bool IsSuspended(const RetentionInput& input) {
  for (const Archive& archive : input.archives)
    if (!archive.others && IsFuture(input, archive)) return true;
  return NewestFullShrank(input);
}

void AddOtherReasons(const RetentionInput& input, Reasons& reasons) {
  const Archives sound = SoundOnes(input);
  const Archive* verified = NewestOf(sound, [](const Archive& archive) {
    return archive.verified_at.has_value();
  });
  for (const Archive& archive : input.archives) {
    std::set<Kind>& why = reasons[archive.id];
    if (input.rules.keeps_everything()) why.insert(Kind::kNoRule);
    const State state = StateOf(input.archives, archive);
    if (IsFuture(input, archive)) {
      why.insert(Kind::kFuture);
    } else if (state == State::kUnknown) {
      why.insert(Kind::kUnreadable);
    } else if (state == State::kBad &&
               (verified == nullptr || IsNewer(archive, *verified))) {
      why.insert(Kind::kDamaged);
    }
  }
}

}  // namespace

Reasons ReferenceWanted(const Archives& archives, const RetentionRules& rules,
                        absl::TimeZone zone, const ReferenceStyle& style) {
  const std::pair<Kind, int64_t> tiers[] = {
      {Kind::kHourly, rules.keep_hourly}, {Kind::kDaily, rules.keep_daily},
      {Kind::kWeekly, rules.keep_weekly}, {Kind::kMonthly, rules.keep_monthly},
      {Kind::kYearly, rules.keep_yearly},
  };
  Archives newest_first = archives;
  std::sort(newest_first.begin(), newest_first.end(), IsNewer);
  Reasons wanted;
  for (size_t i = 0; i < newest_first.size(); ++i) {
    const Archive& archive = newest_first[i];
    std::set<Kind>& why = wanted[archive.id];
    if (static_cast<int64_t>(i) < rules.keep_last) why.insert(Kind::kLast);
    if (!rules.keep_within.is_zero() &&
        archive.created_at >
            Earlier(newest_first[0].created_at, rules.keep_within, zone))
      why.insert(Kind::kWithin);
  }
  for (const auto& [kind, count] : tiers) {
    std::vector<Bucket> newer;
    for (const Archive& archive : newest_first) {
      if (count == 0) break;
      const Bucket mine = BucketOf(archive.created_at, kind, zone, style);
      int64_t before = 0;
      bool first = false;
      if (style.buckets_are_runs) {
        for (size_t j = 0; j < newer.size(); ++j)
          before += j == 0 || newer[j] != newer[j - 1] ? 1 : 0;
        first = newer.empty() || newer.back() != mine;
      } else {
        before = static_cast<int64_t>(
            std::set<Bucket>(newer.begin(), newer.end()).size());
        first = std::count(newer.begin(), newer.end(), mine) == 0;
      }
      if (first && before < count) wanted[archive.id].insert(kind);
      newer.push_back(mine);
    }
  }
  return wanted;
}

ReferenceDecision DecideByDefinition(const RetentionInput& input) {
  Reasons reasons = ReferenceWanted(SoundOnes(input), input.rules, input.zone);
  AddSimpleFloors(input, reasons);
  AddOtherReasons(input, reasons);
  // As long as that adds any: bases of what stays stay.
  const auto stays = [&](const Archive& archive) {
    return archive.others || !reasons[archive.id].empty();
  };
  for (size_t round = 0; round <= input.archives.size(); ++round) {
    for (const Archive& archive : input.archives) {
      const Archive* base = BaseOrGuess(input.archives, archive);
      if (base != nullptr && stays(archive))
        reasons[base->id].insert(Kind::kBase);
    }
  }
  ReferenceDecision decision;
  decision.suspended = IsSuspended(input);
  for (const Archive& archive : input.archives) {
    if (archive.others) continue;
    std::set<Kind>& why = reasons[archive.id];
    if (why.empty() && decision.suspended) {
      why.insert(Kind::kSuspended);
    } else if (why.empty()) {
      decision.removed.insert(archive.id);
      why.insert(StateOf(input.archives, archive) == State::kBad
                     ? Kind::kDamaged
                     : Kind::kUnwanted);
    }
    decision.reasons[archive.id] = why;
  }
  return decision;
}

Reasons ReferenceFloors(const RetentionInput& input,
                        const std::set<std::string>& named) {
  Reasons floors;
  AddSimpleFloors(input, floors);
  for (const Archive& archive : input.archives) {
    const Archive* base = BaseOrGuess(input.archives, archive);
    if (base != nullptr && named.count(archive.id) == 0)
      floors[base->id].insert(Kind::kBase);
  }
  return floors;
}

}  // namespace sluice::service
