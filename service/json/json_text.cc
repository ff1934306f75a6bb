#include "sluice/service/json/json_text.h"

#include "sluice/service/json/json.h"

namespace sluice::service {
namespace {

// Whether it stands in a JSON text as it is.
bool IsPlain(absl::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ' || byte >= 0x7f || c == '"' || c == '\\') return false;
  }
  return true;
}

}  // namespace

// A text ends with a quote, so that a bracket that stands last is one of ours.
void JsonText::Separate() {
  if (text_.empty()) return;
  const char last = text_.back();
  if (last != '{' && last != '[' && last != ':') text_ += ',';
}

void JsonText::Value(absl::string_view text) {
  Separate();
  if (IsPlain(text)) {
    text_ += '"';
    text_.append(text.data(), text.size());
    text_ += '"';
    return;
  }
  text_ += Json(std::string(text))
               .dump(-1, ' ', /*ensure_ascii=*/false,
                     Json::error_handler_t::replace);
}

void JsonText::Value(bool value) {
  Separate();
  text_ += value ? "true" : "false";
}

void JsonText::Value(std::nullptr_t) {
  Separate();
  text_ += "null";
}

}  // namespace sluice::service
