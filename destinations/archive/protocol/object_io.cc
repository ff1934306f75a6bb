#include "sluice/destinations/archive/protocol/object_io.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/archive/format/names.h"
#include "sluice/destinations/archive/format/sha256.h"

namespace sluice {
namespace {

constexpr size_t kReadBytes = size_t{64} << 10;
constexpr size_t kDigestBytes = size_t{1} << 20;
constexpr int kTries = 3;
// For taking a probe away once the run has ended.
constexpr absl::Duration kProbePatience = absl::Seconds(2);

absl::StatusOr<std::string> ReadOnce(const Context& context, ObjectStore& store,
                                     absl::string_view name, uint64_t most) {
  SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<ObjectReader> reader,
                          store.Open(context, name, 0));
  std::string bytes;
  while (true) {
    const size_t size = bytes.size();
    bytes.resize(size + kReadBytes);
    absl::StatusOr<size_t> read =
        reader->Read(absl::MakeSpan(&bytes[size], kReadBytes));
    if (!read.ok()) return read.status();
    bytes.resize(size + *read);
    if (*read == 0) return bytes;
    if (bytes.size() > most) {
      return MakeError(
          absl::StatusCode::kDataLoss, kArchiveDamaged,
          absl::StrCat("object ", name, ": larger than ", most, " bytes"));
    }
  }
}

absl::StatusOr<ObjectDigest> DigestOnce(const Context& context,
                                        ObjectStore& store,
                                        absl::string_view name) {
  SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<ObjectReader> reader,
                          store.Open(context, name, 0));
  std::vector<char> buffer(kDigestBytes);
  Sha256 hash;
  ObjectDigest digest;
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(const size_t read,
                            reader->Read(absl::MakeSpan(buffer)));
    if (read == 0) break;
    hash.Update(absl::string_view(buffer.data(), read));
    digest.size += read;
  }
  digest.sha256 = ToHex(hash.Finish());
  return digest;
}

}  // namespace

bool MayPass(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsUnknown(status);
}

absl::StatusOr<ObjectDigest> DigestObject(const Context& context,
                                          ObjectStore& store,
                                          absl::string_view name) {
  ObjectDigest digest;
  SLUICE_RETURN_IF_ERROR(TryThrice([&]() -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(digest, DigestOnce(context, store, name));
    return absl::OkStatus();
  }));
  return digest;
}

absl::Status TryThrice(const std::function<absl::Status()>& operation) {
  absl::Status status;
  for (int i = 0; i < kTries; ++i) {
    status = operation();
    if (!MayPass(status)) break;
  }
  return status;
}

absl::StatusOr<std::string> ReadObject(const Context& context,
                                       ObjectStore& store,
                                       absl::string_view name, uint64_t most) {
  std::string bytes;
  SLUICE_RETURN_IF_ERROR(TryThrice([&]() -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(bytes, ReadOnce(context, store, name, most));
    return absl::OkStatus();
  }));
  return bytes;
}

absl::StatusOr<bool> ObjectEquals(const Context& context, ObjectStore& store,
                                  absl::string_view name,
                                  absl::string_view bytes) {
  absl::StatusOr<std::string> found =
      ReadObject(context, store, name, bytes.size());
  if (ErrorCodeOf(found.status()) == kArchiveDamaged) return false;
  if (!found.ok()) return found.status();
  return *found == bytes;
}

absl::StatusOr<absl::Time> PlaceNow(const Context& context,
                                    ObjectStore& store) {
  const std::string name = absl::StrCat(kProbePrefix, RandomHex128());
  const CommitOutcome written =
      StoreObject(context, store, name, "now", CommitMode::kIfAbsent);
  absl::StatusOr<ObjectInfo> info = absl::UnknownError("no probe was written");
  if (written.kind == CommitOutcome::kStored) info = store.Stat(context, name);
  // Also once the run was cancelled. One that stays behind is a probe, which
  // the sweep knows.
  if (written.kind != CommitOutcome::kAbsent) {
    const auto [masked, end_mask] = Context::WithTimeout(
        Context::Background(), Clock::Real(), kProbePatience);
    store.Delete(masked, name).IgnoreError();
  }
  if (info.ok()) return info->modified;
  SLUICE_ASSIGN_OR_RETURN(const PlaceInfo place,
                          store.Describe(context, /*probe=*/false));
  return place.now;
}

CommitOutcome Settle(const absl::Status& committed,
                     const std::function<absl::StatusOr<bool>()>& equals) {
  if (committed.ok()) return {CommitOutcome::kStored, absl::OkStatus()};
  const absl::StatusOr<bool> equal = equals();
  if (absl::IsNotFound(equal.status()))
    return {CommitOutcome::kAbsent, committed};
  if (!equal.ok()) return {CommitOutcome::kUnknown, committed};
  if (*equal) return {CommitOutcome::kStored, absl::OkStatus()};
  return {CommitOutcome::kTaken, committed};
}

CommitOutcome StoreObject(const Context& context, ObjectStore& store,
                          absl::string_view name, absl::string_view bytes,
                          CommitMode mode) {
  absl::StatusOr<std::unique_ptr<ObjectWriter>> writer =
      store.Begin(context, name, bytes.size());
  if (!writer.ok()) return {CommitOutcome::kAbsent, writer.status()};
  if (absl::Status written = (*writer)->Write(bytes); !written.ok()) {
    (*writer)->Abort().IgnoreError();  // the write's error is the cause
    return {CommitOutcome::kAbsent, written};
  }
  return Settle((*writer)->Commit(mode),
                [&] { return ObjectEquals(context, store, name, bytes); });
}

}  // namespace sluice
