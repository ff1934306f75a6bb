#include "sluice/executor/testing/fake_destination.h"

#include <openssl/sha.h>
#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice {
namespace {

std::string Sha256(absl::string_view bytes) {
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), digest);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest), sizeof digest));
}

std::string Hex16(uint64_t value) {
  return absl::StrCat(absl::Hex(value, absl::kZeroPad16));
}

absl::Status NoArchive(absl::string_view backup_id) {
  return MakeError(absl::StatusCode::kNotFound, kArchiveNotFound,
                   absl::StrCat("no archive ", backup_id));
}

// What is known of an archive once its payload is.
void FillIn(FakeDestination::Archive& archive, const PayloadTrailer& trailer) {
  Manifest& manifest = archive.manifest;
  manifest.set_version(1);
  manifest.set_compression("none");
  manifest.set_sha256(Sha256(archive.payload));
  manifest.set_size_bytes(archive.payload.size());
  manifest.set_plain_size_bytes(trailer.size_bytes);
  manifest.set_plain_xxh3(Hex16(trailer.xxh3));
  manifest.set_payload_id_count(trailer.payload_id_count);
  for (const auto& count : trailer.counts) {
    (*manifest.mutable_source_counts())[count.first] = count.second;
  }
  for (const auto& entry : trailer.metadata) {
    (*manifest.mutable_engine_metadata())[entry.first] = entry.second;
  }
  for (const PayloadWarning& warning : trailer.warnings) {
    Warning* added = manifest.add_warnings();
    added->set_code(warning.code);
    added->set_message(warning.message);
  }
}

}  // namespace

// Gives a stored payload in small pieces.
class FakeDestination::Reader final : public PayloadReader {
 public:
  Reader(const FakeDestination* destination, Context context, Archive archive,
         bool verify)
      : destination_(*destination),
        context_(std::move(context)),
        archive_(std::move(archive)),
        verify_(verify) {
    trailer_.size_bytes = archive_.manifest.plain_size_bytes();
    trailer_.payload_id_count = archive_.ids.size();
  }

  absl::StatusOr<absl::string_view> Next() override {
    if (context_.done()) return context_.status();
    if (offset_ > 0) {
      SLUICE_RETURN_IF_ERROR(destination_.Pass(Point::kRead, context_));
    }
    const absl::string_view rest =
        absl::string_view(archive_.payload).substr(offset_);
    if (rest.empty() && verify_ &&
        Sha256(archive_.payload) != archive_.manifest.sha256()) {
      return MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                       "the payload does not match its hash");
    }
    const absl::string_view view = rest.substr(0, 1000);
    offset_ += view.size();
    return view;
  }
  void Release() override {}
  size_t max_views() const override { return 2; }
  const PayloadTrailer& trailer() const override { return trailer_; }
  absl::Status ForEachPayloadId(
      const std::function<absl::Status(absl::string_view)>& callback)
      const override {
    for (const std::string& id : archive_.ids) {
      SLUICE_RETURN_IF_ERROR(callback(id));
    }
    return absl::OkStatus();
  }

 private:
  const FakeDestination& destination_;
  const Context context_;
  const Archive archive_;
  const bool verify_;
  PayloadTrailer trailer_;
  size_t offset_ = 0;
};

void FakeDestination::At(Point point, Hook hook) {
  MutexLock lock(mutex_);
  hooks_[point] = std::move(hook);
}

void FakeDestination::ClaimSuccessWithoutReading() {
  MutexLock lock(mutex_);
  claim_success_ = true;
}

void FakeDestination::DoNotVerify() {
  MutexLock lock(mutex_);
  verify_ = false;
}

std::vector<FakeDestination::Archive> FakeDestination::archives() const {
  MutexLock lock(mutex_);
  std::vector<Archive> result;
  for (const auto& entry : archives_) result.push_back(entry.second);
  return result;
}

void FakeDestination::Put(Archive archive) {
  MutexLock lock(mutex_);
  const std::string id = archive.manifest.backup_id();
  archives_[id] = std::move(archive);
}

FakeDestination::Archive FakeDestination::MakeArchive(std::string backup_id,
                                                      std::string payload,
                                                      std::string store_id,
                                                      std::string store_kind) {
  Archive archive;
  archive.payload = std::move(payload);
  archive.manifest.set_backup_id(std::move(backup_id));
  archive.manifest.set_store_id(std::move(store_id));
  archive.manifest.set_store_kind(std::move(store_kind));
  PayloadTrailer trailer;
  trailer.size_bytes = archive.payload.size();
  trailer.xxh3 = XXH3_64bits(archive.payload.data(), archive.payload.size());
  FillIn(archive, trailer);
  return archive;
}

absl::Status FakeDestination::Pass(Point point, const Context& context) const {
  Hook hook;
  {
    MutexLock lock(mutex_);
    const auto found = hooks_.find(point);
    if (found != hooks_.end()) hook = found->second;
  }
  if (hook) SLUICE_RETURN_IF_ERROR(hook(context));
  const bool masked = point == Point::kCommit || point == Point::kCommitted;
  return masked ? absl::OkStatus() : context.status();
}

absl::Status FakeDestination::PutBackup(const Context& context,
                                        Manifest& manifest,
                                        PayloadReader& payload,
                                        const PutOptions& options) {
  {
    MutexLock lock(mutex_);
    if (claim_success_) return absl::OkStatus();
  }
  SLUICE_RETURN_IF_ERROR(Pass(Point::kBegin, context));
  Archive archive;
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(absl::string_view bytes, payload.Next());
    if (bytes.empty()) break;
    const bool first = archive.payload.empty();
    archive.payload.append(bytes.data(), bytes.size());
    payload.Release();
    if (first) SLUICE_RETURN_IF_ERROR(Pass(Point::kPayload, context));
  }
  SLUICE_RETURN_IF_ERROR(Pass(Point::kEnd, context));
  if (options.on_publishing) options.on_publishing();
  SLUICE_RETURN_IF_ERROR(payload.ForEachPayloadId([&](absl::string_view id) {
    archive.ids.emplace_back(id);
    return absl::OkStatus();
  }));
  SLUICE_RETURN_IF_ERROR(payload.ForEachIndexChunk([&](absl::string_view b) {
    archive.index.append(b.data(), b.size());
    return absl::OkStatus();
  }));
  archive.manifest = manifest;
  FillIn(archive, payload.trailer());
  SLUICE_RETURN_IF_ERROR(context.status());
  if (options.before_publish) SLUICE_RETURN_IF_ERROR(options.before_publish());
  SLUICE_RETURN_IF_ERROR(Pass(Point::kCommit, context));
  manifest = archive.manifest;
  Put(std::move(archive));
  return Pass(Point::kCommitted, context);
}

absl::StatusOr<FakeDestination::Archive> FakeDestination::Find(
    const Context& context, absl::string_view backup_id) const {
  SLUICE_RETURN_IF_ERROR(context.status());
  MutexLock lock(mutex_);
  const auto found = archives_.find(std::string(backup_id));
  if (found == archives_.end()) return NoArchive(backup_id);
  return found->second;
}

absl::StatusOr<Manifest> FakeDestination::GetManifest(
    const Context& context, absl::string_view backup_id) {
  SLUICE_RETURN_IF_ERROR(Pass(Point::kManifest, context));
  SLUICE_ASSIGN_OR_RETURN(Archive archive, Find(context, backup_id));
  return archive.manifest;
}

absl::StatusOr<std::unique_ptr<PayloadReader>> FakeDestination::GetBackup(
    const Context& context, absl::string_view backup_id) {
  SLUICE_ASSIGN_OR_RETURN(Archive archive, Find(context, backup_id));
  MutexLock lock(mutex_);
  return std::unique_ptr<PayloadReader>(
      new Reader(this, context, std::move(archive), verify_));
}

absl::StatusOr<std::unique_ptr<PayloadReader>> FakeDestination::GetIndex(
    const Context& context, const Manifest& manifest) {
  SLUICE_ASSIGN_OR_RETURN(Archive archive, Find(context, manifest.backup_id()));
  if (archive.index.empty()) return Destination::GetIndex(context, manifest);
  archive.payload = std::move(archive.index);
  return std::unique_ptr<PayloadReader>(
      new Reader(this, context, std::move(archive), /*verify=*/false));
}

absl::StatusOr<std::vector<Manifest>> FakeDestination::List(
    const Context& context) {
  SLUICE_RETURN_IF_ERROR(context.status());
  std::vector<Manifest> manifests;
  for (const Archive& archive : archives()) {
    manifests.push_back(archive.manifest);
  }
  return manifests;
}

absl::Status FakeDestination::Stat(const Context& context,
                                   absl::string_view backup_id) {
  return Find(context, backup_id).status();
}

absl::Status FakeDestination::Delete(const Context& context,
                                     absl::string_view backup_id) {
  SLUICE_RETURN_IF_ERROR(context.status());
  MutexLock lock(mutex_);
  return archives_.erase(std::string(backup_id)) == 1 ? absl::OkStatus()
                                                      : NoArchive(backup_id);
}

absl::Status FakeDestination::Validate(const Context& context) {
  return context.status();
}

absl::Status FakeDestination::Close() { return absl::OkStatus(); }

}  // namespace sluice
