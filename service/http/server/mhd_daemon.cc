#include "sluice/service/http/server/mhd_daemon.h"

#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/service/http/server/mhd_library.h"

namespace sluice::http {
namespace {

constexpr char kPriorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

MhdDaemon::Events* EventsOf(void* cls) {
  return static_cast<MhdDaemon::Events*>(cls);
}

void* ContextOf(MHD_Connection* connection) {
  const MHD_ConnectionInfo* info =
      Mhd().get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return info == nullptr ? nullptr : info->socket_context;
}

void Notify(void* cls, MHD_Connection* connection, void** context,
            MHD_ConnectionNotificationCode code) {
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    EventsOf(cls)->OnOpen(connection, context);
  } else {
    EventsOf(cls)->OnClose(*context);
  }
}

void* Target(void* cls, const char* uri, MHD_Connection* connection) {
  return EventsOf(cls)->OnTarget(ContextOf(connection),
                                 uri == nullptr ? "" : uri);
}

MHD_Result Access(void* cls, MHD_Connection* connection, const char* url,
                  const char* method, const char* version, const char* upload,
                  size_t* upload_size, void** exchange) {
  const MhdDaemon::Call call = {connection, url, method, version, upload};
  return EventsOf(cls)->OnRequest(*exchange, call, upload_size) ? MHD_YES
                                                                : MHD_NO;
}

void Completed(void* cls, MHD_Connection*, void** exchange,
               MHD_RequestTerminationCode) {
  if (*exchange != nullptr) EventsOf(cls)->OnCompleted(*exchange);
  *exchange = nullptr;
}

// Escapes are resolved by our own parser, which refuses the bad ones.
size_t LeaveEscapes(void*, MHD_Connection*, char* text) {
  return std::strlen(text);
}

// Where the next line of the head is to begin.
struct Walk {
  const char* next;
  bool is_exact = true;
  Headers* headers;
};

MHD_Result ReadField(void* cls, MHD_ValueKind, const char* name,
                     size_t name_size, const char* value, size_t value_size) {
  Walk& walk = *static_cast<Walk*>(cls);
  if (value == nullptr) return MHD_NO;
  walk.headers->Add(
      absl::string_view(name, name_size),
      absl::StripAsciiWhitespace(absl::string_view(value, value_size)));
  const char* behind = name + name_size + 1;  // the colon
  if (name != walk.next || value < behind) {
    walk.is_exact = false;
  } else {
    while (behind < value && (*behind == ' ' || *behind == '\t')) ++behind;
    walk.is_exact = walk.is_exact && behind == value;
  }
  walk.next = value + value_size + 2;
  return MHD_YES;
}

}  // namespace

void MhdDaemon::Log(void* cls, const char* format, va_list arguments) {
  MhdDaemon& daemon = *static_cast<MhdDaemon*>(cls);
  if (daemon.is_started_) return;
  char text[256] = "";
  std::vsnprintf(text, sizeof(text), format, arguments);
  daemon.log_ = std::string(absl::StripAsciiWhitespace(text));
}

absl::StatusOr<std::unique_ptr<MhdDaemon>> MhdDaemon::Start(Options options,
                                                            Events* events) {
  SLUICE_RETURN_IF_ERROR(LoadMhd());
  std::unique_ptr<MhdDaemon> made(new MhdDaemon(std::move(options)));
  const Options& kept = made->options_;
  std::vector<MHD_OptionItem> tls;
  unsigned int flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET |
                       MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
  const auto text = [](const char* bytes) {
    return const_cast<void*>(static_cast<const void*>(bytes));
  };
  if (made->is_tls()) {
    flags |= MHD_USE_TLS;
    tls.push_back(
        {MHD_OPTION_HTTPS_MEM_CERT, 0, text(kept.certificate.c_str())});
    tls.push_back({MHD_OPTION_HTTPS_MEM_KEY, 0, text(kept.key.c_str())});
    tls.push_back({MHD_OPTION_HTTPS_PRIORITIES, 0, text(kPriorities)});
  }
  tls.push_back({MHD_OPTION_END, 0, nullptr});
  made->daemon_ = Mhd().start_daemon(
      flags, 0, nullptr, nullptr, &Access, events, MHD_OPTION_EXTERNAL_LOGGER,
      &Log, made.get(), MHD_OPTION_CONNECTION_LIMIT,
      static_cast<unsigned int>(kept.max_connections),
      MHD_OPTION_CONNECTION_MEMORY_LIMIT, kept.memory_per_connection,
      MHD_OPTION_NOTIFY_CONNECTION, &Notify, events,
      MHD_OPTION_NOTIFY_COMPLETED, &Completed, events,
      MHD_OPTION_URI_LOG_CALLBACK, &Target, events,
      MHD_OPTION_UNESCAPE_CALLBACK, &LeaveEscapes, nullptr,
      MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_ARRAY, tls.data(),
      MHD_OPTION_END);
  if (made->daemon_ == nullptr) {
    return InvalidArgument(
        absl::StrCat("start HTTP", made->is_tls() ? " with TLS: " : ": ",
                     made->log_.empty() ? "refused" : made->log_),
        made->is_tls() ? "are certificate and key PEM, and of each other?"
                       : "");
  }
  made->is_started_ = true;
  const MHD_DaemonInfo* info =
      Mhd().get_daemon_info(made->daemon_, MHD_DAEMON_INFO_EPOLL_FD);
  if (info == nullptr) {
    return MakeError(absl::StatusCode::kInternal, kInternal,
                     "libmicrohttpd has no epoll");
  }
  made->epoll_fd_ = info->epoll_fd;
  return made;
}

MhdDaemon::~MhdDaemon() {
  if (daemon_ != nullptr) Mhd().stop_daemon(daemon_);
}

bool MhdDaemon::Add(int fd, const sockaddr* address, socklen_t size) {
  return Mhd().add_connection(daemon_, fd, address, size) == MHD_YES;
}

void MhdDaemon::Run() { Mhd().run(daemon_); }

bool MhdDaemon::HasWork() const {
  MHD_UNSIGNED_LONG_LONG milliseconds = 1;
  return Mhd().get_timeout(daemon_, &milliseconds) == MHD_YES &&
         milliseconds == 0;
}

bool ReadHead(const MhdDaemon::Call& call, size_t target_size, size_t* bytes,
              Headers& headers) {
  Walk walk = {call.version + std::strlen(call.version) + 2, true, &headers};
  walk.is_exact = call.url == call.method + std::strlen(call.method) + 1 &&
                  call.version == call.url + target_size + 1;
  Mhd().get_connection_values_n(call.connection, MHD_HEADER_KIND, &ReadField,
                                &walk);
  const MHD_ConnectionInfo* info = Mhd().get_connection_info(
      call.connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  *bytes = info == nullptr ? 0 : info->header_size;
  return walk.is_exact && walk.next + 2 == call.method + *bytes;
}

}  // namespace sluice::http
