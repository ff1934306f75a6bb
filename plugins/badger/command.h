#ifndef SLUICE_PLUGINS_BADGER_COMMAND_H_
#define SLUICE_PLUGINS_BADGER_COMMAND_H_

// The plugin's own verb:
//
//   sluice plugin badger inspect DIR [value_dir=DIR] [key=file:F] [scratch=DIR]
//                                    [tables]
//
// says what a database consists of, who has it open, and what of it is damaged.
// A database that someone writes is copied first, as a backup does; nothing in
// it is written, and no lock is taken. `--json` among the arguments: one
// object.
//
// Errors: invalid_argument for words that are none; as inspect.h has them;
// archive_damaged where there is damage, after what could be read was printed.
// Any thread.

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/plugins/sdk/factory.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice {
namespace badger {

absl::Status RunBadgerCommand(const sdk::Host& host, const sdk::Run& run,
                              absl::string_view name,
                              absl::Span<const std::string> arguments,
                              sdk::Output& output);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_COMMAND_H_
