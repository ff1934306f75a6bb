#ifndef SLUICE_PLUGINS_BADGER_SOURCE_H_
#define SLUICE_PLUGINS_BADGER_SOURCE_H_

// A Badger directory as something that can be backed up and restored into.
//
//   SourceOptions options;
//   options.folder = "/srv/app/db";
//   options.scratch = "/var/tmp";
//   std::unique_ptr<sdk::Source> source = MakeBadgerSource(options);
//
// Backup reads the database while another process has it open and writes: it
// takes no lock, copies what it reads into a folder of its own below `scratch`
// (live_copy.h), proves the copy by reading all of it, and then streams it.
// With `offline` it takes Badger's own lock instead and reads in place. Either
// way the payload is the stream of Badger's DB.Backup, which `badger restore`
// takes; see backup_walk.h for what is in it.
//
// On a base, what its chain does not hold is streamed (increment.h), as its
// indexes tell; all is read all the same, and the digest of what is alive
// (live_digest.h) recorded, which a restore of the chain must reach. Where the
// base has no index, or is of another incarnation of the database, or nothing
// that is added to it makes it what the database is, the backup is a full one,
// and says why (sdk::kFullReasonMetadata).
//
// The database is written into once: the store's id (store_id.h), with the
// first backup, unless `store_id` is given.
//
// Restore is restore.h's: with what the archive says of its store
// (store_traits.h), and not encrypted.
//
// Errors: source_unavailable (no database, no permission, locked), source_empty
// (an empty folder), source_config_invalid (the key, the store id),
// source_failed (damage, or changing too fast), scratch_unavailable, cancelled;
// restore.h's. Threads as sdk::Source. Memory: image.h; a frame of a MiB.

#include <memory>

#include "sluice/base/file_system.h"
#include "sluice/plugins/badger/source_options.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice {
namespace badger {

// `files`: the machine's, or a decorator. Borrowed.
std::unique_ptr<sdk::Source> MakeBadgerSource(
    SourceOptions options, FileSystem* files = FileSystem::Posix());

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_SOURCE_H_
