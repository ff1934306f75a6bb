#ifndef SLUICE_CATALOG_TESTING_SQLITE_VFS_H_
#define SLUICE_CATALOG_TESTING_SQLITE_VFS_H_

// SQLite over base/file_system.h, so that a test can make each I/O call of the
// catalog fail, or cut the power between any two of them.
//
//   CrashFileSystem disk;
//   SqliteVfs vfs(&disk);
//   SqliteCatalogOptions options{.path = "/catalog.db"};
//   options.file_system = &disk;
//   options.vfs = vfs.name();
//   options.exclusive = true;     // there is no shared memory here, no locks
//
// It asks of the file system what SQLite's own asks of POSIX: whole writes, an
// fsync where SQLite syncs, and that of the folder, its answer unseen, after
// the first sync of a log or journal. One connection a file. Test code only.

#include <memory>
#include <string>

#include "sluice/base/file_system.h"

struct sqlite3_vfs;

namespace sluice {

class SqliteVfs {
 public:
  // Registers it under a name of its own; `file_system` is borrowed.
  explicit SqliteVfs(FileSystem* file_system);
  // All its databases must be closed.
  ~SqliteVfs();
  SqliteVfs(const SqliteVfs&) = delete;
  SqliteVfs& operator=(const SqliteVfs&) = delete;

  const std::string& name() const { return name_; }

 private:
  struct State;
  const std::string name_;
  const std::unique_ptr<State> state_;
};

}  // namespace sluice

#endif  // SLUICE_CATALOG_TESTING_SQLITE_VFS_H_
