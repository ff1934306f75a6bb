#include "sluice/service/retention/chains.h"

#include <algorithm>
#include <queue>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"

namespace sluice::service {
namespace {

ArchiveCondition OwnCondition(const RetentionArchive& archive) {
  if (!archive.finished) return ArchiveCondition::kUnfinished;
  if (archive.unreadable) return ArchiveCondition::kUnreadable;
  if (archive.damaged) return ArchiveCondition::kDamaged;
  return ArchiveCondition::kSound;
}

// Of one that is `own`, on a base that is `base` with its whole chain.
ArchiveCondition OnTopOf(ArchiveCondition own, ArchiveCondition base) {
  if (own != ArchiveCondition::kSound) return own;
  return base == ArchiveCondition::kUnfinished ? ArchiveCondition::kUnreadable
                                               : base;
}

}  // namespace

absl::StatusOr<ArchiveChains> ArchiveChains::Create(
    const RetentionInput& input) {
  ArchiveChains chains;
  chains.links_.reserve(input.archives.size());
  for (const RetentionArchive& archive : input.archives) {
    if (archive.id.empty()) return InvalidArgument("an archive has no id");
    ChainLink& link = chains.links_.emplace_back();
    link.archive = &archive;
    link.future = archive.created_at > input.now + input.clock_slack;
    link.condition = OwnCondition(archive);
  }
  std::sort(chains.links_.begin(), chains.links_.end(),
            [](const ChainLink& a, const ChainLink& b) {
              return std::tie(a.archive->created_at, a.archive->id) <
                     std::tie(b.archive->created_at, b.archive->id);
            });
  for (size_t i = 0; i < chains.size(); ++i) {
    if (chains.by_id_.emplace(chains.id(i), i).second) continue;
    return InvalidArgument(
        absl::StrCat("archive ", chains.id(i), " is there twice"));
  }
  chains.FindBases();
  chains.JudgeChains();
  return chains;
}

absl::optional<size_t> ArchiveChains::Find(absl::string_view id) const {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return absl::nullopt;
  return found->second;
}

void ArchiveChains::FindBases() {
  absl::optional<size_t> before;  // the last that an increment could build on
  for (size_t i = 0; i < size(); ++i) {
    ChainLink& link = links_[i];
    const RetentionArchive& archive = *link.archive;
    if (!archive.base_id.empty()) {
      link.base = Find(archive.base_id);
    } else if (archive.unreadable) {
      link.base = before;
      link.base_is_guess = before.has_value();
    }
    if (OwnCondition(archive) == ArchiveCondition::kSound) before = i;
  }
}

// Each chain is walked once: down to what is judged or ends it, and back up.
void ArchiveChains::JudgeChains() {
  enum class Seen { kNo, kOnTheWay, kJudged };
  std::vector<Seen> seen(size(), Seen::kNo);
  for (size_t start = 0; start < size(); ++start) {
    std::vector<size_t> way;
    absl::optional<size_t> at = start;
    while (at.has_value() && seen[*at] == Seen::kNo) {
      seen[*at] = Seen::kOnTheWay;
      way.push_back(*at);
      // What is guessed is held, but proves nothing.
      at = links_[*at].base_is_guess ? absl::nullopt : links_[*at].base;
    }
    ArchiveCondition below = ArchiveCondition::kSound;
    if (at.has_value() && seen[*at] == Seen::kJudged) {
      below = links_[*at].condition;
    } else if (at.has_value()) {
      // A circle: once round, so that it does not matter where it was entered.
      below = ArchiveCondition::kDamaged;
      for (size_t i = way.size(); i-- > 0;) {
        below = OnTopOf(links_[way[i]].condition, below);
        if (way[i] == *at) break;
      }
    }
    for (; !way.empty(); way.pop_back()) {
      ChainLink& link = links_[way.back()];
      link.condition = below = OnTopOf(link.condition, below);
      seen[way.back()] = Seen::kJudged;
    }
  }
}

absl::optional<size_t> ArchiveChains::Newest(
    const std::function<bool(const ChainLink&)>& wanted) const {
  for (size_t i = size(); i-- > 0;) {
    if (wanted(links_[i])) return i;
  }
  return absl::nullopt;
}

absl::optional<size_t> ArchiveChains::NewestVerified() const {
  return Newest([](const ChainLink& link) {
    return link.can_fill_rules() && link.archive->verified_at.has_value();
  });
}

std::vector<std::string> ArchiveChains::RemovalOrder(
    const std::vector<bool>& chosen) const {
  std::vector<size_t> dependants(size());
  for (size_t i = 0; i < size(); ++i) {
    if (chosen[i] && links_[i].base.has_value()) ++dependants[*links_[i].base];
  }
  std::priority_queue<size_t, std::vector<size_t>, std::greater<>> free;
  for (size_t i = 0; i < size(); ++i) {
    if (chosen[i] && dependants[i] == 0) free.push(i);
  }
  std::vector<std::string> order;
  std::vector<bool> left = chosen;
  while (!free.empty()) {
    const size_t next = free.top();
    free.pop();
    left[next] = false;
    order.push_back(id(next));
    const absl::optional<size_t> base = links_[next].base;
    if (base.has_value() && --dependants[*base] == 0 && chosen[*base]) {
      free.push(*base);
    }
  }
  for (size_t i = 0; i < size(); ++i) {
    if (left[i])
      order.push_back(id(i));  // they build on each other in a circle
  }
  return order;
}

}  // namespace sluice::service
