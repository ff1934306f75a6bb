#ifndef SLUICE_PLUGINS_BADGER_IMAGE_VERSION_READER_H_
#define SLUICE_PLUGINS_BADGER_IMAGE_VERSION_READER_H_

// Every stored version of every key of an image, or of those in a range: keys
// ascending, of each key the newest version first. Made by Image::ReadVersions,
// see image.h.
//
// One thread. After an error of Next it is not used again; an error of
// ReadValue concerns that value alone, and says whether it is damaged or, of a
// version that is not live (an older one, or an expired one), no longer there
// (IsDangling, image_error.h): Badger's collector drops the values of those.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/plugins/badger/format/entry_source.h"
#include "sluice/plugins/badger/image/value_logs.h"
#include "sluice/plugins/badger/sort/merge.h"

namespace sluice {
namespace badger {

// The keys from `begin` on and below `end`.
struct KeyRange {
  std::string begin;
  std::string end;  // empty: to the last
};

class VersionReader {
 public:
  // The sources of one merge, the newest first: logs, the tables that MANIFEST
  // lists, and tables that it never named. Of those a crash leaves what a flush
  // or a compaction had written but not yet entered: nothing in them is new. So
  // a version that no other source holds shows that MANIFEST lost its end, and
  // so do two of them that repeat the logs: flushes are entered one by one.
  struct Sources {
    std::vector<std::unique_ptr<EntrySource>> all;
    size_t first_table = 0;
    size_t first_stray = 0;
  };

  // `moves`: the same again where the format has moved entries (7), else none.
  VersionReader(std::unique_ptr<ValueLogs> logs, Sources sources, Sources moves,
                KeyRange range, bool show_internal_keys);

  absl::Status Start();
  absl::Status Next();
  bool Valid() const { return merge_.Valid() && !has_ended_; }

  // Of the version here; live until Next.
  absl::string_view key() const { return merge_.key().user_key; }
  uint64_t version() const { return merge_.key().version; }
  // kMetaDelete, kMetaDiscardEarlier, kMetaMergeEntry (entry.h).
  uint8_t meta() const { return newest().meta & kMetaMeaning; }
  uint8_t user_meta() const { return newest().user_meta; }
  uint64_t expires_at() const { return newest().expires_at; }
  bool is_deleted() const { return (newest().meta & kMetaDelete) != 0; }

  // What each source that holds the version says of its value, the newest
  // first.
  const std::vector<StoredValue>& values() const { return merge_.values(); }

  // Replaces `value`. A tombstone's is empty.
  absl::Status ReadValue(std::string& value);
  // The same of a version that is no tombstone and was passed before, by its
  // values(), whose bytes are still there. Values are read in the order of
  // their versions, in whichever way.
  absl::Status ReadValue(const InternalKey& key,
                         absl::Span<const StoredValue> values,
                         std::string& value);

  ValueLogs& logs() const { return *logs_; }

  // Values that the newest source's pointer did not lead to, but another
  // source's did: rewritten by the value log's collector.
  uint64_t values_found_elsewhere() const { return found_elsewhere_; }

 private:
  const StoredValue& newest() const { return merge_.values().front(); }
  // Passes over what is not to be shown.
  absl::Status Settle();
  absl::Status CheckStrays();
  absl::Status ReadFrom(const InternalKey& key,
                        absl::Span<const StoredValue> values,
                        std::string& value);
  // Brings moves_ to `key`, moved; whether it is there.
  absl::StatusOr<bool> FindMoved(const InternalKey& key);

  std::unique_ptr<ValueLogs> logs_;
  Sources sources_;
  Sources move_sources_;
  Merge merge_;
  Merge moves_;
  const KeyRange range_;
  const bool show_internal_keys_;
  bool has_ended_ = false;  // the merge is behind the range
  uint64_t found_elsewhere_ = 0;
  std::set<size_t> flushed_strays_;  // that repeat the logs
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_IMAGE_VERSION_READER_H_
