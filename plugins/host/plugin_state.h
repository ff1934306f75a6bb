#ifndef SLUICE_PLUGINS_HOST_PLUGIN_STATE_H_
#define SLUICE_PLUGINS_HOST_PLUGIN_STATE_H_

// What all objects of one plugin share in this process. Private to
// plugins/host.

#include <atomic>
#include <functional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/base/mutex.h"
#include "sluice/executor/context.h"
#include "sluice/plugins/abi/sluice_plugin.h"

namespace sluice {

// Receives a plugin's log lines. `level` is SLUICE_LOG_...; called from any
// thread.
using PluginLog = std::function<void(int32_t level, absl::string_view line)>;

// The host as plugins see it. Lives as long as the process, as the ABI says, so
// it is made by New and never deleted; Detach ends its use of the log.
class HostTable {
 public:
  static HostTable* New(std::string program, PluginLog log);

  const sluice_host* table() const { return &table_; }
  void Log(int32_t level, absl::string_view line);
  void Detach();

 private:
  HostTable(std::string program, PluginLog log);

  const std::string program_;
  const sluice_host table_;
  Mutex mutex_;
  PluginLog log_ ABSL_GUARDED_BY(mutex_);
};

// Thread-safe.
class PluginState {
 public:
  PluginState(HostTable* host, std::string name)
      : host_(host), name_(std::move(name)) {}

  HostTable& host() const { return *host_; }
  const std::string& name() const { return name_; }

  // A call of this plugin did not return after its run was cancelled. There is
  // no way back: its state cannot be known any more.
  void SetUnresponsive() { unresponsive_.store(true); }
  // OK while the plugin may be given new calls; else source_unresponsive.
  absl::Status CheckResponsive() const;

 private:
  HostTable* const host_;
  const std::string name_;
  std::atomic<bool> unresponsive_ = false;
};

// A context as a plugin sees it. Must not move while the plugin holds table().
class RunTable {
 public:
  explicit RunTable(Context context);
  RunTable(const RunTable&) = delete;
  RunTable& operator=(const RunTable&) = delete;

  const sluice_run* table() const { return &table_; }
  const Context& context() const { return context_; }

 private:
  const Context context_;
  const sluice_run table_;
};

}  // namespace sluice

#endif  // SLUICE_PLUGINS_HOST_PLUGIN_STATE_H_
