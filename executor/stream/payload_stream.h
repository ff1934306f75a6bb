#ifndef SLUICE_EXECUTOR_STREAM_PAYLOAD_STREAM_H_
#define SLUICE_EXECUTOR_STREAM_PAYLOAD_STREAM_H_

// What lies between a source and a destination during a backup: the pipe, with
// a sink at one end that counts, checks and takes a checksum, and a reader at
// the other that gives the end only where the source said it.
//
// A stream ends well only when all of this holds: the source returned OK, it
// had called End, no call of the sink had failed, there was something in it
// (or that is allowed), and the payload ids are sorted. Anything else is an
// error to the reader, never a short payload.
//
// The sink is for the source's thread, the reader for the destination's; the
// rest says its own.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/mutex.h"
#include "sluice/executor/payload.h"
#include "sluice/executor/stream/first_cause.h"
#include "sluice/executor/stream/payload_id_spool.h"
#include "sluice/executor/stream/pipe.h"
#include "sluice/executor/stream/warning_list.h"

namespace sluice {

// Metadata by which a source says "1" where it streamed all although it was
// given a base. As in sluice_plugin.h, backup().
inline constexpr char kStreamedFullKey[] = "sluice.full";

class PayloadStream {
 public:
  struct Options {
    PipeOptions pipe;
    PayloadIdSpool::Options ids;  // its folder takes the index as well
    bool allow_empty = false;
    // An increment: that nothing is new since the base is no failure.
    bool on_base = false;
  };

  // As Pipe::Create fails. `cause` gets what goes wrong in here; its first
  // cause, whosever it is, ends both sides at once.
  static absl::StatusOr<std::unique_ptr<PayloadStream>> Create(
      const Options& options, std::shared_ptr<FirstCause> cause);
  ~PayloadStream();

  // --- source's thread
  PayloadSink& sink();
  // The source's call returned: judges the stream and closes it. Sorts the
  // payload ids.
  void SourceReturned(const absl::Status& status);

  // --- destination's thread
  PayloadReader& reader();
  // Called with the bytes read so far, on each Next that gave some.
  void OnBytes(std::function<void(uint64_t bytes_read)> callback);
  // The reader gave its end: nothing of the payload is missing.
  bool reader_at_end() const;

  // --- any thread
  uint64_t estimate() const;
  std::vector<PayloadWarning> warnings() const;

 private:
  class Sink;
  class Reader;
  struct Shared;
  explicit PayloadStream(std::unique_ptr<Shared> shared);
  std::unique_ptr<Shared> shared_;
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_STREAM_PAYLOAD_STREAM_H_
