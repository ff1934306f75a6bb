#include "sluice/service/http/api/route.h"

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/service/http/message/json_body.h"

namespace sluice::service {
namespace {

// The types that the table says; JsonObjectReader tells of a wrong one.
template <typename T>
void ReadField(http::JsonObjectReader& reader, const BodyField& field,
               nlohmann::json& fields) {
  absl::optional<T> value;
  reader.Optional(field.name, value);
  if (value.has_value()) fields[field.name] = *value;
}

void ReadTextMap(http::JsonObjectReader& reader, const BodyField& field,
                 nlohmann::json& fields) {
  const nlohmann::json* value = reader.Take(field.name);
  if (value == nullptr) return;
  if (!value->is_object()) {
    reader.Wrong(field.name, "is not an object");
    return;
  }
  http::JsonObjectReader inner(*value, field.name);
  for (const auto& entry : value->items()) {
    absl::optional<std::string> text;
    inner.Optional(entry.key(), text);
  }
  const absl::Status status = inner.Finish();
  if (!status.ok()) {
    reader.Wrong(field.name, "holds a value that is no text");
    return;
  }
  fields[field.name] = *value;
}

}  // namespace

const std::vector<ApiRoute>& ApiRoutes() {
  static const auto* const kRoutes = [] {
    auto* routes = new std::vector<ApiRoute>;
    AddBackupRoutes(*routes);
    AddJobRoutes(*routes);
    AddPlanRoutes(*routes);
    AddRepoRoutes(*routes);
    AddNotificationRoutes(*routes);
    AddAccessRoutes(*routes);
    AddSystemRoutes(*routes);
    return routes;
  }();
  return *kRoutes;
}

const ApiRoute& RouteOf(absl::string_view operation) {
  for (const ApiRoute& route : ApiRoutes()) {
    if (route.operation == operation) return route;
  }
  std::abort();  // the router's operations are the table's
}

absl::StatusOr<ApiBody> ApiBody::Parse(const ApiRoute& route,
                                       absl::string_view text) {
  ApiBody body;
  if (text.empty()) {
    if (route.body.empty() || route.may_lack_body) return body;
    text = "{}";
  }
  SLUICE_ASSIGN_OR_RETURN(const nlohmann::json object,
                          http::ParseJsonObject(text));
  http::JsonObjectReader reader(object);
  for (const BodyField& field : route.body) {
    if (field.nullable && reader.TakeNull(field.name)) {
      body.fields_[field.name] = nullptr;
      continue;
    }
    if (field.required && !object.contains(field.name)) {
      reader.Wrong(field.name, "is missing");
    }
    switch (field.kind) {
      case BodyKind::kText:
        ReadField<std::string>(reader, field, body.fields_);
        break;
      case BodyKind::kFlag:
        ReadField<bool>(reader, field, body.fields_);
        break;
      case BodyKind::kCount:
        ReadField<int64_t>(reader, field, body.fields_);
        break;
      case BodyKind::kTexts:
        ReadField<std::vector<std::string>>(reader, field, body.fields_);
        break;
      case BodyKind::kTextMap:
        ReadTextMap(reader, field, body.fields_);
        break;
    }
  }
  SLUICE_RETURN_IF_ERROR(reader.Finish());
  return body;
}

const nlohmann::json* ApiBody::Find(absl::string_view name) const {
  const auto found = fields_.find(std::string(name));
  return found == fields_.end() ? nullptr : &*found;
}

bool ApiBody::Has(absl::string_view name) const {
  return Find(name) != nullptr;
}

bool ApiBody::IsNull(absl::string_view name) const {
  const nlohmann::json* value = Find(name);
  return value != nullptr && value->is_null();
}

std::string ApiBody::Text(absl::string_view name) const {
  const nlohmann::json* value = Find(name);
  return value != nullptr && value->is_string() ? value->get<std::string>()
                                                : "";
}

bool ApiBody::Flag(absl::string_view name, bool otherwise) const {
  const nlohmann::json* value = Find(name);
  return value != nullptr && value->is_boolean() ? value->get<bool>()
                                                 : otherwise;
}

int64_t ApiBody::Count(absl::string_view name) const {
  const nlohmann::json* value = Find(name);
  return value != nullptr && value->is_number_integer() ? value->get<int64_t>()
                                                        : 0;
}

std::vector<std::string> ApiBody::Texts(absl::string_view name) const {
  const nlohmann::json* value = Find(name);
  if (value == nullptr || !value->is_array()) return {};
  return value->get<std::vector<std::string>>();
}

std::string ApiCall::Param(absl::string_view name) const {
  const auto found = request.params.find(std::string(name));
  return found == request.params.end() ? "" : found->second;
}

absl::optional<std::string> ApiCall::Query(absl::string_view name) const {
  return request.query.Find(name);
}

Asker ApiCall::asker() const {
  Asker asker;
  asker.requester = caller.who;
  if (const auto key = request.headers.Find("Idempotency-Key")) {
    // One caller's keys are nothing to another.
    asker.idempotency_key = absl::StrCat(caller.who, " ", *key);
    asker.request_sha256 = sha256;
  }
  return asker;
}

}  // namespace sluice::service
