#include "sluice/cli/verbs/run_report.h"

#include <cmath>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sluice/base/error.h"
#include "sluice/cli/terminal/text.h"

namespace sluice::cli {
namespace {

constexpr int kWarningsShown = 10;

double MegabytesPerSecond(uint64_t bytes, absl::Duration took) {
  const double seconds = absl::ToDoubleSeconds(took);
  return seconds > 0 ? static_cast<double>(bytes) / seconds / 1e6 : 0;
}

}  // namespace

void LogJobFinished(Console& console, const std::string& repo,
                    const absl::optional<BackupJob>& job,
                    const absl::Status& status, absl::Duration took) {
  if (!job.has_value()) return;
  const double rate = MegabytesPerSecond(job->bytes_done(), took);
  console.Log(
      status.ok() ? LogLevel::kInfo : LogLevel::kError, "job finished",
      {{"job_id", job->id()},
       {"kind", KindName(job->kind())},
       {"status", StatusName(job->status())},
       {"backup_id", job->backup_id()},
       {"repo", repo},
       {"store_id", job->store_id()},
       {"stage", job->stage()},
       {"bytes", job->bytes_done()},
       {"seconds", std::round(absl::ToDoubleSeconds(took) * 1000) / 1000},
       {"mb_per_s", std::round(rate * 10) / 10},
       {"warnings", job->warnings_size()},
       {"error_code", ErrorCodeOf(status)}});
}

void NoteWarnings(Console& console,
                  const google::protobuf::RepeatedPtrField<Warning>& warnings) {
  for (int i = 0; i < warnings.size() && i < kWarningsShown; ++i) {
    console.Note(absl::StrCat("warning: ", warnings[i].message(), " (",
                              warnings[i].code(), ")"));
  }
  if (warnings.size() > kWarningsShown) {
    console.Note(
        absl::StrCat("warning: and ", warnings.size() - kWarningsShown,
                     " more; `sluice job show latest` lists them all"));
  }
}

void PrintRecord(Console& console, absl::string_view repo,
                 const BackupRecord& record, absl::Duration took) {
  const std::string& base = record.base_backup_id();
  console.Done(absl::StrCat(record.id(), "\n  store ", record.store_id(), " (",
                            record.store_kind(), ") in repo ", Printable(repo),
                            base.empty() ? "" : "\n  on ", base, "\n  ",
                            AmountText(record.plain_size_bytes(), took),
                            ", sha256 ", record.sha256(), "\n"));
}

void PrintRestored(Console& console, absl::string_view to,
                   absl::string_view backup_id, absl::string_view store_id,
                   uint64_t bytes, const absl::optional<BackupJob>& job,
                   absl::Duration took) {
  if (console.json()) {
    console.ResultJson({{"backup_id", std::string(backup_id)},
                        {"store_id", std::string(store_id)},
                        {"size_bytes", bytes},
                        {"job", ToJson(job)}});
    return;
  }
  console.Done(absl::StrCat(backup_id, " restored\n  store ", store_id, " to ",
                            Printable(to), "\n  ", AmountText(bytes, took),
                            "\n"));
}

std::string AmountText(uint64_t bytes, absl::Duration took) {
  return absl::StrFormat("%s in %s (%.1f MB/s)", SizeText(bytes),
                         DurationText(took), MegabytesPerSecond(bytes, took));
}

}  // namespace sluice::cli
