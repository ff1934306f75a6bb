#include "sluice/cli/remote/remote.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "sluice/base/error.h"
#include "sluice/base/mutex.h"
#include "sluice/cli/commands/command_table.h"
#include "sluice/cli/remote/remote_verbs.h"
#include "sluice/cli/terminal/exit_code.h"
#include "sluice/cli/verbs/verbs.h"
#include "sluice/service/admin/tokens.h"
#include "sluice/service/engine/service.h"
#include "sluice/service/http/api/api_server.h"
#include "sluice/service/http/message/response.h"
#include "sluice/service/http/message/response_stream.h"
#include "sluice/service/http/server/testing/server_fixture.h"
#include "sluice/service/testing/test_house.h"

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;
using Words = std::vector<std::string>;

struct Ran {
  Outcome outcome;
  std::string printed;
};

nlohmann::json Parsed(const std::string& text) {
  return nlohmann::json::parse(text, nullptr, false);
}

Environment Variables(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
}

Command MustParse(const Words& words, const Environment& environment) {
  auto command = Parse(words, environment);
  EXPECT_TRUE(command.ok()) << command.status();
  return command.ok() ? *command : Command();
}

ConsoleOptions Quiet(const Command& command, std::string& printed) {
  ConsoleOptions options;
  options.json = command.Has("json");
  options.logs = false;
  options.note_fd = -1;
  options.result_sink = [&printed](absl::string_view bytes) {
    printed.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  };
  return options;
}

Ran RunThrough(Words words, const std::string& server,
               absl::Duration timeout = absl::InfiniteDuration(),
               absl::Duration lost_patience = absl::Seconds(1)) {
  words.insert(words.end(), {"--server", server, "--no-progress"});
  const Command command = MustParse(words, Variables({}));
  Ran ran;
  Console console(Quiet(command, ran.printed), Clock::Real());
  const auto remote = WorksThroughServer(command);
  if (!remote.ok()) {
    ran.outcome = remote.status();
    return ran;
  }
  EXPECT_TRUE(*remote);
  const auto api = OpenServer(command);
  EXPECT_TRUE(api.ok()) << api.status();
  const auto attention = Attention::Start(Clock::Real(), timeout);
  EXPECT_TRUE(attention.ok()) << attention.status();
  Session session(command, Variables({}), &console, Context::Background(),
                  [](const absl::Status&) {});
  Remote through{session, *api, **attention, lost_patience,
                 absl::Milliseconds(100)};
  ran.outcome = RunRemoteVerb(through);
  EXPECT_TRUE(console.Flush().ok());
  return ran;
}

// A house with the API on a socket, and a service that does what is asked.
class RemoteTest : public ::testing::Test {
 protected:
  RemoteTest() {
    service::ServiceOptions work;
    work.poll = absl::Milliseconds(5);
    work.runner.owner = "test/1";
    auto started =
        service::Service::Start(&house_.catalog(), &house_.host(), work);
    EXPECT_TRUE(started.ok()) << started.status();
    service_ = *std::move(started);
    service::ApiServerOptions options;
    options.http.unix_path = socket_folder_.File("api.sock");
    options.api.poll = absl::Milliseconds(5);
    auto server = service::ApiServer::Start(&house_.catalog(), &house_.host(),
                                            nullptr, options);
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  Ran Run(const Words& words) {
    return RunThrough(words, "unix:" + socket_folder_.File("api.sock"));
  }

  // The same verb on the catalog itself.
  Ran RunHere(Words words, Outcome (*verb)(Session&)) {
    words.insert(words.end(),
                 {"--catalog", "sqlite:" + house_.folder() + "/catalog.db"});
    const Command command = MustParse(words, Variables({}));
    Ran ran;
    Console console(Quiet(command, ran.printed), Clock::Real());
    auto [context, cancel] = Context::WithCancel(Context::Background());
    Session session(command, Variables({}), &console, context, cancel);
    ran.outcome = verb(session);
    EXPECT_TRUE(console.Flush().ok());
    return ran;
  }

  std::string AddPlan() {
    const Ran added =
        Run({"plan", "add", "nightly", "--source", house_.store_uri(), "--repo",
             "disk", "--cron", "0 2 * * *", "--zone", "Europe/Berlin",
             "--keep-daily", "7", "--label", "team=storage", "--json"});
    EXPECT_TRUE(added.outcome.status.ok()) << added.outcome.status;
    return Parsed(added.printed).value("id", "");
  }

  const http::TestFolder socket_folder_;  // whose path is short enough
  service::TestHouse house_;
  std::unique_ptr<service::Service> service_;
  std::unique_ptr<service::ApiServer> server_;
};

TEST_F(RemoteTest, APlanIsMadeRunAndFollowedToItsRecord) {
  AddPlan();
  const Ran ran = Run({"plan", "run", "nightly", "--json"});
  ASSERT_TRUE(ran.outcome.status.ok()) << ran.outcome.status;
  const auto json = Parsed(ran.printed);
  ASSERT_TRUE(json.is_object()) << ran.printed;
  EXPECT_EQ(json["job"]["status"], "succeeded");
  const std::string id = json["record"]["id"];
  EXPECT_TRUE(house_.catalog().GetRecord(house_.context(), id).ok());
}

TEST_F(RemoteTest, AVerbPrintsTheSameThroughAServer) {
  AddPlan();
  ASSERT_TRUE(Run({"backup", "--plan", "nightly"}).outcome.status.ok());
  ASSERT_TRUE(Run({"token", "create", "--role", "viewer", "--label", "wall"})
                  .outcome.status.ok());
  const struct {
    Words words;
    Outcome (*verb)(Session&);
  } verbs[] = {{{"job", "list"}, RunJobListVerb},
               {{"job", "list", "--kind", "restore"}, RunJobListVerb},
               {{"job", "show", "latest"}, RunJobShowVerb},
               {{"job", "wait", "latest"}, RunJobWaitVerb},
               {{"plan", "list"}, RunPlanListVerb},
               {{"plan", "show", "nightly"}, RunPlanShowVerb},
               {{"plan", "next", "nightly", "--count", "3"}, RunPlanNextVerb},
               {{"repo", "list"}, RunRepoListVerb},
               {{"token", "list"}, RunTokenListVerb}};
  for (const auto& [words, verb] : verbs) {
    for (const bool as_json : {false, true}) {
      Words asked = words;
      if (as_json) asked.emplace_back("--json");
      const Ran here = RunHere(asked, verb);
      const Ran through = Run(asked);
      EXPECT_TRUE(here.outcome.status.ok()) << here.outcome.status;
      EXPECT_TRUE(through.outcome.status.ok()) << through.outcome.status;
      EXPECT_EQ(through.printed, here.printed) << absl::StrJoin(words, " ");
      // Of no restore JSON has no line.
      EXPECT_TRUE(through.printed != "" || words.size() > 2);
    }
  }
}

TEST_F(RemoteTest, AnErrorEndsTheSameThroughAServer) {
  const struct {
    Words words;
    Outcome (*verb)(Session&);
  } verbs[] = {
      {{"job", "show", "01ARZ3NDEKTSV4RRFFQ69G5FAV"}, RunJobShowVerb},
      {{"plan", "show", "none"}, RunPlanShowVerb},
      {{"job", "list", "--repo", "none"}, RunJobListVerb},
      {{"job", "list", "--status", "tired"}, RunJobListVerb},
      {{"token", "revoke", "01ARZ3NDEKTSV4RRFFQ69G5FAV"}, RunTokenRevokeVerb}};
  for (const auto& [words, verb] : verbs) {
    const Ran here = RunHere(words, verb);
    const Ran through = Run(words);
    EXPECT_FALSE(through.outcome.status.ok());
    EXPECT_EQ(ErrorCodeOf(through.outcome.status),
              ErrorCodeOf(here.outcome.status));
    EXPECT_EQ(ExitCodeOf(through.outcome.status),
              ExitCodeOf(here.outcome.status))
        << absl::StrJoin(words, " ");
    EXPECT_EQ(through.printed, "");
  }
}

TEST_F(RemoteTest, ABackupAndItsRestoreByHand) {
  const Ran made = Run({"backup", house_.store_uri(), "--repo", "disk",
                        "--label", "by hand", "--json"});
  ASSERT_TRUE(made.outcome.status.ok()) << made.outcome.status;
  const std::string id = Parsed(made.printed)["record"]["id"];
  const Ran listed = Run({"list", "--repo", "disk", "--json"});
  EXPECT_EQ(Parsed(listed.printed).value("id", ""), id) << listed.printed;
  const std::string to = absl::StrCat("memory:?save=", house_.folder(), "/out");
  const Ran restored =
      Run({"restore", "latest", "--repo", "disk", "--to", to, "--json"});
  ASSERT_TRUE(restored.outcome.status.ok()) << restored.outcome.status;
  EXPECT_EQ(Parsed(restored.printed)["backup_id"], id);
  const Ran again = Run({"restore", id, "--to", to});
  EXPECT_EQ(ErrorCodeOf(again.outcome.status), kRestorePreconditionFailed);
  const Ran verified = Run({"verify", id});
  EXPECT_TRUE(verified.outcome.status.ok()) << verified.outcome.status;
  const Ran pinned = Run({"pin", id, "--reason", "audit", "--json"});
  EXPECT_EQ(Parsed(pinned.printed)["pin_reason"], "audit");
  const Ran held = Run({"prune", id, "--yes"});
  EXPECT_EQ(ExitCodeOf(held.outcome.status), ExitCode::kProtected);
  EXPECT_TRUE(Run({"show", id, "--repo", "disk"}).outcome.status.ok());
}

TEST_F(RemoteTest, AFailedRunEndsWithItsOwnWordAndItsJob) {
  const Ran ran = Run({"backup", "memory:?load=/not/there", "--repo", "disk"});
  EXPECT_EQ(ErrorCodeOf(ran.outcome.status), kSourceUnavailable);
  ASSERT_TRUE(ran.outcome.job.has_value());
  EXPECT_EQ(ran.outcome.job->status(), BackupJob::FAILED);
  EXPECT_EQ(ran.printed, "");
}

TEST_F(RemoteTest, AsyncPrintsTheIdAlone) {
  AddPlan();
  const Ran asked = Run({"plan", "run", "nightly", "--async"});
  ASSERT_TRUE(asked.outcome.status.ok()) << asked.outcome.status;
  ASSERT_EQ(asked.printed.size(), 27u) << asked.printed;
  const Ran waited = Run({"job", "wait", asked.printed.substr(0, 26)});
  EXPECT_TRUE(waited.outcome.status.ok()) << waited.outcome.status;
  const Ran cancelled = Run({"job", "cancel", asked.printed.substr(0, 26)});
  EXPECT_EQ(ErrorCodeOf(cancelled.outcome.status), kJobFinished);
}

TEST_F(RemoteTest, WhenTheTimeIsOverTheJobGoesOn) {
  service_.reset();  // nobody begins it
  AddPlan();
  const Ran ran = RunThrough({"plan", "run", "nightly"},
                             "unix:" + socket_folder_.File("api.sock"),
                             absl::Milliseconds(300));
  EXPECT_EQ(ErrorCodeOf(ran.outcome.status), kDeadlineExceeded);
  ASSERT_TRUE(ran.outcome.job.has_value());
  EXPECT_THAT(HintOf(ran.outcome.status),
              HasSubstr("job wait " + ran.outcome.job->id()));
  EXPECT_EQ(house_.catalog()
                .GetJob(house_.context(), ran.outcome.job->id())
                ->job.status(),
            BackupJob::PENDING);
  EXPECT_EQ(ran.printed, "");
}

TEST_F(RemoteTest, AServerThatIsLostIsToldAndTheJobGoesOn) {
  service_.reset();
  AddPlan();
  const Ran asked = Run({"plan", "run", "nightly", "--async"});
  const std::string id = asked.printed.substr(0, 26);
  server_.reset();
  const Ran waited = RunThrough({"job", "wait", id},
                                "unix:" + socket_folder_.File("api.sock"));
  EXPECT_EQ(ErrorCodeOf(waited.outcome.status), kServerUnreachable);
  EXPECT_EQ(ExitCodeOf(waited.outcome.status), ExitCode::kUnreachable);
}

TEST_F(RemoteTest, LabelsThatSomebodyElseChangesMeanwhileAreNotLost) {
  const std::string id = AddPlan();
  const Ran edited = Run(
      {"plan", "edit", "nightly", "--label", "tier=gold", "--cron=", "--json"});
  ASSERT_TRUE(edited.outcome.status.ok()) << edited.outcome.status;
  const auto json = Parsed(edited.printed);
  EXPECT_EQ(json["labels"]["team"], "storage");
  EXPECT_EQ(json["labels"]["tier"], "gold");
  EXPECT_EQ(json["id"], id);
}

// --- servers that lie

constexpr char kJob[] = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

std::string JobText(const std::string& id, const std::string& status) {
  return absl::StrCat(R"({"id": ")", id, R"(", "kind": "backup", "status": ")",
                      status, R"("})");
}

// Answers the n-th look at the job by the n-th of `rows`, the last again.
std::unique_ptr<http::HttpServer> Lying(std::vector<std::string> rows) {
  auto looks = std::make_shared<std::atomic<size_t>>(0);
  return http::MustStart(
      http::LocalOptions(), [rows, looks](http::Request& request) {
        if (request.path.back() == "run") {
          return http::TextResponse(
              202, "application/json",
              absl::StrCat(R"({"jobs": [)", JobText(kJob, "pending"), "]}"));
        }
        if (request.path.back() == "events") {
          return http::TextResponse(
              200, "text/event-stream",
              absl::StrCat("event: job\ndata: ", JobText(kJob, "succeeded"),
                           "\n\n"));
        }
        const size_t look = std::min(looks->fetch_add(1), rows.size() - 1);
        return http::TextResponse(200, "application/json", rows[look]);
      });
}

Ran RunAt(const http::HttpServer& server) {
  return RunThrough({"plan", "run", "nightly"},
                    absl::StrCat("http://127.0.0.1:", server.port()),
                    absl::Seconds(2));
}

TEST(LyingServerTest, OnlyTheRowOfThatVeryJobIsASuccess) {
  for (const std::string& row :
       {JobText("01ARZ3NDEKTSV4RRFFQ69G5FAW", "succeeded"),
        JobText(kJob, "done"), JobText("", "succeeded"),
        std::string(R"({"status": "succeeded"})"), std::string("{}"),
        JobText(kJob, "succeeded").substr(0, 50),
        std::string("<html>succeeded</html>")}) {
    const auto server = Lying({row});
    const Ran ran = RunAt(*server);
    EXPECT_EQ(ErrorCodeOf(ran.outcome.status), kServerAnswerInvalid) << row;
    EXPECT_EQ(ran.printed, "");
  }
}

TEST(LyingServerTest, AnEventOfSuccessIsNone) {
  const auto server = Lying({JobText(kJob, "running")});
  const Ran ran = RunAt(*server);
  EXPECT_EQ(ErrorCodeOf(ran.outcome.status), kDeadlineExceeded);
  EXPECT_EQ(ran.printed, "");
}

TEST(LyingServerTest, AJobThatFailedAfterAllIsAFailure) {
  const auto server =
      Lying({JobText(kJob, "running"), JobText(kJob, "interrupted")});
  const Ran ran = RunAt(*server);
  EXPECT_FALSE(ran.outcome.status.ok());
  EXPECT_EQ(ran.outcome.job->status(), BackupJob::INTERRUPTED);
}

TEST(LyingServerTest, AStreamThatSaysNothingHoldsNobody) {
  std::atomic<int> looks = 0;
  const auto server =
      http::MustStart(http::LocalOptions(), [&](http::Request& request) {
        if (request.path.back() == "events") {
          return http::EventStreamResponse(
              std::make_shared<http::ResponseStream>(1024));
        }
        if (request.path.back() == "run") {
          return http::TextResponse(
              202, "application/json",
              absl::StrCat(R"({"jobs": [)", JobText(kJob, "pending"), "]}"));
        }
        return http::TextResponse(
            200, "application/json",
            JobText(kJob, ++looks < 3 ? "running" : "failed"));
      });
  const Ran ran = RunThrough({"plan", "run", "nightly"},
                             absl::StrCat("http://127.0.0.1:", server->port()),
                             absl::Minutes(2));
  ASSERT_TRUE(ran.outcome.job.has_value());
  EXPECT_EQ(ran.outcome.job->status(), BackupJob::FAILED);
}

TEST(LyingServerTest, NoJobAtAllIsNoSuccess) {
  const auto server = http::MustStart(http::LocalOptions(), [](http::Request&) {
    return http::TextResponse(202, "application/json", R"({"jobs": []})");
  });
  EXPECT_EQ(ErrorCodeOf(RunAt(*server).outcome.status), kServerAnswerInvalid);
}

// --- which verbs

TEST(WorksThroughServerTest, AVariableLeavesThisMachinesVerbsAlone) {
  const Environment set = Variables({{"SLUICE_SERVER", "https://b"}});
  for (const Words& words :
       {Words{"version"}, Words{"man"}, Words{"completion", "bash"},
        Words{"demo"}, Words{"serve"}, Words{"plugin", "list"}}) {
    const auto remote = WorksThroughServer(MustParse(words, set));
    ASSERT_TRUE(remote.ok()) << remote.status();
    EXPECT_FALSE(*remote) << words[0];
  }
  EXPECT_TRUE(*WorksThroughServer(MustParse({"plan", "list"}, set)));
  EXPECT_FALSE(*WorksThroughServer(
      MustParse({"plan", "list", "--catalog", "sqlite:/c"}, set)));
}

TEST(WorksThroughServerTest, WhatNoServerDoesIsRefusedAndNotDoneHere) {
  const Environment set = Variables({{"SLUICE_SERVER", "https://b"}});
  for (const Words& words :
       {Words{"reconcile"}, Words{"sweep"}, Words{"export"},
        Words{"import", "f"}, Words{"delete", "x"},
        Words{"repo", "repair", "x"}, Words{"repo", "move", "a", "b"}}) {
    EXPECT_EQ(ErrorCodeOf(WorksThroughServer(MustParse(words, set)).status()),
              kInvalidArgument)
        << words[0];
  }
  for (const Words& words : {Words{"version", "--server", "https://b"},
                             Words{"serve", "--server", "https://b"},
                             Words{"plan", "list", "--server", "https://b",
                                   "--catalog", "sqlite:/c"}}) {
    EXPECT_FALSE(WorksThroughServer(MustParse(words, Variables({}))).ok());
  }
}

TEST(WorksThroughServerTest, AFlagThatNoServerHeedsIsRefused) {
  EXPECT_EQ(ErrorCodeOf(WorksThroughServer(
                            MustParse({"restore", "latest", "--repo", "d",
                                       "--to", "memory:", "--allow-empty",
                                       "--server", "https://b"},
                                      Variables({})))
                            .status()),
            kInvalidArgument);
  // Each verb's flags are either heeded or refused, also those to come.
  for (const VerbSpec& verb : Verbs()) {
    for (const FlagSpec& flag : verb.flags) {
      Command command;
      command.verb = &verb;
      command.flags["server"] = "https://b";
      command.flags[std::string(flag.name)] = "1";
      const auto remote = WorksThroughServer(command);
      if (flag.name == "dry-run" && verb.path != "prune") {
        EXPECT_FALSE(remote.ok()) << verb.path;
      }
      if (flag.name == "purge-archives") {
        EXPECT_FALSE(remote.ok()) << verb.path;
      }
    }
  }
}

TEST(WorksThroughServerTest, WhatIsOnlyHereIsNotAskedOfAServer) {
  for (const Words& words :
       {Words{"backup", "postgresql://db?password=env:PASS", "--repo", "d"},
        Words{"backup", "memory:?load=./data", "--repo", "d"},
        Words{"backup", "memory:?load=/data", "--repo", "d", "--init"},
        Words{"restore", "latest", "--repo", "d", "--to", "memory:?save=~/x"},
        Words{"restore", "--from-file", "f", "--to", "memory:"},
        Words{"verify", "--all"}, Words{"prune"},
        Words{"prune", "x", "--override", "newest"}}) {
    const Ran ran = RunThrough(words, "unix:/not/there");
    EXPECT_EQ(ErrorCodeOf(ran.outcome.status), kInvalidArgument)
        << absl::StrJoin(words, " ") << ran.outcome.status;
  }
}

TEST(AttentionTest, WhatIsNoAnswerDetaches) {
  EXPECT_EQ(ParseInterruptAnswer(""), InterruptAnswer::kDetach);
  EXPECT_EQ(ParseInterruptAnswer(" D\n"), InterruptAnswer::kDetach);
  EXPECT_EQ(ParseInterruptAnswer("what?"), InterruptAnswer::kDetach);
  EXPECT_EQ(ParseInterruptAnswer("c"), InterruptAnswer::kContinue);
  EXPECT_EQ(ParseInterruptAnswer("Continue"), InterruptAnswer::kContinue);
  EXPECT_EQ(ParseInterruptAnswer("x"), InterruptAnswer::kCancel);
  EXPECT_EQ(ParseInterruptAnswer("cancel"), InterruptAnswer::kCancel);
}

}  // namespace
}  // namespace sluice::cli
