#include "sluice/plugins/host/source_adaptor.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/host/entry_check.h"
#include "sluice/plugins/sdk/barrier.h"
#include "sluice/plugins/sdk/error.h"

namespace sluice {
namespace {

using sdk::Guarded;
using sdk::ToBytes;
using sdk::ToView;

absl::Status BrokenRule(absl::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, kPluginUnusable,
                   absl::StrCat("the plugin broke the ABI: ", what));
}

bool IsStoreId(absl::string_view id) {
  return id.size() <= 128 && std::all_of(id.begin(), id.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  c == '.' || c == '_' || c == '-';
         });
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

// The first error that our side gave to the plugin in a call, so that it comes
// out whole where the plugin passes its code on.
class GivenError {
 public:
  absl::Status Remember(absl::Status status) {
    if (first_.ok()) first_ = status;
    return status;
  }
  // What a call that returned `status` ended with.
  absl::Status Or(const absl::Status& status) const {
    const bool is_ours =
        !first_.ok() && (status.ok() || status.code() == first_.code());
    return is_ours ? first_ : status;
  }

 private:
  absl::Status first_;
};

// The executor's sink as a plugin sees it.
class SinkTable {
 public:
  SinkTable(PayloadSink* sink, GivenError* given)
      : sink_(sink), given_(given), table_{sizeof(sluice_sink),
                                           this,
                                           &SinkTable::Write,
                                           &SinkTable::Reserve,
                                           &SinkTable::Commit,
                                           &SinkTable::AddPayloadIds,
                                           &SinkTable::SetMetadata,
                                           &SinkTable::SetEstimate,
                                           &SinkTable::AddWarning,
                                           &SinkTable::End} {}

  const sluice_sink* table() const { return &table_; }

 private:
  static SinkTable& Self(void* self) { return *static_cast<SinkTable*>(self); }

  template <typename Body>
  static sluice_code Call(void* self, sluice_error* error, Body&& body) {
    return Guarded(error, [&]() -> absl::Status {
      absl::Status status = body(Self(self));
      return status.ok() ? status
                         : Self(self).given_->Remember(std::move(status));
    });
  }

  static sluice_code Write(void* self, sluice_bytes bytes,
                           sluice_error* error) {
    return Call(self, error, [&](SinkTable& table) {
      if (!IsBytes(bytes)) return BrokenRule("write() of null");
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
      if (table.reserved_ == 0) return BrokenRule("commit() of nothing");
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
      views.reserve(count);
      for (uint64_t i = 0; i < count; ++i) {
        if (!IsBytes(ids[i])) return BrokenRule("a null payload id");
        views.push_back(ToView(ids[i]));
      }
      return table.sink_->AddPayloadIds(views);
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
    sdk::GuardedQuietly([&] { Self(self).sink_->SetEstimate(bytes); });
  }

  static void AddWarning(void* self, sluice_bytes word, sluice_bytes message) {
    sdk::GuardedQuietly([&] {
      if (IsBytes(word) && IsBytes(message))
        Self(self).sink_->AddWarning(ToView(word), ToView(message));
    });
  }

  static sluice_code End(void* self, const sluice_count* counts, uint64_t count,
                         sluice_error* error) {
    return Call(self, error, [&](SinkTable& table) -> absl::Status {
      if (counts == nullptr && count > 0) return BrokenRule("null counts");
      SourceCounts given;
      for (uint64_t i = 0; i < count; ++i) {
        if (!IsBytes(counts[i].name)) return BrokenRule("a null count");
        given[std::string(ToView(counts[i].name))] = counts[i].value;
      }
      return table.sink_->End(given);
    });
  }

  PayloadSink* const sink_;
  GivenError* const given_;
  const sluice_sink table_;
  uint64_t reserved_ = 0;
};

// One link of the chain as a plugin sees it.
class PayloadTable {
 public:
  PayloadTable(RestorePayload* payload, GivenError* given)
      : reader_(payload->reader.get()),
        given_(given),
        tables_(payload->manifest),
        table_{sizeof(sluice_payload),
               this,
               ToBytes(payload->manifest.backup_id()),
               tables_.pairs.data(),
               tables_.pairs.size(),
               tables_.counts.data(),
               tables_.counts.size(),
               payload->manifest.plain_size_bytes(),
               &PayloadTable::Next} {}
  ~PayloadTable() {
    if (held_) reader_->Release();
  }
  PayloadTable(const PayloadTable&) = delete;
  PayloadTable& operator=(const PayloadTable&) = delete;

  const sluice_payload* table() const { return &table_; }
  bool ended() const { return ended_; }

 private:
  static sluice_code Next(void* self, sluice_bytes* bytes,
                          sluice_error* error) {
    return Guarded(error, [&]() -> absl::Status {
      auto& table = *static_cast<PayloadTable*>(self);
      absl::StatusOr<absl::string_view> view = table.NextView();
      if (!view.ok()) return table.given_->Remember(view.status());
      *bytes = ToBytes(*view);
      return absl::OkStatus();
    });
  }

  absl::StatusOr<absl::string_view> NextView() {
    if (ended_) return absl::string_view();
    if (held_) reader_->Release();
    held_ = false;
    SLUICE_ASSIGN_OR_RETURN(const absl::string_view view, reader_->Next());
    held_ = !view.empty();
    ended_ = view.empty();
    return view;
  }

  PayloadReader* const reader_;
  GivenError* const given_;
  const ManifestTables tables_;
  const sluice_payload table_;
  bool held_ = false;
  bool ended_ = false;
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
    if (!IsBytes(info.store_id) || !IsStoreId(ToView(info.store_id)))
      return BrokenRule("a store id that is not 128 bytes of [A-Za-z0-9._-]");
    return StoreInfo{std::string(ToView(info.store_id)), info.empty != 0,
                     (info.capabilities & SLUICE_SOURCE_INCREMENTS) != 0};
  }

  absl::Status Backup(const Context& context, const Manifest* base,
                      PayloadSink& sink) override {
    SLUICE_RETURN_IF_ERROR(plugin_->CheckResponsive());
    const RunTable run(context);
    GivenError given;
    SinkTable sink_table(&sink, &given);
    const ManifestTables tables(base != nullptr ? *base
                                                : Manifest::default_instance());
    sluice_backup_request request{};
    request.struct_size = sizeof(request);
    if (base != nullptr) {
      request.has_base = 1;
      request.base_backup_id = ToBytes(base->backup_id());
      request.base_metadata = tables.pairs.data();
      request.base_metadata_count = tables.pairs.size();
      request.base_counts = tables.counts.data();
      request.base_count_count = tables.counts.size();
    }
    return Call(context, kSourceFailed, given, [&](sluice_error* error) {
      return table_->backup(table_->self, run.table(), &request,
                            sink_table.table(), error);
    });
  }

  absl::Status Restore(const Context& context, absl::string_view store_id,
                       absl::Span<RestorePayload> chain) override {
    SLUICE_RETURN_IF_ERROR(plugin_->CheckResponsive());
    const RunTable run(context);
    GivenError given;
    std::vector<std::unique_ptr<PayloadTable>> payloads;
    std::vector<const sluice_payload*> tables;
    for (RestorePayload& payload : chain) {
      payloads.push_back(std::make_unique<PayloadTable>(&payload, &given));
      tables.push_back(payloads.back()->table());
    }
    sluice_restore_request request{};
    request.struct_size = sizeof(request);
    request.payload_count = static_cast<uint32_t>(tables.size());
    request.self = this;
    request.store_id = ToBytes(store_id);
    request.payloads = tables.data();
    request.add_warning = &SourceAdaptor::LogWarning;
    SLUICE_RETURN_IF_ERROR(
        Call(context, kSourceFailed, given, [&](sluice_error* error) {
          return table_->restore(table_->self, run.table(), &request, error);
        }));
    // A store that calls itself restored without having seen the end of each
    // payload has not seen that they are whole.
    for (const auto& payload : payloads) {
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
  // Runs one call of the table. Its code becomes a status: ours, where the
  // plugin passed on what we had given it.
  template <typename Body>
  absl::Status Call(const Context& context, absl::string_view word,
                    const GivenError& given, Body&& body) {
    sluice_error error = sdk::EmptyError();
    sluice_code code = SLUICE_INTERNAL;
    // A plugin that throws has broken the ABI; we survive it where we can.
    const sluice_code thrown = Guarded(&error, [&] {
      code = body(&error);
      return absl::OkStatus();
    });
    if (thrown != SLUICE_OK) code = thrown;
    const absl::Status status = given.Or(sdk::FromError(code, error));
    if (status.code() == absl::StatusCode::kCancelled && context.done())
      return context.status();
    return WithDefaultWord(status, word);
  }

  static void LogWarning(void* self, sluice_bytes word, sluice_bytes message) {
    sdk::GuardedQuietly([&] {
      if (!IsBytes(word) || !IsBytes(message)) return;
      static_cast<SourceAdaptor*>(self)->plugin_->host().Log(
          SLUICE_LOG_WARNING,
          absl::StrCat("restore: ", ToView(message), " (", ToView(word), ")"));
    });
  }

  const std::shared_ptr<PluginState> plugin_;
  const std::string kind_;
  const sluice_source* const table_;
};

}  // namespace

absl::Status WithDefaultWord(absl::Status status, absl::string_view word) {
  if (status.ok() || HasErrorCode(status) ||
      status.code() == absl::StatusCode::kCancelled ||
      status.code() == absl::StatusCode::kDeadlineExceeded)
    return status;
  return WithCode(std::move(status), word);
}

std::shared_ptr<Backupable> AdaptSource(std::shared_ptr<PluginState> plugin,
                                        std::string kind,
                                        const sluice_source* table) {
  return std::make_shared<SourceAdaptor>(std::move(plugin), std::move(kind),
                                         table);
}

}  // namespace sluice
