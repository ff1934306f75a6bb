#ifndef SLUICE_PLUGINS_POSTGRES_BACKUP_PIECE_PLAN_H_
#define SLUICE_PLUGINS_POSTGRES_BACKUP_PIECE_PLAN_H_

// In how many pieces each table is read, so that several sessions end at about
// the same time.
//
//   PlanPieces({{.bytes = 900}, {.bytes = 100}}, {.sessions = 2}) == {2, 1}
//
// A table is cut only where the balance gains by it. A server reads a whole
// large table through a small ring of its buffers, and a range of it through
// all of them; so a piece is taken to cost a fifth more than its share of the
// whole, and a plan with more pieces must end a tenth earlier.
//
// The tasks are taken the largest first, by whoever is free; the plan follows
// that. Cost: n log n for each cut, of which there are few.

#include <cstdint>
#include <vector>

namespace sluice::postgres {

struct PlannedTable {
  uint64_t bytes = 0;
  uint64_t max_pieces = 1;  // at least 1
  // How long it takes, in any unit that is the same for all; 0: as its bytes.
  uint64_t cost = 0;
};

struct PiecePlanOptions {
  int sessions = 1;
  uint64_t min_piece_bytes = 0;
};

// A number for each table, from 1 to its max_pieces.
std::vector<uint64_t> PlanPieces(const std::vector<PlannedTable>& tables,
                                 const PiecePlanOptions& options);

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_BACKUP_PIECE_PLAN_H_
