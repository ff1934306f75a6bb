// demo: what a stranger types first.

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/text.h"
#include "sluice/cli/verbs/folder_compare.h"
#include "sluice/cli/verbs/verbs.h"
#include "sluice/plugins/host/uri.h"

namespace sluice::cli {
namespace {

constexpr uint64_t kFilesWanted = 1000;

struct DemoPlan {
  std::string folder;  // what is backed up
  std::string work;    // everything that the demo makes
  std::string load;    // URIs
  std::string repo;
  std::string save;
  std::string restored;  // where the files come back
  std::string catalog;
};

std::string UriOf(const std::string& kind, const std::string& key,
                  const std::string& value) {
  Uri uri;
  uri.kind = kind;
  uri.options = {{key, value}};
  return FormatUri(uri);
}

absl::StatusOr<std::string> FolderFor(const Command& command) {
  if (command.Has("folder")) return command.Get("folder");
  for (const char* folder : {"/usr/include", "/usr/share", "/usr/lib"}) {
    if (HasFiles(folder, kFilesWanted)) return std::string(folder);
  }
  return WithHint(MakeError(absl::StatusCode::kNotFound, kSourceUnavailable,
                            "no folder with thousands of files was found"),
                  "--folder FOLDER");
}

absl::StatusOr<DemoPlan> MakePlan(Session& session) {
  DemoPlan plan;
  SLUICE_ASSIGN_OR_RETURN(plan.folder, FolderFor(session.command()));
  const char* base = session.environment()("TMPDIR");
  plan.work = absl::StrCat(base != nullptr && *base == '/' ? base : "/tmp",
                           "/sluice-demo-XXXXXX");
  if (mkdtemp(plan.work.data()) == nullptr) {
    return MakeError(
        absl::StatusCode::kUnavailable, kInternal,
        absl::StrCat("make folder ", plan.work, ": ", strerror(errno)));
  }
  plan.restored = absl::StrCat(plan.work, "/restored");
  plan.catalog = absl::StrCat("sqlite:", plan.work, "/catalog.db");
  plan.load = UriOf("memory", "load", plan.folder);
  plan.save = UriOf("memory", "save", plan.restored);
  plan.repo = UriOf("local", "path", absl::StrCat(plan.work, "/repo"));
  return plan;
}

// One verb as if it had been typed. What it prints is a part of the story.
class Story {
 public:
  Story(Session& session, const DemoPlan& plan)
      : session_(session),
        plan_(plan),
        console_(Options(session), Clock::Real()) {}

  absl::Status Run(Outcome (*verb)(Session&),
                   const std::vector<std::string>& words) {
    session_.console().Note("");
    session_.console().Note(
        absl::StrCat("$ sluice ", absl::StrJoin(words, " ", ShellWord)));
    std::vector<std::string> typed = words;
    typed.push_back(absl::StrCat("--catalog=", plan_.catalog));
    for (const char* flag : {"plugin-dir", "no-progress"}) {
      if (!session_.command().Has(flag)) continue;
      typed.push_back(
          absl::StrCat("--", flag,
                       absl::string_view(flag) == "plugin-dir"
                           ? absl::StrCat("=", session_.command().Get(flag))
                           : ""));
    }
    SLUICE_ASSIGN_OR_RETURN(
        const Command command,
        Parse(typed, [](const char* /*name*/) { return nullptr; }));
    Session step(command, session_.environment(), &console_, session_.context(),
                 session_.cancel());
    const Outcome outcome = verb(step);
    abandoned_ |= outcome.abandoned;
    SLUICE_RETURN_IF_ERROR(outcome.status);
    if (outcome.code == ExitCode::kDamage) {
      return MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                       "the demo's own archive is damaged");
    }
    return console_.Flush();
  }
  bool abandoned() const { return abandoned_; }

 private:
  static ConsoleOptions Options(Session& session) {
    ConsoleOptions options;
    options.terminal = session.console().terminal();
    options.logs = false;
    // stdout is the demo's own result.
    options.result_fd = STDERR_FILENO;
    return options;
  }
  static void ShellWord(std::string* out, const std::string& word) {
    const bool plain = word.find_first_of("?&*$'\" ") == std::string::npos;
    absl::StrAppend(out, plain ? "" : "'", word, plain ? "" : "'");
  }

  Session& session_;
  const DemoPlan& plan_;
  Console console_;
  bool abandoned_ = false;
};

absl::StatusOr<FolderComparison> CompareAll(Session& session,
                                            const DemoPlan& plan) {
  session.console().Note("");
  session.console().Note(absl::StrCat("comparing ", plan.folder, " with ",
                                      plan.restored, ", byte for byte"));
  SLUICE_ASSIGN_OR_RETURN(
      const FolderComparison compared,
      CompareFolders(session.context(), plan.folder, plan.restored));
  if (compared.differences.empty()) return compared;
  return WithHint(MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                            absl::StrCat(compared.differences.size(),
                                         " files are not as they were, first ",
                                         compared.differences.front())),
                  absl::StrCat("did ", plan.folder,
                               " change meanwhile? All is in ", plan.work));
}

void PrintEnd(Console& console, const DemoPlan& plan,
              const FolderComparison& compared) {
  if (console.json()) {
    console.ResultJson({{"folder", plan.folder},
                        {"files", compared.files},
                        {"bytes", compared.bytes},
                        {"identical", true},
                        {"repo", plan.repo},
                        {"restored", plan.restored},
                        {"catalog", plan.catalog}});
    return;
  }
  console.Result(absl::StrCat(
      "\n", compared.files, " files, ", SizeText(compared.bytes),
      ": all came back, byte for byte.\n\n  the repo      ",
      Printable(plan.repo), "\n  brought back  ", Printable(plan.restored),
      "\n  the catalog   ", Printable(plan.catalog),
      "\n\nLook around, then remove it: rm -r ", Printable(plan.work),
      "\nNext: sluice --help\n"));
}

absl::Status Tell(Session& session, const DemoPlan& plan, Story& story) {
  const std::vector<std::string> repo = {"--repo", plan.repo};
  const auto with_repo = [&](std::vector<std::string> words) {
    words.insert(words.end(), repo.begin(), repo.end());
    return words;
  };
  SLUICE_RETURN_IF_ERROR(
      story.Run(RunBackupVerb, with_repo({"backup", plan.load, "--init"})));
  SLUICE_RETURN_IF_ERROR(
      story.Run(RunVerifyVerb, with_repo({"verify", "latest"})));
  SLUICE_RETURN_IF_ERROR(story.Run(
      RunRestoreVerb, with_repo({"restore", "latest", "--to", plan.save})));
  SLUICE_ASSIGN_OR_RETURN(const FolderComparison compared,
                          CompareAll(session, plan));
  PrintEnd(session.console(), plan, compared);
  return absl::OkStatus();
}

}  // namespace

Outcome RunDemoVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(const DemoPlan plan, MakePlan(session));
  session.console().Note(absl::StrCat(
      "Each regular file below ", plan.folder,
      " is a key of a store in memory. All is kept in ", plan.work));
  Story story(session, plan);
  Outcome outcome = Tell(session, plan, story);
  outcome.abandoned = story.abandoned();
  return outcome;
}

}  // namespace sluice::cli
