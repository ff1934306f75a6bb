#include "sluice/base/testing/crash_file_system.h"

#include <errno.h>
#include <fcntl.h>

#include <algorithm>
#include <map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/span.h"
#include "sluice/base/mutex.h"

namespace sluice {

// What all views and open files of one disk share.
class CrashFileSystem::Disk {
 public:
  Disk(CrashTree tree, Clock* clock)
      : clock_(clock), initial_(tree), tree_(std::move(tree)) {
    if (tree_.empty()) {
      tree_[kCrashRoot].folder = true;
      tree_[kCrashRoot].mode = 0755;
      initial_ = tree_;
    }
    next_node_ = tree_.rbegin()->first + 1;
  }

  // A path: the folder that its last part lies in, that part's name, and the
  // node there (0: none). The name is empty for the root of the view.
  struct Place {
    int error = 0;
    uint64_t folder = 0;
    std::string name = "";
    uint64_t node = 0;
  };

  Place Find(const std::string& path, uint64_t root, bool beneath)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (path.empty()) return {ENOENT};
    if (beneath && path[0] == '/') return {EXDEV};
    Place place{0, 0, "", root};
    for (const absl::string_view part : absl::StrSplit(path, '/')) {
      if (part.empty() || part == ".") continue;
      if (part == "..") return {EXDEV};
      if (place.node == 0) return {ENOENT};
      if (!tree_[place.node].folder) return {ENOTDIR};
      place.folder = place.node;
      place.name = std::string(part);
      const auto& entries = tree_[place.folder].entries;
      const auto found = entries.find(place.name);
      place.node = found == entries.end() ? 0 : found->second;
    }
    return place;
  }

  // The same, of what must be there.
  Place FindThere(const std::string& path, uint64_t root, bool beneath)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    Place place = Find(path, root, beneath);
    if (place.error == 0 && place.node == 0) place.error = ENOENT;
    return place;
  }
  Place FindFolder(const std::string& path, uint64_t root, bool beneath)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    Place place = FindThere(path, root, beneath);
    if (place.error == 0 && !node(place.node).folder) place.error = ENOTDIR;
    return place;
  }
  // What is there, and a name that is free for it; the error of both.
  std::pair<Place, Place> FindFree(const std::string& from,
                                   const std::string& to, uint64_t root,
                                   bool beneath, int* error)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const Place a = Find(from, root, beneath);
    const Place b = Find(to, root, beneath);
    *error = a.error != 0   ? a.error
             : b.error != 0 ? b.error
             : a.node == 0  ? ENOENT
             : b.node != 0  ? EEXIST
                            : 0;
    return {a, b};
  }

  uint64_t Create(bool folder, uint32_t mode)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    CrashEvent event;
    event.kind = CrashEvent::Kind::kCreate;
    event.node = next_node_++;
    event.folder = folder;
    event.mode = mode;
    event.text = absl::StrCat("creation of node ", event.node);
    return Do(std::move(event));
  }

  // Between two folders it is two writes.
  void Move(const Place& from, const Place& to, const std::string& text)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (from.folder == to.folder) {
      SetEntries(from.folder, {{from.name, 0}, {to.name, from.node}}, text);
      return;
    }
    SetEntries(to.folder, {{to.name, from.node}}, text + " (new name)");
    SetEntries(from.folder, {{from.name, 0}}, text + " (old name)");
  }

  void SetEntries(uint64_t folder,
                  std::vector<std::pair<std::string, uint64_t>> entries,
                  std::string text) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    CrashEvent event;
    event.kind = CrashEvent::Kind::kEntries;
    event.node = folder;
    event.entries = std::move(entries);
    event.text = std::move(text);
    Do(std::move(event));
  }

  void Write(uint64_t node, uint64_t offset, absl::string_view bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    CrashEvent event;
    event.kind = CrashEvent::Kind::kWrite;
    event.node = node;
    event.offset = offset;
    event.data = std::make_shared<const std::string>(bytes);
    event.text = absl::StrCat("write of ", bytes.size(), " bytes at ", offset,
                              " to node ", node);
    Do(std::move(event));
  }

  void Truncate(uint64_t node, uint64_t size)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    CrashEvent event;
    event.kind = CrashEvent::Kind::kTruncate;
    event.node = node;
    event.offset = size;
    event.text = absl::StrCat("truncate of node ", node, " to ", size);
    Do(std::move(event));
  }

  int Sync(uint64_t node) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    ++syncs_;
    if (syncs_ == dropped_) return 0;
    CrashEvent event;
    event.kind = CrashEvent::Kind::kSync;
    event.node = node;
    event.failed = syncs_ == failed_;
    event.text = absl::StrCat(
        event.failed ? "failed sync " : "sync ", syncs_, " of ",
        node == CrashEvent::kAllNodes ? "all nodes"
                                      : absl::StrCat("node ", node));
    const bool failed = event.failed;
    Do(std::move(event));
    return failed ? EIO : 0;
  }

  void Mark(absl::string_view promise) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    CrashEvent event;
    event.text = absl::StrCat("promise: ", promise);
    Do(std::move(event));
  }

  FileInfo InfoOf(uint64_t number) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const CrashNode& node = tree_[number];
    FileInfo info;
    info.type =
        node.folder ? FileInfo::Type::kDirectory : FileInfo::Type::kRegular;
    info.size = node.size();
    info.modified = node.modified;
    info.mode = node.mode;
    info.device = 1;
    info.inode = number;
    info.links = 0;
    for (const auto& [_, other] : tree_) {
      for (const auto& [name, child] : other.entries) {
        if (child == number) ++info.links;
      }
    }
    return info;
  }

  CrashNode& node(uint64_t number) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return tree_[number];
  }

  mutable Mutex mutex_;
  Clock* const clock_;
  CrashTree initial_ ABSL_GUARDED_BY(mutex_);
  std::vector<CrashEvent> trace_ ABSL_GUARDED_BY(mutex_);
  int64_t syncs_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t dropped_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t failed_ ABSL_GUARDED_BY(mutex_) = 0;
  CrashTree tree_ ABSL_GUARDED_BY(mutex_);

 private:
  uint64_t Do(CrashEvent event) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    event.time = clock_ != nullptr
                     ? clock_->Now()
                     : absl::FromUnixSeconds(1700000000 + trace_.size());
    ApplyEvent(event, CrashPart::kAll, tree_);
    const uint64_t node = event.node;
    trace_.push_back(std::move(event));
    return node;
  }

  uint64_t next_node_ ABSL_GUARDED_BY(mutex_) = 0;
};

class CrashFile final : public File {
 public:
  CrashFile(std::shared_ptr<CrashFileSystem::Disk> disk, uint64_t node,
            int flags)
      : disk_(std::move(disk)), node_(node), flags_(flags) {}

  IoResult<size_t> Read(absl::Span<char> buffer) override {
    IoResult<size_t> got = ReadAt(offset_, buffer);
    if (got.ok()) offset_ += got.value;
    return got;
  }

  IoResult<size_t> ReadAt(uint64_t offset, absl::Span<char> buffer) override {
    if (closed_ || (flags_ & O_ACCMODE) == O_WRONLY) {
      return IoResult<size_t>::Failed(EBADF);
    }
    MutexLock lock(disk_->mutex_);
    const CrashNode& node = disk_->node(node_);
    if (node.folder) return IoResult<size_t>::Failed(EISDIR);
    if (offset >= node.size()) return {0, 0};
    const size_t size = std::min<uint64_t>(buffer.size(), node.size() - offset);
    std::copy_n(node.content->begin() + offset, size, buffer.begin());
    return {0, size};
  }

  IoResult<size_t> Write(absl::string_view bytes) override {
    if ((flags_ & O_APPEND) != 0) {
      MutexLock lock(disk_->mutex_);
      offset_ = disk_->node(node_).size();
    }
    IoResult<size_t> written = WriteAt(offset_, bytes);
    if (written.ok()) offset_ += written.value;
    return written;
  }

  IoResult<size_t> WriteAt(uint64_t offset, absl::string_view bytes) override {
    if (!Writable()) return IoResult<size_t>::Failed(EBADF);
    MutexLock lock(disk_->mutex_);
    if (!bytes.empty()) disk_->Write(node_, offset, bytes);
    return {0, bytes.size()};
  }

  int Truncate(uint64_t size) override {
    if (!Writable()) return EINVAL;
    MutexLock lock(disk_->mutex_);
    disk_->Truncate(node_, size);
    return 0;
  }

  int Sync() override {
    if (closed_) return EBADF;
    MutexLock lock(disk_->mutex_);
    return disk_->Sync(node_);
  }

  int SyncFileSystem() override {
    if (closed_) return EBADF;
    MutexLock lock(disk_->mutex_);
    return disk_->Sync(CrashEvent::kAllNodes);
  }

  IoResult<FileInfo> Stat() override {
    if (closed_) return IoResult<FileInfo>::Failed(EBADF);
    MutexLock lock(disk_->mutex_);
    return {0, disk_->InfoOf(node_)};
  }

  int Seek(uint64_t offset) override {
    if (closed_) return EBADF;
    offset_ = offset;
    return 0;
  }

  int Close() override { return std::exchange(closed_, true) ? EBADF : 0; }

 private:
  bool Writable() const { return !closed_ && (flags_ & O_ACCMODE) != O_RDONLY; }

  const std::shared_ptr<CrashFileSystem::Disk> disk_;
  const uint64_t node_;
  const int flags_;
  uint64_t offset_ = 0;
  bool closed_ = false;
};

CrashFileSystem::CrashFileSystem(Clock* clock)
    : CrashFileSystem(CrashTree(), clock) {}

CrashFileSystem::CrashFileSystem(CrashTree tree, Clock* clock)
    : CrashFileSystem(std::make_shared<Disk>(std::move(tree), clock),
                      kCrashRoot, false) {}

CrashFileSystem::CrashFileSystem(std::shared_ptr<Disk> disk, uint64_t root,
                                 bool beneath)
    : disk_(std::move(disk)), root_(root), beneath_(beneath) {}

IoResult<std::unique_ptr<File>> CrashFileSystem::Open(const std::string& path,
                                                      int flags,
                                                      uint32_t mode) {
  using Result = IoResult<std::unique_ptr<File>>;
  MutexLock lock(disk_->mutex_);
  Disk::Place place = disk_->Find(path, root_, beneath_);
  if (place.error != 0) return Result::Failed(place.error);
  const bool create = (flags & O_CREAT) != 0;
  if (place.node == 0) {
    if (!create) return Result::Failed(ENOENT);
    place.node = disk_->Create(false, mode);
    disk_->SetEntries(place.folder, {{place.name, place.node}},
                      absl::StrCat("entry of new file ", path));
  } else if (create && (flags & O_EXCL) != 0) {
    return Result::Failed(EEXIST);
  } else if (disk_->node(place.node).folder &&
             (flags & O_ACCMODE) != O_RDONLY) {
    return Result::Failed(EISDIR);
  } else if ((flags & O_TRUNC) != 0 && disk_->node(place.node).size() > 0) {
    disk_->Truncate(place.node, 0);
  }
  return {0, std::make_unique<CrashFile>(disk_, place.node, flags)};
}

int CrashFileSystem::Rename(const std::string& from, const std::string& to) {
  MutexLock lock(disk_->mutex_);
  const Disk::Place a = disk_->Find(from, root_, beneath_);
  const Disk::Place b = disk_->Find(to, root_, beneath_);
  if (a.error != 0 || b.error != 0) return a.error != 0 ? a.error : b.error;
  if (a.node == 0) return ENOENT;
  if (a.name.empty() || b.name.empty()) return EBUSY;
  if (a.node == b.node) return 0;
  if (b.node != 0) {
    const bool onto_folder = disk_->node(b.node).folder;
    if (disk_->node(a.node).folder != onto_folder) {
      return onto_folder ? EISDIR : ENOTDIR;
    }
    if (!disk_->node(b.node).entries.empty()) return ENOTEMPTY;
  }
  disk_->Move(a, b, absl::StrCat("rename of ", from, " to ", to));
  return 0;
}

int CrashFileSystem::RenameNoReplace(const std::string& from,
                                     const std::string& to) {
  MutexLock lock(disk_->mutex_);
  int error = 0;
  const auto [a, b] = disk_->FindFree(from, to, root_, beneath_, &error);
  if (error != 0) return error;
  disk_->Move(a, b, absl::StrCat("rename of ", from, " to ", to));
  return 0;
}

int CrashFileSystem::Link(const std::string& from, const std::string& to) {
  MutexLock lock(disk_->mutex_);
  int error = 0;
  const auto [a, b] = disk_->FindFree(from, to, root_, beneath_, &error);
  if (error != 0) return error;
  if (disk_->node(a.node).folder) return EPERM;
  disk_->SetEntries(b.folder, {{b.name, a.node}},
                    absl::StrCat("link of ", from, " to ", to));
  return 0;
}

int CrashFileSystem::Unlink(const std::string& path) {
  MutexLock lock(disk_->mutex_);
  const Disk::Place place = disk_->FindThere(path, root_, beneath_);
  if (place.error != 0) return place.error;
  if (disk_->node(place.node).folder) return EISDIR;
  disk_->SetEntries(place.folder, {{place.name, 0}},
                    absl::StrCat("unlink of ", path));
  return 0;
}

int CrashFileSystem::MakeDirectory(const std::string& path, uint32_t mode) {
  MutexLock lock(disk_->mutex_);
  const Disk::Place place = disk_->Find(path, root_, beneath_);
  if (place.error != 0) return place.error;
  if (place.node != 0) return EEXIST;
  const uint64_t node = disk_->Create(true, mode);
  disk_->SetEntries(place.folder, {{place.name, node}},
                    absl::StrCat("entry of new folder ", path));
  return 0;
}

int CrashFileSystem::RemoveDirectory(const std::string& path) {
  MutexLock lock(disk_->mutex_);
  const Disk::Place place = disk_->FindThere(path, root_, beneath_);
  if (place.error != 0) return place.error;
  if (place.name.empty()) return EBUSY;
  if (!disk_->node(place.node).folder) return ENOTDIR;
  if (!disk_->node(place.node).entries.empty()) return ENOTEMPTY;
  disk_->SetEntries(place.folder, {{place.name, 0}},
                    absl::StrCat("removal of folder ", path));
  return 0;
}

int CrashFileSystem::SyncDirectory(const std::string& path) {
  MutexLock lock(disk_->mutex_);
  const Disk::Place place = disk_->FindFolder(path, root_, beneath_);
  if (place.error != 0) return place.error;
  return disk_->Sync(place.node);
}

IoResult<FileInfo> CrashFileSystem::Stat(const std::string& path) {
  MutexLock lock(disk_->mutex_);
  const Disk::Place place = disk_->FindThere(path, root_, beneath_);
  if (place.error != 0) return IoResult<FileInfo>::Failed(place.error);
  return {0, disk_->InfoOf(place.node)};
}

IoResult<std::vector<DirectoryEntry>> CrashFileSystem::List(
    const std::string& path) {
  using Result = IoResult<std::vector<DirectoryEntry>>;
  MutexLock lock(disk_->mutex_);
  const Disk::Place place = disk_->FindFolder(path, root_, beneath_);
  if (place.error != 0) return Result::Failed(place.error);
  std::vector<DirectoryEntry> entries;
  for (const auto& [name, node] : disk_->node(place.node).entries) {
    entries.push_back({name, disk_->node(node).folder
                                 ? FileInfo::Type::kDirectory
                                 : FileInfo::Type::kRegular});
  }
  return {0, std::move(entries)};
}

IoResult<std::unique_ptr<FileSystem>> CrashFileSystem::Beneath(
    const std::string& folder) {
  using Result = IoResult<std::unique_ptr<FileSystem>>;
  MutexLock lock(disk_->mutex_);
  const Disk::Place place = disk_->FindFolder(folder, root_, beneath_);
  if (place.error != 0) return Result::Failed(place.error);
  return {0, std::unique_ptr<FileSystem>(
                 new CrashFileSystem(disk_, place.node, true))};
}

IoResult<uint64_t> CrashFileSystem::LargestFile(const std::string& path) {
  return {Stat(path).error, 0};
}

void CrashFileSystem::Mark(absl::string_view promise) {
  MutexLock lock(disk_->mutex_);
  disk_->Mark(promise);
}

int64_t CrashFileSystem::syncs() const {
  MutexLock lock(disk_->mutex_);
  return disk_->syncs_;
}

void CrashFileSystem::DropSync(int64_t n) {
  MutexLock lock(disk_->mutex_);
  disk_->dropped_ = n;
}

void CrashFileSystem::FailSync(int64_t n) {
  MutexLock lock(disk_->mutex_);
  disk_->failed_ = n;
}

void CrashFileSystem::Settle() {
  MutexLock lock(disk_->mutex_);
  disk_->initial_ = disk_->tree_;
  disk_->trace_.clear();
  disk_->syncs_ = 0;
}

std::vector<CrashEvent> CrashFileSystem::trace() const {
  MutexLock lock(disk_->mutex_);
  return disk_->trace_;
}

CrashStateCount CrashFileSystem::ForEachCrash(
    const CrashStateOptions& options,
    absl::FunctionRef<bool(const CrashedDisk&)> visit) const {
  CrashTree initial;
  std::vector<CrashEvent> trace;
  {
    MutexLock lock(disk_->mutex_);
    initial = disk_->initial_;
    trace = disk_->trace_;
  }
  return ForEachCrashState(initial, trace, options,
                           [&](const CrashStateView& view) {
                             return visit(CrashedDisk(view, disk_->clock_));
                           });
}

}  // namespace sluice
