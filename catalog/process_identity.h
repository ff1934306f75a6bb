#ifndef SLUICE_CATALOG_PROCESS_IDENTITY_H_
#define SLUICE_CATALOG_PROCESS_IDENTITY_H_

// Who holds a lease, told so exactly that another process on the same machine
// can prove that the holder is dead: process id and start time, which together
// are never used twice in one boot, and the boot and the namespaces that they
// belong to.
//
// Example:
//
//   const ProcessIdentity self = CurrentProcess();
//   if (IsProvablyDead(self, holder)) return EndJobsOf(holder);
//
// Functions over values and /proc, any thread, a few system calls each. None
// fails: what cannot be read is not known, and proves nothing.

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace sluice {

struct ProcessIdentity {
  int64_t pid = 0;
  int64_t start_ticks = 0;  // since boot; 0: not known
  std::string machine_id;   // of the installed system; empty: not known
  std::string boot_id;      // of the running kernel; empty: not known
  // Process ids and times since boot count only within one of these.
  std::string pid_namespace;
  std::string time_namespace;
};

// Of this process.
ProcessIdentity CurrentProcess();

// True where times since boot read by both are of the same clock.
bool SharesBootClock(const ProcessIdentity& a, const ProcessIdentity& b);

// True only where the process `other` certainly runs no code of its own any
// more: it is gone from this boot of the machine, was of an earlier one, or was
// killed and merely hangs in system calls (of a file system that does not
// answer, state D) that it will not return from. False for one that is stopped,
// hidden from `self`, or on another machine.
bool IsProvablyDead(const ProcessIdentity& self, const ProcessIdentity& other);

// The id in the text of /etc/machine-id; empty where it is none, as on a first
// boot ("uninitialized"): then two machines would be one. Pure.
std::string MachineIdIn(absl::string_view text);

// Whether a thread with this /proc/PID/task/TID/status has ended, or has
// SIGKILL waiting for it. Pure.
bool ThreadIsOver(absl::string_view proc_status);

}  // namespace sluice

#endif  // SLUICE_CATALOG_PROCESS_IDENTITY_H_
