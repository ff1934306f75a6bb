// export, import.

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/text.h"
#include "sluice/cli/verbs/asking.h"
#include "sluice/cli/verbs/verbs.h"
#include "sluice/service/settings/settings.h"

namespace sluice::cli {
namespace {

using service::ImportedObject;

absl::StatusOr<std::string> ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)),
                   std::istreambuf_iterator<char>());
  if (file.is_open() && !file.bad()) return text;
  return InvalidArgument(absl::StrCat(path, " cannot be read"),
                         "what `sluice export` printed");
}

void PrintImported(Console& console, const ImportedObject& object) {
  const std::string word(service::ImportWord(object.action));
  if (console.json()) {
    Json error = nullptr;
    if (!object.status.ok()) {
      error = ErrorJson(object.status, absl::nullopt)["error"];
    }
    console.ResultJson({{"kind", object.kind},
                        {"id", object.id},
                        {"name", object.name},
                        {"action", word},
                        {"error", error}});
  } else {
    console.Result(absl::StrCat(object.kind, " ", Printable(object.name), " ",
                                word, "\n"));
  }
  if (!object.status.ok()) {
    console.Error(
        Annotate(object.status, absl::StrCat(object.kind, " ", object.name)));
  }
}

}  // namespace

Outcome RunExportVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(const service::Settings settings,
                          service::ReadSettings(session.context(), *catalog));
  session.console().ResultJson(service::SettingsJson(settings));
  return {};
}

Outcome RunImportVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(const std::string text,
                          ReadAll(session.command().arguments.front()));
  SLUICE_ASSIGN_OR_RETURN(const service::Settings settings,
                          service::ParseSettings(text));
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  Outcome outcome;
  for (const ImportedObject& object : service::Import(
           session.context(), *catalog, settings, Clock::Real()->Now())) {
    PrintImported(session.console(), object);
    if (object.action == ImportedObject::Action::kKept) continue;
    NoteAudit(session, absl::StrCat("import ", object.kind), object.name,
              object.status);
    if (!object.status.ok()) outcome.code = ExitCode::kWarnings;
  }
  return outcome;
}

}  // namespace sluice::cli
