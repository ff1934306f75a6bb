#ifndef SLUICE_PLUGINS_POSTGRES_BACKUP_BLOB_COPIER_H_
#define SLUICE_PLUGINS_POSTGRES_BACKUP_BLOB_COPIER_H_

// Large objects into a payload: batch by batch, first the batch's owners,
// rights and comments, then its objects' parts.
//
// Any number of them: a batch is one query for their metadata, and one for the
// first part of each, which is all of most. Memory: a batch's metadata and one
// part. One thread, as the connection; under its snapshot.

#include "absl/status/statusor.h"
#include "sluice/plugins/postgres/backup/part_writer.h"
#include "sluice/plugins/postgres/client/connection.h"
#include "sluice/plugins/postgres/payload/payload_index.h"

namespace sluice::postgres {

absl::StatusOr<PayloadBlobTotals> CopyBlobs(Connection& connection,
                                            PartWriter& parts);

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_BACKUP_BLOB_COPIER_H_
