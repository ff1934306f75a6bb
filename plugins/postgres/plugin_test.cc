// The shared object, in a process that holds BoringSSL as the command does.

#include <filesystem>  // NOLINT(build/c++17)
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "sluice/plugins/postgres/testing/test_server.h"
#include "sluice/plugins/postgres/tools/process.h"

namespace sluice::postgres {
namespace {

constexpr char kPlugin[] = "plugins/postgres/sluice-source-postgresql.so";

std::string Absolute(const std::string& path) {
  return std::filesystem::canonical(path).string();
}

absl::StatusOr<std::string> Probe(
    const std::vector<std::string>& arguments,
    std::vector<std::pair<std::string, std::string>> environment = {}) {
  ProcessOptions options;
  options.arguments = {Absolute("plugins/postgres/plugin_probe")};
  options.arguments.insert(options.arguments.end(), arguments.begin(),
                           arguments.end());
  options.environment = std::move(environment);
  return RunProcessForText(options, Interrupt(sdk::Run()));
}

// Lines of the dynamic linker's "binding file FROM [0] to TO [0]: ...".
std::vector<std::string> BindingsOf(const std::string& folder,
                                    absl::string_view from) {
  std::vector<std::string> lines;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      const std::vector<std::string> halves = absl::StrSplit(line, " to ");
      if (absl::StrContains(halves[0], "binding file") &&
          absl::StrContains(halves[0], from)) {
        lines.push_back(line);
      }
    }
  }
  return lines;
}

TEST(PluginTest, SpeaksTlsAndScramWithoutASymbolOfBoringSsl) {
  TestServer server({.tls = true, .settings = {}});
  server.Exec("postgres",
              "CREATE ROLE alice LOGIN SUPERUSER PASSWORD 'canary-4711'");
  const std::string folder = ::testing::TempDir() + "/bindings";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const auto id =
      Probe({"describe", Absolute(kPlugin),
             absl::StrCat("postgresql://alice@127.0.0.1:", server.port(),
                          "/postgres?sslmode=require&channel_binding=require&"
                          "password=env:ALICE&store_id=orders")},
            {{"ALICE", "canary-4711"},
             {"LD_DEBUG", "bindings"},
             {"LD_DEBUG_OUTPUT", folder + "/log"}});
  ASSERT_TRUE(id.ok()) << id.status();
  EXPECT_EQ(*id, "orders\n");
  // The host does bind to it, so one of ours would show as well.
  int of_host = 0;
  for (const std::string& line : BindingsOf(folder, "plugin_probe")) {
    of_host += absl::StrContains(line, "libcrypto") ? 1 : 0;
  }
  EXPECT_GT(of_host, 0);
  // The host loads a plugin by its descriptor. Templates of std::string (_Z...)
  // are wherever they come first, and the same everywhere.
  const std::vector<std::string> ours = BindingsOf(folder, "/fd/");
  EXPECT_GT(ours.size(), 50u);
  for (const std::string& line : ours) {
    const bool is_crypto = absl::StrContains(line, "libcrypto") ||
                           absl::StrContains(line, "libssl");
    EXPECT_FALSE(is_crypto && !absl::StrContains(line, "symbol `_Z")) << line;
  }
}

TEST(PluginTest, PassesTheConformanceKit) {
  TestServer& server = TestServer::Shared();
  server.Exec("postgres", "CREATE DATABASE kit");
  server.Exec("kit",
              "CREATE TABLE a (i int PRIMARY KEY, t text);"
              "INSERT INTO a SELECT i, repeat('x', 500) FROM "
              "generate_series(1, 20000) i;"
              "SELECT lo_from_bytea(0, 'large')");
  for (int i = 0; i < 20; ++i) {
    server.Exec("postgres", absl::StrCat("CREATE DATABASE copy", i));
  }
  const std::string archives = ::testing::TempDir() + "/archives";
  std::filesystem::remove_all(archives);
  const auto summary = Probe({"check", Absolute(kPlugin), server.Uri("kit"),
                              server.Uri("copy{}"), "local:" + archives});
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_TRUE(absl::StrContains(*summary, " passed")) << *summary;
  std::printf("%s", summary->c_str());
}

}  // namespace
}  // namespace sluice::postgres
