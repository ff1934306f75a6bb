#ifndef SLUICE_DESTINATIONS_ARCHIVE_TESTING_ARCHIVE_FIXTURE_H_
#define SLUICE_DESTINATIONS_ARCHIVE_TESTING_ARCHIVE_FIXTURE_H_

// Small things that tests of archives share.

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/destinations/archive/archive_destination.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/executor/models.pb.h"

namespace sluice {

inline constexpr absl::string_view kTestRepoId = "01ARZ3NDEKTSV4RRFFQ69G5FAA";

// The id of test archive `number`, 0 to 99. Ascending.
std::string TestId(int number);
// A manifest as the executor begins it.
Manifest TestManifest(absl::string_view backup_id);
// `size` bytes that differ by `seed`.
std::string TestPayload(size_t size, int seed);
// Makes `store` the repo kTestRepoId.
absl::Status InitTestRepo(ObjectStore& store);
// Options for kTestRepoId with segments of 16 bytes.
ArchiveOptions TestOptions();

// Publishes `payload` with payload ids "a" and "b" as archive `backup_id`.
absl::Status PutTestBackup(ArchiveDestination& archives,
                           absl::string_view backup_id,
                           absl::string_view payload);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_TESTING_ARCHIVE_FIXTURE_H_
