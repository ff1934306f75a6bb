#include "sluice/service/http/message/problem.h"

#include <string>

#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice::http {
namespace {

int StatusOf(absl::string_view word) {
  return HttpStatusOf(MakeError(absl::StatusCode::kUnknown, word, "x"));
}

TEST(ProblemTest, WordsHaveTheStatusThatTheOriginalGaveThem) {
  EXPECT_EQ(StatusOf(kSourceUnavailable), 503);
  EXPECT_EQ(StatusOf(kBackupAlreadyRunning), 409);
  EXPECT_EQ(StatusOf(kRestorePreconditionFailed), 409);
  EXPECT_EQ(StatusOf(kInternal), 500);
  EXPECT_EQ(StatusOf(kJobNotFound), 404);
  EXPECT_EQ(StatusOf(kInvalidArgument), 400);
}

TEST(ProblemTest, WhatADestinationOrASourceRefusesIsNever401Or403) {
  for (const absl::string_view word :
       {kDestinationPermissionDenied, kDestinationNotFound, kDestinationNoSpace,
        kDestinationUnreachable, kDestinationCredentialsInvalid,
        kDestinationPathConflict, kDestinationConfigInvalid,
        kDestinationIoError, kDestinationReadOnly, kDestinationTooLarge,
        kDestinationUnsupported, kSourcePermissionDenied, kSourceWrongKey}) {
    EXPECT_EQ(StatusOf(word), 422) << word;
  }
  EXPECT_EQ(HttpStatusOf(absl::PermissionDeniedError("x")), 500);
  EXPECT_EQ(HttpStatusOf(absl::UnauthenticatedError("x")), 500);
}

TEST(ProblemTest, WithoutAWordTheCanonicalCodeDecides) {
  EXPECT_EQ(HttpStatusOf(absl::NotFoundError("x")), 404);
  EXPECT_EQ(HttpStatusOf(absl::UnavailableError("x")), 503);
  EXPECT_EQ(HttpStatusOf(absl::DeadlineExceededError("x")), 504);
  EXPECT_EQ(HttpStatusOf(absl::UnknownError("x")), 500);
}

TEST(ProblemTest, CarriesCodeHintAndMembers) {
  Problem problem = ProblemFor(
      WithHint(MakeError(absl::StatusCode::kAlreadyExists,
                         kBackupAlreadyRunning, "plan nightly: running"),
               "wait for it"));
  problem.members["running_job_id"] = "01J";
  problem.members["status"] = 200;  // a standard name is not for the taking
  const Response response = ProblemResponse(problem);
  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(*response.headers.Find("content-type"), "application/problem+json");
  EXPECT_EQ(nlohmann::ordered_json::parse(response.body).dump(),
            R"({"type":"urn:sluice:error:backup_already_running",)"
            R"("title":"Backup already running","status":409,)"
            R"("detail":"plan nightly: running",)"
            R"("code":"backup_already_running","hint":"wait for it",)"
            R"("running_job_id":"01J"})");
}

TEST(ProblemTest, SaysHowToAuthenticateAndWhenToComeAgain) {
  EXPECT_TRUE(ProblemResponse(401, kUnauthenticated, "no token")
                  .headers.Find("WWW-Authenticate")
                  .has_value());
  EXPECT_TRUE(ProblemResponse(503, kOverloaded, "full")
                  .headers.Find("Retry-After")
                  .has_value());
}

TEST(ProblemTest, ADetailThatIsNotUtf8IsStillJson) {
  const Response response = ProblemResponse(400, kBadRequest, "bad \xff byte");
  EXPECT_FALSE(
      nlohmann::json::parse(response.body, nullptr, false).is_discarded());
}

}  // namespace
}  // namespace sluice::http
