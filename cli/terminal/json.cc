#include "sluice/cli/terminal/json.h"

#include <string>

#include "sluice/cli/terminal/text.h"

namespace sluice::cli {

std::string Encode(const Json& json) {
  return SafeJson(json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace sluice::cli
