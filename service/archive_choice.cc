#include "sluice/service/archive_choice.h"

#include <algorithm>
#include <cctype>
#include <map>
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

namespace sluice::service {
namespace {

constexpr size_t kIdLength = 26;

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

// "orders (postgresql of db1, newest 2026-11-22T10:42:33.125Z)".
std::string StoreText(const std::string& store, const ArchiveRow& newest) {
  if (!newest.manifest.ok()) return store;
  const Manifest& manifest = *newest.manifest;
  return absl::StrCat(store, " (", manifest.store_kind(),
                      manifest.host().empty() ? "" : " of ", manifest.host(),
                      ", newest ", manifest.created_at(), ")");
}

absl::Status BuildsOn(const ArchiveRow& archive, absl::string_view base,
                      absl::string_view what) {
  return MakeError(
      absl::StatusCode::kDataLoss, kArchiveDamaged,
      absl::StrCat("archive ", archive.id, " builds on ", base, what));
}

// The archive first, then what it builds on.
absl::StatusOr<std::vector<const ArchiveRow*>> LinksOf(
    const std::vector<ArchiveRow>& archives, const ArchiveRow& archive) {
  std::vector<const ArchiveRow*> links = {&archive};
  for (std::string base = archive.base_id(); !base.empty();
       base = links.back()->base_id()) {
    const ArchiveRow* const found = Find(archives, base);
    if (found == nullptr) {
      return BuildsOn(*links.back(), base, ", which is not there");
    }
    if (links.size() > archives.size()) {
      return BuildsOn(*links.back(), base, ", and so on in a circle");
    }
    links.push_back(found);
  }
  return links;
}

// Why a restore would fail, by what is known of the archive and of what it
// builds on. Each is looked at once, however long the chains are. Borrows the
// archives.
class Restorable {
 public:
  explicit Restorable(const std::vector<ArchiveRow>& archives)
      : archives_(archives) {}

  // OK if nothing is known against it.
  absl::Status Check(const ArchiveRow& archive) {
    std::vector<const ArchiveRow*>
        open;  // not decided; each the next one's base
    absl::Status answer;
    for (const ArchiveRow* link = &archive; link != nullptr;) {
      // Decided; or still OK from its first look, then it is a circle.
      const auto [known, added] = decided_.try_emplace(link->id);
      if (!added) {
        answer =
            std::count(open.begin(), open.end(), link) == 0
                ? known->second
                : BuildsOn(*open.back(), link->id, ", and so on in a circle");
        break;
      }
      open.push_back(link);
      answer = Itself(*link);
      const std::string base = link->base_id();
      if (!answer.ok() || base.empty()) break;
      link = Find(archives_, base);
      if (link == nullptr) {
        answer = BuildsOn(*open.back(), base, ", which is not there");
      }
    }
    for (const ArchiveRow* link : open) decided_[link->id] = answer;
    return answer;
  }

 private:
  static absl::Status Itself(const ArchiveRow& archive) {
    if (!archive.manifest.ok()) return archive.manifest.status();
    if (!archive.damaged()) return absl::OkStatus();
    return MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                     absl::StrCat("archive ", archive.id, " is damaged"));
  }

  const std::vector<ArchiveRow>& archives_;
  std::map<absl::string_view, absl::Status> decided_;
};

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
  bool any = false;          // of the store, whatever is known against it
  absl::Status unsupported;  // the newest that only a newer Sluice can read
};

Candidates FindCandidates(const std::vector<ArchiveRow>& archives,
                          const ArchiveWish& wish) {
  Candidates found;
  Restorable restorable(archives);
  for (auto row = archives.rbegin(); row != archives.rend(); ++row) {
    // One whose store nobody can say may be of this one.
    const std::string store = row->store_id();
    if (!wish.store.empty() && !store.empty() && store != wish.store) continue;
    found.any = found.any || wish.store.empty() || !store.empty();
    const absl::Status against = restorable.Check(*row);
    if (against.ok()) {
      found.rows.push_back(&*row);
      if (!row->is_from_the_future(wish.now)) break;
      continue;
    }
    if (found.passed_over == nullptr) {
      found.passed_over = &*row;
      found.why = against;
    }
    if (found.unsupported.ok() &&
        ErrorCodeOf(row->manifest.status()) == kArchiveUnsupported) {
      found.unsupported = row->manifest.status();
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
  const ArchiveRow* latest = &newest;
  if (newest.record.has_value() && present.record.has_value()) {
    for (const ArchiveRow* row : rows) {
      if (row->record.has_value() && row->recorded_as > latest->recorded_as) {
        latest = row;
      }
    }
  } else if (TimeOfUlid(newest.id) > now + kFarAhead) {
    latest = &present;
  }
  if (latest != &newest) {
    AddNote(notes, absl::StrCat("latest is taken to be ", latest->id,
                                "; name an archive by its id for another"));
  }
  return *latest;
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
  std::map<std::string, const ArchiveRow*> stores;  // with its newest
  for (const ArchiveRow& archive : archives) {
    // What nobody can say the store of is damaged, and no one's latest.
    const std::string store = archive.store_id();
    if (!store.empty()) stores[store] = &archive;
  }
  if (wish.store.empty() && stores.size() > 1) {
    return InvalidArgument(
        "latest of which store? The repo holds several",
        absl::StrCat(
            "--store ",
            absl::StrJoin(
                stores, ", or ", [](std::string* out, const auto& found) {
                  absl::StrAppend(out, StoreText(found.first, *found.second));
                })));
  }
  const Candidates found = FindCandidates(archives, wish);
  if (found.rows.empty() && !found.unsupported.ok()) return found.unsupported;
  if (found.rows.empty() && found.any) {
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

absl::Status ArchiveRow::unreadable() const {
  if (manifest.ok() || damaged() ||
      ErrorCodeOf(manifest.status()) == kArchiveUnsupported) {
    return absl::OkStatus();
  }
  return manifest.status();
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
    return InvalidArgument(
        absl::StrCat("\"", wish.id, "\" is not a backup id"),
        "26 letters and digits, a beginning of them, or latest");
  }
  std::vector<const ArchiveRow*> found;
  for (const ArchiveRow& archive : archives) {
    if (absl::StartsWith(archive.id, prefix)) found.push_back(&archive);
  }
  if (found.empty()) return NotFound(absl::StrCat("no archive ", prefix));
  if (found.size() > 1) {
    return InvalidArgument(absl::StrCat(prefix, " is the beginning of ",
                                        found.size(), " archives' ids"),
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

}  // namespace sluice::service
