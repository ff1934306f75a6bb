// What each route does, and what it refuses.

#include "sluice/service/http/api/api.h"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/plugins/postgres/factory.h"
#include "sluice/service/http/api/metrics.h"
#include "sluice/service/http/api/openapi.h"
#include "sluice/service/http/api/route.h"
#include "sluice/service/http/api/testing/api_house.h"
#include "sluice/service/http/api/uri_guard.h"

namespace sluice::service {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

class ApiTest : public ::testing::Test {
 protected:
  http::Response Post(absl::string_view token, absl::string_view target,
                      const Json& body, absl::string_view key = "") {
    ApiHouse::Fields headers;
    if (!key.empty()) headers = {{"Idempotency-Key", std::string(key)}};
    return house_.Ask(token, "POST", target, body.dump(), headers);
  }

  ApiHouse house_;
  const std::string operator_ = house_.Token(Role::kOperator);
  const std::string viewer_ = house_.Token(Role::kViewer);
  const std::string admin_ = house_.Token(Role::kAdmin);
};

// --- backups, idempotency

TEST_F(ApiTest, ABackupIsAPendingJobAndASecondOneSaysWhichIsInTheWay) {
  house_.AddPlan();
  const http::Response first =
      Post(operator_, "/api/v1/backups", {{"plan", "hourly"}});
  ASSERT_EQ(first.status, 202) << first.body;
  const std::string id = JsonOf(first)["job"]["id"];
  EXPECT_EQ(*first.headers.Find("Location"), "/api/v1/jobs/" + id);
  EXPECT_EQ(JsonOf(first)["job"]["status"], "pending");
  const http::Response second =
      house_.Ask(operator_, "POST", "/api/v1/plans/hourly/run");
  EXPECT_EQ(second.status, 409);
  EXPECT_EQ(CodeOf(second), "backup_already_running");
  EXPECT_EQ(JsonOf(second)["running_job_id"], id);
}

TEST_F(ApiTest, AKeyAsksOnceWhoeverElseHasTheSameAndOnlyForTheSame) {
  house_.AddPlan();
  const Json wish = {{"plan", "hourly"}};
  const http::Response first = Post(operator_, "/api/v1/backups", wish, "k1");
  ASSERT_EQ(first.status, 202) << first.body;
  const http::Response again = Post(operator_, "/api/v1/backups", wish, "k1");
  EXPECT_EQ(again.status, 202);
  EXPECT_EQ(JsonOf(again)["job"]["id"], JsonOf(first)["job"]["id"]);
  const http::Response other =
      Post(operator_, "/api/v1/backups", {{"plan", "hourly"}, {"repo", "disk"}},
           "k1");
  EXPECT_EQ(other.status, 422);
  EXPECT_EQ(CodeOf(other), "idempotency_key_reused");
  EXPECT_EQ(Post(admin_, "/api/v1/backups", wish, "k1").status, 409)
      << "another's key is another key";
  EXPECT_EQ(Post(operator_, "/api/v1/backups", wish, "a b").status, 400);
  EXPECT_THAT(first.body, Not(HasSubstr("k1")));
}

TEST_F(ApiTest, WhatIsWrongIsNamed) {
  house_.AddPlan();
  const auto detail = [&](const Json& body) {
    const http::Response response = Post("local", "/api/v1/backups", body);
    EXPECT_EQ(response.status, 400) << response.body;
    return JsonOf(response).value("detail", "");
  };
  EXPECT_THAT(detail({{"plam", "hourly"}}), HasSubstr("plam"));
  EXPECT_THAT(detail({{"plan", 7}}), HasSubstr("plan"));
  EXPECT_THAT(detail({{"plan", "hourly"}, {"source", "memory:"}}),
              HasSubstr("either"));
  EXPECT_THAT(detail({{"plan", "hourly"}, {"label", "x"}}), HasSubstr("label"));
  EXPECT_THAT(detail({{"source", "memory:?keys=1"},
                      {"repo", "disk"},
                      {"timeout", "soon"}}),
              HasSubstr("timeout"));
  EXPECT_EQ(Post(operator_, "/api/v1/backups", {{"plan", "daily"}}).status,
            404);
  EXPECT_EQ(house_.Ask(operator_, "POST", "/api/v1/backups", "{").status, 400);
  EXPECT_EQ(house_
                .Ask(operator_, "POST", "/api/v1/backups", "{}",
                     {{"Content-Type", "text/plain"}})
                .status,
            415);
  EXPECT_EQ(house_.Ask(viewer_, "GET", "/api/v1/jobs?limits=5").status, 400);
  EXPECT_EQ(house_.Ask(viewer_, "GET", "/api/v1/jobs?status=done").status, 400);
  EXPECT_EQ(house_.Ask(viewer_, "GET", "/api/v1/jobs?kind=dump").status, 400);
  EXPECT_EQ(house_.Ask(viewer_, "GET", "/api/v1/jobs?repo=tape").status, 404);
  EXPECT_EQ(house_.Ask(viewer_, "PUT", "/api/v1/jobs").status, 405);
}

TEST_F(ApiTest, TheApiIsNoShellButForAnAdminOnTheUnixSocket) {
  const Json wish = {{"source", house_.house.store_uri()}, {"repo", "disk"}};
  EXPECT_EQ(Post(admin_, "/api/v1/backups", wish).status, 403);
  ApiOptions options;
  // As ReadSourceUri has it: without the folder's double slashes.
  options.allowed_sources = {absl::StrReplaceAll(
      "memory:?load=" + house_.house.folder() + "/*", {{"//", "/"}})};
  house_.Open(options);
  EXPECT_EQ(Post(operator_, "/api/v1/backups", wish).status, 202);
  const Json beside = {{"source", "memory:?load=/etc"}, {"repo", "disk"}};
  EXPECT_EQ(Post(admin_, "/api/v1/backups", beside).status, 403);
  EXPECT_EQ(Post("local", "/api/v1/backups", beside).status, 202);
  EXPECT_EQ(Post(admin_, "/api/v1/repos",
                 {{"name", "new"}, {"uri", "local:/tmp/never-made"}})
                .status,
            403);
}

TEST(UriGuardTest, AStarStandsForNoReferenceAndNoWayUp) {
  const auto patterns =
      UriPatterns::Parse({"memory:?load=/srv/*", "postgresql://db/*?password=*",
                          "badger:/data?key=file:/etc/sluice/*"},
                         "allowed");
  ASSERT_TRUE(patterns.ok()) << patterns.status();
  EXPECT_TRUE(patterns->Allow("memory:?load=/srv/a/b"));
  EXPECT_TRUE(patterns->Allow("postgresql://db/orders?password=x"));
  EXPECT_TRUE(patterns->Allow("badger:/data?key=file:/etc/sluice/key"));
  for (const char* refused :
       {"memory:?load=/srv/../etc", "memory:?load=/etc",
        "memory:", "memory:?load=/srv/a&seed=1", "local:?load=/srv/a",
        "postgresql://other/orders?password=x",
        "postgresql://db/orders?password=env:SECRET",
        "postgresql://db/orders?password=cmd:id",
        "postgresql://db/orders?password=exec:/bin/id",
        "badger:/data?key=file:/etc/shadow", "badger:/data?key=env:K", "?"}) {
    EXPECT_FALSE(patterns->Allow(refused)) << refused;
  }
  EXPECT_FALSE(UriPatterns::Parse({"not a uri"}, "allowed").ok());
}

// --- lists

TEST_F(ApiTest, HooksAreSaidByNobodyOverHttpButAsTheyAre) {
  house_.AddPlan();
  const std::string admin = house_.Token(Role::kAdmin);
  const std::string plan = "/api/v1/plans/hourly";
  for (const char* said :
       {R"({"before": "exec:/bin/x"})", R"({"after": "exec:/bin/x"})",
        R"({"after_failure": "exec:/bin/x"})", R"({"heartbeat": "env:URL"})"}) {
    EXPECT_EQ(house_.Ask(admin, "PATCH", plan, said).status, 403) << said;
    EXPECT_EQ(house_.Ask("local", "PATCH", plan, said).status, 200) << said;
    EXPECT_EQ(house_.Ask(admin, "PATCH", plan, said).status, 200) << said;
  }
  EXPECT_EQ(
      house_.Ask(admin, "PATCH", plan, R"({"before": "exec:/bin/y"})").status,
      403);
  EXPECT_EQ(house_.Ask(admin, "PATCH", plan, R"({"before": null})").status,
            200);
}

TEST_F(ApiTest, NotificationsAreListedAndTriedAgain) {
  OutboxStore& outbox = house_.house.catalog().outbox();
  const Context& context = house_.house.context();
  OutboxStep step;
  for (int i = 0; i < 3; ++i) {
    OutboxMessage message;
    message.channel = "ops";
    message.body = R"({"type":"backup.failed"})";
    step.messages.push_back(message);
  }
  ASSERT_TRUE(*outbox.Advance(context, step));
  const int64_t id = outbox.List(context, 0, 1)->front().id;
  ASSERT_TRUE(
      outbox.Failed(context, id, "answered 500", absl::InfiniteFuture()).ok());
  const std::string all = "/api/v1/notifications";
  const auto page = JsonOf(house_.Ask("local", "GET", all + "?limit=2"));
  ASSERT_EQ(page["notifications"].size(), 2u);
  EXPECT_EQ(page["notifications"][0]["state"], "given_up");
  EXPECT_EQ(page["notifications"][0]["error"], "answered 500");
  EXPECT_EQ(page["notifications"][0]["body"]["type"], "backup.failed");
  EXPECT_FALSE(page["next_cursor"].is_null());
  const auto tried =
      house_.Ask("local", "POST", absl::StrCat(all, "/", id, "/retry"));
  EXPECT_EQ(tried.status, 202) << tried.body;
  EXPECT_EQ(JsonOf(tried)["state"], "waiting");
  EXPECT_EQ(house_.Ask("local", "POST", all + "/77/retry").status, 404);
}

TEST_F(ApiTest, PagesOfJobsGiveEachOnceTheNewestFirst) {
  std::vector<std::string> made;
  for (int i = 0; i < 120; ++i) made.push_back(house_.AddJob());
  std::vector<std::string> seen;
  std::string target = "/api/v1/jobs";
  int pages = 0;
  while (!target.empty() && pages < 10) {
    const Json page = JsonOf(house_.Ask(viewer_, "GET", target));
    for (const Json& job : page["jobs"]) seen.push_back(job["id"]);
    ++pages;
    target = page["next_cursor"].is_null()
                 ? ""
                 : absl::StrCat("/api/v1/jobs?cursor=",
                                page["next_cursor"].get<std::string>());
  }
  EXPECT_EQ(pages, 3);
  ASSERT_EQ(seen.size(), made.size());
  EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()),
            std::set<std::string>(made.begin(), made.end()));
  // Of one millisecond no id is the newer.
  constexpr size_t kTimeLetters = 10;
  EXPECT_EQ(seen.front().substr(0, kTimeLetters),
            made.back().substr(0, kTimeLetters));
  EXPECT_EQ(
      JsonOf(house_.Ask(viewer_, "GET", "/api/v1/jobs?limit=1000"))["jobs"]
          .size(),
      120u);
  EXPECT_EQ(house_.Ask(viewer_, "GET", "/api/v1/jobs?limit=0").status, 400);
  EXPECT_EQ(house_.Ask(viewer_, "GET", "/api/v1/jobs?cursor=!").status, 400);
  EXPECT_EQ(house_.Ask(viewer_, "GET", "/api/v1/jobs?cursor=Z29uZQ").status,
            404)
      << "what a cursor pointed at is gone: the list does not seem to end";
  EXPECT_EQ(JsonOf(house_.Ask(viewer_, "GET",
                              "/api/v1/jobs?status=pending&kind=verify&limit="
                              "3"))["jobs"]
                .size(),
            3u);
  EXPECT_EQ(
      JsonOf(house_.Ask(viewer_, "GET", "/api/v1/jobs?status=failed"))["jobs"]
          .size(),
      0u);
}

// The list is written by another hand than the one job.
TEST_F(ApiTest, AListHasEachJobAndBackupAsItIsAlone) {
  house_.BackUp(house_.AddPlan());
  house_.AddJob();
  for (const std::string list : {"jobs", "backups"}) {
    const Json page = JsonOf(house_.Ask(viewer_, "GET", "/api/v1/" + list));
    ASSERT_FALSE(page[list].empty()) << list;
    for (const Json& item : page[list]) {
      const std::string id = item["id"];
      Json alone =
          JsonOf(house_.Ask(viewer_, "GET", "/api/v1/" + list + "/" + id));
      alone.erase("request");
      EXPECT_EQ(item.dump(), alone.dump());
    }
  }
}

// --- jobs

TEST_F(ApiTest, CancelEndsAPendingJobAndLeavesOneThatIsOver) {
  const std::string id = house_.AddJob();
  const http::Response first =
      house_.Ask(operator_, "POST", "/api/v1/jobs/" + id + "/cancel");
  EXPECT_EQ(first.status, 202);
  EXPECT_EQ(JsonOf(first)["status"], "interrupted");
  const http::Response again =
      house_.Ask(operator_, "POST", "/api/v1/jobs/" + id + "/cancel");
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(JsonOf(again)["finished_at"], JsonOf(first)["finished_at"]);
}

// --- plans

TEST_F(ApiTest, APlanIsMadeByTheNamesOfOldChangedAndForgotten) {
  const http::Response made = Post("local", "/api/v1/plans",
                                   {{"name", "nightly"},
                                    {"source", house_.house.store_uri()},
                                    {"repos", {"disk"}},
                                    {"schedule", "0 2 * * *"},
                                    {"keep_count", 7},
                                    {"keep_age_days", 14},
                                    {"labels", {{"team", "a"}}}});
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(*made.headers.Find("ETag"), "\"1\"");
  EXPECT_EQ(JsonOf(made)["cron"], "0 2 * * *");
  EXPECT_EQ(JsonOf(made)["keep_last"], 7);
  EXPECT_EQ(JsonOf(made)["keep_within"], "14d");
  EXPECT_EQ(JsonOf(made)["repo_names"], Json({"disk"}));
  EXPECT_EQ(JsonOf(made)["targets"].size(), 1u);

  const std::string target = "/api/v1/plans/nightly";
  const http::Response changed =
      house_.Ask(admin_, "PATCH", target,
                 R"({"keep_last": null, "zone": "Europe/Berlin"})",
                 {{"If-Match", "\"1\""}});
  ASSERT_EQ(changed.status, 200) << changed.body;
  EXPECT_TRUE(JsonOf(changed)["keep_last"].is_null());
  EXPECT_EQ(JsonOf(changed)["zone"], "Europe/Berlin");
  const http::Response stale = house_.Ask(
      admin_, "PATCH", target, R"({"keep_last": 3})", {{"If-Match", "\"1\""}});
  EXPECT_EQ(stale.status, 412);
  EXPECT_EQ(CodeOf(stale), "plan_changed");
  EXPECT_EQ(
      house_.Ask(admin_, "PATCH", target, R"({"source": "memory:?load=/etc"})")
          .status,
      403);
  EXPECT_EQ(
      JsonOf(house_.Ask(viewer_, "GET", target + "/next?count=3"))["times"]
          .size(),
      3u);
  EXPECT_EQ(house_.Ask(viewer_, "GET", target + "/next?count=no").status, 400);
  EXPECT_TRUE(JsonOf(house_.Ask(operator_, "POST", target + "/pause"))["paused"]
                  .get<bool>());
  EXPECT_FALSE(
      JsonOf(house_.Ask(operator_, "POST", target + "/resume"))["paused"]
          .get<bool>());
  EXPECT_EQ(house_.Ask(viewer_, "GET", target + "/firings").status, 200);
  EXPECT_EQ(house_.Ask(viewer_, "GET", target + "/preview-retention").status,
            200);
  EXPECT_EQ(house_.Ask(admin_, "DELETE", target).status, 204);
  EXPECT_EQ(house_.Ask(viewer_, "GET", target).status, 404);
}

TEST_F(ApiTest, APlanThatCannotRunIsNotMade) {
  const Json plan = {{"name", "nightly"},
                     {"source", "memory:?load=/no/such/folder"},
                     {"repos", {"disk"}}};
  EXPECT_EQ(Post("local", "/api/v1/plans", plan).status, 503);
  Json wrong = plan;
  wrong["cron"] = "61 * * * *";
  const http::Response refused = Post("local", "/api/v1/plans", wrong);
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("schedule"));
  Json unchecked = plan;
  unchecked["check"] = false;
  EXPECT_EQ(Post("local", "/api/v1/plans", unchecked).status, 201);
  EXPECT_EQ(Post("local", "/api/v1/plans", unchecked).status, 409);
}

TEST_F(ApiTest, FiringsAreGivenPageByPage) {
  const Plan plan = house_.AddPlan();
  const absl::Time base = absl::FromUnixSeconds(plan.created_at_ms() / 1000);
  FireStep step;
  step.plan_id = plan.id();
  step.repo_id = house_.house.repo_id();
  step.expected_next_due = base;
  step.next_due = base + absl::Hours(10);
  step.run_at = step.next_due;
  step.now = absl::Now();
  for (int hour = 0; hour < 7; ++hour) {
    Firing firing;
    firing.plan_id = plan.id();
    firing.repo_id = step.repo_id;
    firing.due_at = base + absl::Hours(hour);
    firing.outcome = Firing::Outcome::kMissed;
    firing.reason = "missed_too_old";
    step.over.push_back(firing);
  }
  ASSERT_TRUE(
      house_.house.catalog().plans().Fire(house_.house.context(), step).ok());
  std::set<std::string> seen;
  std::string cursor;
  for (int page = 0; page < 4; ++page) {
    const Json json = JsonOf(
        house_.Ask(viewer_, "GET",
                   absl::StrCat("/api/v1/plans/hourly/firings?limit=2",
                                cursor.empty() ? "" : "&cursor=" + cursor)));
    for (const Json& firing : json["firings"]) seen.insert(firing["due_at"]);
    if (!json["next_cursor"].is_null()) cursor = json["next_cursor"];
    EXPECT_EQ(json["next_cursor"].is_null(), page == 3);
  }
  EXPECT_EQ(seen.size(), 7u);
}

// --- repos

TEST_F(ApiTest, ARepoIsMadeRenamedAndForgottenOnceNothingNeedsIt) {
  const std::string uri = "local:" + house_.house.folder() + "/second";
  const http::Response made =
      Post("local", "/api/v1/repos", {{"name", "second"}, {"uri", uri}});
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(
      Post("local", "/api/v1/repos", {{"name", "third"}, {"uri", uri}}).status,
      409);
  EXPECT_EQ(
      Post("local", "/api/v1/repos", {{"name", "A b"}, {"uri", uri}}).status,
      400);
  EXPECT_EQ(
      house_.Ask(admin_, "PATCH", "/api/v1/repos/second", R"({"name": "tape"})")
          .status,
      200);
  house_.AddPlan();
  const http::Response in_use =
      house_.Ask(admin_, "DELETE", "/api/v1/repos/disk");
  EXPECT_EQ(in_use.status, 409);
  EXPECT_EQ(CodeOf(in_use), "repo_in_use");
  EXPECT_EQ(
      house_.Ask(admin_, "DELETE", "/api/v1/repos/tape?purge_archives=maybe")
          .status,
      400);
  EXPECT_EQ(house_.Ask(admin_, "DELETE", "/api/v1/repos/tape").status, 204);
  EXPECT_EQ(JsonOf(house_.Ask(viewer_, "GET", "/api/v1/repos"))["repos"].size(),
            1u);
}

TEST_F(ApiTest, ARepoIsEditedByWhatIsGivenAloneAndLeadsNowhereNew) {
  const std::string repo = "/api/v1/repos/disk";
  const Json before = JsonOf(house_.Ask(viewer_, "GET", repo));
  EXPECT_EQ(house_.Ask(admin_, "PATCH", repo, "{}").status, 400);
  EXPECT_EQ(house_.Ask(admin_, "PATCH", repo, R"({"kind": "s3"})").status, 400);
  EXPECT_EQ(house_.Ask(admin_, "PATCH", repo, R"({"name": ""})").status, 400);
  const std::string options = R"({"options": {"allow_unsynced": "true"}})";
  EXPECT_EQ(house_.Ask(admin_, "PATCH", repo, options).status, 403);
  EXPECT_EQ(
      house_.Ask(admin_, "PATCH", repo, R"({"key_refs": ["cmd:id"]})").status,
      403);
  EXPECT_EQ(
      house_
          .Ask("local", "PATCH", repo, R"({"options": {"path": "/elsewhere"}})")
          .status,
      400);
  const http::Response edited = house_.Ask("local", "PATCH", repo, options);
  ASSERT_EQ(edited.status, 200) << edited.body;
  const Json after = JsonOf(edited);
  EXPECT_THAT(after["config"].get<std::string>(),
              HasSubstr("/repo?allow_unsynced=true"));
  Json expected = before;
  for (const char* changed : {"config", "updated_at"}) {
    expected[changed] = after[changed];
  }
  EXPECT_EQ(after, expected);
}

TEST_F(ApiTest, APurgeIsAJobThatNamesWhatItHadToLeave) {
  const Plan plan = house_.AddPlan();
  const std::string id = house_.BackUp(plan);
  const std::string purge = "/api/v1/repos/disk?purge_archives=true";
  const http::Response held = house_.Ask(admin_, "DELETE", purge);
  EXPECT_EQ(held.status, 409);
  EXPECT_THAT(held.body, HasSubstr("hourly"));
  EXPECT_EQ(house_.Ask(admin_, "DELETE", "/api/v1/plans/hourly").status, 204);
  EXPECT_EQ(house_.Ask(admin_, "DELETE", "/api/v1/repos/disk").status, 409)
      << "it has records";
  EXPECT_EQ(house_
                .Ask(operator_, "PATCH", "/api/v1/backups/" + id,
                     R"({"pinned": true})")
                .status,
            200);
  const auto run = [&](const std::string& job) {
    const auto claimed = house_.house.catalog().queue().Claim(
        house_.house.context(), {absl::Now(), 0, job});
    ASSERT_TRUE(claimed.ok() && claimed->has_value());
    JobRunner(&house_.house.catalog(), &house_.house.host(), {})
        .Run(house_.house.context(), **claimed)
        .IgnoreError();
  };
  const http::Response asked = house_.Ask(admin_, "DELETE", purge);
  ASSERT_EQ(asked.status, 202) << asked.body;
  const std::string first = JsonOf(asked)["job"]["id"];
  EXPECT_EQ(house_.Ask(admin_, "DELETE", purge).status, 409);
  run(first);
  const Json failed =
      JsonOf(house_.Ask(viewer_, "GET", "/api/v1/jobs/" + first));
  EXPECT_EQ(failed["status"], "failed");
  EXPECT_EQ(failed["error_code"], "purge_incomplete");
  EXPECT_EQ(failed["failed_record_ids"], Json({id}));
  EXPECT_EQ(house_.Ask(viewer_, "GET", "/api/v1/repos/disk").status, 200);
  EXPECT_EQ(house_
                .Ask(operator_, "PATCH", "/api/v1/backups/" + id,
                     R"({"pinned": false})")
                .status,
            200);
  run(JsonOf(house_.Ask(admin_, "DELETE", purge))["job"]["id"]);
  EXPECT_EQ(house_.Ask(viewer_, "GET", "/api/v1/repos/disk").status, 404);
}

// --- archives and restores

TEST_F(ApiTest, AnArchiveIsPinnedHeldByItsFloorAndTriedBeforeARestore) {
  ApiOptions options;
  options.restore_root = house_.house.folder() + "/restored";
  ASSERT_EQ(mkdir(options.restore_root.c_str(), 0755), 0);
  house_.Open(options);
  const std::string id = house_.BackUp(house_.AddPlan());
  const std::string target = "/api/v1/backups/" + id;
  EXPECT_EQ(JsonOf(house_.Ask(viewer_, "GET", target))["id"], id);
  EXPECT_EQ(house_.Ask(operator_, "PATCH", target, "{}").status, 400);
  const http::Response pinned =
      house_.Ask(operator_, "PATCH", target,
                 R"({"pinned": true, "reason": "audit",
                     "until": "2099-01-01T00:00:00Z"})");
  EXPECT_EQ(JsonOf(pinned)["pin_reason"], "audit") << pinned.body;
  EXPECT_EQ(house_.Ask(admin_, "DELETE", target).status, 409);
  EXPECT_EQ(
      house_.Ask(operator_, "PATCH", target, R"({"pinned": false})").status,
      200);
  EXPECT_EQ(house_.Ask(admin_, "DELETE", target).status, 409)
      << "the newest stays";
  EXPECT_EQ(house_.Ask(operator_, "POST", target + "/verify").status, 202);

  const std::string out = "memory:?save=" + options.restore_root + "/a";
  const Json wish = {{"plan", "hourly"}, {"target", out}};
  const Json dry = JsonOf(Post(operator_, "/api/v1/restores/dry-run", wish));
  EXPECT_EQ(dry["possible"], true) << dry.dump();
  EXPECT_EQ(dry["manifest_valid"], true);
  EXPECT_EQ(dry["archives"], Json({id}));
  const Json full =
      JsonOf(Post("local", "/api/v1/restores/dry-run",
                  {{"backup_id", id}, {"target", house_.house.store_uri()}}));
  EXPECT_EQ(full["possible"], false);
  EXPECT_EQ(full["in_the_way"][0]["code"], "restore_precondition_failed");
  for (const std::string& refused :
       {std::string("memory:?save=/etc/x"),
        "memory:?save=" + options.restore_root,
        "memory:?save=" + options.restore_root + "/../x"}) {
    EXPECT_EQ(Post(operator_, "/api/v1/restores",
                   {{"backup_id", id}, {"target", refused}})
                  .status,
              403)
        << refused;
  }
  const http::Response asked = Post(operator_, "/api/v1/restores", wish);
  EXPECT_EQ(asked.status, 202) << asked.body;
  EXPECT_EQ(JsonOf(asked)["job"]["kind"], "restore");
  EXPECT_EQ(Post(operator_, "/api/v1/restores", {{"target", out}}).status, 400);

  const Json list = JsonOf(house_.Ask(
      viewer_, "GET", "/api/v1/backups?plan=hourly&status=succeeded"));
  EXPECT_EQ(list["backups"].size(), 1u);
  EXPECT_EQ(JsonOf(house_.Ask(viewer_, "GET",
                              "/api/v1/backups?status=damaged"))["backups"]
                .size(),
            0u);
}

TEST_F(ApiTest, AnOlderArchiveIsDeleted) {
  const Plan plan = house_.AddPlan();
  const std::string old = house_.BackUp(plan);
  house_.BackUp(plan);
  const http::Response deleted =
      house_.Ask(admin_, "DELETE", "/api/v1/backups/" + old);
  EXPECT_EQ(deleted.status, 204) << deleted.body;
  EXPECT_EQ(house_.Ask(viewer_, "GET", "/api/v1/backups/" + old).status, 404);
}

// --- events

TEST_F(ApiTest, EventsArriveAndAClientThatReturnsMissesNone) {
  const http::Response live = house_.Ask(viewer_, "GET", "/api/v1/events");
  ASSERT_NE(live.stream, nullptr);
  ReadUntil(*live.stream, "event: ready");
  const std::string job = house_.AddJob();
  const std::string said = ReadUntil(*live.stream, job);
  EXPECT_THAT(said, HasSubstr("event: job.queued"));
  live.stream->Close();

  const auto bounds =
      house_.house.catalog().events().Bounds(house_.house.context());
  const std::string later = house_.AddJob();
  const http::Response back =
      house_.Ask(viewer_, "GET", "/api/v1/events", "",
                 {{"Last-Event-ID", absl::StrCat(bounds->last)}});
  EXPECT_THAT(ReadUntil(*back.stream, later), Not(HasSubstr(job)));
  back.stream->Close();
  const http::Response lost = house_.Ask(viewer_, "GET", "/api/v1/events", "",
                                         {{"Last-Event-ID", "999999"}});
  EXPECT_THAT(ReadUntil(*lost.stream, "\n\n"), HasSubstr("event: resync"));
  lost.stream->Close();
  EXPECT_EQ(
      house_.Ask(viewer_, "GET", "/api/v1/events", "", {{"Last-Event-ID", "x"}})
          .status,
      400);
  EXPECT_EQ(house_.Ask(viewer_, "GET", "/api/v1/events?types=job.x").status,
            400);
}

TEST_F(ApiTest, EventsThatWereDeletedAreToldAsResync) {
  house_.AddJob();
  house_.AddJob();
  ASSERT_TRUE(
      house_.house.catalog()
          .events()
          .DeleteEvents(house_.house.context(), absl::Now() + absl::Hours(1))
          .ok());
  const http::Response stream = house_.Ask(viewer_, "GET", "/api/v1/events", "",
                                           {{"Last-Event-ID", "1"}});
  EXPECT_THAT(ReadUntil(*stream.stream, "\n\n"), HasSubstr("event: resync"));
  stream.stream->Close();
}

TEST_F(ApiTest, AStreamHasOnlyTheTypesAndThePlanThatItMayHave) {
  house_.AddPlan();
  const std::string limited = house_.Token(Role::kViewer, kPlanId);
  const http::Response stream =
      house_.Ask(limited, "GET", "/api/v1/events?types=job.queued");
  ReadUntil(*stream.stream, "event: ready");
  const std::string foreign = house_.AddJob();
  house_.Ask("local", "POST", "/api/v1/plans/hourly/pause");
  const std::string own = house_.AddJob(kPlanId);
  const std::string said = ReadUntil(*stream.stream, own);
  EXPECT_THAT(said, Not(HasSubstr(foreign)));
  EXPECT_THAT(said, Not(HasSubstr("plan.changed")));
  stream.stream->Close();
}

TEST_F(ApiTest, StreamsOfARevokedTokenEnd) {
  const std::string token = house_.Token(Role::kViewer);
  const http::Response stream = house_.Ask(token, "GET", "/api/v1/events");
  const http::Response other = house_.Ask(viewer_, "GET", "/api/v1/events");
  ASSERT_TRUE(house_.house.catalog()
                  .access()
                  .RevokeToken(house_.house.context(), house_.last_token.id,
                               absl::Now())
                  .ok());
  EXPECT_THAT(ReadUntil(*stream.stream, "<never>"), HasSubstr("<over>"));
  EXPECT_TRUE(other.stream->is_open());
  other.stream->Close();
}

TEST_F(ApiTest, AJobsStreamTellsOfItUntilItIsOver) {
  const std::string id = house_.AddJob();
  const std::string target = "/api/v1/jobs/" + id;
  const http::Response stream = house_.Ask(viewer_, "GET", target + "/events");
  EXPECT_THAT(ReadUntil(*stream.stream, "\n\n"), HasSubstr("\"pending\""));
  house_.Ask(operator_, "POST", target + "/cancel");
  EXPECT_THAT(ReadUntil(*stream.stream, "<never>"),
              HasSubstr("\"interrupted\""));
  const http::Response over = house_.Ask(viewer_, "GET", target + "/events");
  EXPECT_THAT(ReadUntil(*over.stream, "<never>"), HasSubstr("<over>"));
}

// --- the service itself

TEST_F(ApiTest, ReadyBecomesFalseFirst) {
  EXPECT_EQ(house_.Ask("", "GET", "/readyz").status, 200);
  house_.api->BeginDrain();
  const http::Response response = house_.Ask("", "GET", "/readyz");
  EXPECT_EQ(response.status, 503);
  EXPECT_TRUE(response.headers.Find("Retry-After").has_value());
  EXPECT_EQ(house_.Ask("", "GET", "/healthz").status, 200);
  EXPECT_EQ(house_.Ask(viewer_, "GET", "/api/v1/jobs").status, 200);
}

TEST_F(ApiTest, MetricsTellOfPlansReposAndJobsAndForgetWhatIsGone) {
  house_.BackUp(house_.AddPlan());
  house_.AddJob();
  const std::string metrics_token = house_.Token(Role::kMetrics);
  const std::string text = house_.Ask(metrics_token, "GET", "/metrics").body;
  for (const char* line :
       {"sluice_backup_last_success_timestamp_seconds{plan=\"hourly\",repo="
        "\"disk\",store=\"",
        "sluice_backup_last_attempt_timestamp_seconds{plan=\"hourly\",repo="
        "\"disk\"} ",
        "sluice_plan_overdue{plan=\"hourly\",repo=\"disk\"} 0",
        "sluice_backup_runs_total{plan=\"hourly\",repo=\"disk\",outcome="
        "\"succeeded\"} 1",
        "sluice_backup_duration_seconds_bucket{plan=\"hourly\",repo=\"disk\","
        "le=\"+Inf\"} 1",
        "sluice_backup_duration_seconds_sum{", "sluice_backup_size_bytes{",
        "sluice_schedule_next_due_timestamp_seconds{",
        "sluice_jobs{status=\"pending\"} 1",
        "sluice_jobs{status=\"running\"} 0",
        "sluice_repo_archives{repo=\"disk\"} 1",
        "# TYPE sluice_schedule_missed_total counter",
        "# TYPE sluice_retention_removed_total counter",
        "# TYPE sluice_last_verified_timestamp_seconds gauge",
        "# TYPE sluice_last_proven_restore_timestamp_seconds gauge"}) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  if (const char* folder = std::getenv("TEST_UNDECLARED_OUTPUTS_DIR")) {
    std::ofstream(std::string(folder) + "/metrics.txt") << text;
  }
  EXPECT_EQ(house_.Ask(admin_, "DELETE", "/api/v1/plans/hourly").status, 204);
  const std::string after = house_.Ask(metrics_token, "GET", "/metrics").body;
  EXPECT_THAT(after, Not(HasSubstr("plan=\"hourly\"")));
  EXPECT_THAT(after, Not(HasSubstr("sluice_backup_size_bytes{")));
}

TEST_F(ApiTest, APlanWithoutASuccessIsOverdueOnceItsTimeIsLongOver) {
  Plan plan = house_.house.HourlyPlan(house_.house.store_uri());
  plan.set_created_at_ms(absl::ToUnixMillis(absl::Now() - absl::Hours(5)));
  house_.house.AddAsDue(plan);
  EXPECT_THAT(
      house_.Ask(admin_, "GET", "/metrics").body,
      HasSubstr("sluice_plan_overdue{plan=\"hourly\",repo=\"disk\"} 1"));
  house_.Ask(operator_, "POST", "/api/v1/plans/hourly/pause");
  EXPECT_THAT(
      house_.Ask(admin_, "GET", "/metrics").body,
      HasSubstr("sluice_plan_overdue{plan=\"hourly\",repo=\"disk\"} 0"));
}

// What a scrape keeps of plans is never older than the catalog.
TEST_F(ApiTest, AScrapeTellsOfAPlanAsItIsNow) {
  const Plan plan = house_.AddPlan();
  const auto has = [&](absl::string_view line) {
    return absl::StrContains(house_.Ask(admin_, "GET", "/metrics").body, line);
  };
  EXPECT_TRUE(has("sluice_plan_overdue{plan=\"hourly\",repo=\"disk\"} 0"));
  // As another process does it, and this one is not told.
  auto& plans = house_.house.catalog().plans();
  Plan renamed = *plans.GetPlan(house_.house.context(), plan.id());
  renamed.set_name("daily");
  renamed.set_revision(renamed.revision() + 1);
  const auto targets = plans.ListTargets(house_.house.context(), plan.id());
  ASSERT_TRUE(plans.UpdatePlan(house_.house.context(), renamed, *targets).ok());
  EXPECT_TRUE(has("{plan=\"daily\",repo=\"disk\"}"));
  EXPECT_FALSE(has("hourly"));
  // Of a zone that this machine does not have: it does not run.
  renamed.mutable_spec()->set_zone("Mars/Olympus");
  renamed.set_revision(renamed.revision() + 1);
  ASSERT_TRUE(plans.UpdatePlan(house_.house.context(), renamed, *targets).ok());
  for (int scrape = 0; scrape < 2; ++scrape) {
    EXPECT_TRUE(has("sluice_plan_overdue{plan=\"daily\",repo=\"disk\"} 1"));
  }
}

// What a reference stands for is in nothing that anybody is told.
TEST_F(ApiTest, ASecretIsInNoAnswerEventMetricOrAuditRow) {
  constexpr char kCanary[] = "canary-5b1d0c";
  ASSERT_EQ(setenv("SLUICE_API_CANARY", kCanary, 1), 0);
  ASSERT_TRUE(house_.house.host().RegisterStatic(&kPostgresPlugin).ok());
  const http::Response stream = house_.Ask(viewer_, "GET", "/api/v1/events");
  Json plan = {
      {"name", "secret"},
      {"source", "postgresql://127.0.0.1:1/db?password=env:SLUICE_API_CANARY"},
      {"repos", {"disk"}}};
  std::string all = Post("local", "/api/v1/plans", plan).body;  // cannot open
  plan["check"] = false;
  const http::Response made = Post("local", "/api/v1/plans", plan);
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_THAT(made.body, HasSubstr("env:SLUICE_API_CANARY"));
  const http::Response run =
      house_.Ask(operator_, "POST", "/api/v1/plans/secret/run");
  ASSERT_EQ(run.status, 202) << run.body;
  const std::string job = JsonOf(run)["job"]["id"];
  auto& catalog = house_.house.catalog();
  auto claimed = catalog.queue().Claim(house_.house.context(), {absl::Now()});
  ASSERT_TRUE(claimed.ok() && claimed->has_value());
  JobRunnerOptions options;
  options.owner = "test/1";
  JobRunner runner(&catalog, &house_.house.host(), options);
  EXPECT_FALSE(runner.Run(house_.house.context(), **claimed).ok());
  absl::StrAppend(&all, made.body, run.body,
                  ReadUntil(*stream.stream, "job.finished"));
  stream.stream->Close();
  for (const std::string& target :
       {std::string("/api/v1/plans"), std::string("/api/v1/jobs"),
        "/api/v1/jobs/" + job, std::string("/api/v1/audit"),
        std::string("/api/v1/repos"), std::string("/metrics"),
        std::string("/api/v1/plans/secret/firings")}) {
    const http::Response response = house_.Ask(admin_, "GET", target);
    EXPECT_EQ(response.status, 200) << target;
    all += response.body;
  }
  EXPECT_THAT(all, Not(HasSubstr(kCanary)));
  EXPECT_THAT(all, HasSubstr("failed"));
}

// --- OpenAPI

TEST(OpenApiTest, TheDocumentInDocsIsTheOneThatIsServed) {
  std::ifstream file("docs/openapi.json");
  const std::string kept((std::istreambuf_iterator<char>(file)),
                         std::istreambuf_iterator<char>());
  EXPECT_TRUE(kept == OpenApiText())
      << "bazel run //service/http/api:make_openapi > docs/openapi.json";
}

TEST(OpenApiTest, EachRouteIsInItAndEachSchemaThatIsNamedIsThere) {
  const Json document = Json::parse(OpenApiText());
  for (const ApiRoute& route : ApiRoutes()) {
    std::string method = route.method;
    for (char& c : method) c = static_cast<char>(std::tolower(c));
    ASSERT_TRUE(document["paths"][route.pattern].contains(method))
        << route.operation;
    EXPECT_TRUE(route.answer.empty() ||
                document["components"]["schemas"].contains(route.answer))
        << route.answer;
  }
}

}  // namespace
}  // namespace sluice::service
