// Whatever a request holds, an admin's over HTTP: it is answered with one of
// our own statuses, and never with 500.
//
// An input is a line "METHOD TARGET" and a body.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "sluice/service/admin/tokens.h"
#include "sluice/service/http/api/api.h"
#include "sluice/service/http/message/target.h"
#include "sluice/service/testing/test_house.h"

namespace sluice::service {
namespace {

// Where writes need no disk, if there is such a place.
std::string& Folder() {
  static auto* const kFolder = new std::string;
  return *kFolder;
}

struct Fixture {
  Fixture() {
    char name[] = "/dev/shm/sluice-api-fuzz-XXXXXX";
    if (mkdtemp(name) != nullptr) {
      Folder() = name;
      setenv("TEST_TMPDIR", name, 1);
      std::atexit([] {
        std::error_code ignored;
        std::filesystem::remove_all(Folder(), ignored);
      });
    }
    house = std::make_unique<TestHouse>();
    house->AddAsDue(house->HourlyPlan(house->store_uri()));
    auto opened =
        Api::Create(&house->catalog(), &house->host(), nullptr, ApiOptions());
    if (!opened.ok()) std::abort();
    api = *std::move(opened);
    TokenWish wish;
    wish.role = Role::kAdmin;
    auto made = CreateToken(house->context(), house->catalog().access(),
                            *Clock::Real(), wish);
    if (!made.ok()) std::abort();
    authorization = "Bearer " + made->token;
  }

  std::unique_ptr<TestHouse> house;
  std::unique_ptr<Api> api;
  std::string authorization;
};

void Check(absl::string_view input) {
  static auto* const kFixture = new Fixture;
  const size_t line = std::min(input.find('\n'), input.size());
  const absl::string_view head = input.substr(0, line);
  const size_t blank = std::min(head.find(' '), head.size());
  http::Request request;
  request.method = std::string(head.substr(0, blank));
  auto target = http::ParseRequestTarget(
      blank < head.size() ? head.substr(blank + 1) : "/");
  if (!target.ok()) return;
  request.path = std::move(target->path);
  request.query = std::move(target->query);
  if (line < input.size()) request.body = std::string(input.substr(line + 1));
  request.headers.Add("Authorization", kFixture->authorization);
  request.headers.Add("Content-Type", "application/json");
  const http::Response response = kFixture->api->Handle(request);
  if (response.stream != nullptr) response.stream->Close();
  if (response.status < 200 || response.status == 500 ||
      response.status > 503) {
    std::abort();
  }
  if (response.status >= 400 && response.body.empty()) std::abort();
}

}  // namespace
}  // namespace sluice::service

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  sluice::service::Check(
      absl::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
