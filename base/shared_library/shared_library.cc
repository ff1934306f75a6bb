#include "sluice/base/shared_library/shared_library.h"

#include <dlfcn.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"

namespace sluice {
namespace {

absl::Status Missing(absl::string_view what, absl::string_view package) {
  const char* const reason = dlerror();
  return WithHint(
      MakeError(absl::StatusCode::kFailedPrecondition, kLibraryMissing,
                absl::StrCat(what, ": ", reason == nullptr ? "?" : reason)),
      absl::StrCat("install ", package));
}

}  // namespace

absl::StatusOr<SharedLibrary> SharedLibrary::Load(const char* name,
                                                  absl::string_view package) {
  void* const handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return Missing(absl::StrCat("cannot load ", name), package);
  }
  return SharedLibrary(name, package, handle);
}

absl::Status SharedLibrary::FindAddress(const char* symbol,
                                        void*& address) const {
  address = dlsym(handle_, symbol);
  if (address != nullptr) return absl::OkStatus();
  return Missing(absl::StrCat(name_, " has no ", symbol), package_);
}

}  // namespace sluice
