#ifndef SLUICE_DESTINATIONS_ARCHIVE_OBJECT_STORE_H_
#define SLUICE_DESTINATIONS_ARCHIVE_OBJECT_STORE_H_

// All that an archive asks of a place: named objects that are written whole,
// read, listed and deleted.
//
// Two shapes fit: a file system (temporary name, sync, rename) and an object
// service (upload, then complete). Names are 1 to 512 bytes: segments of
// [A-Za-z0-9._-] joined by '/', no segment "." or "..", none that begins with
// ".sluice-". The mirror of the C table sluice_place.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<ObjectWriter> writer,
//                           place.Begin(context, "a/payload.bin", 0));
//   SLUICE_RETURN_IF_ERROR(writer->Write("hello"));
//   SLUICE_RETURN_IF_ERROR(writer->Commit(CommitMode::kIfAbsent));
//
// Threads, errors: each class says its own. Ownership: what a call gives is the
// caller's, what it takes is borrowed for the call. Cost: every call blocks for
// the place.

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/object.h"
#include "sluice/executor/context.h"

namespace sluice {

// Thread-safe. Writers and readers must be destroyed before the store. Errors
// carry the destination_* codes.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // With `probe` tries out what the place can, leaving nothing behind; without,
  // only looks.
  virtual absl::StatusOr<PlaceInfo> Describe(const Context& context,
                                             bool probe) = 0;
  // Creates the place itself where it is missing.
  virtual absl::Status Create(const Context& context) = 0;
  // `size_hint` 0: not known. The writer ends with the context too.
  virtual absl::StatusOr<std::unique_ptr<ObjectWriter>> Begin(
      const Context& context, absl::string_view name, uint64_t size_hint) = 0;
  // NOT_FOUND where there is no such object.
  virtual absl::StatusOr<std::unique_ptr<ObjectReader>> Open(
      const Context& context, absl::string_view name, uint64_t offset) = 0;
  virtual absl::StatusOr<ObjectInfo> Stat(const Context& context,
                                          absl::string_view name) = 0;
  // Committed objects whose names begin with `prefix`, ascending. An error from
  // the callback ends it and is returned. A place with folders that meets one
  // which it may not read lists `<folder>/-` for it and goes on.
  using Callback = std::function<absl::Status(const ObjectInfo&)>;
  virtual absl::Status List(const Context& context, absl::string_view prefix,
                            const Callback& callback) = 0;
  virtual absl::Status Delete(const Context& context,
                              absl::string_view name) = 0;
  // Begun under `prefix`, by any process, and neither committed nor aborted.
  virtual absl::Status ListUncommitted(const Context& context,
                                       absl::string_view prefix,
                                       const Callback& callback) = 0;
  virtual absl::Status AbortUncommitted(const Context& context,
                                        absl::string_view upload) = 0;
};

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_OBJECT_STORE_H_
