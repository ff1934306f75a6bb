#include "sluice/plugins/memory/synthetic_source.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <utility>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/memory/payload/payload_writer.h"

namespace sluice {
namespace {

using memory_internal::PayloadWriter;

constexpr uint64_t kMaxKeys = 10'000'000'000'000'000;
constexpr size_t kBlockBytes = 256 << 10;
constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kStampBytes = 16;

std::vector<char> RandomBlock(uint64_t seed) {
  // The generator's outputs are laid down by the standard.
  std::mt19937_64 random(seed);
  std::vector<char> block(kBlockBytes);
  for (size_t i = 0; i < kBlockBytes; i += 8) {
    const uint64_t word = random();
    for (size_t j = 0; j < 8; ++j) {
      block[i + j] = static_cast<char>(word >> 8 * j);
    }
  }
  return block;
}

class SyntheticSource : public sdk::Source {
 public:
  explicit SyntheticSource(SyntheticOptions options)
      : options_(std::move(options)) {}

  absl::StatusOr<sdk::SourceInfo> Describe(const sdk::Run& run) override {
    sdk::SourceInfo info;
    info.store_id = options_.store_id;
    return info;
  }

  absl::Status Backup(const sdk::Run& run, const sdk::BackupRequest& request,
                      sdk::Sink& sink) override {
    if (request.has_base) {
      SLUICE_RETURN_IF_ERROR(sink.SetMetadata(sdk::kFullMetadata, "1"));
    }
    if (block_.empty()) block_ = RandomBlock(options_.seed);
    sink.SetEstimate(options_.keys * (options_.value_bytes + 29) + 41);
    PayloadWriter writer(sink);
    for (uint64_t key = 0; key < options_.keys; ++key) {
      SLUICE_RETURN_IF_ERROR(run.status());
      SLUICE_RETURN_IF_ERROR(
          writer.BeginEntry(absl::StrFormat("key-%016d", key)));
      SLUICE_RETURN_IF_ERROR(WriteValue(key, writer));
      SLUICE_RETURN_IF_ERROR(writer.EndEntry());
    }
    return writer.Finish();
  }

  absl::Status Restore(const sdk::Run& run,
                       sdk::RestoreRequest& request) override {
    return MakeError(absl::StatusCode::kFailedPrecondition,
                     kRestorePreconditionFailed,
                     "restore: a synthetic store cannot be restored into");
  }

 private:
  absl::Status WriteValue(uint64_t key, PayloadWriter& writer) const {
    uint64_t offset = 0;
    while (offset < options_.value_bytes) {
      SLUICE_ASSIGN_OR_RETURN(absl::Span<char> room, writer.ReserveValue());
      const size_t count =
          std::min<uint64_t>(room.size(), options_.value_bytes - offset);
      Fill(key, offset, room.first(count));
      SLUICE_RETURN_IF_ERROR(writer.CommitValue(count));
      offset += count;
    }
    return absl::OkStatus();
  }

  // The value's bytes from `offset` on.
  void Fill(uint64_t key, uint64_t offset, absl::Span<char> room) const {
    for (size_t done = 0; done < room.size();) {
      const size_t from = (offset + done) % kBlockBytes;
      const size_t count = std::min(kBlockBytes - from, room.size() - done);
      std::memcpy(room.data() + done, block_.data() + from, count);
      done += count;
    }
    const uint64_t end = offset + room.size();
    for (uint64_t page = offset / kPageBytes * kPageBytes; page < end;
         page += kPageBytes) {
      const uint64_t begin = std::max(page, offset);
      const uint64_t stop = std::min(page + kStampBytes, end);
      for (uint64_t at = begin; at < stop; ++at) {
        room[at - offset] = StampByte(key, page, at - page);
      }
    }
  }

  char StampByte(uint64_t key, uint64_t page, uint64_t index) const {
    const uint64_t word = index < 8 ? key : page ^ options_.seed;
    return static_cast<char>(word >> 8 * (index % 8));
  }

  const SyntheticOptions options_;
  std::vector<char> block_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<sdk::Source>> MakeSyntheticSource(
    SyntheticOptions options) {
  const absl::uint128 bytes =
      absl::uint128(options.keys) * (absl::uint128(options.value_bytes) + 64);
  if (options.keys > kMaxKeys || (bytes >> 63) != 0) {
    return MakeError(absl::StatusCode::kInvalidArgument, kSourceConfigInvalid,
                     "memory: more than 10^16 keys or 2^63 bytes");
  }
  if (options.store_id.empty()) {
    options.store_id = absl::StrCat("synthetic-", options.keys, "-",
                                    options.value_bytes, "-", options.seed);
  }
  return std::make_unique<SyntheticSource>(std::move(options));
}

}  // namespace sluice
