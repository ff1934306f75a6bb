#include <memory>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/sdk/barrier.h"
#include "sluice/plugins/sdk/error.h"
#include "sluice/plugins/sdk/wrap.h"

namespace sluice::sdk {
namespace {

class WriterTable {
 public:
  explicit WriterTable(std::unique_ptr<ObjectWriter> writer)
      : writer_(std::move(writer)), table_{sizeof(sluice_writer),
                                           this,
                                           &WriterTable::Write,
                                           &WriterTable::Commit,
                                           &WriterTable::Abort,
                                           &WriterTable::Destroy} {}

  const sluice_writer* table() const { return &table_; }

 private:
  static WriterTable* Self(void* self) {
    return static_cast<WriterTable*>(self);
  }

  static sluice_code Write(void* self, sluice_bytes bytes,
                           sluice_error* error) {
    return Guarded(error,
                   [&] { return Self(self)->writer_->Write(ToView(bytes)); });
  }

  static sluice_code Commit(void* self, uint32_t mode, sluice_error* error) {
    return Guarded(error, [&]() -> absl::Status {
      switch (mode) {
        case SLUICE_COMMIT_REPLACE:
          return Self(self)->writer_->Commit(CommitMode::kReplace);
        case SLUICE_COMMIT_IF_ABSENT:
          return Self(self)->writer_->Commit(CommitMode::kIfAbsent);
        default:
          return InvalidArgument("unknown commit mode");
      }
    });
  }

  static sluice_code Abort(void* self, sluice_error* error) {
    return Guarded(error, [&] { return Self(self)->writer_->Abort(); });
  }

  static void Destroy(void* self) {
    GuardedQuietly([&] { delete Self(self); });
  }

  const std::unique_ptr<ObjectWriter> writer_;
  const sluice_writer table_;
};

class ReaderTable {
 public:
  explicit ReaderTable(std::unique_ptr<ObjectReader> reader)
      : reader_(std::move(reader)),
        table_{sizeof(sluice_reader), this, &ReaderTable::Read,
               &ReaderTable::Destroy} {}

  const sluice_reader* table() const { return &table_; }

 private:
  static sluice_code Read(void* self, void* buffer, uint64_t capacity,
                          uint64_t* size, sluice_error* error) {
    return Guarded(error, [&]() -> absl::Status {
      SLUICE_ASSIGN_OR_RETURN(
          *size, static_cast<ReaderTable*>(self)->reader_->Read(
                     absl::MakeSpan(static_cast<char*>(buffer), capacity)));
      return absl::OkStatus();
    });
  }

  static void Destroy(void* self) {
    GuardedQuietly([&] { delete static_cast<ReaderTable*>(self); });
  }

  const std::unique_ptr<ObjectReader> reader_;
  const sluice_reader table_;
};

uint32_t Capabilities(const PlaceInfo& info) {
  return (info.conditional_commit ? uint32_t{SLUICE_PLACE_CONDITIONAL_COMMIT}
                                  : 0u) |
         (info.durable_commit ? uint32_t{SLUICE_PLACE_DURABLE_COMMIT} : 0u) |
         (info.exists ? uint32_t{SLUICE_PLACE_EXISTS} : 0u);
}

sluice_object ToTable(const ObjectInfo& info) {
  sluice_object object{};
  object.struct_size = sizeof(object);
  object.name = ToBytes(info.name);
  object.size = info.size;
  object.modified_unix_nanos = absl::ToUnixNanos(info.modified);
  object.upload = ToBytes(info.upload);
  return object;
}

// The host's list as the callback that a Place calls.
Place::Callback ToCallback(const sluice_object_list* list) {
  return [list](const ObjectInfo& info) -> absl::Status {
    const sluice_object object = ToTable(info);
    sluice_error error = EmptyError();
    return FromError(list->add(list->self, &object, &error), error);
  };
}

// A place and the table in front of it.
class PlaceTable {
 public:
  explicit PlaceTable(std::unique_ptr<Place> place)
      : place_(std::move(place)),
        table_{sizeof(sluice_place),
               this,
               &PlaceTable::Destroy,
               &PlaceTable::Describe,
               &PlaceTable::Create,
               &PlaceTable::Begin,
               &PlaceTable::Open,
               &PlaceTable::Stat,
               &PlaceTable::List,
               &PlaceTable::Remove,
               &PlaceTable::ListUncommitted,
               &PlaceTable::AbortUncommitted} {}

  const sluice_place* table() const { return &table_; }

 private:
  static Place& Of(void* self) {
    return *static_cast<PlaceTable*>(self)->place_;
  }

  static void Destroy(void* self) {
    GuardedQuietly([&] { delete static_cast<PlaceTable*>(self); });
  }

  static sluice_code Describe(void* self, const sluice_run* run, uint32_t probe,
                              sluice_place_info* info, sluice_error* error) {
    return Guarded(error, [&]() -> absl::Status {
      SLUICE_ASSIGN_OR_RETURN(const PlaceInfo said,
                              Of(self).Describe(Run(run), probe != 0));
      if (SLUICE_HAS(info, sluice_place_info, capabilities))
        info->capabilities = Capabilities(said);
      if (SLUICE_HAS(info, sluice_place_info, max_object_bytes))
        info->max_object_bytes = said.max_object_bytes;
      if (SLUICE_HAS(info, sluice_place_info, now_unix_nanos))
        info->now_unix_nanos = absl::ToUnixNanos(said.now);
      return absl::OkStatus();
    });
  }

  static sluice_code Create(void* self, const sluice_run* run,
                            sluice_error* error) {
    return Guarded(error, [&] { return Of(self).Create(Run(run)); });
  }

  static sluice_code Begin(void* self, const sluice_run* run, sluice_bytes name,
                           uint64_t size_hint, const sluice_writer** writer,
                           sluice_error* error) {
    return Guarded(error, [&]() -> absl::Status {
      SLUICE_ASSIGN_OR_RETURN(
          std::unique_ptr<ObjectWriter> begun,
          Of(self).Begin(Run(run), ToView(name), size_hint));
      *writer = (new WriterTable(std::move(begun)))->table();
      return absl::OkStatus();
    });
  }

  static sluice_code Open(void* self, const sluice_run* run, sluice_bytes name,
                          uint64_t offset, const sluice_reader** reader,
                          sluice_error* error) {
    return Guarded(error, [&]() -> absl::Status {
      SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<ObjectReader> opened,
                              Of(self).Open(Run(run), ToView(name), offset));
      *reader = (new ReaderTable(std::move(opened)))->table();
      return absl::OkStatus();
    });
  }

  static sluice_code Stat(void* self, const sluice_run* run, sluice_bytes name,
                          sluice_object* object, sluice_error* error) {
    return Guarded(error, [&]() -> absl::Status {
      SLUICE_ASSIGN_OR_RETURN(const ObjectInfo info,
                              Of(self).Stat(Run(run), ToView(name)));
      if (SLUICE_HAS(object, sluice_object, size)) object->size = info.size;
      if (SLUICE_HAS(object, sluice_object, modified_unix_nanos))
        object->modified_unix_nanos = absl::ToUnixNanos(info.modified);
      return absl::OkStatus();
    });
  }

  static sluice_code List(void* self, const sluice_run* run,
                          sluice_bytes prefix, const sluice_object_list* list,
                          sluice_error* error) {
    return Guarded(error, [&] {
      return Of(self).List(Run(run), ToView(prefix), ToCallback(list));
    });
  }

  static sluice_code Remove(void* self, const sluice_run* run,
                            sluice_bytes name, sluice_error* error) {
    return Guarded(error,
                   [&] { return Of(self).Delete(Run(run), ToView(name)); });
  }

  static sluice_code ListUncommitted(void* self, const sluice_run* run,
                                     sluice_bytes prefix,
                                     const sluice_object_list* list,
                                     sluice_error* error) {
    return Guarded(error, [&] {
      return Of(self).ListUncommitted(Run(run), ToView(prefix),
                                      ToCallback(list));
    });
  }

  static sluice_code AbortUncommitted(void* self, const sluice_run* run,
                                      sluice_bytes upload,
                                      sluice_error* error) {
    return Guarded(error, [&] {
      return Of(self).AbortUncommitted(Run(run), ToView(upload));
    });
  }

  const std::unique_ptr<Place> place_;
  const sluice_place table_;
};

}  // namespace

const sluice_place* WrapPlace(std::unique_ptr<Place> place) {
  return (new PlaceTable(std::move(place)))->table();
}

}  // namespace sluice::sdk
