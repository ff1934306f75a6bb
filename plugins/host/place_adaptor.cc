#include "sluice/plugins/host/place_adaptor.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sluice/base/destination_word.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/host/entry_check.h"
#include "sluice/plugins/host/guarded_call.h"
#include "sluice/plugins/sdk/barrier.h"
#include "sluice/plugins/sdk/error.h"
#include "sluice/plugins/sdk/place.h"

namespace sluice {
namespace {

using sdk::Guarded;
using sdk::ToBytes;
using sdk::ToView;

absl::Status BrokenAnswer(absl::string_view what) {
  return MakeError(absl::StatusCode::kInternal, kPluginUnusable,
                   absl::StrCat("the plugin violated the ABI: ", what));
}

absl::string_view WordFor(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kAlreadyExists:
      return kDestinationPathConflict;
    case absl::StatusCode::kResourceExhausted:
      return kDestinationNoSpace;
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kInternal:
      return "";  // the code says it
    default: {
      const absl::string_view word = DestinationWord(code);
      return word.empty() ? absl::string_view(kDestinationIoError) : word;
    }
  }
}

// Runs one call of a table; its code becomes a status.
template <typename Body>
absl::Status Call(const Context& context, Body&& body) {
  sluice_error error = sdk::EmptyError();
  const sluice_code code = GuardedCall(&error, body);
  const absl::Status status = sdk::FromError(code, error);
  if (status.code() == absl::StatusCode::kCancelled && context.done())
    return context.status();
  return WithPlaceWord(status);
}

// Destroys the place's table; shared by the store, its writers and readers.
class OwnedPlace {
 public:
  OwnedPlace(std::shared_ptr<PluginState> plugin, const sluice_place* table)
      : plugin_(std::move(plugin)), table_(table) {}
  ~OwnedPlace() {
    sdk::GuardedQuietly([&] { table_->destroy(table_->self); });
  }
  OwnedPlace(const OwnedPlace&) = delete;
  OwnedPlace& operator=(const OwnedPlace&) = delete;

  const sluice_place* operator->() const { return table_; }

 private:
  const std::shared_ptr<PluginState> plugin_;
  const sluice_place* const table_;
};

// A table that the place made, and all that it needs for as long as it lives.
template <typename Table>
class OwnedTable {
 public:
  OwnedTable(std::shared_ptr<OwnedPlace> place, std::unique_ptr<RunTable> run,
             const Table* table)
      : place_(std::move(place)), run_(std::move(run)), table_(table) {}
  ~OwnedTable() {
    sdk::GuardedQuietly([&] { table_->destroy(table_->self); });
  }
  OwnedTable(const OwnedTable&) = delete;
  OwnedTable& operator=(const OwnedTable&) = delete;

  const Context& context() const { return run_->context(); }
  const Table* operator->() const { return table_; }

 private:
  const std::shared_ptr<OwnedPlace> place_;
  const std::unique_ptr<RunTable> run_;
  const Table* const table_;
};

class WriterAdaptor final : public ObjectWriter {
 public:
  WriterAdaptor(std::shared_ptr<OwnedPlace> place,
                std::unique_ptr<RunTable> run, const sluice_writer* table)
      : table_(std::move(place), std::move(run), table) {}

  absl::Status Write(absl::string_view bytes) override {
    return Call(table_.context(), [&](sluice_error* error) {
      return table_->write(table_->self, ToBytes(bytes), error);
    });
  }

  absl::Status Commit(CommitMode mode) override {
    const uint32_t table_mode = mode == CommitMode::kReplace
                                    ? uint32_t{SLUICE_COMMIT_REPLACE}
                                    : uint32_t{SLUICE_COMMIT_IF_ABSENT};
    return Call(table_.context(), [&](sluice_error* error) {
      return table_->commit(table_->self, table_mode, error);
    });
  }

  absl::Status Abort() override {
    return Call(table_.context(), [&](sluice_error* error) {
      return table_->abort(table_->self, error);
    });
  }

 private:
  const OwnedTable<sluice_writer> table_;
};

class ReaderAdaptor final : public ObjectReader {
 public:
  ReaderAdaptor(std::shared_ptr<OwnedPlace> place,
                std::unique_ptr<RunTable> run, const sluice_reader* table)
      : table_(std::move(place), std::move(run), table) {}

  absl::StatusOr<size_t> Read(absl::Span<char> buffer) override {
    uint64_t size = 0;
    SLUICE_RETURN_IF_ERROR(Call(table_.context(), [&](sluice_error* error) {
      return table_->read(table_->self, buffer.data(), buffer.size(), &size,
                          error);
    }));
    if (size > buffer.size())
      return BrokenAnswer("read() of more than the buffer holds");
    return size;
  }

 private:
  const OwnedTable<sluice_reader> table_;
};

// A callback of the archive as a list that a plugin adds to.
class ListTable {
 public:
  explicit ListTable(const ObjectStore::Callback* callback)
      : callback_(callback),
        table_{sizeof(sluice_object_list), this, &ListTable::Add} {}

  const sluice_object_list* table() const { return &table_; }

  // What a listing that returned `status` ended with: the callback's own error
  // where there was one, whatever the plugin made of it.
  absl::Status Or(const absl::Status& status) const {
    return refused_.ok() ? status : refused_;
  }

 private:
  static sluice_code Add(void* self, const sluice_object* object,
                         sluice_error* error) {
    return Guarded(error, [&]() -> absl::Status {
      auto& table = *static_cast<ListTable*>(self);
      if (table.refused_.ok()) table.refused_ = table.AddObject(object);
      return table.refused_;
    });
  }

  absl::Status AddObject(const sluice_object* object) {
    if (object == nullptr || !SLUICE_HAS(object, sluice_object, upload) ||
        !IsBytes(object->name) || !IsBytes(object->upload))
      return BrokenAnswer("a malformed object in a listing");
    // What lies in a place and can be no object is not ours: one stray file
    // hides no archive.
    if (!sdk::IsObjectName(ToView(object->name))) return absl::OkStatus();
    ObjectInfo info;
    info.name = std::string(ToView(object->name));
    info.size = object->size;
    info.modified = absl::FromUnixNanos(object->modified_unix_nanos);
    info.upload = std::string(ToView(object->upload));
    return (*callback_)(info);
  }

  const ObjectStore::Callback* const callback_;
  const sluice_object_list table_;
  absl::Status refused_;
};

class PlaceAdaptor final : public ObjectStore {
 public:
  PlaceAdaptor(std::shared_ptr<PluginState> plugin, const sluice_place* table)
      : place_(std::make_shared<OwnedPlace>(std::move(plugin), table)) {}

  absl::StatusOr<PlaceInfo> Describe(const Context& context,
                                     bool probe) override {
    const RunTable run(context);
    sluice_place_info table{};
    table.struct_size = sizeof(table);
    SLUICE_RETURN_IF_ERROR(Call(context, [&](sluice_error* error) {
      return place()->describe(place()->self, run.table(), probe ? 1 : 0,
                               &table, error);
    }));
    PlaceInfo info;
    info.exists = (table.capabilities & SLUICE_PLACE_EXISTS) != 0;
    info.conditional_commit =
        (table.capabilities & SLUICE_PLACE_CONDITIONAL_COMMIT) != 0;
    info.durable_commit =
        (table.capabilities & SLUICE_PLACE_DURABLE_COMMIT) != 0;
    info.max_object_bytes = table.max_object_bytes;
    info.now = absl::FromUnixNanos(table.now_unix_nanos);
    return info;
  }

  absl::Status Create(const Context& context) override {
    const RunTable run(context);
    return Call(context, [&](sluice_error* error) {
      return place()->create(place()->self, run.table(), error);
    });
  }

  absl::StatusOr<std::unique_ptr<ObjectWriter>> Begin(
      const Context& context, absl::string_view name,
      uint64_t size_hint) override {
    auto run = std::make_unique<RunTable>(context);
    const sluice_writer* table = nullptr;
    SLUICE_RETURN_IF_ERROR(Call(context, [&](sluice_error* error) {
      return place()->begin(place()->self, run->table(), ToBytes(name),
                            size_hint, &table, error);
    }));
    SLUICE_RETURN_IF_ERROR(CheckWriter(table));
    return std::make_unique<WriterAdaptor>(place_, std::move(run), table);
  }

  absl::StatusOr<std::unique_ptr<ObjectReader>> Open(const Context& context,
                                                     absl::string_view name,
                                                     uint64_t offset) override {
    auto run = std::make_unique<RunTable>(context);
    const sluice_reader* table = nullptr;
    SLUICE_RETURN_IF_ERROR(Call(context, [&](sluice_error* error) {
      return place()->open(place()->self, run->table(), ToBytes(name), offset,
                           &table, error);
    }));
    SLUICE_RETURN_IF_ERROR(CheckReader(table));
    return std::make_unique<ReaderAdaptor>(place_, std::move(run), table);
  }

  absl::StatusOr<ObjectInfo> Stat(const Context& context,
                                  absl::string_view name) override {
    const RunTable run(context);
    sluice_object object{};
    object.struct_size = sizeof(object);
    SLUICE_RETURN_IF_ERROR(Call(context, [&](sluice_error* error) {
      return place()->stat(place()->self, run.table(), ToBytes(name), &object,
                           error);
    }));
    ObjectInfo info;
    info.name = std::string(name);
    info.size = object.size;
    info.modified = absl::FromUnixNanos(object.modified_unix_nanos);
    return info;
  }

  absl::Status List(const Context& context, absl::string_view prefix,
                    const Callback& callback) override {
    return Listed(context, prefix, callback, place()->list);
  }

  absl::Status Delete(const Context& context, absl::string_view name) override {
    const RunTable run(context);
    return Call(context, [&](sluice_error* error) {
      return place()->remove(place()->self, run.table(), ToBytes(name), error);
    });
  }

  absl::Status ListUncommitted(const Context& context, absl::string_view prefix,
                               const Callback& callback) override {
    return Listed(context, prefix, callback, place()->list_uncommitted);
  }

  absl::Status AbortUncommitted(const Context& context,
                                absl::string_view upload) override {
    const RunTable run(context);
    return Call(context, [&](sluice_error* error) {
      return place()->abort_uncommitted(place()->self, run.table(),
                                        ToBytes(upload), error);
    });
  }

 private:
  const OwnedPlace& place() const { return *place_; }

  absl::Status Listed(const Context& context, absl::string_view prefix,
                      const Callback& callback,
                      decltype(sluice_place::list) function) {
    const RunTable run(context);
    ListTable list(&callback);
    return list.Or(Call(context, [&](sluice_error* error) {
      return function(place()->self, run.table(), ToBytes(prefix), list.table(),
                      error);
    }));
  }

  const std::shared_ptr<OwnedPlace> place_;
};

}  // namespace

absl::Status WithPlaceWord(const absl::Status& status) {
  const absl::string_view word = WordFor(status.code());
  return status.ok() || HasErrorCode(status) || word.empty()
             ? status
             : WithCode(status, word);
}

std::shared_ptr<ObjectStore> AdaptPlace(std::shared_ptr<PluginState> plugin,
                                        const sluice_place* table) {
  return std::make_shared<PlaceAdaptor>(std::move(plugin), table);
}

}  // namespace sluice
