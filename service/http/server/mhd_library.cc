#include "sluice/service/http/server/mhd_library.h"

#include "absl/status/statusor.h"
#include "sluice/base/error.h"
#include "sluice/base/shared_library/shared_library.h"
#include "sluice/base/status_macros.h"
#include "sluice/service/http/server/listener.h"

namespace sluice::http {
namespace {

absl::StatusOr<MhdLibrary> Load() {
  SLUICE_ASSIGN_OR_RETURN(
      const SharedLibrary library,
      SharedLibrary::Load("libmicrohttpd.so.12",
                          "the Debian package libmicrohttpd12"));
  MhdLibrary mhd;
  absl::Status found;
  const auto find = [&](const char* symbol, auto*& function) {
    found.Update(library.Find(symbol, function));
  };
  find("MHD_start_daemon", mhd.start_daemon);
  find("MHD_stop_daemon", mhd.stop_daemon);
  find("MHD_get_daemon_info", mhd.get_daemon_info);
  find("MHD_add_connection", mhd.add_connection);
  find("MHD_run", mhd.run);
  find("MHD_get_timeout", mhd.get_timeout);
  find("MHD_get_connection_info", mhd.get_connection_info);
  find("MHD_get_connection_values_n", mhd.get_connection_values_n);
  find("MHD_suspend_connection", mhd.suspend_connection);
  find("MHD_resume_connection", mhd.resume_connection);
  find("MHD_create_response_from_buffer_with_free_callback_cls",
       mhd.create_response_from_buffer);
  find("MHD_create_response_from_callback", mhd.create_response_from_callback);
  find("MHD_add_response_header", mhd.add_response_header);
  find("MHD_queue_response", mhd.queue_response);
  find("MHD_destroy_response", mhd.destroy_response);
  SLUICE_RETURN_IF_ERROR(found);
  return mhd;
}

const absl::StatusOr<MhdLibrary>& Loaded() {
  static const auto& loaded = *new absl::StatusOr<MhdLibrary>(Load());
  return loaded;
}

}  // namespace

absl::Status LoadMhd() {
  const absl::Status& status = Loaded().status();
  if (status.ok()) return status;
  return WithHint(MakeError(absl::StatusCode::kUnavailable, kListenFailed,
                            status.message()),
                  HintOf(status));
}

const MhdLibrary& Mhd() {
  static const MhdLibrary& mhd = *Loaded();
  return mhd;
}

}  // namespace sluice::http
