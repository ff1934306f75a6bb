#include "sluice/cli/commands/service_table.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "sluice/service/plan/plan_fields.h"

namespace sluice::cli {
namespace {

// The flag's fallback and completion, then what is rare.
FlagSpec Repeated(FlagSpec flag) {
  flag.repeated = true;
  flag.has_twin = false;
  return flag;
}

FlagSpec WithoutTwin(FlagSpec flag) {
  flag.has_twin = false;
  return flag;
}

ArgumentSpec PlanName() {
  return {"NAME", "the plan's name, or its id", true, false, Completion::kPlan};
}

FlagSpec OfPlan(absl::string_view help) {
  return WithoutTwin({"plan", "NAME", help, "", Completion::kPlan});
}

FlagSpec OfRepo(absl::string_view help) {
  return WithoutTwin({"repo", "NAME", help, "", Completion::kRepo});
}

// What a plan is made of. No variable says any of it: one that was set for
// another purpose must not change what is backed up.
std::vector<FlagSpec> PlanFlags() {
  std::vector<FlagSpec> flags = {
      WithoutTwin({"source", "URI",
                   "the store's URI, as memory:?load=/srv/data; secrets by "
                   "reference"}),
      Repeated({"repo", "NAME",
                "a repo of the catalog that it writes to; several get runs of "
                "their own",
                "", Completion::kRepo})};
  for (const service::PlanField& field : service::PlanFields()) {
    FlagSpec flag =
        WithoutTwin({PlanFlagName(field.name), field.value, field.help});
    flag.may_be_off = field.kind == service::PlanFieldKind::kFlag;
    flag.may_be_empty = !flag.may_be_off;
    flags.push_back(flag);
  }
  flags.push_back(
      Repeated({"label", "K=V", "a label of the plan; K= takes one back"}));
  flags.push_back({"no-check", "", "do not try whether the source opens"});
  return flags;
}

std::vector<FlagSpec> EditFlags() {
  std::vector<FlagSpec> flags = PlanFlags();
  flags.push_back(WithoutTwin({"rename", "NAME", "its new name"}));
  return flags;
}

std::vector<VerbSpec> PlanVerbs() {
  return {
      {"plan add",
       "make a plan: what is backed up, where to, when, kept how long",
       "A `sluice serve` runs it when it is due; `sluice plan run` runs it "
       "now. It never runs at once because it was made. Without a schedule it "
       "runs on demand alone, without a keep rule every archive stays. Words "
       "for times: 90m, 12h, 30d.",
       {{"NAME", "lower case letters, digits, '.', '_' and '-'"}},
       PlanFlags(),
       "plan add nightly --source memory:?load=/srv --repo disk --every 12h"},
      {"plan edit",
       "change a plan",
       "What is not named stays as it is; an empty value takes back what was "
       "said. --repo names all of its repos anew. Due times stay where the "
       "schedule does.",
       {PlanName()},
       EditFlags(),
       "plan edit nightly --keep-daily 14 --cron="},
      {"plan apply",
       "make and change plans until they are as a file says",
       "JSON: what `sluice export` prints, or a list of plans with name, "
       "source, repos (names or ids) and what else `plan add` takes, in "
       "snake_case. What is not said of a plan is as if it were new, but for "
       "paused; a name that no plan has is refused. Plans that are not in the "
       "file stay. The second time nothing changes.",
       {{"FILE", "the plans", true, false, Completion::kFile}},
       {{"dry-run", "", "say what would change, and change nothing"},
        {"no-check", "", "do not try whether the sources open"}},
       "plan apply plans.json --dry-run"},
      {"plan list", "list the plans", "", {}, {}, "plan list"},
      {"plan show",
       "show all of a plan, and what became of its last times",
       "",
       {PlanName()},
       {},
       "plan show nightly"},
      {"plan pause",
       "let a plan be due no more, until it is resumed",
       "Runs that are under way go on.",
       {PlanName()},
       {},
       "plan pause nightly"},
      {"plan resume",
       "let a paused plan be due again, from its next time on",
       "",
       {PlanName()},
       {},
       "plan resume nightly"},
      {"plan remove",
       "forget a plan",
       "Its archives stay where they are, and no rule removes them any more. "
       "Its pending jobs end.",
       {PlanName()},
       {{"yes", "", "do not ask; only a terminal is asked"}},
       "plan remove nightly --yes"},
      {"plan run",
       "run a plan now, into each of its repos",
       "As `sluice backup --plan`. With --async a running `sluice serve` does "
       "it, and the ids of the jobs are printed, one a line.",
       {PlanName()},
       {OfRepo("only into this one of its repos"),
        {"async", "", "leave it to `sluice serve`, and print the job's id"}},
       "plan run nightly --async"},
      {"plan next",
       "show when a plan is due next",
       "In the plan's zone, in this machine's, and in UTC, with what a change "
       "of the clock does to it.",
       {PlanName()},
       {{"count", "COUNT", "so many times", "5"}},
       "plan next nightly --count 10"},
  };
}

std::vector<VerbSpec> ArchiveVerbs() {
  const ArgumentSpec id = {"ID",
                           "a backup's id, a unique beginning of it, or latest",
                           true, false, Completion::kArchive};
  const FlagSpec repo = {
      "repo", "NAME|URI",
      "the repo that it is in; not needed for an id that the catalog knows", "",
      Completion::kRepo};
  return {
      {"prune",
       "remove the archives that no rule of their plan wants",
       "Prints each archive with keep or remove, and why. Archives that were "
       "made by hand or adopted go by their ids alone. Of named ones none goes "
       "if one is held: by being the newest, the newest verified, pinned, the "
       "base of one that stays, or in use. --override lifts one such floor. "
       "Exit status 3 where removal is suspended, 18 where a named one is "
       "held.",
       {{"ID", "archives to remove, whatever the rules say", false, true,
         Completion::kArchive}},
       {OfPlan("only the archives of this plan"),
        {"repo", "NAME|URI", "only this repo; needed where archives are named",
         "", Completion::kRepo},
        {"dry-run", "", "say what would go, and remove nothing"},
        Repeated({"override", "FLOOR",
                  "newest, newest_verified, pinned, base or in_use: it holds "
                  "no named archive"}),
        WithoutTwin({"accept-adopted", "",
                     "remove also what came back from a repo after a catalog "
                     "was lost; until then its rules only print"}),
        {"yes", "", "do not ask; only a terminal is asked"}},
       "prune --plan nightly --dry-run"},
      {"pin",
       "keep an archive, whatever the rules say",
       "",
       {id},
       {repo,
        WithoutTwin({"until", "DATE|SPAN",
                     "as 2027-01-31, 2027-01-31T12:00:00Z or 90d; for ever "
                     "where it is not said"}),
        WithoutTwin({"reason", "TEXT", "why; `show` and `prune` tell it"})},
       "pin 01JD3Z --until 90d --reason audit"},
      {"unpin",
       "leave a pinned archive to the rules again",
       "",
       {id},
       {repo},
       "unpin 01JD3Z"},
  };
}

std::vector<VerbSpec> AdminVerbs() {
  return {
      {"serve",
       "run plans when they are due, and jobs that are asked for; the API",
       "Runs until SIGTERM or Ctrl-C: then it begins nothing more, lets "
       "running jobs end for as long as --drain says, and ends the others as "
       "interrupted, to be tried again. A second signal ends it at once. "
       "--timeout does not concern it. Tells systemd that it is ready "
       "(Type=notify, NotifyAccess=all), and takes sockets from it. SIGHUP "
       "reads the configuration and the certificate anew, unless it runs in a "
       "terminal. Off loopback it listens only with TLS. A catalog on which "
       "another machine worked is waited at, and nothing is done, until "
       "--take-over; what the machine is called stands in /etc/machine-id, or "
       "in SLUICE_MACHINE_ID.",
       {},
       {{"listen", "HOST:PORT|none",
         "where the API is reached by TCP; a numeric address",
         "127.0.0.1:8470"},
        {"socket", "PATH|none",
         "its unix socket; without it api.sock in $RUNTIME_DIRECTORY, or "
         "beside the catalog",
         "", Completion::kFile},
        {"tls-cert", "FILE", "its certificate, PEM", "", Completion::kFile},
        {"tls-key", "FILE", "and the key of that", "", Completion::kFile},
        {"config", "FILE",
         "what the API may name, and all of these; JSON, writable by root or "
         "this user alone. /etc/sluice/server.json where there is one",
         "", Completion::kFile},
        {"workers", "N", "jobs at the same time", "2"},
        {"drain", "SPAN|wait",
         "how long running jobs may take once it is to stop", "30s"},
        WithoutTwin({"take-over", "",
                     "the catalog is this machine's from now on: the one that "
                     "worked on it before is gone for good"})},
       "serve --workers 4"},
      {"token create",
       "make a token for the API, and print it, once",
       "The catalog keeps its hash alone: a lost one is revoked, and another "
       "made.",
       {},
       {WithoutTwin({"role", "ROLE",
                     "metrics, viewer, operator or admin; each may what those "
                     "before it may"}),
        OfPlan("only what concerns this plan"),
        WithoutTwin({"expires", "SPAN", "it is valid so long", "for ever"}),
        WithoutTwin({"label", "TEXT", "what it is for"})},
       "token create --role viewer --expires 90d --label dashboard"},
      {"token list", "list the tokens", "", {}, {}, "token list"},
      {"token revoke",
       "let a token be valid no more",
       "",
       {{"ID", "its id, or a unique beginning of it"}},
       {},
       "token revoke 01JD3Z"},
      {"notify list",
       "list the notifications that wait or were given up",
       "What was delivered is not among them. One is tried for a day, and "
       "kept for 30 days then.",
       {},
       {},
       "notify list"},
      {"notify retry",
       "try a notification again, as if it were new",
       "",
       {{"ID", "its number in the list"}},
       {},
       "notify retry 7"},
      {"notify test",
       "send a test message, and tell what became of it",
       "From here, as the service would: with the caller's environment and "
       "rights.",
       {{"NAME", "of an entry under notifications in the configuration"}},
       {WithoutTwin({"config", "FILE", "the service's configuration",
                     "/etc/sluice/server.json", Completion::kFile})},
       "notify test ops"},
      {"export",
       "print plans, repos and pins as JSON",
       "What no repo's archives can bring back. Holds no secret: tokens are "
       "not in it, keys and passwords are references.",
       {},
       {},
       "export > settings.json"},
      {"import",
       "bring plans, repos and pins back",
       "From what export printed, or from what the catalogs that wrote to a "
       "repo keep there. What is there already stays as it is, so that it may "
       "be done again. Names what it does not know, and takes nothing then. "
       "Pins need their archives' records: `sluice reconcile --adopt-all` "
       "first, and import again. From a repo plans come back paused, those "
       "that would run a command not at all, and their rules remove nothing "
       "until `sluice prune --accept-adopted`.",
       {{"FILE", "what export printed", false, false, Completion::kFile}},
       {WithoutTwin({"from-repo", "NAME|URI",
                     "what stands in this repo, instead of a file", "",
                     Completion::kRepo})},
       "import settings.json"},
  };
}

}  // namespace

absl::string_view PlanFlagName(absl::string_view field) {
  static const auto& names = *[] {
    auto* made = new std::map<std::string, std::string, std::less<>>;
    for (const service::PlanField& known : service::PlanFields()) {
      const std::string name(known.name);
      (*made)[name] = name == "timeout"
                          ? "run-timeout"
                          : absl::StrReplaceAll(name, {{"_", "-"}});
    }
    return made;
  }();
  const auto found = names.find(std::string(field));
  return found == names.end() ? "" : absl::string_view(found->second);
}

std::vector<VerbSpec> ServiceVerbs() {
  std::vector<VerbSpec> verbs = PlanVerbs();
  for (VerbSpec& verb : ArchiveVerbs()) verbs.push_back(std::move(verb));
  for (VerbSpec& verb : AdminVerbs()) verbs.push_back(std::move(verb));
  return verbs;
}

}  // namespace sluice::cli
