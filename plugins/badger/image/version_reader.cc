#include "sluice/plugins/badger/image/version_reader.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/wire/image_error.h"

namespace sluice {
namespace badger {
namespace {

std::vector<EntrySource*> Borrowed(const VersionReader::Sources& sources) {
  std::vector<EntrySource*> borrowed;
  for (const auto& source : sources.all) borrowed.push_back(source.get());
  return borrowed;
}

}  // namespace

VersionReader::VersionReader(std::unique_ptr<ValueLogs> logs, Sources sources,
                             Sources moves, KeyRange range,
                             bool show_internal_keys)
    : logs_(std::move(logs)),
      sources_(std::move(sources)),
      move_sources_(std::move(moves)),
      merge_(Borrowed(sources_)),
      moves_(Borrowed(move_sources_)),
      range_(std::move(range)),
      show_internal_keys_(show_internal_keys) {}

absl::Status VersionReader::Start() {
  SLUICE_RETURN_IF_ERROR(merge_.Seek(range_.begin));
  SLUICE_RETURN_IF_ERROR(moves_.Seek(absl::StrCat(kMovePrefix, range_.begin)));
  return Settle();
}

absl::Status VersionReader::Next() {
  SLUICE_RETURN_IF_ERROR(merge_.Next());
  return Settle();
}

absl::Status VersionReader::Settle() {
  while (merge_.Valid()) {
    has_ended_ = !range_.end.empty() && key() >= range_.end;
    if (has_ended_) break;
    SLUICE_RETURN_IF_ERROR(CheckStrays());
    const bool is_stored = merge_.places().front() < sources_.first_stray;
    const bool is_internal = absl::StartsWith(key(), kInternalPrefix);
    if (is_stored && (show_internal_keys_ || !is_internal)) break;
    SLUICE_RETURN_IF_ERROR(merge_.Next());
  }
  return absl::OkStatus();
}

absl::Status VersionReader::CheckStrays() {
  const std::vector<size_t>& places = merge_.places();
  // The head that a flush writes is in no log, and void without its table.
  if (places.back() < sources_.first_stray || key() == kHeadKey) {
    return absl::OkStatus();
  }
  bool is_in_table = false;
  for (const size_t place : places) {
    is_in_table |=
        place >= sources_.first_table && place < sources_.first_stray;
  }
  if (is_in_table) return absl::OkStatus();
  for (const size_t place : places) {
    if (place >= sources_.first_stray) flushed_strays_.insert(place);
  }
  const bool is_stored = places.front() < sources_.first_stray;
  if (is_stored && flushed_strays_.size() <= 1) return absl::OkStatus();
  return WithHint(
      Damaged("MANIFEST", absl::StrCat(Describe(merge_.key()),
                                       " is in a table that it does not list")),
      "MANIFEST was truncated or replaced, or a load into the directory was "
      "aborted");
}

absl::Status VersionReader::ReadValue(std::string& value) {
  if (!is_deleted()) return ReadValue(merge_.key(), values(), value);
  value.clear();
  return absl::OkStatus();
}

absl::Status VersionReader::ReadValue(const InternalKey& key,
                                      absl::Span<const StoredValue> values,
                                      std::string& value) {
  const absl::Status status = ReadFrom(key, values, value);
  if (!IsDangling(status)) return status;
  SLUICE_ASSIGN_OR_RETURN(const bool moved, FindMoved(key));
  if (!moved) return status;
  const absl::Status moved_status = ReadFrom(key, moves_.values(), value);
  if (moved_status.ok()) ++found_elsewhere_;
  return moved_status;
}

absl::Status VersionReader::ReadFrom(const InternalKey& key,
                                     absl::Span<const StoredValue> values,
                                     std::string& value) {
  absl::Status worst;
  for (const StoredValue& stored : values) {
    const absl::Status status = logs_->Resolve(key, stored, value);
    if (status.ok()) {
      if (!worst.ok()) ++found_elsewhere_;
      return status;
    }
    if (worst.ok() || IsDangling(worst)) worst = status;
  }
  value.clear();
  return worst;
}

absl::StatusOr<bool> VersionReader::FindMoved(const InternalKey& key) {
  while (moves_.Valid() &&
         absl::StartsWith(moves_.key().user_key, kMovePrefix)) {
    InternalKey moved = moves_.key();
    moved.user_key.remove_prefix(kMovePrefix.size());
    const int order = Compare(moved, key);
    if (order >= 0) return order == 0;
    SLUICE_RETURN_IF_ERROR(moves_.Next());
  }
  return false;
}

}  // namespace badger
}  // namespace sluice
