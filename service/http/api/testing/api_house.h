#ifndef SLUICE_SERVICE_HTTP_API_TESTING_API_HOUSE_H_
#define SLUICE_SERVICE_HTTP_API_TESTING_API_HOUSE_H_

// A test's house with the API before it, without a socket.

#include <sched.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "sluice/executor/ulid.h"
#include "sluice/service/admin/tokens.h"
#include "sluice/service/http/api/api.h"
#include "sluice/service/http/message/target.h"
#include "sluice/service/testing/test_house.h"
#include "sluice/service/work/job_runner.h"

namespace sluice::service {

inline constexpr absl::string_view kPlanId = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

class ApiHouse {
 public:
  explicit ApiHouse(ApiOptions options = {}) { Open(std::move(options)); }

  // The API anew; sessions and streams go.
  void Open(ApiOptions options) {
    options.poll = absl::Milliseconds(5);
    auto opened =
        Api::Create(&house.catalog(), &house.host(), nullptr, options);
    EXPECT_TRUE(opened.ok()) << opened.status();
    api = *std::move(opened);
  }

  // A token, as one presents it. `plan_id`: limited to that.
  std::string Token(Role role, absl::string_view plan_id = "") {
    TokenWish wish;
    wish.role = role;
    wish.plan_id = std::string(plan_id);
    auto made = CreateToken(house.context(), house.catalog().access(),
                            *Clock::Real(), wish);
    EXPECT_TRUE(made.ok()) << made.status();
    last_token = made->row;
    return made->token;
  }

  // The plan "hourly" of kPlanId, due now, from a memory store into "disk".
  Plan AddPlan() {
    Plan plan = house.HourlyPlan(house.store_uri());
    plan.set_id(std::string(kPlanId));
    house.AddAsDue(plan);
    return plan;
  }

  // Of that plan; the record's id.
  std::string BackUp(const Plan& plan) {
    const QueuedRun run = house.ClaimBackup(plan);
    JobRunnerOptions options;
    options.owner = "test/1";
    JobRunner runner(&house.catalog(), &house.host(), options);
    const absl::Status status = runner.Run(house.context(), run);
    EXPECT_TRUE(status.ok()) << status;
    return house.catalog()
        .GetJob(house.context(), run.job.id())
        ->job.record_id();
  }

  // A pending job that nobody will do.
  std::string AddJob(absl::string_view plan_id = "") {
    QueuedRun run;
    run.job.set_id(NewUlid(*Clock::Real()));
    run.job.set_kind(BackupJob::VERIFY);
    run.job.set_status(BackupJob::PENDING);
    run.job.set_stage("queued");
    run.job.set_repo_id(house.repo_id());
    run.job.set_plan_id(std::string(plan_id));
    run.job.set_created_at_ms(absl::ToUnixMillis(absl::Now()));
    run.request.set_job_id(run.job.id());
    run.request.set_plan_id(std::string(plan_id));
    const auto queued = house.catalog().queue().Enqueue(house.context(), run);
    EXPECT_TRUE(queued.ok()) << queued.status();
    return run.job.id();
  }

  using Fields = std::vector<std::pair<std::string, std::string>>;

  // `token` empty: nobody; "local": this process's user on the unix socket.
  http::Response Ask(absl::string_view token, absl::string_view method,
                     absl::string_view target, absl::string_view body = "",
                     const Fields& headers = {}) {
    const auto parsed = http::ParseRequestTarget(target);
    EXPECT_TRUE(parsed.ok()) << target << parsed.status();
    http::Request request;
    request.method = std::string(method);
    request.path = parsed->path;
    request.query = parsed->query;
    request.body = std::string(body);
    request.peer.address = "127.0.0.1";
    if (token == "local") {
      request.peer.is_unix = true;
      request.peer.uid = geteuid();
    } else if (!token.empty()) {
      request.headers.Add("Authorization", absl::StrCat("Bearer ", token));
    }
    if (!body.empty()) request.headers.Add("Content-Type", "application/json");
    for (const auto& [name, value] : headers) request.headers.Set(name, value);
    return api->Handle(request);
  }

  TestHouse house;
  std::unique_ptr<Api> api;
  AccessToken last_token;
};

inline nlohmann::json JsonOf(const http::Response& response) {
  return nlohmann::json::parse(response.body, nullptr, false);
}

inline std::string CodeOf(const http::Response& response) {
  const nlohmann::json json = JsonOf(response);
  return json.is_object() ? json.value("code", "") : "";
}

// What a stream says until `text` is in it, or it is over; a minute at most.
inline std::string ReadUntil(http::ResponseStream& stream,
                             absl::string_view text) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  std::string said;
  char buffer[4096];
  while (said.find(std::string(text)) == std::string::npos &&
         std::chrono::steady_clock::now() < end) {
    const auto taken = stream.Take(buffer, sizeof(buffer));
    said.append(buffer, taken.bytes);
    if (taken.is_over) return said + "<over>";
    sched_yield();
  }
  return said;
}

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_HTTP_API_TESTING_API_HOUSE_H_
