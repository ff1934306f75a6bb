#ifndef SLUICE_PLUGINS_POSTGRES_CLIENT_QUOTE_H_
#define SLUICE_PLUGINS_POSTGRES_CLIENT_QUOTE_H_

// Names and text within SQL. Right for a connection as connection.h opens it:
// client encoding UTF-8 (or any that holds ASCII bytes only as ASCII) and
// standard_conforming_strings. Pure functions.

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

namespace sluice::postgres {

// my"table -> "my""table"
inline std::string QuoteIdentifier(absl::string_view name) {
  return absl::StrCat("\"", absl::StrReplaceAll(name, {{"\"", "\"\""}}), "\"");
}
// "schema"."name"
inline std::string QuoteQualified(absl::string_view schema,
                                  absl::string_view name) {
  return absl::StrCat(QuoteIdentifier(schema), ".", QuoteIdentifier(name));
}
// it's -> 'it''s'
inline std::string QuoteLiteral(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "''"}}), "'");
}

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_CLIENT_QUOTE_H_
