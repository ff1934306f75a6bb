#include "sluice/service/store_uri.h"

#include <xxhash.h>

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sluice/base/absolute_path.h"
#include "sluice/base/error.h"

namespace sluice::service {
namespace {

// By links, too, where the folders are there.
std::string Resolved(const std::string& path) {
  std::error_code error;
  const std::string resolved =
      std::filesystem::weakly_canonical(path, error).string();
  return error ? path : resolved;
}

}  // namespace

std::string StoreIdFromUri(absl::string_view kind, absl::string_view identity) {
  return absl::StrCat(
      kind, "-",
      absl::StrFormat("%016x", XXH3_64bits(identity.data(), identity.size())));
}

absl::StatusOr<std::string> StoreIdOf(const StoreInfo& info,
                                      absl::string_view kind,
                                      const UriFacts& facts,
                                      const std::string& wanted) {
  if (info.store_id.empty()) {
    return wanted.empty() ? StoreIdFromUri(kind, facts.identity) : wanted;
  }
  if (wanted.empty() || wanted == info.store_id) return info.store_id;
  return InvalidArgument(
      absl::StrCat("the store's own id is ", info.store_id, ", not ", wanted));
}

absl::Status CheckApart(const UriFacts& store,
                        const std::map<std::string, std::string>& repo) {
  for (const char* name : {"path", "load", "save"}) {
    const auto folder = store.paths.find(name);
    if (folder == store.paths.end()) continue;
    const std::string ours = Resolved(folder->second);
    for (const auto& [key, path] : repo) {
      const std::string place = Resolved(path);
      if (!IsWithin(place, ours) && !IsWithin(ours, place)) continue;
      return InvalidArgument(
          absl::StrCat("the store ", folder->second, " and the repo ", path,
                       " lie within each other"),
          "a repo needs a folder of its own, outside of what is backed up and "
          "restored");
    }
  }
  return absl::OkStatus();
}

}  // namespace sluice::service
