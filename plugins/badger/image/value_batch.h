#ifndef SLUICE_PLUGINS_BADGER_IMAGE_VALUE_BATCH_H_
#define SLUICE_PLUGINS_BADGER_IMAGE_VALUE_BATCH_H_

// Values of value logs that are read together: neighbours in one read, and what
// is not in memory asked for all at once, in the order in which it lies, so
// that a disk has many reads to do and not one after the other.
//
//   ValueBatch batch;
//   const size_t i = batch.Add(key, pointer);
//   ...
//   batch.Start(logs);   // reads what is in memory, asks for the rest
//   ...                  // other work
//   batch.Finish(logs);  // waits for the rest
//   if (!batch.value(i).has_value()) status = logs.Resolve(...);
//
// ValueBatch(Part::kFront) reads of each record only the begin, as far as it
// takes to see that it is that of the key and version: for who wants to know
// whether a value is there, and how long it is.
//
// A value is there only where ValueLogs::Resolve would find the same. Where it
// is not, what it points to is wrong, or what its neighbour points to, and
// Resolve says.
//
// One thread. Memory: the records, and gaps of kMaxGapBytes at most between
// them, kept for the next batch. Cost: a read of half a microsecond for each
// value that is in memory, unless they lie one after the other.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/image/log_file.h"
#include "sluice/plugins/badger/image/value_logs.h"

namespace sluice {
namespace badger {

class ValueBatch {
 public:
  // What lies between two records is read with them up to here: to copy so much
  // from memory costs less than another call, and it is no further page to
  // bring from a disk.
  static constexpr uint64_t kMaxGapBytes = uint64_t{4} << 10;
  // Of one read.
  static constexpr uint64_t kMaxRunBytes = uint64_t{128} << 10;

  enum class Part { kWhole, kFront };
  explicit ValueBatch(Part part = Part::kWhole) : part_(part) {}

  // The value of `key`, which lives until Clear. Its place, counted from 0.
  size_t Add(const InternalKey& key, const ValuePointer& pointer);
  // Of the records added, what is read.
  size_t bytes() const { return record_bytes_; }

  // Where the first kProbes reads find all in memory, the others are taken to
  // do so as well, and wait where they do not: to ask first makes each a tenth
  // dearer.
  static constexpr size_t kProbes = 16;
  void Start(ValueLogs& logs);
  // Whether Finish has nothing to wait for.
  bool is_finished() const { return awaited_.empty(); }
  void Finish(ValueLogs& logs);

  // Of a value, or of one whose front was read: how long it is.
  absl::optional<uint64_t> value_bytes(size_t i) const {
    if (!wanted_[i].is_read) return absl::nullopt;
    return wanted_[i].value_bytes;
  }
  // Lives until Clear; none where it was not read. Of kWhole.
  absl::optional<absl::string_view> value(size_t i) const {
    if (!wanted_[i].is_read) return absl::nullopt;
    return wanted_[i].value;
  }
  void Clear();

 private:
  struct Wanted {
    InternalKey key;
    ValuePointer pointer;
    uint32_t read_bytes = 0;
    bool is_read = false;
    uint64_t value_bytes = 0;
    absl::string_view value;
  };
  // Those of [first, last) of wanted_, read in one go.
  struct Run {
    uint32_t file = 0;
    uint64_t begin = 0;  // in the log
    uint64_t end = 0;
    size_t first = 0;
    size_t last = 0;
    size_t place = 0;  // in bytes_
  };

  // Makes runs_; the bytes that they take.
  size_t PlanRuns();
  absl::Span<char> PlaceOf(const Run& run) {
    return absl::MakeSpan(&bytes_[run.place], run.end - run.begin);
  }
  // False where it would have to wait, and may not.
  bool Read(ValueLogs& logs, const Run& run, bool may_wait);
  // Takes the values of a run whose bytes were read.
  void Take(ValueLogs& logs, const LogFile& log, const Run& run);

  const Part part_;
  std::vector<Wanted> wanted_;
  std::vector<Run> runs_;
  std::vector<const Run*> awaited_;
  std::string bytes_;
  size_t record_bytes_ = 0;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_IMAGE_VALUE_BATCH_H_
