#include "sluice/plugins/postgres/testing/test_payload.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sluice/plugins/postgres/client/connection.h"
#include "sluice/plugins/postgres/client/quote.h"
#include "sluice/plugins/postgres/database/database_properties.h"
#include "sluice/plugins/postgres/payload/row_digest.h"
#include "sluice/plugins/postgres/payload/tar_writer.h"
#include "sluice/plugins/sdk/testing/fake_sink.h"

namespace sluice::postgres {
namespace {

void Check(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "test payload: %s\n", status.ToString().c_str());
  std::abort();
}

template <typename T>
T Value(absl::StatusOr<T> value) {
  Check(value.status());
  return *std::move(value);
}

// Ordinary tables with rows of their own.
constexpr absl::string_view kTables = R"(
SELECT n.nspname, c.relname,
       coalesce(array_agg(a.attname ORDER BY a.attnum)
         FILTER (WHERE a.attnum IS NOT NULL), '{}')::text[]
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
  AND NOT a.attisdropped AND a.attgenerated = ''
WHERE c.relkind = 'r' AND c.oid >= 16384
GROUP BY n.nspname, c.relname, c.oid ORDER BY c.oid)";

// {a,"b c"} of names without quotes or backslashes.
std::vector<std::string> ParseArray(absl::string_view array) {
  std::vector<std::string> names;
  array = array.substr(1, array.size() - 2);
  while (!array.empty()) {
    const bool quoted = array[0] == '"';
    if (quoted) array.remove_prefix(1);
    const size_t end = array.find(quoted ? '"' : ',');
    names.emplace_back(array.substr(0, end));
    if (end == absl::string_view::npos) break;
    array.remove_prefix(end + 1);
    if (quoted && !array.empty()) array.remove_prefix(1);
  }
  return names;
}

class Dumper {
 public:
  Dumper(TestServer& server, absl::string_view database, size_t part_bytes)
      : connection_(server.Connect(database)), part_bytes_(part_bytes) {}

  TestPayload Dump(CopyFormat format) {
    payload_.head.server_version = connection_->server_version();
    payload_.head.pg_dump_version = "15";
    payload_.head.store_id = "test-store";
    payload_.head.database = Value(ReadDatabaseProperties(*connection_));
    DumpNeeds();
    const Result tables = Value(connection_->Exec(kTables));
    for (int row = 0; row < tables.rows(); ++row) {
      PayloadTable table;
      table.id = static_cast<uint64_t>(row) + 1;
      table.schema = tables.Text(row, 0);
      table.name = tables.Text(row, 1);
      table.columns = ParseArray(tables.Get(row, 2));
      table.format = format;
      payload_.head.tables.push_back(table);
      DumpTable(table);
    }
    DumpSequences();
    DumpBlobs();
    return std::move(payload_);
  }

 private:
  void DumpNeeds() {
    const Result roles = Value(connection_->Exec(
        "SELECT rolname FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_'"));
    for (int row = 0; row < roles.rows(); ++row) {
      payload_.head.roles.emplace_back().name = roles.Text(row, 0);
    }
    const Result extensions = Value(connection_->Exec(
        "SELECT extname, extversion FROM pg_catalog.pg_extension"
        " WHERE oid >= 16384"));
    for (int row = 0; row < extensions.rows(); ++row) {
      payload_.head.extensions.push_back(
          {extensions.Text(row, 0), extensions.Text(row, 1)});
    }
    const Result views = Value(connection_->Exec(
        "SELECT schemaname, matviewname FROM pg_catalog.pg_matviews"
        " WHERE ispopulated ORDER BY matviewname"));
    for (int row = 0; row < views.rows(); ++row) {
      payload_.head.materialized_views.push_back(
          {views.Text(row, 0), views.Text(row, 1)});
    }
  }

  void DumpTable(const PayloadTable& table) {
    const bool binary = table.format == CopyFormat::kBinary;
    std::string columns;
    if (!table.columns.empty()) {
      columns = absl::StrCat(
          " (",
          absl::StrJoin(table.columns, ", ",
                        [](std::string* out, const std::string& column) {
                          out->append(QuoteIdentifier(column));
                        }),
          ")");
    }
    Check(connection_->BeginCopyOut(absl::StrCat(
        "COPY ", QuoteQualified(table.schema, table.name), columns,
        " TO STDOUT (FORMAT ", binary ? "binary" : "text", ", ENCODING ",
        QuoteLiteral(payload_.head.database.encoding), ")")));
    RowDigest digest;
    uint64_t parts = 0;
    std::string part;
    const auto flush = [&](std::string bytes) {
      if (bytes.empty()) return;
      payload_.parts.emplace_back(DataPartName(table.id, parts++),
                                  std::move(bytes));
    };
    if (binary) flush(std::string(kCopyHeader));
    absl::string_view row;
    while (Value(connection_->NextRow(&row))) {
      if (binary && absl::StartsWith(row, kCopyHeader)) {
        row.remove_prefix(kCopyHeader.size());
      }
      if (row.empty() || (binary && row == kCopyTrailer)) continue;
      digest.AddRow(row);
      part.append(row.data(), row.size());
      if (part.size() >= part_bytes_) flush(std::exchange(part, ""));
    }
    flush(std::move(part));
    if (binary) flush(std::string(kCopyTrailer));
    payload_.index.tables.push_back(
        {table.id, digest.rows(), digest.bytes(), parts, digest.Hex()});
  }

  void DumpSequences() {
    const Result names = Value(connection_->Exec(
        "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind = 'S' ORDER BY c.oid"));
    for (int row = 0; row < names.rows(); ++row) {
      const Result state = Value(connection_->Exec(
          absl::StrCat("SELECT last_value, is_called FROM ",
                       QuoteQualified(names.Get(row, 0), names.Get(row, 1)))));
      payload_.index.sequences.push_back(
          {names.Text(row, 0), names.Text(row, 1), state.Integer(0, 0),
           state.Bool(0, 1)});
    }
  }

  void DumpBlobs() {
    std::vector<PayloadBlob> batch;
    BlobDigest digest;
    const Result blobs = Value(connection_->Exec(
        "SELECT oid, pg_catalog.pg_get_userbyid(lomowner), lomacl IS NULL,"
        " coalesce(pg_catalog.obj_description(oid, 'pg_largeobject'), '')"
        " FROM pg_catalog.pg_largeobject_metadata ORDER BY oid"));
    std::vector<std::pair<std::string, std::string>> parts;
    for (int row = 0; row < blobs.rows(); ++row) {
      PayloadBlob blob;
      blob.oid = static_cast<uint32_t>(blobs.Integer(row, 0));
      blob.owner = blobs.Text(row, 1);
      if (!blobs.Bool(row, 2)) DumpBlobGrants(blob);
      blob.comment = blobs.Text(row, 3);
      batch.push_back(blob);
      const Result content = Value(connection_->ExecParams(
          absl::StrCat("SELECT pg_catalog.lo_get(", blob.oid, ")"),
          std::initializer_list<Param>{}, Format::kBinary));
      absl::string_view rest = content.Get(0, 0);
      for (uint64_t part = 0; !rest.empty(); ++part) {
        const absl::string_view bytes = rest.substr(0, part_bytes_);
        rest.remove_prefix(bytes.size());
        digest.AddPart(blob.oid, part, bytes);
        parts.emplace_back(BlobPartName(blob.oid, part), std::string(bytes));
      }
    }
    payload_.index.blobs = {batch.size(), digest.bytes(), parts.size(),
                            digest.Hex()};
    if (batch.empty()) return;
    payload_.parts.emplace_back(BlobBatchName(0), Value(WriteBlobBatch(batch)));
    payload_.parts.insert(payload_.parts.end(), parts.begin(), parts.end());
  }

  void DumpBlobGrants(PayloadBlob& blob) {
    const Result grants = Value(connection_->Exec(absl::StrCat(
        "SELECT pg_catalog.pg_get_userbyid(a.grantor), CASE a.grantee WHEN 0"
        " THEN '' ELSE pg_catalog.pg_get_userbyid(a.grantee) END,"
        " a.privilege_type, a.is_grantable"
        " FROM pg_catalog.pg_largeobject_metadata m,"
        " LATERAL pg_catalog.aclexplode(m.lomacl) a WHERE m.oid = ",
        blob.oid)));
    blob.grants.emplace();
    for (int row = 0; row < grants.rows(); ++row) {
      blob.grants->push_back({grants.Text(row, 0), grants.Text(row, 1),
                              grants.Text(row, 2), grants.Bool(row, 3)});
    }
  }

  const std::unique_ptr<Connection> connection_;
  const size_t part_bytes_;
  TestPayload payload_;
};

}  // namespace

std::string TestPayload::Pack() const {
  sdk::FakeSink sink;
  TarWriter tar(sink);
  Check(
      tar.Add(kHeadName, raw_head.empty() ? Value(WriteHead(head)) : raw_head));
  Check(tar.Add(kSchemaDumpName, schema_dump));
  Check(tar.Add(kSchemaSqlName, "-- for people\n"));
  for (const auto& [name, bytes] : parts) Check(tar.Add(name, bytes));
  Check(tar.Add(kIndexName, Value(WriteIndex(index))));
  Check(tar.Finish());
  return sink.payload;
}

TestPayload MakeTestPayload(TestServer& server, absl::string_view database,
                            CopyFormat format, size_t part_bytes) {
  TestPayload payload = Dumper(server, database, part_bytes).Dump(format);
  payload.schema_dump =
      server.Tool("pg_dump", database, {"-Fc", "--schema-only"});
  return payload;
}

}  // namespace sluice::postgres
