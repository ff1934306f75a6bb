#ifndef SLUICE_BASE_SHARED_LIBRARY_SHARED_LIBRARY_H_
#define SLUICE_BASE_SHARED_LIBRARY_SHARED_LIBRARY_H_

// A library of the system's that is loaded when it is first needed, so that a
// program that may need it starts as quickly as one that does not, and runs
// where it is missing. (Plugins are loaded by //plugins/host, which trusts
// nobody.)
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(
//       const SharedLibrary library,
//       SharedLibrary::Load("libz.so.1", "the Debian package zlib1g"));
//   const char* (*version)() = nullptr;
//   SLUICE_RETURN_IF_ERROR(library.Find("zlibVersion", version));
//
// With the library's own header a type is decltype(&zlibVersion), and its
// macros and constants are used as ever. The name holds the ABI's number ("libz.so.1"), so that a
// library of another ABI is not taken.
//
// A library stays loaded until the process ends: threads, exit handlers and
// pointers of its own make it unsafe to take away. Immutable once loaded; any
// thread. Errors: library_missing, with the hint that says what to install.
// Cost: the loader's work for it and all that it needs, once.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sluice {

inline constexpr absl::string_view kLibraryMissing = "library_missing";

class SharedLibrary {
 public:
  // `package` is what to install where there is none.
  static absl::StatusOr<SharedLibrary> Load(const char* name,
                                            absl::string_view package);

  // library_missing where it has no such symbol: it is too old.
  template <typename Function>
  absl::Status Find(const char* symbol, Function*& function) const {
    void* address = nullptr;
    const absl::Status found = FindAddress(symbol, address);
    function = reinterpret_cast<Function*>(address);
    return found;
  }

 private:
  SharedLibrary(const char* name, absl::string_view package, void* handle)
      : name_(name), package_(package), handle_(handle) {}

  absl::Status FindAddress(const char* symbol, void*& address) const;

  std::string name_;
  std::string package_;
  void* handle_;  // of the process's, never closed
};

}  // namespace sluice

#endif  // SLUICE_BASE_SHARED_LIBRARY_SHARED_LIBRARY_H_
