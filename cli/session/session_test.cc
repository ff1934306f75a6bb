#include "sluice/cli/session/session.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"
#include "sluice/cli/terminal/console.h"

namespace sluice::cli {
namespace {

Environment With(const std::map<std::string, std::string>& variables) {
  return [variables](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
}

TEST(SessionTest, TheCatalogIsTheFlagElseTheStateFolderElseHome) {
  const Environment both =
      With({{"XDG_STATE_HOME", "/state"}, {"HOME", "/home/me"}});
  EXPECT_EQ(CatalogPath("sqlite:/a/b.db", both).value(), "/a/b.db");
  EXPECT_EQ(CatalogPath("sqlite:/a/x/../b.db", both).value(), "/a/b.db");
  EXPECT_EQ(CatalogPath("", both).value(), "/state/sluice/catalog.db");
  EXPECT_EQ(CatalogPath("", With({{"HOME", "/home/me"}})).value(),
            "/home/me/.local/state/sluice/catalog.db");
  EXPECT_EQ(CatalogPath("", With({{"XDG_STATE_HOME", "relative"},
                                  {"HOME", "/home/me"}}))
                .value(),
            "/home/me/.local/state/sluice/catalog.db");
}

TEST(SessionTest, PinsAreFilesWithTheirSha256) {
  const std::string one(64, 'a');
  const std::string two = std::string(32, '0') + std::string(32, 'F');
  EXPECT_TRUE(ParsePins("").value().empty());
  EXPECT_EQ(ParsePins("a.so=" + one + ",b.so=" + two).value(),
            (std::map<std::string, std::string>{{"a.so", one}, {"b.so", two}}));
  for (const std::string& bad : std::vector<std::string>{
           "a.so=" + one.substr(1), "a.so", "=" + one, "/x/a.so=" + one,
           "a.so=" + std::string(64, 'g'), "a.so=" + one + ",a.so=" + two}) {
    EXPECT_EQ(ErrorCodeOf(ParsePins(bad).status()), kInvalidArgument) << bad;
  }
}

TEST(SessionTest, ACatalogThatIsNoneIsRefusedWithoutShowingIt) {
  for (const char* flag :
       {"postgresql://me:secret@host/db", "/path", "sqlite:"}) {
    const auto path = CatalogPath(flag, With({{"HOME", "/h"}}));
    EXPECT_EQ(ErrorCodeOf(path.status()), kInvalidArgument) << flag;
    EXPECT_EQ(path.status().ToString().find("secret"), std::string::npos);
  }
  EXPECT_EQ(ErrorCodeOf(CatalogPath("", With({})).status()), kInvalidArgument);
}

TEST(SessionTest, OpeningTheCatalogEndsTheJobsThatNobodyRuns) {
  std::string folder = absl::StrCat(::testing::TempDir(), "/session-XXXXXX");
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  SqliteCatalogOptions options;
  options.path = folder + "/catalog.db";
  options.heartbeat = false;
  const pid_t owner = fork();
  if (owner == 0) {
    const auto catalog = OpenSqliteCatalog(Context::Background(), options);
    BackupJob job;
    job.set_id("job");
    job.set_kind(BackupJob::RESTORE);
    job.set_status(BackupJob::RUNNING);
    _exit(catalog.ok() &&
                  (*catalog)->CreateBackupJob(Context::Background(), job).ok()
              ? 0
              : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(owner, &status, 0), owner);
  ASSERT_EQ(status, 0);

  Command command;
  command.flags["catalog"] = "sqlite:" + options.path;
  ConsoleOptions quiet;
  quiet.logs = false;
  Console console(quiet, Clock::Real());
  auto [context, cancel] = Context::WithCancel(Context::Background());
  Session session(command, With({}), &console, context, cancel);
  const auto catalog = session.catalog();
  ASSERT_TRUE(catalog.ok()) << catalog.status();
  EXPECT_EQ((*catalog)->GetJob(context, "job")->job.status(),
            BackupJob::INTERRUPTED);
}

TEST(SessionTest, ANameIsNoUri) {
  EXPECT_TRUE(LooksLikeUri("local:/x"));
  EXPECT_TRUE(LooksLikeUri("local:relative"));
  EXPECT_FALSE(LooksLikeUri("nightly"));
}

TEST(SessionTest, APathIsAPlace) {
  EXPECT_EQ(PlaceUri("/mnt/disk"), "local:/mnt/disk");
  EXPECT_EQ(PlaceUri("./repo"), "local:./repo");
  EXPECT_EQ(PlaceUri("."), "local:.");
  EXPECT_EQ(PlaceUri(".."), "local:..");
  EXPECT_EQ(PlaceUri("a/b:c"), "local:a/b:c");
  EXPECT_EQ(PlaceUri("~/repo"), "local:~/repo");
  EXPECT_EQ(PlaceUri("/a?b%c"), "local:/a%3Fb%25c");
  EXPECT_EQ(PlaceUri("local:/x"), "local:/x");
  EXPECT_EQ(PlaceUri("s3://bucket/x"), "s3://bucket/x");
  EXPECT_TRUE(LooksLikeUri("/mnt/disk"));
}

}  // namespace
}  // namespace sluice::cli
