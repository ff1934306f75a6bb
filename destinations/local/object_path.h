#ifndef SLUICE_DESTINATIONS_LOCAL_OBJECT_PATH_H_
#define SLUICE_DESTINATIONS_LOCAL_OBJECT_PATH_H_

// How object names become paths below the place's folder, and back.
//
// An object `a/b/c` is the file a/b/c. While it is written it is the file
//
//   a/b/.sluice-<token>-<process>-c
//
// token 16 random hexadecimal digits, process the writer's id on its machine,
// for people. The same folder, so that one rename publishes it; the name at the
// end, so that whoever lists what was never committed knows for what it was
// meant. Names may not begin with ".sluice-", so the two never meet.
//
// Pure functions but for New..., any thread.

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace sluice {

// The longest segment: 255 bytes less what a temporary name adds.
inline constexpr size_t kMaxNamePartBytes = 215;
// Of a whole name, as sdk::IsObjectName has it.
inline constexpr size_t kMaxNameBytes = 512;

// OK for an object's name that fits here; else INVALID_ARGUMENT.
absl::Status CheckObjectName(absl::string_view name);
// Whether some object's name can begin with `prefix`.
bool IsObjectPrefix(absl::string_view prefix);
// Whether `name` can be one segment of an object's name.
bool IsSegment(absl::string_view name);

// "a/b" of "a/b/c"; "" of "c".
absl::string_view FolderOf(absl::string_view path);
// "c" of "a/b/c".
absl::string_view LastSegment(absl::string_view path);
// `folder`/`name`, or `name` where the folder is "".
std::string JoinPath(absl::string_view folder, absl::string_view name);
// `folder`, or "." where it is "".
std::string FolderPath(absl::string_view folder);

// The name of an object that a probe begins; as the archive's own probes are
// named, so that a sweep knows what to do with a leftover.
std::string NewProbeName();

// A fresh temporary path for object `name`; another one at each call.
std::string NewTemporary(absl::string_view name);
// The object's last segment, if `segment` is a temporary file's name; else "".
absl::string_view TargetOfTemporary(absl::string_view segment);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_LOCAL_OBJECT_PATH_H_
