#ifndef SLUICE_PLUGINS_POSTGRES_TOOLS_SCHEMA_DUMP_H_
#define SLUICE_PLUGINS_POSTGRES_TOOLS_SCHEMA_DUMP_H_

// The definitions of a database, as the real pg_dump writes them within a
// session of ours (session_gateway.h), under its snapshot and its locks:
// kSchemaDumpName for pg_restore, kSchemaSqlName for people.
//
//   SLUICE_ASSIGN_OR_RETURN(SchemaDump dump,
//                           SchemaDump::Make(tools, snapshot.leader(),
//                                            interrupt, file_system, scratch));
//   SLUICE_RETURN_IF_ERROR(dump.WriteTo(tar));
//
// Both lie in scratch files meanwhile, because a tar says sizes first; nothing
// of them is in memory. Errors: what the server said to pg_dump; what pg_dump
// said where an object that it was about was dropped meanwhile, as SQLSTATE
// 42704 (undefined object); those of process.h, scratch_unavailable. One
// thread.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/postgres/client/connection.h"
#include "sluice/plugins/postgres/client/interrupt.h"
#include "sluice/plugins/postgres/payload/spool_file.h"
#include "sluice/plugins/postgres/payload/tar_writer.h"
#include "sluice/plugins/postgres/tools/client_tools.h"

namespace sluice::postgres {

class SchemaDump {
 public:
  // Borrows `file_system`; uses `session` until it returns. `scratch_folder` as
  // for SpoolFile.
  static absl::StatusOr<SchemaDump> Make(const ClientTools& tools,
                                         Connection& session,
                                         const Interrupt& interrupt,
                                         FileSystem* file_system,
                                         const std::string& scratch_folder);

  absl::Status WriteTo(TarWriter& tar) const;

  uint64_t bytes() const { return archive_.size + sql_.size; }
  // What pg_dump had to say although it succeeded, a line each: something that
  // it leaves out. At most 100.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  struct Member {
    std::unique_ptr<SpoolFile> file;
    uint64_t size = 0;
  };

  SchemaDump() = default;
  static absl::StatusOr<Member> Spool(const ProcessOptions& command,
                                      const Interrupt& interrupt,
                                      FileSystem* file_system,
                                      const std::string& scratch_folder,
                                      std::string* said);
  static absl::Status Write(absl::string_view name, const Member& member,
                            TarWriter& tar);

  Member archive_;
  Member sql_;
  std::vector<std::string> warnings_;
};

// The lines of a program's stderr without its name; one that goes on with a
// detail or a hint is joined to the one before.
std::vector<std::string> WarningsIn(absl::string_view program,
                                    absl::string_view said);

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_TOOLS_SCHEMA_DUMP_H_
