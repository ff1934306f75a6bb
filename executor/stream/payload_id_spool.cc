#include "sluice/executor/stream/payload_id_spool.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <queue>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/scratch_folder.h"
#include "sluice/base/status_macros.h"
#include "sluice/executor/limits.h"
#include "sluice/executor/stream/scratch_file.h"

namespace sluice {
namespace {

constexpr size_t kLengthBytes = 2;
constexpr size_t kFileBufferBytes = size_t{32} << 10;
constexpr uint64_t kIdsBetweenPolls = 4096;
constexpr char kSpoolIds[] = "spool payload ids";

uint16_t LengthAt(const char* at) {
  uint16_t length = 0;
  std::memcpy(&length, at, kLengthBytes);
  return length;
}

void AppendId(std::vector<char>& buffer, absl::string_view id) {
  const uint16_t length = static_cast<uint16_t>(id.size());
  const size_t at = buffer.size();
  buffer.resize(at + kLengthBytes + id.size());
  std::memcpy(buffer.data() + at, &length, kLengthBytes);
  std::memcpy(buffer.data() + at + kLengthBytes, id.data(), id.size());
}

bool IsControl(char c) {
  const unsigned char byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

}  // namespace

absl::Status CheckPayloadId(absl::string_view id) {
  if (id.empty() || id.size() > kMaxPayloadIdBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "payload id of ", id.size(), " bytes: 1 to 1,024 are allowed"));
  }
  if (std::any_of(id.begin(), id.end(), IsControl)) {
    return absl::InvalidArgumentError("payload id holds a control byte");
  }
  return absl::OkStatus();
}

// Appends ids to the file, from `begin` on.
class PayloadIdSpool::RunWriter {
 public:
  RunWriter(File* file, uint64_t begin) : file_(file) { run_.offset = begin; }

  absl::Status Append(absl::string_view id) {
    AppendId(buffer_, id);
    ++run_.count;
    return buffer_.size() < kFileBufferBytes ? absl::OkStatus() : Flush();
  }

  absl::StatusOr<Run> Finish() {
    SLUICE_RETURN_IF_ERROR(Flush());
    return run_;
  }

 private:
  absl::Status Flush() {
    SLUICE_RETURN_IF_ERROR(WriteScratch(
        *file_, run_.offset + run_.bytes,
        absl::string_view(buffer_.data(), buffer_.size()), kSpoolIds));
    run_.bytes += buffer_.size();
    buffer_.clear();
    return absl::OkStatus();
  }

  File* const file_;
  Run run_;
  std::vector<char> buffer_;
};

// Reads the ids of a run one after the other.
class PayloadIdSpool::RunReader {
 public:
  RunReader(File* file, const Run& run)
      : file_(file), offset_(run.offset), left_(run.bytes) {}

  // Moves on. OK with at_end() set after the last.
  absl::Status Advance() {
    SLUICE_RETURN_IF_ERROR(Need(kLengthBytes));
    if (at_end_) return absl::OkStatus();
    const uint16_t length = LengthAt(buffer_.data() + begin_);
    SLUICE_RETURN_IF_ERROR(Need(kLengthBytes + length));
    if (at_end_)
      return ScratchError(kSpoolIds, "read back a truncated run", EIO);
    id_ = absl::string_view(buffer_.data() + begin_ + kLengthBytes, length);
    begin_ += kLengthBytes + length;
    return absl::OkStatus();
  }

  bool at_end() const { return at_end_; }
  // Until the next Advance.
  absl::string_view id() const { return id_; }

 private:
  // Makes `bytes` of them lie at begin_, or sets at_end_ where the run is over.
  absl::Status Need(size_t bytes) {
    if (end_ - begin_ >= bytes) return absl::OkStatus();
    if (buffer_.empty()) buffer_.resize(kFileBufferBytes);
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    while (end_ < bytes) {
      if (left_ == 0) {
        at_end_ = true;
        return absl::OkStatus();
      }
      const size_t want =
          static_cast<size_t>(std::min<uint64_t>(left_, buffer_.size() - end_));
      const IoResult<size_t> got =
          file_->ReadAt(offset_, absl::Span<char>(buffer_.data() + end_, want));
      if (!got.ok() || got.value == 0) {
        return ScratchError(kSpoolIds, "read", got.ok() ? EIO : got.error);
      }
      offset_ += got.value;
      left_ -= got.value;
      end_ += got.value;
    }
    return absl::OkStatus();
  }

  File* const file_;
  uint64_t offset_;
  uint64_t left_;
  std::vector<char> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  absl::string_view id_;
  bool at_end_ = false;
};

PayloadIdSpool::PayloadIdSpool(Options options)
    : options_([&] {
        options.scratch_dir = ScratchFolderOf(options.scratch_dir);
        if (options.file_system == nullptr) {
          options.file_system = FileSystem::Posix();
        }
        options.fan_in = std::max<size_t>(options.fan_in, 2);
        return std::move(options);
      }()) {}

PayloadIdSpool::~PayloadIdSpool() = default;

absl::Status PayloadIdSpool::Fail(absl::Status status) {
  if (failed_.ok()) failed_ = status;
  return status;
}

absl::string_view PayloadIdSpool::IdAt(uint32_t offset) const {
  const char* at = buffer_.data() + offset;
  return absl::string_view(at + kLengthBytes, LengthAt(at));
}

absl::Status PayloadIdSpool::Add(absl::string_view id) {
  SLUICE_RETURN_IF_ERROR(failed_);
  SLUICE_RETURN_IF_ERROR(CheckPayloadId(id));
  const size_t held = buffer_.size() + offsets_.size() * sizeof(uint32_t);
  const size_t more = kLengthBytes + id.size() + sizeof(uint32_t);
  if (!offsets_.empty() && held + more > options_.run_bytes) {
    SLUICE_RETURN_IF_ERROR(Spill());
  }
  offsets_.push_back(static_cast<uint32_t>(buffer_.size()));
  AppendId(buffer_, id);
  return absl::OkStatus();
}

void PayloadIdSpool::SortBuffer() {
  std::sort(offsets_.begin(), offsets_.end(),
            [this](uint32_t a, uint32_t b) { return IdAt(a) < IdAt(b); });
  offsets_.erase(std::unique(offsets_.begin(), offsets_.end(),
                             [this](uint32_t a, uint32_t b) {
                               return IdAt(a) == IdAt(b);
                             }),
                 offsets_.end());
}

absl::Status PayloadIdSpool::OpenFile() {
  SLUICE_ASSIGN_OR_RETURN(
      file_, OpenScratchFile(*options_.file_system, options_.scratch_dir,
                             "sluice-ids-", kSpoolIds));
  return absl::OkStatus();
}

absl::Status PayloadIdSpool::Spill() {
  SortBuffer();
  if (file_ == nullptr) {
    if (absl::Status opened = OpenFile(); !opened.ok()) return Fail(opened);
  }
  RunWriter writer(file_.get(), file_end_);
  for (const uint32_t offset : offsets_) {
    if (absl::Status s = writer.Append(IdAt(offset)); !s.ok()) return Fail(s);
  }
  const absl::StatusOr<Run> run = writer.Finish();
  if (!run.ok()) return Fail(run.status());
  file_end_ += run->bytes;
  buffer_.clear();
  offsets_.clear();
  if (levels_.empty()) levels_.emplace_back();
  levels_[0].push_back(*run);
  return Compact(0);
}

absl::Status PayloadIdSpool::Compact(size_t level) {
  for (; levels_[level].size() >= options_.fan_in; ++level) {
    const absl::StatusOr<Run> merged =
        Merge(levels_[level], [] { return absl::OkStatus(); });
    if (!merged.ok()) return Fail(merged.status());
    levels_[level].clear();
    if (levels_.size() == level + 1) levels_.emplace_back();
    levels_[level + 1].push_back(*merged);
  }
  return absl::OkStatus();
}

absl::StatusOr<PayloadIdSpool::Run> PayloadIdSpool::Merge(
    absl::Span<const Run> runs, const std::function<absl::Status()>& poll) {
  std::vector<RunReader> readers;
  readers.reserve(runs.size());
  const auto later = [&readers](size_t a, size_t b) {
    return readers[b].id() < readers[a].id();
  };
  std::priority_queue<size_t, std::vector<size_t>, decltype(later)> heap(later);
  for (const Run& run : runs) {
    readers.emplace_back(file_.get(), run);
    SLUICE_RETURN_IF_ERROR(readers.back().Advance());
    if (!readers.back().at_end()) heap.push(readers.size() - 1);
  }
  RunWriter writer(file_.get(), file_end_);
  std::string last;  // no id is empty
  for (uint64_t seen = 0; !heap.empty(); ++seen) {
    if (seen % kIdsBetweenPolls == 0) SLUICE_RETURN_IF_ERROR(poll());
    const size_t smallest = heap.top();
    heap.pop();
    RunReader& reader = readers[smallest];
    if (reader.id() != last) {
      last.assign(reader.id().data(), reader.id().size());
      SLUICE_RETURN_IF_ERROR(writer.Append(last));
    }
    SLUICE_RETURN_IF_ERROR(reader.Advance());
    if (!reader.at_end()) heap.push(smallest);
  }
  absl::StatusOr<Run> merged = writer.Finish();
  if (merged.ok()) file_end_ += merged->bytes;
  return merged;
}

absl::Status PayloadIdSpool::MergeAll(
    const std::function<absl::Status()>& poll) {
  std::vector<Run> runs;  // small ones first
  for (const std::vector<Run>& level : levels_) {
    runs.insert(runs.end(), level.begin(), level.end());
  }
  while (runs.size() > 1) {
    const size_t width = std::min(runs.size(), options_.fan_in);
    const absl::StatusOr<Run> merged =
        Merge(absl::MakeConstSpan(runs).first(width), poll);
    if (!merged.ok()) return Fail(merged.status());
    runs.erase(runs.begin(), runs.begin() + static_cast<ptrdiff_t>(width));
    runs.push_back(*merged);
  }
  result_ = runs.front();
  count_ = result_.count;
  return absl::OkStatus();
}

absl::Status PayloadIdSpool::Finish(const std::function<absl::Status()>& poll) {
  SLUICE_RETURN_IF_ERROR(failed_);
  if (file_ == nullptr) {
    SortBuffer();
    count_ = offsets_.size();
    return absl::OkStatus();
  }
  if (!offsets_.empty()) SLUICE_RETURN_IF_ERROR(Spill());
  std::vector<char>().swap(buffer_);
  return MergeAll(poll);
}

absl::Status PayloadIdSpool::ForEach(
    const std::function<absl::Status(absl::string_view)>& callback) const {
  SLUICE_RETURN_IF_ERROR(failed_);
  if (file_ == nullptr) {
    for (const uint32_t offset : offsets_) {
      SLUICE_RETURN_IF_ERROR(callback(IdAt(offset)));
    }
    return absl::OkStatus();
  }
  RunReader reader(file_.get(), result_);
  while (true) {
    SLUICE_RETURN_IF_ERROR(reader.Advance());
    if (reader.at_end()) return absl::OkStatus();
    SLUICE_RETURN_IF_ERROR(callback(reader.id()));
  }
}

}  // namespace sluice
