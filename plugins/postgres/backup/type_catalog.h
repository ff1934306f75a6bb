#ifndef SLUICE_PLUGINS_POSTGRES_BACKUP_TYPE_CATALOG_H_
#define SLUICE_PLUGINS_POSTGRES_BACKUP_TYPE_CATALOG_H_

// Which types of columns may travel in their binary form.
//
// Binary COPY is faster and exact, but some forms hold numbers that mean
// another thing in another database: regclass is the OID of a table; an array
// bears the OID of its elements' type, a composite value those of its columns'.
// So a type travels in binary only if it is on a list of built-in types, or is
// made of such in a way that shows no OID that a user's object got:
//
//   int4, int4[]                          yes: built-in OIDs are the same
//                                         everywhere
//   an enum                               yes: its label is sent
//   a domain or range over a safe type    yes: sent as that
//   a composite of built-in types         yes
//   an array of an enum, a domain or a    no
//   composite, a composite that holds one
//   regclass and its kin                  no
//   any type of an extension, any other   no
//
// A table with one unsafe column travels as text: each form comes from the same
// output functions that pg_dump relies on.
//
// Immutable once loaded; any thread. Load is the connection's.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/postgres/client/connection.h"

namespace sluice::postgres {

// An OID as a query shows it; 0, which is none, for anything else.
uint32_t Oid(absl::string_view text);

struct TypeInfo {
  std::string name;
  bool built_in = false;  // in pg_catalog, made by initdb
  char kind = 'b';        // pg_type.typtype
  uint32_t element = 0;   // of a true array, else 0
  uint32_t base = 0;      // of a domain, a range (its subtype), a multirange
  std::vector<uint32_t> columns;  // of a composite
};

class TypeCatalog {
 public:
  explicit TypeCatalog(std::map<uint32_t, TypeInfo> types)
      : types_(std::move(types)) {}

  // `types` and all that they are made of.
  static absl::StatusOr<TypeCatalog> Load(Connection& connection,
                                          const std::set<uint32_t>& types);

  bool IsBinarySafe(uint32_t type) const;
  // Whether the hash of a value, of a deterministic collation, is the same on
  // another server, so that a row goes into the partition of the same name
  // there. Not so of an enum, whose hash is that of an OID.
  bool IsHashStable(uint32_t type) const;

 private:
  const TypeInfo* Find(uint32_t type) const;
  // On the list, or an array of such: shows OIDs that are the same everywhere.
  bool IsFixed(uint32_t type) const;

  std::map<uint32_t, TypeInfo> types_;
};

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_BACKUP_TYPE_CATALOG_H_
