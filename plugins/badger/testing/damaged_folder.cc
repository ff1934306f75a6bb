#include "sluice/plugins/badger/testing/damaged_folder.h"

#include <errno.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/plugins/badger/testing/string_file.h"

namespace sluice {
namespace badger {

std::map<std::string, std::string> FilesOf(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream stream(entry.path(), std::ios::binary);
    files[entry.path().filename()] =
        std::string(std::istreambuf_iterator<char>(stream),
                    std::istreambuf_iterator<char>());
  }
  return files;
}

class DamagedFolder::OpenFile final : public ReadOnlyFile {
 public:
  OpenFile(std::shared_ptr<State> state, std::string name,
           const std::string& bytes)
      : state_(std::move(state)), name_(std::move(name)), bytes_(bytes) {}

  IoResult<size_t> ReadAt(uint64_t offset, absl::Span<char> buffer) override {
    const size_t count =
        CopyAt(absl::string_view(bytes_).substr(0, Size()), offset, buffer);
    if (count == 0) return {0, 0};
    if (Has(Damage::kFlip) && state_->at >= offset &&
        state_->at < offset + count) {
      buffer[state_->at - offset] ^= static_cast<char>(state_->mask);
    }
    if (state_->damage == Damage::kNone) {
      state_->reads[name_].push_back({offset, count});
    }
    return {0, count};
  }
  IoResult<FileInfo> Stat() override { return {0, RegularFile(Size())}; }

 private:
  bool Has(Damage damage) const {
    return state_->damage == damage && state_->damaged == name_;
  }
  size_t Size() const { return Has(Damage::kCut) ? state_->at : bytes_.size(); }

  const std::shared_ptr<State> state_;
  const std::string name_;
  const std::string& bytes_;  // the state's
};

DamagedFolder::DamagedFolder(std::map<std::string, std::string> files)
    : state_(std::make_shared<State>()) {
  state_->files = std::move(files);
}

void DamagedFolder::Flip(const std::string& name, uint64_t at, uint8_t mask) {
  state_->damage = Damage::kFlip;
  state_->damaged = name;
  state_->at = at;
  state_->mask = mask;
}

void DamagedFolder::Cut(const std::string& name, uint64_t size) {
  state_->damage = Damage::kCut;
  state_->damaged = name;
  state_->at = size;
}

void DamagedFolder::Remove(const std::string& name) {
  state_->damage = Damage::kGone;
  state_->damaged = name;
}

void DamagedFolder::Mend() { state_->damage = Damage::kNone; }

std::vector<DamagedFolder::Piece> DamagedFolder::TakeReads(
    const std::string& name) {
  return std::exchange(state_->reads[name], {});
}

const std::string* DamagedFolder::Find(const std::string& name) const {
  if (state_->damage == Damage::kGone && state_->damaged == name) {
    return nullptr;
  }
  const auto file = state_->files.find(name);
  return file == state_->files.end() ? nullptr : &file->second;
}

IoResult<std::unique_ptr<File>> DamagedFolder::Open(const std::string& path,
                                                    int, uint32_t) {
  const std::string* bytes = Find(path);
  if (bytes == nullptr) return IoResult<std::unique_ptr<File>>::Failed(ENOENT);
  return {0, std::make_unique<OpenFile>(state_, path, *bytes)};
}

IoResult<FileInfo> DamagedFolder::Stat(const std::string& path) {
  auto file = Open(path, 0, 0);
  if (!file.ok()) return IoResult<FileInfo>::Failed(file.error);
  return file.value->Stat();
}

IoResult<std::vector<DirectoryEntry>> DamagedFolder::List(const std::string&) {
  std::vector<DirectoryEntry> entries;
  for (const auto& file : state_->files) {
    if (Find(file.first) == nullptr) continue;
    entries.push_back({file.first, FileInfo::Type::kRegular});
  }
  return {0, std::move(entries)};
}

IoResult<std::unique_ptr<FileSystem>> DamagedFolder::Beneath(
    const std::string&) {
  return {0, std::unique_ptr<FileSystem>(new DamagedFolder(state_))};
}

IoResult<uint64_t> DamagedFolder::LargestFile(const std::string&) {
  return {0, 0};
}

}  // namespace badger
}  // namespace sluice
