#ifndef SLUICE_PLUGINS_BADGER_SORT_RESTORE_FILE_H_
#define SLUICE_PLUGINS_BADGER_SORT_RESTORE_FILE_H_

// The files of a restore, written and read from begin to end, with the steps of
// base/staged_files.h: repeats and errors are as there.
//
//   SLUICE_ASSIGN_OR_RETURN(auto file, OutputFile::Create(folder, "a.sst"));
//   SLUICE_RETURN_IF_ERROR(file->Append(bytes));
//   SLUICE_RETURN_IF_ERROR(file->SyncAndClose());
//
// One thread a file.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/file_system.h"
#include "sluice/base/staged_files.h"

namespace sluice {
namespace badger {

absl::StatusOr<std::unique_ptr<FileSystem>> OpenFolder(FileSystem& folder,
                                                       const std::string& path);
// A new file, written from its begin to its end. Writes kBufferBytes at once.
class OutputFile {
 public:
  static constexpr size_t kBufferBytes = size_t{256} << 10;

  // Fails where the name is taken.
  static absl::StatusOr<std::unique_ptr<OutputFile>> Create(
      FileSystem& folder, std::string path, const FileOwner& owner = {});

  absl::Status Append(absl::string_view bytes);
  // Writes what is in the buffer. Others may now read it.
  absl::Status Flush();
  // Flush, fsync, close.
  absl::Status SyncAndClose();

  uint64_t size() const { return written_ + buffer_.size(); }

 private:
  OutputFile(std::unique_ptr<File> file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}

  absl::Status WriteAll(absl::string_view bytes);

  std::unique_ptr<File> file_;
  const std::string path_;
  std::string buffer_;
  uint64_t written_ = 0;
  uint64_t started_ = 0;  // up to here the disk is at work
};

// A file, read from its begin to its end.
class InputFile {
 public:
  static absl::StatusOr<std::unique_ptr<InputFile>> Open(FileSystem& folder,
                                                         std::string path);

  // Replaces `bytes` by the next `count` bytes, or by those that are left.
  absl::Status Read(size_t count, std::string& bytes);
  void Rewind() { offset_ = 0; }

 private:
  InputFile(std::unique_ptr<File> file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}

  std::unique_ptr<File> file_;
  const std::string path_;
  uint64_t offset_ = 0;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_SORT_RESTORE_FILE_H_
