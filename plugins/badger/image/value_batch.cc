#include "sluice/plugins/badger/image/value_batch.h"

#include <algorithm>
#include <utility>

#include "sluice/plugins/badger/format/log_record.h"
#include "sluice/plugins/badger/wire/random_file.h"

namespace sluice {
namespace badger {
namespace {

// The log, where it is there and has bytes [begin, end); else null.
const LogFile* FindRun(ValueLogs& logs, uint32_t file, uint64_t begin,
                       uint64_t end) {
  const auto log = logs.Find(file);
  const bool is_within =
      log.ok() && begin >= kLogHeaderBytes && end <= (*log)->size();
  return is_within ? *log : nullptr;
}

}  // namespace

size_t ValueBatch::Add(const InternalKey& key, const ValuePointer& pointer) {
  Wanted wanted;
  wanted.key = key;
  wanted.pointer = pointer;
  wanted.read_bytes = pointer.size;
  if (part_ == Part::kFront) {
    const size_t front = kMaxRecordHeaderBytes + kMovePrefix.size() +
                         key.user_key.size() + kVersionBytes;
    wanted.read_bytes =
        static_cast<uint32_t>(std::min<size_t>(front, pointer.size));
  }
  wanted_.push_back(wanted);
  record_bytes_ += wanted.read_bytes;
  return wanted_.size() - 1;
}

void ValueBatch::Start(ValueLogs& logs) {
  const size_t size = PlanRuns();
  if (bytes_.size() < size) bytes_.resize(size);
  for (size_t i = 0; i < runs_.size(); ++i) {
    const bool may_wait = i >= kProbes && awaited_.empty();
    if (!Read(logs, runs_[i], may_wait)) awaited_.push_back(&runs_[i]);
  }
  std::sort(awaited_.begin(), awaited_.end(), [](const Run* a, const Run* b) {
    return std::pair(a->file, a->begin) < std::pair(b->file, b->begin);
  });
  for (const Run* run : awaited_) {
    const LogFile* const log = FindRun(logs, run->file, run->begin, run->end);
    if (log == nullptr) continue;
    log->file().StartRead(run->begin, run->end - run->begin);
  }
}

void ValueBatch::Finish(ValueLogs& logs) {
  for (const Run* run : awaited_) Read(logs, *run, true);
  awaited_.clear();
}

bool ValueBatch::Read(ValueLogs& logs, const Run& run, bool may_wait) {
  const LogFile* const log = FindRun(logs, run.file, run.begin, run.end);
  if (log == nullptr) return true;
  const RandomFile& file = log->file();
  const bool is_read = may_wait ? file.Read(run.begin, PlaceOf(run)).ok()
                                : file.ReadIfCached(run.begin, PlaceOf(run));
  if (is_read) Take(logs, *log, run);
  return is_read || may_wait;
}

size_t ValueBatch::PlanRuns() {
  size_t size = 0;
  for (size_t i = 0; i < wanted_.size(); ++i) {
    const ValuePointer& pointer = wanted_[i].pointer;
    const uint64_t begin = pointer.offset;
    const uint64_t end = begin + wanted_[i].read_bytes;
    // Records do not overlap where pointers are right. Where they do, each is
    // read for itself, because it is decrypted in its place.
    const bool is_near = !runs_.empty() && runs_.back().file == pointer.file &&
                         begin >= runs_.back().end &&
                         begin - runs_.back().end <= kMaxGapBytes &&
                         end - runs_.back().begin <= kMaxRunBytes;
    if (!is_near) runs_.push_back({pointer.file, begin, begin, i, i, size});
    Run& run = runs_.back();
    size += end - run.end;
    run.end = end;
    run.last = i + 1;
  }
  return size;
}

void ValueBatch::Take(ValueLogs& logs, const LogFile& log, const Run& run) {
  for (size_t i = run.first; i < run.last; ++i) {
    Wanted& wanted = wanted_[i];
    const uint64_t offset = wanted.pointer.offset;
    const absl::Span<char> bytes =
        PlaceOf(run).subspan(offset - run.begin, wanted.read_bytes);
    LogRecord record;
    absl::Status parsed;
    if (part_ == Part::kWhole) {
      parsed = log.Parse(offset, bytes, record);
    } else if (offset + wanted.pointer.size <= log.size()) {
      parsed = log.ParseFront(offset, wanted.pointer.size, bytes, record);
    } else {
      continue;
    }
    wanted.is_read = parsed.ok() && IsRecordOf(wanted.key, record.key);
    wanted.value = record.value;
    wanted.value_bytes = record.header.value_size;
    if (wanted.is_read) logs.SawValue(wanted.value_bytes);
  }
}

void ValueBatch::Clear() {
  wanted_.clear();
  runs_.clear();
  awaited_.clear();
  record_bytes_ = 0;
}

}  // namespace badger
}  // namespace sluice
