#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/sdk/barrier.h"
#include "sluice/plugins/sdk/error.h"
#include "sluice/plugins/sdk/wrap.h"

namespace sluice::sdk {
namespace {

Metadata ReadPairs(const sluice_pair* pairs, uint64_t count) {
  Metadata metadata;
  for (uint64_t i = 0; i < count; ++i) {
    metadata[std::string(ToView(pairs[i].key))] =
        std::string(ToView(pairs[i].value));
  }
  return metadata;
}

Counts ReadCounts(const sluice_count* counts, uint64_t count) {
  Counts result;
  for (uint64_t i = 0; i < count; ++i)
    result[std::string(ToView(counts[i].name))] = counts[i].value;
  return result;
}

// The host's sink as C++ sees it.
class TableSink final : public Sink {
 public:
  explicit TableSink(const sluice_sink* table) : table_(table) {}

  absl::Status Write(absl::string_view bytes) override {
    sluice_error error = EmptyError();
    return FromError(table_->write(table_->self, ToBytes(bytes), &error),
                     error);
  }

  absl::StatusOr<absl::Span<char>> Reserve() override {
    sluice_error error = EmptyError();
    void* chunk = nullptr;
    uint64_t capacity = 0;
    SLUICE_RETURN_IF_ERROR(FromError(
        table_->reserve(table_->self, &chunk, &capacity, &error), error));
    return absl::MakeSpan(static_cast<char*>(chunk), capacity);
  }

  absl::Status Commit(size_t bytes) override {
    sluice_error error = EmptyError();
    return FromError(table_->commit(table_->self, bytes, &error), error);
  }

  absl::Status AddPayloadIds(absl::Span<const absl::string_view> ids) override {
    std::vector<sluice_bytes> table;
    table.reserve(ids.size());
    for (const absl::string_view id : ids) table.push_back(ToBytes(id));
    sluice_error error = EmptyError();
    return FromError(table_->add_payload_ids(table_->self, table.data(),
                                             table.size(), &error),
                     error);
  }

  absl::Status SetMetadata(absl::string_view key,
                           absl::string_view value) override {
    sluice_error error = EmptyError();
    return FromError(table_->set_metadata(table_->self, ToBytes(key),
                                          ToBytes(value), &error),
                     error);
  }

  void SetEstimate(uint64_t bytes) override {
    table_->set_estimate(table_->self, bytes);
  }

  void AddWarning(absl::string_view word, absl::string_view message) override {
    table_->add_warning(table_->self, ToBytes(word), ToBytes(message));
  }

  absl::Status End(const Counts& counts) override {
    std::vector<sluice_count> table;
    table.reserve(counts.size());
    for (const auto& [name, value] : counts)
      table.push_back({ToBytes(name), value});
    sluice_error error = EmptyError();
    return FromError(
        table_->end(table_->self, table.data(), table.size(), &error), error);
  }

  bool keeps_index() const override {
    return SLUICE_HAS(table_, sluice_sink, write_index) &&
           table_->write_index != nullptr;
  }

  absl::Status WriteIndex(absl::string_view bytes) override {
    if (!keeps_index()) return Sink::WriteIndex(bytes);
    sluice_error error = EmptyError();
    return FromError(table_->write_index(table_->self, ToBytes(bytes), &error),
                     error);
  }

 private:
  const sluice_sink* const table_;
};

class TablePayload final : public Payload {
 public:
  explicit TablePayload(const sluice_payload* table)
      : table_(table),
        metadata_(ReadPairs(table->metadata, table->metadata_count)),
        counts_(ReadCounts(table->counts, table->count_count)) {}

  absl::string_view backup_id() const override {
    return ToView(table_->backup_id);
  }
  const Metadata& metadata() const override { return metadata_; }
  const Counts& counts() const override { return counts_; }
  uint64_t size() const override { return table_->size; }

  absl::StatusOr<absl::string_view> Next() override {
    sluice_error error = EmptyError();
    sluice_bytes bytes{};
    SLUICE_RETURN_IF_ERROR(
        FromError(table_->next(table_->self, &bytes, &error), error));
    return ToView(bytes);
  }

 private:
  const sluice_payload* const table_;
  const Metadata metadata_;
  const Counts counts_;
};

class TableRestoreRequest final : public RestoreRequest {
 public:
  explicit TableRestoreRequest(const sluice_restore_request* table)
      : table_(table) {
    for (uint32_t i = 0; i < table->payload_count; ++i) {
      owned_.push_back(std::make_unique<TablePayload>(table->payloads[i]));
      payloads_.push_back(owned_.back().get());
    }
  }

  absl::string_view store_id() const override {
    return ToView(table_->store_id);
  }
  absl::Span<Payload* const> payloads() const override { return payloads_; }
  void AddWarning(absl::string_view word, absl::string_view message) override {
    table_->add_warning(table_->self, ToBytes(word), ToBytes(message));
  }

 private:
  const sluice_restore_request* const table_;
  std::vector<std::unique_ptr<TablePayload>> owned_;
  std::vector<Payload*> payloads_;
};

// A source and the table in front of it.
class SourceTable {
 public:
  explicit SourceTable(std::unique_ptr<Source> source)
      : source_(std::move(source)), table_{sizeof(sluice_source),
                                           this,
                                           &SourceTable::Destroy,
                                           &SourceTable::Describe,
                                           &SourceTable::Backup,
                                           &SourceTable::Restore} {}

  const sluice_source* table() const { return &table_; }

 private:
  static SourceTable* Self(void* self) {
    return static_cast<SourceTable*>(self);
  }

  static void Destroy(void* self) {
    GuardedQuietly([&] { delete Self(self); });
  }

  static sluice_code Describe(void* self, const sluice_run* run,
                              sluice_source_info* info, sluice_error* error) {
    return Guarded(error, [&]() -> absl::Status {
      SLUICE_ASSIGN_OR_RETURN(Self(self)->info_,
                              Self(self)->source_->Describe(Run(run)));
      const SourceInfo& said = Self(self)->info_;
      if (SLUICE_HAS(info, sluice_source_info, empty)) info->empty = said.empty;
      if (SLUICE_HAS(info, sluice_source_info, store_id))
        info->store_id = ToBytes(said.store_id);
      if (SLUICE_HAS(info, sluice_source_info, capabilities)) {
        info->capabilities =
            said.increments ? uint32_t{SLUICE_SOURCE_INCREMENTS} : 0u;
      }
      return absl::OkStatus();
    });
  }

  static sluice_code Backup(void* self, const sluice_run* run,
                            const sluice_backup_request* table,
                            const sluice_sink* sink_table,
                            sluice_error* error) {
    return Guarded(error, [&]() -> absl::Status {
      BackupRequest request;
      if (table->has_base != 0) {
        request.has_base = true;
        request.base_backup_id = std::string(ToView(table->base_backup_id));
        request.base_metadata =
            ReadPairs(table->base_metadata, table->base_metadata_count);
        request.base_counts =
            ReadCounts(table->base_counts, table->base_count_count);
      }
      std::vector<std::unique_ptr<TablePayload>> indexes;
      if (SLUICE_HAS(table, sluice_backup_request, base_index_count)) {
        for (uint64_t i = 0; i < table->base_index_count; ++i) {
          indexes.push_back(
              std::make_unique<TablePayload>(table->base_indexes[i]));
          request.base_indexes.push_back(indexes.back().get());
        }
      }
      TableSink sink(sink_table);
      return Self(self)->source_->Backup(Run(run), request, sink);
    });
  }

  static sluice_code Restore(void* self, const sluice_run* run,
                             const sluice_restore_request* table,
                             sluice_error* error) {
    return Guarded(error, [&]() -> absl::Status {
      TableRestoreRequest request(table);
      return Self(self)->source_->Restore(Run(run), request);
    });
  }

  const std::unique_ptr<Source> source_;
  const sluice_source table_;
  SourceInfo info_;  // holds the strings of the last Describe
};

}  // namespace

const sluice_source* WrapSource(std::unique_ptr<Source> source) {
  return (new SourceTable(std::move(source)))->table();
}

}  // namespace sluice::sdk
