#include "sluice/service/http/server/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/service/http/server/http_server.h"
#include "sluice/service/http/server/testing/server_fixture.h"
#include "sluice/service/http/server/testing/test_client.h"

namespace sluice::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A socket file whose server was killed.
void LeaveDeadSocket(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  ASSERT_EQ(
      bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
      0);
  ASSERT_EQ(listen(fd, 1), 0);
  close(fd);
}

bool Exists(const std::string& path) {
  struct stat found = {};
  return lstat(path.c_str(), &found) == 0;
}

// lxd#296, fcgiwrap PR#52.
TEST(ListenerTest, ASocketFileLeftByACrashIsReplaced) {
  const TestFolder folder;
  const std::string path = folder.File("s");
  LeaveDeadSocket(path);
  ASSERT_TRUE(Exists(path));
  const auto listener = Listener::OpenUnix(path, 0660);
  ASSERT_TRUE(listener.ok()) << listener.status();
  EXPECT_TRUE(TestClient::Unix(path).connected());
}

// katzenpost PR#1116, neovim PR#37378.
TEST(ListenerTest, ASocketThatSomebodyListensOnIsLeftAlone) {
  const TestFolder folder;
  const std::string path = folder.File("s");
  const auto first = Listener::OpenUnix(path, 0660);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(ErrorCodeOf(Listener::OpenUnix(path, 0660).status()),
            kListenFailed);
  // Also one that does not know of our lock.
  ASSERT_EQ(unlink((path + ".lock").c_str()), 0);
  const auto third = Listener::OpenUnix(path, 0660);
  EXPECT_THAT(std::string(third.status().message()), HasSubstr("another"));
  EXPECT_TRUE(TestClient::Unix(path).connected());
}

TEST(ListenerTest, WhatIsNoSocketIsNeverRemoved) {
  const TestFolder folder;
  const std::string path = folder.File("s");
  std::ofstream(path) << "precious";
  EXPECT_FALSE(Listener::OpenUnix(path, 0660).ok());
  std::string text;
  std::ifstream(path) >> text;
  EXPECT_EQ(text, "precious");
}

TEST(ListenerTest, TheSocketFileHasItsModeAndGoesWithTheServer) {
  const TestFolder folder;
  const std::string path = folder.File("s");
  {
    const auto listener = Listener::OpenUnix(path, 0660);
    ASSERT_TRUE(listener.ok());
    struct stat found = {};
    ASSERT_EQ(lstat(path.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 07777, 0660);
  }
  EXPECT_FALSE(Exists(path));
}

TEST(ListenerTest, AnothersSocketFileStaysWhenThisOneGoes) {
  const TestFolder folder;
  const std::string path = folder.File("s");
  {
    const auto listener = Listener::OpenUnix(path, 0660);
    ASSERT_TRUE(listener.ok());
    ASSERT_EQ(unlink(path.c_str()), 0);
    LeaveDeadSocket(path);
  }
  EXPECT_TRUE(Exists(path));
}

TEST(ListenerTest, APortInUseSaysSo) {
  const auto first = Listener::OpenTcp("127.0.0.1", 0);
  ASSERT_TRUE(first.ok());
  const auto second = Listener::OpenTcp("127.0.0.1", (*first)->port());
  EXPECT_EQ(ErrorCodeOf(second.status()), kListenFailed);
  EXPECT_THAT(HintOf(second.status()), HasSubstr("another server"));
}

TEST(ListenerTest, PathsAndAddressesThatAreNoneAreRefused) {
  for (const std::string& path :
       {std::string(), std::string("relative"), "/" + std::string(107, 'x')}) {
    EXPECT_EQ(ErrorCodeOf(Listener::OpenUnix(path, 0660).status()),
              kInvalidArgument);
  }
  for (const char* host : {"", "localhost.evil", "1.2.3", "[::1", "::g"}) {
    EXPECT_EQ(ErrorCodeOf(Listener::OpenTcp(host, 0).status()),
              kInvalidArgument)
        << host;
  }
  EXPECT_FALSE(Listener::OpenTcp("127.0.0.1", 65536).ok());
}

TEST(ListenerTest, IPv6IsSpokenWhereTheMachineHasIt) {
  const auto listener = Listener::OpenTcp("[::1]", 0);
  if (!listener.ok()) GTEST_SKIP() << listener.status();
  EXPECT_EQ((*listener)->address(), "[::1]");
  EXPECT_TRUE((*listener)->is_loopback());
}

TEST(ListenerTest, ASocketThatSystemdPassedIsServed) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(
      bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
      0);
  ASSERT_EQ(listen(fd, 8), 0);
  HttpServerOptions options;
  options.inherited = {fd};
  const auto server = MustStart(std::move(options), Hello());
  TestClient client = TestClient::Tcp(server->port());
  client.Send(Ask(*server, "GET /"));
  EXPECT_EQ(client.Receive().body, "hello");
}

TEST(ListenerTest, ADescriptorThatDoesNotListenIsRefused) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_FALSE(Listener::Adopt(fd).ok());  // and closed
  EXPECT_NE(close(fd), 0);
}

TEST(ListenerTest, InheritedSocketsAreTakenOnlyWhereTheyAreMeantForUs) {
  setenv("LISTEN_FDS", "2", 1);
  setenv("LISTEN_PID", absl::StrCat(getpid()).c_str(), 1);
  EXPECT_THAT(InheritedListeners(getpid()), ElementsAre(3, 4));
  setenv("LISTEN_PID", absl::StrCat(getpid() + 1).c_str(), 1);
  EXPECT_THAT(InheritedListeners(getpid()), IsEmpty());
  setenv("LISTEN_PID", absl::StrCat(getpid()).c_str(), 1);
  setenv("LISTEN_FDS", "99999", 1);
  EXPECT_THAT(InheritedListeners(getpid()), IsEmpty());
  unsetenv("LISTEN_FDS");
  unsetenv("LISTEN_PID");
  EXPECT_THAT(InheritedListeners(getpid()), IsEmpty());
}

}  // namespace
}  // namespace sluice::http
