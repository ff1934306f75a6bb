#include "sluice/plugins/postgres/database/database_properties.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "sluice/plugins/postgres/payload/payload_index.h"

namespace sluice::postgres {
namespace {

PayloadDatabase Here(const std::string& provider, const std::string& locale) {
  PayloadDatabase here;
  here.encoding = "UTF8";
  here.locale_provider = provider;
  here.collate = "C";
  here.ctype = "C";
  here.icu_locale = locale;
  here.tablespace = "pg_default";
  return here;
}

TEST(DatabasePropertiesTest, CreatesADatabaseOfEachProvider) {
  const std::string begin =
      "CREATE DATABASE \"x\" TEMPLATE template0 ENCODING 'UTF8'"
      " LC_COLLATE 'C' LC_CTYPE 'C'";
  EXPECT_EQ(CreateDatabaseSql("x", Here("libc", ""), 140000), begin);
  EXPECT_EQ(CreateDatabaseSql("x", Here("libc", ""), 150000),
            begin + " LOCALE_PROVIDER libc");
  EXPECT_EQ(CreateDatabaseSql("x", Here("builtin", "C.UTF-8"), 170000),
            begin + " LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'");
  PayloadDatabase icu = Here("icu", "de");
  icu.icu_rules = "&a < g";
  EXPECT_EQ(CreateDatabaseSql("x", icu, 160000),
            begin + " LOCALE_PROVIDER icu ICU_LOCALE 'de' ICU_RULES '&a < g'");
}

TEST(DatabasePropertiesTest, ReadsTheColumnsThatAServerHas) {
  const auto has = [](int version, absl::string_view column) {
    return absl::StrContains(DatabasePropertiesSql(version), column);
  };
  EXPECT_FALSE(has(140000, "datlocprovider"));
  EXPECT_TRUE(has(150000, "daticulocale"));
  EXPECT_FALSE(has(150000, "daticurules"));
  EXPECT_TRUE(has(160000, "daticulocale"));
  EXPECT_TRUE(has(160000, "daticurules"));
  EXPECT_FALSE(has(170000, "daticulocale"));
  EXPECT_TRUE(has(170000, "d.datlocale"));
}

TEST(DatabasePropertiesTest, SplitsAListAsTheServerDoes) {
  using List = std::vector<std::string>;
  EXPECT_EQ(*SplitSettingList(""), List());
  EXPECT_EQ(*SplitSettingList("\"\""), List{""});
  EXPECT_EQ(*SplitSettingList(R"("$user", public,  "a "" ,b")"),
            (List{"$user", "public", "a \" ,b"}));
  for (const absl::string_view wrong :
       {"a,", ",", "\"a", "\"a\" b", "a,,b", "\"a\"b"}) {
    EXPECT_FALSE(SplitSettingList(wrong).has_value()) << wrong;
  }
}

}  // namespace
}  // namespace sluice::postgres
