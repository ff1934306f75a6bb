#include "sluice/plugins/memory/payload/payload_reading.h"

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice {
namespace memory_internal {
namespace {

absl::Status Drain(const sdk::Run& run, sdk::Payload& payload,
                   absl::FunctionRef<absl::Status(absl::string_view)> consume) {
  while (true) {
    SLUICE_RETURN_IF_ERROR(run.status());
    SLUICE_ASSIGN_OR_RETURN(const absl::string_view bytes, payload.Next());
    if (bytes.empty()) return absl::OkStatus();
    SLUICE_RETURN_IF_ERROR(consume(bytes));
  }
}

}  // namespace

absl::Status ReadPayloads(const sdk::Run& run, sdk::RestoreRequest& request,
                          PayloadVisitor& visitor) {
  const absl::Span<sdk::Payload* const> payloads = request.payloads();
  if (payloads.empty()) {
    return InvalidArgument("restore: no payload was given");
  }
  for (sdk::Payload* earlier : payloads.first(payloads.size() - 1)) {
    SLUICE_RETURN_IF_ERROR(Drain(
        run, *earlier, [](absl::string_view) { return absl::OkStatus(); }));
  }
  PayloadParser parser(visitor);
  SLUICE_RETURN_IF_ERROR(
      Drain(run, *payloads.back(),
            [&parser](absl::string_view bytes) { return parser.Feed(bytes); }));
  return parser.Finish();
}

}  // namespace memory_internal
}  // namespace sluice
