#ifndef SLUICE_PLUGINS_BADGER_TESTING_COLLECTING_SINK_H_
#define SLUICE_PLUGINS_BADGER_TESTING_COLLECTING_SINK_H_

// A sink that keeps all it is given. For tests.

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice {
namespace badger {

class CollectingSink : public sdk::Sink {
 public:
  absl::Status Write(absl::string_view bytes) override {
    payload.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  }
  absl::StatusOr<absl::Span<char>> Reserve() override {
    return absl::InternalError("not used");
  }
  absl::Status Commit(size_t bytes) override {
    return absl::InternalError("not used");
  }
  absl::Status AddPayloadIds(absl::Span<const absl::string_view> ids) override {
    for (const absl::string_view id : ids) payload_ids.emplace_back(id);
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
  absl::Status End(const sdk::Counts& given) override {
    ++ends;
    counts = given;
    return absl::OkStatus();
  }

  bool keeps_index() const override { return keeps; }
  absl::Status WriteIndex(absl::string_view bytes) override {
    index.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  }

  bool keeps = true;  // an index; a host of ABI 1.0 keeps none
  std::string index;
  std::string payload;
  sdk::Metadata metadata;
  sdk::Counts counts;
  std::vector<std::string> payload_ids;
  std::vector<std::string> warnings;
  uint64_t estimate = 0;
  int ends = 0;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_TESTING_COLLECTING_SINK_H_
