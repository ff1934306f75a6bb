#include "sluice/plugins/host/option_schema.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sluice/base/absolute_path.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/text/suggest.h"
#include "sluice/plugins/host/secret.h"
#include "sluice/plugins/sdk/error.h"
#include "sluice/plugins/sdk/options.h"

namespace sluice {
namespace {

absl::Status Refused(absl::string_view word, absl::string_view message,
                     absl::string_view hint) {
  absl::Status status =
      MakeError(absl::StatusCode::kInvalidArgument, word, message);
  return hint.empty() ? status : WithHint(std::move(status), hint);
}

const OptionSpec* Find(const std::vector<OptionSpec>& specs,
                       absl::string_view name) {
  for (const OptionSpec& spec : specs) {
    if (spec.name == name) return &spec;
  }
  return nullptr;
}

std::string KnownOptions(const std::vector<OptionSpec>& specs,
                         absl::string_view typed) {
  std::vector<std::string> names;
  names.reserve(specs.size());
  for (const OptionSpec& spec : specs) names.push_back(spec.name);
  std::string nearest = DidYouMean(typed, names);
  if (!nearest.empty()) return nearest;
  return names.empty() ? "it takes no options"
                       : absl::StrCat("it takes ", absl::StrJoin(names, ", "));
}

absl::Status Unknown(const Uri& uri, const std::string& key,
                     const std::vector<OptionSpec>& specs,
                     absl::string_view word) {
  if (key == "path" || key == "authority") {
    return Refused(word,
                   absl::StrCat(uri.kind, ": takes no ",
                                key == "path" ? "path" : "//host part"),
                   KnownOptions(specs, key));
  }
  return Refused(word, absl::StrCat(uri.kind, ": has no option \"", key, "\""),
                 KnownOptions(specs, key));
}

// Whether `value` has the form of the spec's type, by the same getters that
// plugins use.
absl::Status CheckForm(const OptionSpec& spec, const std::string& value) {
  sdk::Options options;
  options.Set(spec.name, value);
  switch (spec.type) {
    case SLUICE_OPTION_INTEGER:
      return options.GetInteger(spec.name, 0).status();
    case SLUICE_OPTION_BOOLEAN:
      return options.GetBoolean(spec.name, false).status();
    case SLUICE_OPTION_DURATION:
      return options.GetDuration(spec.name, {}).status();
    case SLUICE_OPTION_PATH:
      if (value.empty() || absl::StrContains(value, '\0')) {
        return absl::InvalidArgumentError(absl::StrCat(
            "option \"", spec.name, "\" must be a path without NUL"));
      }
      return absl::OkStatus();
    default:  // a string, or a type of a newer ABI: the plugin's own business
      return absl::OkStatus();
  }
}

absl::StatusOr<ResolvedOption> Resolve(const Uri& uri, const OptionSpec& spec,
                                       const std::string& value,
                                       absl::string_view word) {
  ResolvedOption option{spec.name, value, spec.secret};
  const std::string where =
      absl::StrCat(uri.kind, ": option \"", spec.name, "\"");
  if (spec.secret) {
    absl::StatusOr<std::string> secret = ResolveSecret(value);
    if (!secret.ok()) return WithCode(Annotate(secret.status(), where), word);
    option.value = *std::move(secret);
  }
  if (const absl::Status form = CheckForm(spec, option.value); !form.ok())
    return WithCode(Annotate(form, uri.kind), word);
  return option;
}

}  // namespace

std::vector<OptionSpec> ReadOptionSpecs(const sluice_factory& factory) {
  std::vector<OptionSpec> specs;
  const auto* at = reinterpret_cast<const char*>(factory.options);
  for (uint64_t i = 0; i < factory.option_count; ++i) {
    // An older plugin's structs are shorter than ours, a newer one's longer:
    // its stride leads from one to the next.
    const auto* table = reinterpret_cast<const sluice_option_spec*>(
        at + i * factory.option_stride);
    OptionSpec spec;
    spec.type = table->type;
    spec.required = (table->flags & SLUICE_OPTION_REQUIRED) != 0;
    spec.secret = (table->flags & SLUICE_OPTION_SECRET) != 0;
    spec.name = std::string(sdk::ToView(table->name));
    spec.fallback = std::string(sdk::ToView(table->fallback));
    spec.help = std::string(sdk::ToView(table->help));
    specs.push_back(std::move(spec));
  }
  return specs;
}

absl::StatusOr<std::vector<ResolvedOption>> ResolveOptions(
    const Uri& uri, const std::vector<OptionSpec>& specs,
    absl::string_view word) {
  std::vector<ResolvedOption> resolved;
  for (const auto& [key, value] : uri.options) {
    const OptionSpec* spec = Find(specs, key);
    if (spec == nullptr) return Unknown(uri, key, specs, word);
    SLUICE_ASSIGN_OR_RETURN(ResolvedOption option,
                            Resolve(uri, *spec, value, word));
    resolved.push_back(std::move(option));
  }
  for (const OptionSpec& spec : specs) {
    const bool given =
        std::any_of(uri.options.begin(), uri.options.end(),
                    [&](const auto& o) { return o.first == spec.name; });
    if (spec.required && !given) {
      return Refused(word,
                     absl::StrCat(uri.kind, ": needs \"", spec.name, "\""),
                     spec.help);
    }
  }
  return resolved;
}

absl::StatusOr<Uri> WithAbsolutePaths(Uri uri,
                                      const std::vector<OptionSpec>& specs,
                                      absl::string_view word) {
  for (auto& [key, value] : uri.options) {
    const OptionSpec* spec = Find(specs, key);
    if (spec == nullptr || spec->type != SLUICE_OPTION_PATH || spec->secret) {
      continue;
    }
    absl::StatusOr<std::string> absolute = AbsolutePath(value);
    if (!absolute.ok()) {
      return WithCode(
          Annotate(absolute.status(),
                   absl::StrCat(uri.kind, ": option \"", key, "\"")),
          word);
    }
    value = *std::move(absolute);
  }
  return uri;
}

std::string IdentityOf(const Uri& uri, const std::vector<OptionSpec>& specs) {
  Uri known;
  known.kind = uri.kind;
  for (const auto& option : uri.options) {
    const OptionSpec* spec = Find(specs, option.first);
    if (spec == nullptr || !spec->secret) known.options.push_back(option);
  }
  std::sort(known.options.begin(), known.options.end());
  return FormatUri(known);
}

}  // namespace sluice
