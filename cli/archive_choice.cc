#include "sluice/cli/archive_choice.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sluice/base/error.h"
#include "sluice/executor/ulid.h"

namespace sluice::cli {
namespace {

constexpr size_t kIdLength = 26;

absl::Status Usage(absl::string_view message, absl::string_view hint) {
  return WithHint(
      MakeError(absl::StatusCode::kInvalidArgument, kInvalidArgument, message),
      hint);
}

absl::Status NotFound(absl::string_view message) {
  return WithHint(
      MakeError(absl::StatusCode::kNotFound, kArchiveNotFound, message),
      "`sluice list` shows what there is");
}

// Clocks that agree as well as this are not worth a word.
constexpr absl::Duration kSkew = absl::Minutes(5);
// What is further ahead than this was not made by a clock that is a time zone
// off.
constexpr absl::Duration kFarAhead = absl::Hours(24);

// Null where it is not among them.
const ArchiveRow* Find(const std::vector<ArchiveRow>& archives,
                       const std::string& id) {
  const auto found = std::lower_bound(
      archives.begin(), archives.end(), id,
      [](const ArchiveRow& row, const std::string& to) { return row.id < to; });
  return found != archives.end() && found->id == id ? &*found : nullptr;
}

// The archive first, then what it builds on.
absl::StatusOr<std::vector<const ArchiveRow*>> LinksOf(
    const std::vector<ArchiveRow>& archives, const ArchiveRow& archive) {
  std::vector<const ArchiveRow*> links = {&archive};
  for (std::string base = archive.base_id(); !base.empty();
       base = links.back()->base_id()) {
    const ArchiveRow* const found = Find(archives, base);
    if (found == nullptr || links.size() > archives.size()) {
      return MakeError(
          absl::StatusCode::kDataLoss, kArchiveDamaged,
          absl::StrCat("archive ", links.back()->id, " builds on ", base,
                       found == nullptr ? ", which is not there"
                                        : ", and so on in a circle"));
    }
    links.push_back(found);
  }
  return links;
}

// Why a restore of it would fail; OK if nothing is known against it.
absl::Status AgainstRestore(const std::vector<ArchiveRow>& archives,
                            const ArchiveRow& archive) {
  const auto links = LinksOf(archives, archive);
  if (!links.ok()) return links.status();
  for (const ArchiveRow* link : *links) {
    if (!link->manifest.ok()) return link->manifest.status();
    if (link->damaged()) {
      return MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                       absl::StrCat("archive ", link->id, " is damaged"));
    }
  }
  return absl::OkStatus();
}

void AddNote(std::vector<std::string>* notes, std::string note) {
  if (notes != nullptr) notes->push_back(std::move(note));
}

void NoteFuture(const ArchiveRow& archive, std::vector<std::string>* notes) {
  AddNote(notes,
          absl::StrCat("archive ", archive.id, " says that it was made at ",
                       FormatTimestamp(TimeOfUlid(archive.id)),
                       ", which is in the future: the clock of the machine "
                       "that made it was ahead, or this one's is behind"));
}

// Those that a restore could bring back and `latest` could mean, newest first,
// down to the first of the present.
struct Candidates {
  std::vector<const ArchiveRow*> rows;
  const ArchiveRow* passed_over = nullptr;  // the newest that is none
  absl::Status why;
};

Candidates FindCandidates(const std::vector<ArchiveRow>& archives,
                          const ArchiveWish& wish) {
  Candidates found;
  for (auto row = archives.rbegin(); row != archives.rend(); ++row) {
    const std::string store = row->store_id();
    if (!wish.store.empty() && store != wish.store) continue;
    const absl::Status against = AgainstRestore(archives, *row);
    if (against.ok()) {
      found.rows.push_back(&*row);
      if (!row->is_from_the_future(wish.now)) break;
    } else if (found.passed_over == nullptr) {
      found.passed_over = &*row;
      found.why = against;
    }
  }
  return found;
}

// The newest of `rows` (newest first, not empty), where clocks may lie.
const ArchiveRow& NewestOf(const std::vector<const ArchiveRow*>& rows,
                           absl::Time now, std::vector<std::string>* notes) {
  const ArchiveRow& newest = *rows.front();
  if (!newest.is_from_the_future(now)) return newest;
  NoteFuture(newest, notes);
  const ArchiveRow& present = *rows.back();
  if (present.is_from_the_future(now)) return newest;
  const bool seen = newest.record.has_value() && present.record.has_value();
  const bool passed_over = seen ? present.recorded_as > newest.recorded_as
                                : TimeOfUlid(newest.id) > now + kFarAhead;
  if (!passed_over) return newest;
  AddNote(notes, absl::StrCat("latest is taken to be ", present.id,
                              "; name an archive by its id for another"));
  return present;
}

// Appends `id` after all that build on it, each once.
void AddAfterDependants(const std::vector<ArchiveRow>& archives,
                        const std::string& id, std::set<std::string>& seen,
                        std::vector<std::string>& ordered) {
  if (!seen.insert(id).second) return;
  for (const ArchiveRow& archive : archives) {
    if (archive.base_id() == id) {
      AddAfterDependants(archives, archive.id, seen, ordered);
    }
  }
  ordered.push_back(id);
}

absl::StatusOr<ArchiveRow> ChooseLatest(const std::vector<ArchiveRow>& archives,
                                        const ArchiveWish& wish,
                                        std::vector<std::string>* notes) {
  std::set<std::string> stores;
  for (const ArchiveRow& archive : archives) {
    // What nobody can say the store of is damaged, and no one's latest.
    const std::string store = archive.store_id();
    if (!store.empty()) stores.insert(store);
  }
  if (wish.store.empty() && stores.size() > 1) {
    return Usage("latest of which store? The repo holds several",
                 absl::StrCat("--store ", absl::StrJoin(stores, " or ")));
  }
  const Candidates found = FindCandidates(archives, wish);
  if (found.rows.empty() && found.passed_over != nullptr) {
    return MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                     "every archive that latest could mean is damaged");
  }
  if (found.rows.empty()) {
    return NotFound(
        wish.store.empty()
            ? "the repo holds no archive"
            : absl::StrCat("the repo holds no archive of store ", wish.store));
  }
  const ArchiveRow& newest = NewestOf(found.rows, wish.now, notes);
  if (found.passed_over != nullptr && found.passed_over->id > newest.id) {
    AddNote(notes,
            absl::StrCat("latest passes over the newer archive ",
                         found.passed_over->id, ": ", found.why.message()));
  }
  return newest;
}

}  // namespace

bool ArchiveRow::damaged() const {
  if (record.has_value() && record->damaged()) return true;
  return !manifest.ok() && ErrorCodeOf(manifest.status()) == kArchiveDamaged;
}

std::string ArchiveRow::store_id() const {
  if (manifest.ok()) return manifest->store_id();
  return record.has_value() ? record->store_id() : "";
}

std::string ArchiveRow::base_id() const {
  if (manifest.ok()) return manifest->base_backup_id();
  return record.has_value() ? record->base_backup_id() : "";
}

bool ArchiveRow::is_from_the_future(absl::Time now) const {
  return TimeOfUlid(id) > now + kSkew;
}

absl::StatusOr<ArchiveRow> ChooseArchive(
    const std::vector<ArchiveRow>& archives, const ArchiveWish& wish,
    std::vector<std::string>* notes) {
  if (wish.id == "latest") return ChooseLatest(archives, wish, notes);
  const std::string prefix = absl::AsciiStrToUpper(wish.id);
  const bool letters = std::all_of(prefix.begin(), prefix.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c));
  });
  if (prefix.empty() || prefix.size() > kIdLength || !letters) {
    return Usage(absl::StrCat("\"", wish.id, "\" is no backup id"),
                 "26 letters and digits, a beginning of them, or latest");
  }
  std::vector<const ArchiveRow*> found;
  for (const ArchiveRow& archive : archives) {
    if (absl::StartsWith(archive.id, prefix)) found.push_back(&archive);
  }
  if (found.empty()) return NotFound(absl::StrCat("no archive ", prefix));
  if (found.size() > 1) {
    return Usage(absl::StrCat(prefix, " is the beginning of ", found.size(),
                              " archives' ids"),
                 "type more of it");
  }
  const ArchiveRow& archive = *found.front();
  if (!wish.store.empty() && archive.store_id() != wish.store) {
    return NotFound(absl::StrCat("archive ", archive.id, " is of store ",
                                 archive.store_id(), ", not ", wish.store));
  }
  if (archive.is_from_the_future(wish.now)) {
    NoteFuture(archive, notes);
  }
  return archive;
}

absl::StatusOr<std::vector<ArchiveRow>> ChainOf(
    const std::vector<ArchiveRow>& archives, const ArchiveRow& archive) {
  const auto links = LinksOf(archives, archive);
  if (!links.ok()) return links.status();
  std::vector<ArchiveRow> chain;
  for (auto link = links->rbegin(); link != links->rend(); ++link) {
    chain.push_back(**link);
  }
  return chain;
}

std::vector<std::string> WithDependants(const std::vector<ArchiveRow>& archives,
                                        const std::set<std::string>& ids) {
  std::set<std::string> seen;
  std::vector<std::string> ordered;
  for (const std::string& id : ids) {
    AddAfterDependants(archives, id, seen, ordered);
  }
  return ordered;
}

}  // namespace sluice::cli
