#include "sluice/destinations/local/object_file.h"

#include <errno.h>
#include <fcntl.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/local/errors.h"
#include "sluice/destinations/local/object_path.h"

namespace sluice {
namespace {

// A cancel is seen between two writes.
constexpr size_t kMaxWriteBytes = size_t{4} << 20;
// The disk begins with so much at a time: a gigabyte's sync at the end would
// otherwise wait for all of it.
constexpr uint64_t kWritebackBytes = uint64_t{8} << 20;
// Another process may sweep the empty folder between our making it and our
// putting a file into it, or draw our token. Who does nothing else wins many
// times in a row, not so many.
constexpr int kBeginAttempts = 10000;

class ObjectFileWriter final : public sdk::ObjectWriter {
 public:
  ObjectFileWriter(PlaceFolder& place, const sdk::Run& run,
                   absl::string_view name, std::unique_ptr<FileSystem> root)
      : place_(place), run_(run), name_(name), root_(std::move(root)) {}

  ~ObjectFileWriter() override { (void)Abort(); }

  absl::Status Start() {
    SLUICE_RETURN_IF_ERROR(CreateTemporary());
    return place_.SyncFolders(*root_, FolderOf(name_), made_);
  }

  absl::Status Write(absl::string_view bytes) override {
    if (state_ != State::kWriting) return Misused("write");
    while (!bytes.empty()) {
      absl::Status status = run_.status();
      if (status.ok()) status = WriteSome(bytes);
      if (!status.ok()) {
        state_ = State::kFailed;
        return status;
      }
    }
    return absl::OkStatus();
  }

  absl::Status Commit(sdk::CommitMode mode) override {
    if (state_ != State::kWriting) return Misused("commit");
    state_ = State::kFailed;
    absl::Status status = run_.status();
    if (status.ok()) status = Finish();
    if (status.ok()) status = Publish(mode);
    if (absl::IsUnknown(status)) place_.MarkUncertain(name_);
    if (!status.ok()) {
      (void)Abort();
      return status;
    }
    state_ = State::kDone;
    status = SyncPublished();
    if (status.ok()) return status;
    place_.MarkUncertain(name_);
    return Uncertain(status);
  }

  // Removes the temporary file and the folders that were made for it. What it
  // cannot remove is left to whoever lists what was never committed.
  absl::Status Abort() override {
    if (state_ == State::kDone) return absl::OkStatus();
    state_ = State::kDone;
    file_.reset();
    int error = 0;
    if (!temporary_.empty()) error = root_->Unlink(temporary_);
    place_.RemoveFolders(*root_, made_);
    if (error == 0 || error == ENOENT) return absl::OkStatus();
    return place_.Error("remove", temporary_, error);
  }

 private:
  enum class State { kWriting, kFailed, kDone };

  absl::Status CreateTemporary() {
    for (int attempt = 0; attempt < kBeginAttempts; ++attempt) {
      SLUICE_RETURN_IF_ERROR(run_.status());
      const absl::Status folders =
          place_.MakeFolders(*root_, FolderOf(name_), made_);
      if (ErrorCodeOf(folders) == kDestinationNotFound && RootIsThere())
        continue;
      SLUICE_RETURN_IF_ERROR(folders);
      std::string path = NewTemporary(name_);
      IoResult<std::unique_ptr<File>> file = root_->Open(
          path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, kFileMode);
      if (file.ok()) {
        temporary_ = std::move(path);
        file_ = std::move(file.value);
        return absl::OkStatus();
      }
      const bool swept = file.error == ENOENT && RootIsThere();
      if (!swept && file.error != EEXIST)
        return place_.Error("create", name_, file.error);
    }
    return MakeError(absl::StatusCode::kUnavailable, kDestinationIoError,
                     absl::StrCat("create ", JoinPath(place_.path(), name_),
                                  ": others remove its folder as fast as it "
                                  "is made"));
  }

  // The place itself was not removed since it was opened: what is missing below
  // it was taken by another.
  bool RootIsThere() const {
    const IoResult<FileInfo> root = root_->Stat(".");
    return root.ok() && root.value.links > 0;
  }

  // Whoever deletes the object at once may take the folder with it.
  absl::Status SyncPublished() {
    const absl::Status status = place_.SyncFolder(*root_, FolderOf(name_));
    if (ErrorCodeOf(status) != kDestinationNotFound || !RootIsThere())
      return status;
    return place_.SyncNearest(*root_, FolderOf(name_));
  }

  absl::Status WriteSome(absl::string_view& bytes) {
    const IoResult<size_t> written =
        file_->Write(bytes.substr(0, kMaxWriteBytes));
    if (!written.ok()) return place_.Error("write", name_, written.error);
    // No file system says so, and a loop on it would never end.
    if (written.value == 0) return place_.Error("write", name_, EIO);
    bytes.remove_prefix(std::min(written.value, bytes.size()));
    written_ += written.value;
    if (written_ - started_ >= kWritebackBytes) {
      file_->StartWriteback(started_, written_ - started_);
      started_ = written_;
    }
    return absl::OkStatus();
  }

  // Content on the disk, and the file's identity known.
  absl::Status Finish() {
    const IoResult<FileInfo> info = file_->Stat();
    if (!info.ok()) return place_.Error("look at", name_, info.error);
    self_ = info.value;
    if (const int error = file_->Sync(); error != 0) {
      return place_.Error("sync", name_, error);
    }
    // Some file systems tell only here that there was no room.
    const int error = file_->Close();
    file_.reset();
    return error == 0 ? absl::OkStatus() : place_.Error("close", name_, error);
  }

  absl::Status Publish(sdk::CommitMode mode) {
    if (mode == sdk::CommitMode::kReplace) {
      return Settle("replace", root_->Rename(temporary_, name_));
    }
    const int error = root_->RenameNoReplace(temporary_, name_);
    if (!IsUnsupported(error)) return Settle("publish", error);
    return PublishByLink();
  }

  // For file systems without a rename that refuses (NFS, some FUSE): a link
  // refuses.
  absl::Status PublishByLink() {
    const int error = root_->Link(temporary_, name_);
    if (error == EPERM || error == EMLINK || IsUnsupported(error)) {
      return WithHint(
          ErrnoError("publish without replacing",
                     JoinPath(place_.path(), name_), EOPNOTSUPP),
          "the file system has neither renameat2(RENAME_NOREPLACE) nor links");
    }
    SLUICE_RETURN_IF_ERROR(Settle("publish", error));
    (void)root_->Unlink(temporary_);  // a leftover; the object is there
    return absl::OkStatus();
  }

  // What an answer of rename or link means. A network file system may repeat a
  // request whose answer was lost and tell the result of the repetition, so an
  // error is believed only where the name is not ours by now.
  absl::Status Settle(absl::string_view operation, int error) {
    if (error == 0) return absl::OkStatus();
    const IoResult<FileInfo> there = root_->Stat(name_);
    if (there.ok() && IsThisFile(there.value)) return absl::OkStatus();
    if (!there.ok() && there.error != ENOENT && there.error != ENOTDIR) {
      return Uncertain(place_.Error(operation, name_, error));
    }
    if (error == ENOENT) {
      return MakeError(
          absl::StatusCode::kAborted, kPublishFenced,
          absl::StrCat(operation, " ", JoinPath(place_.path(), name_),
                       ": the upload was removed by another"));
    }
    return place_.Error(operation, name_, error);
  }

  // The same inode, and either the only name of it or one beside our temporary.
  // (File systems that make their inode numbers up do not give both.)
  bool IsThisFile(const FileInfo& there) {
    if (there.device != self_.device || there.inode != self_.inode ||
        there.size != self_.size || there.modified != self_.modified) {
      return false;
    }
    return there.links == 2 || root_->Stat(temporary_).error == ENOENT;
  }

  absl::Status Misused(absl::string_view operation) const {
    return MakeError(absl::StatusCode::kFailedPrecondition, kInternal,
                     absl::StrCat(operation, " ", name_,
                                  ": the object failed or was ended before"));
  }

  PlaceFolder& place_;
  const sdk::Run run_;
  const std::string name_;
  const std::unique_ptr<FileSystem> root_;
  std::string temporary_;
  std::vector<std::string> made_;
  std::unique_ptr<File> file_;
  uint64_t written_ = 0;
  uint64_t started_ = 0;  // up to here the disk is at work
  FileInfo self_;
  State state_ = State::kWriting;
};

class ObjectFileReader final : public sdk::ObjectReader {
 public:
  ObjectFileReader(const PlaceFolder& place, const sdk::Run& run,
                   absl::string_view name, std::unique_ptr<File> file)
      : place_(place), run_(run), name_(name), file_(std::move(file)) {}

  absl::StatusOr<size_t> Read(absl::Span<char> buffer) override {
    SLUICE_RETURN_IF_ERROR(run_.status());
    const IoResult<size_t> got = file_->Read(buffer);
    if (!got.ok()) return place_.Error("read", name_, got.error);
    return got.value;
  }

 private:
  const PlaceFolder& place_;
  const sdk::Run run_;
  const std::string name_;
  const std::unique_ptr<File> file_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<sdk::ObjectWriter>> BeginObjectFile(
    PlaceFolder& place, const sdk::Run& run, absl::string_view name) {
  SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<FileSystem> root, place.Open());
  auto writer =
      std::make_unique<ObjectFileWriter>(place, run, name, std::move(root));
  SLUICE_RETURN_IF_ERROR(writer->Start());
  return writer;
}

absl::StatusOr<std::unique_ptr<sdk::ObjectReader>> OpenObjectFile(
    PlaceFolder& place, const sdk::Run& run, absl::string_view name,
    uint64_t offset) {
  SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<FileSystem> root, place.Open());
  SLUICE_RETURN_IF_ERROR(place.SettleName(*root, name));
  // A FIFO that somebody put there must not hold us: O_NONBLOCK.
  IoResult<std::unique_ptr<File>> file =
      root->Open(std::string(name), O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0);
  if (file.error == ENOENT) return NoSuchObject(place, "open", name);
  if (!file.ok()) return place.Error("open", name, file.error);
  const IoResult<FileInfo> info = file.value->Stat();
  if (!info.ok()) return place.Error("look at", name, info.error);
  if (info.value.type != FileInfo::Type::kRegular) {
    return place.Error("open", name, EISDIR);
  }
  if (const int error = file.value->Seek(offset); error != 0) {
    return place.Error("seek in", name, error);
  }
  return std::make_unique<ObjectFileReader>(place, run, name,
                                            std::move(file.value));
}

absl::Status NoSuchObject(const PlaceFolder& place, absl::string_view operation,
                          absl::string_view name) {
  return MakeError(absl::StatusCode::kNotFound, kDestinationNotFound,
                   absl::StrCat(operation, " ", JoinPath(place.path(), name),
                                ": no such object"));
}

}  // namespace sluice
