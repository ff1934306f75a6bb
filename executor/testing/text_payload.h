#ifndef SLUICE_EXECUTOR_TESTING_TEXT_PAYLOAD_H_
#define SLUICE_EXECUTOR_TESTING_TEXT_PAYLOAD_H_

#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/executor/payload.h"

namespace sluice {

// A payload of one view, with an empty trailer. For tests.
class TextPayload final : public PayloadReader {
 public:
  // Borrows `text`: a literal.
  explicit TextPayload(absl::string_view text) : text_(text) {}

  absl::StatusOr<absl::string_view> Next() override {
    return std::exchange(text_, absl::string_view());
  }
  void Release() override {}
  size_t max_views() const override { return 2; }
  const PayloadTrailer& trailer() const override { return trailer_; }
  absl::Status ForEachPayloadId(
      const std::function<absl::Status(absl::string_view)>&) const override {
    return absl::OkStatus();
  }

 private:
  absl::string_view text_;
  const PayloadTrailer trailer_{};
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_TESTING_TEXT_PAYLOAD_H_
