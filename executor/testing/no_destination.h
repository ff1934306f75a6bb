#ifndef SLUICE_EXECUTOR_TESTING_NO_DESTINATION_H_
#define SLUICE_EXECUTOR_TESTING_NO_DESTINATION_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/executor/destination.h"

namespace sluice {

// A destination that can do nothing: for tests that need one call of it.
class NoDestination : public Destination {
 public:
  absl::Status PutBackup(const Context&, Manifest&, PayloadReader&,
                         const PutOptions&) override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<Manifest> GetManifest(const Context&,
                                       absl::string_view) override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<std::unique_ptr<PayloadReader>> GetBackup(
      const Context&, absl::string_view) override {
    return absl::UnimplementedError("");
  }
  absl::StatusOr<std::vector<Manifest>> List(const Context&) override {
    return absl::UnimplementedError("");
  }
  absl::Status Stat(const Context&, absl::string_view) override {
    return absl::UnimplementedError("");
  }
  absl::Status Delete(const Context&, absl::string_view) override {
    return absl::UnimplementedError("");
  }
  absl::Status Validate(const Context&) override {
    return absl::UnimplementedError("");
  }
  absl::Status Close() override { return absl::OkStatus(); }
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_TESTING_NO_DESTINATION_H_
