// The main of a fuzz target in a plain `bazel test`: every file below the
// folders that are named, every prefix of each, and mutations of each that are
// the same in every run. Arguments that begin with '-' are libFuzzer's and are
// passed over.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <system_error>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr int kMutationsPerFile = 2000;
constexpr size_t kMostPrefixes = 2000;

size_t runs = 0;

void Run(const std::string& input) {
  // A copy of just this size, so that a sanitizer sees a read beyond it.
  const std::vector<uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  ++runs;
}

std::string Mutated(std::string input, std::mt19937& random) {
  const int changes = 1 + static_cast<int>(random() % 3);
  for (int i = 0; i < changes && !input.empty(); ++i) {
    const size_t at = random() % input.size();
    switch (random() % 4) {
      case 0:
        input[at] = static_cast<char>(random());
        break;
      case 1:
        input.erase(at, 1 + random() % 8);
        break;
      case 2:
        input.insert(at, 1, static_cast<char>(random()));
        break;
      default:
        input.insert(at, input.substr(random() % input.size(), random() % 32));
    }
  }
  return input;
}

void RunFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string input{std::istreambuf_iterator<char>(file),
                          std::istreambuf_iterator<char>()};
  const size_t step = 1 + input.size() / kMostPrefixes;
  for (size_t size = 0; size < input.size(); size += step) {
    Run(input.substr(0, size));
  }
  Run(input);
  std::mt19937 random(20261122);
  for (int i = 0; i < kMutationsPerFile; ++i) Run(Mutated(input, random));
}

}  // namespace

int main(int argc, char** argv) {
  size_t files = 0;
  for (int i = 1; i < argc; ++i) {
    if (argv[i][0] == '-') continue;
    std::error_code error;
    std::filesystem::recursive_directory_iterator entries(argv[i], error);
    if (error) {
      std::fprintf(stderr, "%s: %s\n", argv[i], error.message().c_str());
      return 1;
    }
    for (const auto& entry : entries) {
      if (!entry.is_regular_file()) continue;
      RunFile(entry.path());
      ++files;
    }
  }
  std::printf("%zu inputs from %zu files\n", runs, files);
  return files == 0;  // a corpus that was not found proves nothing
}
