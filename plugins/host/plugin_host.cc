#include "sluice/plugins/host/plugin_host.h"

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/text/suggest.h"
#include "sluice/plugins/host/entry_check.h"
#include "sluice/plugins/host/guarded_call.h"
#include "sluice/plugins/host/place_adaptor.h"
#include "sluice/plugins/host/plugin_file.h"
#include "sluice/plugins/host/source_adaptor.h"
#include "sluice/plugins/sdk/barrier.h"
#include "sluice/plugins/sdk/error.h"

namespace sluice {
namespace {

using sdk::Guarded;
using sdk::ToBytes;
using sdk::ToView;

constexpr absl::string_view kFilePrefix = "sluice-";
constexpr absl::string_view kFileSuffix = ".so";

absl::string_view ConfigWord(uint32_t role) {
  return role == SLUICE_ROLE_SOURCE ? kSourceConfigInvalid
                                    : kDestinationConfigInvalid;
}

std::string Base(absl::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

// What a command prints, as a plugin's output table.
struct OutputTable {
  static sluice_code Write(void* self, sluice_bytes bytes,
                           sluice_error* error) {
    return Guarded(error, [&]() -> absl::Status {
      auto& table = *static_cast<OutputTable*>(self);
      if (!IsBytes(bytes)) return absl::InvalidArgumentError("null output");
      return (*table.output)(ToView(bytes));
    });
  }
  const std::function<absl::Status(absl::string_view)>* output;
};

}  // namespace

std::string DefaultPluginDir() {
  if (const char* set = std::getenv("SLUICE_PLUGIN_DIR");
      set != nullptr && *set != '\0')
    return set;
  std::array<char, PATH_MAX> path;
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
  if (size <= 0) return "";
  const absl::string_view executable(path.data(), static_cast<size_t>(size));
  return absl::StrCat(executable.substr(0, executable.rfind('/')), "/plugins");
}

std::string PluginFileName(uint32_t role, absl::string_view kind) {
  return absl::StrCat(kFilePrefix, RoleName(role), "-", kind, kFileSuffix);
}

PluginHost::PluginHost(PluginHostOptions options)
    : options_([&] {
        if (options.plugin_dir.empty()) options.plugin_dir = DefaultPluginDir();
        return std::move(options);
      }()),
      host_(HostTable::New(options_.program, options_.log)) {}

PluginHost::~PluginHost() { host_->Detach(); }

absl::Status PluginHost::RegisterStatic(const sluice_plugin_entry* entry) {
  if (entry == nullptr) {
    return InvalidArgument("a null plugin table was registered");
  }
  return Annotate(Register(entry, ""), "plugin linked in");
}

absl::Status PluginHost::Load(const std::string& path) {
  MutexLock loading(load_mutex_);
  const auto pin = options_.pins.find(Base(path));
  const absl::StatusOr<const sluice_plugin_entry*> entry = LoadPluginFile(
      path, pin == options_.pins.end() ? "" : absl::string_view(pin->second));
  const std::string prefix = absl::StrCat("plugin ", path);
  if (!entry.ok()) return Annotate(entry.status(), prefix);
  return Annotate(Register(*entry, path), prefix);
}

absl::Status PluginHost::Register(const sluice_plugin_entry* entry,
                                  const std::string& path) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<const sluice_factory*> factories,
                          CheckEntry(*entry));
  const std::string name =
      IsBytes(entry->name) ? std::string(ToView(entry->name)) : "?";
  auto plugin = std::make_shared<PluginState>(host_, name);
  MutexLock lock(mutex_);
  for (const sluice_factory* factory : factories) {
    const auto found = registered_.find(
        Key(factory->role, std::string(ToView(factory->kind))));
    if (found != registered_.end() && found->second.entry != entry) {
      return PluginUnusable(
          absl::StrCat("there is another plugin for ", RoleName(factory->role),
                       " ", ToView(factory->kind), " already"),
          "remove one of the two");
    }
  }
  for (const sluice_factory* factory : factories) {
    registered_.try_emplace(
        Key(factory->role, std::string(ToView(factory->kind))),
        Registered{factory, entry, path, plugin});
  }
  return absl::OkStatus();
}

std::vector<FactoryInfo> PluginHost::factories() const {
  std::vector<FactoryInfo> infos;
  const auto text = [](sluice_bytes bytes) {
    return IsBytes(bytes) ? std::string(ToView(bytes)) : std::string();
  };
  MutexLock lock(mutex_);
  for (const auto& [key, registered] : registered_) {
    FactoryInfo info;
    info.role = std::string(RoleName(key.first));
    info.kind = key.second;
    info.help = text(registered.factory->help);
    info.options = ReadOptionSpecs(*registered.factory);
    info.has_command = registered.factory->command != nullptr;
    info.plugin_name = text(registered.entry->name);
    info.plugin_version = text(registered.entry->version);
    info.plugin_license = text(registered.entry->license);
    info.abi_version = absl::StrCat(registered.entry->abi_major, ".",
                                    registered.entry->abi_minor);
    info.path = registered.path;
    infos.push_back(std::move(info));
  }
  return infos;
}

std::vector<std::string> PluginHost::FindPluginFiles() const {
  std::vector<std::string> files;
  DIR* folder = opendir(options_.plugin_dir.c_str());
  if (folder == nullptr) return files;
  while (const dirent* entry = readdir(folder)) {
    const absl::string_view name = entry->d_name;
    if (absl::StartsWith(name, kFilePrefix) &&
        absl::EndsWith(name, kFileSuffix))
      files.push_back(absl::StrCat(options_.plugin_dir, "/", name));
  }
  closedir(folder);
  std::sort(files.begin(), files.end());
  return files;
}

absl::optional<PluginHost::Registered> PluginHost::FindRegistered(
    uint32_t role, const std::string& kind) const {
  MutexLock lock(mutex_);
  const auto found = registered_.find(Key(role, kind));
  if (found == registered_.end()) return absl::nullopt;
  return found->second;
}

absl::StatusOr<PluginHost::Registered> PluginHost::Find(
    uint32_t role, const std::string& kind) {
  absl::optional<Registered> found = FindRegistered(role, kind);
  if (!found.has_value()) {
    SLUICE_RETURN_IF_ERROR(LoadAs(
        absl::StrCat(options_.plugin_dir, "/", PluginFileName(role, kind)),
        role, kind));
    found = FindRegistered(role, kind);
  }
  if (!found.has_value()) {
    return PluginUnusable(
        absl::StrCat("plugin ", PluginFileName(role, kind), " has no ",
                     RoleName(role), " ", kind),
        "its name must be sluice-<role>-<kind>.so for what it has");
  }
  SLUICE_RETURN_IF_ERROR(found->plugin->CheckResponsive());
  return *found;
}

absl::Status PluginHost::LoadAs(const std::string& path, uint32_t role,
                                const std::string& kind) {
  const absl::Status loaded = Load(path);
  return loaded.code() == absl::StatusCode::kNotFound ? NoSuchKind(role, kind)
                                                      : loaded;
}

absl::Status PluginHost::NoSuchKind(uint32_t role,
                                    const std::string& kind) const {
  std::vector<std::string> kinds;
  for (const FactoryInfo& info : factories()) {
    if (info.role == RoleName(role)) kinds.push_back(info.kind);
  }
  for (const std::string& file : FindPluginFiles()) {
    const std::string base = Base(file);
    absl::string_view name = base;
    if (absl::ConsumePrefix(&name,
                            absl::StrCat(kFilePrefix, RoleName(role), "-")) &&
        absl::ConsumeSuffix(&name, kFileSuffix))
      kinds.emplace_back(name);
  }
  std::sort(kinds.begin(), kinds.end());
  kinds.erase(std::unique(kinds.begin(), kinds.end()), kinds.end());
  std::string hint = DidYouMean(kind, kinds);
  if (hint.empty()) {
    hint = absl::StrCat(
        "known are: ", kinds.empty() ? "none" : absl::StrJoin(kinds, ", "),
        "; more are looked for in ", options_.plugin_dir);
  }
  return WithHint(
      MakeError(absl::StatusCode::kNotFound, kPluginUnusable,
                absl::StrCat("there is no plugin for ", RoleName(role),
                             " kind \"", kind, "\"")),
      hint);
}

absl::StatusOr<const void*> PluginHost::Create(const Registered& registered,
                                               const Uri& uri) {
  const absl::string_view word = ConfigWord(registered.factory->role);
  const std::vector<OptionSpec> specs = ReadOptionSpecs(*registered.factory);
  SLUICE_ASSIGN_OR_RETURN(const Uri absolute,
                          WithAbsolutePaths(uri, specs, word));
  SLUICE_ASSIGN_OR_RETURN(const std::vector<ResolvedOption> resolved,
                          ResolveOptions(absolute, specs, word));
  std::vector<sluice_option> options;
  options.reserve(resolved.size());
  for (const ResolvedOption& option : resolved) {
    options.push_back(sluice_option{ToBytes(option.key), ToBytes(option.value),
                                    option.secret ? 1u : 0u, 0});
  }
  const void* object = nullptr;
  sluice_error error = sdk::EmptyError();
  const sluice_code code = GuardedCall(&error, [&](sluice_error* told) {
    return registered.factory->create(host_->table(), options.data(),
                                      options.size(), &object, told);
  });
  const absl::Status status = sdk::FromError(code, error);
  if (!status.ok()) {
    if (status.code() == absl::StatusCode::kInvalidArgument)
      return Annotate(WithDefaultWord(status, word), uri.kind);
    return Annotate(
        registered.factory->role == SLUICE_ROLE_SOURCE
            ? WithSourceWord(status, kSourceUnavailable)
            : WithDefaultWord(WithPlaceWord(status), kDestinationNotFound),
        uri.kind);
  }
  return object;
}

absl::StatusOr<UriFacts> PluginHost::ReadUri(uint32_t role,
                                             absl::string_view text) {
  SLUICE_ASSIGN_OR_RETURN(Uri uri, ParseUri(text));
  SLUICE_ASSIGN_OR_RETURN(const Registered registered, Find(role, uri.kind));
  const std::vector<OptionSpec> specs = ReadOptionSpecs(*registered.factory);
  SLUICE_ASSIGN_OR_RETURN(
      uri, WithAbsolutePaths(std::move(uri), specs, ConfigWord(role)));
  UriFacts facts;
  facts.uri = FormatUri(uri);
  facts.identity = IdentityOf(uri, specs);
  for (const OptionSpec& spec : specs) {
    if (spec.type != SLUICE_OPTION_PATH || spec.secret) continue;
    for (const auto& [key, value] : uri.options) {
      if (key == spec.name) facts.paths[key] = value;
    }
  }
  return facts;
}

absl::StatusOr<UriFacts> PluginHost::ReadSourceUri(absl::string_view text) {
  return ReadUri(SLUICE_ROLE_SOURCE, text);
}

absl::StatusOr<UriFacts> PluginHost::ReadPlaceUri(absl::string_view text) {
  return ReadUri(SLUICE_ROLE_PLACE, text);
}

absl::StatusOr<std::shared_ptr<Backupable>> PluginHost::CreateSource(
    absl::string_view text) {
  SLUICE_ASSIGN_OR_RETURN(const Uri uri, ParseUri(text));
  SLUICE_ASSIGN_OR_RETURN(const Registered registered,
                          Find(SLUICE_ROLE_SOURCE, uri.kind));
  SLUICE_ASSIGN_OR_RETURN(const void* object, Create(registered, uri));
  const auto* source = static_cast<const sluice_source*>(object);
  SLUICE_RETURN_IF_ERROR(Annotate(
      CheckSource(source), absl::StrCat("plugin ", registered.plugin->name())));
  return AdaptSource(registered.plugin, uri.kind, source);
}

absl::StatusOr<std::shared_ptr<ObjectStore>> PluginHost::OpenPlace(
    absl::string_view text) {
  SLUICE_ASSIGN_OR_RETURN(const Uri uri, ParseUri(text));
  SLUICE_ASSIGN_OR_RETURN(const Registered registered,
                          Find(SLUICE_ROLE_PLACE, uri.kind));
  SLUICE_ASSIGN_OR_RETURN(const void* object, Create(registered, uri));
  const auto* place = static_cast<const sluice_place*>(object);
  SLUICE_RETURN_IF_ERROR(Annotate(
      CheckPlace(place), absl::StrCat("plugin ", registered.plugin->name())));
  return AdaptPlace(registered.plugin, place);
}

absl::StatusOr<std::shared_ptr<Backupable>> PluginHost::AdoptSource(
    absl::string_view kind, const sluice_source* source) {
  const std::string name(kind);
  SLUICE_RETURN_IF_ERROR(
      Annotate(CheckSource(source), absl::StrCat("store ", name)));
  return AdaptSource(std::make_shared<PluginState>(host_, name), name, source);
}

absl::StatusOr<std::shared_ptr<ObjectStore>> PluginHost::AdoptPlace(
    absl::string_view kind, const sluice_place* place) {
  const std::string name(kind);
  SLUICE_RETURN_IF_ERROR(
      Annotate(CheckPlace(place), absl::StrCat("place ", name)));
  return AdaptPlace(std::make_shared<PluginState>(host_, name), place);
}

absl::Status PluginHost::RunCommand(
    const Context& context, absl::string_view kind, absl::string_view name,
    absl::Span<const std::string> arguments,
    const std::function<absl::Status(absl::string_view)>& output) {
  // A kind has its verbs at its source, else at its place.
  absl::StatusOr<Registered> registered =
      Find(SLUICE_ROLE_SOURCE, std::string(kind));
  if (registered.status().code() == absl::StatusCode::kNotFound ||
      (registered.ok() && registered->factory->command == nullptr)) {
    if (absl::StatusOr<Registered> place =
            Find(SLUICE_ROLE_PLACE, std::string(kind));
        place.ok())
      registered = place;
  }
  SLUICE_RETURN_IF_ERROR(registered.status());
  if (registered->factory->command == nullptr) {
    return MakeError(absl::StatusCode::kUnimplemented, kInvalidArgument,
                     absl::StrCat("plugin ", kind, " has no verbs"));
  }
  std::vector<sluice_bytes> table;
  for (const std::string& argument : arguments)
    table.push_back(ToBytes(argument));
  OutputTable out{&output};
  const sluice_output out_table{sizeof(sluice_output), &out,
                                &OutputTable::Write};
  const RunTable run(context);
  sluice_error error = sdk::EmptyError();
  sluice_code code = SLUICE_INTERNAL;
  const sluice_code thrown = Guarded(&error, [&] {
    code = registered->factory->command(host_->table(), run.table(),
                                        ToBytes(name), table.data(),
                                        table.size(), &out_table, &error);
    return absl::OkStatus();
  });
  const absl::Status status =
      sdk::FromError(thrown == SLUICE_OK ? code : thrown, error);
  if (absl::IsCancelled(status) && context.done()) return context.status();
  return status;
}

}  // namespace sluice
