#include "sluice/plugins/postgres/payload/payload_index.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "nlohmann/json.hpp"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/payload/json_fields.h"

namespace sluice::postgres {
namespace {

using Json = nlohmann::json;
using Ordered = nlohmann::ordered_json;
using Grants = absl::optional<std::vector<PayloadGrant>>;

constexpr int kMaxDepth = 6;
constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
constexpr uint64_t kMaxTableId = std::numeric_limits<uint32_t>::max();

// Writing.

Ordered ToJson(const Grants& grants) {
  if (!grants.has_value()) return nullptr;
  Ordered list = Ordered::array();
  for (const PayloadGrant& grant : *grants) {
    list.push_back({{"grantor", grant.grantor},
                    {"grantee", grant.grantee},
                    {"privilege", grant.privilege},
                    {"grantable", grant.grantable}});
  }
  return list;
}

Ordered ToJson(const PayloadDatabase& database) {
  Ordered settings = Ordered::array();
  for (const PayloadSetting& setting : database.settings) {
    settings.push_back({{"role", setting.role},
                        {"name", setting.name},
                        {"value", setting.value}});
  }
  return {{"name", database.name},
          {"owner", database.owner},
          {"encoding", database.encoding},
          {"locale_provider", database.locale_provider},
          {"collate", database.collate},
          {"ctype", database.ctype},
          {"icu_locale", database.icu_locale},
          {"collation_version", database.collation_version},
          {"tablespace", database.tablespace},
          {"connection_limit", database.connection_limit},
          {"is_template", database.is_template},
          {"allow_connections", database.allow_connections},
          {"settings", std::move(settings)},
          {"grants", ToJson(database.grants)},
          {"comment", database.comment}};
}

Ordered ToJson(const PayloadTable& table) {
  Ordered json = {
      {"id", table.id},
      {"schema", table.schema},
      {"name", table.name},
      {"columns", table.columns},
      {"format", table.format == CopyFormat::kBinary ? "binary" : "text"},
      {"load", table.root_name.empty() ? "self" : "root"},
      {"estimated_bytes", table.estimated_bytes}};
  if (!table.root_name.empty()) {
    json["root_schema"] = table.root_schema;
    json["root_name"] = table.root_name;
  }
  return json;
}

Ordered ToJson(const PayloadRole& role) {
  return {{"name", role.name},
          {"superuser", role.superuser},
          {"inherit", role.inherit},
          {"create_role", role.create_role},
          {"create_database", role.create_database},
          {"login", role.login},
          {"replication", role.replication},
          {"bypass_rls", role.bypass_rls},
          {"connection_limit", role.connection_limit},
          {"member_of", role.member_of}};
}

Ordered ToJson(const PayloadExtension& extension) {
  return {{"name", extension.name}, {"version", extension.version}};
}

Ordered ToJson(const PayloadCollation& collation) {
  return {{"schema", collation.schema},
          {"name", collation.name},
          {"version", collation.version}};
}

Ordered ToJson(const PayloadObjectName& object) {
  return {{"schema", object.schema}, {"name", object.name}};
}

Ordered ToJson(const PayloadBlob& blob) {
  return {{"oid", blob.oid},
          {"owner", blob.owner},
          {"grants", ToJson(blob.grants)},
          {"comment", blob.comment}};
}

Ordered ToJson(const PayloadTableTotals& totals) {
  return {{"id", totals.id},
          {"rows", totals.rows},
          {"bytes", totals.bytes},
          {"parts", totals.parts},
          {"digest", totals.digest}};
}

Ordered ToJson(const PayloadSequence& sequence) {
  return {{"schema", sequence.schema},
          {"name", sequence.name},
          {"last_value", sequence.last_value},
          {"is_called", sequence.is_called}};
}

template <typename T>
Ordered ListOf(const std::vector<T>& values) {
  Ordered list = Ordered::array();
  for (const T& value : values) list.push_back(ToJson(value));
  return list;
}

// Reading.

// What stands in a GRANT as it is, and cannot be quoted: no other text may.
constexpr absl::string_view kDatabasePrivileges[] = {"CREATE", "CONNECT",
                                                     "TEMPORARY"};
constexpr absl::string_view kBlobPrivileges[] = {"SELECT", "UPDATE"};

void ReadGrants(JsonFields& fields,
                absl::Span<const absl::string_view> privileges,
                Grants& grants) {
  if (fields.IsNull("grants")) return;
  grants.emplace();
  fields.Each("grants", [&](const Json& json, absl::string_view where,
                            absl::Status& status) {
    JsonFields grant(json, where, status);
    PayloadGrant& read = grants->emplace_back();
    grant.Name("grantor", read.grantor);
    grant.NameOrEmpty("grantee", read.grantee);
    grant.Name("privilege", read.privilege);
    if (std::find(privileges.begin(), privileges.end(), read.privilege) ==
        privileges.end()) {
      grant.Wrong("privilege");
    }
    grant.Bool("grantable", read.grantable);
  });
}

void ReadDatabase(JsonFields fields, PayloadDatabase& database) {
  fields.Name("name", database.name);
  fields.Name("owner", database.owner);
  fields.Name("encoding", database.encoding);
  fields.Name("locale_provider", database.locale_provider);
  fields.NameOrEmpty("collate", database.collate);
  fields.NameOrEmpty("ctype", database.ctype);
  fields.NameOrEmpty("icu_locale", database.icu_locale);
  fields.NameOrEmpty("collation_version", database.collation_version);
  fields.Name("tablespace", database.tablespace);
  fields.Signed("connection_limit", database.connection_limit);
  fields.Bool("is_template", database.is_template);
  fields.Bool("allow_connections", database.allow_connections);
  fields.Each("settings", [&](const Json& json, absl::string_view where,
                              absl::Status& status) {
    JsonFields setting(json, where, status);
    PayloadSetting& read = database.settings.emplace_back();
    setting.NameOrEmpty("role", read.role);
    setting.Name("name", read.name);
    setting.Text("value", read.value);
  });
  ReadGrants(fields, kDatabasePrivileges, database.grants);
  fields.Text("comment", database.comment);
}

void ReadTable(JsonFields fields, PayloadTable& table) {
  fields.Unsigned("id", table.id, kMaxTableId);
  fields.Name("schema", table.schema);
  fields.Name("name", table.name);
  fields.Names("columns", table.columns);
  std::string format;
  fields.Name("format", format);
  table.format = format == "binary" ? CopyFormat::kBinary : CopyFormat::kText;
  if (format != "binary" && format != "text") fields.Wrong("format");
  std::string load;
  fields.Name("load", load);
  if (load == "root") {
    fields.Name("root_schema", table.root_schema);
    fields.Name("root_name", table.root_name);
  } else if (load != "self") {
    fields.Wrong("load");
  }
  fields.Unsigned("estimated_bytes", table.estimated_bytes, kMax);
}

void ReadRole(JsonFields fields, PayloadRole& role) {
  fields.Name("name", role.name);
  fields.Bool("superuser", role.superuser);
  fields.Bool("inherit", role.inherit);
  fields.Bool("create_role", role.create_role);
  fields.Bool("create_database", role.create_database);
  fields.Bool("login", role.login);
  fields.Bool("replication", role.replication);
  fields.Bool("bypass_rls", role.bypass_rls);
  fields.Signed("connection_limit", role.connection_limit);
  fields.Names("member_of", role.member_of);
}

void ReadExtension(JsonFields fields, PayloadExtension& extension) {
  fields.Name("name", extension.name);
  fields.Name("version", extension.version);
}

void ReadCollation(JsonFields fields, PayloadCollation& collation) {
  fields.Name("schema", collation.schema);
  fields.Name("name", collation.name);
  fields.Name("version", collation.version);
}

void ReadObjectName(JsonFields fields, PayloadObjectName& object) {
  fields.Name("schema", object.schema);
  fields.Name("name", object.name);
}

void ReadBlob(JsonFields fields, PayloadBlob& blob) {
  uint64_t oid = 0;
  fields.Unsigned("oid", oid, std::numeric_limits<uint32_t>::max());
  blob.oid = static_cast<uint32_t>(oid);
  if (oid == 0) fields.Wrong("oid");
  fields.Name("owner", blob.owner);
  ReadGrants(fields, kBlobPrivileges, blob.grants);
  fields.Text("comment", blob.comment);
}

void ReadTableTotals(JsonFields fields, PayloadTableTotals& totals) {
  fields.Unsigned("id", totals.id, kMaxTableId);
  fields.Unsigned("rows", totals.rows, kMax);
  fields.Unsigned("bytes", totals.bytes, kMax);
  fields.Unsigned("parts", totals.parts, kMax);
  fields.Digest("digest", totals.digest);
}

void ReadSequence(JsonFields fields, PayloadSequence& sequence) {
  fields.Name("schema", sequence.schema);
  fields.Name("name", sequence.name);
  fields.Signed("last_value", sequence.last_value);
  fields.Bool("is_called", sequence.is_called);
}

template <typename T>
void ReadList(JsonFields& fields, const char* key, void (*read)(JsonFields, T&),
              std::vector<T>& out) {
  fields.Each(key, [&](const Json& json, absl::string_view where,
                       absl::Status& status) {
    read(JsonFields(json, where, status), out.emplace_back());
  });
}

// Ids ascend, and so are distinct.
template <typename T>
bool Ascend(const std::vector<T>& values) {
  uint64_t previous = 0;
  for (const T& value : values) {
    if (value.id <= previous) return false;
    previous = value.id;
  }
  return true;
}

// COPY converts text in binary rows to what the client says it reads, and not
// to the encoding that the statement names: so these travel in UTF-8 alone.
bool FormatsFit(const PayloadHead& head) {
  return head.database.encoding == "UTF8" ||
         std::none_of(head.tables.begin(), head.tables.end(),
                      [](const PayloadTable& table) {
                        return table.format == CopyFormat::kBinary;
                      });
}

absl::StatusOr<Json> ParseDocument(absl::string_view name,
                                   absl::string_view bytes) {
  if (bytes.size() > kMaxDocumentBytes) {
    return MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                     absl::StrCat(name, ": ", bytes.size(), " bytes"));
  }
  absl::StatusOr<Json> document = ParseJsonDocument(bytes, kMaxDepth);
  if (!document.ok()) return Annotate(document.status(), name);
  return document;
}

// Writes, and reads again: what is written can be read.
template <typename T>
absl::StatusOr<std::string> Write(
    absl::string_view name, const Ordered& document,
    absl::StatusOr<T> (*parse)(absl::string_view)) {
  absl::StatusOr<std::string> bytes = DumpJsonDocument(document);
  if (!bytes.ok()) return Annotate(bytes.status(), name);
  const absl::StatusOr<T> again = parse(*bytes);
  if (!again.ok()) {
    return MakeError(absl::StatusCode::kFailedPrecondition, kSourceFailed,
                     absl::StrCat("what the payload would say cannot be read: ",
                                  again.status().message()));
  }
  return bytes;
}

}  // namespace

absl::StatusOr<std::string> WriteHead(const PayloadHead& head) {
  return Write<PayloadHead>(
      kHeadName,
      {{"format", kPayloadVersion},
       {"server_version_num", head.server_version},
       {"pg_dump_version", head.pg_dump_version},
       {"store_id", head.store_id},
       {"database", ToJson(head.database)},
       {"tables", ListOf(head.tables)},
       {"roles", ListOf(head.roles)},
       {"extensions", ListOf(head.extensions)},
       {"tablespaces", head.tablespaces},
       {"collations", ListOf(head.collations)},
       {"materialized_views", ListOf(head.materialized_views)}},
      &ParseHead);
}

absl::StatusOr<PayloadHead> ParseHead(absl::string_view bytes) {
  SLUICE_ASSIGN_OR_RETURN(const Json document, ParseDocument(kHeadName, bytes));
  absl::Status status;
  JsonFields fields(document, kHeadName, status);
  uint64_t version = 0;
  fields.Unsigned("format", version, kMax);
  if (version > kPayloadVersion) {
    return MakeError(absl::StatusCode::kUnimplemented, kArchiveUnsupported,
                     absl::StrCat(kHeadName, ": format ", version,
                                  ", this program reads ", kPayloadVersion));
  }
  PayloadHead head;
  if (version != kPayloadVersion) fields.Wrong("format");
  fields.Signed("server_version_num", head.server_version);
  fields.Name("pg_dump_version", head.pg_dump_version);
  fields.NameOrEmpty("store_id", head.store_id);
  ReadDatabase(JsonFields(fields.Object("database"), "database", status),
               head.database);
  ReadList(fields, "tables", &ReadTable, head.tables);
  ReadList(fields, "roles", &ReadRole, head.roles);
  ReadList(fields, "extensions", &ReadExtension, head.extensions);
  fields.Names("tablespaces", head.tablespaces);
  ReadList(fields, "collations", &ReadCollation, head.collations);
  ReadList(fields, "materialized_views", &ReadObjectName,
           head.materialized_views);
  if (!Ascend(head.tables) || !FormatsFit(head)) fields.Wrong("tables");
  if (!status.ok()) return status;
  return head;
}

absl::StatusOr<std::string> WriteBlobBatch(
    const std::vector<PayloadBlob>& blobs) {
  return Write<std::vector<PayloadBlob>>(
      "batch of large objects", {{"blobs", ListOf(blobs)}}, &ParseBlobBatch);
}

absl::StatusOr<std::vector<PayloadBlob>> ParseBlobBatch(
    absl::string_view bytes) {
  SLUICE_ASSIGN_OR_RETURN(const Json document,
                          ParseDocument("batch of large objects", bytes));
  absl::Status status;
  std::vector<PayloadBlob> blobs;
  JsonFields fields(document, "batch", status);
  ReadList(fields, "blobs", &ReadBlob, blobs);
  if (blobs.empty() || blobs.size() > kMaxBlobsPerBatch) fields.Wrong("blobs");
  if (!status.ok()) return status;
  return blobs;
}

absl::StatusOr<std::string> WriteIndex(const PayloadIndex& index) {
  return Write<PayloadIndex>(kIndexName,
                             {{"tables", ListOf(index.tables)},
                              {"sequences", ListOf(index.sequences)},
                              {"blobs",
                               {{"count", index.blobs.count},
                                {"bytes", index.blobs.bytes},
                                {"parts", index.blobs.parts},
                                {"digest", index.blobs.digest}}}},
                             &ParseIndex);
}

absl::StatusOr<PayloadIndex> ParseIndex(absl::string_view bytes) {
  SLUICE_ASSIGN_OR_RETURN(const Json document,
                          ParseDocument(kIndexName, bytes));
  absl::Status status;
  PayloadIndex index;
  JsonFields fields(document, kIndexName, status);
  ReadList(fields, "tables", &ReadTableTotals, index.tables);
  ReadList(fields, "sequences", &ReadSequence, index.sequences);
  JsonFields blobs(fields.Object("blobs"), "blobs", status);
  blobs.Unsigned("count", index.blobs.count, kMax);
  blobs.Unsigned("bytes", index.blobs.bytes, kMax);
  blobs.Unsigned("parts", index.blobs.parts, kMax);
  blobs.Digest("digest", index.blobs.digest);
  if (!Ascend(index.tables)) fields.Wrong("tables");
  if (!status.ok()) return status;
  return index;
}

}  // namespace sluice::postgres
