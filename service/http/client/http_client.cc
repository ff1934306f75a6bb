#include "sluice/service/http/client/http_client.h"

#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/version.h"
#include "sluice/service/http/client/curl_library.h"

namespace sluice::http {
namespace {

using OnBytes = std::function<absl::Status(absl::string_view)>;

// libcurl's poll goes on by itself for as long as this; an end of the context
// wakes it.
constexpr int kPollMillis = 60'000;

// "https://host:port" of a URL; user, path and query may be secrets.
std::string OriginOf(absl::string_view url) {
  const size_t scheme_end = url.find("://");
  if (scheme_end == absl::string_view::npos) return "the URL";
  const absl::string_view scheme = url.substr(0, scheme_end);
  absl::string_view authority = url.substr(scheme_end + 3);
  authority = authority.substr(0, authority.find_first_of("/?#\\"));
  const size_t user_end = authority.rfind('@');
  if (user_end != absl::string_view::npos) {
    authority.remove_prefix(user_end + 1);
  }
  return absl::StrCat(scheme, "://", authority);
}

bool IsToken(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(c) || absl::StrContains("!#$%&'*+-.^_`|~", c);
  });
}

// Whether a header's value stays on its line.
bool IsOneLine(absl::string_view value) {
  return value.find_first_of(absl::string_view("\r\n\0", 3)) ==
         absl::string_view::npos;
}

long Millis(absl::Duration duration) {  // NOLINT(google-runtime-int): libcurl's
  constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
  if (duration == absl::InfiniteDuration()) return 0;
  return std::clamp<int64_t>(absl::ToInt64Milliseconds(duration), 1, kMax);
}

// One request, on one thread.
class Transfer {
 public:
  Transfer(const CurlLibrary& curl, const HttpClientOptions& options,
           const HttpCall& call, const OnBytes* on_bytes)
      : curl_(curl),
        options_(options),
        call_(call),
        on_bytes_(on_bytes),
        easy_(curl.easy_init()),
        multi_(curl.multi_init()) {}
  ~Transfer() {
    if (is_added_) curl_.multi_remove_handle(multi_, easy_);
    if (easy_ != nullptr) curl_.easy_cleanup(easy_);
    if (multi_ != nullptr) curl_.multi_cleanup(multi_);
    curl_.slist_free_all(fields_);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  absl::StatusOr<HttpAnswer> Run(const Context& context) {
    if (easy_ == nullptr || multi_ == nullptr) {
      return absl::ResourceExhaustedError("libcurl has no memory");
    }
    SLUICE_RETURN_IF_ERROR(SetMethodAndBody());
    SLUICE_RETURN_IF_ERROR(SetHeaders());
    SLUICE_RETURN_IF_ERROR(SetConnection());
    SLUICE_RETURN_IF_ERROR(SetCallbacks());
    if (curl_.multi_add_handle(multi_, easy_) != CURLM_OK) {
      return absl::InternalError("libcurl takes no request");
    }
    is_added_ = true;
    SLUICE_ASSIGN_OR_RETURN(const CURLcode code, Perform(context));
    SLUICE_RETURN_IF_ERROR(failure_);
    if (code != CURLE_OK) return ErrorOf(code);
    answer_.status = Status();
    return std::move(answer_);
  }

 private:
  template <typename Value>
  absl::Status Set(CURLoption option, Value value) {
    const CURLcode code = curl_.easy_setopt(easy_, option, value);
    if (code == CURLE_OK) return absl::OkStatus();
    return absl::InternalError(absl::StrCat("libcurl's option ", option, ": ",
                                            curl_.easy_strerror(code)));
  }

  absl::Status SetMethodAndBody() {
    if (!IsToken(call_.method)) return InvalidArgument("no method of HTTP");
    SLUICE_RETURN_IF_ERROR(Set(CURLOPT_URL, call_.url.c_str()));
    if (call_.method == "HEAD") return Set(CURLOPT_NOBODY, 1L);
    if (call_.method != "GET" || !call_.body.empty()) {
      SLUICE_RETURN_IF_ERROR(Set(CURLOPT_POSTFIELDS, call_.body.data()));
      SLUICE_RETURN_IF_ERROR(Set(CURLOPT_POSTFIELDSIZE_LARGE,
                                 static_cast<curl_off_t>(call_.body.size())));
    }
    return Set(CURLOPT_CUSTOMREQUEST, call_.method.c_str());
  }

  absl::Status AddField(const std::string& line) {
    curl_slist* const longer = curl_.slist_append(fields_, line.c_str());
    if (longer == nullptr) {
      return absl::ResourceExhaustedError("libcurl has no memory");
    }
    fields_ = longer;
    return absl::OkStatus();
  }

  absl::Status SetHeaders() {
    for (const auto& [name, value] : call_.headers.fields()) {
      if (!IsToken(name) || !IsOneLine(value)) {
        return InvalidArgument(absl::StrCat(
            "the header ", IsToken(name) ? name : "?", " is not one line"));
      }
      // libcurl's way to say "there, and empty".
      SLUICE_RETURN_IF_ERROR(AddField(value.empty()
                                          ? absl::StrCat(name, ";")
                                          : absl::StrCat(name, ": ", value)));
    }
    // What libcurl would add by itself.
    SLUICE_RETURN_IF_ERROR(AddField("Expect:"));
    if (!call_.headers.Find("Content-Type").has_value()) {
      SLUICE_RETURN_IF_ERROR(AddField("Content-Type:"));
    }
    SLUICE_RETURN_IF_ERROR(Set(CURLOPT_HTTPHEADER, fields_));
    user_agent_ = absl::StrCat("sluice/", kVersion);
    return Set(CURLOPT_USERAGENT, user_agent_.c_str());
  }

  absl::Status SetConnection() {
    SLUICE_RETURN_IF_ERROR(Set(CURLOPT_PROTOCOLS_STR, "http,https"));
    SLUICE_RETURN_IF_ERROR(Set(CURLOPT_HTTP_VERSION,
                               static_cast<long>(  // NOLINT: libcurl's type
                                   CURL_HTTP_VERSION_1_1)));
    SLUICE_RETURN_IF_ERROR(Set(CURLOPT_NOSIGNAL, 1L));
    // A lookup that hangs is left behind.
    SLUICE_RETURN_IF_ERROR(Set(CURLOPT_QUICK_EXIT, 1L));
    SLUICE_RETURN_IF_ERROR(Set(CURLOPT_TCP_KEEPALIVE, 1L));
    SLUICE_RETURN_IF_ERROR(
        Set(CURLOPT_CONNECTTIMEOUT_MS, Millis(options_.connect_timeout)));
    if (on_bytes_ == nullptr) {
      SLUICE_RETURN_IF_ERROR(Set(CURLOPT_TIMEOUT_MS, Millis(options_.timeout)));
    }
    if (!options_.unix_socket.empty()) {
      SLUICE_RETURN_IF_ERROR(
          Set(CURLOPT_UNIX_SOCKET_PATH, options_.unix_socket.c_str()));
    }
    if (!options_.ca_file.empty()) {
      SLUICE_RETURN_IF_ERROR(Set(CURLOPT_CAINFO, options_.ca_file.c_str()));
    }
    if (!options_.use_proxy || options_.allow_address) {
      SLUICE_RETURN_IF_ERROR(Set(CURLOPT_NOPROXY, "*"));
    }
    return absl::OkStatus();
  }

  absl::Status SetCallbacks() {
    SLUICE_RETURN_IF_ERROR(Set(CURLOPT_ERRORBUFFER, error_));
    SLUICE_RETURN_IF_ERROR(Set(CURLOPT_WRITEFUNCTION, &OnBody));
    SLUICE_RETURN_IF_ERROR(Set(CURLOPT_WRITEDATA, this));
    SLUICE_RETURN_IF_ERROR(Set(CURLOPT_HEADERFUNCTION, &OnHeader));
    SLUICE_RETURN_IF_ERROR(Set(CURLOPT_HEADERDATA, this));
    SLUICE_RETURN_IF_ERROR(Set(CURLOPT_OPENSOCKETFUNCTION, &OnOpenSocket));
    return Set(CURLOPT_OPENSOCKETDATA, this);
  }

  // How libcurl says that it ended.
  absl::StatusOr<CURLcode> Perform(const Context& context) {
    const Context::Registration told = context.OnDone(
        [this](const absl::Status&) { curl_.multi_wakeup(multi_); });
    for (;;) {
      SLUICE_RETURN_IF_ERROR(context.status());
      int running = 0;
      CURLMcode code = curl_.multi_perform(multi_, &running);
      if (code == CURLM_OK && running > 0) {
        code = curl_.multi_poll(multi_, nullptr, 0, kPollMillis, nullptr);
      }
      if (code != CURLM_OK) {
        return absl::InternalError(absl::StrCat("libcurl: multi error ", code));
      }
      if (running > 0) continue;
      int left = 0;
      while (const CURLMsg* message = curl_.multi_info_read(multi_, &left)) {
        if (message->msg == CURLMSG_DONE) return message->data.result;
      }
      return absl::InternalError("libcurl does not say how a request ended");
    }
  }

  int Status() const {
    long status = 0;  // NOLINT(google-runtime-int): libcurl's type
    curl_.easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    return static_cast<int>(status);
  }

  absl::Status ErrorOf(CURLcode code) const {
    const std::string message =
        absl::StrCat(OriginOf(call_.url), ": ",
                     error_[0] == '\0' ? curl_.easy_strerror(code) : error_);
    switch (code) {
      case CURLE_URL_MALFORMAT:
      case CURLE_SSL_CACERT_BADFILE:
        return InvalidArgument(message);
      case CURLE_OUT_OF_MEMORY:
        return absl::ResourceExhaustedError(message);
      case CURLE_PEER_FAILED_VERIFICATION:
      case CURLE_SSL_CONNECT_ERROR:
      case CURLE_SSL_ISSUER_ERROR:
      case CURLE_SSL_CERTPROBLEM:
        return MakeError(absl::StatusCode::kUnavailable, kHttpTlsFailed,
                         message);
      default:
        return MakeError(absl::StatusCode::kUnavailable, kHttpUnreachable,
                         message);
    }
  }

  absl::Status Take(absl::string_view bytes) {
    const int status = Status();
    if (on_bytes_ != nullptr && status >= 200 && status < 300) {
      return (*on_bytes_)(bytes);
    }
    if (bytes.size() > options_.max_body_bytes - answer_.body.size()) {
      return MakeError(absl::StatusCode::kOutOfRange, kHttpAnswerTooLarge,
                       absl::StrCat(OriginOf(call_.url), ": an answer of over ",
                                    options_.max_body_bytes, " bytes"));
    }
    answer_.body.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  }

  // Each answer begins with its line: what came before was an interim one's.
  void TakeHeader(absl::string_view line) {
    if (absl::StartsWith(line, "HTTP/")) answer_.headers = Headers();
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos) return;
    answer_.headers.Add(line.substr(0, colon),
                        absl::StripAsciiWhitespace(line.substr(colon + 1)));
  }

  curl_socket_t OpenSocket(const curl_sockaddr& address) {
    if (options_.allow_address && options_.unix_socket.empty()) {
      denied_ = options_.allow_address(&address.addr, address.addrlen);
      if (!denied_.ok()) {
        failure_ = MakeError(
            absl::StatusCode::kPermissionDenied, kHttpAddressDenied,
            absl::StrCat(OriginOf(call_.url), ": ", denied_.message()));
        return CURL_SOCKET_BAD;
      }
      failure_ = absl::OkStatus();
    }
    return socket(address.family, address.socktype | SOCK_CLOEXEC,
                  address.protocol);
  }

  // --- what libcurl calls

  static size_t OnBody(char* data, size_t one, size_t size, void* self) {
    Transfer& transfer = *static_cast<Transfer*>(self);
    transfer.failure_ = transfer.Take(absl::string_view(data, one * size));
    return transfer.failure_.ok() ? one * size : 0;
  }
  static size_t OnHeader(char* data, size_t one, size_t size, void* self) {
    static_cast<Transfer*>(self)->TakeHeader(
        absl::string_view(data, one * size));
    return one * size;
  }
  static curl_socket_t OnOpenSocket(void* self, curlsocktype,
                                    curl_sockaddr* address) {
    return static_cast<Transfer*>(self)->OpenSocket(*address);
  }

  const CurlLibrary& curl_;
  const HttpClientOptions& options_;
  const HttpCall& call_;
  const OnBytes* const on_bytes_;
  CURL* const easy_;
  CURLM* const multi_;
  bool is_added_ = false;
  curl_slist* fields_ = nullptr;
  std::string user_agent_;
  char error_[CURL_ERROR_SIZE] = "";
  HttpAnswer answer_;
  absl::Status denied_;   // of the last address
  absl::Status failure_;  // our own: libcurl has only a number for it
};

absl::StatusOr<HttpAnswer> Exchange(const HttpClientOptions& options,
                                    const Context& context,
                                    const HttpCall& call,
                                    const OnBytes* on_bytes) {
  SLUICE_RETURN_IF_ERROR(context.status());
  if (!absl::StartsWithIgnoreCase(call.url, "http://") &&
      !absl::StartsWithIgnoreCase(call.url, "https://")) {
    return InvalidArgument("a URL begins with http:// or https://");
  }
  SLUICE_ASSIGN_OR_RETURN(const CurlLibrary* const curl, CurlLibrary::Get());
  return Transfer(*curl, options, call, on_bytes).Run(context);
}

}  // namespace

HttpClient::HttpClient(HttpClientOptions options)
    : options_(std::move(options)) {}

absl::StatusOr<HttpAnswer> HttpClient::Send(const Context& context,
                                            const HttpCall& call) const {
  return Exchange(options_, context, call, nullptr);
}

absl::StatusOr<HttpAnswer> HttpClient::Stream(
    const Context& context, const HttpCall& call,
    const std::function<absl::Status(absl::string_view)>& on_bytes) const {
  return Exchange(options_, context, call, &on_bytes);
}

}  // namespace sluice::http
