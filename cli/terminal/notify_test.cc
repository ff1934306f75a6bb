#include "sluice/cli/terminal/notify.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace sluice::cli {
namespace {

// What a manager that listens at `name` has got.
class Manager {
 public:
  explicit Manager(const std::string& name) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, name.data(), name.size());
    if (name.front() == '@') address.sun_path[0] = '\0';
    descriptor_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    const auto length =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(bind(descriptor_, reinterpret_cast<sockaddr*>(&address), length),
              0);
  }
  ~Manager() { close(descriptor_); }

  std::string Next() const {
    char buffer[100];
    const ssize_t size = recv(descriptor_, buffer, sizeof(buffer), 0);
    return size < 0 ? "" : std::string(buffer, static_cast<size_t>(size));
  }

 private:
  int descriptor_ = -1;
};

TEST(NotifyTest, TellsAManagerAtAPathAndAtAName) {
  // Not below TempDir: the path of a socket is short.
  std::string folder = "/tmp/notify-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  for (const std::string& name :
       {folder + "/socket", absl::StrCat("@sluice-notify-", getpid())}) {
    const Manager manager(name);
    NotifyManager(name.c_str(), "READY=1");
    EXPECT_EQ(manager.Next(), "READY=1") << name;
  }
  unlink((folder + "/socket").c_str());
  rmdir(folder.c_str());
}

TEST(NotifyTest, WhereNobodyListensNothingHappens) {
  NotifyManager(nullptr, "READY=1");
  NotifyManager("", "READY=1");
  NotifyManager("relative", "READY=1");
  NotifyManager("/nowhere/socket", "READY=1");
  NotifyManager(std::string(200, '/').c_str(), "READY=1");
}

TEST(NotifyTest, AWatchdogIsFedTwiceAsOftenAsItAsks) {
  EXPECT_EQ(WatchdogInterval("30000000"), absl::Seconds(15));
  for (const char* none : {"0", "-1", "soon", ""}) {
    EXPECT_EQ(WatchdogInterval(none), absl::InfiniteDuration()) << none;
  }
  EXPECT_EQ(WatchdogInterval(nullptr), absl::InfiniteDuration());
}

}  // namespace
}  // namespace sluice::cli
