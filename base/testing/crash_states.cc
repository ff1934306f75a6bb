#include "sluice/base/testing/crash_states.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

namespace sluice {
namespace {

using Selection = std::vector<CrashPart>;  // one a pending change

// The selections of one point, without repeats, at most `limit`.
class Selections {
 public:
  Selections(std::vector<std::vector<CrashPart>> parts, size_t limit,
             uint64_t seed)
      : parts_(std::move(parts)), limit_(limit), random_(seed) {}

  std::vector<Selection> Draw() {
    if (Product() <= limit_) {
      All();
      return std::move(drawn_);
    }
    const size_t n = parts_.size();
    Add(Selection(n, CrashPart::kAll));
    Add(Selection(n, CrashPart::kNone));
    for (size_t i = n; i-- > 0;) {
      Selection prefix(n, CrashPart::kNone);
      std::fill_n(prefix.begin(), i, CrashPart::kAll);
      Add(prefix);
    }
    for (size_t i = n; i-- > 0;) Only(i, CrashPart::kAll, CrashPart::kNone);
    for (size_t i = n; i-- > 0;) Only(i, CrashPart::kNone, CrashPart::kAll);
    for (size_t i = n; i-- > 0;) {
      for (const CrashPart part : parts_[i]) {
        Only(i, CrashPart::kAll, part);
        Only(i, CrashPart::kNone, part);
      }
    }
    Random();
    return std::move(drawn_);
  }

 private:
  size_t Product() const {
    size_t product = 1;
    for (const auto& parts : parts_) {
      product *= parts.size();
      if (product > limit_) return product;
    }
    return product;
  }

  void All() {
    Selection selection(parts_.size(), CrashPart::kNone);
    std::vector<size_t> digits(parts_.size(), 0);
    while (true) {
      Add(selection);
      size_t i = 0;
      for (; i < digits.size(); ++i) {
        digits[i] = (digits[i] + 1) % parts_[i].size();
        selection[i] = parts_[i][digits[i]];
        if (digits[i] != 0) break;
      }
      if (i == digits.size()) return;
    }
  }

  void Only(size_t index, CrashPart others, CrashPart part) {
    Selection selection(parts_.size(), others);
    selection[index] = part;
    Add(selection);
  }

  void Random() {
    // Repeats are passed over, so the tries are bounded too.
    for (size_t tries = 0; tries < 2 * limit_ && drawn_.size() < limit_;
         ++tries) {
      Selection selection;
      for (const auto& parts : parts_) {
        selection.push_back(parts[random_() % parts.size()]);
      }
      Add(selection);
    }
  }

  void Add(const Selection& selection) {
    if (drawn_.size() < limit_ && seen_.insert(selection).second) {
      drawn_.push_back(selection);
    }
  }

  const std::vector<std::vector<CrashPart>> parts_;
  const size_t limit_;
  std::mt19937_64 random_;
  std::set<Selection> seen_;
  std::vector<Selection> drawn_;
};

bool IsFolder(const std::vector<CrashEvent>& trace,
              const std::vector<size_t>& changes) {
  return !changes.empty() &&
         trace[changes[0]].kind == CrashEvent::Kind::kEntries;
}

// What `sync` does to the unsynced changes of one node.
void Sync(const std::vector<CrashEvent>& trace, const CrashEvent& sync,
          std::vector<size_t>& changes, std::vector<bool>& durable) {
  if (!sync.failed) {
    for (const size_t change : changes) durable[change] = true;
  }
  if (!sync.failed || !IsFolder(trace, changes)) changes.clear();
}

// Which of the first `point` events had arrived for certain. A sync covers the
// changes of its node since the last failed one: bytes that a failed sync was
// to write count as written for the kernel, and no later sync tries again. Of a
// folder it does: entries go through a journal, in order.
std::vector<bool> DurableAt(const std::vector<CrashEvent>& trace,
                            size_t point) {
  std::vector<bool> durable(point, false);
  std::map<uint64_t, std::vector<size_t>> pending;
  for (size_t i = 0; i < point; ++i) {
    const CrashEvent& event = trace[i];
    if (event.IsChange()) pending[event.node].push_back(i);
    if (event.kind != CrashEvent::Kind::kSync) continue;
    if (event.node == CrashEvent::kAllNodes) {
      for (auto& [node, changes] : pending)
        Sync(trace, event, changes, durable);
    } else {
      Sync(trace, event, pending[event.node], durable);
    }
  }
  return durable;
}

std::string Describe(const std::vector<CrashEvent>& trace, size_t point,
                     const std::vector<size_t>& pending,
                     const Selection& selection) {
  std::string text = absl::StrCat(
      "power cut after event ", point,
      point == 0 ? "" : absl::StrCat(" (", trace[point - 1].text, ")"));
  for (size_t i = 0; i < pending.size(); ++i) {
    absl::StrAppend(&text, "\n  ", CrashPartName(selection[i]), " of unsynced ",
                    trace[pending[i]].text);
  }
  return text;
}

}  // namespace

CrashStateCount ForEachCrashState(
    const CrashTree& initial, const std::vector<CrashEvent>& trace,
    const CrashStateOptions& options,
    absl::FunctionRef<bool(const CrashStateView&)> visit) {
  CrashStateCount count;
  std::set<std::pair<uint64_t, size_t>> seen;
  size_t marks = 0;
  for (size_t point = 0; point <= trace.size(); ++point) {
    ++count.points;
    if (point > 0 && trace[point - 1].kind == CrashEvent::Kind::kMark) ++marks;
    const std::vector<bool> durable = DurableAt(trace, point);
    std::vector<size_t> pending;
    std::vector<std::vector<CrashPart>> parts;
    for (size_t i = 0; i < point; ++i) {
      if (!trace[i].IsChange() || durable[i]) continue;
      pending.push_back(i);
      parts.push_back(PartsOf(trace[i]));
    }
    for (const Selection& selection :
         Selections(parts, options.max_states_per_point, options.seed + point)
             .Draw()) {
      ++count.selections;
      CrashStateView view;
      view.tree = initial;
      for (size_t i = 0, next = 0; i < point; ++i) {
        const bool waits = next < pending.size() && pending[next] == i;
        ApplyEvent(trace[i], waits ? selection[next++] : CrashPart::kAll,
                   view.tree);
      }
      if (!seen.emplace(Fingerprint(view.tree), marks).second) continue;
      view.point = point;
      view.marks = marks;
      view.text = Describe(trace, point, pending, selection);
      ++count.states;
      if (!visit(view) || count.states >= options.max_states) {
        count.stopped = true;
        return count;
      }
    }
  }
  return count;
}

}  // namespace sluice
