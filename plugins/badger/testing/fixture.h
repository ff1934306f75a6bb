#ifndef SLUICE_PLUGINS_BADGER_TESTING_FIXTURE_H_
#define SLUICE_PLUGINS_BADGER_TESTING_FIXTURE_H_

// The directories of testdata/, unpacked, and what Badger itself lists of them.
// For tests.
//
//   Fixture fixture("v4-gc");
//   EXPECT_EQ(List(fixture.Options())->live, fixture.Expected().live);

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/badger/image/image.h"

namespace sluice {
namespace badger {

// Their names, all 14.
std::vector<std::string> FixtureNames();

// One line a version: key in hex, version, SHA-256 and length of the value,
// user meta, expiry, meta.
using Listing = std::vector<std::string>;

struct Listings {
  Listing live;  // of each key the newest, unless it is deleted or has expired
  Listing versions;  // all that are stored
  // Versions that are not live and whose value is gone, each a line "dangling".
  size_t dangling = 0;
};

// Of a file of JSON lines such as expected.jsonl.
Listing ReadListing(const std::string& path);

// The name of a fixture as that of a test.
inline std::string FixtureTestName(
    const ::testing::TestParamInfo<std::string>& fixture) {
  std::string name = fixture.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

class Fixture {
 public:
  // Unpacks it into a folder of its own, removed at the end.
  explicit Fixture(const std::string& name);
  ~Fixture();
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

  const std::string& name() const { return name_; }
  std::string folder() const { return root_ + "/" + name_ + "/db"; }
  ImageOptions Options() const;
  // What Badger lists.
  Listings Expected() const;

 private:
  std::string name_;
  std::string root_;
};

// What an image holds. A value that cannot be read is an error, unless it is no
// live one and no longer there.
absl::StatusOr<Listings> List(const ImageOptions& options);
absl::StatusOr<Listings> List(FileSystem& file_system,
                              const ImageOptions& options);

// The whole of a file.
std::string ReadBytes(const std::string& path);
// `bytes` become all that it holds.
void WriteBytes(const std::string& path, const std::string& bytes);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_TESTING_FIXTURE_H_
