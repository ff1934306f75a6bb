#include "sluice/plugins/postgres/backup/piece_plan.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <queue>

namespace sluice::postgres {
namespace {

// Finer pieces than this part of a session's share balance nothing.
constexpr double kFinestShare = 1.0 / 16;
constexpr double kPieceFactor = 1.2;
// What is no more than a tenth above the best there is, is good enough.
constexpr double kEnough = 1.1;
// A plan of more pieces must end this much earlier.
constexpr double kGain = 0.9;

uint64_t CostOf(const PlannedTable& table) {
  return table.cost > 0 ? table.cost : table.bytes;
}

// Of each of `pieces`.
double PieceCost(const PlannedTable& table, uint64_t pieces) {
  const double whole = static_cast<double>(CostOf(table));
  return pieces == 1 ? whole
                     : kPieceFactor * whole / static_cast<double>(pieces);
}

// When the last session ends, where each takes the largest piece that is left.
double LastEnd(const std::vector<PlannedTable>& tables,
               const std::vector<uint64_t>& pieces, int sessions) {
  std::vector<double> tasks;
  for (size_t i = 0; i < tables.size(); ++i) {
    tasks.insert(tasks.end(), pieces[i], PieceCost(tables[i], pieces[i]));
  }
  std::sort(tasks.begin(), tasks.end(), std::greater<>());
  std::priority_queue<double, std::vector<double>, std::greater<>> ends;
  for (int i = 0; i < sessions; ++i) ends.push(0);
  double last = 0;
  for (const double task : tasks) {
    const double end = ends.top() + task;
    ends.pop();
    ends.push(end);
    last = std::max(last, end);
  }
  return last;
}

// The table whose pieces cost most of those that can be cut once more; the
// number of tables where there is none.
size_t NextToCut(const std::vector<PlannedTable>& tables,
                 const std::vector<uint64_t>& pieces,
                 uint64_t min_piece_bytes) {
  size_t largest = tables.size();
  double largest_cost = 0;
  for (size_t i = 0; i < tables.size(); ++i) {
    const uint64_t more = 2 * pieces[i];
    const double cost = PieceCost(tables[i], pieces[i]);
    if (more <= tables[i].max_pieces &&
        tables[i].bytes / more >= min_piece_bytes && cost > largest_cost) {
      largest = i;
      largest_cost = cost;
    }
  }
  return largest;
}

}  // namespace

std::vector<uint64_t> PlanPieces(const std::vector<PlannedTable>& tables,
                                 const PiecePlanOptions& options) {
  std::vector<uint64_t> best(tables.size(), 1);
  if (options.sessions < 2 || tables.empty()) return best;
  double total = 0;
  for (const PlannedTable& table : tables) total += PieceCost(table, 1);
  const double share = total / options.sessions;
  std::vector<uint64_t> pieces = best;
  double best_end = LastEnd(tables, best, options.sessions);
  while (best_end > kEnough * share) {
    const size_t next = NextToCut(tables, pieces, options.min_piece_bytes);
    if (next == tables.size() ||
        PieceCost(tables[next], pieces[next]) < kFinestShare * share) {
      break;
    }
    pieces[next] *= 2;
    const double end = LastEnd(tables, pieces, options.sessions);
    if (end < kGain * best_end) {
      best = pieces;
      best_end = end;
    }
  }
  return best;
}

}  // namespace sluice::postgres
