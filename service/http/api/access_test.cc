// Who may do what: each route by each role, and what a plan's token sees.

#include "sluice/service/http/api/access.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/clock.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/service/http/api/route.h"
#include "sluice/service/http/api/testing/api_house.h"
#include "sluice/service/settings/machine.h"

namespace sluice::service {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

// What it names is not there: so nothing that it may do is done.
std::string TargetOf(const ApiRoute& route) {
  return absl::StrReplaceAll(route.pattern,
                             {{"{id}", "nobody"}, {"{name}", "nobody"}});
}

class AccessTest : public ::testing::Test {
 protected:
  ApiHouse house_;
};

TEST_F(AccessTest, EachRouteAsksForItsRoleAndNoLess) {
  house_.AddPlan();
  for (const ApiRoute& route : ApiRoutes()) {
    SCOPED_TRACE(route.operation);
    const std::string target = TargetOf(route);
    const int nobody = house_.Ask("", route.method, target).status;
    const int unknown =
        house_.Ask("sluice_unknown", route.method, target).status;
    if (!route.role.has_value()) {
      EXPECT_EQ(nobody, 200);
      continue;
    }
    EXPECT_EQ(nobody, 401);
    EXPECT_EQ(unknown, 401);
    for (const Role role :
         {Role::kMetrics, Role::kViewer, Role::kOperator, Role::kAdmin}) {
      SCOPED_TRACE(RoleWord(role));
      const http::Response response =
          house_.Ask(house_.Token(role), route.method, target);
      if (role < *route.role) {
        EXPECT_EQ(response.status, 403);
      } else {
        EXPECT_THAT(response.status, Not(AnyOf(401, 403, 500, 503)))
            << response.body;
      }
    }
    const http::Response limited =
        house_.Ask(house_.Token(Role::kAdmin, kPlanId), route.method, target);
    if (route.whole_catalog) {
      EXPECT_EQ(limited.status, 403);
    } else {
      EXPECT_THAT(limited.status, Not(AnyOf(401, 403, 500, 503)))
          << limited.body;
    }
  }
}

// So that a route which asks for less than it did is seen by who reviews it.
TEST_F(AccessTest, WhatEachRoleMayDoIsWrittenDownTwice) {
  std::map<std::string, std::string> said;
  for (const ApiRoute& route : ApiRoutes()) {
    const std::string role =
        route.role.has_value() ? std::string(RoleWord(*route.role)) : "anybody";
    absl::StrAppend(&said[role], route.operation, " ");
  }
  EXPECT_EQ(said["anybody"], "healthz readyz version ");
  EXPECT_EQ(said["metrics"], "beginSession endSession metrics nodeMetrics ");
  EXPECT_EQ(said["viewer"],
            "listBackups getBackup listJobs getJob followJob followEvents "
            "listPlans getPlan nextTimesOfPlan previewRetention listFirings "
            "listRepos getRepo listArchives listNotifications openapi ");
  EXPECT_EQ(said["operator"],
            "createBackup changeBackup verifyBackup dryRunRestore "
            "createRestore cancelJob runPlan pausePlan resumePlan "
            "retryNotification ");
  EXPECT_EQ(said["admin"],
            "deleteBackup createPlan changePlan deletePlan createRepo "
            "changeRepo deleteRepo listTokens createToken revokeToken "
            "listAudit ");
}

// Its engine waits, so what was taken here would be done by nobody, or much
// later.
TEST_F(AccessTest, ACopyOfAnotherMachinesCatalogIsReadAndNotChanged) {
  const Context& context = house_.house.context();
  Catalog& catalog = house_.house.catalog();
  const Plan plan = house_.AddPlan();
  ASSERT_TRUE(ClaimMachine(context, catalog, "first").ok());
  ApiOptions options;
  options.machine_id = "second";
  house_.Open(options);
  std::string taken;
  for (const ApiRoute& route : ApiRoutes()) {
    SCOPED_TRACE(route.operation);
    const http::Response answer =
        house_.Ask("local", route.method, TargetOf(route));
    if (CodeOf(answer) != kCatalogCloned) {
      if (route.method != "GET") absl::StrAppend(&taken, route.operation, " ");
      continue;
    }
    EXPECT_EQ(answer.status, 409);
    EXPECT_THAT(answer.body, HasSubstr("--take-over"));
    EXPECT_THAT(answer.body, Not(HasSubstr("first")));
    // Who may not do it is told nothing else.
    EXPECT_EQ(house_.Ask("", route.method, TargetOf(route)).status, 401);
  }
  EXPECT_EQ(taken, "dryRunRestore revokeToken beginSession endSession ");
  const std::string run = "/api/v1/plans/hourly/run";
  EXPECT_EQ(CodeOf(house_.Ask("local", "POST", run)), kCatalogCloned);
  EXPECT_TRUE(catalog.ListJobs(context, {})->empty());
  const auto before = catalog.plans().GetPlan(context, plan.id());
  EXPECT_EQ(CodeOf(house_.Ask("local", "POST", "/api/v1/plans/hourly/pause")),
            kCatalogCloned);
  EXPECT_EQ(catalog.plans().GetPlan(context, plan.id())->revision(),
            before->revision());
  // What was asked for and refused is seen afterwards.
  EXPECT_EQ(catalog.access().ListAudit(context, 0, 1)->at(0).outcome,
            kCatalogCloned);
  ASSERT_TRUE(TakeOverCatalog(context, catalog, "second", *Clock::Real()).ok());
  EXPECT_EQ(house_.Ask("local", "POST", run).status, 202);
  // A service that was there all the time sees that it is another's now.
  ASSERT_TRUE(TakeOverCatalog(context, catalog, "third", *Clock::Real()).ok());
  EXPECT_EQ(CodeOf(house_.Ask("local", "POST", run)), kCatalogCloned);
}

TEST_F(AccessTest, APlansTokenSeesAndTouchesThatPlansThingsAlone) {
  house_.AddPlan();
  const std::string own = house_.AddJob(kPlanId);
  const std::string foreign = house_.AddJob("other");
  const std::string record = house_.BackUp(Plan());  // by hand
  const std::string token = house_.Token(Role::kAdmin, kPlanId);
  EXPECT_EQ(house_.Ask(token, "GET", "/api/v1/jobs/" + own).status, 200);
  for (const auto& [method, target] :
       std::vector<std::pair<std::string, std::string>>{
           {"GET", "/api/v1/jobs/" + foreign},
           {"GET", "/api/v1/jobs/" + foreign.substr(0, 4)},
           {"GET", "/api/v1/jobs/" + foreign + "/events"},
           {"POST", "/api/v1/jobs/" + foreign + "/cancel"},
           {"GET", "/api/v1/backups/" + record},
           {"DELETE", "/api/v1/backups/" + record},
           {"POST", "/api/v1/backups/" + record + "/verify"},
           {"GET", "/api/v1/jobs?plan=another"}}) {
    EXPECT_EQ(house_.Ask(token, method, target).status, 404)
        << method << " " << target;
  }
  const http::Response jobs = house_.Ask(token, "GET", "/api/v1/jobs");
  EXPECT_THAT(jobs.body, HasSubstr(own));
  EXPECT_THAT(jobs.body, Not(HasSubstr(foreign)));
  EXPECT_EQ(JsonOf(house_.Ask(token, "GET", "/api/v1/backups"))["backups"],
            nlohmann::json::array());
  EXPECT_EQ(house_
                .Ask(token, "POST", "/api/v1/backups",
                     R"({"source": "memory:?keys=1", "repo": "disk"})")
                .status,
            403);
  EXPECT_EQ(
      house_
          .Ask(token, "PATCH", "/api/v1/plans/hourly", R"({"repos": ["disk"]})")
          .status,
      403);
  EXPECT_EQ(house_.Ask(token, "POST", "/api/v1/plans/hourly/pause").status,
            200);
  EXPECT_EQ(house_.Ask(token, "GET", "/api/v1/repos/disk").status, 200);
}

TEST_F(AccessTest, ASessionIsItsTokenInACookieAndDiesWithIt) {
  const std::string token = house_.Token(Role::kViewer);
  const std::string id = house_.last_token.id;
  const http::Response begun = house_.Ask(token, "POST", "/api/v1/session");
  ASSERT_EQ(begun.status, 200);
  const std::string cookie(*begun.headers.Find("Set-Cookie"));
  EXPECT_THAT(cookie, HasSubstr("HttpOnly; SameSite=Strict"));
  EXPECT_THAT(cookie, Not(HasSubstr(token)));
  const ApiHouse::Fields with = {
      {"Cookie", cookie.substr(0, cookie.find(';'))}};
  EXPECT_EQ(house_.Ask("", "GET", "/api/v1/jobs", "", with).status, 200);
  EXPECT_EQ(house_.Ask("", "POST", "/api/v1/session", "", with).status, 400)
      << "a session begets none";
  ASSERT_TRUE(house_.house.catalog()
                  .access()
                  .RevokeToken(house_.house.context(), id, absl::Now())
                  .ok());
  EXPECT_EQ(house_.Ask("", "GET", "/api/v1/jobs", "", with).status, 401);

  const http::Response other =
      house_.Ask(house_.Token(Role::kViewer), "POST", "/api/v1/session");
  const std::string second(*other.headers.Find("Set-Cookie"));
  const ApiHouse::Fields again = {
      {"Cookie", "a=b; " + second.substr(0, second.find(';'))}};
  EXPECT_EQ(house_.Ask("", "DELETE", "/api/v1/session", "", again).status, 204);
  EXPECT_EQ(house_.Ask("", "GET", "/api/v1/jobs", "", again).status, 401);
}

TEST_F(AccessTest, AUnixPeerIsWhoTheKernelSaysAndATokenGoesBeforeIt) {
  EXPECT_EQ(house_.Ask("local", "GET", "/api/v1/audit").status, 200);
  const ApiHouse::Fields viewer = {
      {"Authorization", "Bearer " + house_.Token(Role::kViewer)}};
  EXPECT_EQ(house_.Ask("local", "GET", "/api/v1/audit", "", viewer).status,
            403);
  const ApiHouse::Fields unknown = {{"Authorization", "Bearer sluice_no"}};
  EXPECT_EQ(house_.Ask("local", "GET", "/api/v1/audit", "", unknown).status,
            401);

  Gatekeeper keeper(&house_.house.catalog().access(), Clock::Real(), 4242);
  http::Request request;
  request.peer.is_unix = true;
  request.peer.uid = 65533;
  EXPECT_FALSE(keeper.Identify(house_.house.context(), request)->has_value());
  request.peer.gid = 4242;
  const auto member = keeper.Identify(house_.house.context(), request);
  ASSERT_TRUE(member.ok() && member->has_value());
  EXPECT_EQ((*member)->role, Role::kOperator);
  EXPECT_FALSE((*member)->is_local_admin);
}

TEST_F(AccessTest, WhoeverComesThroughAProxyIsNotTheProxysUser) {
  Gatekeeper keeper(&house_.house.catalog().access(), Clock::Real(),
                    absl::nullopt);
  for (const char* name : {"Forwarded", "via", "X-Forwarded-For", "X-Real-IP",
                           "x-forwarded-host"}) {
    http::Request request;
    request.peer.is_unix = true;
    request.peer.uid = 0;
    EXPECT_TRUE(keeper.Identify(house_.house.context(), request)->has_value());
    request.headers.Add(name, "203.0.113.7");
    EXPECT_FALSE(keeper.Identify(house_.house.context(), request)->has_value())
        << name;
  }
}

TEST_F(AccessTest, WhatWasDoneAndWhatWasRefusedIsInTheAuditList) {
  house_.AddPlan();
  const std::string viewer = house_.Token(Role::kViewer);
  const std::string who = "token " + house_.last_token.id;
  house_.Ask(viewer, "DELETE", "/api/v1/plans/hourly");
  house_.Ask("local", "POST", "/api/v1/plans/hourly/pause");
  house_.Ask("", "POST", "/api/v1/plans/hourly/run");
  const auto audit =
      JsonOf(house_.Ask("local", "GET", "/api/v1/audit"))["audit"];
  ASSERT_EQ(audit.size(), 2u) << "nobody's attempts fill no catalog";
  EXPECT_EQ(audit[0]["action"], "pausePlan");
  EXPECT_EQ(audit[0]["target"], "hourly");
  EXPECT_EQ(audit[0]["outcome"], "ok");
  EXPECT_EQ(audit[0]["who"], absl::StrCat("uid ", geteuid()));
  EXPECT_EQ(audit[1]["action"], "deletePlan");
  EXPECT_EQ(audit[1]["outcome"], "forbidden");
  EXPECT_EQ(audit[1]["who"], who);
}

TEST_F(AccessTest, ATokenIsShownOnceAndItsUseIsNoted) {
  const http::Response made =
      house_.Ask("local", "POST", "/api/v1/tokens",
                 R"({"role": "viewer", "label": "ci", "expires_in": "30d"})");
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string token = JsonOf(made)["token"];
  EXPECT_EQ(house_.Ask(token, "GET", "/api/v1/plans").status, 200);
  const http::Response list = house_.Ask("local", "GET", "/api/v1/tokens");
  EXPECT_THAT(list.body, Not(HasSubstr(token)));
  EXPECT_THAT(list.body, Not(HasSubstr(Sha256Of(token))));
  EXPECT_FALSE(JsonOf(list)["tokens"][0]["last_used_at"].is_null());
  const std::string id = JsonOf(list)["tokens"][0]["id"];
  EXPECT_EQ(house_.Ask("local", "DELETE", "/api/v1/tokens/" + id).status, 204);
  EXPECT_EQ(house_.Ask(token, "GET", "/api/v1/plans").status, 401);
  EXPECT_EQ(house_.Ask("local", "POST", "/api/v1/tokens", R"({"role": "root"})")
                .status,
            400);
}

}  // namespace
}  // namespace sluice::service
