#include "sluice/plugins/conformance/source_checks.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/error.h"
#include "sluice/base/mutex.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/thread.h"
#include "sluice/destinations/archive/archive_destination.h"
#include "sluice/destinations/archive/protocol/repo.h"
#include "sluice/executor/context.h"
#include "sluice/executor/executor.h"
#include "sluice/executor/job_store.h"
#include "sluice/executor/models.pb.h"
#include "sluice/executor/payload.h"
#include "sluice/executor/ulid.h"
#include "sluice/plugins/conformance/tapped_store.h"

namespace sluice {
namespace {

// A source must return within a second of the cancel; the rest is the archive's
// clearing away.
constexpr absl::Duration kCancelLimit = absl::Seconds(2);

// The results tell all that the checks need; nothing is kept.
class ForgetfulJobStore final : public JobStore {
 public:
  std::string catalog_id() const override { return "conformance"; }
  absl::Status CreateBackupJob(const Context&, const BackupJob&) override {
    return absl::OkStatus();
  }
  absl::Status UpdateBackupJob(const Context&, const BackupJob&) override {
    return absl::OkStatus();
  }
  absl::Status UpdateBackupJobProgress(const Context&, absl::string_view,
                                       uint32_t, uint64_t,
                                       absl::string_view) override {
    return absl::OkStatus();
  }
  absl::Status CreateBackupRecord(const Context&,
                                  const BackupRecord&) override {
    return absl::OkStatus();
  }
};

// Fails the call number `fail_at` that moves data, and counts what comes after.
class FailingSink final : public PayloadSink {
 public:
  explicit FailingSink(int fail_at) : fail_at_(fail_at) {}

  absl::Status Write(absl::string_view) override { return Data(); }
  absl::StatusOr<absl::Span<char>> Reserve() override {
    SLUICE_RETURN_IF_ERROR(Data());
    return absl::MakeSpan(chunk_);
  }
  absl::Status Commit(size_t) override { return Data(); }
  absl::Status AddPayloadIds(absl::Span<const absl::string_view>) override {
    return Data();
  }
  absl::Status SetMetadata(absl::string_view, absl::string_view) override {
    return Data();
  }
  void SetEstimate(uint64_t) override {}
  void AddWarning(absl::string_view, absl::string_view) override {}
  absl::Status End(const SourceCounts&) override { return Data(); }
  absl::Status Poll() const override { return absl::OkStatus(); }

  int calls() const { return calls_; }
  int calls_after() const { return calls_after_; }

 private:
  absl::Status Data() {
    if (++calls_ < fail_at_) return absl::OkStatus();
    if (calls_ > fail_at_) ++calls_after_;
    return MakeError(absl::StatusCode::kDataLoss, "planted", "planted");
  }

  const int fail_at_;
  int calls_ = 0;
  int calls_after_ = 0;
  std::vector<char> chunk_ = std::vector<char>(1 << 16);
};

bool SameBytes(const Manifest& a, const Manifest& b) {
  return a.plain_xxh3() == b.plain_xxh3() &&
         a.plain_size_bytes() == b.plain_size_bytes();
}

std::string CountsText(const Manifest& manifest) {
  const std::map<std::string, uint64_t> sorted(manifest.source_counts().begin(),
                                               manifest.source_counts().end());
  std::string text;
  for (const auto& [name, value] : sorted)
    absl::StrAppend(&text, text.empty() ? "" : ", ", name, " ", value);
  return text;
}

absl::Status SameCounts(const Manifest& original, const Manifest& copy) {
  const std::string was = CountsText(original);
  const std::string is = CountsText(copy);
  SLUICE_CHECK_THAT(was == is,
                    absl::StrCat("it counts ", is, "; before: ", was));
  return absl::OkStatus();
}

// A store that orders its bytes anew each time may be the same although they
// differ; that its counts agree does not show it.
absl::Status SamePayload(const Manifest& original, const Manifest& copy) {
  SLUICE_RETURN_IF_ERROR(SameCounts(original, copy));
  if (SameBytes(original, copy)) return absl::OkStatus();
  return NotShown(absl::StrCat("the counts agree (", CountsText(copy),
                               "), the bytes do not: ", copy.plain_size_bytes(),
                               " with XXH3 ", copy.plain_xxh3(),
                               "; before: ", original.plain_size_bytes(),
                               " with ", original.plain_xxh3()));
}

// What a copy has to be. Where the check is of something else than the copy,
// counts will do.
enum class Sameness { kPayload, kCounts };

class SourceChecks final : public CheckMemory {
 public:
  SourceChecks(const SourceSubject& subject, Clock* clock, CheckRunner& runner)
      : subject_(subject),
        clock_(clock),
        runner_(runner),
        executor_(&jobs_, clock) {}

  std::vector<std::string> Save() const override {
    return {manifest_.SerializeAsString(),
            repo_.SerializeAsString(),
            info_.store_id,
            kind_,
            info_.increments ? "1" : "",
            std::string(next_target_, 'x'),
            full_target_.has_value() ? absl::StrCat(*full_target_) : ""};
  }

  void Load(const std::vector<std::string>& saved) override {
    if (saved.size() != 7) return;
    manifest_.ParseFromString(saved[0]);
    repo_.ParseFromString(saved[1]);
    info_.store_id = saved[2];
    kind_ = saved[3];
    info_.increments = !saved[4].empty();
    next_target_ = saved[5].size();
    int full = 0;
    full_target_ = absl::nullopt;
    if (absl::SimpleAtoi(saved[6], &full)) full_target_ = full;
  }

  // A check takes two targets at most.
  void Lost() override { next_target_ += 2; }

  void Run() {
    runner_.set_memory(this);
    RunChecks();
    runner_.set_memory(nullptr);
  }

 private:
  void RunChecks() {
    runner_.Run("source: describes itself, twice the same",
                [&] { return Describes(); });
    if (!runner_.Run("source: backs up, with counts, and the archive verifies",
                     [&] { return BacksUp(); }))
      return;
    runner_.Run("source: backs up to the same again",
                [&] { return BacksUpAgain(); });
    runner_.Run("source: restores, and the copy backs up to the same",
                [&] { return RestoresTheSame(); });
    runner_.Run("source: a store with something in it is not restored into",
                [&] { return RefusesWhatIsNotEmpty(); });
    runner_.Run("source: a damaged last byte leaves the target untouched",
                [&] { return SurvivesDamage(); });
    runner_.Run("source: a place that fails leaves the target untouched",
                [&] { return SurvivesLostPlace(); });
    runner_.Run("source: a cancelled restore ends at once, target untouched",
                [&] { return CancelsRestore(); });
    runner_.Run("source: a cancelled backup ends at once, nothing published",
                [&] { return CancelsBackup(); });
    runner_.Run("source: a run cancelled before it began publishes nothing",
                [&] { return CancelledBefore(); });
    runner_.Run("source: an error of the place is told as what it is",
                [&] { return TellsThePlacesError(); });
    runner_.Run("source: writes nothing more after an error",
                [&] { return StopsAfterAnError(); });
    runner_.Run("source: an empty store is told from a full one",
                [&] { return BacksUpNothing(); });
    runner_.Run("source: what it leaves out is a warning",
                [&] { return Warns(); });
    runner_.Run("source: an increment restores with its base",
                [&] { return RestoresAChain(); });
    runner_.Run("source: two runs at once do not disturb each other",
                [&] { return RunsTwice(); });
  }

  absl::Status Describes() {
    for (int i = 0; i < 2; ++i) {
      SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<Backupable> source,
                              subject_.source());
      SLUICE_ASSIGN_OR_RETURN(const StoreInfo info, source->Describe(context_));
      SLUICE_CHECK_THAT(i == 0 || info.store_id == info_.store_id,
                        "its store id changed between two looks");
      SLUICE_CHECK_THAT(!info.empty, "it says that it is empty");
      info_ = info;
      kind_ = source->store_kind();
    }
    return absl::OkStatus();
  }

  absl::Status BacksUp() {
    RepoInfo wanted;
    wanted.id = NewUlid(*clock_);
    SLUICE_ASSIGN_OR_RETURN(const std::shared_ptr<ObjectStore> place, Place());
    SLUICE_ASSIGN_OR_RETURN(const RepoInfo repo,
                            InitRepo(context_, *place, wanted));
    repo_.set_id(repo.id);
    repo_.set_name("conformance");
    SLUICE_ASSIGN_OR_RETURN(manifest_, Backup(subject_.source));
    SLUICE_CHECK_THAT(!manifest_.source_counts().empty(),
                      "it counted nothing at its end");
    SLUICE_CHECK_THAT(manifest_.plain_size_bytes() > 0,
                      "a store with something in it gave no bytes");
    return ArchiveDestination::Create(place, clock_, {})
        ->Verify(context_, manifest_.backup_id(), nullptr)
        .status();
  }

  absl::Status BacksUpAgain() {
    SLUICE_ASSIGN_OR_RETURN(const Manifest again, Backup(subject_.source));
    return SamePayload(manifest_, again);
  }

  absl::Status RestoresTheSame() {
    const int target = NextTarget();
    SLUICE_RETURN_IF_ERROR(ExpectEmpty(target));
    SLUICE_RETURN_IF_ERROR(Restore(target, {}).status);
    full_target_ = target;
    return ExpectCopy(target, manifest_, Sameness::kPayload);
  }

  absl::Status RefusesWhatIsNotEmpty() {
    if (!full_target_.has_value()) return SkipCheck("nothing was restored");
    const absl::Status status = Restore(*full_target_, {}).status;
    SLUICE_CHECK_THAT(!status.ok(), "it was restored into a second time");
    return ExpectCopy(*full_target_, manifest_, Sameness::kCounts);
  }

  absl::Status SurvivesDamage() {
    const int target = NextTarget();
    PayloadTaps taps;
    taps.on_read = [](absl::Span<char> bytes, uint64_t offset, uint64_t size) {
      if (!bytes.empty() && offset + bytes.size() == size)
        bytes[bytes.size() - 1] ^= 1;
      return absl::OkStatus();
    };
    const absl::Status status = Restore(target, taps).status;
    SLUICE_CHECK_THAT(!status.ok(), "a damaged archive was restored");
    SLUICE_CHECK_THAT(ErrorCodeOf(status) == kArchiveDamaged,
                      absl::StrCat("told as ", status.ToString()));
    return ExpectUntouched(target);
  }

  absl::Status SurvivesLostPlace() {
    const int target = NextTarget();
    PayloadTaps taps;
    taps.on_read = [](absl::Span<char> bytes, uint64_t offset,
                      uint64_t size) -> absl::Status {
      if (offset + bytes.size() <= size / 2) return absl::OkStatus();
      return MakeError(absl::StatusCode::kUnavailable, kDestinationUnreachable,
                       "planted");
    };
    const absl::Status status = Restore(target, taps).status;
    SLUICE_CHECK_THAT(ErrorCodeOf(status) == kDestinationUnreachable,
                      absl::StrCat("told as ", status.ToString()));
    return ExpectUntouched(target);
  }

  absl::Status CancelsRestore() {
    const int target = NextTarget();
    auto [run, cancel] = Context::WithCancel(context_);
    CancelTime at;
    PayloadTaps taps;
    taps.on_read = [&, cancel = cancel](absl::Span<char>, uint64_t, uint64_t) {
      at.Set(clock_->SinceBoot());
      cancel(MakeError(absl::StatusCode::kCancelled, kCancelled, "planted"));
      return absl::OkStatus();
    };
    const RestoreResult result = Restore(target, taps, run);
    SLUICE_CHECK_THAT(result.status.code() == absl::StatusCode::kCancelled,
                      absl::StrCat("told as ", result.status.ToString()));
    SLUICE_RETURN_IF_ERROR(InTime(at, result.source_abandoned));
    return ExpectUntouched(target);
  }

  absl::Status CancelsBackup() {
    auto [run, cancel] = Context::WithCancel(context_);
    CancelTime at;
    PayloadTaps taps;
    taps.on_write = [&, cancel = cancel](absl::string_view) {
      at.Set(clock_->SinceBoot());
      cancel(MakeError(absl::StatusCode::kCancelled, kCancelled, "planted"));
      return absl::OkStatus();
    };
    SLUICE_ASSIGN_OR_RETURN(const BackupResult result,
                            RunBackup(subject_.source, taps, run, nullptr));
    SLUICE_RETURN_IF_ERROR(InTime(at, result.source_abandoned));
    return ExpectInterrupted(result);
  }

  absl::Status CancelledBefore() {
    auto [run, cancel] = Context::WithCancel(context_);
    cancel(MakeError(absl::StatusCode::kCancelled, kCancelled, "planted"));
    SLUICE_ASSIGN_OR_RETURN(const BackupResult result,
                            RunBackup(subject_.source, {}, run, nullptr));
    SLUICE_CHECK_THAT(result.status.code() == absl::StatusCode::kCancelled,
                      absl::StrCat("told as ", result.status.ToString()));
    SLUICE_CHECK_THAT(!result.record.has_value(), "there is a record");
    return absl::OkStatus();
  }

  absl::Status TellsThePlacesError() {
    PayloadTaps taps;
    taps.on_write = [](absl::string_view) {
      return MakeError(absl::StatusCode::kResourceExhausted,
                       kDestinationNoSpace, "planted");
    };
    SLUICE_ASSIGN_OR_RETURN(
        const BackupResult result,
        RunBackup(subject_.source, taps, context_, nullptr));
    SLUICE_CHECK_THAT(ErrorCodeOf(result.status) == kDestinationNoSpace,
                      absl::StrCat("told as ", result.status.ToString()));
    SLUICE_CHECK_THAT(!result.source_abandoned, "the source did not return");
    return ExpectNotPublished(result);
  }

  // Each of the first calls that move data fails in turn.
  absl::Status StopsAfterAnError() {
    for (int fail_at = 1; fail_at <= 5; ++fail_at) {
      SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<Backupable> source,
                              subject_.source());
      FailingSink sink(fail_at);
      const absl::Status status = source->Backup(context_, nullptr, sink);
      if (sink.calls() < fail_at) break;  // it makes no more calls than that
      SLUICE_CHECK_THAT(!status.ok(), "it called an error a success");
      SLUICE_CHECK_THAT(
          ErrorCodeOf(status) == "planted",
          absl::StrCat("it made of the error: ", status.ToString()));
      SLUICE_CHECK_THAT(
          sink.calls_after() == 0,
          absl::StrCat("after the error of call ", fail_at, " it went on"));
    }
    return absl::OkStatus();
  }

  absl::Status BacksUpNothing() {
    if (subject_.empty_source == nullptr)
      return SkipCheck("no empty store was named");
    SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<Backupable> source,
                            subject_.empty_source());
    SLUICE_ASSIGN_OR_RETURN(const StoreInfo info, source->Describe(context_));
    SLUICE_CHECK_THAT(info.empty, "it does not say that it is empty");
    SLUICE_ASSIGN_OR_RETURN(const Manifest manifest,
                            Backup(subject_.empty_source));
    const int target = NextTarget();
    SLUICE_RETURN_IF_ERROR(Restore(target, {}, manifest.backup_id()).status);
    return ExpectCopy(target, manifest, Sameness::kPayload);
  }

  absl::Status Warns() {
    if (subject_.warning_source == nullptr)
      return SkipCheck("no store that is left out in part was named");
    SLUICE_ASSIGN_OR_RETURN(
        const BackupResult result,
        RunBackup(subject_.warning_source, {}, context_, nullptr));
    SLUICE_RETURN_IF_ERROR(result.status);
    SLUICE_CHECK_THAT(result.record->warnings_size() > 0,
                      "nothing was said of what was left out");
    for (const Warning& warning : result.record->warnings()) {
      SLUICE_CHECK_THAT(!warning.code().empty() && !warning.message().empty(),
                        "a warning without word or text");
    }
    return absl::OkStatus();
  }

  absl::Status RestoresAChain() {
    if (!info_.increments) return SkipCheck("it makes none");
    SLUICE_ASSIGN_OR_RETURN(
        const BackupResult result,
        RunBackup(subject_.source, {}, context_, &manifest_));
    SLUICE_RETURN_IF_ERROR(result.status);
    const int target = NextTarget();
    SLUICE_RETURN_IF_ERROR(Restore(target, {}, result.record->id()).status);
    return ExpectCopy(target, manifest_, Sameness::kPayload);
  }

  absl::Status RunsTwice() {
    absl::StatusOr<Manifest> results[2];
    {
      std::vector<Thread> threads;  // joined at the end of the scope
      for (absl::StatusOr<Manifest>& result : results) {
        SLUICE_ASSIGN_OR_RETURN(Thread thread, Thread::Start("run", [&] {
                                  result = Backup(subject_.source);
                                }));
        threads.push_back(std::move(thread));
      }
    }
    for (const absl::StatusOr<Manifest>& result : results) {
      SLUICE_RETURN_IF_ERROR(result.status());
      SLUICE_RETURN_IF_ERROR(SameCounts(manifest_, *result));
    }
    return SamePayload(*results[0], *results[1]);
  }

  // ---- helpers

  int NextTarget() { return static_cast<int>(next_target_++); }

  // Opened once a process.
  absl::StatusOr<std::shared_ptr<ObjectStore>> Place() {
    if (place_ == nullptr) {
      SLUICE_ASSIGN_OR_RETURN(place_, subject_.place());
    }
    return place_;
  }

  // When a tap first cancelled the run.
  class CancelTime {
   public:
    void Set(absl::Duration now) {
      MutexLock lock(mutex_);
      if (!at_.has_value()) at_ = now;
    }
    absl::optional<absl::Duration> get() {
      MutexLock lock(mutex_);
      return at_;
    }

   private:
    Mutex mutex_;
    absl::optional<absl::Duration> at_ ABSL_GUARDED_BY(mutex_);
  };

  absl::Status InTime(CancelTime& at, bool abandoned) {
    SLUICE_CHECK_THAT(at.get().has_value(), "no payload byte passed by");
    SLUICE_CHECK_THAT(!abandoned, "it had to be abandoned");
    const absl::Duration took = clock_->SinceBoot() - *at.get();
    SLUICE_CHECK_THAT(took < kCancelLimit,
                      absl::StrCat("it took ", absl::FormatDuration(took)));
    return absl::OkStatus();
  }

  absl::StatusOr<BackupResult> RunBackup(const OpenSourceFunction& open,
                                         PayloadTaps taps,
                                         const Context& context,
                                         const Manifest* base) {
    SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<Backupable> source, open());
    RunBackupOptions options;
    options.base = base;
    options.allow_empty = true;
    const std::string store_id =
        info_.store_id.empty() ? "conformance" : info_.store_id;
    SLUICE_ASSIGN_OR_RETURN(const std::shared_ptr<ObjectStore> place, Place());
    return executor_.RunBackup(
        context, source,
        ArchiveDestination::Create(TapStore(place, std::move(taps)), clock_,
                                   {}),
        repo_, store_id, kind_, options);
  }

  absl::StatusOr<Manifest> Backup(const OpenSourceFunction& open) {
    SLUICE_ASSIGN_OR_RETURN(BackupResult result,
                            RunBackup(open, {}, context_, nullptr));
    SLUICE_RETURN_IF_ERROR(result.status);
    SLUICE_CHECK_THAT(result.record.has_value() && result.manifest.has_value(),
                      "success without a record");
    return *std::move(result.manifest);
  }

  RestoreResult Restore(int target, PayloadTaps taps) {
    return Restore(target, std::move(taps), context_, manifest_.backup_id());
  }
  RestoreResult Restore(int target, PayloadTaps taps, const Context& context) {
    return Restore(target, std::move(taps), context, manifest_.backup_id());
  }
  RestoreResult Restore(int target, PayloadTaps taps,
                        const std::string& backup_id) {
    return Restore(target, std::move(taps), context_, backup_id);
  }
  RestoreResult Restore(int target, PayloadTaps taps, const Context& context,
                        const std::string& backup_id) {
    absl::StatusOr<std::shared_ptr<Backupable>> store = subject_.target(target);
    const absl::StatusOr<std::shared_ptr<ObjectStore>> place = Place();
    if (!store.ok() || !place.ok()) {
      RestoreResult refused;
      refused.status = store.ok() ? place.status() : store.status();
      return refused;
    }
    RunRestoreOptions options;
    options.from_store_id =
        info_.store_id.empty() ? "conformance" : info_.store_id;
    return executor_.RunRestore(
        context, *store,
        ArchiveDestination::Create(TapStore(*place, std::move(taps)), clock_,
                                   {}),
        repo_, backup_id, options);
  }

  absl::Status ExpectEmpty(int target) {
    SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<Backupable> store,
                            subject_.target(target));
    SLUICE_ASSIGN_OR_RETURN(const StoreInfo info, store->Describe(context_));
    SLUICE_CHECK_THAT(info.empty, "the target is not empty");
    return absl::OkStatus();
  }

  // Nothing became visible, and a whole restore still finds its place.
  absl::Status ExpectUntouched(int target) {
    SLUICE_RETURN_IF_ERROR(ExpectEmpty(target));
    SLUICE_RETURN_IF_ERROR(
        Annotate(Restore(target, {}).status, "restoring again"));
    return ExpectCopy(target, manifest_, Sameness::kCounts);
  }

  absl::Status ExpectCopy(int target, const Manifest& original,
                          Sameness sameness) {
    SLUICE_ASSIGN_OR_RETURN(const Manifest copy,
                            Backup([&] { return subject_.restored(target); }));
    return sameness == Sameness::kPayload ? SamePayload(original, copy)
                                          : SameCounts(original, copy);
  }

  absl::Status ExpectInterrupted(const BackupResult& result) {
    SLUICE_CHECK_THAT(result.status.code() == absl::StatusCode::kCancelled,
                      absl::StrCat("told as ", result.status.ToString()));
    SLUICE_CHECK_THAT(result.job.has_value() &&
                          result.job->status() == BackupJob::INTERRUPTED,
                      "the job is not interrupted");
    return ExpectNotPublished(result);
  }

  absl::Status ExpectNotPublished(const BackupResult& result) {
    SLUICE_CHECK_THAT(!result.record.has_value(), "there is a record");
    SLUICE_ASSIGN_OR_RETURN(const std::shared_ptr<ObjectStore> place, Place());
    const absl::Status published =
        ArchiveDestination::Create(place, clock_, {})
            ->Stat(context_, result.job->backup_id());
    SLUICE_CHECK_THAT(!published.ok(), "an archive was published");
    std::string left;
    SLUICE_RETURN_IF_ERROR(
        place->ListUncommitted(context_, "", [&](const ObjectInfo& info) {
          left = info.name;
          return absl::OkStatus();
        }));
    SLUICE_CHECK_THAT(left.empty(), absl::StrCat("left uncommitted: ", left));
    return absl::OkStatus();
  }

  const SourceSubject& subject_;
  Clock* const clock_;
  CheckRunner& runner_;
  const Context context_ = Context::Background();
  ForgetfulJobStore jobs_;
  const Executor executor_;
  BackupRepo repo_;
  StoreInfo info_;
  std::string kind_;
  Manifest manifest_;
  size_t next_target_ = 0;
  absl::optional<int> full_target_;
  std::shared_ptr<ObjectStore> place_;
};

}  // namespace

void RunSourceChecks(const SourceSubject& subject, Clock* clock,
                     CheckRunner& runner) {
  SourceChecks(subject, clock, runner).Run();
}

}  // namespace sluice
