#ifndef SLUICE_PLUGINS_SDK_TESTING_SCRATCH_FOLDER_H_
#define SLUICE_PLUGINS_SDK_TESTING_SCRATCH_FOLDER_H_

// A folder of a test's own, removed with all in it. For tests.

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

namespace sluice {

// In memory where that can be: thousands of syncs, among them of the whole file
// system, are not to wait for the disk, nor for what others write to it.
inline std::string FastFolder() {
  const char* const memory = "/dev/shm";
  return access(memory, W_OK) == 0 ? memory : ::testing::TempDir();
}

class ScratchFolder {
 public:
  ScratchFolder() : ScratchFolder(::testing::TempDir()) {}
  // In `parent`, which may end in a slash.
  explicit ScratchFolder(const std::string& parent) {
    std::string name = parent + "/scratch-XXXXXX";
    path_ = mkdtemp(name.data()) == nullptr ? "" : name;
    EXPECT_NE(path_, "");
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string Path(const std::string& relative) const {
    return path_ + "/" + relative;
  }

  // Makes the folders on the way, too.
  void Write(const std::string& relative, const std::string& bytes) const {
    const std::filesystem::path file = Path(relative);
    std::filesystem::create_directories(file.parent_path());
    std::ofstream stream(file, std::ios::binary);
    stream << bytes;
    stream.close();
    EXPECT_TRUE(stream.good()) << relative;
  }

 private:
  std::string path_;
};

// The regular files below `folder`, by relative path.
inline std::map<std::string, std::string> FilesBelow(
    const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_symlink() || !entry.is_regular_file()) continue;
    std::ifstream stream(entry.path(), std::ios::binary);
    files[entry.path().string().substr(folder.size() + 1)] =
        std::string(std::istreambuf_iterator<char>(stream),
                    std::istreambuf_iterator<char>());
  }
  return files;
}

}  // namespace sluice

#endif  // SLUICE_PLUGINS_SDK_TESTING_SCRATCH_FOLDER_H_
