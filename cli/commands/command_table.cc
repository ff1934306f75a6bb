#include "sluice/cli/commands/command_table.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "sluice/cli/commands/service_table.h"

namespace sluice::cli {
namespace {

FlagSpec Repo() {
  return {"repo", "NAME|URI",
          "the repo: its name in the catalog, its URI, as local:/mnt/disk, or "
          "a folder's path",
          "", Completion::kRepo};
}

FlagSpec Store(absl::string_view help) { return {"store", "STORE-ID", help}; }

FlagSpec Plan(absl::string_view help) {
  FlagSpec flag = {"plan", "NAME", help, "", Completion::kPlan};
  flag.has_twin = false;  // no variable is to change what a list shows
  return flag;
}

FlagSpec Async() {
  return {"async", "",
          "leave it to a running `sluice serve`, and print the job's id; the "
          "repo must be one that the catalog knows"};
}

// What a list is narrowed to, or an edit changes.
FlagSpec Only(FlagSpec flag) {
  flag.has_twin = false;
  return flag;
}

FlagSpec Several(FlagSpec flag) {
  flag.repeated = true;
  flag.has_twin = false;
  return flag;
}

FlagSpec KeyRef() {
  FlagSpec flag = Several(
      {"key-ref", "REF",
       "where this machine finds the repo's keys, as file:/path, all of them "
       "anew; an empty one: nowhere"});
  flag.may_be_empty = true;
  return flag;
}

ArgumentSpec OptionalId() {
  return {"ID", "a backup's id, a unique beginning of it, or latest", false,
          false, Completion::kArchive};
}

std::vector<VerbSpec> Archives() {
  return {
      {"backup",
       "back up a store into a repo",
       "Streams one consistent snapshot of the store into a new archive, which "
       "is published whole or not at all. What earlier runs left behind in the "
       "repo is swept first.",
       {{"SOURCE", "the store's URI, as memory:?load=/usr/include", false}},
       {Repo(),
        {"init", "",
         "make a new repo there where there is none yet, nor ever was"},
        {"base", "ID",
         "an increment on this archive of the store, or on its latest; all of "
         "it where the store cannot build on that"},
        {"allow-empty", "", "an archive without any bytes is no failure"},
        {"verify", "",
         "read every stored byte back and compare it before the archive is "
         "published; costs a second reading, and says how long it took"},
        {"label", "TEXT", "what to call the archive; `list` shows it"},
        Store("the store's id, where the source has none of its own"),
        Plan("in place of SOURCE: run this plan now, as it is, into each of "
             "its repos or into the one of --repo; retention follows"),
        Async()},
       "backup 'memory:?load=/usr/include' --repo local:/mnt/disk --init"},
      {"restore",
       "restore a backup into an empty store",
       "Nothing becomes visible in the target before every byte was checked. "
       "The target must be empty, of the archive's kind, and not another "
       "store. Needs the repo alone: no catalog that knows it.",
       {OptionalId()},
       {Repo(),
        {"to", "SOURCE", "the empty store's URI, as memory:?save=/tmp/out"},
        Store("whose latest, where the repo holds several stores"),
        {"from-store", "STORE-ID",
         "restore this store's archive into a target with another id"},
        {"accept-mismatch", "",
         "restore although the result is not what the backup recorded of the "
         "store: deleted entries and old values may come back; for stores "
         "with the option accept_mismatch, as badger"},
        {"from-file", "FILE",
         "in place of an archive: what the store's own tool wrote, as `badger "
         "backup` does; only its format can tell that it is whole",
         "", Completion::kFile},
        {"kind", "KIND", "what the file of --from-file is, as badger"},
        {"allow-empty", "", "a file with nothing in it is no failure"},
        {"dry-run", "",
         "read the manifests and look at the target alone, and say what would "
         "be restored and what is in the way; the exit status is that of the "
         "restore, as far as it can be known"},
        Async()},
       "restore latest --repo nightly --to 'memory:?save=/tmp/out'"},
      {"verify",
       "read archives in full and check every byte",
       "Of an increment also those that it builds on. Damage found is "
       "recorded, and latest passes over the archive from then on. Exit status "
       "4 where there is any. Each archive is looked at, also after one that "
       "could not be read; with --all, a record whose archive is gone is named "
       "too.",
       {OptionalId()},
       {Repo(),
        {"all", "", "every archive of the repo"},
        Store("only this store's archives")},
       "verify --all --repo nightly"},
      {"list",
       "list a repo's archives, oldest first",
       "",
       {},
       {Repo(),
        Store("only this store's archives"),
        {"label", "TEXT", "only archives of this label"}},
       "list --repo nightly"},
      {"show",
       "show all that is known of one archive",
       "",
       {{"ID", "a backup's id, a unique beginning of it, or latest", true,
         false, Completion::kArchive}},
       {Repo(), Store("whose latest, where the repo holds several stores")},
       "show latest --repo nightly"},
      {"delete",
       "delete archives",
       "An archive that increments build on is not deleted without them.",
       {{"ID", "backup ids, or unique beginnings of four letters and more",
         true, true, Completion::kArchive}},
       {Repo(),
        {"with-increments", "", "those too that build on the named ones"},
        {"dry-run", "", "show what would go, and delete nothing"},
        {"yes", "", "do not ask; only a terminal is asked"}},
       "delete 01JD3Z --repo nightly"},
      {"reconcile",
       "compare catalog and repo, and repair what differs",
       "Without a flag only jobs whose process died are finished, and what "
       "differs is listed. An archive with a live writer is left alone.",
       {},
       {Repo(),
        {"adopt", "", "record archives that have no record, after verifying"},
        {"forget", "", "drop records whose archive is gone"},
        {"adopt-foreign", "CATALOG-ID",
         "adopt what this other catalog wrote, too; `sluice show` has its id"},
        {"adopt-all", "",
         "adopt whatever catalog wrote it: brings all back after the catalog "
         "was lost"}},
       "reconcile --repo nightly --adopt"},
      {"sweep",
       "remove what dead runs left behind in a repo",
       "Never touches an archive, nor what a live writer is still writing, nor "
       "a payload that has no manifest: that is an archive which lost it, or "
       "one that is being copied in.",
       {},
       {Repo(),
        {"take-lost", "",
         "remove payloads without a manifest too, once nothing below them is "
         "younger than an hour and no record knows them"}},
       "sweep --repo nightly"},
  };
}

std::vector<VerbSpec> Administration() {
  return {
      {"repo add",
       "register a repo in the catalog under a name",
       "Makes a new repo there where there is none; one that is there is used "
       "as it is.",
       {{"NAME", "lower case letters, digits, '.', '_' and '-'"},
        {"URI", "the place, as local:/mnt/disk, or a folder's path"}},
       {},
       "repo add nightly local:/mnt/disk"},
      {"repo list",
       "list the repos that the catalog knows",
       "",
       {},
       {},
       "repo list"},
      {"repo show",
       "show one repo",
       "",
       {{"NAME", "its name, id, or URI", true, false, Completion::kRepo}},
       {},
       "repo show nightly"},
      {"repo edit",
       "change what the catalog knows of a repo",
       "What is not named stays as it is. Place and kind cannot change: `repo "
       "move` records where a repo has gone. Options and keys are for archives "
       "that are made from now on; they are stored once the place, used that "
       "way, is found to be that very repo.",
       {{"NAME", "its name, or its whole id", true, false, Completion::kRepo}},
       {Only({"rename", "NEW-NAME",
              "lower case letters, digits, '.', '_' and '-'"}),
        Several({"option", "K=V",
                 "an option of the place's URI, as allow_unsynced=true; K= "
                 "takes one back"}),
        KeyRef()},
       "repo edit nightly --rename weekly"},
      {"repo remove",
       "forget a repo",
       "Only the catalog forgets it: its archives stay where they are, and "
       "`repo add` knows them again. With --purge-archives each of them is "
       "deleted first; one that is pinned or in use stays, and the repo with "
       "it, by exit status 18, until it is done again. What is not of this "
       "repo and catalog stays, and is told. While plans write to it, or jobs "
       "of it are not over, nothing is removed; while a purge waits or runs, "
       "no "
       "backup into it begins.",
       {{"NAME", "its name, or its whole id", true, false, Completion::kRepo}},
       {{"purge-archives", "", "delete its archives, then forget it"},
        {"yes", "", "do not ask; only a terminal is asked"},
        {"async", "",
         "leave the purge to a running `sluice serve`, and print the job's "
         "id"}},
       "repo remove nightly --purge-archives --yes"},
      {"repo rename",
       "give a repo another name",
       "",
       {{"NAME", "its name, or its whole id", true, false, Completion::kRepo},
        {"NEW-NAME", "lower case letters, digits, '.', '_' and '-'"}},
       {},
       "repo rename nightly weekly"},
      {"repo move",
       "record a repo's new location",
       "Moves nothing: for a disk that is mounted elsewhere now, or a repo "
       "that "
       "was copied. The place must hold that very repo.",
       {{"NAME", "its name, or its whole id", true, false, Completion::kRepo},
        {"URI", "where it is now, as local:/mnt/disk2"}},
       {},
       "repo move nightly local:/mnt/disk2"},
      {"repo repair",
       "write a lost or damaged sluice-repo.json anew",
       "The archives say which repo they are in. Nothing is changed where the "
       "repo is whole, where no archive vouches for it (is the disk mounted?), "
       "or where they are another repo's than the catalog says.",
       {{"NAME", "its name, id, or URI", true, false, Completion::kRepo}},
       {},
       "repo repair nightly"},
      {"job list",
       "list jobs, newest first",
       "",
       {},
       {{"limit", "COUNT", "at most this many", "50"},
        Only({"status", "STATUS",
              "only these: pending, running, succeeded, failed or "
              "interrupted"}),
        Only({"kind", "KIND", "only these: backup, restore, verify or prune"}),
        Only(
            {"repo", "NAME", "only those of this repo", "", Completion::kRepo}),
        Plan("only those of this plan")},
       "job list --status failed --limit 10"},
      {"job show",
       "show one job",
       "",
       {{"ID", "a job's id, a unique beginning of it, or latest", true, false,
         Completion::kJob}},
       {},
       "job show latest"},
      {"job wait",
       "follow a job to its end, and exit as it did",
       "The exit status is that of the run: 0 where it succeeded, 3 with "
       "warnings. Ctrl-C and --timeout end the waiting alone; the job goes on.",
       {{"ID", "a job's id, a unique beginning of it, or latest", true, false,
         Completion::kJob}},
       {},
       "job wait latest --timeout 2h"},
      {"job cancel",
       "cancel a job",
       "The process that runs it ends it as interrupted, within seconds; one "
       "that is pending ends at once.",
       {{"ID", "a job's id, a unique beginning of it, or latest", true, false,
         Completion::kJob}},
       {},
       "job cancel latest"},
      {"plugin list",
       "list the kinds of stores and places there are",
       "",
       {},
       {},
       "plugin list"},
      {"plugin info",
       "show what a kind can do and the options of its URI",
       "",
       {{"KIND", "as memory or local"}},
       {},
       "plugin info memory"},
      {"plugin run",
       "run a verb of a plugin's own",
       "`run` may be left out: `sluice plugin badger inspect /srv/db`. With "
       "--json the verb prints one object, or one a line, of 16 MiB at most. "
       "The plugin's README names its verbs; `sluice plugin KIND VERB --help` "
       "asks the plugin.",
       {{"KIND", "as badger"},
        {"VERB", "as inspect"},
        {"ARGUMENT", "the verb's own words", false, true, Completion::kFile}},
       {},
       "plugin badger inspect /srv/db"},
      {"plugin check",
       "test a plugin: load it, and run the executor with it",
       "For authors of plugins. The file goes through every check of the "
       "loader; with --source, --target and --archives the executor runs with "
       "the source; with --place every rule for places is tried. All that is "
       "named is written into: name nothing that is in use. Each check runs in "
       "a process of its own; one that crashes, exits or hangs has failed. "
       "Where a copy counts the same as its original but has other bytes, the "
       "restore is not shown to be right. Exit status 16 if a check fails, 3 "
       "if none does and something was not shown.",
       {{"FILE", "the shared object, sluice-ROLE-KIND.so", true, false,
         Completion::kFile}},
       {{"source", "URI", "a store of this plugin with something in it"},
        {"target", "URI",
         "an empty store to restore into; {} in it is a number, new for each"},
        {"archives", "FOLDER", "where the archives go: empty, or missing", "",
         Completion::kFile},
        {"restored", "URI",
         "reads what was restored into the target, with {} as there",
         "as --target"},
        {"empty-source", "URI", "a store with nothing in it"},
        {"warning-source", "URI", "a store that cannot be backed up in full"},
        {"place", "URI", "an empty place of this plugin"},
        {"check-timeout", "DURATION", "a check that takes longer has failed",
         "2m"}},
       "plugin check ./sluice-source-mine.so"},
  };
}

std::vector<VerbSpec> Rest() {
  return {
      {"demo",
       "see it work: back up a real folder, verify, restore, compare",
       "Keeps everything in a new folder below $TMPDIR and says where.",
       {},
       {{"folder", "FOLDER", "what to back up", "/usr/include",
         Completion::kFile}},
       "demo"},
      {"completion",
       "print the completion script of a shell",
       "",
       {{"SHELL", "bash, zsh or fish", true, false, Completion::kShell}},
       {},
       "completion bash > /etc/bash_completion.d/sluice"},
      {"man", "print the manual page, in troff", "", {}, {}, "man > sluice.1"},
      {"version", "print the version", "", {}, {}, "version"},
  };
}

std::vector<VerbSpec> MakeVerbs() {
  std::vector<VerbSpec> verbs = Archives();
  for (VerbSpec& verb : ServiceVerbs()) verbs.push_back(std::move(verb));
  for (VerbSpec& verb : Administration()) verbs.push_back(std::move(verb));
  for (VerbSpec& verb : Rest()) verbs.push_back(std::move(verb));
  return verbs;
}

}  // namespace

const std::vector<VerbSpec>& Verbs() {
  static const auto& verbs = *new std::vector<VerbSpec>(MakeVerbs());
  return verbs;
}

const std::vector<FlagSpec>& GlobalFlags() {
  static const auto& flags = *new std::vector<FlagSpec>{
      {"json", "", "the result as JSON: one object, or one a line for lists"},
      {"catalog", "sqlite:PATH", "the catalog of jobs and records",
       "sqlite:$XDG_STATE_HOME/sluice/catalog.db", Completion::kFile},
      {"server", "unix:PATH|https://HOST",
       "work through the `sluice serve` there, with the token's role, in place "
       "of a catalog of this machine"},
      {"token", "env:NAME|file:PATH",
       "where the token for --server is; SLUICE_TOKEN may be the token itself"},
      {"ca", "FILE",
       "PEM of the authority of the server's certificate, beside the system's",
       "", Completion::kFile},
      {"plugin-dir", "FOLDER", "where plugins are",
       "plugins/ beside the executable", Completion::kFile},
      {"plugin-pin", "FILE=SHA256,...",
       "load the plugin of this file name only if its content has this "
       "SHA-256"},
      {"log-format", "logfmt|json", "of the log lines on stderr", "logfmt",
       Completion::kLogFormat},
      {"no-progress", "", "no progress on stderr"},
      {"quiet", "",
       "nothing where all went well: no progress, no log lines, no words about "
       "what was done; lists, warnings and errors as ever"},
      {"timeout", "DURATION",
       "abort after this long, as 90s, 45m, 6h; the job ends as interrupted. "
       "With --server the waiting ends, and the job goes on",
       "no limit"},
      {"grace", "DURATION",
       "how long a run that is late or was interrupted may take to clean up; "
       "then it is killed, and its job ended as interrupted all the same",
       "10s"},
      {"help", "", "show the verb's help and exit"},
  };
  return flags;
}

const VerbSpec* FindVerb(absl::string_view path) {
  const auto& verbs = Verbs();
  const auto found =
      std::find_if(verbs.begin(), verbs.end(),
                   [&](const VerbSpec& verb) { return verb.path == path; });
  return found == verbs.end() ? nullptr : &*found;
}

std::string EnvironmentTwin(absl::string_view flag) {
  return absl::StrCat("SLUICE_", absl::AsciiStrToUpper(
                                     absl::StrReplaceAll(flag, {{"-", "_"}})));
}

std::string Usage(const VerbSpec& verb) {
  std::string usage = absl::StrCat("sluice ", verb.path);
  for (const ArgumentSpec& argument : verb.arguments) {
    const absl::string_view dots = argument.repeated ? "..." : "";
    if (argument.required) {
      absl::StrAppend(&usage, " ", argument.name, dots);
    } else {
      absl::StrAppend(&usage, " [", argument.name, dots, "]");
    }
  }
  for (const FlagSpec& flag : verb.flags) {
    const std::string value =
        flag.is_switch() ? "" : absl::StrCat(" ", flag.value);
    absl::StrAppend(&usage, " [--", flag.name, value, "]");
  }
  return usage;
}

}  // namespace sluice::cli
