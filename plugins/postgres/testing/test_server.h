#ifndef SLUICE_PLUGINS_POSTGRES_TESTING_TEST_SERVER_H_
#define SLUICE_PLUGINS_POSTGRES_TESTING_TEST_SERVER_H_

// A real PostgreSQL for tests, in a folder of its own (MakeMemoryFolder).
//
//   const std::string database = TestServer::Shared().CreateDatabase();
//   auto connection = TestServer::Shared().Connect(database);
//
// Listens on a Unix socket, and on 127.0.0.1 where TLS is asked for; nothing is
// synced. Dies with the test's process, however that ends. As root it runs as
// the user postgres (else nobody), which Bazel's sandbox does not allow: the
// test needs tags = ["local"]. A fault of the server ends the test's program.
// One thread.

#include <sys/types.h>

#include <memory>
#include <string>
#include <thread>  // NOLINT(build/c++11)
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "sluice/plugins/postgres/client/connection.h"
#include "sluice/plugins/postgres/client/interrupt.h"

namespace sluice::postgres {

struct TestServerOptions {
  // TLS with a certificate made up, TCP, and scram-sha-256 for all but the
  // superuser on the socket.
  bool tls = false;
  // Lines of postgresql.conf.
  std::vector<std::string> settings = {};
  // Files of extensions that this server alone has: "x.control" and its text,
  // "x--1.0.sql" and its text.
  std::vector<std::pair<std::string, std::string>> extension_files = {};
};

class TestServer {
 public:
  // The one of this test program, started at the first call.
  static TestServer& Shared();

  explicit TestServer(const TestServerOptions& options = {});
  ~TestServer();
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  // As the superuser "postgres", over the socket. Connect sets search_path to
  // public.
  ConnectionOptions Options(absl::string_view database = "postgres") const;
  std::unique_ptr<Connection> Connect(absl::string_view database = "postgres");
  // Over TCP, sslmode=require.
  ConnectionOptions TcpOptions(absl::string_view database) const;
  // postgresql:?host=...&dbname=...
  std::string Uri(absl::string_view database) const;

  // A new, empty one of a name not used before; `options` follow CREATE
  // DATABASE name.
  std::string CreateDatabase(absl::string_view options = "");
  // One statement or several, outside a transaction where it is one.
  void Exec(absl::string_view database, absl::string_view sql);
  // The first value of the first row, "" where there is none.
  std::string Query(absl::string_view database, absl::string_view sql);
  // psql -f -: scripts with \-commands, COPY data and the like.
  void Psql(absl::string_view database, absl::string_view script);
  // Runs `name` (pg_dump, pgbench, ...) with --dbname and `arguments`; stdout.
  std::string Tool(absl::string_view name, absl::string_view database,
                   const std::vector<std::string>& arguments);

  // `signal` as pg_ctl gives it: SIGINT fast, SIGQUIT immediate.
  void Stop(int signal);
  void Start();

  const std::string& folder() const { return folder_; }
  int port() const { return port_; }
  pid_t pid() const { return pid_; }

 private:
  void Initialize(const TestServerOptions& options);
  void AddExtensions(const TestServerOptions& options);

  std::string folder_;
  std::string program_;  // postgres
  int port_ = 5432;
  pid_t pid_ = -1;
  std::thread log_;  // keeps the server's stderr
  int databases_ = 0;
  Interrupt never_{sdk::Run()};
};

inline TestServer& Server() { return TestServer::Shared(); }

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_TESTING_TEST_SERVER_H_
