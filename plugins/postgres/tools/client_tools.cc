#include "sluice/plugins/postgres/tools/client_tools.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>  // NOLINT(build/c++17)
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice::postgres {
namespace {

constexpr char kDebianFolder[] = "/usr/lib/postgresql";

bool HoldsTools(const std::string& folder) {
  return access(absl::StrCat(folder, "/pg_dump").c_str(), X_OK) == 0;
}

// Debian's /usr/bin/pg_dump chooses a version by the local cluster, which need
// not be the server: look past it.
std::string NewestOfDebian() {
  int newest = 0;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(kDebianFolder, error)) {
    int version = 0;
    if (absl::SimpleAtoi(entry.path().filename().string(), &version) &&
        version > newest && HoldsTools(entry.path().string() + "/bin")) {
      newest = version;
    }
  }
  return newest == 0 ? "" : absl::StrCat(kDebianFolder, "/", newest, "/bin");
}

std::string OnPath() {
  const char* const path = std::getenv("PATH");
  for (const absl::string_view folder :
       absl::StrSplit(path == nullptr ? "" : path, ':', absl::SkipEmpty())) {
    if (HoldsTools(std::string(folder))) return std::string(folder);
  }
  return "";
}

absl::Status Unusable(absl::string_view message, absl::string_view hint) {
  return WithHint(MakeError(absl::StatusCode::kFailedPrecondition,
                            kSourceUnavailable, message),
                  hint);
}

// "pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)" -> "15.18"
std::string VersionIn(absl::string_view text) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty());
  return words.size() < 3 ? "" : std::string(words[2]);
}

}  // namespace

ClientTools::ClientTools(std::string folder, std::string version)
    : folder_(std::move(folder)), version_(std::move(version)) {}

absl::StatusOr<ClientTools> ClientTools::Find(absl::string_view folder,
                                              int server_version,
                                              const Interrupt& interrupt) {
  std::string found(folder);
  if (found.empty()) found = NewestOfDebian();
  if (found.empty()) found = OnPath();
  if (found.empty()) {
    return Unusable("pg_dump is not here",
                    "install PostgreSQL's client programs, or name their "
                    "folder: bin=/path");
  }
  SLUICE_ASSIGN_OR_RETURN(
      const std::string text,
      RunProcessForText(
          {{absl::StrCat(found, "/pg_dump"), "--version"}, {}, ""}, interrupt));
  std::string version = VersionIn(text);
  const int server_major = server_version / 10000;
  if (std::atoi(version.c_str()) < server_major) {
    return Unusable(
        absl::StrCat("pg_dump is of version ", version,
                     ", the server of version ", server_major),
        absl::StrCat("install postgresql-client-", server_major,
                     ", or name the folder of its programs: bin=/path"));
  }
  return ClientTools(std::move(found), std::move(version));
}

ProcessOptions ClientTools::Command(absl::string_view name,
                                    const ConnectionOptions& connection) const {
  ProcessOptions options;
  options.arguments = {absl::StrCat(folder_, "/", name),
                       absl::StrCat("--dbname=", ConnInfo(connection))};
  if (!connection.password.empty()) {
    options.environment = {{"PGPASSWORD", connection.password}};
    options.secret = connection.password;
  }
  return options;
}

std::string ConnInfo(const ConnectionOptions& connection) {
  std::string text;
  for (const auto& parameter : connection.parameters) {
    absl::StrAppend(
        &text, text.empty() ? "" : " ", parameter.first, "='",
        absl::StrReplaceAll(parameter.second, {{"\\", "\\\\"}, {"'", "\\'"}}),
        "'");
  }
  return text;
}

}  // namespace sluice::postgres
