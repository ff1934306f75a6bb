#include "sluice/service/retention/floors.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice::service {
namespace {

constexpr std::pair<RetentionReasonKind, absl::string_view> kReasonWords[] = {
    {RetentionReasonKind::kNoRule, "no_rule"},
    {RetentionReasonKind::kLast, "last"},
    {RetentionReasonKind::kWithin, "within"},
    {RetentionReasonKind::kHourly, "hourly"},
    {RetentionReasonKind::kDaily, "daily"},
    {RetentionReasonKind::kWeekly, "weekly"},
    {RetentionReasonKind::kMonthly, "monthly"},
    {RetentionReasonKind::kYearly, "yearly"},
    {RetentionReasonKind::kNewest, "newest"},
    {RetentionReasonKind::kNewestVerified, "newest_verified"},
    {RetentionReasonKind::kPinned, "pinned"},
    {RetentionReasonKind::kBase, "base"},
    {RetentionReasonKind::kInUse, "in_use"},
    {RetentionReasonKind::kUnreadable, "unreadable"},
    {RetentionReasonKind::kDamaged, "damaged"},
    {RetentionReasonKind::kFuture, "future"},
    {RetentionReasonKind::kSuspended, "suspended"},
    {RetentionReasonKind::kUnwanted, "unwanted"},
};

bool IsFloor(RetentionReasonKind kind) {
  return kind >= RetentionReasonKind::kNewest &&
         kind <= RetentionReasonKind::kInUse;
}

void AddNewest(const ArchiveChains& chains,
               std::vector<RetentionReasons>& reasons) {
  const absl::optional<size_t> newest =
      chains.Newest([](const ChainLink& link) {
        return link.own() && !link.future && link.archive->finished;
      });
  const absl::optional<size_t> sound = chains.Newest(
      [](const ChainLink& link) { return link.can_fill_rules(); });
  const absl::optional<size_t> verified = chains.NewestVerified();
  if (newest.has_value()) {
    reasons[*newest].push_back({RetentionReasonKind::kNewest, "newest"});
  }
  if (sound.has_value() && sound != newest) {
    reasons[*sound].push_back(
        {RetentionReasonKind::kNewest, "newest that is sound"});
  }
  if (verified.has_value()) {
    reasons[*verified].push_back(
        {RetentionReasonKind::kNewestVerified, "newest that is verified"});
  }
}

void AddPin(const RetentionInput& input, const RetentionArchive& archive,
            RetentionReasons& reasons) {
  if (!archive.pin.has_value() || archive.pin->until <= input.now) return;
  const bool ends = archive.pin->until != absl::InfiniteFuture();
  std::string text = "pinned";
  if (ends) {
    absl::StrAppend(
        &text, " until ",
        absl::FormatTime("%Y-%m-%d %H:%M", archive.pin->until, input.zone));
  }
  if (!archive.pin->reason.empty()) {
    absl::StrAppend(&text, ": ", archive.pin->reason);
  }
  reasons.push_back({RetentionReasonKind::kPinned, std::move(text)});
}

// Adds who uses it to the archive and to all that it builds on.
void AddUse(const ArchiveChains& chains, size_t user,
            std::vector<RetentionReasons>& reasons) {
  const RetentionArchive& archive = *chains[user].archive;
  const std::string use = !archive.finished ? "being written" : archive.in_use;
  if (use.empty()) return;
  reasons[user].push_back({RetentionReasonKind::kInUse, "in use: " + use});
  std::vector<bool> seen(chains.size());
  seen[user] = true;
  absl::optional<size_t> base = chains[user].base;
  while (base.has_value() && !seen[*base]) {
    seen[*base] = true;
    reasons[*base].push_back(
        {RetentionReasonKind::kInUse,
         absl::StrCat("in use: base of ", archive.id, ", ", use)});
    base = chains[*base].base;
  }
}

RetentionReason BaseOf(const ArchiveChains& chains, size_t dependant) {
  const std::string& id = chains.id(dependant);
  return {RetentionReasonKind::kBase,
          chains[dependant].base_is_guess
              ? absl::StrCat("may be the base of ", id, ", which is unreadable")
              : absl::StrCat("base of ", id)};
}

RefusedRemoval Refuse(const std::string& id, const RetentionReason& reason) {
  const bool in_use = reason.kind == RetentionReasonKind::kInUse;
  const absl::string_view word = RetentionReasonWord(reason.kind);
  absl::Status status =
      MakeError(absl::StatusCode::kFailedPrecondition,
                in_use ? kArchiveInUse : kArchiveProtected,
                absl::StrCat("archive ", id, " is not removed: ", reason.text));
  const absl::string_view first = in_use ? "wait for its end; or "
                                  : reason.kind == RetentionReasonKind::kBase
                                      ? "name what builds on it, too; or "
                                      : "";
  status = WithHint(std::move(status),
                    absl::StrCat(first, "override the floor \"", word, "\""));
  return {id, reason.kind, std::move(status)};
}

// The archives named, by their place; others than the plan's are an error.
absl::StatusOr<std::vector<bool>> FindNamed(
    const ArchiveChains& chains, const std::vector<std::string>& ids) {
  std::vector<bool> named(chains.size());
  for (const std::string& id : ids) {
    const absl::optional<size_t> found = chains.Find(id);
    if (!found.has_value()) {
      return MakeError(absl::StatusCode::kNotFound, kArchiveNotFound,
                       absl::StrCat("archive ", id, " is not among these"));
    }
    if (!chains[*found].own()) {
      return InvalidArgument(
          absl::StrCat("archive ", id, " belongs to another plan, or to none"),
          "name it where its own plan's archives are pruned");
    }
    named[*found] = true;
  }
  return named;
}

}  // namespace

absl::string_view RetentionReasonWord(RetentionReasonKind kind) {
  for (const auto& [other, word] : kReasonWords) {
    if (other == kind) return word;
  }
  return "";
}

absl::StatusOr<RetentionReasonKind> ParseRetentionFloor(
    absl::string_view word) {
  for (const auto& [kind, name] : kReasonWords) {
    if (name == word && IsFloor(kind)) return kind;
  }
  return InvalidArgument(
      "no floor of retention has that name",
      "there are newest, newest_verified, pinned, base and in_use");
}

void AddFloorReasons(const RetentionInput& input, const ArchiveChains& chains,
                     std::vector<RetentionReasons>& reasons) {
  AddNewest(chains, reasons);
  for (size_t i = 0; i < chains.size(); ++i) {
    AddPin(input, *chains[i].archive, reasons[i]);
    AddUse(chains, i, reasons);
  }
}

void AddBaseReasons(const ArchiveChains& chains,
                    std::vector<RetentionReasons>& reasons,
                    std::vector<bool>& goes) {
  std::vector<size_t> staying;
  for (size_t i = 0; i < chains.size(); ++i) {
    if (!goes[i]) staying.push_back(i);
  }
  while (!staying.empty()) {
    const size_t dependant = staying.back();
    staying.pop_back();
    const absl::optional<size_t> base = chains[dependant].base;
    if (!base.has_value()) continue;
    reasons[*base].push_back(BaseOf(chains, dependant));
    if (goes[*base]) staying.push_back(*base);
    goes[*base] = false;
  }
}

absl::StatusOr<NamedRemoval> DecideNamedRemoval(
    const RetentionInput& input, const std::vector<std::string>& ids,
    const std::set<RetentionReasonKind>& overrides) {
  SLUICE_ASSIGN_OR_RETURN(const ArchiveChains chains,
                          ArchiveChains::Create(input));
  SLUICE_ASSIGN_OR_RETURN(const std::vector<bool> named,
                          FindNamed(chains, ids));
  std::vector<RetentionReasons> floors(chains.size());
  AddFloorReasons(input, chains, floors);
  for (size_t i = 0; i < chains.size(); ++i) {
    const absl::optional<size_t> base = chains[i].base;
    if (!named[i] && base.has_value()) {
      floors[*base].push_back(BaseOf(chains, i));
    }
  }
  NamedRemoval removal;
  for (size_t i = 0; i < chains.size(); ++i) {
    if (!named[i]) continue;
    for (const RetentionReason& floor : floors[i]) {
      if (overrides.count(floor.kind) > 0) continue;
      removal.refused.push_back(Refuse(chains.id(i), floor));
    }
  }
  if (removal.refused.empty()) removal.removals = chains.RemovalOrder(named);
  return removal;
}

}  // namespace sluice::service
