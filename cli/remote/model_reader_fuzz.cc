// Whatever a server answers: it is read or refused, and what is read can be
// printed. The same bytes are taken for events, too.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "sluice/cli/remote/model_reader.h"
#include "sluice/cli/remote/sse_reader.h"
#include "sluice/cli/terminal/json.h"
#include "sluice/service/http/message/json_body.h"

namespace sluice::cli {
namespace {

void Must(bool holds) {
  if (!holds) std::abort();
}

void Check(absl::string_view input) {
  SseReader events;
  std::string whole;
  events
      .Take(input,
            [&](const SseEvent& event) {
              whole += event.type + event.data;
              return absl::OkStatus();
            })
      .IgnoreError();
  Must(whole.size() <= 8 * input.size());
  const absl::StatusOr<AnswerJson> json = http::ParseJson(input);
  if (!json.ok() || !json->is_object()) return;
  const auto job = ReadQueued(*json);
  if (job.ok()) {
    // What was read reads the same again.
    const std::string said = Encode(service::QueuedRunJson(*job));
    const auto again = ReadQueued(AnswerJson::parse(said, nullptr, false));
    Must(again.ok() && Encode(service::QueuedRunJson(*again)) == said);
  }
  const auto record = ReadRecord(*json);
  if (record.ok()) Must(!Encode(ToJson(*record)).empty());
  const auto repo = ReadRepo(*json);
  if (repo.ok()) Must(!Encode(ToJson(*repo)).empty());
  const auto archive = ReadArchive(*json);
  if (archive.ok() && archive->manifest.ok()) {
    Must(!Encode(ToJson(*archive->manifest)).empty());
  }
  const auto plan = ReadPlan(*json);
  if (plan.ok()) Must(!Encode(service::PlanJson(plan->plan)).empty());
  const auto firing = ReadFiring(*json);
  if (firing.ok()) Must(!Encode(service::FiringJson(*firing)).empty());
  const auto time = ReadPlannedTime(*json);
  if (time.ok()) Must(!Encode(service::PlannedTimeJson(*time)).empty());
  const auto pruned = ReadPruned(*json);
  if (pruned.ok()) {
    Must(!Encode(service::DecisionJson(pruned->decision)).empty());
  }
  const auto token = ReadToken(*json);
  if (token.ok()) Must(!Encode(service::TokenJson(*token)).empty());
}

}  // namespace
}  // namespace sluice::cli

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sluice::cli::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
