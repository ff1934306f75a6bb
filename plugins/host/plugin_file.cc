#include "sluice/plugins/host/plugin_file.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "openssl/sha.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/host/elf_check.h"
#include "sluice/plugins/host/entry_check.h"

namespace sluice {
namespace {

constexpr mode_t kWritableByOthers = S_IWGRP | S_IWOTH;

absl::Status OpenFailed(int error, absl::string_view what) {
  absl::Status status = PluginUnusable(
      absl::StrCat(what, ": ", strerror(error)),
      "check the path, or set --plugin-dir or SLUICE_PLUGIN_DIR");
  if (error != ENOENT && error != ENOTDIR) return status;
  return WithHint(
      MakeError(absl::StatusCode::kNotFound, kPluginUnusable, status.message()),
      HintOf(status));
}

absl::StatusOr<std::string> RealPath(const std::string& path) {
  char* real = realpath(path.c_str(), nullptr);
  if (real == nullptr) return OpenFailed(errno, "cannot be found");
  std::string result(real);
  std::free(real);
  return result;
}

bool IsTrusted(uid_t owner, uid_t us) { return owner == 0 || owner == us; }

absl::StatusOr<std::string> Sha256Hex(int descriptor) {
  SHA256_CTX hash;
  SHA256_Init(&hash);
  std::array<char, 64 << 10> buffer;
  off_t offset = 0;
  while (true) {
    const ssize_t size =
        pread(descriptor, buffer.data(), buffer.size(), offset);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return OpenFailed(errno, "cannot be read");
    if (size == 0) break;
    SHA256_Update(&hash, buffer.data(), static_cast<size_t>(size));
    offset += size;
  }
  std::array<uint8_t, SHA256_DIGEST_LENGTH> digest;
  SHA256_Final(digest.data(), &hash);
  return absl::BytesToHexString(absl::string_view(
      reinterpret_cast<const char*>(digest.data()), digest.size()));
}

// The entry within a loaded object, or what is wrong with its symbol.
absl::StatusOr<const sluice_plugin_entry*> FindEntry(void* handle) {
  void* symbol = dlsym(handle, SLUICE_PLUGIN_SYMBOL);
  if (symbol == nullptr) {
    return PluginUnusable("it does not export " SLUICE_PLUGIN_SYMBOL,
                          "is it a plugin of sluice?");
  }
  Dl_info info;
  ElfW(Sym)* sym = nullptr;
  // The first members of the entry keep their place in every version; what does
  // not hold even these cannot be asked for its size.
  constexpr size_t kHeader =
      offsetof(sluice_plugin_entry, struct_size) + sizeof(uint32_t);
  if (dladdr1(symbol, &info, reinterpret_cast<void**>(&sym), RTLD_DL_SYMENT) ==
          0 ||
      sym == nullptr || ELF64_ST_TYPE(sym->st_info) != STT_OBJECT ||
      sym->st_size < kHeader) {
    return PluginUnusable(SLUICE_PLUGIN_SYMBOL " is not a plugin's entry",
                          "tell the plugin's author");
  }
  const auto* entry = static_cast<const sluice_plugin_entry*>(symbol);
  if (entry->struct_size > sym->st_size) {
    return PluginUnusable(
        "its entry says that it is larger than it is in the file",
        "tell the plugin's author");
  }
  return entry;
}

}  // namespace

absl::StatusOr<PluginFile> PluginFile::Open(const std::string& path) {
  if (!absl::StartsWith(path, "/")) {
    return PluginUnusable("its path is not absolute",
                          "give the whole path, from /");
  }
  SLUICE_ASSIGN_OR_RETURN(std::string real, RealPath(path));
  // O_NONBLOCK: a FIFO in its place must not hold us.
  const int descriptor =
      open(real.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) return OpenFailed(errno, "cannot be opened");
  PluginFile file(descriptor, std::move(real), {});
  if (fstat(descriptor, &file.status_) != 0)
    return OpenFailed(errno, "cannot be looked at");
  if (!S_ISREG(file.status_.st_mode))
    return PluginUnusable("it is not a regular file", "check the path");
  return file;
}

PluginFile::PluginFile(PluginFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      real_path_(std::move(other.real_path_)),
      status_(other.status_) {}

PluginFile& PluginFile::operator=(PluginFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(real_path_, other.real_path_);
  std::swap(status_, other.status_);
  return *this;
}

PluginFile::~PluginFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

absl::Status PluginFile::CheckOwner(uid_t us) const {
  if (IsTrusted(status_.st_uid, us)) return absl::OkStatus();
  return PluginUnusable(
      absl::StrCat("it belongs to user ", status_.st_uid,
                   ", who is neither root nor the user that runs this"),
      "chown it to root or to yourself if you trust it");
}

absl::Status PluginFile::CheckMode() const {
  if ((status_.st_mode & kWritableByOthers) == 0) return absl::OkStatus();
  return PluginUnusable("others than its owner may write it",
                        "chmod go-w the file if you trust what is in it");
}

absl::Status PluginFile::CheckFolder(uid_t us) const {
  const std::string folder =
      absl::StrCat(real_path_.substr(0, real_path_.rfind('/')), "/.");
  struct stat status;
  if (stat(folder.c_str(), &status) != 0)
    return OpenFailed(errno, "its folder cannot be looked at");
  if (IsTrusted(status.st_uid, us) && (status.st_mode & kWritableByOthers) == 0)
    return absl::OkStatus();
  return PluginUnusable("others may write the folder that it is in",
                        "chmod go-w the folder, and let it belong to root or "
                        "to yourself");
}

absl::Status PluginFile::CheckElf() const {
  return CheckElfFile(descriptor_, static_cast<uint64_t>(status_.st_size));
}

absl::Status PluginFile::CheckPin(absl::string_view sha256) const {
  if (sha256.empty()) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(const std::string actual, Sha256Hex(descriptor_));
  if (actual == absl::AsciiStrToLower(sha256)) return absl::OkStatus();
  return PluginUnusable(
      absl::StrCat("its SHA-256 is ", actual, ", pinned is ", sha256),
      "if it was updated on purpose, pin the new one");
}

absl::Status PluginFile::CheckName(const std::string& name) const {
  struct stat named;
  if (stat(name.c_str(), &named) != 0) {
    return PluginUnusable(
        absl::StrCat("it cannot be loaded through ", name, ": ",
                     strerror(errno)),
        "mount /proc: what was checked is loaded through its descriptor");
  }
  if (named.st_dev == status_.st_dev && named.st_ino == status_.st_ino)
    return absl::OkStatus();
  return PluginUnusable(
      absl::StrCat("it cannot be loaded: ", name, " is another file"),
      "mount this PID namespace's own /proc");
}

absl::StatusOr<const sluice_plugin_entry*> PluginFile::Load() {
  const std::string name = absl::StrCat("/proc/self/fd/", descriptor_);
  SLUICE_RETURN_IF_ERROR(CheckName(name));
  void* handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* error = dlerror();
    return PluginUnusable(
        absl::StrCat("it cannot be loaded: ",
                     absl::StrReplaceAll(error == nullptr ? "" : error,
                                         {{name, real_path_}})),
        "ldd shows what it needs");
  }
  // From here on the object stays, and so must the name it was loaded under.
  descriptor_ = -1;
  return FindEntry(handle);
}

absl::StatusOr<const sluice_plugin_entry*> LoadPluginFile(
    const std::string& path, absl::string_view sha256) {
  const uid_t us = geteuid();
  SLUICE_ASSIGN_OR_RETURN(PluginFile file, PluginFile::Open(path));
  SLUICE_RETURN_IF_ERROR(file.CheckOwner(us));
  SLUICE_RETURN_IF_ERROR(file.CheckMode());
  SLUICE_RETURN_IF_ERROR(file.CheckFolder(us));
  SLUICE_RETURN_IF_ERROR(file.CheckElf());
  SLUICE_RETURN_IF_ERROR(file.CheckPin(sha256));
  return file.Load();
}

}  // namespace sluice
