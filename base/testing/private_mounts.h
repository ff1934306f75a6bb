#ifndef SLUICE_BASE_TESTING_PRIVATE_MOUNTS_H_
#define SLUICE_BASE_TESTING_PRIVATE_MOUNTS_H_

// Small real file systems for tests: full ones, read-only ones.
//
//   const std::string why_not = EnterPrivateMounts();
//   if (!why_not.empty() && MountsAreExcused()) GTEST_SKIP() << why_not;
//   ASSERT_EQ(why_not, "");
//   mount("none", folder, "tmpfs", 0, "size=8m");
//
// Needs root, or user namespaces. Where neither is to be had a test fails,
// unless SLUICE_TEST_NO_MOUNTS=1 says that this machine cannot.

#include <string>

namespace sluice {

// A mount namespace of this process, so that every mount ends with it; without
// root within a user namespace, where we stay who we are. Call once, before any
// thread starts. Returns why it could not be done, "" if it was.
std::string EnterPrivateMounts();

bool MountsAreExcused();

}  // namespace sluice

#endif  // SLUICE_BASE_TESTING_PRIVATE_MOUNTS_H_
