#include "sluice/destinations/archive/testing/invariants.h"

#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/archive/format/names.h"
#include "sluice/destinations/archive/protocol/fence.h"
#include "sluice/destinations/archive/testing/fake_payload.h"

namespace sluice {
namespace {

absl::Status Violated(absl::string_view what) {
  return absl::InternalError(absl::StrCat("violated ", what));
}

}  // namespace

ArchiveInvariants::ArchiveInvariants(std::shared_ptr<ObjectStore> store,
                                     Clock* clock,
                                     const ArchiveOptions& options)
    : store_(store),
      archives_(ArchiveDestination::Create(std::move(store), clock, options)) {}

void ArchiveInvariants::Expect(absl::string_view backup_id,
                               absl::string_view payload) {
  expected_[std::string(backup_id)] = std::string(payload);
}

void ArchiveInvariants::Forbid(absl::string_view backup_id) {
  forbidden_.insert(std::string(backup_id));
}

void ArchiveInvariants::ExpectForeign(absl::string_view name) {
  foreign_.insert(std::string(name));
}

void ArchiveInvariants::PassGrace(std::function<void()> pass_grace) {
  pass_grace_ = std::move(pass_grace);
}

absl::Status ArchiveInvariants::Check() {
  SLUICE_RETURN_IF_ERROR(CheckListed("before the sweep"));
  if (!pass_grace_) return absl::OkStatus();
  // An upload may be found by the first sweep only after its writer.json went.
  for (int i = 0; i < 2; ++i) {
    pass_grace_();
    const absl::StatusOr<SweepReport> report =
        archives_->Sweep(Context::Background());
    SLUICE_RETURN_IF_ERROR(report.status());
    if (!report->problems.empty()) return report->problems.front();
  }
  SLUICE_RETURN_IF_ERROR(CheckListed("after the sweep"));
  return CheckNothingLeft();
}

absl::Status ArchiveInvariants::CheckListed(absl::string_view when) {
  const Context context = Context::Background();
  SLUICE_ASSIGN_OR_RETURN(const std::vector<ArchiveDestination::Entry> entries,
                          archives_->ListAll(context));
  std::set<std::string> listed;
  for (const ArchiveDestination::Entry& entry : entries) {
    listed.insert(entry.backup_id);
    const absl::Status whole =
        archives_->Verify(context, entry.backup_id, nullptr).status();
    if (!whole.ok()) {
      return Violated(
          absl::StrCat("I1: ", when, " ", entry.backup_id,
                       " is listed and not whole: ", whole.message()));
    }
    if (forbidden_.count(entry.backup_id) != 0) {
      return Violated(absl::StrCat("I1: ", when, " ", entry.backup_id,
                                   " is listed, its run failed"));
    }
  }
  for (const auto& [id, payload] : expected_) {
    if (listed.count(id) == 0)
      return Violated(absl::StrCat("I2: ", when, " ", id, " is not listed"));
    SLUICE_RETURN_IF_ERROR(CheckPayload(id, payload));
  }
  return absl::OkStatus();
}

absl::Status ArchiveInvariants::CheckPayload(absl::string_view backup_id,
                                             absl::string_view payload) {
  SLUICE_ASSIGN_OR_RETURN(
      const std::unique_ptr<PayloadReader> reader,
      archives_->GetBackup(Context::Background(), backup_id));
  SLUICE_ASSIGN_OR_RETURN(const std::string bytes, ReadAll(*reader));
  if (bytes == payload) return absl::OkStatus();
  return Violated(absl::StrCat("I5: ", backup_id, " has another payload"));
}

absl::Status ArchiveInvariants::CheckNothingLeft() {
  const Context context = Context::Background();
  std::vector<std::string> names;
  SLUICE_RETURN_IF_ERROR(store_->List(context, "", [&](const ObjectInfo& info) {
    names.push_back(info.name);
    return absl::OkStatus();
  }));
  for (const std::string& name : names) {
    if (name == kRepoFile || foreign_.count(name) != 0) continue;
    const SplitName split = SplitObjectName(name);
    SLUICE_ASSIGN_OR_RETURN(const NameState state,
                            ReadNameState(context, *store_, split.backup_id));
    const bool archive = state == NameState::kArchive;
    if (split.backup_id.empty() || split.file == kWriterFile ||
        (!archive && split.file != kManifestFile)) {
      return Violated(absl::StrCat("I6: ", name, " is left after the sweep"));
    }
  }
  for (const std::string& name : foreign_) {
    const absl::StatusOr<ObjectInfo> stat = store_->Stat(context, name);
    if (!stat.ok()) return Violated(absl::StrCat("I5: ", name, " is gone"));
  }
  return store_->ListUncommitted(context, "", [](const ObjectInfo& upload) {
    return Violated(absl::StrCat("I6: an upload of ", upload.name, " is left"));
  });
}

void FaultCoverage::Visit(absl::string_view call, absl::string_view fault,
                          bool struck) {
  ++runs_;
  if (struck) ++struck_;
  ++faults_[std::string(fault)];
  calls_.insert(std::string(call));
}

absl::Status FaultCoverage::Finish(size_t least) const {
  std::string line =
      absl::StrCat("coverage ", what_, ": ", calls_.size(), " calls, ", runs_,
                   " runs, ", struck_, " faults struck (");
  const char* separator = "";
  for (const auto& [fault, count] : faults_) {
    absl::StrAppend(&line, separator, fault, " ", count);
    separator = ", ";
  }
  std::printf("%s)\n", line.c_str());
  if (struck_ != runs_ || runs_ < least) {
    return absl::InternalError(
        absl::StrCat(line, "): fewer than the ", least, " that were meant"));
  }
  return absl::OkStatus();
}

}  // namespace sluice
