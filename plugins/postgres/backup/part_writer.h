#ifndef SLUICE_PLUGINS_POSTGRES_BACKUP_PART_WRITER_H_
#define SLUICE_PLUGINS_POSTGRES_BACKUP_PART_WRITER_H_

// Puts what several threads read into one tar, one member at a time: parts of
// tables in whatever order they come, numbered as they come.
//
//   PartWriter parts(sink, tables);
//   parts.Expect(table, 2);                       // it is read in two pieces
//   ... on each thread:
//   SLUICE_RETURN_IF_ERROR(parts.AddRows(table, rows));
//   SLUICE_RETURN_IF_ERROR(parts.EndPiece(table, digest));
//
// The binary header is written before a table's first rows, the trailer after
// its last piece, so that the parts joined are what COPY reads. Thread-safe,
// but for Expect, which comes before. Blocks while the sink does. Memory: a
// digest a table.

#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/base/mutex.h"
#include "sluice/plugins/postgres/backup/table_list.h"
#include "sluice/plugins/postgres/payload/payload_index.h"
#include "sluice/plugins/postgres/payload/row_digest.h"
#include "sluice/plugins/postgres/payload/tar_writer.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice::postgres {

class PartWriter {
 public:
  // Borrows all three; the tar is between members.
  PartWriter(TarWriter& tar, sdk::Sink& sink,
             const std::vector<SourceTable>& tables);

  // Table number `table` of the list is read in `pieces`, at least one.
  void Expect(size_t table, int pieces);
  // Whole rows, at least one.
  absl::Status AddRows(size_t table, absl::string_view rows);
  absl::Status EndPiece(size_t table, const RowDigest& digest);

  // Another member.
  absl::Status AddMember(absl::string_view name, absl::string_view bytes);
  absl::Status AddPayloadIds(absl::Span<const absl::string_view> ids);

  // Once every piece has ended.
  std::vector<PayloadTableTotals> Totals();

 private:
  struct Progress {
    int pieces = 0;  // still to end
    uint64_t parts = 0;
    RowDigest digest;
  };

  absl::Status AddPart(size_t table, absl::string_view bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsBinary(size_t table) const {
    return tables_[table].table.format == CopyFormat::kBinary;
  }

  const std::vector<SourceTable>& tables_;
  Mutex mutex_;
  TarWriter& tar_ ABSL_GUARDED_BY(mutex_);
  sdk::Sink& sink_ ABSL_GUARDED_BY(mutex_);
  std::vector<Progress> progress_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_BACKUP_PART_WRITER_H_
