// Behind PgBouncer, which gives each transaction a server's session of its own
// choice: what one sets outside a transaction, another finds or misses.

#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>  // NOLINT(build/c++17)
#include <fstream>
#include <memory>
#include <string>
#include <thread>  // NOLINT(build/c++11)
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sluice/plugins/postgres/backup/backup.h"
#include "sluice/plugins/postgres/client/connection.h"
#include "sluice/plugins/postgres/client/interrupt.h"
#include "sluice/plugins/postgres/postgres_source.h"
#include "sluice/plugins/postgres/testing/payload_contents.h"
#include "sluice/plugins/postgres/testing/test_server.h"
#include "sluice/plugins/sdk/testing/fake_sink.h"

extern char** environ;

namespace sluice::postgres {
namespace {

// A PgBouncer in the server's folder, on a socket with a port of its own.
class Pooler {
 public:
  explicit Pooler(const std::vector<std::string>& settings) {
    const std::string folder = Server().folder();
    const std::string path = absl::StrCat(folder, "/pgbouncer.ini");
    {
      std::ofstream file(path);
      file << "[databases]\n* = host=" << folder << " port=" << Server().port()
           << "\n[pgbouncer]\nlisten_addr =\nlisten_port = 6432\n"
           << "unix_socket_dir = " << folder << "\nauth_type = trust\n"
           << "auth_file = " << folder << "/users\n";
      for (const std::string& line : settings) file << line << "\n";
      std::ofstream(absl::StrCat(folder, "/users"))
          << "\"postgres\" \"\"\n\"reader\" \"\"\n";
    }
    std::filesystem::permissions(path, std::filesystem::perms(0644));
    std::filesystem::permissions(folder + "/users",
                                 std::filesystem::perms(0644));
    std::vector<std::string> command = {"/usr/bin/setpriv", "--pdeathsig=KILL"};
    if (const passwd* user = getpwnam("postgres");
        geteuid() == 0 && user != nullptr) {
      command.push_back(absl::StrCat("--reuid=", user->pw_uid));
      command.push_back(absl::StrCat("--regid=", user->pw_gid));
      command.emplace_back("--clear-groups");
    }
    command.insert(command.end(), {"/usr/sbin/pgbouncer", "-q", path});
    std::vector<char*> pointers;
    for (std::string& argument : command) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    EXPECT_EQ(posix_spawn(&pid_, pointers[0], nullptr, nullptr, pointers.data(),
                          environ),
              0);
    while (!std::filesystem::exists(folder + "/.s.PGSQL.6432") &&
           waitpid(pid_, nullptr, WNOHANG) == 0) {
      std::this_thread::yield();
    }
  }
  ~Pooler() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    std::filesystem::remove(Server().folder() + "/.s.PGSQL.6432");
  }
  ConnectionOptions Options(const std::string& database) const {
    ConnectionOptions options = Server().Options(database);
    options.Set("port", "6432");
    return options;
  }

 private:
  pid_t pid_ = -1;
};

// With and without the setting by which it drops what it does not know of a
// startup packet.
class PoolerTest : public ::testing::TestWithParam<bool> {
 protected:
  PoolerTest()
      : database_(Server().CreateDatabase()), pooler_(Settings(GetParam())) {
    Server().Exec(
        database_,
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = "
        "'reader') THEN CREATE ROLE reader LOGIN; END IF; END $$;"
        "CREATE TABLE a (i int, d date);"
        "INSERT INTO a SELECT i, '2026-02-01' FROM generate_series(1, 2000) i;"
        "CREATE TABLE other (r regclass); INSERT INTO other VALUES ('a');"
        "GRANT SELECT ON a, other TO reader");
    backup_.connection = pooler_.Options(database_);
  }
  static std::vector<std::string> Settings(bool ignores_options) {
    std::vector<std::string> settings = {"pool_mode = transaction",
                                         "default_pool_size = 10"};
    if (ignores_options) {
      settings.emplace_back("ignore_startup_parameters = options");
    }
    return settings;
  }

  const std::string database_;
  Pooler pooler_;
  BackupOptions backup_;
  sdk::FakeSink sink_;
};

TEST_P(PoolerTest, RefusesToLeaveOutRowsThatAPolicyHides) {
  Server().Exec(database_,
                "ALTER TABLE a ENABLE ROW LEVEL SECURITY;"
                "CREATE POLICY p ON a USING (i <= 1000)");
  backup_.connection.Set("user", "reader");
  const absl::Status status = BackupDatabase(sdk::Run(), backup_, sink_);
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << status;
  EXPECT_EQ(sink_.ends, 0);
}

TEST_P(PoolerTest, HoldsTheSameAsWithoutIt) {
  // What a session would do without our settings.
  Server().Exec(database_,
                absl::StrCat("ALTER DATABASE ", database_,
                             " SET datestyle = 'German';"
                             "ALTER DATABASE ",
                             database_, " SET search_path = 'public'"));
  ASSERT_TRUE(BackupDatabase(sdk::Run(), backup_, sink_).ok());
  backup_.connection = Server().Options(database_);
  sdk::FakeSink direct;
  ASSERT_TRUE(BackupDatabase(sdk::Run(), backup_, direct).ok());
  PayloadContents pooled, expected;
  ASSERT_TRUE(pooled.Read(sink_.payload).ok());
  ASSERT_TRUE(expected.Read(direct.payload).ok());
  EXPECT_EQ(pooled.data, expected.data);
  EXPECT_EQ(pooled.rows["public.a"], 2000u);
  EXPECT_EQ(pooled.data["public.other"], "public.a\n");
}

TEST_P(PoolerTest, LeavesNothingInSessionsThatAreOthersNext) {
  ASSERT_TRUE(BackupDatabase(sdk::Run(), backup_, sink_).ok());
  Interrupt interrupt{sdk::Run()};
  ConnectionOptions options = backup_.connection;
  options.in_transactions = true;
  // Each holds another session of the pool.
  std::vector<std::unique_ptr<Connection>> sessions;
  for (int i = 0; i < 6; ++i) {
    auto session = Connection::Open(options, &interrupt);
    ASSERT_TRUE(session.ok()) << session.status();
    EXPECT_TRUE((*session)->pooled());
    ASSERT_TRUE((*session)->Exec("BEGIN").ok());
    EXPECT_EQ((*session)->Exec("SHOW search_path")->Get(0, 0),
              "\"$user\", public");
    EXPECT_EQ((*session)->Exec("SHOW row_security")->Get(0, 0), "on");
    sessions.push_back(*std::move(session));
  }
}

// A lock of a session's own would stay in one of the pool, for ever.
TEST_P(PoolerTest, LooksForNoLeftoversOfRestores) {
  Server().Exec("postgres", "CREATE DATABASE \"sluice-restore-1-new\"");
  const auto leftovers = [] {
    return Server().Query("postgres",
                          "SELECT count(*) FROM pg_database WHERE datname ="
                          " 'sluice-restore-1-new'");
  };
  PostgresSourceOptions options;
  options.backup = backup_;
  ASSERT_TRUE(MakePostgresSource(options)->Backup(sdk::Run(), {}, sink_).ok());
  EXPECT_EQ(leftovers(), "1");
  EXPECT_EQ(Server().Query("postgres",
                           "SELECT count(*) FROM pg_locks WHERE locktype ="
                           " 'advisory'"),
            "0");
  options.backup.connection = Server().Options(database_);
  sdk::FakeSink direct;
  ASSERT_TRUE(MakePostgresSource(options)->Backup(sdk::Run(), {}, direct).ok());
  EXPECT_EQ(leftovers(), "0");
}

INSTANTIATE_TEST_SUITE_P(All, PoolerTest, ::testing::Bool());

}  // namespace
}  // namespace sluice::postgres
