#include "sluice/service/http/server/testing/test_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace sluice::http {
namespace {

void SetTimeout(int fd) {
  const timeval patience = {20, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

}  // namespace

TestClient TestClient::Tcp(int port, int receive_buffer) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  SetTimeout(fd);
  if (receive_buffer > 0) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer,
               sizeof(receive_buffer));
  }
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  TestClient client(fd);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) != 0) {
    client.Close();
  }
  return client;
}

TestClient TestClient::Unix(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  SetTimeout(fd);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  TestClient client(fd);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) != 0) {
    client.Close();
  }
  return client;
}

TestClient::TestClient(TestClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), read_(std::move(other.read_)) {}

TestClient::~TestClient() { Close(); }

void TestClient::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

bool TestClient::Send(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool TestClient::Fill() {
  char buffer[65536];
  const ssize_t got = recv(fd_, buffer, sizeof(buffer), 0);
  if (got <= 0) return false;
  read_.append(buffer, static_cast<size_t>(got));
  return true;
}

std::string TestClient::ReadUntil(absl::string_view marker) {
  size_t at = read_.find(marker.data(), 0, marker.size());
  while (at == std::string::npos) {
    if (!Fill()) return std::exchange(read_, "");
    at = read_.find(marker.data(), 0, marker.size());
  }
  std::string text = read_.substr(0, at + marker.size());
  read_.erase(0, at + marker.size());
  return text;
}

std::string TestClient::ReadAll() {
  while (Fill()) {
  }
  return std::exchange(read_, "");
}

bool TestClient::HasEnded() {
  char byte;
  const ssize_t got = recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

TestReply TestClient::Receive(bool to_head) {
  TestReply reply;
  const std::string head = ReadUntil("\r\n\r\n");
  const auto lines = absl::StrSplit(head, "\r\n");
  for (const absl::string_view line : lines) {
    const size_t colon = line.find(": ");
    if (reply.status == 0 && line.size() > 12) {
      reply.status = std::atoi(std::string(line.substr(9, 3)).c_str());
    } else if (colon != absl::string_view::npos) {
      reply.headers[absl::AsciiStrToLower(line.substr(0, colon))] =
          std::string(line.substr(colon + 2));
    }
  }
  if (to_head || reply.status < 200 || reply.status == 204) return reply;
  if (reply.headers.count("transfer-encoding") > 0) {
    while (true) {
      const std::string size = ReadUntil("\r\n");
      const size_t bytes = std::strtoul(size.c_str(), nullptr, 16);
      while (read_.size() < bytes + 2) {
        if (!Fill()) return reply;
      }
      reply.body += read_.substr(0, bytes);
      read_.erase(0, bytes + 2);
      if (bytes == 0) return reply;
    }
  }
  const size_t bytes =
      std::strtoul(reply.headers["content-length"].c_str(), nullptr, 10);
  while (read_.size() < bytes && Fill()) {
  }
  reply.body = read_.substr(0, bytes);
  read_.erase(0, bytes);
  return reply;
}

}  // namespace sluice::http
