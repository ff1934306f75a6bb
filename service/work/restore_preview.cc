#include "sluice/service/work/restore_preview.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/executor/run/restore_chain.h"
#include "sluice/service/store_uri.h"

namespace sluice::service {
namespace {

absl::Status GuardRefusal(absl::string_view what, absl::string_view hint) {
  return WithHint(MakeError(absl::StatusCode::kFailedPrecondition,
                            kRestorePreconditionFailed, what),
                  hint);
}

// Free below the target's paths, or where they would be made.
absl::optional<uint64_t> FreeBytes(const UriFacts& facts) {
  absl::optional<uint64_t> free;
  for (const auto& [option, path] : facts.paths) {
    std::error_code error;
    std::filesystem::path there = path;
    while (!there.empty() && !std::filesystem::exists(there, error) &&
           there != there.parent_path()) {
      there = there.parent_path();
    }
    const auto space = std::filesystem::space(there, error);
    if (error) continue;
    free = std::min(free.value_or(space.available), space.available);
  }
  return free;
}

class Probing {
 public:
  Probing(const Context& context, const RestoreProbe& probe)
      : context_(context), probe_(probe) {
    preview_.target = probe.facts.uri;
  }

  RestorePreview Run(const absl::StatusOr<OpenedRepo>& repo) {
    Note(probe_.target.status());
    Note(repo.status());
    if (repo.ok()) {
      Note(CheckApart(probe_.facts, repo->paths));
      ReadChain(*repo);
    }
    if (probe_.target.ok()) CheckTarget();
    // What a restore sees only as it reads.
    for (const Manifest& manifest : preview_.chain) CheckManifest(manifest);
    preview_.free_bytes = FreeBytes(probe_.facts);
    return std::move(preview_);
  }

 private:
  void Note(const absl::Status& status) {
    if (!status.ok()) preview_.in_the_way.push_back(status);
  }

  void ReadChain(const OpenedRepo& repo) {
    auto chain = ReadRestoreChain(probe_.backup_id, [&](const std::string& id) {
      return repo.destination->GetManifest(context_, id);
    });
    Note(chain.status());
    if (!chain.ok()) return;
    for (const Manifest& manifest : *chain) {
      preview_.needed_bytes += manifest.plain_size_bytes();
    }
    preview_.chain = *std::move(chain);
  }

  void CheckManifest(const Manifest& manifest) {
    const std::string& id = manifest.backup_id();
    const bool has_hashes =
        !manifest.sha256().empty() &&
        std::all_of(manifest.segments().begin(), manifest.segments().end(),
                    [](const Segment& s) { return !s.sha256().empty(); });
    if (!has_hashes) {
      Note(MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                     absl::StrCat("archive ", id, " has no hash to prove it")));
    }
    if (probe_.damaged.count(id) > 0) {
      Note(WithHint(
          MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                    absl::StrCat("archive ", id, " was found damaged before")),
          "`sluice verify` looks again"));
    }
  }

  void CheckTarget() {
    Backupable& target = **probe_.target;
    const Manifest* const archive =
        preview_.chain.empty() ? nullptr : &preview_.chain.back();
    const bool same_kind =
        archive == nullptr || archive->store_kind() == target.store_kind();
    if (!same_kind) {
      Note(GuardRefusal(
          absl::StrCat("archive ", archive->backup_id(), " is of a ",
                       archive->store_kind(), " store, the target is ",
                       target.store_kind()),
          "choose a target of the archive's kind"));
    }
    const absl::StatusOr<StoreInfo> info = target.Describe(context_);
    Note(info.status());
    if (!info.ok()) return;
    if (!info->empty) {
      Note(GuardRefusal("the target is not empty",
                        "restore into an empty store"));
    }
    if (archive != nullptr) CheckStore(info->store_id, *archive);
  }

  void CheckStore(const std::string& target_id, const Manifest& archive) {
    const bool typed = !probe_.from_store.empty();
    const std::string& expected = typed ? probe_.from_store : target_id;
    if (expected.empty() || expected == archive.store_id()) return;
    Note(GuardRefusal(
        absl::StrCat("archive ", archive.backup_id(), " is of store ",
                     archive.store_id(), ", ",
                     typed ? "not of " : "but the target is store ", expected),
        "to restore another store's archive, name that store (--from-store)"));
  }

  const Context& context_;
  const RestoreProbe& probe_;
  RestorePreview preview_;
};

}  // namespace

RestorePreview PreviewRestore(const Context& context,
                              const absl::StatusOr<OpenedRepo>& repo,
                              const RestoreProbe& probe) {
  return Probing(context, probe).Run(repo);
}

Json PreviewJson(const RestorePreview& preview) {
  Json archives = Json::array();
  uint64_t stored = 0;
  for (auto link = preview.chain.rbegin(); link != preview.chain.rend();
       ++link) {
    archives.push_back(link->backup_id());
    stored += link->size_bytes();
  }
  Json in_the_way = Json::array();
  for (const absl::Status& status : preview.in_the_way) {
    in_the_way.push_back(ErrorJson(status, absl::nullopt)["error"]);
  }
  const Manifest none;
  const Manifest& archive = preview.chain.empty() ? none : preview.chain.back();
  return {
      {"target", preview.target},
      {"manifest_valid", !preview.chain.empty()},
      {"archives", archives},
      {"store_id", archive.store_id()},
      {"store_kind", archive.store_kind()},
      {"created_at", archive.created_at().empty() ? Json(nullptr)
                                                  : Json(archive.created_at())},
      {"size_bytes", stored},
      {"needed_bytes", preview.needed_bytes},
      {"free_bytes", preview.free_bytes.has_value() ? Json(*preview.free_bytes)
                                                    : Json(nullptr)},
      {"in_the_way", in_the_way},
      {"possible", preview.possible()}};
}

}  // namespace sluice::service
