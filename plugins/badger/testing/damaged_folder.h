#ifndef SLUICE_PLUGINS_BADGER_TESTING_DAMAGED_FOLDER_H_
#define SLUICE_PLUGINS_BADGER_TESTING_DAMAGED_FOLDER_H_

// A folder in memory, with one damage at a time: a byte that is flipped, a file
// that is cut or gone. For tests that try hundreds of thousands of them.
//
//   DamagedFolder folder(FilesOf(fixture.folder()));
//   folder.Flip("MANIFEST", 9, 0x10);
//   List(folder, options);  // whatever options.folder says, it is this one
//   folder.Mend();
//
// It is read only and flat. One thread. Files that are open see a later damage.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sluice/base/file_system.h"
#include "sluice/base/read_only_file_system.h"

namespace sluice {
namespace badger {

// The files of a folder of the machine, by name.
std::map<std::string, std::string> FilesOf(const std::string& folder);

class DamagedFolder final : public ReadOnlyFileSystem {
 public:
  explicit DamagedFolder(std::map<std::string, std::string> files);

  const std::map<std::string, std::string>& files() const {
    return state_->files;
  }

  // Each replaces the damage that there was. `mask`: the bits that change.
  void Flip(const std::string& name, uint64_t at, uint8_t mask);
  void Cut(const std::string& name, uint64_t size);
  void Remove(const std::string& name);
  void Mend();

  // Pieces of a file that were read while all was whole, since the last call.
  struct Piece {
    uint64_t offset = 0;
    uint64_t size = 0;
  };
  std::vector<Piece> TakeReads(const std::string& name);

  IoResult<std::unique_ptr<File>> Open(const std::string& path, int flags,
                                       uint32_t mode) override;
  IoResult<FileInfo> Stat(const std::string& path) override;
  IoResult<std::vector<DirectoryEntry>> List(const std::string& path) override;
  IoResult<std::unique_ptr<FileSystem>> Beneath(
      const std::string& folder) override;
  IoResult<uint64_t> LargestFile(const std::string& path) override;

 private:
  enum class Damage { kNone, kFlip, kCut, kGone };
  struct State {
    std::map<std::string, std::string> files;
    Damage damage = Damage::kNone;
    std::string damaged;
    uint64_t at = 0;  // the byte, or the length that is left
    uint8_t mask = 0;
    std::map<std::string, std::vector<Piece>> reads;
  };
  class OpenFile;

  explicit DamagedFolder(std::shared_ptr<State> state)
      : state_(std::move(state)) {}
  // Null where there is none of that name.
  const std::string* Find(const std::string& name) const;

  std::shared_ptr<State> state_;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_TESTING_DAMAGED_FOLDER_H_
