#ifndef SLUICE_PLUGINS_SDK_TESTING_FAKE_SINK_H_
#define SLUICE_PLUGINS_SDK_TESTING_FAKE_SINK_H_

// A sink that keeps all it is given, and payloads to restore from. For tests.

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice::sdk {

class FakeSink : public Sink {
 public:
  // Chunks have `chunk_bytes`; Reserve hands out the rest of one, as the pipe
  // does. `keep` false: bytes are counted and forgotten.
  explicit FakeSink(size_t chunk_bytes = 4096, bool keep = true)
      : chunk_(chunk_bytes), keep_(keep) {}

  absl::Status Write(absl::string_view bytes) override {
    if (absl::Status status = Count(); !status.ok()) return status;
    if (reserved_) return absl::InternalError("Write while a chunk is out");
    Keep(bytes);
    return absl::OkStatus();
  }

  absl::StatusOr<absl::Span<char>> Reserve() override {
    if (absl::Status status = Count(); !status.ok()) return status;
    if (reserved_) return absl::InternalError("Reserve twice");
    reserved_ = true;
    if (used_ == chunk_.size()) used_ = 0;
    return absl::MakeSpan(chunk_).subspan(used_);
  }

  absl::Status Commit(size_t bytes) override {
    if (absl::Status status = Count(); !status.ok()) return status;
    if (!reserved_) return absl::InternalError("Commit without Reserve");
    if (used_ + bytes > chunk_.size()) return absl::InternalError("overrun");
    reserved_ = false;
    Keep(absl::string_view(chunk_.data() + used_, bytes));
    used_ += bytes;
    return absl::OkStatus();
  }

  absl::Status AddPayloadIds(absl::Span<const absl::string_view> ids) override {
    if (absl::Status status = Count(); !status.ok()) return status;
    if (reserved_) return absl::InternalError("ids while a chunk is out");
    for (const absl::string_view id : ids) payload_ids.emplace(id);
    return absl::OkStatus();
  }

  absl::Status SetMetadata(absl::string_view key,
                           absl::string_view value) override {
    metadata[std::string(key)] = std::string(value);
    return absl::OkStatus();
  }

  void SetEstimate(uint64_t bytes) override { estimate = bytes; }

  void AddWarning(absl::string_view word, absl::string_view message) override {
    warnings.push_back(absl::StrCat(word, ": ", message));
  }

  absl::Status End(const Counts& given) override {
    if (absl::Status status = Count(); !status.ok()) return status;
    if (reserved_) return absl::InternalError("End while a chunk is out");
    ++ends;
    counts = given;
    return absl::OkStatus();
  }

  bool keeps_index() const override { return keeps; }
  absl::Status WriteIndex(absl::string_view bytes) override {
    index.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  }

  bool keeps = false;  // an index, as a host of ABI 1.0 does not
  std::string index;
  std::string payload;
  uint64_t size = 0;
  std::set<std::string> payload_ids;
  Metadata metadata;
  std::vector<std::string> warnings;
  uint64_t estimate = 0;
  Counts counts;
  int ends = 0;
  // Calls until one fails with CANCELLED; negative: none does.
  int fail_after = -1;
  int calls = 0;

 private:
  absl::Status Count() {
    if (calls++ == fail_after) return absl::CancelledError("by the test");
    return absl::OkStatus();
  }
  void Keep(absl::string_view bytes) {
    size += bytes.size();
    if (keep_) payload.append(bytes.data(), bytes.size());
  }

  std::vector<char> chunk_;
  bool keep_;
  size_t used_ = 0;
  bool reserved_ = false;
};

// Gives `bytes` in pieces of `piece`, then the end or `outcome`.
class FakePayload : public Payload {
 public:
  explicit FakePayload(std::string bytes, size_t piece = 1000,
                       absl::Status outcome = absl::OkStatus())
      : bytes_(std::move(bytes)), piece_(piece), outcome_(std::move(outcome)) {}

  absl::string_view backup_id() const override { return "fake"; }
  const Metadata& metadata() const override { return metadata_; }
  const Counts& counts() const override { return counts_; }
  uint64_t size() const override { return bytes_.size(); }
  absl::StatusOr<absl::string_view> Next() override {
    if (at_ == bytes_.size() && !outcome_.ok()) return outcome_;
    const absl::string_view view =
        absl::string_view(bytes_).substr(at_, piece_);
    at_ += view.size();
    if (view.empty()) ended_ = true;
    return view;
  }
  bool ended() const { return ended_; }

 private:
  const std::string bytes_;
  const size_t piece_;
  const absl::Status outcome_;
  size_t at_ = 0;
  bool ended_ = false;
  Metadata metadata_;
  const Counts counts_ = {{"keys", 0}};  // of a backup, not of a file
};

class FakeRestoreRequest : public RestoreRequest {
 public:
  explicit FakeRestoreRequest(std::vector<Payload*> payloads,
                              std::string store_id = "fake-store")
      : payloads_(std::move(payloads)), store_id_(std::move(store_id)) {}

  absl::string_view store_id() const override { return store_id_; }
  absl::Span<Payload* const> payloads() const override { return payloads_; }
  void AddWarning(absl::string_view word, absl::string_view message) override {
    warnings.push_back(absl::StrCat(word, ": ", message));
  }

  std::vector<std::string> warnings;

 private:
  const std::vector<Payload*> payloads_;
  const std::string store_id_;
};

}  // namespace sluice::sdk

#endif  // SLUICE_PLUGINS_SDK_TESTING_FAKE_SINK_H_
