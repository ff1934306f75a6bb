#ifndef SLUICE_PLUGINS_POSTGRES_PAYLOAD_PAYLOAD_INDEX_H_
#define SLUICE_PLUGINS_POSTGRES_PAYLOAD_PAYLOAD_INDEX_H_

// The JSON documents of a payload, as docs/format/postgres-payload.md has them:
// the head, which says before any row what a target must have; a batch of large
// objects' metadata; the index, which says at the end what was in it.
//
//   SLUICE_ASSIGN_OR_RETURN(std::string bytes, WriteHead(head));
//   SLUICE_ASSIGN_OR_RETURN(PayloadHead again, ParseHead(bytes));
//
// Parsers take any bytes: archive_damaged for what the page does not allow,
// archive_unsupported for a newer format. Fields that they do not know are
// passed over. Writers refuse (source_failed) what a parser would: a document
// that is too large, a name that is not UTF-8. Pure functions; memory is some
// ten times the document's size, which is at most kMaxDocumentBytes.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sluice/plugins/postgres/payload/payload_format.h"

namespace sluice::postgres {

// One right of aclexplode(), in its order. Its grantor holds it with the grant
// option by an earlier one, or owns the object.
struct PayloadGrant {
  std::string grantor;
  std::string grantee;    // empty: PUBLIC
  std::string privilege;  // one that such an object has, of a fixed list
  bool grantable = false;

  bool operator==(const PayloadGrant&) const = default;
};

// ALTER DATABASE SET, or ALTER ROLE IN DATABASE SET. `value` as
// pg_db_role_setting holds it.
struct PayloadSetting {
  std::string role;  // empty: every role
  std::string name;
  std::string value;

  bool operator==(const PayloadSetting&) const = default;
};

struct PayloadDatabase {
  std::string name;
  std::string owner;
  std::string encoding;         // UTF8
  std::string locale_provider;  // libc, icu or builtin
  std::string collate;
  std::string ctype;
  std::string icu_locale;         // or builtin's; empty: none
  std::string icu_rules;          // of a database here; in no payload
  std::string collation_version;  // empty: none
  std::string tablespace;
  int64_t connection_limit = -1;
  bool is_template = false;
  bool allow_connections = true;
  std::vector<PayloadSetting> settings;
  // Null: those that every database begins with.
  absl::optional<std::vector<PayloadGrant>> grants;
  std::string comment;  // empty: none

  bool operator==(const PayloadDatabase&) const = default;
};

struct PayloadTable {
  uint64_t id = 0;  // ascending, from 1
  std::string schema;
  std::string name;
  std::vector<std::string> columns;  // empty: no list is given to COPY
  CopyFormat format = CopyFormat::kText;
  // A partition whose rows another server may hash elsewhere is loaded through
  // this one; empty: through itself.
  std::string root_schema;
  std::string root_name;
  uint64_t estimated_bytes = 0;

  bool operator==(const PayloadTable&) const = default;
};

// A role that something in the database refers to. Never its password.
struct PayloadRole {
  std::string name;
  bool superuser = false;
  bool inherit = true;
  bool create_role = false;
  bool create_database = false;
  bool login = false;
  bool replication = false;
  bool bypass_rls = false;
  int64_t connection_limit = -1;
  std::vector<std::string> member_of;

  bool operator==(const PayloadRole&) const = default;
};

struct PayloadExtension {
  std::string name;
  std::string version;

  bool operator==(const PayloadExtension&) const = default;
};

// A collation that something in the database sorts by, of a provider that has
// versions.
struct PayloadCollation {
  std::string schema;
  std::string name;
  std::string version;

  bool operator==(const PayloadCollation&) const = default;
};

struct PayloadObjectName {
  std::string schema;
  std::string name;

  bool operator==(const PayloadObjectName&) const = default;
};

struct PayloadHead {
  int64_t server_version = 0;   // 150018 for 15.18
  std::string pg_dump_version;  // 15.18
  std::string store_id;         // empty: none
  PayloadDatabase database;
  std::vector<PayloadTable> tables;
  std::vector<PayloadRole> roles;
  std::vector<PayloadExtension> extensions;
  std::vector<std::string> tablespaces;
  std::vector<PayloadCollation> collations;
  // Those that held rows, to be refreshed.
  std::vector<PayloadObjectName> materialized_views;

  bool operator==(const PayloadHead&) const = default;
};

struct PayloadBlob {
  uint32_t oid = 0;
  std::string owner;
  absl::optional<std::vector<PayloadGrant>> grants;  // null: the owner's alone
  std::string comment;                               // empty: none

  bool operator==(const PayloadBlob&) const = default;
};

struct PayloadTableTotals {
  uint64_t id = 0;
  uint64_t rows = 0;
  uint64_t bytes = 0;  // of the rows
  uint64_t parts = 0;
  std::string digest;  // RowDigest::Hex

  bool operator==(const PayloadTableTotals&) const = default;
};

struct PayloadSequence {
  std::string schema;
  std::string name;
  int64_t last_value = 0;
  bool is_called = false;

  bool operator==(const PayloadSequence&) const = default;
};

struct PayloadBlobTotals {
  uint64_t count = 0;
  uint64_t bytes = 0;
  uint64_t parts = 0;
  std::string digest;  // BlobDigest::Hex

  bool operator==(const PayloadBlobTotals&) const = default;
};

struct PayloadIndex {
  std::vector<PayloadTableTotals> tables;  // one for each of the head, in order
  std::vector<PayloadSequence> sequences;
  PayloadBlobTotals blobs;

  bool operator==(const PayloadIndex&) const = default;
};

absl::StatusOr<std::string> WriteHead(const PayloadHead& head);
absl::StatusOr<PayloadHead> ParseHead(absl::string_view bytes);

absl::StatusOr<std::string> WriteBlobBatch(
    const std::vector<PayloadBlob>& blobs);
absl::StatusOr<std::vector<PayloadBlob>> ParseBlobBatch(
    absl::string_view bytes);

absl::StatusOr<std::string> WriteIndex(const PayloadIndex& index);
absl::StatusOr<PayloadIndex> ParseIndex(absl::string_view bytes);

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_PAYLOAD_PAYLOAD_INDEX_H_
