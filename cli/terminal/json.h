#ifndef SLUICE_CLI_TERMINAL_JSON_H_
#define SLUICE_CLI_TERMINAL_JSON_H_

// What --json prints: service/json/json.h, and how a line of it is written.
//
// Pure; any thread.

#include <string>

#include "sluice/service/json/json.h"

namespace sluice::cli {

using service::ErrorJson;
using service::Json;
using service::KindName;
using service::StatusName;
using service::TimeText;
using service::ToJson;

// One line, without its end, safe to print. Bytes that are not UTF-8 become
// U+FFFD.
std::string Encode(const Json& json);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_TERMINAL_JSON_H_
