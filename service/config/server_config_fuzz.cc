// Whatever is taken can be used; whatever is not says so by its word.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/service/config/server_config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::service;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<ServerConfig> config = ParseServerConfig(text);
  if (!config.ok()) {
    if (sluice::ErrorCodeOf(config.status()) != sluice::kInvalidArgument) {
      std::abort();
    }
    return 0;
  }
  const bool is_usable =
      ParseListen(config->listen.value_or("none")).ok() &&
      ParseSocketPath(config->socket.value_or("none")).ok() &&
      config->workers.value_or(1) >= 1 &&
      config->tls_cert.empty() == config->tls_key.empty() &&
      config->notifications.size() <= 64;
  if (!is_usable) std::abort();
  return 0;
}
