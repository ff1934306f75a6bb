#include "sluice/cli/views/archive_view.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"
#include "sluice/base/error.h"
#include "sluice/cli/terminal/text.h"

namespace sluice::cli {
namespace {

using service::ArchiveRow;

std::string NotesOn(const ArchiveRow& row, absl::Time now) {
  if (row.damaged()) return "damaged";
  if (!row.manifest.ok()) return ErrorCodeOf(row.manifest.status());
  const std::string& base = row.manifest->base_backup_id();
  std::vector<std::string> notes;
  if (!base.empty()) notes.push_back(absl::StrCat("increment on ", base));
  if (row.manifest->warnings_size() > 0) notes.emplace_back("warnings");
  if (row.record.has_value() && row.record->pinned()) {
    notes.emplace_back("pinned");
  }
  if (row.is_from_the_future(now)) {
    notes.emplace_back("from the future");
  }
  return absl::StrJoin(notes, ", ");
}

// "host /path": the URI without its kind, which has a column of its own.
std::string OriginOf(const Manifest& manifest) {
  absl::string_view source = manifest.source();
  absl::ConsumePrefix(&source, absl::StrCat(manifest.store_kind(), ":"));
  absl::ConsumePrefix(&source, "?");
  return absl::StrCat(manifest.host(), source.empty() ? "" : " ", source);
}

// The name of the plan that made it; the id of one that is there no more.
std::string PlanOf(const ArchiveRow& row, const NamesById& names) {
  return NameOrId(names, row.manifest->plan_id());
}

std::vector<std::string> TableRow(const ArchiveRow& row, const NamesById& names,
                                  absl::Time now) {
  if (!row.manifest.ok()) {
    return {row.id, "", "", "", "", "", "", "", NotesOn(row, now)};
  }
  const Manifest& manifest = *row.manifest;
  return {row.id,
          manifest.created_at(),
          manifest.store_id(),
          manifest.store_kind(),
          SizeText(manifest.plain_size_bytes()),
          OriginOf(manifest),
          manifest.label(),
          PlanOf(row, names),
          NotesOn(row, now)};
}

constexpr size_t kShowWidth = 16;

// What the catalog adds to what the archive says.
void AppendRecord(std::string& text, const BackupRecord& record) {
  if (record.pinned()) {
    const std::string until = TimeText(record.pin_ends_at_ms());
    AppendField(text, kShowWidth, "pinned",
                absl::StrCat(until.empty() ? "for ever" : "until ", until,
                             record.pin_reason().empty() ? "" : ": ",
                             record.pin_reason()));
  }
  AppendField(text, kShowWidth, "verified", TimeText(record.verified_at_ms()));
  AppendField(text, kShowWidth, "restored", TimeText(record.restored_at_ms()));
}

std::string ArchiveText(const ArchiveRow& row, absl::string_view repo,
                        const NamesById& plans) {
  std::string text = absl::StrCat(row.id, "\n");
  AppendField(text, kShowWidth, "repo", repo);
  AppendField(text, kShowWidth, "status",
              row.damaged()       ? "damaged"
              : row.manifest.ok() ? "ok"
                                  : ErrorCodeOf(row.manifest.status()));
  if (!row.manifest.ok()) {
    AppendField(text, kShowWidth, "manifest",
                std::string(row.manifest.status().message()));
    return text;
  }
  const Manifest& manifest = *row.manifest;
  AppendField(text, kShowWidth, "created", manifest.created_at());
  AppendField(text, kShowWidth, "store", manifest.store_id());
  AppendField(text, kShowWidth, "kind", manifest.store_kind());
  AppendField(text, kShowWidth, "host", manifest.host());
  AppendField(text, kShowWidth, "source", manifest.source());
  AppendField(text, kShowWidth, "label", manifest.label());
  AppendField(text, kShowWidth, "plan", PlanOf(row, plans));
  if (row.record.has_value()) AppendRecord(text, *row.record);
  AppendField(text, kShowWidth, "size",
              absl::StrCat(SizeText(manifest.plain_size_bytes()), " (",
                           manifest.plain_size_bytes(), ")"));
  AppendField(text, kShowWidth, "sha256", manifest.sha256());
  AppendField(text, kShowWidth, "base", manifest.base_backup_id());
  AppendField(text, kShowWidth, "segments",
              absl::StrCat(manifest.segments_size()));
  AppendField(text, kShowWidth, "payload ids",
              absl::StrCat(manifest.payload_id_count()));
  AppendField(text, kShowWidth, "job", manifest.job_id());
  AppendField(text, kShowWidth, "catalog", manifest.catalog_id());
  AppendField(text, kShowWidth, "writer", manifest.writer());
  const Json counts = ToJson(manifest)["source_counts"];
  for (const auto& [name, value] : counts.items()) {
    AppendField(text, kShowWidth, name, Encode(value));
  }
  for (const Warning& warning : manifest.warnings()) {
    AppendField(text, kShowWidth, "warning",
                absl::StrCat(warning.message(), " (", warning.code(), ")"));
  }
  return text;
}

struct Totals {
  uint64_t archives = 0;
  uint64_t damaged = 0;
  uint64_t bytes = 0;
  uint64_t unread = 0;
  absl::Status unreadable;  // of one of them
};

Totals Sum(const std::vector<ArchiveRow>& rows) {
  Totals totals;
  for (const ArchiveRow& row : rows) {
    ++totals.archives;
    if (row.damaged()) ++totals.damaged;
    if (!row.unreadable().ok()) {
      ++totals.unread;
      totals.unreadable = row.unreadable();
    }
    if (row.manifest.ok()) totals.bytes += row.manifest->size_bytes();
  }
  return totals;
}

}  // namespace

using service::ArchiveRow;

Json ArchiveJson(const ArchiveRow& row) {
  return {{"id", row.id},
          {"damaged", row.damaged()},
          {"manifest", row.manifest.ok() ? ToJson(*row.manifest) : Json()},
          {"record", ToJson(row.record)}};
}

absl::Status PrintArchives(Console& console,
                           const std::vector<ArchiveRow>& rows,
                           const ArchiveWords& words, const NamesById& plans,
                           absl::Time now) {
  Table table({"ID", "CREATED", "STORE", "KIND", "SIZE", "FROM", "LABEL",
               "PLAN", "NOTES"});
  absl::Status unreadable;
  for (const ArchiveRow& row : rows) {
    // One whose store nobody can say may be of this one, and so with labels.
    const std::string its_store = row.store_id();
    if (!words.store.empty() && !its_store.empty() &&
        its_store != words.store) {
      continue;
    }
    if (!words.label.empty() && row.manifest.ok() &&
        row.manifest->label() != words.label) {
      continue;
    }
    if (!row.unreadable().ok()) unreadable = row.unreadable();
    if (console.json()) console.ResultJson(ArchiveJson(row));
    table.Add(TableRow(row, plans, now));
  }
  if (!console.json()) console.Result(table.Text());
  return unreadable;
}

void PrintArchive(Console& console, const ArchiveRow& row,
                  absl::string_view repo, const NamesById& plans) {
  if (console.json()) {
    console.ResultJson(ArchiveJson(row));
  } else {
    console.Result(ArchiveText(row, repo, plans));
  }
}

void PrintPinned(Console& console, const BackupRecord& record) {
  if (console.json()) {
    console.ResultJson(ToJson(record));
    return;
  }
  const std::string until = TimeText(record.pin_ends_at_ms());
  console.Done(absl::StrCat(record.id(),
                            !record.pinned() ? " is left to the rules again"
                            : until.empty()
                                ? " stays"
                                : absl::StrCat(" stays until ", until),
                            "\n"));
}

void PrintRemovedArchive(Console& console, absl::string_view id, bool dry_run) {
  if (console.json()) {
    console.ResultJson({{"id", std::string(id)}, {"deleted", !dry_run}});
  } else {
    console.Result(
        absl::StrCat(id, dry_run ? " would be removed\n" : " removed\n"));
  }
}

void PrintRepos(Console& console, const std::vector<BackupRepo>& repos) {
  Table table({"NAME", "KIND", "ID", "PLACE"});
  for (const BackupRepo& repo : repos) {
    if (console.json()) console.ResultJson(ToJson(repo));
    table.Add({repo.name(), repo.kind(), repo.id(), repo.config()});
  }
  if (!console.json()) console.Result(table.Text());
}

void PrintRepo(Console& console, const BackupRepo& repo) {
  if (console.json()) {
    console.ResultJson(ToJson(repo));
    return;
  }
  console.Done(absl::StrCat(repo.name(), " is ", Printable(repo.config()),
                            " (repo ", repo.id(), ")\n"));
}

void PrintRemovedRepo(Console& console, const BackupRepo& repo) {
  if (console.json()) {
    console.ResultJson({{"id", repo.id()}, {"removed", true}});
  } else {
    console.Done(absl::StrCat(repo.name(), " forgotten; what is at ",
                              Printable(repo.config()),
                              " was left as it is\n"));
  }
}

absl::Status PrintRepoWithSum(Console& console, const BackupRepo& repo,
                              absl::string_view label,
                              const std::vector<ArchiveRow>& rows) {
  const Totals totals = Sum(rows);
  if (console.json()) {
    Json json = ToJson(repo);
    json["archives"] = totals.archives;
    json["damaged_archives"] = totals.damaged;
    json["unreadable_archives"] = totals.unread;
    json["size_bytes"] = totals.bytes;
    console.ResultJson(json);
  } else {
    console.Result(absl::StrCat(
        Printable(label), "\n  repo ", repo.id(), "\n  place ",
        Printable(repo.config()), "\n  ", totals.archives, " archives, ",
        totals.damaged, " damaged, ",
        totals.unread == 0 ? "" : absl::StrCat(totals.unread, " unreadable, "),
        SizeText(totals.bytes), "\n"));
  }
  return totals.unreadable;
}

}  // namespace sluice::cli
