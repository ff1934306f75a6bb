#include "sluice/tests/simulation/fault_script.h"

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"

namespace sluice {

absl::string_view PartyName(Party party) {
  switch (party) {
    case Party::kStore:
      return "store";
    case Party::kPlace:
      return "place";
    case Party::kCatalog:
      return "catalog";
  }
  return "";
}

absl::string_view FaultKindName(FaultKind kind) {
  switch (kind) {
    case FaultKind::kBefore:
      return "fails";
    case FaultKind::kAfter:
      return "loses its answer";
    case FaultKind::kCancel:
      return "is cancelled before";
    case FaultKind::kGone:
      return "is gone from";
  }
  return "";
}

absl::Status FaultScript::Injected(Party party, bool lost) {
  const std::string message =
      absl::StrCat(kInjectedText, " of the ", PartyName(party));
  switch (party) {
    case Party::kStore:
      return MakeError(absl::StatusCode::kUnavailable, kSourceFailed, message);
    case Party::kPlace:
      return MakeError(
          lost ? absl::StatusCode::kUnknown : absl::StatusCode::kUnavailable,
          kDestinationUnreachable, message);
    case Party::kCatalog:
      return MakeError(absl::StatusCode::kUnavailable, kCatalogUnavailable,
                       message);
  }
  return absl::InternalError("no such party");
}

const PlannedFault* FaultScript::Next(Party party) {
  const int64_t step = ++counts_[static_cast<int>(party)];
  for (const PlannedFault& fault : plan_) {
    if (fault.party == party && fault.step == step) return &fault;
  }
  return nullptr;
}

absl::Status FaultScript::Around(Party party, absl::string_view what,
                                 absl::FunctionRef<absl::Status()> call) {
  scheduler_->Step(absl::StrCat(PartyName(party), ".", what));
  const PlannedFault* const fault = Next(party);
  if (fault != nullptr) {
    struck_ = true;
    if (fault->kind == FaultKind::kCancel) cancel_();
    if (fault->kind == FaultKind::kGone) gone_[static_cast<int>(party)] = true;
    if (fault->kind == FaultKind::kBefore) return Injected(party, false);
  }
  if (gone_[static_cast<int>(party)]) return Injected(party, false);
  const absl::Status status = call();
  if (fault != nullptr && fault->kind == FaultKind::kAfter && status.ok()) {
    return Injected(party, true);
  }
  return status;
}

}  // namespace sluice
