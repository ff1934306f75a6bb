#include "sluice/service/config/server_config.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/host/uri.h"
#include "sluice/service/http/message/json_body.h"
#include "sluice/service/notify/channels.h"
#include "sluice/service/plan/span.h"

namespace sluice::service {
namespace {

constexpr char kNone[] = "none";
constexpr int kMostPort = 65535;
constexpr size_t kMostSocketPath = 107;

bool IsAbsolute(absl::string_view path) {
  return absl::StartsWith(path, "/") &&
         path.find('\0') == absl::string_view::npos;
}

// --- fields

class ConfigReader {
 public:
  explicit ConfigReader(const nlohmann::json& object) : fields_(object) {}

  std::string Text(absl::string_view name) {
    absl::optional<std::string> text;
    fields_.Optional(name, text);
    return text.value_or("");
  }

  std::string Path(absl::string_view name) {
    std::string path = Text(name);
    if (!path.empty() && !IsAbsolute(path)) {
      fields_.Wrong(name, "is not an absolute path");
    }
    return path;
  }

  std::vector<std::string> Texts(absl::string_view name) {
    absl::optional<std::vector<std::string>> texts;
    fields_.Optional(name, texts);
    return std::move(texts).value_or(std::vector<std::string>());
  }

  std::vector<std::string> Uris(absl::string_view name) {
    std::vector<std::string> uris = Texts(name);
    for (const std::string& uri : uris) {
      Check(name, ParseUri(uri).status());
    }
    return uris;
  }

  absl::optional<std::string> Checked(
      absl::string_view name, absl::Status (*check)(absl::string_view text)) {
    absl::optional<std::string> text;
    fields_.Optional(name, text);
    if (text.has_value()) Check(name, check(*text));
    return text;
  }

  void Check(absl::string_view name, const absl::Status& status) {
    if (!status.ok()) fields_.Wrong(name, status.message());
  }

  http::JsonObjectReader& fields() { return fields_; }

 private:
  http::JsonObjectReader fields_;
};

absl::optional<int64_t> WorkersOf(ConfigReader& reader) {
  absl::optional<int64_t> workers;
  reader.fields().Optional("workers", workers);
  if (workers.has_value() && (*workers < 1 || *workers > kMaxWorkers)) {
    reader.fields().Wrong("workers", absl::StrCat("is not 1 to ", kMaxWorkers));
  }
  return workers;
}

absl::optional<absl::Duration> DrainOf(ConfigReader& reader) {
  absl::optional<std::string> text;
  reader.fields().Optional("drain", text);
  if (!text.has_value()) return absl::nullopt;
  const absl::StatusOr<absl::Duration> drain = ParseDrain(*text);
  reader.Check("drain", drain.status());
  return drain.value_or(absl::ZeroDuration());
}

// --- the file

absl::Status Unusable(const std::string& path, absl::string_view what,
                      absl::string_view hint = "") {
  return InvalidArgument(absl::StrCat("configuration ", path, ": ", what),
                         hint);
}

// Of the open file, so that it is the one that is read.
absl::Status CheckOwner(int fd, const std::string& path) {
  struct stat found = {};
  if (fstat(fd, &found) != 0) return Unusable(path, std::strerror(errno));
  if (!S_ISREG(found.st_mode)) return Unusable(path, "is no file");
  if (found.st_uid != 0 && found.st_uid != geteuid()) {
    return Unusable(
        path, absl::StrCat("belongs to user ", found.st_uid),
        "whoever writes it may read what it allows: chown it to root, or to "
        "the service's user");
  }
  if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return Unusable(path, "others may write it", "chmod go-w");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadAll(int fd, const std::string& path) {
  std::string text;
  char buffer[4096];
  while (true) {
    const ssize_t got = read(fd, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Unusable(path, std::strerror(errno));
    if (got == 0) return text;
    text.append(buffer, static_cast<size_t>(got));
    if (text.size() > kMaxServerConfigBytes) {
      return Unusable(path, "is too large");
    }
  }
}

}  // namespace

absl::StatusOr<absl::optional<http::TcpEndpoint>> ParseListen(
    absl::string_view text) {
  if (text == kNone) return absl::optional<http::TcpEndpoint>();
  const size_t colon = text.rfind(':');
  http::TcpEndpoint endpoint;
  const bool has_port =
      colon != absl::string_view::npos && colon > 0 &&
      absl::SimpleAtoi(text.substr(colon + 1), &endpoint.port);
  endpoint.host = std::string(text.substr(0, has_port ? colon : 0));
  // An IPv6 address without brackets ends in what looks like a port.
  const bool is_bare_ipv6 = endpoint.host.find(':') != std::string::npos &&
                            !absl::StartsWith(endpoint.host, "[");
  if (!has_port || is_bare_ipv6 || endpoint.port < 0 ||
      endpoint.port > kMostPort) {
    return InvalidArgument(absl::StrCat(text, " is no address to listen on"),
                           "as 127.0.0.1:8470, [::1]:8470 or none");
  }
  return absl::optional<http::TcpEndpoint>(std::move(endpoint));
}

absl::StatusOr<std::string> ParseSocketPath(absl::string_view text) {
  if (text == kNone) return std::string();
  if (!IsAbsolute(text) || text.size() > kMostSocketPath) {
    return InvalidArgument(absl::StrCat(text, " is no path of a socket"),
                           absl::StrCat("an absolute path of at most ",
                                        kMostSocketPath, " bytes, or none"));
  }
  return std::string(text);
}

absl::StatusOr<absl::Duration> ParseDrain(absl::string_view text) {
  if (text == "wait") return absl::InfiniteDuration();
  return ParseSpan(text);
}

absl::StatusOr<ServerConfig> ParseServerConfig(absl::string_view text) {
  SLUICE_ASSIGN_OR_RETURN(const nlohmann::json json,
                          http::ParseJsonObject(text));
  ConfigReader reader(json);
  ServerConfig config;
  config.listen = reader.Checked("listen", [](absl::string_view listen) {
    return ParseListen(listen).status();
  });
  config.socket = reader.Checked("socket", [](absl::string_view path) {
    return ParseSocketPath(path).status();
  });
  config.tls_cert = reader.Path("tls_cert");
  config.tls_key = reader.Path("tls_key");
  if (config.tls_cert.empty() != config.tls_key.empty()) {
    reader.fields().Wrong("tls_cert", "goes with tls_key");
  }
  config.workers = WorkersOf(reader);
  config.drain = DrainOf(reader);
  config.allowed_sources = reader.Uris("allowed_sources");
  config.allowed_repos = reader.Uris("allowed_repos");
  config.allowed_restores = reader.Uris("allowed_restores");
  config.restore_root = reader.Path("restore_root");
  config.operator_group = reader.Text("operator_group");
  config.allowed_hosts = reader.Texts("allowed_hosts");
  config.allowed_origins = reader.Texts("allowed_origins");
  const nlohmann::json* const notifications =
      reader.fields().Take("notifications");
  SLUICE_RETURN_IF_ERROR(reader.fields().Finish());
  if (notifications != nullptr) {
    SLUICE_ASSIGN_OR_RETURN(config.notifications,
                            ParseNotifications(*notifications));
  }
  return config;
}

absl::StatusOr<ServerConfig> ReadServerConfig(const std::string& path) {
  // A pipe would hold us.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return Unusable(path, std::strerror(errno));
  const absl::Cleanup closer = [fd] { close(fd); };
  SLUICE_RETURN_IF_ERROR(CheckOwner(fd, path));
  SLUICE_ASSIGN_OR_RETURN(const std::string text, ReadAll(fd, path));
  absl::StatusOr<ServerConfig> config = ParseServerConfig(text);
  if (config.ok()) return config;
  return WithHint(
      Annotate(config.status(), absl::StrCat("configuration ", path)),
      HintOf(config.status()));
}

}  // namespace sluice::service
