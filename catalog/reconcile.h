#ifndef SLUICE_CATALOG_RECONCILE_H_
#define SLUICE_CATALOG_RECONCILE_H_

// Makes a catalog and a repo agree again after a crash, a lost disk, a restored
// catalog.
//
// Example:
//
//   ReconcileOptions options{.adopt = true};
//   SLUICE_ASSIGN_OR_RETURN(
//       const ReconcileReport report,
//       Reconcile(context, *catalog, repo, archives, options));
//   for (const ReconcileFinding& finding : report.findings) {
//     std::cout << finding.message << "\n";
//   }
//
// found                                  | done
// ---------------------------------------|-------------------------------------
// dead backup job, archive not published | archive's name fenced, then
//                                        | `interrupted`
// dead backup job, archive published     | verified; record, `succeeded`; where
//                                        | damaged, `failed`
// dead restore job                       | `interrupted`
// job with a live lease or writer        | left alone, and its archive
// archive of ours without a record       | shown; with adopt verified, recorded
// another catalog's archive              | left alone; with adopt_foreign or
//                                        | adopt_all as ours with adopt
// archive to adopt, damaged              | recorded as damaged, so that nobody
//                                        | takes it for the latest
// record without an archive              | shown; with forget deleted
// archive with a record, damaged         | marked in the record (its manifest
//                                        | is always read; all of it with
//                                        | verify)
//
// A terminal job is never changed. A dead job's archive is fenced before the
// job is ended, so that an owner who was only stopped can publish nothing
// afterwards. Safe beside every other verb, from any process; two at once share
// the work.
//
// Any thread; catalog and archives are borrowed for the call. Errors: at the
// function. Cost: lists the repo, reads the jobs of the repo that are not
// terminal and its records, and reads whole each archive that it verifies.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/clock.h"
#include "sluice/catalog/catalog.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"

namespace sluice {

// The repo as reconcile sees it; the archive stage answers. Errors carry
// destination_* and archive_* words. Used by one thread.
class ArchiveView {
 public:
  virtual ~ArchiveView() = default;

  struct Entry {
    std::string backup_id;
    // archive_damaged, archive_unsupported: it is there and cannot be read.
    absl::StatusOr<Manifest> manifest;
  };
  // Every published archive. An error unless the place is the repo that the
  // catalog means and all of it could be read.
  virtual absl::StatusOr<std::vector<Entry>> List(const Context& context) = 0;
  // Reads all of it. archive_damaged, archive_not_found.
  virtual absl::StatusOr<Manifest> Verify(const Context& context,
                                          absl::string_view backup_id) = 0;
  // Whether its writer has given a sign of life within the grace window.
  virtual absl::StatusOr<bool> WriterAlive(const Context& context,
                                           absl::string_view backup_id) = 0;
  enum class Fenced { kFenced, kPublished };
  // Takes the name of the manifest with a tombstone, unless a manifest is
  // there, and takes away at once what the dead attempt left. Idempotent: a
  // tombstone that is there is kFenced.
  virtual absl::StatusOr<Fenced> Fence(const Context& context,
                                       absl::string_view backup_id,
                                       absl::string_view reason) = 0;
  virtual absl::StatusOr<bool> IsPublished(const Context& context,
                                           absl::string_view backup_id) = 0;
};

struct ReconcileOptions {
  bool adopt = false;
  bool forget = false;
  // Ids of the catalogs whose archives are adopted too.
  std::vector<std::string> adopt_foreign;
  // Adopts the archives of every catalog: after the catalog was lost, as a new
  // one has another id.
  bool adopt_all = false;
  // Reads every archive that has a record. Costs as much as `verify` of all.
  bool verify = false;
  Clock* clock = Clock::Real();
};

struct ReconcileFinding {
  enum class Kind {
    kJobInterrupted,
    kJobSucceeded,  // with its record
    kJobFailed,     // its archive was published and is damaged
    kJobAlive,
    kArchiveWithoutRecord,
    kArchiveAdopted,
    kArchiveForeign,
    kRecordWithoutArchive,
    kRecordForgotten,
    kDamagedArchive,
    kProblem,  // could not be settled; run reconcile again
  };
  Kind kind = Kind::kProblem;
  std::string id;       // of the job, archive or record
  std::string message;  // one line for people
  absl::Status status;  // of a problem or damage
};

// "job_interrupted", ...: for machines, stable.
absl::string_view WordOf(ReconcileFinding::Kind kind);

struct ReconcileReport {
  std::vector<ReconcileFinding> findings;

  int Count(ReconcileFinding::Kind kind) const;
  // OK: all that was to be settled is. Else the first problem.
  absl::Status status() const;
};

// The record of a published archive.
BackupRecord RecordOf(const Manifest& manifest, const BackupRepo& repo,
                      absl::Time now);

// An error only where the repo or the catalog could not be read; then nothing
// was changed. What fails for one archive or job is a finding.
absl::StatusOr<ReconcileReport> Reconcile(const Context& context,
                                          Catalog& catalog,
                                          const BackupRepo& repo,
                                          ArchiveView& archives,
                                          const ReconcileOptions& options);

}  // namespace sluice

#endif  // SLUICE_CATALOG_RECONCILE_H_
