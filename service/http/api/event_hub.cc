#include "sluice/service/http/api/event_hub.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/status_macros.h"
#include "sluice/service/json/json.h"

namespace sluice::service {
namespace {

// Room for all that is replayed at once.
constexpr size_t kMaxBuffered = 512 * 1024;
constexpr size_t kBatch = 500;
constexpr absl::Duration kCheckCallersEvery = absl::Seconds(1);

std::string DataOf(const CatalogEvent& event) {
  const Json json = {{"id", event.id},
                     {"at", TimeText(event.at)},
                     {"type", event.type},
                     {"plan_id", event.plan_id},
                     {"repo_id", event.repo_id},
                     {"job_id", event.job_id},
                     {"record_id", event.record_id},
                     {"word", event.word}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string DataOf(const BackupJob& job) {
  const Json json = {{"id", job.id()},
                     {"status", StatusName(job.status())},
                     {"stage", job.stage()},
                     {"progress", job.progress()},
                     {"bytes_done", job.bytes_done()},
                     {"bytes_estimated", job.bytes_estimated()},
                     {"error", job.error()},
                     {"error_code", job.error_code()}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

http::Event Marker(absl::string_view type, int64_t position) {
  return {absl::StrCat(position), std::string(type), "{}"};
}

}  // namespace

EventHub::EventHub(Catalog* catalog, Gatekeeper* gatekeeper, Clock* clock,
                   absl::Duration poll, Context life)
    : catalog_(catalog),
      gatekeeper_(gatekeeper),
      clock_(clock),
      poll_(poll),
      life_(std::move(life)) {}

EventHub::~EventHub() {
  Thread thread;
  {
    MutexLock lock(mutex_);
    stop_ = true;
    changed_.NotifyAll();
    thread = std::move(thread_);
  }
  thread.Join();
  MutexLock lock(mutex_);
  for (const auto& listener : listeners_) listener->stream->End();
}

absl::StatusOr<std::shared_ptr<http::ResponseStream>> EventHub::Follow(
    const Caller& caller, absl::optional<int64_t> last_seen,
    std::set<std::string> types) {
  SLUICE_ASSIGN_OR_RETURN(const EventLog::Range bounds,
                          catalog_->events().Bounds(life_));
  auto listener = std::make_shared<Listener>();
  listener->caller = caller;
  listener->types = std::move(types);
  listener->stream = std::make_shared<http::ResponseStream>(kMaxBuffered);
  listener->position = last_seen.value_or(bounds.last);
  // A number from another catalog, or events that are there no more.
  const bool is_lost =
      last_seen.has_value() &&
      (*last_seen > bounds.last || bounds.last - *last_seen > kMostReplayed ||
       (bounds.first == 0 ? *last_seen < bounds.last
                          : *last_seen < bounds.first - 1));
  if (is_lost) listener->position = bounds.last;
  listener->stream->Send(
      Marker(is_lost ? "resync" : "ready", listener->position));
  std::shared_ptr<http::ResponseStream> stream = listener->stream;
  SLUICE_RETURN_IF_ERROR(Add(std::move(listener)));
  return stream;
}

absl::StatusOr<std::shared_ptr<http::ResponseStream>> EventHub::FollowJob(
    const Caller& caller, const BackupJob& job) {
  auto listener = std::make_shared<Listener>();
  listener->caller = caller;
  listener->stream = std::make_shared<http::ResponseStream>(kMaxBuffered);
  listener->job_id = job.id();
  listener->job_said = DataOf(job);
  std::shared_ptr<http::ResponseStream> stream = listener->stream;
  stream->Send({"", "job", listener->job_said});
  if (IsTerminal(job)) {
    stream->End();
    return stream;
  }
  SLUICE_RETURN_IF_ERROR(Add(std::move(listener)));
  return stream;
}

absl::Status EventHub::Add(std::shared_ptr<Listener> listener) {
  MutexLock lock(mutex_);
  if (!thread_.joinable()) {
    SLUICE_ASSIGN_OR_RETURN(thread_,
                            Thread::Start("api-events", [this] { Run(); }));
  }
  listeners_.push_back(std::move(listener));
  news_ = true;
  changed_.NotifyAll();
  return absl::OkStatus();
}

void EventHub::Run() {
  MutexLock lock(mutex_);
  while (!stop_) {
    if (listeners_.empty()) {
      changed_.Wait(lock);
      continue;
    }
    news_ = false;
    const Listeners listeners = listeners_;
    lock.Unlock();
    Look(listeners);
    lock.Relock();
    listeners_.erase(std::remove_if(listeners_.begin(), listeners_.end(),
                                    [](const auto& listener) {
                                      return !listener->stream->is_open();
                                    }),
                     listeners_.end());
    if (!stop_ && !news_ && !listeners_.empty()) {
      clock_->WaitFor(changed_, lock, poll_);
    }
  }
}

void EventHub::Look(const Listeners& listeners) {
  const absl::Duration now = clock_->SinceBoot();
  if (now >= checked_ + kCheckCallersEvery) {
    checked_ = now;
    EndUnknown(listeners);
  }
  TellEvents(listeners);
  TellJobs(listeners);
}

void EventHub::EndUnknown(const Listeners& listeners) {
  std::map<std::string, bool> known;
  for (const auto& listener : listeners) {
    const Caller& caller = listener->caller;
    const std::string key =
        absl::StrCat(caller.token_sha256, " ", caller.session_sha256);
    if (known.count(key) == 0) {
      // A catalog that is away says nothing of anybody.
      known[key] = gatekeeper_->IsStillKnown(life_, caller).value_or(true);
    }
    if (!known[key]) listener->stream->End();
  }
}

void EventHub::TellEvents(const Listeners& listeners) {
  while (true) {
    absl::optional<int64_t> from;
    for (const auto& listener : listeners) {
      if (!listener->job_id.empty() || !listener->stream->is_open()) continue;
      from = std::min(from.value_or(listener->position), listener->position);
    }
    if (!from.has_value()) return;
    const auto events = catalog_->events().Read(life_, *from, kBatch);
    if (!events.ok() || events->empty()) return;
    for (const CatalogEvent& event : *events) {
      const std::string data = DataOf(event);
      for (const auto& listener : listeners) {
        if (!listener->job_id.empty() || listener->position >= event.id) {
          continue;
        }
        listener->position = event.id;
        if (!listener->caller.MaySee(event.plan_id)) continue;
        if (!listener->types.empty() &&
            listener->types.count(event.type) == 0) {
          continue;
        }
        listener->stream->Send({absl::StrCat(event.id), event.type, data});
      }
    }
    if (events->size() < kBatch) return;
  }
}

void EventHub::TellJobs(const Listeners& listeners) {
  std::map<std::string, absl::StatusOr<CatalogJob>> jobs;
  for (const auto& listener : listeners) {
    if (listener->job_id.empty() || !listener->stream->is_open()) continue;
    auto found = jobs.find(listener->job_id);
    if (found == jobs.end()) {
      found = jobs.emplace(listener->job_id,
                           catalog_->GetJob(life_, listener->job_id))
                  .first;
    }
    const absl::StatusOr<CatalogJob>& job = found->second;
    if (!job.ok()) {
      if (absl::IsNotFound(job.status())) listener->stream->End();
      continue;
    }
    std::string data = DataOf(job->job);
    if (data != listener->job_said) {
      listener->stream->Send({"", "job", data});
      listener->job_said = std::move(data);
    }
    if (IsTerminal(job->job)) listener->stream->End();
  }
}

}  // namespace sluice::service
