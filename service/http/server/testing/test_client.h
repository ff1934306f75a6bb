#ifndef SLUICE_SERVICE_HTTP_SERVER_TESTING_TEST_CLIENT_H_
#define SLUICE_SERVICE_HTTP_SERVER_TESTING_TEST_CLIENT_H_

// A client of HTTP/1.1 for tests, which sends just the bytes it is told.
//
//   TestClient client = TestClient::Tcp(server->port());
//   client.Send("GET / HTTP/1.1\r\nHost: localhost:" + ... + "\r\n\r\n");
//   EXPECT_EQ(client.Receive().status, 200);
//
// Blocks; a test that waits in vain for twenty seconds gets what there is.

#include <map>
#include <string>

#include "absl/strings/string_view.h"

namespace sluice::http {

struct TestReply {
  int status = 0;                              // 0: none came
  std::map<std::string, std::string> headers;  // by names in lower case
  std::string body;
};

class TestClient {
 public:
  static TestClient Tcp(int port, int receive_buffer = 0);
  static TestClient Unix(const std::string& path);
  TestClient(TestClient&& other) noexcept;
  TestClient(const TestClient&) = delete;
  ~TestClient();

  bool connected() const { return fd_ >= 0; }
  int fd() const { return fd_; }
  // False where the server closed meanwhile.
  bool Send(absl::string_view bytes);
  // One answer, headers and body; `to_head` has none.
  TestReply Receive(bool to_head = false);
  // Up to and with `marker`, or to the end.
  std::string ReadUntil(absl::string_view marker);
  // All that comes to the end of the connection.
  std::string ReadAll();
  // Whether it has ended, without waiting.
  bool HasEnded();
  void Close();

 private:
  explicit TestClient(int fd) : fd_(fd) {}
  bool Fill();

  int fd_;
  std::string read_;
};

}  // namespace sluice::http

#endif  // SLUICE_SERVICE_HTTP_SERVER_TESTING_TEST_CLIENT_H_
