// A host for plugin_test.cc: a process of its own, because it holds BoringSSL,
// as the command does, and the test holds libpq's OpenSSL.
//
//   plugin_probe describe PLUGIN.so URI
//   plugin_probe check PLUGIN.so SOURCE TARGET ARCHIVES

#include <openssl/sha.h>

#include <cstdio>
#include <string>

#include "absl/status/status.h"
#include "sluice/base/clock.h"
#include "sluice/destinations/local/factory.h"
#include "sluice/executor/context.h"
#include "sluice/plugins/conformance/conformance.h"
#include "sluice/plugins/host/plugin_host.h"

namespace sluice {
namespace {

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}

int Describe(PluginHost& host, const std::string& uri) {
  const auto source = host.CreateSource(uri);
  if (!source.ok()) return Fail(source.status());
  const auto info = (*source)->Describe(Context::Background());
  if (!info.ok()) return Fail(info.status());
  std::printf("%s\n", info->store_id.c_str());
  return 0;
}

int Check(PluginHost& host, char** arguments) {
  ConformanceOptions options;
  options.source = arguments[0];
  options.target = arguments[1];
  options.archives = arguments[2];
  const CheckSummary summary = RunConformance(
      host, Clock::Real(), options, [](const CheckResult& result) {
        if (result.outcome != CheckResult::Outcome::kPassed) {
          std::printf("%s: %s\n", result.name.c_str(), result.detail.c_str());
        }
      });
  std::printf("%d passed\n", summary.passed);
  return summary.failed == 0 ? 0 : 1;
}

int Main(int count, char** arguments) {
  // What a host has BoringSSL for. Binds it before the plugin is loaded.
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(""), 0, digest);
  if (digest[0] != 0xe3) return 1;
  PluginHost host(
      {.plugin_dir = "/nowhere", .pins = {}, .program = "probe", .log = {}});
  if (absl::Status status = host.RegisterStatic(&kLocalPlugin); !status.ok()) {
    return Fail(status);
  }
  if (absl::Status status = host.Load(arguments[2]); !status.ok()) {
    return Fail(status);
  }
  if (std::string(arguments[1]) == "describe" && count == 4) {
    return Describe(host, arguments[3]);
  }
  return count == 6 ? Check(host, arguments + 3) : 1;
}

}  // namespace
}  // namespace sluice

int main(int count, char** arguments) {
  return count < 4 ? 2 : sluice::Main(count, arguments);
}
