#ifndef SLUICE_CLI_VIEWS_ARCHIVE_VIEW_H_
#define SLUICE_CLI_VIEWS_ARCHIVE_VIEW_H_

// Archives and repos as they are printed; the same whether they were read here
// or by a server.
//
// Any thread; nothing blocks.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/cli/terminal/console.h"
#include "sluice/cli/terminal/json.h"
#include "sluice/cli/views/job_view.h"
#include "sluice/executor/models.pb.h"
#include "sluice/service/archive_choice.h"

namespace sluice::cli {

// What the words of --json say of one: {"id", "damaged", "manifest", "record"}.
Json ArchiveJson(const service::ArchiveRow& row);

// What a list is narrowed to; empty: all.
struct ArchiveWords {
  std::string store;
  std::string label;
};

// In the order that they are in; `plans`: their names. What it returns says
// that one of those that were printed could not be read.
absl::Status PrintArchives(Console& console,
                           const std::vector<service::ArchiveRow>& rows,
                           const ArchiveWords& words, const NamesById& plans,
                           absl::Time now);
// `repo` as people call it.
void PrintArchive(Console& console, const service::ArchiveRow& row,
                  absl::string_view repo, const NamesById& plans);
// A record whose pin was set or taken away.
void PrintPinned(Console& console, const BackupRecord& record);
void PrintRemovedArchive(Console& console, absl::string_view id, bool dry_run);

void PrintRepos(Console& console, const std::vector<BackupRepo>& repos);
// One that was changed.
void PrintRepo(Console& console, const BackupRepo& repo);
void PrintRemovedRepo(Console& console, const BackupRepo& repo);
// With the sum of what is in it. What it returns is as of PrintArchives.
absl::Status PrintRepoWithSum(Console& console, const BackupRepo& repo,
                              absl::string_view label,
                              const std::vector<service::ArchiveRow>& rows);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_VIEWS_ARCHIVE_VIEW_H_
