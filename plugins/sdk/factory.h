#ifndef SLUICE_PLUGINS_SDK_FACTORY_H_
#define SLUICE_PLUGINS_SDK_FACTORY_H_

// The tables that a plugin consists of, all constants: nothing runs when a
// plugin is loaded.
//
// One table serves both ways in. orders/factory.h:
//
// Example, at namespace scope:
//
//   extern const sluice_factory kOrdersSource;
//   inline constexpr const sluice_factory* kOrdersFactories[] = {
//       &kOrdersSource};
//   inline constexpr sluice_plugin_entry kOrdersPlugin =
//       sdk::PluginEntry("orders", "1.0.0", "Apache-2.0", kOrdersFactories);
//
// orders/factory.cc:
//
// Example, at namespace scope:
//
//   absl::StatusOr<std::unique_ptr<sdk::Source>> Create(
//       const sdk::Host& host, const sdk::Options& options);
//   constexpr sluice_option_spec kOptions[] = {
//       sdk::Option("path", SLUICE_OPTION_PATH, SLUICE_OPTION_REQUIRED, "",
//                   "folder of the store")};
//   constinit const sluice_factory kOrdersSource = sdk::SourceFactory<&Create>(
//       "orders", "The order store.\norders:/var/lib/orders", kOptions);
//
// orders/plugin.cc, linked only into sluice-source-orders.so (sluice_plugin()
// in tools/cc.bzl), says SLUICE_EXPORT_PLUGIN(kOrdersPlugin) and no more. A
// program that wants no .so links factory.cc and calls
// host.RegisterStatic(&kOrdersPlugin).
//
// Threads: a create function and a command are called from any thread, also at
// once. Ownership: what create gives belongs to the host; a Host, Output and
// Options are views for the call (a Host for the life of the process). Errors:
// what create and commands return, with the words that sluice_plugin.h lists;
// exceptions are caught. Cost: none at loading; a call through the tables costs
// an indirect call.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/plugins/sdk/barrier.h"
#include "sluice/plugins/sdk/error.h"
#include "sluice/plugins/sdk/options.h"
#include "sluice/plugins/sdk/place.h"
#include "sluice/plugins/sdk/run.h"
#include "sluice/plugins/sdk/source.h"
#include "sluice/plugins/sdk/wrap.h"

namespace sluice::sdk {

enum class LogLevel {
  kDebug = SLUICE_LOG_DEBUG,
  kInfo = SLUICE_LOG_INFO,
  kWarning = SLUICE_LOG_WARNING,
  kError = SLUICE_LOG_ERROR
};

// The program that the plugin is in. A copyable view that lives as long as the
// process; any thread.
class Host {
 public:
  Host() = default;
  explicit Host(const sluice_host* host) : host_(host) {}

  // One line for people; no secret.
  void Log(LogLevel level, absl::string_view line) const {
    if (host_ != nullptr && SLUICE_HAS(host_, sluice_host, log))
      host_->log(host_->self, static_cast<int32_t>(level), ToBytes(line));
  }

 private:
  const sluice_host* host_ = nullptr;
};

// Receives what a command of a plugin prints.
class Output {
 public:
  explicit Output(const sluice_output* table) : table_(table) {}

  absl::Status Write(absl::string_view bytes) {
    sluice_error error = EmptyError();
    return FromError(table_->write(table_->self, ToBytes(bytes), &error),
                     error);
  }

 private:
  const sluice_output* const table_;
};

using CreateSource = absl::StatusOr<std::unique_ptr<Source>>(const Host&,
                                                             const Options&);
using CreatePlace = absl::StatusOr<std::unique_ptr<Place>>(const Host&,
                                                           const Options&);
// A verb of the plugin's own: `sluice plugin KIND NAME ARGUMENTS...`.
using Command = absl::Status(const Host&, const Run&, absl::string_view name,
                             absl::Span<const std::string> arguments, Output&);

// Text for a table; a literal, or anything that lives as long as the process.
constexpr sluice_bytes Text(std::string_view text) {
  return sluice_bytes{text.data(), text.size()};
}

constexpr sluice_option_spec Option(std::string_view name, uint32_t type,
                                    uint32_t flags, std::string_view fallback,
                                    std::string_view help) {
  return sluice_option_spec{sizeof(sluice_option_spec),
                            type,
                            flags,
                            Text(name),
                            Text(fallback),
                            Text(help)};
}

namespace internal {

inline const void* Wrap(std::unique_ptr<Source> source) {
  return WrapSource(std::move(source));
}
inline const void* Wrap(std::unique_ptr<Place> place) {
  return WrapPlace(std::move(place));
}

template <auto* kCreate>
sluice_code CreateTable(const sluice_host* host, const sluice_option* options,
                        uint64_t count, const void** object,
                        sluice_error* error) {
  return Guarded(error, [&]() -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(
        auto created, kCreate(Host(host), Options::FromTable(options, count)));
    *object = Wrap(std::move(created));
    return absl::OkStatus();
  });
}

template <Command* kCommand>
sluice_code RunCommand(const sluice_host* host, const sluice_run* run,
                       sluice_bytes name, const sluice_bytes* arguments,
                       uint64_t count, const sluice_output* output,
                       sluice_error* error) {
  return Guarded(error, [&]() -> absl::Status {
    std::vector<std::string> strings;
    for (uint64_t i = 0; i < count; ++i)
      strings.emplace_back(ToView(arguments[i]));
    Output out(output);
    return kCommand(Host(host), Run(run), ToView(name), strings, out);
  });
}

template <Command* kCommand>
constexpr auto CommandTable() -> decltype(sluice_factory::command) {
  if constexpr (kCommand == nullptr) {
    return nullptr;
  } else {
    return &RunCommand<kCommand>;
  }
}

template <auto* kCreate, Command* kCommand, size_t kOptionCount>
constexpr sluice_factory Factory(
    uint32_t role, std::string_view kind, std::string_view help,
    const sluice_option_spec (&options)[kOptionCount]) {
  return sluice_factory{sizeof(sluice_factory),
                        role,
                        Text(kind),
                        Text(help),
                        options,
                        kOptionCount,
                        sizeof(sluice_option_spec),
                        0,
                        &CreateTable<kCreate>,
                        CommandTable<kCommand>()};
}

}  // namespace internal

// `help`: one sentence, then an example URI on a second line.
template <CreateSource* kCreate, Command* kCommand = nullptr,
          size_t kOptionCount = 1>
constexpr sluice_factory SourceFactory(
    std::string_view kind, std::string_view help,
    const sluice_option_spec (&options)[kOptionCount]) {
  return internal::Factory<kCreate, kCommand>(SLUICE_ROLE_SOURCE, kind, help,
                                              options);
}

template <CreatePlace* kCreate, Command* kCommand = nullptr,
          size_t kOptionCount = 1>
constexpr sluice_factory PlaceFactory(
    std::string_view kind, std::string_view help,
    const sluice_option_spec (&options)[kOptionCount]) {
  return internal::Factory<kCreate, kCommand>(SLUICE_ROLE_PLACE, kind, help,
                                              options);
}

template <size_t kFactoryCount>
constexpr sluice_plugin_entry PluginEntry(
    std::string_view name, std::string_view version, std::string_view license,
    const sluice_factory* const (&factories)[kFactoryCount]) {
  return sluice_plugin_entry{
      SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR, sizeof(sluice_plugin_entry),
      kFactoryCount,    Text(name),       Text(version),
      Text(license),    factories};
}

}  // namespace sluice::sdk

// Defines the symbol that the host looks for. In one file of a .so, which no
// other target links.
#define SLUICE_EXPORT_PLUGIN(entry)                                            \
  extern "C" SLUICE_EXPORT constinit const sluice_plugin_entry sluice_plugin = \
      (entry)

#endif  // SLUICE_PLUGINS_SDK_FACTORY_H_
