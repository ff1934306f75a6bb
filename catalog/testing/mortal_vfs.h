#ifndef SLUICE_CATALOG_TESTING_MORTAL_VFS_H_
#define SLUICE_CATALOG_TESTING_MORTAL_VFS_H_

// SQLite's own VFS, of which one call is the process's last: whoever goes on
// with the catalog, beside it or after it, finds what a process leaves that was
// killed there. Locks and shared memory are the real ones.
//
//   RegisterMortalVfs();
//   SqliteCatalogOptions options{.path = path, .vfs = kMortalVfs};
//   ...
//   DieAtCall(n);      // counts from here
//   catalog->queue().Claim(context, {now});
//   std::cout << CallsSoFar();  // it takes less than n
//
// Counted are all calls that read, write, sync, cut, lock or unlock. Test code
// only; one thread.

#include <cstdint>

namespace sluice {

inline constexpr char kMortalVfs[] = "mortal";
// How the process ends: as by SIGKILL, but that it says so.
inline constexpr int kDiedExitCode = 86;

// Once in a process, before anything is opened.
void RegisterMortalVfs();
// Ends the process before the n-th call from here; 0: never.
void DieAtCall(int64_t n);
// Since DieAtCall.
int64_t CallsSoFar();

}  // namespace sluice

#endif  // SLUICE_CATALOG_TESTING_MORTAL_VFS_H_
