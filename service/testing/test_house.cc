#include "sluice/service/testing/test_house.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"
#include "sluice/destinations/archive/protocol/repo.h"
#include "sluice/destinations/local/factory.h"
#include "sluice/executor/ulid.h"
#include "sluice/plugins/memory/factory.h"
#include "sluice/service/plan/plan_run.h"
#include "sluice/service/work/open_repo.h"

namespace sluice::service {
namespace {

void DieUnlessOk(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "the test's house: %s\n", status.ToString().c_str());
  abort();
}

std::string NewFolder() {
  std::string folder = absl::StrCat(::testing::TempDir(), "/house-XXXXXX");
  if (mkdtemp(folder.data()) == nullptr) abort();
  return folder;
}

}  // namespace

TestHouse::TestHouse() : TestHouse(NewFolder()) {}

TestHouse::TestHouse(const std::string& folder) : folder_(folder) {
  mkdir((folder_ + "/data").c_str(), 0755);
  mkdir(repo_folder().c_str(), 0755);
  std::ofstream(folder_ + "/data/a") << "a\n";
  catalog_ = OpenCatalogAgain();
  DieUnlessOk(host_.RegisterStatic(&kMemoryPlugin));
  DieUnlessOk(host_.RegisterStatic(&kLocalPlugin));
  BackupRepo repo;
  repo.set_name("disk");
  repo.set_kind("local");
  repo.set_config("local:" + repo_folder());
  auto place = host_.OpenPlace(repo.config());
  DieUnlessOk(place.status());
  RepoInfo info;
  info.id = NewUlid(*Clock::Real());
  info.created_at = "2026-01-01T00:00:00Z";
  DieUnlessOk(InitRepo(context_, **place, info).status());
  repo.set_id(info.id);
  repo_id_ = info.id;
  DieUnlessOk(catalog_->AddRepo(context_, repo));
}

std::string TestHouse::store_uri() const {
  return absl::StrCat("memory:?load=", folder_, "/data");
}

std::unique_ptr<Catalog> TestHouse::OpenCatalogAgain() {
  SqliteCatalogOptions options;
  options.path = folder_ + "/catalog.db";
  auto opened = OpenSqliteCatalog(context_, options);
  DieUnlessOk(opened.status());
  return *std::move(opened);
}

OpenedRepo TestHouse::OpenRepoAgain() {
  const auto row = catalog_->GetRepo(context_, repo_id_);
  DieUnlessOk(row.status());
  auto repo = OpenKnownRepo(context_, host_, *row, RepoUse::kWrite, "test/1");
  DieUnlessOk(repo.status());
  return *std::move(repo);
}

Plan TestHouse::HourlyPlan(absl::string_view source) const {
  Plan plan;
  plan.set_id("plan");
  plan.set_name("hourly");
  plan.set_revision(1);
  plan.set_created_at_ms(absl::ToUnixMillis(absl::Now()));
  plan.mutable_spec()->set_source(std::string(source));
  plan.mutable_spec()->add_repos(repo_id_);
  plan.mutable_spec()->set_schedule("@every 1h");
  plan.mutable_spec()->set_jitter_ms(0);
  plan.mutable_spec()->set_attempts(1);
  return plan;
}

void TestHouse::AddAsDue(const Plan& plan) {
  PlanTarget target;
  target.repo_id = repo_id_;
  // As the schedule has it: counted from when it was made.
  target.next_due = absl::FromUnixSeconds(plan.created_at_ms() / 1000);
  target.run_at = target.next_due;
  DieUnlessOk(catalog_->plans().AddPlan(context_, plan, {target}));
}

QueuedRun TestHouse::ClaimBackup(const Plan& plan) {
  QueuedRun run =
      BackupRunOf(plan, repo_id_, NewUlid(*Clock::Real()), absl::Now());
  DieUnlessOk(catalog_->queue().Enqueue(context_, run).status());
  auto claimed = catalog_->queue().Claim(context_, {absl::Now()});
  DieUnlessOk(claimed.status());
  if (!claimed->has_value()) abort();
  return **claimed;
}

}  // namespace sluice::service
