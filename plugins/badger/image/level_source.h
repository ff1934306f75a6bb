#ifndef SLUICE_PLUGINS_BADGER_IMAGE_LEVEL_SOURCE_H_
#define SLUICE_PLUGINS_BADGER_IMAGE_LEVEL_SOURCE_H_

// The tables of a level above 0 as one sorted run: they do not overlap, so one
// after the other is open.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/badger/format/entry_source.h"
#include "sluice/plugins/badger/format/table.h"

namespace sluice {
namespace badger {

// One thread. Memory: that of one table, and the first key of each. Errors:
// source_failed where the tables overlap after all.
class LevelSource final : public EntrySource {
 public:
  struct Member {
    uint64_t id = 0;
    std::string first_key;  // internal
  };
  using Opener =
      std::function<absl::StatusOr<std::unique_ptr<Table>>(uint64_t id)>;

  LevelSource(std::vector<Member> members, Opener opener);

  absl::Status Seek(absl::string_view user_key) override;
  absl::Status Next() override;
  bool Valid() const override { return entries_ != nullptr; }
  InternalKey key() const override { return entries_->key(); }
  StoredValue value() const override { return entries_->value(); }

 private:
  absl::Status OpenTable(size_t i, absl::string_view user_key);
  // To the next table while this one has no more entries.
  absl::Status SkipEnds();

  std::vector<Member> members_;
  Opener opener_;
  size_t member_ = 0;
  std::unique_ptr<TableSource> entries_;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_IMAGE_LEVEL_SOURCE_H_
