#include "sluice/cli/archive_choice.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sluice/base/error.h"

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

// "": full, or nobody can say.
std::string BaseOf(const ArchiveRow& archive) {
  return archive.manifest.ok() ? archive.manifest->base_backup_id() : "";
}

// Which archives can be restored: none of the chain is damaged or missing. Each
// is looked at once, however long the chains are. Borrows the archives.
class Restorable {
 public:
  explicit Restorable(const std::vector<ArchiveRow>& archives) {
    for (const ArchiveRow& archive : archives) by_id_[archive.id] = &archive;
  }

  bool Is(const ArchiveRow& archive) {
    std::vector<const ArchiveRow*>
        open;  // not decided; each the next one's base
    bool answer = true;
    for (const ArchiveRow* link = &archive;;) {
      // Decided, or on the way already: a circle.
      const auto [known, added] = decided_.try_emplace(link->id, false);
      if (!added) {
        answer = known->second;
        break;
      }
      open.push_back(link);
      answer = !link->damaged();
      const std::string base = BaseOf(*link);
      if (!answer || base.empty()) break;
      const auto found = by_id_.find(base);
      answer = found != by_id_.end();
      if (!answer) break;
      link = found->second;
    }
    for (auto link = open.rbegin(); link != open.rend(); ++link) {
      answer = answer && !(*link)->damaged();
      decided_[(*link)->id] = answer;
    }
    return answer;
  }

 private:
  std::map<absl::string_view, const ArchiveRow*> by_id_;
  std::map<absl::string_view, bool> decided_;
};

// "orders (postgresql of db1, newest 2026-11-22T10:42:33.125Z)".
std::string StoreText(const std::string& store, const ArchiveRow& newest) {
  if (!newest.manifest.ok()) return store;
  const Manifest& manifest = *newest.manifest;
  return absl::StrCat(store, " (", manifest.store_kind(),
                      manifest.host().empty() ? "" : " of ", manifest.host(),
                      ", newest ", manifest.created_at(), ")");
}

// Appends `id` after all that build on it, each once.
void AddAfterDependants(const std::vector<ArchiveRow>& archives,
                        const std::string& id, std::set<std::string>& seen,
                        std::vector<std::string>& ordered) {
  if (!seen.insert(id).second) return;
  for (const ArchiveRow& archive : archives) {
    if (BaseOf(archive) == id) {
      AddAfterDependants(archives, archive.id, seen, ordered);
    }
  }
  ordered.push_back(id);
}

absl::StatusOr<ArchiveRow> ChooseLatest(const std::vector<ArchiveRow>& archives,
                                        const std::string& store) {
  std::map<std::string, const ArchiveRow*> stores;  // with its newest
  Restorable restorable(archives);
  const ArchiveRow* latest = nullptr;
  bool passed_over = false;
  absl::Status unsupported;  // the newest that only a newer Sluice can read
  for (const ArchiveRow& archive : archives) {
    const std::string its_store = archive.store_id();
    // What nobody can say the store of is damaged, and no one's latest.
    if (!store.empty() && its_store != store) continue;
    if (!its_store.empty()) stores[its_store] = &archive;
    if (ErrorCodeOf(archive.manifest.status()) == kArchiveUnsupported) {
      unsupported = archive.manifest.status();
    }
    if (its_store.empty() || !restorable.Is(archive)) {
      passed_over = true;
    } else {
      latest = &archive;
    }
  }
  if (stores.size() > 1) {
    return Usage(
        "latest of which store? The repo holds several",
        absl::StrCat(
            "--store ",
            absl::StrJoin(
                stores, ", or ", [](std::string* out, const auto& found) {
                  absl::StrAppend(out, StoreText(found.first, *found.second));
                })));
  }
  if (latest != nullptr) return *latest;
  if (!unsupported.ok()) return unsupported;
  if (passed_over) {
    return MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                     "every archive that latest could mean is damaged");
  }
  return NotFound(
      store.empty()
          ? "the repo holds no archive"
          : absl::StrCat("the repo holds no archive of store ", store));
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

absl::StatusOr<ArchiveRow> ChooseArchive(
    const std::vector<ArchiveRow>& archives, const ArchiveWish& wish) {
  if (wish.id == "latest") return ChooseLatest(archives, wish.store);
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
  return archive;
}

absl::StatusOr<std::vector<ArchiveRow>> ChainOf(
    const std::vector<ArchiveRow>& archives, const ArchiveRow& archive) {
  std::map<absl::string_view, const ArchiveRow*> by_id;
  for (const ArchiveRow& row : archives) by_id[row.id] = &row;
  std::vector<ArchiveRow> chain = {archive};
  std::string base = BaseOf(archive);
  while (!base.empty()) {
    const auto found = by_id.find(base);
    if (found == by_id.end() || chain.size() > archives.size()) {
      return MakeError(
          absl::StatusCode::kDataLoss, kArchiveDamaged,
          absl::StrCat("archive ", chain.back().id, " builds on ", base,
                       found == by_id.end() ? ", which is not there"
                                            : ", and so on in a circle"));
    }
    chain.push_back(*found->second);
    base = BaseOf(*found->second);
  }
  std::reverse(chain.begin(), chain.end());
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
