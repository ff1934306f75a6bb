#include "sluice/plugins/host/entry_check.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/host/uri.h"
#include "sluice/plugins/sdk/error.h"

namespace sluice {
namespace {

constexpr absl::string_view kTellTheAuthor = "tell the plugin's author";

// More than any plugin has, and few enough that a wild number is noticed.
constexpr uint32_t kMaxFactories = 256;
constexpr uint64_t kMaxOptions = 1024;
// Of one piece of memory: half of what x86-64 and aarch64 give a process.
constexpr uint64_t kMaxMemoryBytes = uint64_t{1} << 46;

absl::Status TooSmall(absl::string_view table) {
  return PluginUnusable(
      absl::StrCat("its ", table, " is smaller than plugin ABI 1.0 requires"),
      kTellTheAuthor);
}

absl::Status NullFunction(absl::string_view table) {
  return PluginUnusable(absl::StrCat("its ", table, " lacks a function"),
                        kTellTheAuthor);
}

bool IsOptionName(absl::string_view name) {
  if (name.empty() || name.size() > 64) return false;
  if (!absl::ascii_islower(static_cast<unsigned char>(name[0]))) return false;
  return std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_';
  });
}

}  // namespace

absl::Status PluginUnusable(absl::string_view message, absl::string_view hint) {
  return WithHint(MakeError(absl::StatusCode::kFailedPrecondition,
                            kPluginUnusable, message),
                  hint);
}

absl::string_view RoleName(uint32_t role) {
  switch (role) {
    case SLUICE_ROLE_SOURCE:
      return "source";
    case SLUICE_ROLE_PLACE:
      return "place";
    default:
      return "";
  }
}

uint32_t RoleOf(absl::string_view name) {
  if (name == "source") return SLUICE_ROLE_SOURCE;
  if (name == "place") return SLUICE_ROLE_PLACE;
  return 0;
}

bool IsBytes(sluice_bytes bytes) {
  return bytes.size == 0 ||
         (bytes.data != nullptr && bytes.size <= kMaxMemoryBytes);
}

absl::Status CheckMajor(const sluice_plugin_entry& entry) {
  if (entry.abi_major == SLUICE_ABI_MAJOR) return absl::OkStatus();
  return PluginUnusable(
      absl::StrCat("it speaks plugin ABI ", entry.abi_major, ".",
                   entry.abi_minor, ", this program speaks ", SLUICE_ABI_MAJOR,
                   ".", SLUICE_ABI_MINOR),
      entry.abi_major > SLUICE_ABI_MAJOR
          ? "use a newer sluice, or an older version of the plugin"
          : "use a newer version of the plugin");
}

absl::Status CheckEntrySize(const sluice_plugin_entry& entry) {
  // The last member of 1.0; what a newer plugin has beyond it is not looked at.
  if (SLUICE_HAS(&entry, sluice_plugin_entry, factories))
    return absl::OkStatus();
  return TooSmall("entry");
}

absl::Status CheckFactoryList(const sluice_plugin_entry& entry) {
  if (entry.factory_count == 0 || entry.factories == nullptr)
    return PluginUnusable("it lists no factory", kTellTheAuthor);
  if (entry.factory_count > kMaxFactories) {
    return PluginUnusable(
        absl::StrCat("it lists ", entry.factory_count, " factories"),
        kTellTheAuthor);
  }
  for (uint32_t i = 0; i < entry.factory_count; ++i) {
    if (entry.factories[i] == nullptr) {
      return PluginUnusable(absl::StrCat("its factory ", i, " is null"),
                            kTellTheAuthor);
    }
  }
  return absl::OkStatus();
}

absl::Status CheckFactorySize(const sluice_factory& factory) {
  if (SLUICE_HAS(&factory, sluice_factory, command)) return absl::OkStatus();
  return TooSmall("factory");
}

absl::Status CheckKind(const sluice_factory& factory) {
  if (IsBytes(factory.kind) && IsKind(sdk::ToView(factory.kind)))
    return absl::OkStatus();
  return PluginUnusable(
      "its kind is not a lower-case word of 1 to 32 of [a-z0-9_]",
      kTellTheAuthor);
}

absl::Status CheckCreate(const sluice_factory& factory) {
  return factory.create == nullptr ? NullFunction("factory") : absl::OkStatus();
}

absl::Status CheckOptionTable(const sluice_factory& factory) {
  if (factory.option_count == 0) return absl::OkStatus();
  constexpr size_t kOldest =
      offsetof(sluice_option_spec, help) + sizeof(sluice_bytes);
  bool fits = factory.options != nullptr &&
              factory.option_count <= kMaxOptions &&
              factory.option_stride >= kOldest &&
              factory.option_stride % alignof(sluice_option_spec) == 0;
  for (uint64_t i = 0; fits && i < factory.option_count; ++i) {
    const auto& spec = *reinterpret_cast<const sluice_option_spec*>(
        reinterpret_cast<const char*>(factory.options) +
        i * factory.option_stride);
    fits = spec.struct_size >= kOldest && IsBytes(spec.name) &&
           IsBytes(spec.fallback) && IsBytes(spec.help) &&
           IsOptionName(sdk::ToView(spec.name));
  }
  if (fits) return absl::OkStatus();
  return PluginUnusable("its table of options is malformed", kTellTheAuthor);
}

absl::StatusOr<std::vector<const sluice_factory*>> CheckEntry(
    const sluice_plugin_entry& entry) {
  SLUICE_RETURN_IF_ERROR(CheckMajor(entry));
  SLUICE_RETURN_IF_ERROR(CheckEntrySize(entry));
  SLUICE_RETURN_IF_ERROR(CheckFactoryList(entry));
  std::vector<const sluice_factory*> known;
  std::set<std::pair<uint32_t, std::string>> seen;
  for (uint32_t i = 0; i < entry.factory_count; ++i) {
    const sluice_factory& factory = *entry.factories[i];
    SLUICE_RETURN_IF_ERROR(CheckFactorySize(factory));
    // A role of a newer ABI: its table may mean something else. Passed over.
    if (RoleName(factory.role).empty()) continue;
    SLUICE_RETURN_IF_ERROR(CheckKind(factory));
    SLUICE_RETURN_IF_ERROR(CheckCreate(factory));
    SLUICE_RETURN_IF_ERROR(CheckOptionTable(factory));
    const std::string kind(sdk::ToView(factory.kind));
    if (!seen.insert({factory.role, kind}).second) {
      return PluginUnusable(absl::StrCat("it has two factories for ",
                                         RoleName(factory.role), " ", kind),
                            kTellTheAuthor);
    }
    known.push_back(&factory);
  }
  if (known.empty()) {
    return PluginUnusable("it has no factory of a role that is known here",
                          "use a newer sluice");
  }
  return known;
}

// Where a member of a table ends.
template <typename Table, typename Member>
size_t EndOf(Member Table::*member) {
  static const Table table{};
  return reinterpret_cast<const char*>(&(table.*member) + 1) -
         reinterpret_cast<const char*>(&table);
}

// A table that a `giver` of the plugin made, with all functions that 1.0 has.
template <typename Table, typename... Functions>
absl::Status CheckTable(const Table* table, absl::string_view giver,
                        absl::string_view what,
                        Functions Table::*... functions) {
  if (table == nullptr) {
    return PluginUnusable(absl::StrCat("its ", giver, " gave no ", what),
                          kTellTheAuthor);
  }
  if (table->struct_size < std::max({EndOf(functions)...})) {
    return TooSmall(what);
  }
  return ((table->*functions == nullptr) || ...) ? NullFunction(what)
                                                 : absl::OkStatus();
}

absl::Status CheckSource(const sluice_source* source) {
  return CheckTable(source, "factory", "source", &sluice_source::destroy,
                    &sluice_source::describe, &sluice_source::backup,
                    &sluice_source::restore);
}

absl::Status CheckPlace(const sluice_place* place) {
  return CheckTable(place, "factory", "place", &sluice_place::destroy,
                    &sluice_place::describe, &sluice_place::create,
                    &sluice_place::begin, &sluice_place::open,
                    &sluice_place::stat, &sluice_place::list,
                    &sluice_place::remove, &sluice_place::list_uncommitted,
                    &sluice_place::abort_uncommitted);
}

absl::Status CheckWriter(const sluice_writer* writer) {
  return CheckTable(writer, "place", "writer", &sluice_writer::write,
                    &sluice_writer::commit, &sluice_writer::abort,
                    &sluice_writer::destroy);
}

absl::Status CheckReader(const sluice_reader* reader) {
  return CheckTable(reader, "place", "reader", &sluice_reader::read,
                    &sluice_reader::destroy);
}

}  // namespace sluice
