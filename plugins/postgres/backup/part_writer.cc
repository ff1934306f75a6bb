#include "sluice/plugins/postgres/backup/part_writer.h"

#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/payload/payload_format.h"

namespace sluice::postgres {

PartWriter::PartWriter(TarWriter& tar, sdk::Sink& sink,
                       const std::vector<SourceTable>& tables)
    : tables_(tables), tar_(tar), sink_(sink), progress_(tables.size()) {}

void PartWriter::Expect(size_t table, int pieces) {
  MutexLock lock(mutex_);
  progress_[table].pieces = pieces;
}

absl::Status PartWriter::AddPart(size_t table, absl::string_view bytes) {
  return tar_.Add(
      DataPartName(tables_[table].table.id, progress_[table].parts++), bytes);
}

absl::Status PartWriter::AddRows(size_t table, absl::string_view rows) {
  MutexLock lock(mutex_);
  if (IsBinary(table) && progress_[table].parts == 0) {
    SLUICE_RETURN_IF_ERROR(AddPart(table, kCopyHeader));
  }
  return AddPart(table, rows);
}

absl::Status PartWriter::EndPiece(size_t table, const RowDigest& digest) {
  MutexLock lock(mutex_);
  Progress& progress = progress_[table];
  progress.digest.Merge(digest);
  if (--progress.pieces > 0 || !IsBinary(table)) return absl::OkStatus();
  if (progress.parts == 0) {
    SLUICE_RETURN_IF_ERROR(AddPart(table, kCopyHeader));
  }
  return AddPart(table, kCopyTrailer);
}

absl::Status PartWriter::AddMember(absl::string_view name,
                                   absl::string_view bytes) {
  MutexLock lock(mutex_);
  return tar_.Add(name, bytes);
}

absl::Status PartWriter::AddPayloadIds(
    absl::Span<const absl::string_view> ids) {
  MutexLock lock(mutex_);
  return sink_.AddPayloadIds(ids);
}

std::vector<PayloadTableTotals> PartWriter::Totals() {
  MutexLock lock(mutex_);
  std::vector<PayloadTableTotals> totals;
  totals.reserve(tables_.size());
  for (size_t i = 0; i < tables_.size(); ++i) {
    const Progress& progress = progress_[i];
    totals.push_back({tables_[i].table.id, progress.digest.rows(),
                      progress.digest.bytes(), progress.parts,
                      progress.digest.Hex()});
  }
  return totals;
}

}  // namespace sluice::postgres
