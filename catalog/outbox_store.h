#ifndef SLUICE_CATALOG_OUTBOX_STORE_H_
#define SLUICE_CATALOG_OUTBOX_STORE_H_

// Messages to people that are not delivered yet, or could not be, and how far
// the event log was read for them.
//
// A message is made in the transaction that moves the reading on: a process
// that dies anywhere makes none twice, and loses none. It is delivered at least
// once: whoever claims it sends it, and only then does it go.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(const OutboxReading reading,
//                           outbox.Reading(context));
//   OutboxStep step;
//   step.expected = reading;
//   step.event_id = last_event_seen;
//   step.messages.push_back(message);
//   SLUICE_ASSIGN_OR_RETURN(const bool made, outbox.Advance(context, step));
//
// Thread-safe; every call blocks as those of Catalog do. Times are kept in
// milliseconds. Errors: notification_not_found, and those of Catalog.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/executor/context.h"

namespace sluice {

struct OutboxMessage {
  int64_t id = 0;  // grows
  absl::Time at = absl::UnixEpoch();
  std::string channel;  // whom it is for, by the name that configuration gives
  std::string subject;  // a line for people
  std::string body;     // JSON; holds the id that the receiver is told
  uint32_t attempts = 0;
  // When it is tried next; the infinite future: it was given up.
  absl::Time next_attempt = absl::UnixEpoch();
  std::string error;  // of the last attempt
};

// How far the events are told of.
struct OutboxReading {
  bool begun = false;    // false: nothing was read yet
  int64_t event_id = 0;  // of the last event that was read
  int64_t step = 0;      // grows with each step that was stored

  bool operator==(const OutboxReading& other) const {
    return begun == other.begun && event_id == other.event_id &&
           step == other.step;
  }
};

// What one reading of the events leads to.
struct OutboxStep {
  OutboxReading expected;
  int64_t event_id = 0;
  std::vector<OutboxMessage> messages;  // ids are drawn here
  // Channels of which only the newest message is of use: what is there for them
  // goes, before the step's messages come.
  std::vector<std::string> replaced;
  // What the reader has to remember, by name; none: no longer.
  std::vector<std::pair<std::string, absl::optional<std::string>>> notes;
};

class OutboxStore {
 public:
  virtual ~OutboxStore() = default;

  virtual absl::StatusOr<OutboxReading> Reading(const Context& context) = 0;
  virtual absl::StatusOr<std::map<std::string, std::string>> Notes(
      const Context& context) = 0;
  // In one transaction. False: somebody was faster, nothing was written.
  virtual absl::StatusOr<bool> Advance(const Context& context,
                                       const OutboxStep& step) = 0;

  // Those that are to be tried now, the longest due first, `limit` at most, and
  // `per_channel` of a channel.
  virtual absl::StatusOr<std::vector<OutboxMessage>> Due(
      const Context& context, absl::Time now, size_t limit,
      size_t per_channel) = 0;
  // The earliest time at which one is to be tried; the infinite future where
  // none waits.
  virtual absl::StatusOr<absl::Time> NextAttempt(const Context& context) = 0;
  // Counts an attempt, and keeps all others from the message until `until`.
  // False: another has it, or it is gone.
  virtual absl::StatusOr<bool> Claim(const Context& context,
                                     const OutboxMessage& message,
                                     absl::Time until) = 0;
  // It was delivered: it goes.
  virtual absl::Status Delivered(const Context& context, int64_t id) = 0;
  // It was not; `next_attempt` as in OutboxMessage.
  virtual absl::Status Failed(const Context& context, int64_t id,
                              const std::string& error,
                              absl::Time next_attempt) = 0;

  // Newest first: those before `before` (0: from the newest), `limit` at most.
  virtual absl::StatusOr<std::vector<OutboxMessage>> List(
      const Context& context, int64_t before, size_t limit) = 0;
  // Tries it from `now` on as if it were new.
  virtual absl::StatusOr<OutboxMessage> Retry(const Context& context,
                                              int64_t id, absl::Time now) = 0;
  // Those that were given up and are older.
  virtual absl::StatusOr<size_t> DeleteGivenUp(const Context& context,
                                               absl::Time before) = 0;
};

}  // namespace sluice

#endif  // SLUICE_CATALOG_OUTBOX_STORE_H_
