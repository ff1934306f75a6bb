#include "sluice/service/http/message/router.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::http {
namespace {

using ::testing::HasSubstr;

// A route whose answer is its operation and the name's value.
Route Says(std::string method, std::string pattern, std::string operation) {
  Route route;
  route.method = std::move(method);
  route.pattern = std::move(pattern);
  route.operation = operation;
  route.handler = [operation](Request& request) {
    return TextResponse(200, "text/plain",
                        operation + " " + request.params["name"]);
  };
  return route;
}

Router Make(Router::Guard guard = nullptr) {
  auto router = Router::Create(
      {Says("GET", "/plans/{name}", "getPlan"),
       Says("DELETE", "/plans/{name}", "deletePlan"),
       Says("GET", "/plans/next", "nextPlan"),
       Says("POST", "/plans/{name}/run", "runPlan"), Says("GET", "/", "root")},
      std::move(guard));
  EXPECT_TRUE(router.ok()) << router.status();
  return *std::move(router);
}

Response Ask(const Router& router, std::string method,
             std::vector<std::string> path) {
  Request request;
  request.method = std::move(method);
  request.path = std::move(path);
  return router.Handle(request);
}

TEST(RouterTest, FindsTheRouteAndItsNames) {
  const Router router = Make();
  EXPECT_EQ(Ask(router, "GET", {"plans", "a/b"}).body, "getPlan a/b");
  EXPECT_EQ(Ask(router, "POST", {"plans", "x", "run"}).body, "runPlan x");
  EXPECT_EQ(Ask(router, "GET", {}).body, "root ");
  EXPECT_EQ(Ask(router, "POST", {"plans", "x", "run"}).route,
            "/plans/{name}/run");
}

TEST(RouterTest, WhatIsWrittenOutGoesBeforeAName) {
  EXPECT_EQ(Ask(Make(), "GET", {"plans", "next"}).body, "nextPlan ");
}

TEST(RouterTest, AnUnknownPathIs404AndAnotherMethod405WithAllow) {
  const Router router = Make();
  EXPECT_EQ(Ask(router, "GET", {"plan"}).status, 404);
  EXPECT_EQ(Ask(router, "GET", {"plans", ""}).status, 404);
  EXPECT_EQ(Ask(router, "GET", {"plans", "x", ""}).status, 404);
  const Response response = Ask(router, "PATCH", {"plans", "x"});
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(*response.headers.Find("Allow"), "DELETE, GET, HEAD, OPTIONS");
  EXPECT_EQ(response.route, "/plans/{name}");
  EXPECT_EQ(Ask(router, "BREW", {"plans", "x"}).status, 501);
}

TEST(RouterTest, HeadIsAskedOfGetAndOptionsOfTheTable) {
  const Router router = Make();
  EXPECT_EQ(Ask(router, "HEAD", {"plans", "x"}).body, "getPlan x");
  EXPECT_EQ(Ask(router, "HEAD", {"plans", "x", "run"}).status, 405);
  const Response response = Ask(router, "OPTIONS", {"plans", "x", "run"});
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(*response.headers.Find("Allow"), "OPTIONS, POST");
  EXPECT_EQ(Ask(router, "OPTIONS", {"nowhere"}).status, 404);
}

TEST(RouterTest, TheGuardAnswersBeforeTheHandlerAndKnowsTheRoute) {
  const Router router = Make([](Request& request) -> absl::optional<Response> {
    if (request.route->operation != "deletePlan") return absl::nullopt;
    return TextResponse(403, "text/plain", request.params["name"]);
  });
  EXPECT_EQ(Ask(router, "DELETE", {"plans", "x"}).status, 403);
  EXPECT_EQ(Ask(router, "DELETE", {"plans", "x"}).body, "x");
  EXPECT_EQ(Ask(router, "GET", {"plans", "x"}).status, 200);
}

TEST(RouterTest, ATableThatMeansTwoThingsIsRefused) {
  const auto refusal = [](std::vector<Route> routes) {
    return std::string(Router::Create(std::move(routes)).status().message());
  };
  EXPECT_THAT(refusal({Says("GET", "/a/{x}", "a"), Says("GET", "/a/{y}", "b")}),
              HasSubstr("two routes are GET /a/{y}"));
  EXPECT_THAT(refusal({Says("GET", "/a", "a"), Says("GET", "/b", "a")}),
              HasSubstr("called a"));
  EXPECT_THAT(refusal({Says("GET", "a", "a")}), HasSubstr("begin with"));
  EXPECT_THAT(refusal({Says("GET", "/a//b", "a")}), HasSubstr("segment"));
  EXPECT_THAT(refusal({Says("HEAD", "/a", "a")}), HasSubstr("method"));
  Route changing = Says("GET", "/a", "a");
  changing.changes_state = true;
  EXPECT_THAT(refusal({changing}), HasSubstr("change state"));
}

}  // namespace
}  // namespace sluice::http
