#include "sluice/cli/serve/serve_settings.h"

#include <grp.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/absolute_path.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/session/session.h"
#include "sluice/service/notify/channels.h"

namespace sluice::cli {
namespace {

constexpr int kDefaultPort = 8470;
constexpr int kDefaultWorkers = 2;
constexpr char kSocketName[] = "api.sock";

// For a value of a flag.
absl::Status Of(absl::string_view flag, const absl::Status& status) {
  if (status.ok()) return status;
  return WithHint(Annotate(status, absl::StrCat("--", flag)), HintOf(status));
}

absl::StatusOr<std::string> PathOf(const Command& command,
                                   absl::string_view flag) {
  absl::StatusOr<std::string> path = AbsolutePath(command.Get(flag));
  if (!path.ok()) return Of(flag, path.status());
  return path;
}

absl::Status ReadConfig(const Command& command, ServeSettings& settings) {
  if (command.Has("config")) {
    SLUICE_ASSIGN_OR_RETURN(settings.config_path, PathOf(command, "config"));
  } else if (access(service::kServerConfigPath, F_OK) == 0) {
    settings.config_path = service::kServerConfigPath;
  } else {
    return absl::OkStatus();
  }
  SLUICE_ASSIGN_OR_RETURN(settings.config,
                          service::ReadServerConfig(settings.config_path));
  return absl::OkStatus();
}

absl::Status SetTcp(const Command& command, ServeSettings& settings) {
  const bool is_said = command.Has("listen");
  if (!is_said && !settings.config.listen.has_value()) {
    settings.tcp = http::TcpEndpoint{"127.0.0.1", kDefaultPort};
    settings.tcp_is_default = true;
    return absl::OkStatus();
  }
  const auto endpoint = service::ParseListen(is_said ? command.Get("listen")
                                                     : *settings.config.listen);
  SLUICE_RETURN_IF_ERROR(Of("listen", endpoint.status()));
  settings.tcp = *endpoint;
  return absl::OkStatus();
}

// Where the service manager says that run-time files go, else beside the
// catalog: whoever finds that finds the socket.
absl::StatusOr<std::string> DefaultSocket(const Command& command,
                                          const Environment& environment) {
  const char* const listed = environment("RUNTIME_DIRECTORY");
  const absl::string_view folders = listed == nullptr ? "" : listed;
  const absl::string_view first = folders.substr(0, folders.find(':'));
  if (!first.empty()) return absl::StrCat(first, "/", kSocketName);
  SLUICE_ASSIGN_OR_RETURN(const std::string catalog,
                          CatalogPath(command.Get("catalog"), environment));
  return absl::StrCat(catalog.substr(0, catalog.rfind('/')), "/", kSocketName);
}

absl::Status SetSocket(const Command& command, const Environment& environment,
                       ServeSettings& settings) {
  if (!command.Has("socket") && !settings.config.socket.has_value()) {
    SLUICE_ASSIGN_OR_RETURN(settings.socket,
                            DefaultSocket(command, environment));
    settings.socket_is_default = true;
    return absl::OkStatus();
  }
  std::string said = settings.config.socket.value_or("");
  if (command.Has("socket")) {
    said = command.Get("socket");
    if (said != "none") {
      SLUICE_ASSIGN_OR_RETURN(said, PathOf(command, "socket"));
    }
  }
  const absl::StatusOr<std::string> path = service::ParseSocketPath(said);
  SLUICE_RETURN_IF_ERROR(Of("socket", path.status()));
  settings.socket = *path;
  return absl::OkStatus();
}

absl::Status SetTls(const Command& command, ServeSettings& settings) {
  if (!command.Has("tls-cert") && !command.Has("tls-key")) {
    return absl::OkStatus();
  }
  if (!command.Has("tls-cert") || !command.Has("tls-key")) {
    return InvalidArgument("--tls-cert goes with --tls-key");
  }
  SLUICE_ASSIGN_OR_RETURN(settings.config.tls_cert,
                          PathOf(command, "tls-cert"));
  SLUICE_ASSIGN_OR_RETURN(settings.config.tls_key, PathOf(command, "tls-key"));
  return absl::OkStatus();
}

absl::Status SetWork(const Command& command, ServeSettings& settings) {
  SLUICE_ASSIGN_OR_RETURN(
      const uint64_t workers,
      command.GetCount("workers",
                       static_cast<uint64_t>(
                           settings.config.workers.value_or(kDefaultWorkers))));
  if (workers > static_cast<uint64_t>(service::kMaxWorkers)) {
    return InvalidArgument(absl::StrCat("--workers ", workers, " is too many"),
                           absl::StrCat(service::kMaxWorkers, " at most"));
  }
  settings.workers = static_cast<int>(workers);
  settings.drain = settings.config.drain.value_or(kDefaultDrain);
  if (!command.Has("drain")) return absl::OkStatus();
  const auto drain = service::ParseDrain(command.Get("drain"));
  SLUICE_RETURN_IF_ERROR(Of("drain", drain.status()));
  settings.drain = *drain;
  return absl::OkStatus();
}

absl::StatusOr<gid_t> GroupNamed(const std::string& name) {
  group entry;
  group* found = nullptr;
  std::vector<char> buffer(65536);
  const int error =
      getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (error == 0 && found != nullptr) return entry.gr_gid;
  return InvalidArgument(
      absl::StrCat("operator_group: there is no group ", name));
}

std::string TextOf(const absl::optional<http::TcpEndpoint>& tcp) {
  return tcp.has_value() ? absl::StrCat(tcp->host, ":", tcp->port) : "none";
}

}  // namespace

absl::StatusOr<ServeSettings> ServeSettingsOf(const Command& command,
                                              const Environment& environment) {
  ServeSettings settings;
  SLUICE_RETURN_IF_ERROR(ReadConfig(command, settings));
  SLUICE_RETURN_IF_ERROR(SetTcp(command, settings));
  SLUICE_RETURN_IF_ERROR(SetSocket(command, environment, settings));
  SLUICE_RETURN_IF_ERROR(SetTls(command, settings));
  SLUICE_RETURN_IF_ERROR(SetWork(command, settings));
  return settings;
}

absl::StatusOr<service::ApiServerOptions> ApiServerOptionsOf(
    const ServeSettings& settings) {
  const service::ServerConfig& config = settings.config;
  service::ApiServerOptions options;
  options.http.tcp = settings.tcp;
  options.http.unix_path = settings.socket;
  options.http.tls_certificate_file = config.tls_cert;
  options.http.tls_key_file = config.tls_key;
  options.http.allowed_hosts = config.allowed_hosts;
  options.http.allowed_origins = config.allowed_origins;
  options.api.allowed_sources = config.allowed_sources;
  options.api.allowed_repos = config.allowed_repos;
  options.api.allowed_restores = config.allowed_restores;
  options.api.restore_root = config.restore_root;
  if (!config.operator_group.empty()) {
    SLUICE_ASSIGN_OR_RETURN(options.api.operator_group,
                            GroupNamed(config.operator_group));
  }
  return options;
}

std::vector<std::string> NeedRestart(const ServeSettings& before,
                                     const ServeSettings& after) {
  std::vector<std::string> keys;
  const auto compare = [&keys](const char* key, bool same) {
    if (!same) keys.push_back(key);
  };
  const service::ServerConfig& old = before.config;
  const service::ServerConfig& now = after.config;
  compare("listen", TextOf(before.tcp) == TextOf(after.tcp));
  compare("socket", before.socket == after.socket);
  compare("tls_cert", old.tls_cert == now.tls_cert);
  compare("tls_key", old.tls_key == now.tls_key);
  compare("workers", before.workers == after.workers);
  compare("drain", before.drain == after.drain);
  compare("operator_group", old.operator_group == now.operator_group);
  compare("allowed_hosts", old.allowed_hosts == now.allowed_hosts);
  compare("allowed_origins", old.allowed_origins == now.allowed_origins);
  compare("notifications", service::NotificationsJson(old.notifications) ==
                               service::NotificationsJson(now.notifications));
  return keys;
}

}  // namespace sluice::cli
