#ifndef SLUICE_BASE_ABSOLUTE_PATH_H_
#define SLUICE_BASE_ABSOLUTE_PATH_H_

// One name for one folder, however it was typed: what is hashed, stored or
// shown must mean the same from every folder and on every day.
//
// Example:
//
//   AbsolutePath("st/").value();           // "/home/me/st" in /home/me
//   AbsolutePath("~/st/./x/..").value();   // "/home/me/st"
//
// Absolute, without ".", "..", repeated slashes and a slash at the end. A
// symlink keeps its name, so that `/srv/app/current` stays one store whatever
// it leads to today; only where ".." follows one, the folder that it leads to
// is taken, as the kernel would. "~" and "~/..." are $HOME: a shell expands
// them at the begin of a word only, and these come after a kind and a colon.
//
// INVALID_ARGUMENT (invalid_argument) for an empty path, a NUL, "~user", no
// HOME, and a current folder that is gone. Cost: pure text, but for one look at
// the file system for each "..". Any thread, as far as the environment and the
// current folder are not changed meanwhile.

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sluice {

absl::StatusOr<std::string> AbsolutePath(absl::string_view path);

// Is `path` `folder`, or in it? Both as AbsolutePath gives them. Pure.
bool IsWithin(absl::string_view path, absl::string_view folder);

}  // namespace sluice

#endif  // SLUICE_BASE_ABSOLUTE_PATH_H_
