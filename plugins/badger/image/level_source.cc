#include "sluice/plugins/badger/image/level_source.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/wire/image_error.h"

namespace sluice {
namespace badger {
namespace {

InternalKey FirstKey(const LevelSource::Member& member) {
  InternalKey key;
  ParseInternalKey(member.first_key, key);
  return key;
}

}  // namespace

LevelSource::LevelSource(std::vector<Member> members, Opener opener)
    : members_(std::move(members)), opener_(std::move(opener)) {
  std::sort(members_.begin(), members_.end(),
            [](const Member& a, const Member& b) {
              return Compare(FirstKey(a), FirstKey(b)) < 0;
            });
}

absl::Status LevelSource::Seek(absl::string_view user_key) {
  entries_ = nullptr;
  if (members_.empty()) return absl::OkStatus();
  size_t i = 0;
  while (i + 1 < members_.size() &&
         FirstKey(members_[i + 1]).user_key < user_key) {
    ++i;
  }
  SLUICE_RETURN_IF_ERROR(OpenTable(i, user_key));
  return SkipEnds();
}

absl::Status LevelSource::Next() {
  SLUICE_RETURN_IF_ERROR(entries_->Next());
  return entries_->Valid() ? absl::OkStatus() : SkipEnds();
}

absl::Status LevelSource::OpenTable(size_t i, absl::string_view user_key) {
  member_ = i;
  entries_ = nullptr;
  SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<Table> table,
                          opener_(members_[i].id));
  entries_ = std::make_unique<TableSource>(std::move(table));
  return entries_->Seek(user_key);
}

absl::Status LevelSource::SkipEnds() {
  while (!entries_->Valid()) {
    if (member_ + 1 == members_.size()) {
      entries_ = nullptr;
      return absl::OkStatus();
    }
    const std::string last_key(entries_->last_key().user_key);
    const uint64_t last_version = entries_->last_key().version;
    SLUICE_RETURN_IF_ERROR(OpenTable(member_ + 1, ""));
    if (entries_->Valid() &&
        Compare({last_key, last_version}, entries_->key()) >= 0) {
      return Damaged(entries_->table().name(),
                     absl::StrCat("it overlaps another table of level ",
                                  entries_->table().listed().level));
    }
  }
  return absl::OkStatus();
}

}  // namespace badger
}  // namespace sluice
