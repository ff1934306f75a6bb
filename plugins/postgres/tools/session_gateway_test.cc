#include "sluice/plugins/postgres/tools/session_gateway.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>  // NOLINT(build/c++17)
#include <memory>
#include <string>
#include <thread>  // NOLINT(build/c++11)

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "sluice/plugins/postgres/client/sql_error.h"
#include "sluice/plugins/postgres/testing/test_server.h"
#include "sluice/plugins/postgres/tools/client_tools.h"
#include "sluice/plugins/postgres/tools/process.h"

namespace sluice::postgres {
namespace {

class SessionGatewayTest : public ::testing::Test {
 protected:
  SessionGatewayTest()
      : database_(Server().CreateDatabase()),
        interrupt_(sdk::Run()),
        session_(Server().Connect(database_)),
        gateway_(*SessionGateway::Open(*session_, interrupt_, "")) {}

  // Bytes to the gateway, and then the end of them.
  void Send(absl::string_view bytes) {
    const int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path =
        gateway_->connection().Get("host") + "/.s.PGSQL.5432";
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    ASSERT_EQ(
        connect(client, reinterpret_cast<sockaddr*>(&address), sizeof(address)),
        0);
    send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    shutdown(client, SHUT_WR);
    char buffer[4096];
    while (recv(client, buffer, sizeof(buffer), 0) > 0) {
    }
    close(client);
  }
  absl::StatusOr<std::string> Dump() {
    const ClientTools tools = *ClientTools::Find("", 0, interrupt_);
    ProcessOptions dump = tools.Command("pg_dump", gateway_->connection());
    dump.arguments.push_back("--schema-only");
    return RunProcessForText(dump, interrupt_);
  }

  const std::string database_;
  Interrupt interrupt_;
  const std::unique_ptr<Connection> session_;
  std::unique_ptr<SessionGateway> gateway_;
};

TEST_F(SessionGatewayTest, LendsTheSessionToAClient) {
  ASSERT_TRUE(session_
                  ->Exec("CREATE TEMP TABLE mine (a int, b text);"
                         "INSERT INTO mine VALUES (1, NULL), (2, '')")
                  .ok());
  const auto client = Connection::Open(gateway_->connection(), &interrupt_);
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_EQ((*client)->server_version(), session_->server_version());
  const auto rows = (*client)->Exec("SELECT * FROM pg_temp.mine ORDER BY a");
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->rows(), 2);
  EXPECT_EQ(rows->column_name(1), "b");
  EXPECT_EQ(rows->Get(1, 0), "2");
  EXPECT_TRUE(rows->IsNull(0, 1));
  EXPECT_FALSE(rows->IsNull(1, 1));
  const auto none = (*client)->Exec("SELECT * FROM pg_temp.mine WHERE a > 9");
  EXPECT_EQ(none->columns(), 2);
  EXPECT_EQ((*client)->Exec("DELETE FROM pg_temp.mine")->affected_rows(), 2u);
}

TEST_F(SessionGatewayTest, KeepsTheTransactionAndItsSnapshotOurs) {
  ASSERT_TRUE(
      session_->Exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1").ok());
  const auto client = Connection::Open(gateway_->connection(), &interrupt_);
  ASSERT_TRUE(client.ok()) << client.status();
  EXPECT_TRUE((*client)->Exec("BEGIN").ok());
  EXPECT_TRUE((*client)
                  ->Exec("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ "
                         "ONLY, DEFERRABLE")
                  .ok());
  EXPECT_EQ((*client)->Exec("SHOW transaction_isolation")->Get(0, 0),
            "repeatable read");
}

TEST_F(SessionGatewayTest, WorksWhereTheScratchFoldersPathIsTooLongForASocket) {
  gateway_.reset();
  const std::string folder =
      absl::StrCat(testing::TempDir(), "/", std::string(120, 'x'));
  std::filesystem::create_directories(folder);
  auto gateway = SessionGateway::Open(*session_, interrupt_, folder);
  ASSERT_TRUE(gateway.ok()) << gateway.status();
  gateway_ = *std::move(gateway);
  EXPECT_TRUE(Dump().ok());
}

TEST_F(SessionGatewayTest, PassesErrorsOnAndRemembersTheFirst) {
  {
    const auto client = Connection::Open(gateway_->connection(), &interrupt_);
    ASSERT_TRUE(client.ok()) << client.status();
    EXPECT_EQ(SqlStateOf((*client)->Exec("SELECT 1 / 0").status()), "22012");
    EXPECT_EQ(SqlStateOf((*client)->Exec("SELECT nothing").status()), "42703");
  }
  EXPECT_EQ(SqlStateOf(gateway_->Close()), "22012");
}

TEST_F(SessionGatewayTest, LetsPgDumpPassAnAlterThatWaitsForUs) {
  Server().Exec(database_, "CREATE TABLE a (i int)");
  ASSERT_TRUE(
      session_->Exec("BEGIN; LOCK TABLE public.a IN ACCESS SHARE MODE").ok());
  std::thread alterer(
      [&] { Server().Exec(database_, "ALTER TABLE a ADD x int"); });
  const std::string waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted";
  while (Server().Query(database_, waiting) == "0") std::this_thread::yield();
  const auto text = Dump();
  EXPECT_TRUE(text.ok()) << text.status();
  EXPECT_TRUE(absl::StrContains(*text,
                                "CREATE TABLE public.a (\n    i integer"
                                "\n)"))
      << *text;
  EXPECT_TRUE(gateway_->Close().ok());
  ASSERT_TRUE(session_->Exec("COMMIT").ok());
  alterer.join();
}

TEST_F(SessionGatewayTest, EndsAClientThatSpeaksAnythingElse) {
  const std::string hello("\0\0\0\x08\0\3\0\0", 8);
  for (const std::string& bytes : {
           std::string("GET / HTTP/1.1\r\n\r\n"),
           std::string("\0\0\0\x04\0\3\0\0", 8),           // too short
           std::string("\xff\xff\xff\xff\0\3\0\0", 8),     // too long
           std::string("\0\0\0\x08\4\xd2\x16\x2f", 8),     // TLS, then none
           hello.substr(0, 5),                             // cut
           hello + std::string("Q\0\0\0\4", 5),            // no text
           hello + std::string("Q\x7f\xff\xff\xff", 5),    // too long
           hello + std::string("Q\0\0\0\x09SELE", 9),      // cut
           hello + std::string("P\0\0\0\x08\0\0\0\0", 9),  // extended query
           hello + std::string("X\0\0\0\4", 5),            // its own end
       }) {
    Send(bytes);
    EXPECT_TRUE(gateway_->Close().ok());
    // The session is as it was.
    EXPECT_EQ(session_->Exec("SELECT 7")->Get(0, 0), "7");
    gateway_ = *SessionGateway::Open(*session_, interrupt_, "");
  }
}

TEST_F(SessionGatewayTest, ClosesWithoutAClientAndLeavesNothing) {
  const std::string folder = gateway_->connection().Get("host");
  EXPECT_TRUE(std::filesystem::exists(folder));
  const absl::Time start = absl::Now();
  gateway_.reset();
  EXPECT_LT(absl::Now() - start, absl::Seconds(1));
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST_F(SessionGatewayTest, EndsWithTheRun) {
  const auto client = Connection::Open(gateway_->connection(), &interrupt_);
  ASSERT_TRUE(client.ok()) << client.status();
  interrupt_.Stop();
  const absl::Time start = absl::Now();
  gateway_.reset();
  EXPECT_LT(absl::Now() - start, absl::Seconds(1));
}

}  // namespace
}  // namespace sluice::postgres
