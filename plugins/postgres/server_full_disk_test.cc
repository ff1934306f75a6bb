// A restore into a server whose disk is full, on a real one: it says so, leaves
// nothing, and works once there is room.

#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/private_mounts.h"
#include "sluice/plugins/postgres/backup/backup.h"
#include "sluice/plugins/postgres/restore/restore.h"
#include "sluice/plugins/postgres/restore/restore_options.h"
#include "sluice/plugins/postgres/testing/test_server.h"
#include "sluice/plugins/sdk/run.h"
#include "sluice/plugins/sdk/testing/fake_sink.h"

namespace sluice::postgres {
namespace {

// Where the rows do not fit, and where their index does not.
class ServerFullDiskTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const std::string why_not = EnterPrivateMounts();
    if (!why_not.empty() && MountsAreExcused()) GTEST_SKIP() << why_not;
    ASSERT_EQ(why_not, "")
        << "mounts are needed; SLUICE_TEST_NO_MOUNTS=1 does without this test";
    char pattern[] = "/tmp/sluice-disk-XXXXXX";
    disk_ = mkdtemp(pattern);
    ASSERT_TRUE(Mount(0)) << disk_;
  }
  void TearDown() override {
    if (disk_.empty()) return;
    umount2(disk_.c_str(), MNT_DETACH);
    rmdir(disk_.c_str());
  }

  bool Mount(unsigned long flags) const {
    return mount("none", disk_.c_str(), "tmpfs", flags, size_.c_str()) == 0;
  }

  std::string size_ = GetParam();
  std::string disk_;
};

TEST_P(ServerFullDiskTest, IsToldOfAsTheServersAndLeavesTheTargetEmpty) {
  TestServer server;  // sees the disk, which was there before it
  const std::string source = server.CreateDatabase();
  server.Exec(source,
              "CREATE TABLE t AS SELECT i, repeat(md5(i::text), 30) AS t FROM "
              "generate_series(1, 25000) i; ALTER TABLE t ADD PRIMARY KEY (i)");
  BackupOptions backup;
  backup.connection = server.Options(source);
  sdk::FakeSink sink;
  ASSERT_TRUE(BackupDatabase(sdk::Run(), backup, sink).ok());

  struct stat owner;  // the server's user
  ASSERT_EQ(stat(server.folder().c_str(), &owner), 0);
  ASSERT_EQ(chown(disk_.c_str(), owner.st_uid, owner.st_gid), 0);
  server.Exec("postgres",
              absl::StrCat("CREATE TABLESPACE small LOCATION '", disk_, "'"));
  const std::string target =
      server.CreateDatabase("TEMPLATE template0 TABLESPACE small");
  RestoreOptions restore;
  restore.target = server.Options(target);
  const auto run = [&] {
    sdk::FakePayload payload(sink.payload, 1 << 20);
    sdk::FakeRestoreRequest request({&payload}, "store-1");
    return RestoreDatabase(sdk::Run(), request, restore);
  };
  const absl::Status full = run();
  EXPECT_EQ(ErrorCodeOf(full), kSourceNoSpace) << full;
  EXPECT_TRUE(absl::StrContains(full.message(), "public.t")) << full;
  std::printf("%s: %s\n", GetParam().c_str(), full.ToString().c_str());
  EXPECT_EQ(HintOf(full), "it is the server's disk that is full");
  EXPECT_EQ(server.Query("postgres",
                         "SELECT count(*) FROM pg_database WHERE datname LIKE "
                         "'sluice%'"),
            "0");
  EXPECT_EQ(server.Query(target,
                         "SELECT count(*) FROM pg_class WHERE relnamespace = "
                         "'public'::regnamespace"),
            "0");

  size_ = "size=128m";
  ASSERT_TRUE(Mount(MS_REMOUNT));
  const absl::Status roomy = run();
  EXPECT_TRUE(roomy.ok()) << roomy;
  EXPECT_EQ(server.Query(target, "SELECT count(*) FROM public.t"), "25000");
}

INSTANTIATE_TEST_SUITE_P(Sizes, ServerFullDiskTest,
                         ::testing::Values("size=24m", "size=32m"));

}  // namespace
}  // namespace sluice::postgres
