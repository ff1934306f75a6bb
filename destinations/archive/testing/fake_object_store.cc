#include "sluice/destinations/archive/testing/fake_object_store.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/archive/format/names.h"

namespace sluice {
namespace {

absl::Status Unreachable(absl::string_view what) {
  return MakeError(absl::StatusCode::kUnavailable, kDestinationUnreachable,
                   absl::StrCat(what, ": planted fault"));
}

absl::Status NoSuch(absl::string_view name) {
  return MakeError(absl::StatusCode::kNotFound, kDestinationNotFound,
                   absl::StrCat("no object ", name));
}

absl::Status Misused(absl::string_view what) {
  return MakeError(absl::StatusCode::kFailedPrecondition, kInternal, what);
}

bool HasPrefix(absl::string_view text, absl::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

}  // namespace

absl::string_view OperationName(FakeObjectStore::Operation operation) {
  constexpr absl::string_view kNames[] = {"Describe",
                                          "Create",
                                          "Begin",
                                          "Write",
                                          "Commit",
                                          "Abort",
                                          "Open",
                                          "Read",
                                          "Stat",
                                          "List",
                                          "Delete",
                                          "ListUncommitted",
                                          "AbortUncommitted"};
  return kNames[static_cast<int>(operation)];
}

class FakeObjectStore::Writer final : public ObjectWriter {
 public:
  Writer(FakeObjectStore* store, Context context, std::string token,
         std::string name)
      : store_(store),
        context_(std::move(context)),
        token_(std::move(token)),
        name_(std::move(name)) {
    ++store_->handles_;
  }

  ~Writer() override {
    // A commit that failed leaves an upload behind: it is aborted as well.
    if (!committed_ && !aborted_) {
      ended_ = false;
      Abort().IgnoreError();
    }
    --store_->handles_;
  }

  absl::Status Write(absl::string_view bytes) override {
    SLUICE_RETURN_IF_ERROR(Use("Write", /*ends=*/false));
    const Verdict verdict =
        store_->Enter(context_, Operation::kWrite, name_, true);
    SLUICE_RETURN_IF_ERROR(Failed(verdict.before));
    if (verdict.is_short) bytes = bytes.substr(0, bytes.size() / 2);
    {
      MutexLock lock(store_->mutex_);
      const auto upload = store_->uploads_.find(token_);
      if (upload == store_->uploads_.end()) return Failed(NoSuch(token_));
      const uint64_t most = store_->options_.max_object_bytes;
      if (most != 0 && upload->second.bytes.size() + bytes.size() > most) {
        return Failed(MakeError(absl::StatusCode::kOutOfRange,
                                kDestinationTooLarge,
                                absl::StrCat("object ", name_, ": too large")));
      }
      upload->second.bytes.append(bytes.data(), bytes.size());
    }
    if (verdict.is_short) return Failed(Unreachable("short write"));
    return Failed(verdict.after);
  }

  absl::Status Commit(CommitMode mode) override {
    SLUICE_RETURN_IF_ERROR(Use("Commit", /*ends=*/true));
    if (failed_) {
      store_->NoteMisuse(absl::StrCat("Commit after a failed Write: ", name_));
      return Misused("commit after a failed write");
    }
    // A place without conditional commits looks first and writes later; a
    // planted callback comes between the two.
    const bool was_taken =
        mode == CommitMode::kIfAbsent && store_->Holds(name_);
    const Verdict verdict =
        store_->Enter(context_, Operation::kCommit, name_, true);
    SLUICE_RETURN_IF_ERROR(verdict.before);
    if (!store_->options_.conditional_commit && !was_taken)
      mode = CommitMode::kReplace;
    SLUICE_RETURN_IF_ERROR(store_->CommitUpload(token_, mode));
    committed_ = verdict.after.ok();
    return verdict.after;
  }

  absl::Status Abort() override {
    SLUICE_RETURN_IF_ERROR(Use("Abort", /*ends=*/true));
    aborted_ = true;
    const Verdict verdict =
        store_->Enter(Context::Background(), Operation::kAbort, name_, true);
    SLUICE_RETURN_IF_ERROR(verdict.before);
    MutexLock lock(store_->mutex_);
    store_->uploads_.erase(token_);
    return verdict.after;
  }

 private:
  absl::Status Use(absl::string_view what, bool ends) {
    if (ended_) {
      store_->NoteMisuse(absl::StrCat(what, " after the end: ", name_));
      return Misused("the writer has ended");
    }
    ended_ = ends;
    return absl::OkStatus();
  }

  absl::Status Failed(absl::Status status) {
    if (!status.ok()) failed_ = true;
    return status;
  }

  FakeObjectStore* const store_;
  const Context context_;
  const std::string token_;
  const std::string name_;
  bool ended_ = false;  // Commit or Abort was called
  bool committed_ = false;
  bool aborted_ = false;
  bool failed_ = false;
};

class FakeObjectStore::Reader final : public ObjectReader {
 public:
  Reader(FakeObjectStore* store, Context context, std::string name,
         std::shared_ptr<const std::string> bytes, uint64_t offset)
      : store_(store),
        context_(std::move(context)),
        name_(std::move(name)),
        bytes_(std::move(bytes)),
        offset_(offset) {
    ++store_->handles_;
  }
  ~Reader() override { --store_->handles_; }

  absl::StatusOr<size_t> Read(absl::Span<char> buffer) override {
    if (buffer.empty()) {
      store_->NoteMisuse(absl::StrCat("Read into nothing: ", name_));
      return Misused("read into an empty buffer");
    }
    const Verdict verdict =
        store_->Enter(context_, Operation::kRead, name_, true);
    SLUICE_RETURN_IF_ERROR(verdict.before);
    size_t size = std::min<size_t>(buffer.size(), bytes_->size() - offset_);
    if (verdict.is_short && size > 1) size /= 2;
    std::copy_n(bytes_->data() + offset_, size, buffer.data());
    offset_ += size;
    SLUICE_RETURN_IF_ERROR(verdict.after);
    return size;
  }

 private:
  FakeObjectStore* const store_;
  const Context context_;
  const std::string name_;
  const std::shared_ptr<const std::string> bytes_;
  size_t offset_;
};

FakeObjectStore::FakeObjectStore(const Options& options)
    : options_(options), exists_(options.exists), now_(options.now) {}

FakeObjectStore::~FakeObjectStore() {
  if (handles_ == 0) return;
  // They would use freed memory next: nothing can be told to a test any more.
  std::fprintf(stderr, "FakeObjectStore: %d writers or readers outlive it\n",
               handles_.load());
  std::abort();
}

FakeObjectStore::Verdict FakeObjectStore::Enter(const Context& context,
                                                Operation operation,
                                                absl::string_view name,
                                                bool checked_name) {
  Verdict verdict;
  std::function<void()> callback;
  {
    MutexLock lock(mutex_);
    if (!in_callback_) {
      calls_.push_back({operation, std::string(name)});
      const auto planted = callbacks_.find(calls_.size());
      if (planted != callbacks_.end()) {
        callback = std::move(planted->second);
        callbacks_.erase(planted);
        struck_ = true;
        in_callback_ = true;
      }
      const auto fault = faults_.find(calls_.size());
      if (fault != faults_.end()) {
        struck_ = true;
        const auto& [kind, status] = fault->second;
        const std::string what =
            absl::StrCat(OperationName(operation), " ", name);
        if (kind == Fault::kDeadFrom) dead_ = true;
        if (kind == Fault::kLostAnswer) {
          verdict.after = operation == Operation::kCommit
                              ? MakeError(absl::StatusCode::kUnknown,
                                          kDestinationUnreachable,
                                          absl::StrCat(what, ": answer lost"))
                              : Unreachable(what);
          if (!status.ok()) verdict.after = status;
        } else if (kind == Fault::kShort && (operation == Operation::kRead ||
                                             operation == Operation::kWrite)) {
          verdict.is_short = true;
        } else {
          verdict.before = status.ok() ? Unreachable(what) : status;
        }
      }
      if (dead_ && verdict.before.ok())
        verdict.before = Unreachable("the place is gone");
    }
  }
  if (callback) {
    callback();
    MutexLock lock(mutex_);
    in_callback_ = false;
  }
  if (!checked_name && !IsObjectName(name)) {
    NoteMisuse(
        absl::StrCat(OperationName(operation), " of bad name '", name, "'"));
    verdict.before = InvalidArgument("not the name of an object");
  }
  if (verdict.before.ok()) verdict.before = context.status();
  MutexLock lock(mutex_);
  if (verdict.before.ok() && !exists_ && operation != Operation::kCreate &&
      operation != Operation::kDescribe) {
    verdict.before = MakeError(absl::StatusCode::kNotFound,
                               kDestinationNotFound, "no such bucket");
  }
  return verdict;
}

bool FakeObjectStore::Holds(const std::string& name) const {
  MutexLock lock(mutex_);
  return objects_.count(name) != 0;
}

absl::Status FakeObjectStore::CommitUpload(const std::string& token,
                                           CommitMode mode) {
  MutexLock lock(mutex_);
  const auto upload = uploads_.find(token);
  if (upload == uploads_.end()) return NoSuch(token);
  const std::string& name = upload->second.name;
  if (mode == CommitMode::kIfAbsent && objects_.count(name) != 0) {
    const absl::Status taken =
        MakeError(absl::StatusCode::kAlreadyExists, kDestinationPathConflict,
                  absl::StrCat("object ", name, ": exists (412)"));
    uploads_.erase(upload);
    return taken;
  }
  objects_[name] = {
      std::make_shared<const std::string>(std::move(upload->second.bytes)),
      now_};
  uploads_.erase(upload);
  return absl::OkStatus();
}

absl::StatusOr<PlaceInfo> FakeObjectStore::Describe(const Context& context,
                                                    bool probe) {
  const Verdict verdict = Enter(context, Operation::kDescribe, "", true);
  SLUICE_RETURN_IF_ERROR(verdict.before);
  SLUICE_RETURN_IF_ERROR(verdict.after);
  MutexLock lock(mutex_);
  PlaceInfo info;
  info.exists = exists_;
  info.conditional_commit = options_.conditional_commit;
  info.durable_commit = options_.durable_commit;
  info.max_object_bytes = options_.max_object_bytes;
  info.now = now_;
  return info;
}

absl::Status FakeObjectStore::Create(const Context& context) {
  const Verdict verdict = Enter(context, Operation::kCreate, "", true);
  SLUICE_RETURN_IF_ERROR(verdict.before);
  MutexLock lock(mutex_);
  exists_ = true;
  return verdict.after;
}

absl::StatusOr<std::unique_ptr<ObjectWriter>> FakeObjectStore::Begin(
    const Context& context, absl::string_view name, uint64_t size_hint) {
  const Verdict verdict = Enter(context, Operation::kBegin, name, false);
  SLUICE_RETURN_IF_ERROR(verdict.before);
  std::string token;
  {
    MutexLock lock(mutex_);
    token = absl::StrCat("upload-", next_upload_++);
    uploads_[token] = {std::string(name), "", now_};
  }
  // A lost answer: the upload exists, and nobody knows its token.
  SLUICE_RETURN_IF_ERROR(verdict.after);
  return std::make_unique<Writer>(this, context, token, std::string(name));
}

absl::StatusOr<std::unique_ptr<ObjectReader>> FakeObjectStore::Open(
    const Context& context, absl::string_view name, uint64_t offset) {
  const Verdict verdict = Enter(context, Operation::kOpen, name, false);
  SLUICE_RETURN_IF_ERROR(verdict.before);
  SLUICE_RETURN_IF_ERROR(verdict.after);
  MutexLock lock(mutex_);
  const auto object = objects_.find(std::string(name));
  if (object == objects_.end()) return NoSuch(name);
  if (offset > object->second.bytes->size()) {
    return MakeError(absl::StatusCode::kOutOfRange, kInvalidArgument,
                     "offset beyond the end");
  }
  return std::make_unique<Reader>(this, context, std::string(name),
                                  object->second.bytes, offset);
}

absl::StatusOr<ObjectInfo> FakeObjectStore::Stat(const Context& context,
                                                 absl::string_view name) {
  const Verdict verdict = Enter(context, Operation::kStat, name, false);
  SLUICE_RETURN_IF_ERROR(verdict.before);
  SLUICE_RETURN_IF_ERROR(verdict.after);
  MutexLock lock(mutex_);
  const auto object = objects_.find(std::string(name));
  if (object == objects_.end()) return NoSuch(name);
  return ObjectInfo{std::string(name), object->second.bytes->size(),
                    object->second.modified, ""};
}

std::vector<ObjectInfo> FakeObjectStore::Matching(
    absl::string_view prefix) const {
  MutexLock lock(mutex_);
  std::vector<ObjectInfo> infos;
  for (const auto& [name, object] : objects_) {
    if (HasPrefix(name, prefix))
      infos.push_back({name, object.bytes->size(), object.modified, ""});
  }
  return infos;
}

std::vector<ObjectInfo> FakeObjectStore::MatchingUploads(
    absl::string_view prefix) const {
  MutexLock lock(mutex_);
  std::vector<ObjectInfo> infos;
  for (const auto& [token, upload] : uploads_) {
    if (HasPrefix(upload.name, prefix))
      infos.push_back({upload.name, upload.bytes.size(), upload.begun, token});
  }
  return infos;
}

absl::Status FakeObjectStore::List(const Context& context,
                                   absl::string_view prefix,
                                   const Callback& callback) {
  const Verdict verdict = Enter(context, Operation::kList, prefix, true);
  SLUICE_RETURN_IF_ERROR(verdict.before);
  for (const ObjectInfo& info : Matching(prefix)) {
    SLUICE_RETURN_IF_ERROR(callback(info));
  }
  return verdict.after;
}

absl::Status FakeObjectStore::Delete(const Context& context,
                                     absl::string_view name) {
  const Verdict verdict = Enter(context, Operation::kDelete, name, false);
  SLUICE_RETURN_IF_ERROR(verdict.before);
  MutexLock lock(mutex_);
  if (objects_.erase(std::string(name)) == 0) return NoSuch(name);
  return verdict.after;
}

absl::Status FakeObjectStore::ListUncommitted(const Context& context,
                                              absl::string_view prefix,
                                              const Callback& callback) {
  const Verdict verdict =
      Enter(context, Operation::kListUncommitted, prefix, true);
  SLUICE_RETURN_IF_ERROR(verdict.before);
  for (const ObjectInfo& info : MatchingUploads(prefix)) {
    SLUICE_RETURN_IF_ERROR(callback(info));
  }
  return verdict.after;
}

absl::Status FakeObjectStore::AbortUncommitted(const Context& context,
                                               absl::string_view upload) {
  const Verdict verdict =
      Enter(context, Operation::kAbortUncommitted, upload, true);
  SLUICE_RETURN_IF_ERROR(verdict.before);
  MutexLock lock(mutex_);
  if (uploads_.erase(std::string(upload)) == 0) return NoSuch(upload);
  return verdict.after;
}

void FakeObjectStore::PlantFault(uint64_t number, Fault fault,
                                 absl::Status status) {
  MutexLock lock(mutex_);
  faults_[number] = {fault, std::move(status)};
}

void FakeObjectStore::PlantCallback(uint64_t number,
                                    std::function<void()> callback) {
  MutexLock lock(mutex_);
  callbacks_[number] = std::move(callback);
}

void FakeObjectStore::Reset() {
  MutexLock lock(mutex_);
  faults_.clear();
  callbacks_.clear();
  calls_.clear();
  dead_ = false;
  struck_ = false;
}

std::vector<FakeObjectStore::Call> FakeObjectStore::calls() const {
  MutexLock lock(mutex_);
  return calls_;
}

uint64_t FakeObjectStore::call_count() const {
  MutexLock lock(mutex_);
  return calls_.size();
}

bool FakeObjectStore::fault_struck() const {
  MutexLock lock(mutex_);
  return struck_;
}

std::vector<std::string> FakeObjectStore::misuses() const {
  MutexLock lock(mutex_);
  return misuses_;
}

void FakeObjectStore::NoteMisuse(std::string what) {
  MutexLock lock(mutex_);
  misuses_.push_back(std::move(what));
}

void FakeObjectStore::Advance(absl::Duration duration) {
  MutexLock lock(mutex_);
  now_ += duration;
}

void FakeObjectStore::SetNow(absl::Time now) {
  MutexLock lock(mutex_);
  now_ = now;
}

absl::Time FakeObjectStore::now() const {
  MutexLock lock(mutex_);
  return now_;
}

std::map<std::string, std::string> FakeObjectStore::objects() const {
  MutexLock lock(mutex_);
  std::map<std::string, std::string> copy;
  for (const auto& [name, object] : objects_) copy[name] = *object.bytes;
  return copy;
}

void FakeObjectStore::PutRaw(absl::string_view name, absl::string_view bytes) {
  MutexLock lock(mutex_);
  objects_[std::string(name)] = {
      std::make_shared<const std::string>(std::string(bytes)), now_};
}

void FakeObjectStore::DeleteRaw(absl::string_view name) {
  MutexLock lock(mutex_);
  objects_.erase(std::string(name));
}

std::vector<std::string> FakeObjectStore::uncommitted() const {
  MutexLock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [token, upload] : uploads_) names.push_back(upload.name);
  return names;
}

}  // namespace sluice
