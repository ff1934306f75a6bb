#ifndef SLUICE_SERVICE_HTTP_API_OPENAPI_H_
#define SLUICE_SERVICE_HTTP_API_OPENAPI_H_

// The API's OpenAPI 3.1 document, made from the table of routes and from what
// the encoders of service/json write. docs/openapi.json is this text; a test
// holds the two together.

#include <string>

namespace sluice::service {

// JSON, with two blanks for each level and a line end. Any thread.
const std::string& OpenApiText();

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_HTTP_API_OPENAPI_H_
