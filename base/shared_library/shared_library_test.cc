#include "sluice/base/shared_library/shared_library.h"

#include <string>

#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice {
namespace {

TEST(SharedLibraryTest, CallsWhatItFound) {
  const absl::StatusOr<SharedLibrary> zlib =
      SharedLibrary::Load("libz.so.1", "zlib1g");
  ASSERT_TRUE(zlib.ok()) << zlib.status();
  const char* (*version)() = nullptr;
  ASSERT_TRUE(zlib->Find("zlibVersion", version).ok());
  EXPECT_EQ(version()[0], '1');
}

TEST(SharedLibraryTest, SaysWhatToInstallWhereItIsMissing) {
  const absl::StatusOr<SharedLibrary> none =
      SharedLibrary::Load("libsluice-never.so.7", "the package never");
  EXPECT_EQ(ErrorCodeOf(none.status()), kLibraryMissing);
  EXPECT_NE(none.status().message().find("libsluice-never.so.7"),
            std::string::npos);
  EXPECT_EQ(HintOf(none.status()), "install the package never");
}

TEST(SharedLibraryTest, RefusesALibraryThatLacksAFunction) {
  const absl::StatusOr<SharedLibrary> zlib =
      SharedLibrary::Load("libz.so.1", "zlib1g");
  ASSERT_TRUE(zlib.ok()) << zlib.status();
  int (*future)() = nullptr;
  const absl::Status found = zlib->Find("zlib_of_the_future", future);
  EXPECT_EQ(ErrorCodeOf(found), kLibraryMissing);
  EXPECT_EQ(future, nullptr);
}

}  // namespace
}  // namespace sluice
