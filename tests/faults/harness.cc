#include "sluice/tests/faults/harness.h"

#include <filesystem>

#include "absl/time/time.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/testing/memory_folder.h"
#include "sluice/catalog/testing/sqlite_vfs.h"
#include "sluice/tests/faults/hasty_clock.h"

namespace sluice {
namespace {

// Between what was prepared, the verb, and the recovery every lease runs out.
constexpr absl::Duration kStep = absl::Hours(3);

}  // namespace

Harness::Harness()
    : folder_(MakeMemoryFolder("sluice-faults")),
      prepared_(folder_ + "/prepared"),
      root_(folder_ + "/root") {}

Harness::~Harness() { std::filesystem::remove_all(folder_); }

absl::Status Harness::Prepare(Verb verb) {
  std::filesystem::remove_all(prepared_);
  std::filesystem::create_directories(prepared_);
  HastyClock clock;
  SqliteVfs vfs(FileSystem::Posix());
  World world({FileSystem::Posix(), prepared_, &clock, {}, vfs.name()});
  SLUICE_RETURN_IF_ERROR(world.Prepare(verb));
  ids_ = world.ids();
  return absl::OkStatus();
}

void Harness::Refresh() {
  std::filesystem::remove_all(root_);
  std::filesystem::copy(prepared_, root_,
                        std::filesystem::copy_options::recursive);
}

World::Told Harness::Run(Verb verb, FileSystem* files) {
  HastyClock clock(kStep);
  SqliteVfs vfs(files);
  return World({files, root_, &clock, kStep, vfs.name()}, ids_).Run(verb);
}

std::vector<std::string> Harness::Violations(
    Verb verb, const absl::optional<World::Told>& told) {
  HastyClock clock(2 * kStep);
  SqliteVfs vfs(FileSystem::Posix());
  return World({FileSystem::Posix(), root_, &clock, 2 * kStep, vfs.name()},
               ids_)
      .Violations(verb, told);
}

}  // namespace sluice
