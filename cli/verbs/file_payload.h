#ifndef SLUICE_CLI_VERBS_FILE_PAYLOAD_H_
#define SLUICE_CLI_VERBS_FILE_PAYLOAD_H_

// A file as a payload: what an engine's own tool wrote, as `badger backup`
// does. Nothing but its length tells that it is whole, so its format must.
//
//   SLUICE_ASSIGN_OR_RETURN(auto payload, FilePayload::Open(context, path));
//   payload->OnBytes([](uint64_t done) { ... });
//
// One thread. Memory: two chunks of 1 MiB. Errors: archive_not_found where it
// cannot be opened, archive_damaged where its length changes while it is read;
// the context's.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/file_system.h"
#include "sluice/executor/context.h"
#include "sluice/executor/payload.h"

namespace sluice::cli {

class FilePayload final : public PayloadReader {
 public:
  // A regular file, or a link to one.
  static absl::StatusOr<std::unique_ptr<FilePayload>> Open(
      const Context& context, FileSystem& files, const std::string& path);

  uint64_t size() const { return size_; }
  // Called with each chunk.
  void OnBytes(std::function<void(uint64_t done)> on_bytes) {
    on_bytes_ = std::move(on_bytes);
  }

  absl::StatusOr<absl::string_view> Next() override;
  void Release() override {}
  size_t max_views() const override { return buffers_.size(); }
  const PayloadTrailer& trailer() const override { return trailer_; }
  absl::Status ForEachPayloadId(
      const std::function<absl::Status(absl::string_view)>& callback)
      const override {
    return absl::OkStatus();
  }

 private:
  FilePayload(const Context& context, std::string path,
              std::unique_ptr<File> file, uint64_t size)
      : context_(context),
        path_(std::move(path)),
        file_(std::move(file)),
        size_(size) {}

  const Context context_;
  const std::string path_;
  const std::unique_ptr<File> file_;
  const uint64_t size_;
  uint64_t done_ = 0;
  std::array<std::string, 2> buffers_;  // those of the last two views
  size_t next_buffer_ = 0;
  std::function<void(uint64_t)> on_bytes_;
  PayloadTrailer trailer_;
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_VERBS_FILE_PAYLOAD_H_
