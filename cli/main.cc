#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "sluice/cli/app.h"

namespace {

// A descriptor below 3 that is closed would be given to the first file that is
// opened: the catalog would be stdout.
void FillStandardDescriptors() {
  int descriptor = 0;
  do {
    descriptor = open("/dev/null", O_RDWR);
  } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
  if (descriptor >= 0) close(descriptor);
}

}  // namespace

int main(int argc, char** argv) {
  FillStandardDescriptors();
  return sluice::cli::RunApp(
      std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc),
      [](const char* name) -> const char* { return getenv(name); });
}
