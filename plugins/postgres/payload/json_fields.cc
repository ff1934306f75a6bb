#include "sluice/plugins/postgres/payload/json_fields.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"

namespace sluice::postgres {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxNameBytes = 1024;

absl::Status Damaged(absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged, what);
}

const Json& EmptyObject() {
  static const Json* const kEmpty = new Json(Json::object());
  return *kEmpty;
}

}  // namespace

absl::StatusOr<Json> ParseJsonDocument(absl::string_view bytes, int max_depth) {
  bool too_deep = false;
  // What is too deep is thrown away as it comes, so brackets cost no memory.
  const auto keep = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth <= max_depth) return true;
    too_deep = true;
    return false;
  };
  Json document =
      Json::parse(bytes.begin(), bytes.end(), keep, /*allow_exceptions=*/false);
  if (too_deep || document.is_discarded() || !document.is_object()) {
    return Damaged("it is not a JSON object as it should be");
  }
  return document;
}

absl::StatusOr<std::string> DumpJsonDocument(
    const nlohmann::ordered_json& document) {
  try {
    return document.dump();
  } catch (const nlohmann::json::exception&) {
    return MakeError(absl::StatusCode::kFailedPrecondition, kSourceFailed,
                     "a name or text in the database is not valid UTF-8");
  }
}

JsonFields::JsonFields(const Json& value, absl::string_view where,
                       absl::Status& status)
    : value_(value), where_(where), status_(status) {
  if (status_.ok() && !value_.is_object()) {
    status_ = Damaged(absl::StrCat(where_, ": not an object"));
  }
}

void JsonFields::Name(const char* key, std::string& out) {
  TextOf(key, 1, kMaxNameBytes, out);
}

void JsonFields::NameOrEmpty(const char* key, std::string& out) {
  TextOf(key, 0, kMaxNameBytes, out);
}

void JsonFields::Text(const char* key, std::string& out) {
  TextOf(key, 0, std::numeric_limits<size_t>::max(), out);
}

void JsonFields::Unsigned(const char* key, uint64_t& out, uint64_t max) {
  const Json* field = Find(key);
  if (field == nullptr) return;
  if (!field->is_number_unsigned()) return Wrong(key);
  out = field->get<uint64_t>();
  if (out > max) Wrong(key);
}

void JsonFields::Signed(const char* key, int64_t& out) {
  const Json* field = Find(key);
  if (field == nullptr) return;
  constexpr auto kMax =
      static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (!field->is_number_integer() ||
      (field->is_number_unsigned() && field->get<uint64_t>() > kMax)) {
    return Wrong(key);
  }
  out = field->get<int64_t>();
}

void JsonFields::Bool(const char* key, bool& out) {
  const Json* field = Find(key);
  if (field == nullptr) return;
  if (!field->is_boolean()) return Wrong(key);
  out = field->get<bool>();
}

void JsonFields::Digest(const char* key, std::string& out) {
  if (!TextOf(key, 32, 32, out)) return;
  if (out.find_first_not_of("0123456789abcdef") != std::string::npos) {
    Wrong(key);
  }
}

void JsonFields::Names(const char* key, std::vector<std::string>& out) {
  const Json* field = Find(key);
  if (field == nullptr) return;
  if (!field->is_array()) return Wrong(key);
  for (const Json& element : *field) {
    const std::string* name = element.get_ptr<const std::string*>();
    if (name == nullptr || name->empty() || name->size() > kMaxNameBytes ||
        name->find('\0') != std::string::npos) {
      return Wrong(key);
    }
    out.push_back(*name);
  }
}

void JsonFields::Each(
    const char* key,
    absl::FunctionRef<void(const Json&, absl::string_view, absl::Status&)>
        visit) {
  const Json* field = Find(key);
  if (field == nullptr) return;
  if (!field->is_array()) return Wrong(key);
  size_t at = 0;
  for (const Json& element : *field) {
    if (!status_.ok()) return;
    visit(element, absl::StrCat(where_, ".", key, "[", at++, "]"), status_);
  }
}

bool JsonFields::IsNull(const char* key) {
  const Json* field = Find(key);
  return field == nullptr || field->is_null();
}

const Json& JsonFields::Object(const char* key) {
  const Json* field = Find(key);
  return field == nullptr ? EmptyObject() : *field;
}

void JsonFields::Wrong(const char* key) {
  if (status_.ok()) {
    status_ = Damaged(absl::StrCat(where_, ".", key, ": missing or wrong"));
  }
}

const Json* JsonFields::Find(const char* key) {
  if (!status_.ok()) return nullptr;
  const auto found = value_.find(key);
  if (found != value_.end()) return &*found;
  Wrong(key);
  return nullptr;
}

bool JsonFields::TextOf(const char* key, size_t min, size_t max,
                        std::string& out) {
  const Json* field = Find(key);
  if (field == nullptr) return false;
  const std::string* text = field->get_ptr<const std::string*>();
  if (text == nullptr || text->size() < min || text->size() > max ||
      text->find('\0') != std::string::npos) {
    Wrong(key);
    return false;
  }
  out = *text;
  return true;
}

}  // namespace sluice::postgres
