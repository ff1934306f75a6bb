#include "sluice/service/http/server/testing/test_tls_client.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

namespace sluice::http {

TestTlsClient::TestTlsClient(int port, const std::string& priorities)
    : socket_(TestClient::Tcp(port)) {
  gnutls_init(&session_, GNUTLS_CLIENT);
  gnutls_certificate_allocate_credentials(&credentials_);
  gnutls_credentials_set(session_, GNUTLS_CRD_CERTIFICATE, credentials_);
  if (gnutls_priority_set_direct(session_, priorities.c_str(), nullptr) != 0) {
    return;
  }
  gnutls_transport_set_int(session_, socket_.fd());
  int result = GNUTLS_E_AGAIN;
  while (result < 0 && gnutls_error_is_fatal(result) == 0) {
    result = gnutls_handshake(session_);
  }
  connected_ = result == 0;
  if (!connected_) return;
  unsigned int count = 0;
  const gnutls_datum_t* peers = gnutls_certificate_get_peers(session_, &count);
  gnutls_x509_crt_t certificate = nullptr;
  gnutls_x509_crt_init(&certificate);
  if (count > 0 && gnutls_x509_crt_import(certificate, &peers[0],
                                          GNUTLS_X509_FMT_DER) == 0) {
    char name[256];
    size_t size = sizeof(name);
    if (gnutls_x509_crt_get_dn(certificate, name, &size) == 0) {
      subject_.assign(name, size);
    }
  }
  gnutls_x509_crt_deinit(certificate);
}

TestTlsClient::~TestTlsClient() {
  gnutls_deinit(session_);
  gnutls_certificate_free_credentials(credentials_);
}

void TestTlsClient::Send(absl::string_view bytes) {
  gnutls_record_send(session_, bytes.data(), bytes.size());
}

std::string TestTlsClient::ReadUntil(absl::string_view marker) {
  std::string text;
  char buffer[4096];
  while (text.find(marker.data(), 0, marker.size()) == std::string::npos) {
    const ssize_t got = gnutls_record_recv(session_, buffer, sizeof(buffer));
    if (got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED) continue;
    if (got <= 0) break;
    text.append(buffer, static_cast<size_t>(got));
  }
  return text;
}

}  // namespace sluice::http
