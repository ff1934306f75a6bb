#include "sluice/cli/verbs/folder_compare.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBlock = size_t{256} << 10;

absl::Status Failed(const std::string& what, const std::string& path,
                    const std::string& why) {
  return MakeError(absl::StatusCode::kUnavailable, kSourceUnavailable,
                   absl::StrCat(what, " ", path, ": ", why));
}

class OpenFile {
 public:
  explicit OpenFile(const std::string& path)
      : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) {}
  ~OpenFile() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  bool ok() const { return descriptor_ >= 0; }
  // Fills `block` as far as the file goes; false where it cannot be read.
  bool Read(std::vector<char>& block) const {
    block.resize(kBlock);
    size_t filled = 0;
    while (filled < kBlock) {
      const ssize_t got =
          read(descriptor_, block.data() + filled, kBlock - filled);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return false;
      if (got == 0) break;
      filled += static_cast<size_t>(got);
    }
    block.resize(filled);
    return true;
  }

 private:
  const int descriptor_;
};

// Relative paths of the regular files below `root`.
absl::StatusOr<std::set<std::string>> RegularFiles(const Context& context,
                                                   const std::string& root) {
  std::set<std::string> files;
  std::error_code error;
  fs::recursive_directory_iterator at(root, error);
  for (; !error && at != fs::recursive_directory_iterator();
       at.increment(error)) {
    SLUICE_RETURN_IF_ERROR(context.status());
    std::error_code ignored;
    if (fs::is_regular_file(at->symlink_status(ignored))) {
      files.insert(at->path().lexically_relative(root).native());
    }
  }
  if (error) return Failed("list", root, error.message());
  return files;
}

// Empty, or what is wrong with the second file.
absl::StatusOr<std::string> CompareFiles(const std::string& first,
                                         const std::string& second,
                                         uint64_t& bytes) {
  const OpenFile a(first);
  const OpenFile b(second);
  if (!a.ok()) return Failed("open", first, strerror(errno));
  if (!b.ok()) return std::string("cannot be opened");
  std::vector<char> block_a;
  std::vector<char> block_b;
  do {
    if (!a.Read(block_a)) return Failed("read", first, strerror(errno));
    if (!b.Read(block_b)) return std::string("cannot be read");
    if (block_a != block_b) return std::string("differs");
    bytes += block_a.size();
  } while (!block_a.empty());
  return std::string();
}

}  // namespace

absl::StatusOr<FolderComparison> CompareFolders(const Context& context,
                                                const std::string& first,
                                                const std::string& second) {
  SLUICE_ASSIGN_OR_RETURN(const auto wanted, RegularFiles(context, first));
  SLUICE_ASSIGN_OR_RETURN(const auto found, RegularFiles(context, second));
  FolderComparison result;
  result.files = wanted.size();
  for (const std::string& path : wanted) {
    SLUICE_RETURN_IF_ERROR(context.status());
    if (found.count(path) == 0) {
      result.differences.push_back(absl::StrCat(path, ": missing"));
      continue;
    }
    SLUICE_ASSIGN_OR_RETURN(
        const std::string wrong,
        CompareFiles(absl::StrCat(first, "/", path),
                     absl::StrCat(second, "/", path), result.bytes));
    if (!wrong.empty()) {
      result.differences.push_back(absl::StrCat(path, ": ", wrong));
    }
  }
  for (const std::string& path : found) {
    if (wanted.count(path) == 0) {
      result.differences.push_back(absl::StrCat(path, ": not in the first"));
    }
  }
  return result;
}

bool HasFiles(const std::string& folder, uint64_t wanted) {
  std::error_code error;
  fs::recursive_directory_iterator at(
      folder, fs::directory_options::skip_permission_denied, error);
  uint64_t count = 0;
  for (; !error && at != fs::recursive_directory_iterator() && count < wanted;
       at.increment(error)) {
    std::error_code ignored;
    if (fs::is_regular_file(at->symlink_status(ignored))) ++count;
  }
  return count >= wanted;
}

}  // namespace sluice::cli
