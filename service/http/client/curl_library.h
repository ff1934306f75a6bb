#ifndef SLUICE_SERVICE_HTTP_CLIENT_CURL_LIBRARY_H_
#define SLUICE_SERVICE_HTTP_CLIENT_CURL_LIBRARY_H_

// The functions of libcurl that are used, of the GnuTLS build: the OpenSSL one
// would bring symbols that BoringSSL has too. Loaded once a process.

#include <curl/curl.h>

#include "absl/status/statusor.h"

namespace sluice::http {

struct CurlLibrary {
  // Lives as long as the process. http_library_missing. Any thread.
  static absl::StatusOr<const CurlLibrary*> Get();

  decltype(&curl_global_init) global_init = nullptr;
  decltype(&curl_easy_init) easy_init = nullptr;
  decltype(&curl_easy_setopt) easy_setopt = nullptr;
  decltype(&curl_easy_getinfo) easy_getinfo = nullptr;
  decltype(&curl_easy_strerror) easy_strerror = nullptr;
  decltype(&curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&curl_multi_init) multi_init = nullptr;
  decltype(&curl_multi_add_handle) multi_add_handle = nullptr;
  decltype(&curl_multi_remove_handle) multi_remove_handle = nullptr;
  decltype(&curl_multi_perform) multi_perform = nullptr;
  decltype(&curl_multi_poll) multi_poll = nullptr;
  decltype(&curl_multi_wakeup) multi_wakeup = nullptr;
  decltype(&curl_multi_info_read) multi_info_read = nullptr;
  decltype(&curl_multi_cleanup) multi_cleanup = nullptr;
  decltype(&curl_slist_append) slist_append = nullptr;
  decltype(&curl_slist_free_all) slist_free_all = nullptr;
};

}  // namespace sluice::http

#endif  // SLUICE_SERVICE_HTTP_CLIENT_CURL_LIBRARY_H_
