#ifndef SLUICE_SERVICE_HTTP_SERVER_TESTING_TEST_TLS_CLIENT_H_
#define SLUICE_SERVICE_HTTP_SERVER_TESTING_TEST_TLS_CLIENT_H_

// A TLS client for tests, on GnuTLS. It trusts anybody, and tells whom it met.

#include <string>

#include "absl/strings/string_view.h"
#include "sluice/service/http/server/testing/test_client.h"

struct gnutls_session_int;
struct gnutls_certificate_credentials_st;

namespace sluice::http {

class TestTlsClient {
 public:
  // `priorities` is GnuTLS's string, such as "NORMAL:-VERS-ALL:+VERS-TLS1.1".
  TestTlsClient(int port, const std::string& priorities);
  ~TestTlsClient();
  TestTlsClient(const TestTlsClient&) = delete;

  bool connected() const { return connected_; }
  // The subject of the server's certificate, "CN=…".
  const std::string& subject() const { return subject_; }
  void Send(absl::string_view bytes);
  // What comes, up to and with `marker`, or to the end.
  std::string ReadUntil(absl::string_view marker);

 private:
  TestClient socket_;
  gnutls_session_int* session_ = nullptr;
  gnutls_certificate_credentials_st* credentials_ = nullptr;
  bool connected_ = false;
  std::string subject_;
};

}  // namespace sluice::http

#endif  // SLUICE_SERVICE_HTTP_SERVER_TESTING_TEST_TLS_CLIENT_H_
