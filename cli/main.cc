#include <cstdio>
#include <string>

#include "sluice/base/version.h"

int main() {
  std::puts(("sluice " + std::string(sluice::kVersion)).c_str());
  return 0;
}
