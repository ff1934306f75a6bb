#ifndef SLUICE_PLUGINS_HOST_PLUGIN_FILE_H_
#define SLUICE_PLUGINS_HOST_PLUGIN_FILE_H_

// A plugin's .so from its path to its entry.
//
// A constructor of a shared object runs inside dlopen, so everything that can
// be checked of the file is checked before: absolute path, regular file, owner
// (root or us), mode (nobody else may write it, or the folder that it is in),
// an ELF shared object for this machine that is all there, and the pin. The
// file is opened once; what was checked through that descriptor is what is
// loaded through it (/proc/self/fd/N), whatever the path names by then. The
// descriptor stays open with the plugin, which is never unloaded: the loader
// knows the object by that name. For the same reason $ORIGIN is of no use in a
// plugin's RPATH.
//
// /proc/self and not /proc/PID: in a PID namespace that still sees another's
// /proc, our own number is another process there, and its descriptors are other
// files. That the name leads to the checked file is looked at once more before
// dlopen; where there is no /proc at all no plugin is loaded (ADR 0017).
//
// One function a step, one error (plugin_unusable, NOT_FOUND where there is no
// file) and one plugin in tests/plugin_zoo each.

#include <sys/stat.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/abi/sluice_plugin.h"

namespace sluice {

// An open descriptor, closed with the object.
class PluginFile {
 public:
  // Steps 1 and 2: the path is absolute; links are followed to the real file,
  // which is regular.
  static absl::StatusOr<PluginFile> Open(const std::string& path);
  PluginFile(PluginFile&& other) noexcept;
  PluginFile& operator=(PluginFile&& other) noexcept;
  ~PluginFile();

  // Steps 3 to 6. `us`: our own user id. CheckElf holds the program headers
  // against the file's size: what is mapped beyond its end raises SIGBUS.
  absl::Status CheckOwner(uid_t us) const;
  absl::Status CheckMode() const;
  absl::Status CheckFolder(uid_t us) const;
  absl::Status CheckElf() const;
  // Step 7: `sha256` in hex, either case; empty: not pinned. Reads the file.
  absl::Status CheckPin(absl::string_view sha256) const;

  // Steps 8 and 9: dlopen, and the symbol, which must be a data object that is
  // large enough. Keeps the descriptor for the life of the process on success.
  absl::StatusOr<const sluice_plugin_entry*> Load();
  // Of step 8: whether `name` leads to this very file. For tests; Load asks it.
  absl::Status CheckName(const std::string& name) const;

 private:
  PluginFile(int descriptor, std::string real_path, struct stat status)
      : descriptor_(descriptor),
        real_path_(std::move(real_path)),
        status_(status) {}

  int descriptor_ = -1;
  std::string real_path_;
  struct stat status_ = {};
};

// All steps.
absl::StatusOr<const sluice_plugin_entry*> LoadPluginFile(
    const std::string& path, absl::string_view sha256);

}  // namespace sluice

#endif  // SLUICE_PLUGINS_HOST_PLUGIN_FILE_H_
