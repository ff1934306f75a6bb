#include "sluice/service/http/message/json_body.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"

namespace sluice::http {
namespace {

using Json = nlohmann::json;

// A field's name as a message may show it.
std::string Shown(absl::string_view name) {
  constexpr size_t kMostShown = 64;
  return absl::StrCat("\"", name.substr(0, kMostShown),
                      name.size() > kMostShown ? "…" : "", "\"");
}

// Builds the value event by event, so that a fault ends the parse at once.
class Builder {
 public:
  explicit Builder(size_t max_depth) : max_depth_(max_depth) {}

  Json value;
  absl::Status status;

  bool null() { return Put(nullptr); }
  bool boolean(bool v) { return Put(v); }
  bool number_integer(Json::number_integer_t v) { return Put(v); }
  bool number_unsigned(Json::number_unsigned_t v) { return Put(v); }
  bool number_float(Json::number_float_t v, const Json::string_t&) {
    return Put(v);
  }
  bool string(Json::string_t& v) { return Put(std::move(v)); }
  bool binary(Json::binary_t&) { return false; }
  bool start_object(size_t) { return Open(Json::object()); }
  bool start_array(size_t) { return Open(Json::array()); }
  bool end_object() { return Close(); }
  bool end_array() { return Close(); }
  bool key(Json::string_t& name) {
    if (open_.back()->contains(name)) {
      status = InvalidArgument(
          absl::StrCat("the JSON has the field ", Shown(name), " twice"));
      return false;
    }
    key_ = std::move(name);
    return true;
  }
  bool parse_error(size_t position, const std::string&,
                   const Json::exception&) {
    status = InvalidArgument(
        absl::StrCat("no valid JSON from its byte ", position, " on"));
    return false;
  }

 private:
  template <typename T>
  bool Put(T&& v) {
    Add(Json(std::forward<T>(v)));
    return true;
  }

  Json* Add(Json v) {
    if (open_.empty()) {
      value = std::move(v);
      return &value;
    }
    if (open_.back()->is_array()) {
      open_.back()->push_back(std::move(v));
      return &open_.back()->back();
    }
    Json& place = (*open_.back())[key_];
    place = std::move(v);
    return &place;
  }

  bool Open(Json container) {
    if (open_.size() == max_depth_) {
      status = InvalidArgument(
          absl::StrCat("the JSON is nested deeper than ", max_depth_));
      return false;
    }
    open_.push_back(Add(std::move(container)));
    return true;
  }

  bool Close() {
    open_.pop_back();
    return true;
  }

  const size_t max_depth_;
  // The containers that are open, the innermost last. Each is the last element
  // of the one before it, so that none of them moves.
  std::vector<Json*> open_;
  std::string key_;
};

bool Convert(const Json& json, std::string& value) {
  if (!json.is_string()) return false;
  value = json.get_ref<const std::string&>();
  return value.find('\0') == std::string::npos;
}

bool Convert(const Json& json, bool& value) {
  if (!json.is_boolean()) return false;
  value = json.get<bool>();
  return true;
}

bool Convert(const Json& json, int64_t& value) {
  if (!json.is_number_integer()) return false;
  if (json.is_number_unsigned() &&
      json.get<uint64_t>() >
          static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return false;
  }
  value = json.get<int64_t>();
  return true;
}

bool Convert(const Json& json, std::vector<std::string>& value) {
  if (!json.is_array()) return false;
  value.clear();
  for (const Json& element : json) {
    if (!Convert(element, value.emplace_back())) return false;
  }
  return true;
}

absl::string_view Expected(const std::string&) { return "a text without NUL"; }
absl::string_view Expected(bool) { return "true or false"; }
absl::string_view Expected(int64_t) { return "an integer of 64 bits"; }
absl::string_view Expected(const std::vector<std::string>&) {
  return "a list of texts";
}

}  // namespace

absl::StatusOr<Json> ParseJson(absl::string_view text, size_t max_depth) {
  if (absl::StartsWith(text, "\xEF\xBB\xBF")) {
    return InvalidArgument("the JSON begins with a byte order mark");
  }
  Builder builder(max_depth);
  if (!Json::sax_parse(text.begin(), text.end(), &builder)) {
    return builder.status.ok() ? InvalidArgument("no valid JSON")
                               : builder.status;
  }
  return std::move(builder.value);
}

absl::StatusOr<Json> ParseJsonObject(absl::string_view text, size_t max_depth) {
  absl::StatusOr<Json> value = ParseJson(text, max_depth);
  if (value.ok() && !value->is_object()) {
    return InvalidArgument("the JSON is no object", "send {…}");
  }
  return value;
}

JsonObjectReader::JsonObjectReader(const Json& object, absl::string_view where)
    : object_(object), where_(where) {
  if (!object_.is_object()) {
    status_ = InvalidArgument(absl::StrCat(
        where_.empty() ? "the JSON" : Shown(where_), " is no object"));
  }
}

std::string JsonObjectReader::Named(absl::string_view name) const {
  return absl::StrCat("the field ",
                      Shown(where_.empty() ? std::string(name)
                                           : absl::StrCat(where_, ".", name)));
}

void JsonObjectReader::Wrong(absl::string_view name, absl::string_view what) {
  if (!status_.ok()) return;
  status_ = InvalidArgument(absl::StrCat(Named(name), " ", what));
}

const Json* JsonObjectReader::Take(absl::string_view name) {
  if (!object_.is_object()) return nullptr;
  taken_.emplace_back(name);
  const auto found = object_.find(taken_.back());
  return found == object_.end() ? nullptr : &*found;
}

bool JsonObjectReader::TakeNull(absl::string_view name) {
  if (!object_.is_object()) return false;
  const auto found = object_.find(std::string(name));
  if (found == object_.end() || !found->is_null()) return false;
  taken_.emplace_back(name);
  return true;
}

template <typename T>
void JsonObjectReader::Read(absl::string_view name, bool required,
                            absl::optional<T>& value) {
  value = absl::nullopt;
  const Json* json = Take(name);
  if (json == nullptr) {
    if (required) Wrong(name, "is missing");
    return;
  }
  T converted{};
  if (Convert(*json, converted)) {
    value = std::move(converted);
  } else {
    Wrong(name, absl::StrCat("is not ", Expected(T{})));
  }
}

template <typename T>
void JsonObjectReader::ReadRequired(absl::string_view name, T& value) {
  absl::optional<T> read;
  Read(name, /*required=*/true, read);
  if (read.has_value()) value = *std::move(read);
}

void JsonObjectReader::Required(absl::string_view name, std::string& value) {
  ReadRequired(name, value);
}
void JsonObjectReader::Required(absl::string_view name, bool& value) {
  ReadRequired(name, value);
}
void JsonObjectReader::Required(absl::string_view name, int64_t& value) {
  ReadRequired(name, value);
}
void JsonObjectReader::Required(absl::string_view name,
                                std::vector<std::string>& value) {
  ReadRequired(name, value);
}

void JsonObjectReader::Optional(absl::string_view name,
                                absl::optional<std::string>& value) {
  Read(name, /*required=*/false, value);
}
void JsonObjectReader::Optional(absl::string_view name,
                                absl::optional<bool>& value) {
  Read(name, /*required=*/false, value);
}
void JsonObjectReader::Optional(absl::string_view name,
                                absl::optional<int64_t>& value) {
  Read(name, /*required=*/false, value);
}
void JsonObjectReader::Optional(
    absl::string_view name, absl::optional<std::vector<std::string>>& value) {
  Read(name, /*required=*/false, value);
}

absl::Status JsonObjectReader::Finish() {
  if (!status_.ok() || !object_.is_object()) return status_;
  for (const auto& field : object_.items()) {
    if (std::find(taken_.begin(), taken_.end(), field.key()) == taken_.end()) {
      Wrong(field.key(), "is not known here");
    }
  }
  return status_;
}

}  // namespace sluice::http
