#include "sluice/plugins/postgres/restore/blob_restorer.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/client/quote.h"
#include "sluice/plugins/postgres/database/database_properties.h"

namespace sluice::postgres {
namespace {

// Each holds a lock until its transaction ends, and the table of locks is
// small.
constexpr size_t kBlobsPerTransaction = 200;

}  // namespace

absl::Status BlobRestorer::Create(const std::vector<PayloadBlob>& batch) {
  sizes_.clear();
  std::string sql;
  for (size_t i = 0; i < batch.size(); ++i) {
    sizes_.emplace(batch[i].oid, 0);
    sql += CreateSql(batch[i]);
    if ((i + 1) % kBlobsPerTransaction != 0 && i + 1 != batch.size()) continue;
    const absl::Status made = connection_.Exec(std::exchange(sql, "")).status();
    if (!made.ok()) return Annotate(made, "create large objects");
  }
  return absl::OkStatus();
}

std::string BlobRestorer::CreateSql(const PayloadBlob& blob) const {
  const std::string object = absl::StrCat("LARGE OBJECT ", blob.oid);
  std::string sql =
      absl::StrCat("SELECT pg_catalog.lo_create(", blob.oid, "); ");
  if (!options_.no_owner) {
    absl::StrAppend(&sql, "ALTER ", object, " OWNER TO ",
                    QuoteIdentifier(blob.owner), "; ");
  }
  // Rights are the owner's to give, so without it there are none.
  if (!options_.no_owner && !options_.no_privileges) {
    absl::StrAppend(&sql, GrantSql(object, blob.owner, blob.grants));
  }
  if (!blob.comment.empty()) {
    absl::StrAppend(&sql, "COMMENT ON ", object, " IS ",
                    QuoteLiteral(blob.comment), "; ");
  }
  return sql;
}

absl::Status BlobRestorer::Append(uint32_t oid, uint64_t part,
                                  absl::string_view bytes) {
  uint64_t& size = sizes_[oid];
  const absl::Status put =
      connection_
          .ExecParams(absl::StrCat("SELECT pg_catalog.lo_put(", oid, ", ", size,
                                   ", $1)"),
                      {Param(bytes, Format::kBinary)})
          .status();
  if (!put.ok()) return Annotate(put, absl::StrCat("large object ", oid));
  size += bytes.size();
  digest_.AddPart(oid, part, bytes);
  return absl::OkStatus();
}

absl::Status BlobRestorer::Compare(const PayloadBlobTotals& totals) const {
  if (totals.bytes == digest_.bytes() && totals.digest == digest_.Hex()) {
    return absl::OkStatus();
  }
  return MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                   "the large objects are not those that the source read");
}

}  // namespace sluice::postgres
