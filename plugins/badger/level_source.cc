#include "sluice/plugins/badger/level_source.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/image_error.h"

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
  has_last_ = false;
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
  // Which one is the table's last shows only after it.
  const InternalKey key = entries_->key();
  last_key_.assign(key.user_key.data(), key.user_key.size());
  last_version_ = key.version;
  has_last_ = true;
  SLUICE_RETURN_IF_ERROR(entries_->Next());
  return SkipEnds();
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
    SLUICE_RETURN_IF_ERROR(OpenTable(member_ + 1, ""));
    if (has_last_ && entries_->Valid() &&
        Compare({last_key_, last_version_}, entries_->key()) >= 0) {
      return Damaged(entries_->table().name(),
                     absl::StrCat("it overlaps another table of level ",
                                  entries_->table().listed().level));
    }
  }
  return absl::OkStatus();
}

}  // namespace badger
}  // namespace sluice
