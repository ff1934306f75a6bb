#ifndef SLUICE_CLI_SERVE_SERVE_SETTINGS_H_
#define SLUICE_CLI_SERVE_SERVE_SETTINGS_H_

// What `sluice serve` was told: by its words, then by its configuration file,
// then by what is usual.
//
// Pure, but for the file. Errors: invalid_argument.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/cli/commands/parser.h"
#include "sluice/service/config/server_config.h"
#include "sluice/service/http/api/api_server.h"
#include "sluice/service/http/server/http_server.h"

namespace sluice::cli {

inline constexpr absl::Duration kDefaultDrain = absl::Seconds(30);

struct ServeSettings {
  absl::optional<http::TcpEndpoint> tcp;
  bool tcp_is_default = false;  // nobody has said it
  std::string socket;           // empty: none
  bool socket_is_default = false;
  int workers = 2;
  absl::Duration drain = kDefaultDrain;
  std::string config_path;       // empty: there is none
  service::ServerConfig config;  // with what the words say of TLS
};

absl::StatusOr<ServeSettings> ServeSettingsOf(const Command& command,
                                              const Environment& environment);

// Sockets, and what the API may name. invalid_argument for a group that is
// unknown to the system.
absl::StatusOr<service::ApiServerOptions> ApiServerOptionsOf(
    const ServeSettings& settings);

// The keys that differ and are read only at the start.
std::vector<std::string> NeedRestart(const ServeSettings& before,
                                     const ServeSettings& after);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_SERVE_SERVE_SETTINGS_H_
