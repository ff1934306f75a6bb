#ifndef SLUICE_PLUGINS_BADGER_STREAM_BACKUP_INDEX_H_
#define SLUICE_PLUGINS_BADGER_STREAM_BACKUP_INDEX_H_

// The index that a backup leaves for the increment on it: which versions of
// which keys were alive, each with a fingerprint of all that there is to it
// (docs/format/badger-payload.md). A full backup's lists every key; an
// increment's those whose list is another than the one before it said, a key
// that is gone with an empty list. So what is known of a chain is the lists of
// its indexes, the last that names a key having the word.
//
//   IndexWriter index([&](absl::string_view bytes) {
//     return sink.WriteIndex(bytes);
//   });
//   SLUICE_RETURN_IF_ERROR(index.Add(record));     // keys ascend
//   SLUICE_RETURN_IF_ERROR(index.Finish());
//
//   IndexChain chain(request.base_indexes);
//   SLUICE_RETURN_IF_ERROR(chain.Start());
//   while (chain.Valid()) {
//     Use(chain.record());
//     SLUICE_RETURN_IF_ERROR(chain.Next());
//   }
//
// Bytes from a place are not trusted: an index that is no index is
// archive_damaged. It is proven only once Valid() is false. Memory: a record
// and some 64 KiB for each index, below 40 MiB for one of keys as long as can
// be. One thread.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice {
namespace badger {

// Of a key; a longer history is cut, and says so.
inline constexpr size_t kMaxIndexedVersions = 1024;

struct IndexedVersion {
  uint64_t version = 0;
  uint64_t expires_at = 0;   // seconds since 1970; 0: never
  uint64_t fingerprint = 0;  // FingerprintOf (live_digest.h)
};

struct IndexRecord {
  std::string key;
  // What is alive, the newest first. None: the key is gone.
  std::vector<IndexedVersion> versions;
  bool is_cut = false;  // there are more
};

class IndexWriter {
 public:
  using Output = std::function<absl::Status(absl::string_view)>;

  explicit IndexWriter(Output output) : output_(std::move(output)) {}

  absl::Status Add(const IndexRecord& record);
  absl::Status Finish();

 private:
  const Output output_;
  bool has_begun_ = false;
  std::string last_key_;
  std::string buffer_;
};

class IndexReader {
 public:
  // Borrows `index`, from its first byte.
  explicit IndexReader(sdk::Payload& index) : index_(index) {}

  // Goes to the first, then to the next.
  absl::Status Next();
  bool Valid() const { return is_valid_; }
  const IndexRecord& record() const { return record_; }

 private:
  enum class Parsed { kRecord, kMore, kDamaged };

  Parsed Parse(absl::string_view bytes, size_t& used);
  absl::Status ReadHead();
  // More bytes behind those that are there; false at the end.
  absl::StatusOr<bool> Fill();

  sdk::Payload& index_;
  bool has_begun_ = false;
  bool at_end_ = false;
  bool is_valid_ = false;
  std::string buffer_;
  size_t used_ = 0;  // of the buffer
  IndexRecord record_;
  IndexRecord parsed_;
};

class IndexChain {
 public:
  // Borrows all of them, the full backup's first.
  explicit IndexChain(absl::Span<sdk::Payload* const> indexes);

  absl::Status Start();
  absl::Status Next();
  bool Valid() const { return !heap_.empty(); }
  // Live until Next.
  const IndexRecord& record() const { return readers_[heap_[0]]->record(); }

 private:
  // Whether reader `a` comes after `b`: of one key the last index comes first.
  bool After(size_t a, size_t b) const;
  absl::Status Advance(size_t reader);
  size_t Pop();

  std::vector<std::unique_ptr<IndexReader>> readers_;
  std::vector<size_t> heap_;  // those that are not at their end
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_STREAM_BACKUP_INDEX_H_
