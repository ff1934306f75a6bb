#ifndef SLUICE_SERVICE_RETENTION_RETENTION_H_
#define SLUICE_SERVICE_RETENTION_RETENTION_H_

// Which archives go, and why.
//
// A pure function of what is known of a plan's archives and of its rules: it
// reads no clock, catalog or place, and deletes nothing. docs/retention.md is
// for those who use it.
//
// Example:
//
//   RetentionInput input;
//   input.archives = {{"01A", created_at}, {"01B", created_at + absl::Hours(9)}};
//   input.rules.keep_daily = 7;
//   input.now = created_at + absl::Hours(10);
//   absl::StatusOr<RetentionDecision> decision = DecideRetention(input);
//   decision->removals;  // {"01A"}: 01B is newer, and of the same day
//
// Values; any thread. Errors are invalid_argument (rules that CheckRetentionRules
// refuses; an id that is empty or there twice) and, where ids are named,
// archive_not_found. Costs O(n log n) for n archives.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/service/retention/rules.h"

namespace sluice::service {

// Words of the errors that hold a named archive back.
inline constexpr absl::string_view kArchiveProtected = "archive_protected";
inline constexpr absl::string_view kArchiveInUse = "archive_in_use";
// The warning of a purge's job for each archive that it had to leave: the
// message begins with the archive's id and a colon.
inline constexpr absl::string_view kArchiveKept = "archive_kept";

// Holds an archive until its end.
struct RetentionPin {
  absl::Time until = absl::InfiniteFuture();
  std::string reason;
};

// What retention must know of an archive.
struct RetentionArchive {
  std::string id;
  absl::Time created_at;
  bool finished = true;  // false: still being written
  // Of the same store and repo, but made by another plan or by hand: nothing
  // decides about it here, but what it builds on stays.
  bool others = false;
  bool damaged = false;
  bool unreadable = false;  // nobody can say now what it is
  uint64_t size_bytes = 0;  // stored: what its removal gives free
  // What it holds of the store: the source's bytes, and counts by name (keys,
  // tables, payload ids). Compared between full archives only.
  uint64_t plain_size_bytes = 0;
  std::map<std::string, uint64_t> counts;
  absl::optional<RetentionPin> pin;
  absl::optional<absl::Time> verified_at;  // last time its whole chain was read
  std::string base_id;  // what it builds on; empty: nothing, or unknown
  // Who reads it or builds on it ("restore 01J..."); empty: nobody.
  std::string in_use;
};

struct RetentionInput {
  // Of one plan, store and repo, in any order; see GroupForRetention.
  std::vector<RetentionArchive> archives;
  RetentionRules rules;
  absl::TimeZone zone = absl::UTCTimeZone();  // the plan's
  absl::Time now;
  // When a person last agreed to a shrink: archives up to then are taken for
  // what the store is.
  absl::optional<absl::Time> shrink_accepted_at;
  // The archives, or their plan, came back from a repo after a catalog was lost,
  // and no person has seen yet what the rules would remove.
  bool adopted = false;
  // How far ahead of `now` a time may be and still be the present.
  absl::Duration clock_slack = absl::Minutes(5);
};

enum class RetentionReasonKind {
  // Rules.
  kNoRule,  // there is none: everything stays
  kLast,
  kWithin,
  kHourly,
  kDaily,
  kWeekly,
  kMonthly,
  kYearly,
  // Floors, below which no rule goes, nor a name without an override.
  kNewest,
  kNewestVerified,
  kPinned,
  kBase,   // something that stays builds on it
  kInUse,  // read, built on, or being written
  // Why else something stays.
  kUnreadable,  // it, or what it builds on
  kDamaged,     // no newer archive is verified yet
  kFuture,      // made after now
  kSuspended,   // it would go, but nothing goes now
  // Why something goes. (Something damaged: kDamaged.)
  kUnwanted,
};

// "daily", "newest_verified", ...: stable.
absl::string_view RetentionReasonWord(RetentionReasonKind kind);

// The kind of a floor by its word, for overrides. Any other word is
// invalid_argument.
absl::StatusOr<RetentionReasonKind> ParseRetentionFloor(absl::string_view word);

struct RetentionReason {
  RetentionReasonKind kind;
  // For people: "daily 2026-11-03 (2 of 7)", "base of 01H...".
  std::string text;
};

struct RetentionVerdict {
  std::string id;
  bool keep = true;
  // All of them, in the order of their kinds; never empty.
  std::vector<RetentionReason> reasons;
};

// Why nothing is removed at all.
struct RetentionSuspension {
  enum class Kind { kFuture, kShrunk, kAdopted } kind;
  std::string archive_id;  // the one that says so; empty with kAdopted
  std::string text;
};

struct RetentionSummary {
  size_t considered = 0;
  size_t removed = 0;
  uint64_t removed_bytes = 0;  // stored
  size_t held_by_pin = 0;      // those that no rule wants
  size_t held_by_floor = 0;    // those that neither rule nor pin wants
};

struct RetentionDecision {
  // Of each archive but those of others; oldest first.
  std::vector<RetentionVerdict> verdicts;
  // In the order in which to delete: oldest first, but each before what it
  // builds on, so that a pass that is broken off leaves no increment alone.
  std::vector<std::string> removals;
  // Not empty: nothing is removed, and a person should look.
  std::vector<RetentionSuspension> suspended;
  RetentionSummary summary;
};

// What the rules remove. An archive stays if a rule wants it, or a floor holds
// it, or there is no rule.
//
// - Rules look from the newest archive that is sound and not from the future:
//   where the source stopped nothing more goes.
// - What is damaged or unreadable, or builds on such, fills no rule. Damaged
//   archives go once a newer one is sound and verified; unreadable ones stay.
//   One that builds on nobody knows what may build on the one before it.
// - The newest sound archive always stays, so the last good one cannot go.
// - A full archive shrank if its size, or a count, is more than max_shrink
//   percent below the median of the last seven full ones that had not shrunk.
//   Removal is suspended while that is so of the newest full one: it ends with
//   one that is as large as those before, or by shrink_accepted_at.
// - What was adopted only says what it would remove.
absl::StatusOr<RetentionDecision> DecideRetention(const RetentionInput& input);

// A named archive that a floor holds.
struct RefusedRemoval {
  std::string id;
  RetentionReasonKind floor;
  absl::Status status;  // archive_protected or archive_in_use, with a hint
};

struct NamedRemoval {
  // In the order in which to delete. Empty where anything was refused.
  std::vector<std::string> removals;
  // One for each id and each reason of a floor.
  std::vector<RefusedRemoval> refused;
};

// What naming `ids` removes: whatever the rules and suspensions say, but
// nothing that a floor holds unless `overrides` names that floor. Bases of what
// is named too are held by nothing. All of them go, or none.
absl::StatusOr<NamedRemoval> DecideNamedRemoval(
    const RetentionInput& input, const std::vector<std::string>& ids,
    const std::set<RetentionReasonKind>& overrides);

// An archive of any plan, store and repo; no plan: made by hand, or adopted.
struct RetentionRow {
  std::string plan_id;
  std::string store_id;
  std::string repo_id;
  RetentionArchive archive;
};

struct RetentionGroup {
  std::string plan_id;
  std::string store_id;
  std::string repo_id;
  std::vector<RetentionArchive> archives;
};

// A group for each plan, store and repo, in that order. Each also has what
// others made of the same store in the same repo, marked as theirs.
std::vector<RetentionGroup> GroupForRetention(
    const std::vector<RetentionRow>& rows);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_RETENTION_RETENTION_H_
