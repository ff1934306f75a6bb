// Writes docs/openapi.json to stdout.

#include <iostream>

#include "sluice/service/http/api/openapi.h"

int main() {
  std::cout << sluice::service::OpenApiText();
  return std::cout.flush() ? 0 : 1;
}
