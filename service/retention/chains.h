#ifndef SLUICE_SERVICE_RETENTION_CHAINS_H_
#define SLUICE_SERVICE_RETENTION_CHAINS_H_

// The archives of an input in order of age, what each builds on, and what can
// be said of it. Private to retention.

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sluice/service/retention/retention.h"

namespace sluice::service {

enum class ArchiveCondition { kSound, kDamaged, kUnreadable, kUnfinished };

struct ChainLink {
  const RetentionArchive* archive = nullptr;
  // Of its whole chain: with a damaged base it is damaged, too. A base that is
  // not among the archives is somebody else's to judge.
  ArchiveCondition condition = ArchiveCondition::kSound;
  bool future = false;
  // Into the links; none where it builds on nothing that is there.
  absl::optional<size_t> base;
  bool base_is_guess = false;  // it is unreadable, and no record says

  // Whether the rules are about it.
  bool own() const { return !archive->others; }
  bool can_fill_rules() const {
    return own() && !future && condition == ArchiveCondition::kSound;
  }
};

// By time of creation, then id.
class ArchiveChains {
 public:
  // `input` must outlive it. invalid_argument for ids that are empty or there
  // twice.
  static absl::StatusOr<ArchiveChains> Create(const RetentionInput& input);

  size_t size() const { return links_.size(); }
  const ChainLink& operator[](size_t i) const { return links_[i]; }
  const std::string& id(size_t i) const { return links_[i].archive->id; }
  absl::optional<size_t> Find(absl::string_view id) const;

  // The newest that `wanted` says yes to.
  absl::optional<size_t> Newest(
      const std::function<bool(const ChainLink&)>& wanted) const;
  absl::optional<size_t> NewestVerified() const;

  // `chosen`, by size(), in the order of RetentionDecision::removals.
  std::vector<std::string> RemovalOrder(const std::vector<bool>& chosen) const;

 private:
  void FindBases();
  void JudgeChains();

  std::vector<ChainLink> links_;
  std::map<absl::string_view, size_t> by_id_;
};

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_RETENTION_CHAINS_H_
