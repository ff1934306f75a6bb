#ifndef SLUICE_SERVICE_HTTP_SERVER_MHD_LIBRARY_H_
#define SLUICE_SERVICE_HTTP_SERVER_MHD_LIBRARY_H_

// libmicrohttpd, loaded when the first server starts: linked, it and what it
// needs would cost each run of the command some milliseconds.
//
//   SLUICE_RETURN_IF_ERROR(LoadMhd());
//   Mhd().run(daemon);
//
// Thread-safe. Never unloaded.

#include <microhttpd.h>

#include "absl/status/status.h"

namespace sluice::http {

struct MhdLibrary {
  decltype(&MHD_start_daemon) start_daemon = nullptr;
  decltype(&MHD_stop_daemon) stop_daemon = nullptr;
  decltype(&MHD_get_daemon_info) get_daemon_info = nullptr;
  decltype(&MHD_add_connection) add_connection = nullptr;
  decltype(&MHD_run) run = nullptr;
  decltype(&MHD_get_timeout) get_timeout = nullptr;
  decltype(&MHD_get_connection_info) get_connection_info = nullptr;
  decltype(&MHD_get_connection_values_n) get_connection_values_n = nullptr;
  decltype(&MHD_suspend_connection) suspend_connection = nullptr;
  decltype(&MHD_resume_connection) resume_connection = nullptr;
  decltype(&MHD_create_response_from_buffer_with_free_callback_cls)
      create_response_from_buffer = nullptr;
  decltype(&MHD_create_response_from_callback) create_response_from_callback =
      nullptr;
  decltype(&MHD_add_response_header) add_response_header = nullptr;
  decltype(&MHD_queue_response) queue_response = nullptr;
  decltype(&MHD_destroy_response) destroy_response = nullptr;
};

// listen_failed where it is not on this machine, or is another one.
absl::Status LoadMhd();

// Once LoadMhd was OK.
const MhdLibrary& Mhd();

}  // namespace sluice::http

#endif  // SLUICE_SERVICE_HTTP_SERVER_MHD_LIBRARY_H_
