#ifndef SLUICE_SERVICE_CONFIG_SERVER_CONFIG_H_
#define SLUICE_SERVICE_CONFIG_SERVER_CONFIG_H_

// What `sluice serve` reads from its configuration file: where it listens, what
// the API may name, whom it notifies. What grants rights stands in a file that
// nobody else can write, and never in a request.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(const ServerConfig config,
//                           ReadServerConfig("/etc/sluice/server.json"));
//   options.restore_root = config.restore_root;
//
// Pure, but for ReadServerConfig, which reads a file. Errors: invalid_argument,
// with the key, or the line and column, that is wrong. Holds no secret:
// passwords and keys are references.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/service/http/server/http_server.h"
#include "sluice/service/notify/channels.h"

namespace sluice::service {

inline constexpr char kServerConfigPath[] = "/etc/sluice/server.json";
inline constexpr size_t kMaxServerConfigBytes = 1024 * 1024;
inline constexpr int64_t kMaxWorkers = 256;

// What is unset was not said.
struct ServerConfig {
  absl::optional<std::string> listen;  // as ParseListen takes it
  absl::optional<std::string> socket;  // an absolute path, or "none"
  std::string tls_cert;                // absolute; both or neither
  std::string tls_key;
  absl::optional<int64_t> workers;
  absl::optional<absl::Duration> drain;  // infinite: "wait"
  // As ApiOptions has them.
  std::vector<std::string> allowed_sources;
  std::vector<std::string> allowed_repos;
  std::vector<std::string> allowed_restores;
  std::string restore_root;
  std::string operator_group;  // a name of the system's
  // As HttpServerOptions has them.
  std::vector<std::string> allowed_hosts;
  std::vector<std::string> allowed_origins;
  std::vector<NotifyChannel> notifications;
};

absl::StatusOr<ServerConfig> ParseServerConfig(absl::string_view text);

// Refuses a file that another user than root and this process's own could have
// written.
absl::StatusOr<ServerConfig> ReadServerConfig(const std::string& path);

// "127.0.0.1:8470", "[::1]:8470", "localhost:0"; none for "none". A port must
// be said.
absl::StatusOr<absl::optional<http::TcpEndpoint>> ParseListen(
    absl::string_view text);

// "none", which is empty then, or an absolute path.
absl::StatusOr<std::string> ParseSocketPath(absl::string_view text);

// A span, or "wait", which is infinite.
absl::StatusOr<absl::Duration> ParseDrain(absl::string_view text);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_CONFIG_SERVER_CONFIG_H_
