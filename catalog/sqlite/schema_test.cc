#include "sluice/catalog/sqlite/schema.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/catalog/sqlite/sqlite.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"

namespace sluice {
namespace {

std::string BytesOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

class SchemaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = absl::StrCat(::testing::TempDir(), "/schema-XXXXXX");
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    path_ = folder_ + "/catalog.db";
  }

  std::unique_ptr<SqliteDatabase> OpenRaw() {
    std::ofstream(path_, std::ios::app);
    SqliteOptions options;
    options.path = path_;
    auto database = SqliteDatabase::Open(options);
    EXPECT_TRUE(database.ok()) << database.status();
    return *std::move(database);
  }
  absl::Status Run(SqliteDatabase& database, const std::string& sql) {
    return database.Write(context_, [&](SqliteConnection& connection) {
      return connection.Execute(sql);
    });
  }
  int64_t Ask(SqliteDatabase& database, const std::string& sql) {
    int64_t answer = -1;
    const absl::Status status =
        database.Read(context_, [&](SqliteConnection& connection) {
          const absl::StatusOr<int64_t> value = connection.QueryInteger(sql);
          if (value.ok()) answer = *value;
          return value.status();
        });
    EXPECT_TRUE(status.ok()) << sql << ": " << status;
    return answer;
  }
  absl::StatusOr<std::unique_ptr<Catalog>> OpenCatalog() {
    SqliteCatalogOptions options;
    options.path = path_;
    options.heartbeat = false;
    return OpenSqliteCatalog(context_, options);
  }

  Context context_ = Context::Background();
  std::string folder_, path_;
};

TEST_F(SchemaTest, MigrationsAscendWithoutAGap) {
  int version = 0;
  for (const Migration& migration : CatalogMigrations())
    EXPECT_EQ(migration.to_version, ++version);
  EXPECT_GE(version, 1);
}

TEST_F(SchemaTest, CommitsAreSyncedAndTheLogIsUsed) {
  auto database = OpenRaw();
  ASSERT_TRUE(EnsureSchema(context_, *database, CatalogMigrations()).ok());
  EXPECT_EQ(Ask(*database, "PRAGMA synchronous"), 2);
  EXPECT_EQ(Ask(*database, "PRAGMA foreign_keys"), 1);
  EXPECT_EQ(Ask(*database,
                "SELECT count(*) FROM pragma_journal_mode WHERE "
                "journal_mode = 'wal'"),
            1);
}

TEST_F(SchemaTest, RefusesANewerCatalogAndLeavesItByteForByte) {
  ASSERT_TRUE(OpenCatalog().ok());
  {
    auto database = OpenRaw();
    ASSERT_TRUE(Run(*database,
                    "CREATE TABLE of_the_future (x); PRAGMA "
                    "user_version = 99")
                    .ok());
  }
  const std::string before = BytesOf(path_);
  const absl::Status refused = OpenCatalog().status();
  EXPECT_EQ(ErrorCodeOf(refused), kCatalogNewer);
  EXPECT_FALSE(HintOf(refused).empty());
  EXPECT_EQ(BytesOf(path_), before);
}

TEST_F(SchemaTest, RefusesAnotherProgramsDatabase) {
  {
    auto database = OpenRaw();
    ASSERT_TRUE(Run(*database, "CREATE TABLE bookmarks (url)").ok());
  }
  const std::string before = BytesOf(path_);
  EXPECT_EQ(ErrorCodeOf(OpenCatalog().status()), kCatalogUnavailable);
  EXPECT_EQ(BytesOf(path_), before);
}

TEST_F(SchemaTest, MigratesStepByStepAndKeepsTheRows) {
  const Migration one[] = {CatalogMigrations()[0]};
  const Migration two[] = {one[0],
                           {2, "ALTER TABLE jobs ADD COLUMN colour TEXT;"}};
  const Migration three[] = {
      two[0], two[1], {3, "CREATE TABLE extra (x) STRICT_TYPO;"}};
  auto database = OpenRaw();
  ASSERT_TRUE(EnsureSchema(context_, *database, one).ok());
  ASSERT_TRUE(Run(*database, "UPDATE catalog SET last_fence = 41").ok());
  ASSERT_TRUE(EnsureSchema(context_, *database, two).ok());
  EXPECT_EQ(Ask(*database, "PRAGMA user_version"), 2);
  EXPECT_EQ(Ask(*database, "SELECT last_fence FROM catalog"), 41);
  EXPECT_FALSE(EnsureSchema(context_, *database, three).ok());
  EXPECT_EQ(Ask(*database, "PRAGMA user_version"), 2)
      << "a step that fails leaves the version before it";
  EXPECT_EQ(ErrorCodeOf(EnsureSchema(context_, *database, one)), kCatalogNewer);
}

// The catalogs of earlier versions, as their make_golden.cc wrote them.
class GoldenCatalogTest : public SchemaTest,
                          public ::testing::WithParamInterface<int> {};

TEST_P(GoldenCatalogTest, Opens) {
  std::ofstream(path_, std::ios::binary) << BytesOf(
      absl::StrCat("catalog/sqlite/testdata/catalog_v", GetParam(), ".db"));
  auto opened = OpenCatalog();
  ASSERT_TRUE(opened.ok()) << opened.status();
  Catalog& catalog = **opened;
  EXPECT_EQ(catalog.catalog_id().size(), 32u);

  const auto repo = catalog.GetRepo(context_, "golden");
  ASSERT_TRUE(repo.ok());
  EXPECT_EQ(repo->config(), "local:/backups");
  EXPECT_TRUE(repo->encryption().required());
  EXPECT_EQ(repo->encryption().key_ids(0), "key-1");

  const auto record = catalog.GetRecord(context_, "01backup");
  ASSERT_TRUE(record.ok());
  EXPECT_TRUE(record->pinned());
  EXPECT_TRUE(record->damaged());
  EXPECT_EQ(record->size_bytes(), 123u);
  EXPECT_EQ(record->warnings(0).code(), "symlink_skipped");

  ASSERT_EQ(catalog.ListJobs(context_, {})->size(), 4u);
  const auto running = catalog.GetJob(context_, "01JOBRUNNING");
  ASSERT_TRUE(running.ok());
  EXPECT_EQ(running->job.status(), BackupJob::RUNNING);
  EXPECT_EQ(running->job.bytes_done(), uint64_t{1} << 63);
  EXPECT_EQ(running->job.warnings(0).message(), "a -> b");
  EXPECT_FALSE(running->live) << "its process is long gone";
  EXPECT_EQ(catalog.GetJob(context_, "01JOBSUCC")->job.record_id(),
            "01BACKUP00000000000000GOLD");
  EXPECT_EQ(catalog.GetJob(context_, "01JOBFAIL")->job.error_code(),
            "destination_no_space");
  EXPECT_TRUE(catalog.TakeOver(context_, running->job.id()).ok());
  EXPECT_TRUE(catalog.plans().ListPlans(context_)->empty());
}

TEST_P(GoldenCatalogTest, IsCopiedBeforeItIsMigrated) {
  std::ofstream(path_, std::ios::binary) << BytesOf(
      absl::StrCat("catalog/sqlite/testdata/catalog_v", GetParam(), ".db"));
  const std::string copy = path_ + ".before-v3";
  ASSERT_TRUE(OpenCatalog().ok());
  struct stat info = {};
  ASSERT_EQ(stat(copy.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  path_ = copy;
  {
    auto database = OpenRaw();
    EXPECT_EQ(Ask(*database, "PRAGMA user_version"), GetParam());
    EXPECT_EQ(Ask(*database, "SELECT count(*) FROM jobs"), 4);
    EXPECT_EQ(Ask(*database,
                  "SELECT count(*) FROM pragma_integrity_check WHERE "
                  "integrity_check <> 'ok'"),
              0);
  }
  path_ = folder_ + "/catalog.db";
  ASSERT_EQ(unlink(copy.c_str()), 0);
  ASSERT_TRUE(OpenCatalog().ok());
  EXPECT_NE(stat(copy.c_str(), &info), 0) << "one that is up to date is not";
}

TEST_P(GoldenCatalogTest, StaysAsItIsWhereItCannotBeCopied) {
  const std::string golden = BytesOf(
      absl::StrCat("catalog/sqlite/testdata/catalog_v", GetParam(), ".db"));
  std::ofstream(path_, std::ios::binary) << golden;
  // A folder in its place, as no right to write would do for root.
  ASSERT_EQ(mkdir((path_ + ".before-v3").c_str(), 0700), 0);
  std::ofstream(path_ + ".before-v3/in the way");
  const absl::Status refused = OpenCatalog().status();
  EXPECT_FALSE(refused.ok());
  EXPECT_FALSE(HintOf(refused).empty());
  auto database = OpenRaw();
  EXPECT_EQ(Ask(*database, "PRAGMA user_version"), GetParam());
  EXPECT_EQ(Ask(*database, "SELECT count(*) FROM jobs"), 4);
}

INSTANTIATE_TEST_SUITE_P(Versions, GoldenCatalogTest, ::testing::Values(1, 2));

}  // namespace
}  // namespace sluice
