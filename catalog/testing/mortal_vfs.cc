#include "sluice/catalog/testing/mortal_vfs.h"

#include <sqlite3.h>
#include <unistd.h>

namespace sluice {
namespace {

int64_t calls = 0;
int64_t last_call = 0;
sqlite3_vfs* original = nullptr;
sqlite3_vfs mortal;

// An open file's methods, with those of SQLite behind them.
struct Methods {
  sqlite3_io_methods ours;  // first: a file points to it
  const sqlite3_io_methods* theirs;
};

void Count() {
  if (++calls == last_call) _exit(kDiedExitCode);
}

// Calls METHOD of SQLite's own file with the file's own methods in place, as it
// may look at them.
template <auto Method, typename... Arguments>
int Pass(sqlite3_file* file, Arguments... arguments) {
  Count();
  const auto* const methods = reinterpret_cast<const Methods*>(file->pMethods);
  file->pMethods = methods->theirs;
  const int result = (methods->theirs->*Method)(file, arguments...);
  file->pMethods = &methods->ours;
  return result;
}

int Close(sqlite3_file* file) {
  const auto* const methods = reinterpret_cast<const Methods*>(file->pMethods);
  file->pMethods = methods->theirs;
  const int result = file->pMethods->xClose(file);
  delete methods;
  return result;
}

void Barrier(sqlite3_file* file) {
  reinterpret_cast<const Methods*>(file->pMethods)->theirs->xShmBarrier(file);
}

using Io = sqlite3_io_methods;

void Wrap(sqlite3_file* file) {
  auto* const methods = new Methods{*file->pMethods, file->pMethods};
  Io& ours = methods->ours;
  ours.xClose = &Close;
  ours.xRead = &Pass<&Io::xRead, void*, int, sqlite3_int64>;
  ours.xWrite = &Pass<&Io::xWrite, const void*, int, sqlite3_int64>;
  ours.xTruncate = &Pass<&Io::xTruncate, sqlite3_int64>;
  ours.xSync = &Pass<&Io::xSync, int>;
  ours.xLock = &Pass<&Io::xLock, int>;
  ours.xUnlock = &Pass<&Io::xUnlock, int>;
  ours.xShmMap = &Pass<&Io::xShmMap, int, int, int, void volatile**>;
  ours.xShmLock = &Pass<&Io::xShmLock, int, int, int>;
  ours.xShmUnmap = &Pass<&Io::xShmUnmap, int>;
  ours.xShmBarrier = &Barrier;
  file->pMethods = &ours;
}

int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags,
         int* out_flags) {
  Count();
  const int result = original->xOpen(original, name, file, flags, out_flags);
  if (file->pMethods != nullptr) Wrap(file);
  return result;
}

int Delete(sqlite3_vfs*, const char* name, int sync_folder) {
  Count();
  return original->xDelete(original, name, sync_folder);
}

}  // namespace

void RegisterMortalVfs() {
  original = sqlite3_vfs_find(nullptr);
  mortal = *original;
  mortal.zName = kMortalVfs;
  mortal.xOpen = &Open;
  mortal.xDelete = &Delete;
  sqlite3_vfs_register(&mortal, /*makeDflt=*/0);
}

void DieAtCall(int64_t n) {
  calls = 0;
  last_call = n;
}

int64_t CallsSoFar() { return calls; }

}  // namespace sluice
