#ifndef SLUICE_PLUGINS_POSTGRES_TOOLS_CLIENT_TOOLS_H_
#define SLUICE_PLUGINS_POSTGRES_TOOLS_CLIENT_TOOLS_H_

// PostgreSQL's own programs, and how they are told where to connect.
//
//   SLUICE_ASSIGN_OR_RETURN(const ClientTools tools,
//                           ClientTools::Find("", connection.server_version(),
//                                             interrupt));
//   ProcessOptions dump = tools.Command("pg_dump", connection_options);
//   dump.arguments.push_back("--schema-only");

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/postgres/client/connection.h"
#include "sluice/plugins/postgres/client/interrupt.h"
#include "sluice/plugins/postgres/tools/process.h"

namespace sluice::postgres {

class ClientTools {
 public:
  // Those in `folder`; if that is empty, the newest that Debian keeps below
  // /usr/lib/postgresql, else those on the PATH. Runs pg_dump --version.
  // source_unavailable with a hint where there are none, or they are older than
  // a server of `server_version` (150018): an older pg_dump would leave out
  // what it has never heard of.
  static absl::StatusOr<ClientTools> Find(absl::string_view folder,
                                          int server_version,
                                          const Interrupt& interrupt);

  // `name` with --dbname=..., and the password in its environment. Where
  // .pgpass or a service file holds it, the program finds it as we did.
  ProcessOptions Command(absl::string_view name,
                         const ConnectionOptions& connection) const;

  // "15.18"
  const std::string& version() const { return version_; }
  const std::string& folder() const { return folder_; }

 private:
  ClientTools(std::string folder, std::string version);

  std::string folder_;
  std::string version_;
};

// libpq's keyword='value' form of the parameters, without the password.
std::string ConnInfo(const ConnectionOptions& connection);

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_TOOLS_CLIENT_TOOLS_H_
