#ifndef SLUICE_PLUGINS_POSTGRES_PAYLOAD_PAYLOAD_FORMAT_H_
#define SLUICE_PLUGINS_POSTGRES_PAYLOAD_PAYLOAD_FORMAT_H_

// The names and limits of docs/format/postgres-payload.md, for its writer and
// its reader alike. Pure functions and constants; any thread.
//
//   DataPartName(12, 0) == "data/12/000000.copy"
//   ParseMemberName("blobs/16401/000003")
//       == PayloadMember{PayloadMember::Kind::kBlobPart, 16401, 3}

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace sluice {
namespace postgres {

inline constexpr int kPayloadVersion = 1;

inline constexpr absl::string_view kHeadName = "sluice-postgres.json";
inline constexpr absl::string_view kSchemaDumpName = "schema.dump";
inline constexpr absl::string_view kSchemaSqlName = "schema.sql";
inline constexpr absl::string_view kIndexName = "index.json";

// Rows fill a part up to this; a larger row is a part alone.
inline constexpr size_t kRowPartBytes = 1 << 20;
// Of a large object, but for its last.
inline constexpr size_t kBlobPartBytes = 4 << 20;
// No row of PostgreSQL is larger, so no part need be.
inline constexpr uint64_t kMaxPartBytes = 0x3fffffff;
// Of each of the JSON documents.
inline constexpr uint64_t kMaxDocumentBytes = 64 << 20;
// Large objects whose metadata is one document.
inline constexpr size_t kMaxBlobsPerBatch = 10'000;

// How the rows of a table travel.
enum class CopyFormat { kText, kBinary };

// What a binary COPY begins with (part 0), and ends with (the last part).
inline constexpr absl::string_view kCopyHeader(
    "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
inline constexpr absl::string_view kCopyTrailer("\377\377", 2);

// What a member of the payload is, by its name.
struct PayloadMember {
  enum class Kind {
    kHead,
    kSchemaDump,
    kSchemaSql,
    kDataPart,
    kBlobBatch,
    kBlobPart,
    kIndex
  };
  Kind kind = Kind::kHead;
  uint64_t id = 0;    // of the table, the oid of the large object, the batch
  uint64_t part = 0;  // of the table or the large object
};

std::string DataPartName(uint64_t table_id, uint64_t part);
std::string BlobBatchName(uint64_t batch);
std::string BlobPartName(uint32_t oid, uint64_t part);

// The opposite; nothing for a name that the page does not know, or that it
// would write otherwise ("data/01/0.copy").
absl::optional<PayloadMember> ParseMemberName(absl::string_view name);

}  // namespace postgres
}  // namespace sluice

#endif  // SLUICE_PLUGINS_POSTGRES_PAYLOAD_PAYLOAD_FORMAT_H_
