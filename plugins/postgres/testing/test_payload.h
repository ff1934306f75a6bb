#ifndef SLUICE_PLUGINS_POSTGRES_TESTING_TEST_PAYLOAD_H_
#define SLUICE_PLUGINS_POSTGRES_TESTING_TEST_PAYLOAD_H_

// A payload of a database that nobody writes to, made in the plainest way: for
// tests of the restore, and as a second writer of the format.
//
//   TestPayload payload = MakeTestPayload(server, "db1", CopyFormat::kBinary);
//   payload.head.roles.push_back(...);
//   sdk::FakePayload stream(payload.Pack());

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "sluice/plugins/postgres/payload/payload_format.h"
#include "sluice/plugins/postgres/payload/payload_index.h"
#include "sluice/plugins/postgres/testing/test_server.h"

namespace sluice::postgres {

struct TestPayload {
  PayloadHead head;
  std::string schema_dump;
  // Parts of rows and of large objects, by name.
  std::vector<std::pair<std::string, std::string>> parts;
  PayloadIndex index;
  // In place of what is written for `head`, as a stranger may write it.
  std::string raw_head;

  // The whole tar.
  std::string Pack() const;
};

// Parts end with the row that reaches `part_bytes`.
TestPayload MakeTestPayload(TestServer& server, absl::string_view database,
                            CopyFormat format, size_t part_bytes = 1000);

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_TESTING_TEST_PAYLOAD_H_
