#include "sluice/service/base_choice.h"

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/executor/executor.h"

namespace sluice::service {
namespace {

absl::Status CheckCanBeBase(const std::vector<ArchiveRow>& archives,
                            const ArchiveRow& base) {
  SLUICE_ASSIGN_OR_RETURN(const auto chain, ChainOf(archives, base));
  for (const ArchiveRow& link : chain) {
    if (!link.manifest.ok()) return link.manifest.status();
    if (!link.damaged()) continue;
    return MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                     absl::StrCat("archive ", link.id, " was found damaged"));
  }
  if (chain.size() < kMaxChainLength) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kFailedPrecondition, kInvalidArgument,
      absl::StrCat("archive ", base.id, " ends a chain of ", chain.size(),
                   ", which is as long as one may be"));
}

absl::StatusOr<Manifest> FindBase(const std::vector<ArchiveRow>& archives,
                                  const ArchiveWish& wish,
                                  std::vector<std::string>* notes) {
  SLUICE_ASSIGN_OR_RETURN(const ArchiveRow base,
                          ChooseArchive(archives, wish, notes));
  SLUICE_RETURN_IF_ERROR(CheckCanBeBase(archives, base));
  return *base.manifest;
}

bool IsNothingToBuildOn(const absl::Status& status) {
  const std::string code = ErrorCodeOf(status);
  return code == kArchiveNotFound || code == kArchiveDamaged ||
         status.code() == absl::StatusCode::kFailedPrecondition;
}

}  // namespace

absl::StatusOr<BaseChoice> ChooseBase(const std::vector<ArchiveRow>& archives,
                                      const ArchiveWish& wish) {
  BaseChoice choice;
  if (wish.id.empty()) return choice;
  absl::StatusOr<Manifest> base = FindBase(archives, wish, &choice.notes);
  if (base.ok()) {
    choice.base = *std::move(base);
  } else if (wish.id == "latest" && IsNothingToBuildOn(base.status())) {
    choice.why_full = std::string(base.status().message());
  } else {
    return base.status();
  }
  return choice;
}

}  // namespace sluice::service
