#include "sluice/service/http/api/openapi.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sluice/service/http/api/route.h"
#include "sluice/service/json/json.h"
#include "sluice/service/plan/plan_fields.h"
#include "sluice/service/work/restore_preview.h"

namespace sluice::service {
namespace {

Json Reference(absl::string_view schema) {
  return {{"$ref", absl::StrCat("#/components/schemas/", schema)}};
}

Json ObjectSchema(Json properties) {
  return {{"type", "object"}, {"properties", std::move(properties)}};
}

Json ListSchema(absl::string_view name, absl::string_view item) {
  Json properties;
  properties[std::string(name)] = {{"type", "array"},
                                   {"items", Reference(item)}};
  properties["next_cursor"] = {{"type", Json::array({"string", "null"})}};
  Json schema = ObjectSchema(std::move(properties));
  schema["required"] = Json::array({std::string(name), "next_cursor"});
  return schema;
}

// Of what an encoder writes for an empty model: what is null there is a text,
// most often a time, once it is known.
Json SchemaOf(const Json& sample) {
  switch (sample.type()) {
    case Json::value_t::null:
      return {{"type", Json::array({"string", "null"})}};
    case Json::value_t::boolean:
      return {{"type", "boolean"}};
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
      return {{"type", "integer"}};
    case Json::value_t::number_float:
      return {{"type", "number"}};
    case Json::value_t::string:
      return {{"type", "string"}};
    case Json::value_t::array:
      return {{"type", "array"}};
    default: {
      Json properties = Json::object();
      for (const auto& member : sample.items()) {
        properties[member.key()] = SchemaOf(member.value());
      }
      return ObjectSchema(std::move(properties));
    }
  }
}

Json With(Json schema, const std::string& name, Json property) {
  schema["properties"][name] = std::move(property);
  return schema;
}

Json OrNull(Json schema) {
  return {{"anyOf", Json::array({std::move(schema), {{"type", "null"}}})}};
}

Json PlanSchema() {
  Json schema = SchemaOf(PlanJson(Plan()));
  for (const PlanField& field : PlanFields()) {
    if (field.kind != PlanFieldKind::kCount) continue;
    schema["properties"][std::string(field.name)] = {
        {"type", Json::array({"integer", "null"})}};
  }
  schema = With(schema, "repo_names",
                {{"type", "array"}, {"items", {{"type", "string"}}}});
  schema = With(schema, "targets",
                {{"type", "array"}, {"items", SchemaOf(TargetJson({}))}});
  return With(schema, "last_job", OrNull(Reference("Job")));
}

Json JobSchema() {
  Json schema = SchemaOf(QueuedRunJson({}));
  schema = With(schema, "cancel_requested", {{"type", "boolean"}});
  // Of a purge alone.
  schema = With(schema, "failed_record_ids",
                {{"type", "array"}, {"items", {{"type", "string"}}}});
  schema = With(schema, "live", {{"type", "boolean"}});
  return With(schema, "owner", {{"type", "string"}});
}

Json ArchiveSchema() {
  const Json error =
      ObjectSchema(SchemaOf(ErrorJson({}, {})["error"])["properties"]);
  return ObjectSchema({{"id", {{"type", "string"}}},
                       {"damaged", {{"type", "boolean"}}},
                       {"manifest", OrNull(SchemaOf(ToJson(Manifest())))},
                       {"record", OrNull(Reference("Backup"))},
                       {"recorded_as", {{"type", "integer"}}},
                       {"error", OrNull(error)}});
}

Json ProblemSchema() {
  Json schema = ObjectSchema({{"type", {{"type", "string"}}},
                              {"title", {{"type", "string"}}},
                              {"status", {{"type", "integer"}}},
                              {"detail", {{"type", "string"}}},
                              {"code", {{"type", "string"}}},
                              {"hint", {{"type", "string"}}},
                              {"running_job_id", {{"type", "string"}}}});
  schema["required"] =
      Json::array({"type", "title", "status", "detail", "code"});
  return schema;
}

Json DryRunSchema() {
  Json schema = SchemaOf(PreviewJson(RestorePreview()));
  schema["properties"]["archives"]["items"] = {{"type", "string"}};
  schema["properties"]["in_the_way"]["items"] = {{"type", "object"}};
  schema["properties"]["free_bytes"] = {
      {"type", Json::array({"integer", "null"})}};
  return With(schema, "record", Reference("Backup"));
}

Json TextMember(const char* name) {
  return ObjectSchema({{name, {{"type", "string"}}}});
}

Json Schemas() {
  const Json any = {{"type", "object"}};
  const Json objects = {{"type", "array"}, {"items", any}};
  const Json text = {{"type", "string"}};
  return {
      {"Problem", ProblemSchema()},
      {"Job", JobSchema()},
      {"Jobs", ListSchema("jobs", "Job")},
      {"Queued",
       ObjectSchema(
           {{"job", Reference("Job")},
            {"jobs", {{"type", "array"}, {"items", Reference("Job")}}}})},
      {"Backup", SchemaOf(ToJson(BackupRecord()))},
      {"Backups", ListSchema("backups", "Backup")},
      {"DryRun", DryRunSchema()},
      {"Plan", PlanSchema()},
      {"Plans", ListSchema("plans", "Plan")},
      {"PlannedTimes",
       ObjectSchema(
           {{"plan", text},
            {"times",
             {{"type", "array"}, {"items", SchemaOf(PlannedTimeJson({}))}}}})},
      {"RetentionPreview", ObjectSchema({{"plan", text}, {"repos", objects}})},
      {"Firing", SchemaOf(FiringJson({}))},
      {"Firings", ListSchema("firings", "Firing")},
      {"Repo", SchemaOf(ToJson(BackupRepo()))},
      {"Repos", ListSchema("repos", "Repo")},
      {"Notification", SchemaOf(NotificationJson({}))},
      {"Notifications", ListSchema("notifications", "Notification")},
      {"Archive", ArchiveSchema()},
      {"Archives", ListSchema("archives", "Archive")},
      {"Token", SchemaOf(TokenJson({}))},
      {"NewToken", With(SchemaOf(TokenJson({})), "token", text)},
      {"Tokens", ListSchema("tokens", "Token")},
      {"AuditEntry", SchemaOf(AuditJson({}))},
      {"Audit", ListSchema("audit", "AuditEntry")},
      {"Session",
       ObjectSchema(
           {{"who", text},
            {"role", text},
            {"plan_id", text},
            {"expires_at", {{"type", Json::array({"string", "null"})}}}})},
      {"Health", TextMember("status")},
      {"Version", ObjectSchema({{"version", text}, {"api", text}})},
      {"OpenApi", any},
      {"EventStream", text},
      {"Text", text}};
}

Json TypeOf(const BodyField& field) {
  Json schema;
  switch (field.kind) {
    case BodyKind::kText:
      schema["type"] = "string";
      break;
    case BodyKind::kFlag:
      schema["type"] = "boolean";
      break;
    case BodyKind::kCount:
      schema["type"] = "integer";
      break;
    case BodyKind::kTexts:
      schema["type"] = "array";
      schema["items"] = {{"type", "string"}};
      break;
    case BodyKind::kTextMap:
      schema["type"] = "object";
      schema["additionalProperties"] = {{"type", "string"}};
      break;
  }
  if (field.nullable) {
    schema["type"] = Json::array({schema["type"].get<std::string>(), "null"});
  }
  schema["description"] = field.help;
  return schema;
}

Json BodyOf(const ApiRoute& route) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const BodyField& field : route.body) {
    properties[field.name] = TypeOf(field);
    if (field.required) required.push_back(field.name);
  }
  Json schema = ObjectSchema(std::move(properties));
  if (!required.empty()) schema["required"] = required;
  schema["additionalProperties"] = false;
  return {{"required", !route.may_lack_body},
          {"content", {{"application/json", {{"schema", schema}}}}}};
}

Json Parameter(const std::string& name, const char* in) {
  Json parameter = {{"name", name},
                    {"in", in},
                    {"required", absl::string_view(in) == "path"},
                    {"schema", {{"type", "string"}}}};
  if (name == "limit" || name == "count") {
    parameter["schema"] = {{"type", "integer"}, {"minimum", 1}};
  }
  if (name == "purge_archives") parameter["schema"] = {{"type", "boolean"}};
  return parameter;
}

Json ParametersOf(const ApiRoute& route) {
  Json parameters = Json::array();
  for (const absl::string_view segment : absl::StrSplit(route.pattern, '/')) {
    if (!absl::StartsWith(segment, "{")) continue;
    parameters.push_back(
        Parameter(std::string(segment.substr(1, segment.size() - 2)), "path"));
  }
  for (const std::string& name : route.query) {
    parameters.push_back(Parameter(name, "query"));
  }
  if (route.method == "POST") {
    parameters.push_back(Parameter("Idempotency-Key", "header"));
  }
  if (route.operation == "followEvents") {
    parameters.push_back(Parameter("Last-Event-ID", "header"));
  }
  if (route.operation == "changePlan") {
    parameters.push_back(Parameter("If-Match", "header"));
  }
  return parameters;
}

std::string MediaTypeOf(const ApiRoute& route) {
  if (route.answer == "EventStream") return "text/event-stream";
  return route.answer == "Text" ? "text/plain" : "application/json";
}

Json ResponsesOf(const ApiRoute& route) {
  const auto success = [&] {
    Json answer = {{"description", "it went well"}};
    if (!route.answer.empty()) {
      answer["content"][MediaTypeOf(route)] = {
          {"schema", Reference(route.answer)}};
    }
    return answer;
  };
  Json responses;
  if (route.operation == "cancelJob") responses["200"] = success();
  if (route.operation == "deleteRepo") {
    responses["202"] = {
        {"description", "the archives go first"},
        {"content", {{"application/json", {{"schema", Reference("Queued")}}}}}};
  }
  responses[absl::StrCat(route.status)] = success();
  responses["default"] = {
      {"description", "what is wrong, as RFC 9457 says it"},
      {"content",
       {{"application/problem+json", {{"schema", Reference("Problem")}}}}}};
  return responses;
}

Json OperationOf(const ApiRoute& route) {
  Json operation = {{"operationId", route.operation},
                    {"summary", route.summary}};
  if (route.role.has_value()) {
    operation["description"] =
        absl::StrCat("Needs the role ", RoleWord(*route.role),
                     route.whole_catalog ? ", for all plans." : ".");
    operation["x-sluice-role"] = std::string(RoleWord(*route.role));
  } else {
    operation["security"] = Json::array();
  }
  const Json parameters = ParametersOf(route);
  if (!parameters.empty()) operation["parameters"] = parameters;
  if (!route.body.empty()) operation["requestBody"] = BodyOf(route);
  operation["responses"] = ResponsesOf(route);
  return operation;
}

std::string LowerOf(const std::string& method) {
  std::string lower = method;
  for (char& c : lower) c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

std::string MakeText() {
  Json paths = Json::object();
  for (const ApiRoute& route : ApiRoutes()) {
    paths[route.pattern][LowerOf(route.method)] = OperationOf(route);
  }
  const Json document = {
      {"openapi", "3.1.0"},
      {"info",
       {{"title", "Sluice"},
        {"version", "1"},
        {"description",
         "Backups of stores: plans, jobs, archives, restores. docs/api.md "
         "begins with five calls."},
        {"license", {{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}}},
      {"servers", Json::array({{{"url", "/"}}})},
      {"security", Json::array({{{"bearer", Json::array()}},
                                {{"session", Json::array()}}})},
      {"paths", paths},
      {"components",
       {{"securitySchemes",
         {{"bearer", {{"type", "http"}, {"scheme", "bearer"}}},
          {"session",
           {{"type", "apiKey"}, {"in", "cookie"}, {"name", kSessionCookie}}}}},
        {"schemas", Schemas()}}}};
  return document.dump(2) + "\n";
}

}  // namespace

const std::string& OpenApiText() {
  static const auto* const kText = new std::string(MakeText());
  return *kText;
}

}  // namespace sluice::service
