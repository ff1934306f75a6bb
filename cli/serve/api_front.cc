#include "sluice/cli/serve/api_front.h"

#include <unistd.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/service/http/server/listener.h"

namespace sluice::cli {
namespace {

constexpr absl::Duration kFinishRequests = absl::Seconds(5);
constexpr size_t kMostSocketPath = 107;
// They mostly wait for the catalog.
constexpr int kHandlers = 8;

void Warn(Console& console, absl::string_view what,
          const absl::Status& status) {
  console.Log(LogLevel::kWarning, what,
              {{"error_code", ErrorCodeOf(status)},
               {"error", std::string(status.message())}});
}

// With what a person can do at this command.
absl::Status Explained(const absl::Status& status,
                       const ServeSettings& settings) {
  if (ErrorCodeOf(status) != http::kListenFailed || !settings.tcp.has_value()) {
    return status;
  }
  return WithHint(
      status, absl::StrCat(HintOf(status), HintOf(status).empty() ? "" : "; ",
                           "--listen HOST:PORT or --socket PATH names another, "
                           "none leaves one out"));
}

// What nobody has asked for must not keep the service from its work.
void DropUnusableDefaults(const ServeSettings& settings, Console& console,
                          service::ApiServerOptions& options) {
  if (!options.http.inherited.empty()) {
    if (settings.tcp_is_default) options.http.tcp.reset();
    if (settings.socket_is_default) options.http.unix_path.clear();
  }
  if (settings.socket_is_default &&
      options.http.unix_path.size() > kMostSocketPath) {
    Warn(console, "no unix socket",
         InvalidArgument(absl::StrCat(options.http.unix_path,
                                      ": is too long a path for one")));
    options.http.unix_path.clear();
  }
}

bool HasSocket(const http::HttpServerOptions& options) {
  return options.tcp.has_value() || !options.unix_path.empty() ||
         !options.inherited.empty();
}

}  // namespace

absl::StatusOr<std::unique_ptr<ApiFront>> ApiFront::Open(
    const ServeSettings& settings, const std::string& machine, Catalog* catalog,
    PluginHost* host, Console* console) {
  std::unique_ptr<ApiFront> front(new ApiFront);
  SLUICE_ASSIGN_OR_RETURN(service::ApiServerOptions options,
                          ApiServerOptionsOf(settings));
  options.api.machine_id = machine;
  // The manager started our parent, which supervises us.
  options.http.inherited = http::InheritedListeners(getppid());
  DropUnusableDefaults(settings, *console, options);
  if (!HasSocket(options.http)) return front;
  SLUICE_ASSIGN_OR_RETURN(front->log_, AccessLog::Start(console));
  const bool is_default_alone = settings.socket_is_default &&
                                !options.http.tcp.has_value() &&
                                options.http.inherited.empty();
  const absl::Status started =
      front->Start(std::move(options), catalog, host, *console);
  if (is_default_alone && ErrorCodeOf(started) == http::kListenFailed) {
    // Two may serve one catalog.
    Warn(*console, "no unix socket", started);
    return front;
  }
  if (!started.ok()) return Explained(started, settings);
  return front;
}

absl::Status ApiFront::Start(service::ApiServerOptions options,
                             Catalog* catalog, PluginHost* host,
                             Console& console) {
  options.http.workers = kHandlers;
  options.http.access_log = [log =
                                 log_.get()](const http::AccessRecord& record) {
    log->Add(record);
  };
  options.api.on_problem = [&console](absl::string_view what,
                                      const absl::Status& problem) {
    Warn(console, absl::StrCat(what, " failed"), problem);
  };
  const std::string socket = options.http.unix_path;
  const bool has_tls = !options.http.tls_certificate_file.empty();
  SLUICE_ASSIGN_OR_RETURN(
      server_,
      service::ApiServer::Start(catalog, host, nullptr, std::move(options)));
  console.Log(LogLevel::kInfo, "listening",
              {{"port", server_->port()},
               {"socket", socket},
               {"tls", has_tls && server_->port() != 0}});
  return absl::OkStatus();
}

void ApiFront::SetService(service::Service* service) {
  if (server_ != nullptr) server_->SetService(service);
}

absl::Status ApiFront::Reload(const ServeSettings& settings) {
  if (server_ == nullptr) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(const service::ApiServerOptions options,
                          ApiServerOptionsOf(settings));
  // Both, or none: a new right beside an old certificate would be found late.
  SLUICE_RETURN_IF_ERROR(server_->Reload());
  return server_->SetPolicy(options.api);
}

void ApiFront::BeginDrain() {
  if (server_ != nullptr) server_->BeginDrain();
}

void ApiFront::Stop() {
  if (server_ != nullptr) server_->Stop(kFinishRequests);
}

}  // namespace sluice::cli
