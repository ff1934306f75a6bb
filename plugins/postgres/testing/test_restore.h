#ifndef SLUICE_PLUGINS_POSTGRES_TESTING_TEST_RESTORE_H_
#define SLUICE_PLUGINS_POSTGRES_TESTING_TEST_RESTORE_H_

// A restore in one line, for tests.
//
//   const RestoreOutcome outcome = RestoreInto(Into(server, "db2"), payload);
//   ASSERT_TRUE(outcome.status.ok()) << outcome.status;

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/postgres/restore/restore.h"
#include "sluice/plugins/postgres/restore/restore_options.h"
#include "sluice/plugins/postgres/testing/test_server.h"
#include "sluice/plugins/sdk/run.h"
#include "sluice/plugins/sdk/testing/fake_sink.h"

namespace sluice::postgres {

inline RestoreOptions Into(const TestServer& server,
                           absl::string_view database) {
  RestoreOptions options;
  options.target = server.Options(database);
  options.jobs = 1;
  return options;
}

struct RestoreOutcome {
  absl::Status status;
  std::vector<std::string> warnings;  // "word: message"

  // The one that begins so, or nothing.
  std::string Warning(absl::string_view word) const {
    const auto found = std::find_if(warnings.begin(), warnings.end(),
                                    [&](const std::string& warning) {
                                      return absl::StartsWith(warning, word);
                                    });
    return found == warnings.end() ? "" : *found;
  }
};

inline RestoreOutcome RestoreInto(const RestoreOptions& options,
                                  const std::string& payload,
                                  const sdk::Run& run = sdk::Run()) {
  sdk::FakePayload stream(payload, 10'007);
  sdk::FakeRestoreRequest request({&stream}, "store-7");
  RestoreOutcome outcome;
  outcome.status = RestoreDatabase(run, request, options);
  outcome.warnings = request.warnings;
  return outcome;
}

// Databases that restores have left.
inline std::string LeftoversOn(TestServer& server) {
  return server.Query("template1",
                      "SELECT coalesce(string_agg(datname, ' '), '') FROM"
                      " pg_database WHERE datname LIKE 'sluice%'");
}

// pg_dump's lines in order, but for the token that is new each time.
inline std::vector<std::string> SortedDump(TestServer& server,
                                           const std::string& database) {
  std::vector<std::string> lines =
      absl::StrSplit(server.Tool("pg_dump", database, {"--blobs"}), '\n');
  std::erase_if(lines, [](const std::string& line) {
    return absl::StrContains(line, "restrict ");
  });
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_TESTING_TEST_RESTORE_H_
