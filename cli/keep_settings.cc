#include "sluice/cli/keep_settings.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/mutex.h"
#include "sluice/base/thread.h"
#include "sluice/cli/verbs/asking.h"
#include "sluice/service/engine/presence.h"
#include "sluice/service/engine/settings_keeper.h"

namespace sluice::cli {
namespace {

// For all repos; a thread that a place holds longer is left to itself.
constexpr absl::Duration kRepoPatience = absl::Seconds(5);

struct Keeping {
  Mutex mutex;
  CondVar ended;
  bool over ABSL_GUARDED_BY(mutex) = false;
  std::vector<std::pair<std::string, absl::Status>> problems
      ABSL_GUARDED_BY(mutex);
};

// Whether it was over in time.
bool AwaitOver(Keeping& keeping) {
  const absl::Duration end = Clock::Real()->SinceBoot() + kRepoPatience;
  MutexLock lock(keeping.mutex);
  while (!keeping.over) {
    const absl::Duration left = end - Clock::Real()->SinceBoot();
    if (left <= absl::ZeroDuration()) return false;
    Clock::Real()->WaitFor(keeping.ended, lock, left);
  }
  return true;
}

void LogProblems(Console& console, Keeping& keeping) {
  MutexLock lock(keeping.mutex);
  for (const auto& [what, problem] : keeping.problems) {
    console.Log(LogLevel::kWarning, "settings not kept in a repo",
                {{"what", what},
                 {"error_code", ErrorCodeOf(problem)},
                 {"error", std::string(problem.message())}});
  }
}

// A verb that has just worked in a repo may reach what was away before.
bool WorksInRepos(const Command& command) {
  for (const absl::string_view path :
       {"backup", "plan run", "prune", "reconcile", "sweep"}) {
    if (command.verb->path == path) return true;
  }
  return false;
}

Catalog* ToBeTold(Session& session) {
  Catalog* const changed = session.ChangedCatalog();
  if (changed != nullptr || !WorksInRepos(session.command())) return changed;
  Catalog* const catalog = session.opened_catalog();
  const bool behind = catalog != nullptr && service::SettingsKeeper::IsBehind(
                                                session.context(), *catalog);
  return behind ? catalog : nullptr;
}

}  // namespace

bool KeepSettings(Session& session) {
  Catalog* const catalog = ToBeTold(session);
  if (catalog == nullptr || session.context().done()) return false;
  const absl::StatusOr<bool> served = service::NodePresence::AnyIsThere(
      session.context(), *catalog, *Clock::Real());
  const absl::StatusOr<PluginHost*> host = session.host();
  if (served.value_or(true) || !host.ok()) return false;
  const auto keeping = std::make_shared<Keeping>();
  service::SettingsKeeperOptions options;
  options.owner = Owner();
  options.machine_id = ThisMachine(session);
  options.on_problem = [keeping](absl::string_view what,
                                 const absl::Status& problem) {
    MutexLock lock(keeping->mutex);
    keeping->problems.emplace_back(what, DeepCopy(problem));
  };
  const Context context =
      Context::WithTimeout(session.context(), Clock::Real(), kRepoPatience)
          .first;
  absl::StatusOr<Thread> thread = Thread::Start(
      "settings", [keeping, catalog, plugins = *host, options, context] {
        service::SettingsKeeper(catalog, plugins, options).Keep(context);
        MutexLock lock(keeping->mutex);
        keeping->over = true;
        keeping->ended.NotifyAll();
      });
  if (!thread.ok()) return false;
  const bool over = AwaitOver(*keeping);
  if (over) {
    thread->Join();
  } else {
    thread->Detach();
  }
  LogProblems(session.console(), *keeping);
  return !over;
}

}  // namespace sluice::cli
