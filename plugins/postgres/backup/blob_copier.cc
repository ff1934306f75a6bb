#include "sluice/plugins/postgres/backup/blob_copier.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/backup/row_copier.h"
#include "sluice/plugins/postgres/client/sql_error.h"
#include "sluice/plugins/postgres/payload/payload_format.h"
#include "sluice/plugins/postgres/payload/row_digest.h"

namespace sluice::postgres {
namespace {

// The metadata after `last`, without the rights.
absl::StatusOr<std::vector<PayloadBlob>> NextBatch(Connection& connection,
                                                   uint32_t last) {
  SLUICE_ASSIGN_OR_RETURN(
      const Result rows,
      connection.Exec(absl::StrCat(
          "SELECT oid, pg_catalog.pg_get_userbyid(lomowner), lomacl IS NULL,"
          " pg_catalog.obj_description(oid, 'pg_largeobject')"
          " FROM pg_catalog.pg_largeobject_metadata WHERE oid > ",
          last, " ORDER BY oid LIMIT ", kMaxBlobsPerBatch)));
  std::vector<PayloadBlob> blobs;
  for (int row = 0; row < rows.rows(); ++row) {
    PayloadBlob blob;
    blob.oid = static_cast<uint32_t>(rows.Integer(row, 0));
    blob.owner = rows.Text(row, 1);
    if (!rows.Bool(row, 2)) blob.grants.emplace();
    blob.comment = rows.Text(row, 3);
    blobs.push_back(std::move(blob));
  }
  return blobs;
}

absl::Status AddGrants(Connection& connection,
                       std::vector<PayloadBlob>& blobs) {
  SLUICE_ASSIGN_OR_RETURN(
      const Result rows,
      connection.Exec(
          absl::StrCat("SELECT m.oid, pg_catalog.pg_get_userbyid(a.grantor),"
                       " CASE WHEN a.grantee = 0 THEN ''"
                       "  ELSE pg_catalog.pg_get_userbyid(a.grantee) END,"
                       " a.privilege_type, a.is_grantable"
                       " FROM pg_catalog.pg_largeobject_metadata m"
                       " CROSS JOIN LATERAL pg_catalog.aclexplode(m.lomacl)"
                       " WITH ORDINALITY AS a"
                       " (grantor, grantee, privilege_type, is_grantable, n)"
                       " WHERE m.oid BETWEEN ",
                       blobs.front().oid, " AND ", blobs.back().oid,
                       " ORDER BY m.oid, a.n")));
  size_t i = 0;
  for (int row = 0; row < rows.rows(); ++row) {
    const auto oid = static_cast<uint32_t>(rows.Integer(row, 0));
    while (blobs[i].oid != oid) ++i;
    blobs[i].grants->push_back({rows.Text(row, 1), rows.Text(row, 2),
                                rows.Text(row, 3), rows.Bool(row, 4)});
  }
  return absl::OkStatus();
}

class BlobCopier {
 public:
  BlobCopier(Connection& connection, PartWriter& parts)
      : connection_(connection), parts_(parts) {}

  absl::Status CopyBatch(const std::vector<PayloadBlob>& blobs) {
    SLUICE_ASSIGN_OR_RETURN(const std::string document, WriteBlobBatch(blobs));
    SLUICE_RETURN_IF_ERROR(
        parts_.AddMember(BlobBatchName(batches_++), document));
    totals_.count += blobs.size();
    std::vector<uint32_t> longer;
    SLUICE_RETURN_IF_ERROR(CopyFirstParts(blobs, longer));
    for (const uint32_t oid : longer) {
      SLUICE_RETURN_IF_ERROR(CopyOtherParts(oid));
    }
    return absl::OkStatus();
  }
  PayloadBlobTotals Totals() const {
    PayloadBlobTotals totals = totals_;
    totals.bytes = digest_.bytes();
    totals.digest = digest_.Hex();
    return totals;
  }

 private:
  // Of most it is all; `longer` are those that may go on.
  absl::Status CopyFirstParts(const std::vector<PayloadBlob>& blobs,
                              std::vector<uint32_t>& longer) {
    const std::string oids = absl::StrJoin(
        blobs, ",", [](std::string* out, const PayloadBlob& blob) {
          absl::StrAppend(out, blob.oid);
        });
    const std::string sql =
        absl::StrCat("COPY (SELECT b.oid, pg_catalog.lo_get(b.oid, 0, ",
                     kBlobPartBytes, ") FROM unnest('{", oids,
                     "}'::pg_catalog.oid[]) AS b (oid)) TO STDOUT "
                     "(FORMAT binary)");
    return ForEachTuple(
        connection_, sql, [&](absl::string_view tuple) -> absl::Status {
          SLUICE_ASSIGN_OR_RETURN(const std::vector<absl::string_view> fields,
                                  TupleFields(tuple, 2));
          uint32_t oid = 0;
          for (const unsigned char byte : fields[0]) oid = oid << 8 | byte;
          if (fields[1].size() >= kBlobPartBytes) longer.push_back(oid);
          return AddPart(oid, 0, fields[1]);
        });
  }
  absl::Status CopyOtherParts(uint32_t oid) {
    for (uint64_t part = 1;; ++part) {
      SLUICE_ASSIGN_OR_RETURN(
          const Result bytes,
          connection_.ExecParams(
              absl::StrCat("SELECT pg_catalog.lo_get(", oid, ", ",
                           part * kBlobPartBytes, ", ", kBlobPartBytes, ")"),
              {}, Format::kBinary));
      SLUICE_RETURN_IF_ERROR(AddPart(oid, part, bytes.Get(0, 0)));
      if (bytes.Get(0, 0).size() < kBlobPartBytes) return absl::OkStatus();
    }
  }
  absl::Status AddPart(uint32_t oid, uint64_t part, absl::string_view bytes) {
    if (bytes.empty()) return absl::OkStatus();
    digest_.AddPart(oid, part, bytes);
    ++totals_.parts;
    return parts_.AddMember(BlobPartName(oid, part), bytes);
  }

  Connection& connection_;
  PartWriter& parts_;
  uint64_t batches_ = 0;
  PayloadBlobTotals totals_;
  BlobDigest digest_;
};

}  // namespace

absl::StatusOr<PayloadBlobTotals> CopyBlobs(Connection& connection,
                                            PartWriter& parts) {
  BlobCopier copier(connection, parts);
  uint32_t last = 0;
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(std::vector<PayloadBlob> blobs,
                            NextBatch(connection, last));
    if (blobs.empty()) return copier.Totals();
    last = blobs.back().oid;
    SLUICE_RETURN_IF_ERROR(AddGrants(connection, blobs));
    absl::Status status = NameObject(copier.CopyBatch(blobs), "large objects");
    if (status.code() == absl::StatusCode::kPermissionDenied) {
      status = WithHint(std::move(status),
                        "pg_read_all_data does not reach them: GRANT SELECT ON "
                        "LARGE OBJECT, or back up as their owner or a "
                        "superuser");
    }
    SLUICE_RETURN_IF_ERROR(status);
  }
}

}  // namespace sluice::postgres
