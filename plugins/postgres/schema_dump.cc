#include "sluice/plugins/postgres/schema_dump.h"

#include <cstdio>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/payload_format.h"
#include "sluice/plugins/postgres/process.h"
#include "sluice/plugins/postgres/session_gateway.h"
#include "sluice/plugins/postgres/sql_error.h"

namespace sluice::postgres {

absl::StatusOr<SchemaDump> SchemaDump::Make(const ClientTools& tools,
                                            Connection& session,
                                            const Interrupt& interrupt,
                                            FileSystem* file_system,
                                            const std::string& scratch_folder) {
  SchemaDump made;
  {
    SLUICE_ASSIGN_OR_RETURN(
        const std::unique_ptr<SessionGateway> gateway,
        SessionGateway::Open(session, interrupt, scratch_folder));
    ProcessOptions dump = tools.Command("pg_dump", gateway->connection());
    for (const char* const argument :
         {"--format=custom", "--schema-only", "--no-password"}) {
      dump.arguments.push_back(argument);
    }
    absl::StatusOr<Member> archive =
        Spool(dump, interrupt, file_system, scratch_folder);
    // What the server said tells more than that pg_dump failed.
    const absl::Status said = gateway->Close();
    SLUICE_RETURN_IF_ERROR(interrupt.status());
    if (!archive.ok()) {
      SLUICE_RETURN_IF_ERROR(NameObject(said, "pg_dump"));
      return archive.status();
    }
    made.archive_ = *std::move(archive);
  }
  SLUICE_ASSIGN_OR_RETURN(made.sql_,
                          Spool({{absl::StrCat(tools.folder(), "/pg_restore"),
                                  "--file=-", made.archive_.file->path()},
                                 {},
                                 "",
                                 {made.archive_.file->descriptor()}},
                                interrupt, file_system, scratch_folder));
  return made;
}

absl::StatusOr<SchemaDump::Member> SchemaDump::Spool(
    const ProcessOptions& command, const Interrupt& interrupt,
    FileSystem* file_system, const std::string& scratch_folder) {
  Member member;
  SLUICE_ASSIGN_OR_RETURN(member.file,
                          SpoolFile::Create(file_system, scratch_folder));
  SLUICE_RETURN_IF_ERROR(
      RunProcess(command, interrupt, [&](absl::string_view bytes) {
        member.size += bytes.size();
        return member.file->Append(bytes);
      }));
  SLUICE_RETURN_IF_ERROR(member.file->Close());
  return member;
}

absl::Status SchemaDump::WriteTo(TarWriter& tar) const {
  SLUICE_RETURN_IF_ERROR(Write(kSchemaDumpName, archive_, tar));
  return Write(kSchemaSqlName, sql_, tar);
}

absl::Status SchemaDump::Write(absl::string_view name, const Member& member,
                               TarWriter& tar) {
  std::FILE* const file = std::fopen(member.file->path().c_str(), "re");
  if (file == nullptr) {
    return MakeError(
        absl::StatusCode::kUnavailable, kScratchUnavailable,
        absl::StrCat("read ", member.file->path(), ": it is gone"));
  }
  const absl::Cleanup close = [file] { std::fclose(file); };
  SLUICE_RETURN_IF_ERROR(tar.Begin(name, member.size));
  char buffer[64 << 10];
  uint64_t left = member.size;
  while (const size_t size = std::fread(buffer, 1, sizeof(buffer), file)) {
    SLUICE_RETURN_IF_ERROR(tar.Append(absl::string_view(buffer, size)));
    left -= size;
  }
  if (left != 0) {
    return MakeError(absl::StatusCode::kUnavailable, kScratchUnavailable,
                     absl::StrCat("read ", member.file->path(), ": ", left,
                                  " bytes are missing"));
  }
  return absl::OkStatus();
}

}  // namespace sluice::postgres
