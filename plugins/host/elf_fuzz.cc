// Whatever the headers of a file name: an answer, and OK only where each
// segment lies within the file.

#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "absl/status/status.h"
#include "sluice/plugins/host/elf_check.h"

namespace {

int TheFile() {
  static const int file = memfd_create("elf", MFD_CLOEXEC);
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int file = TheFile();
  if (ftruncate(file, 0) != 0 ||
      pwrite(file, data, size, 0) != static_cast<ssize_t>(size)) {
    std::abort();
  }
  if (!sluice::CheckElfFile(file, size).ok()) return 0;
  Elf64_Ehdr header;
  std::memcpy(&header, data, sizeof(header));
  for (size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr part;
    std::memcpy(&part, data + header.e_phoff + i * sizeof(part), sizeof(part));
    if (part.p_type == PT_LOAD &&
        (part.p_offset > size || part.p_filesz > size - part.p_offset)) {
      std::abort();
    }
  }
  return 0;
}
