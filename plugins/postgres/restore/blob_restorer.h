#ifndef SLUICE_PLUGINS_POSTGRES_RESTORE_BLOB_RESTORER_H_
#define SLUICE_PLUGINS_POSTGRES_RESTORE_BLOB_RESTORER_H_

// Makes large objects anew, under their oids, with owner, rights and comment.
//
//   BlobRestorer blobs(*connection, options);
//   SLUICE_RETURN_IF_ERROR(blobs.Create(batch));
//   SLUICE_RETURN_IF_ERROR(blobs.Append(oid, part, bytes));
//   SLUICE_RETURN_IF_ERROR(blobs.Compare(index.blobs));
//
// Parts of an object come in order. Holds the oids of the last batch. One
// thread. Errors are the connection's.

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/postgres/client/connection.h"
#include "sluice/plugins/postgres/payload/payload_index.h"
#include "sluice/plugins/postgres/payload/row_digest.h"
#include "sluice/plugins/postgres/restore/restore_options.h"

namespace sluice::postgres {

class BlobRestorer {
 public:
  // Borrows both.
  BlobRestorer(Connection& connection, const RestoreOptions& options)
      : connection_(connection), options_(options) {}

  absl::Status Create(const std::vector<PayloadBlob>& batch);
  absl::Status Append(uint32_t oid, uint64_t part, absl::string_view bytes);
  // archive_damaged where what came is not what the source counted.
  absl::Status Compare(const PayloadBlobTotals& totals) const;

 private:
  std::string CreateSql(const PayloadBlob& blob) const;

  Connection& connection_;
  const RestoreOptions& options_;
  std::unordered_map<uint32_t, uint64_t> sizes_;  // of the last batch
  BlobDigest digest_;
};

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_RESTORE_BLOB_RESTORER_H_
