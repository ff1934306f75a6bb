#include "sluice/catalog/testing/sqlite_vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>

#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"

namespace sluice {

namespace {

// What SQLite allocates and hands to us; `base` comes first.
struct VfsFile {
  sqlite3_file base;
  FileSystem* file_system;
  std::atomic<int>* last_error;
  File* file;
  // Of the folder to sync after the file's first sync; empty: none.
  std::string* unsynced_folder;
};

VfsFile& Of(sqlite3_file* file) { return *reinterpret_cast<VfsFile*>(file); }

int Failed(std::atomic<int>& last_error, int error, int result) {
  last_error = error;
  return error == ENOSPC || error == EDQUOT ? SQLITE_FULL : result;
}

int Close(sqlite3_file* file) {
  VfsFile& self = Of(file);
  // As SQLite's own: what matters was synced before.
  self.file->Close();
  delete std::exchange(self.file, nullptr);
  delete std::exchange(self.unsynced_folder, nullptr);
  return SQLITE_OK;
}

int Read(sqlite3_file* file, void* buffer, int bytes, sqlite3_int64 offset) {
  VfsFile& self = Of(file);
  const absl::Span<char> all(static_cast<char*>(buffer),
                             static_cast<size_t>(bytes));
  const IoResult<size_t> read =
      ReadUpToAt(*self.file, static_cast<uint64_t>(offset), all);
  if (!read.ok()) {
    return Failed(*self.last_error, read.error, SQLITE_IOERR_READ);
  }
  const absl::Span<char> rest = all.subspan(read.value);
  if (rest.empty()) return SQLITE_OK;
  memset(rest.data(), 0, rest.size());
  return SQLITE_IOERR_SHORT_READ;
}

int Write(sqlite3_file* file, const void* buffer, int bytes,
          sqlite3_int64 offset) {
  VfsFile& self = Of(file);
  const int error =
      WriteAllAt(*self.file, static_cast<uint64_t>(offset),
                 absl::string_view(static_cast<const char*>(buffer),
                                   static_cast<size_t>(bytes)));
  return error == 0 ? SQLITE_OK
                    : Failed(*self.last_error, error, SQLITE_IOERR_WRITE);
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  VfsFile& self = Of(file);
  const int error = self.file->Truncate(static_cast<uint64_t>(size));
  return error == 0 ? SQLITE_OK
                    : Failed(*self.last_error, error, SQLITE_IOERR_TRUNCATE);
}

int Sync(sqlite3_file* file, int) {
  VfsFile& self = Of(file);
  const int error = self.file->Sync();
  if (error != 0) return Failed(*self.last_error, error, SQLITE_IOERR_FSYNC);
  if (self.unsynced_folder == nullptr) return SQLITE_OK;
  // SQLite's own does not look at the answer either.
  self.file_system->SyncDirectory(*self.unsynced_folder);
  delete std::exchange(self.unsynced_folder, nullptr);
  return SQLITE_OK;
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  VfsFile& self = Of(file);
  const IoResult<FileInfo> info = self.file->Stat();
  if (!info.ok())
    return Failed(*self.last_error, info.error, SQLITE_IOERR_FSTAT);
  *size = static_cast<sqlite3_int64>(info.value.size);
  return SQLITE_OK;
}

int Lock(sqlite3_file*, int) { return SQLITE_OK; }
int CheckReservedLock(sqlite3_file*, int* reserved) {
  *reserved = 0;
  return SQLITE_OK;
}
int FileControl(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int SectorSize(sqlite3_file*) { return 4096; }
// None of the favours that a disk may do: a torn write is expected.
int DeviceCharacteristics(sqlite3_file*) { return 0; }

constexpr sqlite3_io_methods kMethods = {
    1, Close, Read, Write, Truncate, Sync, FileSize, Lock, Lock,
    CheckReservedLock, FileControl, SectorSize, DeviceCharacteristics,
    // Of version 2 on: shared memory, which an exclusive log needs not.
    nullptr, nullptr, nullptr, nullptr, nullptr, nullptr};

struct VfsState {
  FileSystem* file_system = nullptr;
  std::atomic<int> last_error{0};
};

std::string FolderOf(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

VfsState& StateOf(sqlite3_vfs* vfs) {
  return *static_cast<VfsState*>(vfs->pAppData);
}

int Open(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags,
         int* out_flags) {
  VfsState& state = StateOf(vfs);
  VfsFile& self = Of(file);
  self.base.pMethods = nullptr;
  if (name == nullptr) return SQLITE_CANTOPEN;
  const std::string path = name;
  const bool create = (flags & SQLITE_OPEN_CREATE) != 0;
  int open_flags = (flags & SQLITE_OPEN_READWRITE) != 0 ? O_RDWR : O_RDONLY;
  if (create) open_flags |= O_CREAT;
  if ((flags & SQLITE_OPEN_EXCLUSIVE) != 0) open_flags |= O_EXCL;
  IoResult<std::unique_ptr<File>> opened =
      state.file_system->Open(path, open_flags, 0600);
  if (!opened.ok())
    return Failed(state.last_error, opened.error, SQLITE_CANTOPEN);
  const bool kept = (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL |
                              SQLITE_OPEN_SUPER_JOURNAL)) != 0;
  self.base.pMethods = &kMethods;
  self.file_system = state.file_system;
  self.last_error = &state.last_error;
  self.file = opened.value.release();
  self.unsynced_folder =
      create && kept ? new std::string(FolderOf(path)) : nullptr;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int Delete(sqlite3_vfs* vfs, const char* name, int sync_folder) {
  VfsState& state = StateOf(vfs);
  int error = state.file_system->Unlink(name);
  if (error == ENOENT) return SQLITE_IOERR_DELETE_NOENT;
  if (error != 0) return Failed(state.last_error, error, SQLITE_IOERR_DELETE);
  if (sync_folder == 0) return SQLITE_OK;
  error = state.file_system->SyncDirectory(FolderOf(name));
  return error == 0 ? SQLITE_OK
                    : Failed(state.last_error, error, SQLITE_IOERR_DIR_FSYNC);
}

int Access(sqlite3_vfs* vfs, const char* name, int, int* answer) {
  VfsState& state = StateOf(vfs);
  const IoResult<FileInfo> info = state.file_system->Stat(name);
  *answer = info.ok() && info.value.size > 0 ? 1 : 0;
  if (info.ok() || info.error == ENOENT) return SQLITE_OK;
  return Failed(state.last_error, info.error, SQLITE_IOERR_ACCESS);
}

int FullPathname(sqlite3_vfs*, const char* name, int size, char* out) {
  if (strlen(name) >= static_cast<size_t>(size)) return SQLITE_CANTOPEN;
  memcpy(out, name, strlen(name) + 1);
  return SQLITE_OK;
}

sqlite3_vfs* Native() { return sqlite3_vfs_find(nullptr); }

int Randomness(sqlite3_vfs*, int bytes, char* out) {
  return Native()->xRandomness(Native(), bytes, out);
}
int Sleep(sqlite3_vfs*, int microseconds) {
  return Native()->xSleep(Native(), microseconds);
}
int CurrentTime(sqlite3_vfs*, double* days) {
  return Native()->xCurrentTime(Native(), days);
}
int GetLastError(sqlite3_vfs* vfs, int, char*) {
  return StateOf(vfs).last_error.load();
}

std::string NextName() {
  static std::atomic<int> next{0};
  return absl::StrCat("sluice-test-", ++next);
}

}  // namespace

struct SqliteVfs::State {
  sqlite3_vfs vfs = {};
  VfsState data;
};

SqliteVfs::SqliteVfs(FileSystem* file_system)
    : name_(NextName()), state_(std::make_unique<State>()) {
  state_->data.file_system = file_system;
  sqlite3_vfs& vfs = state_->vfs;
  vfs.iVersion = 1;
  vfs.szOsFile = sizeof(VfsFile);
  vfs.mxPathname = 1024;
  vfs.zName = name_.c_str();
  vfs.pAppData = &state_->data;
  vfs.xOpen = Open;
  vfs.xDelete = Delete;
  vfs.xAccess = Access;
  vfs.xFullPathname = FullPathname;
  vfs.xRandomness = Randomness;
  vfs.xSleep = Sleep;
  vfs.xCurrentTime = CurrentTime;
  vfs.xGetLastError = GetLastError;
  sqlite3_vfs_register(&vfs, 0);
}

SqliteVfs::~SqliteVfs() { sqlite3_vfs_unregister(&state_->vfs); }

}  // namespace sluice
