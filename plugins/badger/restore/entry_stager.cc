#include "sluice/plugins/badger/restore/entry_stager.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/staged_files.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/sort/entry_record.h"
#include "sluice/plugins/badger/sort/merge.h"
#include "sluice/plugins/badger/sort/restore_file.h"
#include "sluice/plugins/badger/sort/run_file.h"

namespace sluice {
namespace badger {
namespace {

constexpr char kAscendingFolder[] = "tables";
constexpr char kMergedFolder[] = "merged";
// A look at the run's state costs an atomic load, and so often it is taken well
// within a tenth of a second.
constexpr uint64_t kBytesBetweenLooks = uint64_t{1} << 20;

}  // namespace

// A directory in a folder of its own, and what is alive in it.
class EntryStager::Output {
 public:
  Output(std::string name, std::unique_ptr<FileSystem> folder,
         std::unique_ptr<FileSystem> log_folder, const StagerOptions& options)
      : name_(std::move(name)),
        folder_(std::move(folder)),
        log_folder_(std::move(log_folder)),
        writer_(*folder_, options.directory, log_folder_.get()),
        digest_(options.live_at) {}

  absl::Status Add(const StreamEntry& entry) {
    digest_.Add(entry);
    return writer_.Add(entry);
  }

  const std::string& name() const { return name_; }
  DirectoryWriter& writer() { return writer_; }
  LiveTotals live() const { return digest_.totals(); }

 private:
  const std::string name_;
  const std::unique_ptr<FileSystem> folder_;
  const std::unique_ptr<FileSystem> log_folder_;  // null: folder_
  DirectoryWriter writer_;
  LiveDigest digest_;
};

EntryStager::EntryStager(FileSystem& scratch, StagerOptions options,
                         const sdk::Run& run, FileSystem* log_scratch)
    : scratch_(scratch),
      log_scratch_(log_scratch),
      options_(std::move(options)),
      run_(run),
      buffer_(options_.memory_bytes) {}

EntryStager::~EntryStager() = default;

absl::Status EntryStager::Begin() {
  SLUICE_ASSIGN_OR_RETURN(output_, OpenOutput(kAscendingFolder));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<EntryStager::Output>> EntryStager::OpenOutput(
    const std::string& name) {
  SLUICE_RETURN_IF_ERROR(MakeFolder(scratch_, name));
  SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<FileSystem> folder,
                          OpenFolder(scratch_, name));
  std::unique_ptr<FileSystem> log_folder;
  if (log_scratch_ != nullptr) {
    SLUICE_RETURN_IF_ERROR(MakeFolder(*log_scratch_, name));
    SLUICE_ASSIGN_OR_RETURN(log_folder, OpenFolder(*log_scratch_, name));
  }
  return std::make_unique<Output>(name, std::move(folder),
                                  std::move(log_folder), options_);
}

absl::Status EntryStager::Add(const StreamEntry& entry) {
  if (ascending_) {
    if (output_->writer().Follows(entry)) return output_->Add(entry);
    ascending_ = false;
    SLUICE_RETURN_IF_ERROR(output_->writer().CloseTables());
  }
  if (buffer_.Add(entry)) return absl::OkStatus();
  SLUICE_RETURN_IF_ERROR(Spill());
  buffer_.Add(entry);  // anything fits into an empty one
  return absl::OkStatus();
}

absl::Status EntryStager::Spill() {
  Sources sorted;
  sorted.push_back(buffer_.Sorted());
  SLUICE_ASSIGN_OR_RETURN(std::string name, WriteRun(sorted));
  buffer_.Clear();
  runs_.push_back({std::move(name), 0});
  while (runs_.size() >= options_.fan_in &&
         runs_[runs_.size() - options_.fan_in].tier == runs_.back().tier) {
    SLUICE_RETURN_IF_ERROR(MergeLastRuns(options_.fan_in));
  }
  return absl::OkStatus();
}

absl::Status EntryStager::MergeLastRuns(size_t count) {
  const size_t first = runs_.size() - count;
  SLUICE_ASSIGN_OR_RETURN(const Sources runs, OpenRuns(first));
  SLUICE_ASSIGN_OR_RETURN(std::string name, WriteRun(runs));
  const int tier = runs_.back().tier + 1;
  SLUICE_RETURN_IF_ERROR(RemoveRuns(first));
  runs_.push_back({std::move(name), tier});
  return absl::OkStatus();
}

absl::StatusOr<std::string> EntryStager::WriteRun(const Sources& sources) {
  std::string name = absl::StrCat("run-", ++runs_written_);
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<RunWriter> writer,
                          RunWriter::Create(scratch_, name));
  SLUICE_RETURN_IF_ERROR(ForEachMerged(
      sources,
      [&writer](const StreamEntry& entry) { return writer->Add(entry); }));
  SLUICE_RETURN_IF_ERROR(writer->Finish());
  return name;
}

absl::Status EntryStager::ForEachMerged(const Sources& sources,
                                        Visitor visitor) const {
  std::vector<EntrySource*> newest_first;
  for (auto source = sources.rbegin(); source != sources.rend(); ++source) {
    newest_first.push_back(source->get());
  }
  Merge merge(std::move(newest_first));
  SLUICE_RETURN_IF_ERROR(merge.Seek(""));
  uint64_t bytes = 0;
  while (merge.Valid()) {
    const StreamEntry entry =
        StreamEntryOf(merge.key(), merge.values().front());
    SLUICE_RETURN_IF_ERROR(visitor(entry));
    bytes += RecordSize(entry);
    if (bytes >= kBytesBetweenLooks) {
      bytes = 0;
      SLUICE_RETURN_IF_ERROR(run_.status());
    }
    SLUICE_RETURN_IF_ERROR(merge.Next());
  }
  return absl::OkStatus();
}

absl::StatusOr<EntryStager::Sources> EntryStager::OpenRuns(size_t first) const {
  Sources sources;
  for (size_t i = first; i < runs_.size(); ++i) {
    SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<EntrySource> run,
                            OpenRun(scratch_, runs_[i].name));
    sources.push_back(std::move(run));
  }
  return sources;
}

absl::Status EntryStager::RemoveRuns(size_t first) {
  for (size_t i = first; i < runs_.size(); ++i) {
    SLUICE_RETURN_IF_ERROR(RemoveTree(scratch_, runs_[i].name));
  }
  runs_.resize(first);
  return absl::OkStatus();
}

absl::StatusOr<StagedDirectory> EntryStager::Finish() {
  if (!ascending_) SLUICE_RETURN_IF_ERROR(MergeAll());
  SLUICE_RETURN_IF_ERROR(output_->writer().Finish());
  StagedDirectory staged;
  staged.folder = output_->name();
  staged.entries = output_->writer().entries();
  staged.max_version = output_->writer().max_version();
  staged.tables = output_->writer().tables().size();
  staged.live = output_->live();
  staged.spilled_runs = runs_written_;
  return staged;
}

absl::Status EntryStager::MergeAll() {
  const std::unique_ptr<Output> first = std::move(output_);
  SLUICE_ASSIGN_OR_RETURN(output_, OpenOutput(kMergedFolder));
  Sources sources;
  sources.push_back(first->writer().Entries());
  SLUICE_ASSIGN_OR_RETURN(Sources spilled, OpenRuns(0));
  for (auto& source : spilled) sources.push_back(std::move(source));
  sources.push_back(buffer_.Sorted());
  SLUICE_RETURN_IF_ERROR(ForEachMerged(
      sources,
      [this](const StreamEntry& entry) { return output_->Add(entry); }));
  sources.clear();
  buffer_.Clear();
  SLUICE_RETURN_IF_ERROR(RemoveRuns(0));
  if (log_scratch_ != nullptr) {
    SLUICE_RETURN_IF_ERROR(RemoveTree(*log_scratch_, first->name()));
  }
  return RemoveTree(scratch_, first->name());
}

}  // namespace badger
}  // namespace sluice
