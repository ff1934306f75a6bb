#include "sluice/plugins/postgres/tools/schema_dump.h"

#include <cstdio>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/client/quote.h"
#include "sluice/plugins/postgres/client/sql_error.h"
#include "sluice/plugins/postgres/payload/payload_format.h"
#include "sluice/plugins/postgres/tools/process.h"
#include "sluice/plugins/postgres/tools/session_gateway.h"

namespace sluice::postgres {
namespace {

constexpr size_t kMaxWarnings = 100;
constexpr absl::string_view kUndefinedObject = "42704";

// What pg_dump says of its own accord and fails is that something was not there
// that it had just seen.
absl::Status PgDumpError(const absl::Status& status) {
  if (status.code() != absl::StatusCode::kUnknown ||
      ErrorCodeOf(status) != kSourceFailed) {
    return status;
  }
  return SqlError(kUndefinedObject, status.message());
}

// pg_dump prepares statements, and they outlive its transaction: in a session
// that is used again, and in a pooler's that others get.
absl::Status ForgetPrepared(Connection& session) {
  SLUICE_ASSIGN_OR_RETURN(
      const Result names,
      session.Exec("SELECT name FROM pg_catalog.pg_prepared_statements WHERE "
                   "from_sql"));
  for (int row = 0; row < names.rows(); ++row) {
    SLUICE_RETURN_IF_ERROR(
        session
            .Exec(absl::StrCat("DEALLOCATE ",
                               QuoteIdentifier(names.Text(row, 0))))
            .status());
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<std::string> WarningsIn(absl::string_view program,
                                    absl::string_view said) {
  std::vector<std::string> warnings;
  for (absl::string_view line : absl::StrSplit(said, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (line.empty()) continue;
    absl::ConsumePrefix(&line, absl::StrCat(program, ": "));
    absl::ConsumePrefix(&line, "warning: ");
    const bool goes_on =
        absl::StartsWith(line, "detail: ") || absl::StartsWith(line, "hint: ");
    if (goes_on && !warnings.empty()) {
      absl::StrAppend(&warnings.back(), "; ", line);
    } else if (warnings.size() < kMaxWarnings) {
      warnings.push_back(absl::StrCat(program, ": ", line));
    }
  }
  return warnings;
}

absl::StatusOr<SchemaDump> SchemaDump::Make(const ClientTools& tools,
                                            Connection& session,
                                            const Interrupt& interrupt,
                                            FileSystem* file_system,
                                            const std::string& scratch_folder) {
  SchemaDump made;
  // Of an attempt that failed, whose session is used again.
  SLUICE_RETURN_IF_ERROR(ForgetPrepared(session));
  {
    SLUICE_ASSIGN_OR_RETURN(
        const std::unique_ptr<SessionGateway> gateway,
        SessionGateway::Open(session, interrupt, scratch_folder));
    ProcessOptions dump = tools.Command("pg_dump", gateway->connection());
    for (const char* const argument :
         {"--format=custom", "--schema-only", "--no-password"}) {
      dump.arguments.push_back(argument);
    }
    // It speaks to our gateway alone, and in a language that we know.
    dump.inherit_libpq = false;
    dump.environment.emplace_back("LC_ALL", "C");
    std::string stderr_text;
    absl::StatusOr<Member> archive =
        Spool(dump, interrupt, file_system, scratch_folder, &stderr_text);
    // What the server said tells more than that pg_dump failed.
    const absl::Status said = gateway->Close();
    SLUICE_RETURN_IF_ERROR(interrupt.status());
    if (!archive.ok()) {
      SLUICE_RETURN_IF_ERROR(NameObject(said, "pg_dump"));
      return PgDumpError(archive.status());
    }
    made.archive_ = *std::move(archive);
    made.warnings_ = WarningsIn("pg_dump", stderr_text);
  }
  SLUICE_RETURN_IF_ERROR(ForgetPrepared(session));
  ProcessOptions restore;
  restore.arguments = {absl::StrCat(tools.folder(), "/pg_restore"), "--file=-",
                       made.archive_.file->path()};
  restore.files = {made.archive_.file->descriptor()};
  restore.inherit_libpq = false;
  SLUICE_ASSIGN_OR_RETURN(made.sql_,
                          Spool(restore, interrupt, file_system, scratch_folder,
                                /*said=*/nullptr));
  return made;
}

absl::StatusOr<SchemaDump::Member> SchemaDump::Spool(
    const ProcessOptions& command, const Interrupt& interrupt,
    FileSystem* file_system, const std::string& scratch_folder,
    std::string* said) {
  Member member;
  SLUICE_ASSIGN_OR_RETURN(member.file,
                          SpoolFile::Create(file_system, scratch_folder));
  SLUICE_RETURN_IF_ERROR(RunProcess(
      command, interrupt,
      [&](absl::string_view bytes) {
        member.size += bytes.size();
        return member.file->Append(bytes);
      },
      said));
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
