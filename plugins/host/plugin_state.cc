#include "sluice/plugins/host/plugin_state.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/plugins/sdk/barrier.h"
#include "sluice/plugins/sdk/error.h"

namespace sluice {
namespace {

void LogLine(void* self, int32_t level, sluice_bytes line) {
  sdk::GuardedQuietly(
      [&] { static_cast<HostTable*>(self)->Log(level, sdk::ToView(line)); });
}

uint32_t IsCancelled(void* self) {
  return static_cast<const RunTable*>(self)->context().done() ? 1 : 0;
}

}  // namespace

HostTable* HostTable::New(std::string program, PluginLog log) {
  // Held from here, so that leak checkers see that they are meant to stay.
  static Mutex* const mutex = new Mutex;
  static auto* const all = new std::vector<HostTable*>;
  auto* table = new HostTable(std::move(program), std::move(log));
  MutexLock lock(*mutex);
  all->push_back(table);
  return table;
}

HostTable::HostTable(std::string program, PluginLog log)
    : program_(std::move(program)),
      table_{sizeof(sluice_host),    SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR, this,
             sdk::ToBytes(program_), &LogLine},
      log_(std::move(log)) {}

void HostTable::Log(int32_t level, absl::string_view line) {
  PluginLog log;
  {
    MutexLock lock(mutex_);
    log = log_;
  }
  if (log != nullptr) log(level, line);
}

void HostTable::Detach() {
  MutexLock lock(mutex_);
  log_ = nullptr;
}

absl::Status PluginState::CheckResponsive() const {
  if (!unresponsive_.load()) return absl::OkStatus();
  return WithHint(
      MakeError(absl::StatusCode::kUnavailable, kSourceUnresponsive,
                absl::StrCat("plugin ", name_,
                             " did not return from an earlier run that was "
                             "cancelled; it gets no new ones")),
      "restart this program");
}

RunTable::RunTable(Context context)
    : context_(std::move(context)),
      table_{sizeof(sluice_run), this, &IsCancelled} {}

}  // namespace sluice
