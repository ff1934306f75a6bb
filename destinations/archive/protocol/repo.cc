#include "sluice/destinations/archive/protocol/repo.h"

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/archive/format/json.h"
#include "sluice/destinations/archive/format/names.h"
#include "sluice/destinations/archive/protocol/object_io.h"
#include "sluice/destinations/archive/protocol/repo_listing.h"

namespace sluice {
namespace {

absl::Status NoRepo(absl::string_view what) {
  return WithHint(MakeError(absl::StatusCode::kNotFound, kDestinationNotFound,
                            absl::StrCat("open repo: ", what)),
                  "is the disk mounted?");
}

// Of a place without sluice-repo.json: an empty one is a disk that is away, or
// no repo yet; one with archives in it lost the file.
absl::Status CheckLostNone(const Context& context, ObjectStore& store) {
  const auto stop = [](const FoundArchive& found) {
    return found.manifest.has_value()
               ? absl::AlreadyExistsError(found.backup_id)
               : absl::OkStatus();
  };
  const absl::Status found = ForEachFound(context, store, stop, nullptr);
  if (!absl::IsAlreadyExists(found)) return found;
  return WithHint(
      MakeError(absl::StatusCode::kNotFound, kDestinationNotFound,
                absl::StrCat("the place holds archives and no ", kRepoFile)),
      kRepairHint);
}

absl::Status Invalid(absl::string_view what) {
  return WithHint(
      MakeError(absl::StatusCode::kInvalidArgument, kDestinationConfigInvalid,
                absl::StrCat(kRepoFile, ": ", what)),
      kRepairHint);
}

absl::StatusOr<RepoInfo> ReadRepo(const Context& context, ObjectStore& store) {
  absl::StatusOr<std::string> bytes =
      ReadObject(context, store, kRepoFile, kMaxRepoBytes);
  if (ErrorCodeOf(bytes.status()) == kArchiveDamaged)
    return Invalid("too large");
  if (!bytes.ok()) return bytes.status();
  return ParseRepo(*bytes);
}

}  // namespace

std::string EncodeRepo(const RepoInfo& repo) {
  nlohmann::ordered_json object;
  object["version"] = repo.version;
  object["id"] = repo.id;
  object["created_at"] = repo.created_at;
  object["encryption_required"] = repo.encryption_required;
  object["allow_unsynced"] = repo.allow_unsynced;
  return DumpJson(object);
}

absl::StatusOr<RepoInfo> ParseRepo(absl::string_view bytes) {
  const absl::optional<nlohmann::json> object =
      bytes.size() > kMaxRepoBytes ? absl::nullopt : ParseJsonObject(bytes);
  if (!object.has_value()) return Invalid("not a JSON object");
  const absl::optional<uint64_t> version = JsonNumber(*object, "version");
  if (version.value_or(0) == 0 || *version > UINT32_MAX)
    return Invalid("no version");
  RepoInfo repo;
  repo.version = static_cast<uint32_t>(*version);
  repo.id = JsonText(*object, "id").value_or("");
  if (!IsBackupId(repo.id)) return Invalid("no id");
  repo.created_at = JsonText(*object, "created_at").value_or("");
  const absl::optional<bool> required =
      JsonBool(*object, "encryption_required");
  if (!required.has_value() && repo.version <= kRepoFormatVersion)
    return Invalid("no encryption_required");
  repo.encryption_required = required.value_or(true);
  repo.allow_unsynced = JsonBool(*object, "allow_unsynced").value_or(false);
  return repo;
}

absl::StatusOr<RepoInfo> InitRepo(const Context& context, ObjectStore& store,
                                  const RepoInfo& wanted) {
  if (!IsBackupId(wanted.id)) {
    return InvalidArgument("init repo: the id is not a ULID");
  }
  SLUICE_RETURN_IF_ERROR(store.Create(context));
  absl::StatusOr<RepoInfo> existing = ReadRepo(context, store);
  if (!absl::IsNotFound(existing.status())) return existing;
  if (const absl::Status lost = CheckLostNone(context, store); !lost.ok()) {
    existing = ReadRepo(context, store);  // made, and used, by now
    return existing.ok() ? existing : Annotate(lost, "init repo");
  }
  const CommitOutcome outcome = StoreObject(
      context, store, kRepoFile, EncodeRepo(wanted), CommitMode::kIfAbsent);
  if (outcome.kind == CommitOutcome::kStored) return wanted;
  // Another process made it a repo at the same moment: theirs is used.
  if (outcome.kind == CommitOutcome::kTaken) return ReadRepo(context, store);
  return Annotate(outcome.status, "init repo");
}

absl::StatusOr<RepoInfo> OpenRepo(const Context& context, ObjectStore& store,
                                  absl::string_view expected_id, RepoUse use) {
  absl::StatusOr<RepoInfo> repo = ReadRepo(context, store);
  if (absl::IsNotFound(repo.status())) {
    SLUICE_RETURN_IF_ERROR(
        Annotate(CheckLostNone(context, store), "open repo"));
    return NoRepo(absl::StrCat("the place holds no ", kRepoFile));
  }
  if (!repo.ok()) return Annotate(repo.status(), "open repo");
  if (!expected_id.empty() && repo->id != expected_id) {
    return NoRepo(absl::StrCat("the place holds repo ", repo->id,
                               " in place of ", expected_id));
  }
  if (use == RepoUse::kWrite && repo->version > kRepoFormatVersion) {
    return WithHint(
        MakeError(absl::StatusCode::kUnimplemented, kArchiveUnsupported,
                  absl::StrCat("open repo: format version ", repo->version,
                               ", this program writes ", kRepoFormatVersion)),
        "use a newer version of sluice");
  }
  return repo;
}

}  // namespace sluice
