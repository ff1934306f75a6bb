#include "sluice/plugins/postgres/testing/test_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>  // NOLINT(build/c++17)
#include <fstream>
#include <future>  // NOLINT(build/c++11)
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sluice/base/testing/memory_folder.h"
#include "sluice/plugins/postgres/tools/client_tools.h"
#include "sluice/plugins/postgres/tools/process.h"

extern char** environ;

namespace sluice::postgres {
namespace {

[[noreturn]] void Die(absl::string_view what, absl::string_view why) {
  std::fprintf(stderr, "test server: %s: %s\n", std::string(what).c_str(),
               std::string(why).c_str());
  std::abort();
}

template <typename T>
T Value(absl::string_view what, absl::StatusOr<T> value) {
  if (!value.ok()) Die(what, value.status().ToString());
  return *std::move(value);
}

const ClientTools& Tools() {
  static const auto* const tools = new ClientTools(
      Value("pg_dump", ClientTools::Find("", 0, Interrupt(sdk::Run()))));
  return *tools;
}

// The user that the server runs as: PostgreSQL refuses to run as root.
const passwd* ServerUser() {
  if (geteuid() != 0) return nullptr;
  const passwd* user = getpwnam("postgres");
  if (user == nullptr) user = getpwnam("nobody");
  if (user == nullptr) Die("user", "neither postgres nor nobody is here");
  return user;
}

// `command` as the server's user, ended when this process dies.
std::vector<std::string> AsServerUser(std::vector<std::string> command) {
  std::vector<std::string> full = {"/usr/bin/setpriv", "--pdeathsig=INT"};
  if (const passwd* user = ServerUser(); user != nullptr) {
    full.push_back(absl::StrCat("--reuid=", user->pw_uid));
    full.push_back(absl::StrCat("--regid=", user->pw_gid));
    full.push_back("--clear-groups");
  }
  full.insert(full.end(), command.begin(), command.end());
  return full;
}

void Run(absl::string_view what, std::vector<std::string> arguments) {
  Value(what, RunProcessForText({std::move(arguments), {}, ""},
                                Interrupt(sdk::Run())));
}

void Write(const std::string& path, const std::string& text, mode_t mode) {
  std::ofstream file(path, std::ios::app);
  file << text;
  file.close();
  if (!file || chmod(path.c_str(), mode) != 0) Die("write", path);
  const passwd* const user = ServerUser();
  if (user != nullptr && chown(path.c_str(), user->pw_uid, user->pw_gid) != 0) {
    Die("chown", path);
  }
}

int FreePort() {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) !=
          0) {
    Die("port", "none is free");
  }
  close(listener);
  return ntohs(address.sin_port);
}

}  // namespace

TestServer& TestServer::Shared() {
  // Not leaked: its end removes the folder.
  static TestServer server;
  return server;
}

TestServer::TestServer(const TestServerOptions& options) {
  // A database is three hundred files, and a test makes dozens.
  folder_ = MakeMemoryFolder("sluice-pg");
  if (folder_.empty()) Die("mkdtemp", "no folder could be made");
  const passwd* const user = ServerUser();
  if (user != nullptr &&
      chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0) {
    Die("chown", folder_);
  }
  program_ = Tools().folder() + "/postgres";
  Initialize(options);
  if (!options.extension_files.empty()) AddExtensions(options);
  Start();
}

TestServer::~TestServer() {
  if (pid_ > 0) Stop(SIGQUIT);
  std::error_code error;
  std::filesystem::remove_all(folder_, error);
}

void TestServer::Initialize(const TestServerOptions& options) {
  const std::string data = folder_ + "/data";
  Run("initdb", AsServerUser({Tools().folder() + "/initdb", "-D", data, "-U",
                              "postgres", "-A", "trust", "--no-sync", "-E",
                              "UTF8", "--locale=C.UTF-8"}));
  if (options.tls) {
    port_ = FreePort();
    Run("openssl",
        AsServerUser({"/usr/bin/openssl", "req", "-new", "-x509", "-days", "2",
                      "-nodes", "-subj", "/CN=localhost", "-out",
                      data + "/server.crt", "-keyout", data + "/server.key"}));
    std::filesystem::remove(data + "/pg_hba.conf");
    Write(data + "/pg_hba.conf",
          "local all postgres trust\n"
          "local all all scram-sha-256\n"
          "hostssl all all 127.0.0.1/32 scram-sha-256\n",
          0600);
  }
  Write(data + "/postgresql.conf",
        absl::StrCat(
            "\nport = ", port_, "\nunix_socket_directories = '", folder_, "'\n",
            "listen_addresses = '", options.tls ? "127.0.0.1" : "", "'\n",
            "ssl = ", options.tls ? "on" : "off", "\n",
            "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n"
            "shared_buffers = 32MB\nmax_connections = 60\nautovacuum = off\n"
            "wal_level = logical\nmax_wal_size = 4GB\njit = off\n",
            absl::StrJoin(options.settings, "\n"), "\n"),
        0600);
}

// A server looks for its files by the way from its program to them. So that of
// this one has a copy of the program, and beside it all that is installed.
void TestServer::AddExtensions(const TestServerOptions& options) {
  namespace fs = std::filesystem;
  const auto folder_of = [](const char* option) {
    std::string path = Value(
        "pg_config",
        RunProcessForText({{Tools().folder() + "/pg_config", option}, {}, ""},
                          Interrupt(sdk::Run())));
    return fs::path(path.substr(0, path.find('\n')));
  };
  const fs::path root = folder_ + "/root";
  const auto copied = [&](const fs::path& path) {
    return root / path.relative_path();
  };
  const auto link_all = [&](const fs::path& from, absl::string_view but) {
    fs::create_directories(copied(from));
    for (const auto& entry : fs::directory_iterator(from)) {
      if (entry.path().filename() == std::string(but)) continue;
      fs::create_symlink(entry.path(), copied(entry.path()));
    }
  };
  const fs::path share = folder_of("--sharedir");
  link_all(share, "extension");
  link_all(share / "extension", "");
  link_all(folder_of("--pkglibdir"), "");
  for (const auto& [name, text] : options.extension_files) {
    Write((copied(share) / "extension" / name).string(), text, 0644);
  }
  const fs::path programs = folder_of("--bindir");
  fs::create_directories(copied(programs));
  fs::copy_file(program_, copied(programs) / "postgres");
  program_ = (copied(programs) / "postgres").string();
}

void TestServer::Start() {
  const std::string log = folder_ + "/log";
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) Die("pipe", "none");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
  std::vector<std::string> command =
      AsServerUser({program_, "-D", folder_ + "/data"});
  std::vector<char*> pointers;
  pointers.reserve(command.size() + 1);
  for (std::string& argument : command) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  if (posix_spawn(&pid_, pointers[0], &actions, nullptr, pointers.data(),
                  environ) != 0) {
    Die("start", command[0]);
  }
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::promise<bool> ready;
  std::future<bool> is_ready = ready.get_future();
  log_ = std::thread([in = ends[0], log, told = std::move(ready)]() mutable {
    std::ofstream file(log, std::ios::app);
    std::string head;  // until the server is ready
    bool waiting = true;
    char buffer[4096];
    for (ssize_t size; (size = read(in, buffer, sizeof(buffer))) > 0;) {
      file.write(buffer, size);
      file.flush();
      if (!waiting) continue;
      head.append(buffer, static_cast<size_t>(size));
      if (absl::StrContains(head, "ready to accept ")) {
        waiting = false;
        told.set_value(true);
      }
    }
    if (waiting) {
      std::fputs(head.c_str(), stderr);
      told.set_value(false);
    }
    close(in);
  });
  if (!is_ready.get()) Die("start", "the server said why");
}

void TestServer::Stop(int signal) {
  kill(pid_, signal);
  int state = 0;
  waitpid(pid_, &state, 0);
  pid_ = -1;
  log_.join();
}

ConnectionOptions TestServer::Options(absl::string_view database) const {
  ConnectionOptions options;
  options.Set("host", folder_);
  options.Set("port", std::to_string(port_));
  options.Set("user", "postgres");
  options.Set("dbname", database);
  return options;
}

ConnectionOptions TestServer::TcpOptions(absl::string_view database) const {
  ConnectionOptions options = Options(database);
  options.Set("host", "127.0.0.1");
  options.Set("sslmode", "require");
  return options;
}

std::string TestServer::Uri(absl::string_view database) const {
  return absl::StrCat("postgresql:?host=", folder_, "&port=", port_,
                      "&user=postgres&dbname=", database);
}

std::unique_ptr<Connection> TestServer::Connect(absl::string_view database) {
  auto connection =
      Value("connect", Connection::Open(Options(database), &never_));
  Value("connect", connection->Exec("SET search_path = public"));
  return connection;
}

std::string TestServer::CreateDatabase(absl::string_view options) {
  const std::string name = absl::StrCat("db", ++databases_);
  Exec("postgres", absl::StrCat("CREATE DATABASE ", name, " ", options));
  return name;
}

void TestServer::Exec(absl::string_view database, absl::string_view sql) {
  Value(sql, Connect(database)->Exec(sql));
}

std::string TestServer::Query(absl::string_view database,
                              absl::string_view sql) {
  const Result result = Value(sql, Connect(database)->Exec(sql));
  return result.rows() > 0 ? result.Text(0, 0) : "";
}

void TestServer::Psql(absl::string_view database, absl::string_view script) {
  const std::string path = folder_ + "/script.sql";
  std::filesystem::remove(path);
  Write(path, std::string(script), 0600);
  Tool("psql", database, {"-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", path});
}

std::string TestServer::Tool(absl::string_view name, absl::string_view database,
                             const std::vector<std::string>& arguments) {
  ProcessOptions command = Tools().Command(name, Options(database));
  std::string target = command.arguments.back();
  command.arguments.pop_back();
  command.arguments.insert(command.arguments.end(), arguments.begin(),
                           arguments.end());
  // pgbench takes it by position alone.
  if (name == "pgbench") target = target.substr(target.find('=') + 1);
  command.arguments.push_back(std::move(target));
  return Value(name,
               RunProcessForText(command, Interrupt(sdk::Run()), 64 << 20));
}

}  // namespace sluice::postgres
