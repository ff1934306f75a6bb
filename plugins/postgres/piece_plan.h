#ifndef SLUICE_PLUGINS_POSTGRES_PIECE_PLAN_H_
#define SLUICE_PLUGINS_POSTGRES_PIECE_PLAN_H_

// In how many pieces each table is read, so that several sessions end at about
// the same time.
//
//   PlanPieces({{.bytes = 900}, {.bytes = 100}}, {.sessions = 2}) == {2, 1}
//
// A table is cut only where the balance needs it: a server reads a whole large
// table through a small ring of its buffers, but a range of it through all of
// them, which costs time and pushes out what others use.
//
// The tasks are taken the largest first, by whoever is free; the plan follows
// that. Cost: n log n for each cut, of which there are few.

#include <cstdint>
#include <vector>

namespace sluice::postgres {

struct PlannedTable {
  uint64_t bytes = 0;
  uint64_t max_pieces = 1;  // at least 1
};

struct PiecePlanOptions {
  int sessions = 1;
  uint64_t min_piece_bytes = 0;
};

// A number for each table, from 1 to its max_pieces.
std::vector<uint64_t> PlanPieces(const std::vector<PlannedTable>& tables,
                                 const PiecePlanOptions& options);

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_PIECE_PLAN_H_
