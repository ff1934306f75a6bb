#include "sluice/plugins/conformance/conformance.h"

#include <memory>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/conformance/place_checks.h"
#include "sluice/plugins/conformance/source_checks.h"

namespace sluice {
namespace {

std::string Numbered(const std::string& uri, int number) {
  return absl::StrReplaceAll(uri, {{"{}", absl::StrCat(number)}});
}

OpenSourceFunction Opener(PluginHost& host, const std::string& uri) {
  if (uri.empty()) return nullptr;
  return [&host, uri] { return host.CreateSource(uri); };
}

OpenNumberedFunction NumberedOpener(PluginHost& host, const std::string& uri) {
  return [&host, uri](int number) {
    return host.CreateSource(Numbered(uri, number));
  };
}

// What people see of a plugin: help for each factory and each option.
absl::Status CheckTexts(const PluginHost& host, const std::string& file) {
  int seen = 0;
  for (const FactoryInfo& info : host.factories()) {
    if (info.path != file) continue;
    ++seen;
    const std::string name = absl::StrCat(info.role, " ", info.kind);
    SLUICE_CHECK_THAT(!info.plugin_version.empty(), "it has no version");
    SLUICE_CHECK_THAT(!info.help.empty(), absl::StrCat(name, " has no help"));
    SLUICE_CHECK_THAT(
        absl::StrContains(info.help, absl::StrCat("\n", info.kind, ":")),
        absl::StrCat(name, ": its help ends with no example URI"));
    for (const OptionSpec& option : info.options) {
      SLUICE_CHECK_THAT(
          !option.help.empty(),
          absl::StrCat(name, ": option ", option.name, " has no help"));
    }
  }
  SLUICE_CHECK_THAT(seen > 0, "it has no factory");
  return absl::OkStatus();
}

void CheckSource(PluginHost& host, Clock* clock,
                 const ConformanceOptions& options, CheckRunner& runner) {
  const bool ready = runner.Run("source: its URIs and its place open", [&] {
    SLUICE_CHECK_THAT(!options.target.empty() && !options.archives.empty(),
                      "a target and a place for archives must be named");
    SLUICE_CHECK_THAT(absl::StrContains(options.target, "{}"),
                      "the target's URI has no {} for a number");
    SLUICE_RETURN_IF_ERROR(host.OpenPlace(options.archives).status());
    return host.CreateSource(options.source).status();
  });
  if (!ready) return;
  SourceSubject subject;
  subject.place = [&host, &options] {
    return host.OpenPlace(options.archives);
  };
  subject.source = Opener(host, options.source);
  subject.target = NumberedOpener(host, options.target);
  subject.restored = NumberedOpener(
      host, options.restored.empty() ? options.target : options.restored);
  subject.empty_source = Opener(host, options.empty_source);
  subject.warning_source = Opener(host, options.warning_source);
  RunSourceChecks(subject, clock, runner);
}

}  // namespace

CheckSummary RunConformance(PluginHost& host, Clock* clock,
                            const ConformanceOptions& options,
                            const CheckReport& report) {
  const auto load = [&] {
    return options.plugin_file.empty() ? absl::OkStatus()
                                       : host.Load(options.plugin_file);
  };
  CheckIsolation isolation;
  isolation.in_children = options.in_children;
  isolation.time_limit = options.check_time_limit;
  if (options.in_children) isolation.prepare = load;
  isolation.go_on = options.go_on;
  CheckRunner runner(report, isolation);
  if (!options.plugin_file.empty()) {
    const bool loaded =
        runner.Run("plugin: loads, and its tables are whole", load);
    if (!loaded) return runner.summary();
    runner.Run("plugin: explains itself",
               [&] { return CheckTexts(host, options.plugin_file); });
  }
  if (!options.source.empty()) CheckSource(host, clock, options, runner);
  if (!options.place.empty())
    RunPlaceChecks([&] { return host.OpenPlace(options.place); }, runner);
  const CheckSummary& summary = runner.summary();
  if (summary.passed + summary.failed + summary.not_shown == 0) {
    runner.Run("something to check was named",
               [] { return CheckFailed("nothing was"); });
  }
  return runner.summary();
}

}  // namespace sluice
