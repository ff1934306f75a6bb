#include "sluice/service/notify/target_note.h"

#include "absl/strings/match.h"
#include "nlohmann/json.hpp"

namespace sluice::service {
namespace {

using NoteJson = nlohmann::json;

struct Number {
  const char* name;
  int64_t TargetNote::*field;
};
struct Word {
  const char* name;
  std::string TargetNote::*field;
};

constexpr Number kNumbers[] = {
    {"failed_since", &TargetNote::failed_since},
    {"failed_told", &TargetNote::failed_told},
    {"recovered_at", &TargetNote::recovered_at},
    {"overdue_since", &TargetNote::overdue_since},
    {"overdue_told", &TargetNote::overdue_told},
    {"missed_since", &TargetNote::missed_since},
    {"missed_told", &TargetNote::missed_told},
};
constexpr Word kWords[] = {
    {"error_code", &TargetNote::error_code},
    {"job_id", &TargetNote::job_id},
    {"missed_reason", &TargetNote::missed_reason},
};

}  // namespace

bool TargetNote::is_of_repo() const {
  return absl::StartsWith(error_code, "destination_");
}

void TargetNote::ForgetFailure() {
  failed_since = 0;
  failed_told = 0;
  recovered_at = 0;
  hook_in_doubt = false;
  error_code.clear();
  job_id.clear();
}

std::string EncodeNote(const TargetNote& note) {
  NoteJson encoded = NoteJson::object();
  for (const Number& number : kNumbers) {
    if (note.*number.field != 0) encoded[number.name] = note.*number.field;
  }
  for (const Word& word : kWords) {
    if (!(note.*word.field).empty()) encoded[word.name] = note.*word.field;
  }
  if (note.hook_in_doubt) encoded["hook_in_doubt"] = true;
  return encoded.dump(-1, ' ', false, NoteJson::error_handler_t::replace);
}

TargetNote DecodeNote(absl::string_view text) {
  TargetNote note;
  const NoteJson encoded =
      NoteJson::parse(text.begin(), text.end(), /*cb=*/nullptr,
                      /*allow_exceptions=*/false);
  if (!encoded.is_object()) return note;
  for (const Number& number : kNumbers) {
    const auto found = encoded.find(number.name);
    if (found != encoded.end() && found->is_number_integer()) {
      note.*number.field = found->get<int64_t>();
    }
  }
  for (const Word& word : kWords) {
    const auto found = encoded.find(word.name);
    if (found != encoded.end() && found->is_string()) {
      note.*word.field = found->get<std::string>();
    }
  }
  note.hook_in_doubt = encoded.contains("hook_in_doubt");
  return note;
}

}  // namespace sluice::service
