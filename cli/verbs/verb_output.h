#ifndef SLUICE_CLI_VERBS_VERB_OUTPUT_H_
#define SLUICE_CLI_VERBS_VERB_OUTPUT_H_

// What a plugin's verb prints, on its way to stdout as it comes: a verb may
// print without end. Nothing is kept but 64 KiB, and as JSON the line that has
// not ended yet.
//
//   VerbOutput output(&console, /*as_json=*/false);
//   status = host.RunCommand(..., [&](absl::string_view bytes) {
//     return output.Write(context, bytes); });
//   SLUICE_RETURN_IF_ERROR(output.Finish());
//
// One thread.

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/cli/terminal/console.h"
#include "sluice/executor/context.h"

namespace sluice::cli {

class VerbOutput {
 public:
  static constexpr size_t kFlushBytes = size_t{64} << 10;
  // As sluice_plugin.h says of command().
  static constexpr size_t kMaxJsonLine = size_t{16} << 20;

  // With `as_json` what is printed must be JSON, a value a line.
  VerbOutput(Console* console, bool as_json)
      : console_(*console), as_json_(as_json) {}

  // The first error stays: the context's once it has ended, UNAVAILABLE where
  // nobody reads, plugin_unusable for invalid JSON.
  absl::Status Write(const Context& context, absl::string_view bytes);
  // The verb has returned. The last line may lack its end.
  absl::Status Finish();

  bool printed() const { return printed_; }

 private:
  absl::Status Take(absl::string_view bytes);
  absl::Status TakeJson(absl::string_view bytes);
  absl::Status PrintJson();
  absl::Status FlushAfter(size_t bytes);

  Console& console_;
  const bool as_json_;
  std::string line_;
  size_t unflushed_ = 0;
  bool printed_ = false;
  absl::Status status_;
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_VERBS_VERB_OUTPUT_H_
