#ifndef SLUICE_DESTINATIONS_LOCAL_OBJECT_FILE_H_
#define SLUICE_DESTINATIONS_LOCAL_OBJECT_FILE_H_

// One object being written to a file, or read from one.
//
// A commit is: sync the temporary file, close it and look at the result,
// rename it (without replacing, where asked for), sync the folder. A failed
// sync of the file means that its content is unknown: the commit fails, the
// file is removed, and whoever tries again writes a new one. A failed sync of
// the folder after the rename is UNKNOWN.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/base/file_system.h"
#include "sluice/destinations/local/place_folder.h"
#include "sluice/plugins/sdk/place.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice {

// `place` outlives writer and reader. `name` was checked.
absl::StatusOr<std::unique_ptr<sdk::ObjectWriter>> BeginObjectFile(
    PlaceFolder& place, const sdk::Run& run, absl::string_view name);

absl::StatusOr<std::unique_ptr<sdk::ObjectReader>> OpenObjectFile(
    PlaceFolder& place, const sdk::Run& run, absl::string_view name,
    uint64_t offset);

// NOT_FOUND where `name` is no object.
absl::Status NoSuchObject(const PlaceFolder& place, absl::string_view operation,
                          absl::string_view name);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_LOCAL_OBJECT_FILE_H_
