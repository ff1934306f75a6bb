#include "sluice/plugins/host/source_adaptor.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/exclusive_use.h"
#include "sluice/base/mutex.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/store_id.h"
#include "sluice/executor/limits.h"
#include "sluice/plugins/host/entry_check.h"
#include "sluice/plugins/host/guarded_call.h"
#include "sluice/plugins/sdk/barrier.h"
#include "sluice/plugins/sdk/error.h"

namespace sluice {
namespace {

using sdk::Guarded;
using sdk::ToBytes;
using sdk::ToView;

absl::Status BrokenRule(absl::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, kPluginUnusable,
                   absl::StrCat("the plugin violated the ABI: ", what));
}

// A manifest's metadata and counts as arrays of the ABI. Views into `manifest`.
struct ManifestTables {
  explicit ManifestTables(const Manifest& manifest) {
    for (const auto& [key, value] : manifest.engine_metadata())
      pairs.push_back({ToBytes(key), ToBytes(value)});
    for (const auto& [name, value] : manifest.source_counts())
      counts.push_back({ToBytes(name), value});
  }
  std::vector<sluice_pair> pairs;
  std::vector<sluice_count> counts;
};

// Payload ids that are looked at in one go.
constexpr uint64_t kIdsAtOnce = 1024;

absl::Status TwoThreads(absl::string_view table) {
  return BrokenRule(absl::StrCat("two threads called its ", table, " at once"));
}

// The first error that our side gave to the plugin in a call, so that it comes
// out whole where the plugin passes its code on. Thread-safe.
class GivenError {
 public:
  absl::Status Remember(absl::Status status) {
    MutexLock lock(mutex_);
    if (first_.ok()) first_ = DeepCopy(status);
    return status;
  }
  // What a call that returned `status` ended with.
  absl::Status Or(const absl::Status& status) const {
    MutexLock lock(mutex_);
    const bool is_ours =
        !first_.ok() && (status.ok() || status.code() == first_.code());
    return is_ours ? DeepCopy(first_) : status;
  }

 private:
  mutable Mutex mutex_;
  absl::Status first_ ABSL_GUARDED_BY(mutex_);
};

// The executor's sink as a plugin sees it. A call that breaks a rule of the ABI
// fails the run, and so does each after it.
class SinkTable {
 public:
  SinkTable(PayloadSink* sink, GivenError* given)
      : sink_(sink),
        given_(given),
        table_{sizeof(sluice_sink),
               this,
               &SinkTable::Write,
               &SinkTable::Reserve,
               &SinkTable::Commit,
               &SinkTable::AddPayloadIds,
               &SinkTable::SetMetadata,
               &SinkTable::SetEstimate,
               &SinkTable::AddWarning,
               &SinkTable::End,
               sink->keeps_index() ? &SinkTable::WriteIndex : nullptr} {}

  const sluice_sink* table() const { return &table_; }

  // The call has returned: nothing goes through any more. A thread of the
  // plugin that is still in here is waited for and remembered.
  void Close() {
    if (use_.TryClose()) return;
    given_
        ->Remember(BrokenRule(
            "backup() returned while a thread of its called the sink"))
        .IgnoreError();
    use_.Close();
  }

 private:
  static SinkTable& Self(void* self) { return *static_cast<SinkTable*>(self); }

  template <typename Body>
  static sluice_code Call(void* self, sluice_error* error, Body&& body) {
    return Guarded(error, [&]() -> absl::Status {
      SinkTable& table = Self(self);
      const ExclusiveUse::Turn turn(table.use_);
      absl::Status status;
      if (!turn.entered()) {
        status = turn.closed()
                     ? BrokenRule("a call of a sink whose run is over")
                     : TwoThreads("sink");
      } else if (table.broken_.load(std::memory_order_acquire)) {
        status = BrokenRule("a call of a sink after a rule was broken");
      } else {
        status = body(table);
      }
      if (status.ok()) return status;
      if (ErrorCodeOf(status) == kPluginUnusable) {
        table.broken_.store(true, std::memory_order_release);
      }
      return table.given_->Remember(std::move(status));
    });
  }

  static sluice_code Write(void* self, sluice_bytes bytes,
                           sluice_error* error) {
    return Call(self, error, [&](SinkTable& table) {
      if (!IsBytes(bytes)) return BrokenRule("write() of an invalid buffer");
      if (table.reserved_ > 0)
        return BrokenRule("write() between reserve() and commit()");
      return table.sink_->Write(ToView(bytes));
    });
  }

  static sluice_code Reserve(void* self, void** chunk, uint64_t* capacity,
                             sluice_error* error) {
    return Call(self, error, [&](SinkTable& table) -> absl::Status {
      if (table.reserved_ > 0) return BrokenRule("reserve() twice");
      SLUICE_ASSIGN_OR_RETURN(const absl::Span<char> span,
                              table.sink_->Reserve());
      table.reserved_ = span.size();
      *chunk = span.data();
      *capacity = span.size();
      return absl::OkStatus();
    });
  }

  static sluice_code Commit(void* self, uint64_t size, sluice_error* error) {
    return Call(self, error, [&](SinkTable& table) -> absl::Status {
      if (table.reserved_ == 0) return BrokenRule("commit() without reserve()");
      if (size > table.reserved_)
        return BrokenRule("commit() of more than was reserved");
      table.reserved_ = 0;
      return table.sink_->Commit(size);
    });
  }

  static sluice_code AddPayloadIds(void* self, const sluice_bytes* ids,
                                   uint64_t count, sluice_error* error) {
    return Call(self, error, [&](SinkTable& table) -> absl::Status {
      if (ids == nullptr && count > 0) return BrokenRule("null payload ids");
      std::vector<absl::string_view> views;
      for (uint64_t begin = 0; begin < count; begin += views.size()) {
        views.clear();
        const uint64_t end = begin + std::min(count - begin, kIdsAtOnce);
        for (uint64_t i = begin; i < end; ++i) {
          if (!IsBytes(ids[i])) return BrokenRule("a null payload id");
          views.push_back(ToView(ids[i]));
        }
        SLUICE_RETURN_IF_ERROR(table.sink_->AddPayloadIds(views));
      }
      return absl::OkStatus();
    });
  }

  static sluice_code SetMetadata(void* self, sluice_bytes key,
                                 sluice_bytes value, sluice_error* error) {
    return Call(self, error, [&](SinkTable& table) {
      if (!IsBytes(key) || !IsBytes(value)) return BrokenRule("null metadata");
      return table.sink_->SetMetadata(ToView(key), ToView(value));
    });
  }

  static void SetEstimate(void* self, uint64_t bytes) {
    Call(self, nullptr, [&](SinkTable& table) {
      table.sink_->SetEstimate(bytes);
      return absl::OkStatus();
    });
  }

  static void AddWarning(void* self, sluice_bytes word, sluice_bytes message) {
    Call(self, nullptr, [&](SinkTable& table) {
      if (!IsBytes(word) || !IsBytes(message))
        return BrokenRule("a null warning");
      table.sink_->AddWarning(ToView(word), ToView(message));
      return absl::OkStatus();
    });
  }

  static sluice_code End(void* self, const sluice_count* counts, uint64_t count,
                         sluice_error* error) {
    return Call(self, error, [&](SinkTable& table) -> absl::Status {
      if (table.reserved_ > 0)
        return BrokenRule("end() between reserve() and commit()");
      if (counts == nullptr && count > 0) return BrokenRule("null counts");
      if (count > kMaxCounts)
        return BrokenRule(absl::StrCat("more than ", kMaxCounts, " counts"));
      SourceCounts given;
      for (uint64_t i = 0; i < count; ++i) {
        if (!IsBytes(counts[i].name)) return BrokenRule("a null count");
        given[std::string(ToView(counts[i].name))] = counts[i].value;
      }
      return table.sink_->End(given);
    });
  }

  static sluice_code WriteIndex(void* self, sluice_bytes bytes,
                                sluice_error* error) {
    return Call(self, error, [&](SinkTable& table) {
      if (!IsBytes(bytes)) return BrokenRule("write_index() of null");
      return table.sink_->WriteIndex(ToView(bytes));
    });
  }

  PayloadSink* const sink_;
  GivenError* const given_;
  const sluice_sink table_;
  ExclusiveUse use_;
  uint64_t reserved_ = 0;
  std::atomic<bool> broken_{false};
};

// One link of the chain, or its index, as a plugin sees it.
class PayloadTable {
 public:
  // `size`: of what is read. `before`: the link that must have been read to its
  // end; null: none.
  PayloadTable(RestorePayload* payload, uint64_t size,
               const PayloadTable* before, GivenError* given)
      : reader_(payload->reader.get()),
        before_(before),
        given_(given),
        tables_(payload->manifest),
        table_{sizeof(sluice_payload),
               this,
               ToBytes(payload->manifest.backup_id()),
               tables_.pairs.data(),
               tables_.pairs.size(),
               tables_.counts.data(),
               tables_.counts.size(),
               size,
               &PayloadTable::Next} {}
  PayloadTable(const PayloadTable&) = delete;
  PayloadTable& operator=(const PayloadTable&) = delete;

  const sluice_payload* table() const { return &table_; }
  bool ended() const { return ended_.load(std::memory_order_acquire); }

  // As SinkTable's.
  void Close() {
    if (!use_.TryClose()) {
      given_
          ->Remember(BrokenRule(
              "restore() returned while a thread of its called next()"))
          .IgnoreError();
      use_.Close();
    }
    if (std::exchange(held_, false)) reader_->Release();
  }

 private:
  static sluice_code Next(void* self, sluice_bytes* bytes,
                          sluice_error* error) {
    return Guarded(error, [&]() -> absl::Status {
      auto& table = *static_cast<PayloadTable*>(self);
      const ExclusiveUse::Turn turn(table.use_);
      absl::StatusOr<absl::string_view> view =
          turn.entered()  ? table.NextView()
          : turn.closed() ? BrokenRule("next() of a run that is over")
                          : TwoThreads("payload");
      if (!view.ok()) return table.given_->Remember(view.status());
      *bytes = ToBytes(*view);
      return absl::OkStatus();
    });
  }

  absl::StatusOr<absl::string_view> NextView() {
    if (ended()) return absl::string_view();
    if (before_ != nullptr && !before_->ended())
      return BrokenRule("next() of a payload before the end of the one below");
    if (std::exchange(held_, false)) reader_->Release();
    SLUICE_ASSIGN_OR_RETURN(const absl::string_view view, reader_->Next());
    held_ = !view.empty();
    ended_.store(view.empty(), std::memory_order_release);
    return view;
  }

  PayloadReader* const reader_;
  const PayloadTable* const before_;
  GivenError* const given_;
  const ManifestTables tables_;
  const sluice_payload table_;
  ExclusiveUse use_;
  bool held_ = false;
  std::atomic<bool> ended_{false};
};

// All that a plugin is lent for one call. A thread that it left behind may look
// at these once more when the call is over, and must find memory there.
struct LentTables {
  virtual ~LentTables() = default;
};

struct BackupTables final : LentTables {
  BackupTables(const Context& context, PayloadSink* to, BackupBase* base)
      : run(context), sink(to, &given) {
    if (base == nullptr) return;
    for (RestorePayload& index : base->indexes) {
      indexes.push_back(std::make_unique<PayloadTable>(
          &index, index.manifest.index_size_bytes(), nullptr, &index_errors));
      index_tables.push_back(indexes.back()->table());
    }
  }
  void Close() {
    sink.Close();
    for (const auto& index : indexes) index->Close();
  }

  const RunTable run;
  GivenError given;
  SinkTable sink;
  // Not the run's: a source may go on without an index.
  GivenError index_errors;
  std::vector<std::unique_ptr<PayloadTable>> indexes;
  std::vector<const sluice_payload*> index_tables;
};

// What a plugin warns of, until its call has returned.
class RestoreWarnings {
 public:
  explicit RestoreWarnings(WarningSink* sink) : sink_(sink) {}

  void Add(absl::string_view word, absl::string_view message) {
    MutexLock lock(mutex_);
    if (sink_ != nullptr) sink_->AddWarning(word, message);
  }
  void Close() {
    MutexLock lock(mutex_);
    sink_ = nullptr;
  }

 private:
  Mutex mutex_;
  WarningSink* sink_ ABSL_GUARDED_BY(mutex_);
};

struct RestoreTables final : LentTables {
  RestoreTables(const Context& context, absl::Span<RestorePayload> chain,
                WarningSink* sink)
      : run(context), warnings(sink) {
    for (RestorePayload& payload : chain) {
      payloads.push_back(std::make_unique<PayloadTable>(
          &payload, payload.manifest.plain_size_bytes(),
          payloads.empty() ? nullptr : payloads.back().get(), &given));
      tables.push_back(payloads.back()->table());
    }
  }
  const RunTable run;
  GivenError given;
  std::vector<std::unique_ptr<PayloadTable>> payloads;
  std::vector<const sluice_payload*> tables;
  RestoreWarnings warnings;
};

class SourceAdaptor final : public Backupable {
 public:
  SourceAdaptor(std::shared_ptr<PluginState> plugin, std::string kind,
                const sluice_source* table)
      : plugin_(std::move(plugin)), kind_(std::move(kind)), table_(table) {}

  ~SourceAdaptor() override {
    sdk::GuardedQuietly([&] { table_->destroy(table_->self); });
  }

  std::string store_kind() const override { return kind_; }

  absl::StatusOr<StoreInfo> Describe(const Context& context) override {
    SLUICE_RETURN_IF_ERROR(plugin_->CheckResponsive());
    const RunTable run(context);
    sluice_source_info info{};
    info.struct_size = sizeof(info);
    SLUICE_RETURN_IF_ERROR(Call(
        context, kSourceUnavailable, GivenError(), [&](sluice_error* error) {
          return table_->describe(table_->self, run.table(), &info, error);
        }));
    if (!IsBytes(info.store_id) ||
        (info.store_id.size > 0 && !IsStoreId(ToView(info.store_id))))
      return BrokenRule("a store id that is not 128 bytes of [A-Za-z0-9._-]");
    return StoreInfo{std::string(ToView(info.store_id)), info.empty != 0,
                     (info.capabilities & SLUICE_SOURCE_INCREMENTS) != 0};
  }

  absl::Status Backup(const Context& context, BackupBase* base,
                      PayloadSink& sink) override {
    SLUICE_RETURN_IF_ERROR(plugin_->CheckResponsive());
    BackupTables& lent = Lend<BackupTables>(context, &sink, base);
    const ManifestTables tables(base != nullptr ? base->manifest
                                                : Manifest::default_instance());
    sluice_backup_request request{};
    request.struct_size = sizeof(request);
    if (base != nullptr) {
      request.has_base = 1;
      request.base_backup_id = ToBytes(base->manifest.backup_id());
      request.base_metadata = tables.pairs.data();
      request.base_metadata_count = tables.pairs.size();
      request.base_counts = tables.counts.data();
      request.base_count_count = tables.counts.size();
      request.base_indexes = lent.index_tables.data();
      request.base_index_count = lent.index_tables.size();
    }
    // Also where the plugin ends this thread.
    const absl::Cleanup over = [&lent] { lent.Close(); };
    return Call(context, kSourceFailed, lent.given, [&](sluice_error* error) {
      const sluice_code code = table_->backup(
          table_->self, lent.run.table(), &request, lent.sink.table(), error);
      lent.Close();
      return code;
    });
  }

  absl::Status Restore(const Context& context, absl::string_view store_id,
                       absl::Span<RestorePayload> chain,
                       WarningSink& warnings) override {
    SLUICE_RETURN_IF_ERROR(plugin_->CheckResponsive());
    RestoreTables& lent = Lend<RestoreTables>(context, chain, &warnings);
    const auto close = [&lent] {
      for (const auto& payload : lent.payloads) payload->Close();
      lent.warnings.Close();
    };
    const absl::Cleanup over = close;
    sluice_restore_request request{};
    request.struct_size = sizeof(request);
    request.payload_count = static_cast<uint32_t>(lent.tables.size());
    request.self = &lent.warnings;
    request.store_id = ToBytes(store_id);
    request.payloads = lent.tables.data();
    request.add_warning = &SourceAdaptor::AddWarning;
    SLUICE_RETURN_IF_ERROR(
        Call(context, kSourceFailed, lent.given, [&](sluice_error* error) {
          const sluice_code code =
              table_->restore(table_->self, lent.run.table(), &request, error);
          close();
          return code;
        }));
    // A store that calls itself restored without having seen the end of each
    // payload has not seen that they are whole.
    for (const auto& payload : lent.payloads) {
      if (!payload->ended()) {
        return MakeError(absl::StatusCode::kInternal, kSourceIncomplete,
                         "the store stopped reading before the archive's end "
                         "and said that it was restored");
      }
    }
    return absl::OkStatus();
  }

  void OnAbandoned() override { plugin_->SetUnresponsive(); }

 private:
  static constexpr size_t kLentKept = 64;

  // Tables of one call; they stay until the object goes, or many more calls
  // were made.
  template <typename Tables, typename... Arguments>
  Tables& Lend(Arguments&&... arguments) {
    auto tables =
        std::make_unique<Tables>(std::forward<Arguments>(arguments)...);
    Tables& result = *tables;
    MutexLock lock(mutex_);
    lent_.push_back(std::move(tables));
    if (lent_.size() > kLentKept) lent_.pop_front();
    return result;
  }

  // Runs one call of the table. Its code becomes a status: ours, where the
  // plugin passed on what we had given it.
  template <typename Body>
  absl::Status Call(const Context& context, absl::string_view word,
                    const GivenError& given, Body&& body) {
    sluice_error error = sdk::EmptyError();
    const sluice_code code = GuardedCall(&error, body);
    const absl::Status status = given.Or(sdk::FromError(code, error));
    if (status.code() == absl::StatusCode::kCancelled && context.done())
      return context.status();
    return WithSourceWord(status, word);
  }

  // Of a restore.
  static void AddWarning(void* self, sluice_bytes word, sluice_bytes message) {
    sdk::GuardedQuietly([&] {
      if (IsBytes(word) && IsBytes(message)) {
        static_cast<RestoreWarnings*>(self)->Add(ToView(word), ToView(message));
      }
    });
  }

  const std::shared_ptr<PluginState> plugin_;
  const std::string kind_;
  const sluice_source* const table_;
  Mutex mutex_;
  std::deque<std::unique_ptr<LentTables>> lent_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::Status WithDefaultWord(absl::Status status, absl::string_view word) {
  if (status.ok() || HasErrorCode(status) ||
      status.code() == absl::StatusCode::kCancelled ||
      status.code() == absl::StatusCode::kDeadlineExceeded)
    return status;
  return WithCode(std::move(status), word);
}

absl::Status WithSourceWord(absl::Status status, absl::string_view fallback) {
  switch (status.code()) {
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return WithDefaultWord(std::move(status), kSourcePermissionDenied);
    case absl::StatusCode::kResourceExhausted:
      return WithDefaultWord(std::move(status), kSourceNoSpace);
    default:
      return WithDefaultWord(std::move(status), fallback);
  }
}

std::shared_ptr<Backupable> AdaptSource(std::shared_ptr<PluginState> plugin,
                                        std::string kind,
                                        const sluice_source* table) {
  return std::make_shared<SourceAdaptor>(std::move(plugin), std::move(kind),
                                         table);
}

}  // namespace sluice
