#ifndef SLUICE_PLUGINS_POSTGRES_TOOLS_PROCESS_H_
#define SLUICE_PLUGINS_POSTGRES_TOOLS_PROCESS_H_

// Runs a program of PostgreSQL's (pg_dump, pg_restore, psql) to its end.
//
//   SLUICE_RETURN_IF_ERROR(RunProcess(
//       {.arguments = {"/usr/lib/postgresql/15/bin/pg_dump", "--version"}},
//       interrupt, [&](absl::string_view bytes) {
//         text.append(bytes.data(), bytes.size());
//         return absl::OkStatus();
//       }));
//
// stdin is empty. stdout is handed over as it comes, any size, in at most 64
// KiB held; a slow reader slows the program down. Of stderr the last 64 KiB are
// kept, for the error and for who wants to know what a program that succeeded
// had to say (`said`). When the interrupt says stop, or `on_output` fails, the
// program and what it started get SIGTERM, on which PostgreSQL's tools cancel
// their queries, and SIGKILL a while later; the call returns within a second.
//
// The program inherits of our environment what programs need to run (PATH,
// HOME, the locale, ...) and what libpq reads, but nothing else: what we were
// given for others, such as the secrets of a repo, is none of its business.
//
// Errors: source_unavailable where the program cannot be started, source_failed
// with the end of stderr, in one line, where it did not exit with 0. Blocks;
// any thread.

#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/postgres/client/interrupt.h"

namespace sluice::postgres {

struct ProcessOptions {
  // The program's absolute path, then its arguments. No secret: everyone on the
  // machine can read them.
  std::vector<std::string> arguments;
  // Set beside what is inherited, in place of it. Secrets go here.
  std::vector<std::pair<std::string, std::string>> environment;
  // Never shown, should the program's messages hold it. Empty: none.
  std::string secret;
  // Descriptors of ours that it gets, by the same numbers.
  std::vector<int> files = {};
  // Whether libpq's own variables (PG..., KRB5...) are inherited. Not for a
  // program that connects to nothing, or to a gateway of ours.
  bool inherit_libpq = true;
};

// `said`, where given, is set to the end of stderr without the secret, also
// where the program exited with 0.
absl::Status RunProcess(
    const ProcessOptions& options, const Interrupt& interrupt,
    absl::FunctionRef<absl::Status(absl::string_view)> on_output,
    std::string* said = nullptr);

// The same, and its stdout, of at most `max_bytes`.
absl::StatusOr<std::string> RunProcessForText(const ProcessOptions& options,
                                              const Interrupt& interrupt,
                                              size_t max_bytes = 1 << 20);

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_TOOLS_PROCESS_H_
