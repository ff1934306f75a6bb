#ifndef SLUICE_PLUGINS_BADGER_INSPECT_INSPECT_JSON_H_
#define SLUICE_PLUGINS_BADGER_INSPECT_INSPECT_JSON_H_

// An inspection for programs. Pure, any thread.

#include <string>

#include "sluice/plugins/badger/inspect/inspect.h"

namespace sluice {
namespace badger {

// One object on one line, with its newline; all fields present, sizes in bytes.
std::string RenderJson(const Inspection& inspection);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_INSPECT_INSPECT_JSON_H_
