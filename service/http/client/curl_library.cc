#include "sluice/service/http/client/curl_library.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/shared_library/shared_library.h"
#include "sluice/base/status_macros.h"
#include "sluice/service/http/client/http_client.h"

namespace sluice::http {
namespace {

absl::StatusOr<CurlLibrary> Load() {
  SLUICE_ASSIGN_OR_RETURN(
      const SharedLibrary library,
      SharedLibrary::Load("libcurl-gnutls.so.4",
                          "the Debian package libcurl3-gnutls"));
  CurlLibrary curl;
  absl::Status found;
  const auto find = [&](const char* symbol, auto*& function) {
    found.Update(library.Find(symbol, function));
  };
  find("curl_global_init", curl.global_init);
  find("curl_easy_init", curl.easy_init);
  find("curl_easy_setopt", curl.easy_setopt);
  find("curl_easy_getinfo", curl.easy_getinfo);
  find("curl_easy_strerror", curl.easy_strerror);
  find("curl_easy_cleanup", curl.easy_cleanup);
  find("curl_multi_init", curl.multi_init);
  find("curl_multi_add_handle", curl.multi_add_handle);
  find("curl_multi_remove_handle", curl.multi_remove_handle);
  find("curl_multi_perform", curl.multi_perform);
  find("curl_multi_poll", curl.multi_poll);
  find("curl_multi_wakeup", curl.multi_wakeup);
  find("curl_multi_info_read", curl.multi_info_read);
  find("curl_multi_cleanup", curl.multi_cleanup);
  find("curl_slist_append", curl.slist_append);
  find("curl_slist_free_all", curl.slist_free_all);
  SLUICE_RETURN_IF_ERROR(found);
  const CURLcode begun = curl.global_init(CURL_GLOBAL_DEFAULT);
  if (begun == CURLE_OK) return curl;
  return absl::InternalError(
      absl::StrCat("libcurl does not begin: ", curl.easy_strerror(begun)));
}

}  // namespace

absl::StatusOr<const CurlLibrary*> CurlLibrary::Get() {
  static const absl::StatusOr<CurlLibrary>* const library =
      new absl::StatusOr<CurlLibrary>(Load());
  if (library->ok()) return &**library;
  const absl::Status& status = library->status();
  return WithHint(MakeError(absl::StatusCode::kFailedPrecondition,
                            kHttpLibraryMissing, status.message()),
                  HintOf(status));
}

}  // namespace sluice::http
