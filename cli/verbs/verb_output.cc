#include "sluice/cli/verbs/verb_output.h"

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/json.h"

namespace sluice::cli {
namespace {

absl::Status Broken(absl::string_view what) {
  return MakeError(absl::StatusCode::kInternal, kPluginUnusable,
                   absl::StrCat("the plugin's verb printed ", what));
}

}  // namespace

absl::Status VerbOutput::Write(const Context& context,
                               absl::string_view bytes) {
  if (!status_.ok()) return status_;
  status_ = context.status();
  if (status_.ok()) status_ = as_json_ ? TakeJson(bytes) : Take(bytes);
  return status_;
}

absl::Status VerbOutput::Finish() {
  if (status_.ok()) status_ = PrintJson();
  return status_;
}

absl::Status VerbOutput::Take(absl::string_view bytes) {
  printed_ = printed_ || !bytes.empty();
  console_.ResultBytes(bytes);
  return FlushAfter(bytes.size());
}

absl::Status VerbOutput::TakeJson(absl::string_view bytes) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const absl::string_view piece = bytes.substr(0, end);
    if (line_.size() + piece.size() > kMaxJsonLine)
      return Broken("a line of more than 16 MiB");
    absl::StrAppend(&line_, piece);
    if (end == absl::string_view::npos) break;
    SLUICE_RETURN_IF_ERROR(PrintJson());
    bytes.remove_prefix(end + 1);
  }
  return absl::OkStatus();
}

absl::Status VerbOutput::PrintJson() {
  if (line_.empty()) return absl::OkStatus();
  const Json json = Json::parse(line_, nullptr, false);
  const size_t size = line_.size();
  line_.clear();
  if (json.is_discarded()) return Broken("invalid JSON");
  printed_ = true;
  console_.ResultJson(json);
  return FlushAfter(size);
}

absl::Status VerbOutput::FlushAfter(size_t bytes) {
  unflushed_ += bytes;
  if (unflushed_ < kFlushBytes) return absl::OkStatus();
  unflushed_ = 0;
  return console_.Flush();
}

}  // namespace sluice::cli
