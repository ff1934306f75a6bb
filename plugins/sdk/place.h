#ifndef SLUICE_PLUGINS_SDK_PLACE_H_
#define SLUICE_PLUGINS_SDK_PLACE_H_

// What the author of a destination writes: a place that holds named objects,
// and nothing about archives.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<ObjectWriter> writer,
//                           place.Begin(run, "a/payload.bin", 0));
//   SLUICE_RETURN_IF_ERROR(writer->Write("hello"));
//   SLUICE_RETURN_IF_ERROR(writer->Commit(CommitMode::kIfAbsent));
//
// Names are 1 to 512 bytes: segments of [A-Za-z0-9._-] joined by '/', no
// segment "." or "..", none that begins with ".sluice-". The place checks them
// all the same (IsObjectName). Errors carry the destination_* words of
// base/error.h. plugins/sdk/factory.h turns a Place into the C table.
//
// Threads: each class says its own. Ownership: what a method is given is
// borrowed for the call, `run` for the life of the writer or reader; what it
// gives is the caller's. Cost: calls block; look at `run` where one takes long.
// Payload comes in writes of up to a chunk of the pipe (1 MiB by default), in
// objects of up to a segment (1 GiB by default).

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/object.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice::sdk {

using ::sluice::CommitMode;
using ::sluice::ObjectInfo;
using ::sluice::ObjectReader;
using ::sluice::ObjectWriter;
using ::sluice::PlaceInfo;

// Any method from any thread, also at once. Writers and readers are destroyed
// before the place. `run` outlives the writer or reader it was given for.
class Place {
 public:
  using Callback = std::function<absl::Status(const ObjectInfo&)>;

  virtual ~Place() = default;

  // With `probe` tries out what the place can, leaving nothing behind; without,
  // only looks. A place that is not there is no error: exists is false.
  virtual absl::StatusOr<PlaceInfo> Describe(const Run& run, bool probe) = 0;
  // Creates the place itself where it is missing.
  virtual absl::Status Create(const Run& run) = 0;
  // `size_hint` 0: not known.
  virtual absl::StatusOr<std::unique_ptr<ObjectWriter>> Begin(
      const Run& run, absl::string_view name, uint64_t size_hint) = 0;
  // NOT_FOUND where there is no such object (Stat, Delete: the same).
  virtual absl::StatusOr<std::unique_ptr<ObjectReader>> Open(
      const Run& run, absl::string_view name, uint64_t offset) = 0;
  virtual absl::StatusOr<ObjectInfo> Stat(const Run& run,
                                          absl::string_view name) = 0;
  // Committed objects whose names begin with `prefix`, ascending by byte order.
  // An error from the callback ends the listing and is returned as it is.
  virtual absl::Status List(const Run& run, absl::string_view prefix,
                            const Callback& callback) = 0;
  virtual absl::Status Delete(const Run& run, absl::string_view name) = 0;
  // Begun under `prefix`, by any process, and neither committed nor aborted.
  virtual absl::Status ListUncommitted(const Run& run, absl::string_view prefix,
                                       const Callback& callback) = 0;
  // NOT_FOUND where it is gone.
  virtual absl::Status AbortUncommitted(const Run& run,
                                        absl::string_view upload) = 0;
};

// Whether `name` is an object name as above.
bool IsObjectName(absl::string_view name);

}  // namespace sluice::sdk

#endif  // SLUICE_PLUGINS_SDK_PLACE_H_
