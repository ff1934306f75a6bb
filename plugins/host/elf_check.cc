#include "sluice/plugins/host/elf_check.h"

#include <elf.h>
#include <unistd.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "sluice/plugins/host/entry_check.h"

namespace sluice {
namespace {

#if defined(__x86_64__)
constexpr Elf64_Half kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half kMachine = EM_AARCH64;
#else
#error "name this machine's ELF number"
#endif

bool ReadAt(int descriptor, uint64_t offset, void* buffer, size_t size) {
  return pread(descriptor, buffer, size, static_cast<off_t>(offset)) ==
         static_cast<ssize_t>(size);
}

// Whether `size` bytes at `offset` lie within a file of `file_size`.
bool Within(uint64_t offset, uint64_t size, uint64_t file_size) {
  return offset <= file_size && size <= file_size - offset;
}

// Whether the file has all that its program headers map, and has some that map.
bool IsWhole(int descriptor, const Elf64_Ehdr& header, uint64_t file_size) {
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 ||
      header.e_phnum == PN_XNUM ||
      !Within(header.e_phoff, uint64_t{header.e_phnum} * sizeof(Elf64_Phdr),
              file_size)) {
    return false;
  }
  bool loads = false;
  for (uint64_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr part;
    if (!ReadAt(descriptor, header.e_phoff + i * sizeof(part), &part,
                sizeof(part)) ||
        (part.p_type != PT_NULL &&
         !Within(part.p_offset, part.p_filesz, file_size)) ||
        (part.p_type == PT_LOAD && part.p_filesz > part.p_memsz)) {
      return false;
    }
    loads = loads || part.p_type == PT_LOAD;
  }
  return loads;
}

}  // namespace

absl::Status CheckElfFile(int descriptor, uint64_t file_size) {
  Elf64_Ehdr header;
  if (!ReadAt(descriptor, 0, &header, sizeof(header)) ||
      std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_type != ET_DYN ||
      header.e_machine != kMachine) {
    return PluginUnusable("it is not a shared object for this machine",
                          "is it a plugin, and built for this machine?");
  }
  if (!IsWhole(descriptor, header, file_size)) {
    return PluginUnusable(
        absl::StrCat("it is truncated: its headers name more than the ",
                     file_size, " bytes that it has"),
        "copy it anew; cp to another name and mv is never seen half done");
  }
  return absl::OkStatus();
}

}  // namespace sluice
