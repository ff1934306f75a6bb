// completion, man, version.

#include <string>

#include "absl/strings/str_cat.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/version.h"
#include "sluice/cli/commands/help.h"
#include "sluice/cli/verbs/verbs.h"

namespace sluice::cli {

Outcome RunCompletionVerb(Session& session) {
  const std::string& shell = session.command().arguments.front();
  SLUICE_ASSIGN_OR_RETURN(const std::string script, CompletionScript(shell));
  if (session.console().json()) {
    session.console().ResultJson({{"shell", shell}, {"script", script}});
  } else {
    session.console().Result(script);
  }
  return {};
}

Outcome RunManVerb(Session& session) {
  if (session.console().json()) {
    session.console().ResultJson({{"page", ManPage()}});
  } else {
    session.console().Result(ManPage());
  }
  return {};
}

Outcome RunVersionVerb(Session& session) {
  if (session.console().json()) {
    session.console().ResultJson(
        {{"version", std::string(kVersion)},
         {"plugin_abi", absl::StrCat(SLUICE_ABI_MAJOR, ".", SLUICE_ABI_MINOR)},
         {"repo_format", kRepoFormatVersion}});
  } else {
    session.console().Result(absl::StrCat("sluice ", kVersion, "\n"));
  }
  return {};
}

}  // namespace sluice::cli
