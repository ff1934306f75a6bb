#include "sluice/plugins/postgres/piece_plan.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <queue>

namespace sluice::postgres {
namespace {

// When the last session ends, where each takes the largest piece that is left.
uint64_t LastEnd(const std::vector<PlannedTable>& tables,
                 const std::vector<uint64_t>& pieces, int sessions) {
  std::vector<uint64_t> tasks;
  for (size_t i = 0; i < tables.size(); ++i) {
    tasks.insert(tasks.end(), pieces[i], tables[i].bytes / pieces[i]);
  }
  std::sort(tasks.begin(), tasks.end(), std::greater<>());
  std::priority_queue<uint64_t, std::vector<uint64_t>, std::greater<>> ends;
  for (int i = 0; i < sessions; ++i) ends.push(0);
  uint64_t last = 0;
  for (const uint64_t task : tasks) {
    const uint64_t end = ends.top() + task;
    ends.pop();
    ends.push(end);
    last = std::max(last, end);
  }
  return last;
}

}  // namespace

std::vector<uint64_t> PlanPieces(const std::vector<PlannedTable>& tables,
                                 const PiecePlanOptions& options) {
  std::vector<uint64_t> pieces(tables.size(), 1);
  if (options.sessions < 2 || tables.empty()) return pieces;
  uint64_t total = 0;
  for (const PlannedTable& table : tables) total += table.bytes;
  const uint64_t share = total / static_cast<uint64_t>(options.sessions);
  const auto can_be_cut = [&](size_t i) {
    const uint64_t more = 2 * pieces[i];
    return more <= tables[i].max_pieces &&
           tables[i].bytes / more >= options.min_piece_bytes;
  };
  while (true) {
    // A tenth more than the best there is, or what one session must do alone.
    uint64_t enough = share + share / 10;
    size_t largest = tables.size();
    uint64_t largest_bytes = 0;
    for (size_t i = 0; i < tables.size(); ++i) {
      const uint64_t bytes = tables[i].bytes / pieces[i];
      if (!can_be_cut(i)) {
        enough = std::max(enough, bytes);
      } else if (bytes > largest_bytes) {
        largest = i;
        largest_bytes = bytes;
      }
    }
    if (largest == tables.size() ||
        LastEnd(tables, pieces, options.sessions) <= enough) {
      break;
    }
    pieces[largest] *= 2;
  }
  return pieces;
}

}  // namespace sluice::postgres
