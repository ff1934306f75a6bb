#include "sluice/destinations/archive/testing/archive_fixture.h"

#include "absl/strings/str_format.h"
#include "sluice/destinations/archive/protocol/repo.h"
#include "sluice/destinations/archive/testing/fake_payload.h"
#include "sluice/executor/context.h"

namespace sluice {

std::string TestId(int number) {
  return absl::StrFormat("01ARZ3NDEKTSV4RRFFQ69G5X%02d", number);
}

Manifest TestManifest(absl::string_view backup_id) {
  Manifest manifest;
  manifest.set_backup_id(std::string(backup_id));
  manifest.set_created_at("2026-11-22T10:00:00.000Z");
  manifest.set_store_id("orders");
  manifest.set_store_kind("memory");
  manifest.set_catalog_id("01ARZ3NDEKTSV4RRFFQ69G5CAT");
  manifest.set_job_id("01ARZ3NDEKTSV4RRFFQ69G5J0B");
  return manifest;
}

std::string TestPayload(size_t size, int seed) {
  std::string bytes(size, '\0');
  uint32_t state = 2463534242u + static_cast<uint32_t>(seed);
  for (char& byte : bytes) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

absl::Status InitTestRepo(ObjectStore& store) {
  RepoInfo repo;
  repo.id = std::string(kTestRepoId);
  repo.created_at = "2026-11-22T09:00:00.000Z";
  return InitRepo(Context::Background(), store, repo).status();
}

ArchiveOptions TestOptions() {
  ArchiveOptions options;
  options.repo_id = std::string(kTestRepoId);
  options.segment_bytes = 16;
  options.read_ahead.chunk_bytes = 4096;
  options.read_ahead.chunks = 4;
  return options;
}

absl::Status PutTestBackup(ArchiveDestination& archives,
                           absl::string_view backup_id,
                           absl::string_view payload) {
  CannedPayload source{std::string(payload)};
  source.SetIds({"a", "b"});
  Manifest manifest = TestManifest(backup_id);
  return archives.PutBackup(Context::Background(), manifest, source, {});
}

}  // namespace sluice
