#include "sluice/plugins/sdk/factory.h"

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice::sdk {
namespace {

// ---- a source that does everything once

class ListSource : public Source {
 public:
  explicit ListSource(std::string text) : text_(std::move(text)) {}

  absl::StatusOr<SourceInfo> Describe(const Run& run) override {
    if (text_ == "throw") throw std::runtime_error("describe threw");
    return SourceInfo{"store-1", text_.empty(), true};
  }

  absl::Status Backup(const Run& run, const BackupRequest& request,
                      Sink& sink) override {
    SLUICE_RETURN_IF_ERROR(run.status());
    sink.SetEstimate(text_.size());
    SLUICE_RETURN_IF_ERROR(sink.Write(text_));
    SLUICE_ASSIGN_OR_RETURN(absl::Span<char> chunk, sink.Reserve());
    chunk[0] = '!';
    SLUICE_RETURN_IF_ERROR(sink.Commit(1));
    SLUICE_RETURN_IF_ERROR(sink.AddPayloadIds({"id-2", "id-1"}));
    SLUICE_RETURN_IF_ERROR(sink.SetMetadata("base", request.base_backup_id));
    for (const auto& [key, value] : request.base_metadata)
      SLUICE_RETURN_IF_ERROR(sink.SetMetadata("base." + key, value));
    sink.AddWarning("list_short", "one was left out");
    return sink.End({{"bytes", text_.size() + 1}});
  }

  absl::Status Restore(const Run& run, RestoreRequest& request) override {
    std::string staged(request.store_id());
    for (Payload* payload : request.payloads()) {
      absl::StrAppend(&staged, "|", payload->backup_id(), ":",
                      payload->metadata().at("k"), ":",
                      payload->counts().at("n"), ":", payload->size(), ":");
      while (true) {
        SLUICE_ASSIGN_OR_RETURN(absl::string_view bytes, payload->Next());
        if (bytes.empty()) break;
        absl::StrAppend(&staged, bytes);
      }
    }
    request.AddWarning("restored", staged);
    return absl::OkStatus();
  }

 private:
  const std::string text_;
};

absl::StatusOr<std::unique_ptr<Source>> CreateList(const Host& host,
                                                   const Options& options) {
  host.Log(LogLevel::kInfo, "creating");
  if (options.Get("path") == "refused") {
    return MakeError(absl::StatusCode::kInvalidArgument, kSourceConfigInvalid,
                     "no such list");
  }
  return std::make_unique<ListSource>(options.Get("path"));
}

absl::Status ListCommand(const Host& host, const Run& run,
                         absl::string_view name,
                         absl::Span<const std::string> arguments,
                         Output& output) {
  SLUICE_RETURN_IF_ERROR(output.Write(name));
  for (const std::string& argument : arguments)
    SLUICE_RETURN_IF_ERROR(output.Write(argument));
  return absl::OkStatus();
}

constexpr sluice_option_spec kOptions[] = {
    Option("path", SLUICE_OPTION_STRING, SLUICE_OPTION_REQUIRED, "", "text")};
constinit const sluice_factory kListSource =
    SourceFactory<&CreateList, &ListCommand>("list", "A list.\nlist:abc",
                                             kOptions);
constexpr const sluice_factory* kFactories[] = {&kListSource};
constexpr sluice_plugin_entry kListPlugin =
    PluginEntry("list", "1.0.0", "Apache-2.0", kFactories);

// ---- a host's side that records

struct Recorder {
  std::string bytes;
  char chunk[16] = {};
  std::vector<std::string> ids;
  std::map<std::string, std::string> metadata;
  std::map<std::string, uint64_t> counts;
  std::string warning;
  uint64_t estimate = 0;
  bool cancelled = false;
  std::vector<std::string> feed;  // what next() gives
};

Recorder& Of(void* self) { return *static_cast<Recorder*>(self); }

sluice_sink SinkInto(Recorder* recorder) {
  sluice_sink sink{};
  sink.struct_size = sizeof(sink);
  sink.self = recorder;
  sink.write = [](void* self, sluice_bytes bytes, sluice_error* error) {
    if (Of(self).cancelled)
      return FillError(error, SLUICE_CANCELLED, "cancelled", "stop", "", false);
    Of(self).bytes.append(ToView(bytes).data(), bytes.size);
    return sluice_code{SLUICE_OK};
  };
  sink.reserve = [](void* self, void** chunk, uint64_t* capacity,
                    sluice_error*) {
    *chunk = Of(self).chunk;
    *capacity = sizeof(Of(self).chunk);
    return sluice_code{SLUICE_OK};
  };
  sink.commit = [](void* self, uint64_t size, sluice_error*) {
    Of(self).bytes.append(Of(self).chunk, size);
    return sluice_code{SLUICE_OK};
  };
  sink.add_payload_ids = [](void* self, const sluice_bytes* ids, uint64_t count,
                            sluice_error*) {
    for (uint64_t i = 0; i < count; ++i)
      Of(self).ids.emplace_back(ToView(ids[i]));
    return sluice_code{SLUICE_OK};
  };
  sink.set_metadata = [](void* self, sluice_bytes key, sluice_bytes value,
                         sluice_error*) {
    Of(self).metadata[std::string(ToView(key))] = std::string(ToView(value));
    return sluice_code{SLUICE_OK};
  };
  sink.set_estimate = [](void* self, uint64_t bytes) {
    Of(self).estimate = bytes;
  };
  sink.add_warning = [](void* self, sluice_bytes word, sluice_bytes message) {
    Of(self).warning = absl::StrCat(ToView(word), ": ", ToView(message));
  };
  sink.end = [](void* self, const sluice_count* counts, uint64_t count,
                sluice_error*) {
    for (uint64_t i = 0; i < count; ++i)
      Of(self).counts[std::string(ToView(counts[i].name))] = counts[i].value;
    return sluice_code{SLUICE_OK};
  };
  return sink;
}

sluice_run RunOf(Recorder* recorder) {
  return sluice_run{sizeof(sluice_run), recorder,
                    [](void* self) { return uint32_t{Of(self).cancelled}; }};
}

const sluice_source* Make(absl::string_view path) {
  const sluice_option option{Text("path"), ToBytes(path), 0, 0};
  const void* object = nullptr;
  sluice_error error = EmptyError();
  EXPECT_EQ(kListSource.create(nullptr, &option, 1, &object, &error), SLUICE_OK)
      << error.message;
  return static_cast<const sluice_source*>(object);
}

TEST(FactoryTest, TheEntryIsAConstantThatListsItsFactories) {
  EXPECT_EQ(kListPlugin.abi_major, SLUICE_ABI_MAJOR);
  EXPECT_EQ(kListPlugin.factory_count, 1u);
  EXPECT_EQ(ToView(kListPlugin.factories[0]->kind), "list");
  EXPECT_EQ(kListPlugin.factories[0]->option_count, 1u);
}

TEST(FactoryTest, ASourceIsBackedUpThroughItsTable) {
  Recorder recorder;
  const sluice_run run = RunOf(&recorder);
  const sluice_sink sink = SinkInto(&recorder);
  const sluice_pair pair{Text("since"), Text("42")};
  sluice_backup_request request{};
  request.struct_size = sizeof(request);
  request.has_base = 1;
  request.base_backup_id = Text("B1");
  request.base_metadata = &pair;
  request.base_metadata_count = 1;
  sluice_error error = EmptyError();
  const sluice_source* source = Make("abc");
  ASSERT_EQ(source->backup(source->self, &run, &request, &sink, &error),
            SLUICE_OK);
  source->destroy(source->self);
  EXPECT_EQ(recorder.bytes, "abc!");
  EXPECT_EQ(recorder.estimate, 3u);
  EXPECT_EQ(recorder.ids, (std::vector<std::string>{"id-2", "id-1"}));
  EXPECT_EQ(recorder.metadata, (std::map<std::string, std::string>{
                                   {"base", "B1"}, {"base.since", "42"}}));
  EXPECT_EQ(recorder.warning, "list_short: one was left out");
  EXPECT_EQ(recorder.counts, (std::map<std::string, uint64_t>{{"bytes", 4}}));
}

TEST(FactoryTest, ACancelledRunIsSeenAndPassedOn) {
  Recorder recorder;
  recorder.cancelled = true;
  const sluice_run run = RunOf(&recorder);
  const sluice_sink sink = SinkInto(&recorder);
  sluice_backup_request request{};
  request.struct_size = sizeof(request);
  sluice_error error = EmptyError();
  const sluice_source* source = Make("abc");
  EXPECT_EQ(source->backup(source->self, &run, &request, &sink, &error),
            SLUICE_CANCELLED);
  source->destroy(source->self);
}

TEST(FactoryTest, AChainIsRestoredThroughItsTable) {
  Recorder full, increment;
  full.feed = {"ab", "c"};
  increment.feed = {"d"};
  const sluice_pair pair{Text("k"), Text("v")};
  const sluice_count count{Text("n"), 9};
  std::vector<sluice_payload> payloads;
  for (Recorder* recorder : {&full, &increment}) {
    payloads.push_back(sluice_payload{
        sizeof(sluice_payload), recorder, Text("B"), &pair, 1, &count, 1, 5,
        [](void* self, sluice_bytes* bytes, sluice_error*) {
          std::vector<std::string>& feed = Of(self).feed;
          if (feed.empty()) {
            *bytes = {};
            return sluice_code{SLUICE_OK};
          }
          Of(self).bytes = feed.front();
          feed.erase(feed.begin());
          *bytes = ToBytes(Of(self).bytes);
          return sluice_code{SLUICE_OK};
        }});
  }
  const sluice_payload* chain[] = {&payloads[0], &payloads[1]};
  Recorder recorder;
  const sluice_run run = RunOf(&recorder);
  const sluice_restore_request request{
      sizeof(request),
      2,
      &recorder,
      Text("S"),
      chain,
      [](void* self, sluice_bytes, sluice_bytes message) {
        Of(self).warning = std::string(ToView(message));
      }};
  sluice_error error = EmptyError();
  const sluice_source* source = Make("");
  EXPECT_EQ(source->restore(source->self, &run, &request, &error), SLUICE_OK);
  source->destroy(source->self);
  EXPECT_EQ(recorder.warning, "S|B:v:9:5:abc|B:v:9:5:d");
}

TEST(FactoryTest, DescribeTellsIdAndEmptiness) {
  sluice_source_info info{};
  info.struct_size = sizeof(info);
  sluice_error error = EmptyError();
  const sluice_source* source = Make("");
  ASSERT_EQ(source->describe(source->self, nullptr, &info, &error), SLUICE_OK);
  EXPECT_EQ(ToView(info.store_id), "store-1");
  EXPECT_EQ(info.empty, 1u);
  EXPECT_EQ(info.capabilities, uint32_t{SLUICE_SOURCE_INCREMENTS});
  source->destroy(source->self);
}

TEST(FactoryTest, AThrowingSourceIsAnErrorAndNoCrash) {
  sluice_source_info info{};
  info.struct_size = sizeof(info);
  sluice_error error = EmptyError();
  const sluice_source* source = Make("throw");
  EXPECT_EQ(source->describe(source->self, nullptr, &info, &error),
            SLUICE_INTERNAL);
  EXPECT_STREQ(error.message, "describe threw");
  source->destroy(source->self);
}

TEST(FactoryTest, ARefusedCreateKeepsItsWord) {
  const sluice_option option{Text("path"), Text("refused"), 0, 0};
  const void* object = nullptr;
  sluice_error error = EmptyError();
  EXPECT_EQ(kListSource.create(nullptr, &option, 1, &object, &error),
            SLUICE_INVALID_ARGUMENT);
  EXPECT_STREQ(error.word, "source_config_invalid");
  EXPECT_EQ(object, nullptr);
}

TEST(FactoryTest, ACommandPrintsThroughItsOutput) {
  Recorder recorder;
  const sluice_output output{sizeof(output), &recorder,
                             [](void* self, sluice_bytes bytes, sluice_error*) {
                               absl::StrAppend(&Of(self).bytes, "<",
                                               ToView(bytes), ">");
                               return sluice_code{SLUICE_OK};
                             }};
  const sluice_bytes arguments[] = {Text("a"), Text("b")};
  sluice_error error = EmptyError();
  EXPECT_EQ(kListSource.command(nullptr, nullptr, Text("show"), arguments, 2,
                                &output, &error),
            SLUICE_OK);
  EXPECT_EQ(recorder.bytes, "<show><a><b>");
}

// ---- a place in memory

using Objects = std::map<std::string, std::string>;

class MapWriter : public ObjectWriter {
 public:
  MapWriter(Objects* objects, absl::string_view name)
      : objects_(objects), name_(name) {}
  absl::Status Write(absl::string_view bytes) override {
    absl::StrAppend(&bytes_, bytes);
    return absl::OkStatus();
  }
  absl::Status Commit(CommitMode mode) override {
    if (mode == CommitMode::kIfAbsent && objects_->count(name_) > 0)
      return absl::AlreadyExistsError("taken");
    (*objects_)[name_] = bytes_;
    return absl::OkStatus();
  }
  absl::Status Abort() override { return absl::OkStatus(); }

 private:
  Objects* const objects_;
  const std::string name_;
  std::string bytes_;
};

class MapReader : public ObjectReader {
 public:
  explicit MapReader(std::string bytes) : bytes_(std::move(bytes)) {}
  absl::StatusOr<size_t> Read(absl::Span<char> buffer) override {
    const size_t size = bytes_.copy(buffer.data(), buffer.size());
    bytes_.erase(0, size);
    return size;
  }

 private:
  std::string bytes_;
};

class MapPlace : public Place {
 public:
  absl::StatusOr<PlaceInfo> Describe(const Run&, bool probe) override {
    PlaceInfo info;
    info.exists = true;
    info.conditional_commit = probe;
    info.max_object_bytes = 77;
    info.now = absl::FromUnixNanos(5);
    return info;
  }
  absl::Status Create(const Run&) override { return absl::OkStatus(); }
  absl::StatusOr<std::unique_ptr<ObjectWriter>> Begin(const Run&,
                                                      absl::string_view name,
                                                      uint64_t) override {
    return std::make_unique<MapWriter>(&objects_, name);
  }
  absl::StatusOr<std::unique_ptr<ObjectReader>> Open(const Run&,
                                                     absl::string_view name,
                                                     uint64_t offset) override {
    const auto found = objects_.find(std::string(name));
    if (found == objects_.end()) return absl::NotFoundError("none");
    return std::make_unique<MapReader>(found->second.substr(offset));
  }
  absl::StatusOr<ObjectInfo> Stat(const Run&, absl::string_view name) override {
    const auto found = objects_.find(std::string(name));
    if (found == objects_.end()) return absl::NotFoundError("none");
    return ObjectInfo{found->first, found->second.size(),
                      absl::FromUnixNanos(3), ""};
  }
  absl::Status List(const Run&, absl::string_view prefix,
                    const Callback& callback) override {
    for (const auto& [name, bytes] : objects_) {
      SLUICE_RETURN_IF_ERROR(
          callback({name, bytes.size(), absl::FromUnixNanos(3), ""}));
    }
    return absl::OkStatus();
  }
  absl::Status Delete(const Run&, absl::string_view name) override {
    return objects_.erase(std::string(name)) > 0 ? absl::OkStatus()
                                                 : absl::NotFoundError("none");
  }
  absl::Status ListUncommitted(const Run&, absl::string_view prefix,
                               const Callback& callback) override {
    return callback({"u", 0, absl::FromUnixNanos(4), "token"});
  }
  absl::Status AbortUncommitted(const Run&, absl::string_view upload) override {
    return upload == "token" ? absl::OkStatus() : absl::NotFoundError("none");
  }

 private:
  Objects objects_;
};

class PlaceTableTest : public testing::Test {
 protected:
  ~PlaceTableTest() override { place_->destroy(place_->self); }

  sluice_code Put(std::string_view name, std::string_view bytes,
                  uint32_t mode) {
    const sluice_writer* writer = nullptr;
    EXPECT_EQ(
        place_->begin(place_->self, nullptr, Text(name), 0, &writer, &error_),
        SLUICE_OK);
    EXPECT_EQ(writer->write(writer->self, Text(bytes), &error_), SLUICE_OK);
    const sluice_code code = writer->commit(writer->self, mode, &error_);
    writer->destroy(writer->self);
    return code;
  }

  const sluice_place* place_ = WrapPlace(std::make_unique<MapPlace>());
  sluice_error error_ = EmptyError();
};

TEST_F(PlaceTableTest, AnObjectIsWrittenReadListedAndDeleted) {
  EXPECT_EQ(Put("a", "hello", SLUICE_COMMIT_IF_ABSENT), SLUICE_OK);
  EXPECT_EQ(Put("a", "other", SLUICE_COMMIT_IF_ABSENT), SLUICE_ALREADY_EXISTS);
  EXPECT_EQ(Put("a", "other", 7), SLUICE_INVALID_ARGUMENT);
  EXPECT_EQ(Put("a", "other", SLUICE_COMMIT_REPLACE), SLUICE_OK);

  const sluice_reader* reader = nullptr;
  ASSERT_EQ(place_->open(place_->self, nullptr, Text("a"), 2, &reader, &error_),
            SLUICE_OK);
  char buffer[8];
  uint64_t size = 0;
  EXPECT_EQ(reader->read(reader->self, buffer, 8, &size, &error_), SLUICE_OK);
  EXPECT_EQ(std::string(buffer, size), "her");
  EXPECT_EQ(reader->read(reader->self, buffer, 8, &size, &error_), SLUICE_OK);
  EXPECT_EQ(size, 0u);
  reader->destroy(reader->self);

  sluice_object object{};
  object.struct_size = sizeof(object);
  EXPECT_EQ(place_->stat(place_->self, nullptr, Text("a"), &object, &error_),
            SLUICE_OK);
  EXPECT_EQ(object.size, 5u);
  EXPECT_EQ(object.modified_unix_nanos, 3);

  std::string listed;
  const sluice_object_list list{
      sizeof(list), &listed,
      [](void* self, const sluice_object* item, sluice_error* error) {
        absl::StrAppend(static_cast<std::string*>(self), ToView(item->name),
                        ToView(item->upload), ";");
        return ToView(item->name) == "u"
                   ? FillError(error, SLUICE_ABORTED, "", "enough", "", false)
                   : sluice_code{SLUICE_OK};
      }};
  EXPECT_EQ(place_->list(place_->self, nullptr, Text(""), &list, &error_),
            SLUICE_OK);
  EXPECT_EQ(
      place_->list_uncommitted(place_->self, nullptr, Text(""), &list, &error_),
      SLUICE_ABORTED);
  EXPECT_EQ(listed, "a;utoken;");
  EXPECT_EQ(
      place_->abort_uncommitted(place_->self, nullptr, Text("x"), &error_),
      SLUICE_NOT_FOUND);
  EXPECT_EQ(place_->remove(place_->self, nullptr, Text("a"), &error_),
            SLUICE_OK);
  EXPECT_EQ(place_->open(place_->self, nullptr, Text("a"), 0, &reader, &error_),
            SLUICE_NOT_FOUND);
}

TEST_F(PlaceTableTest, DescribeWritesOnlyWhatTheCallerHas) {
  sluice_place_info info{};
  info.struct_size = offsetof(sluice_place_info, now_unix_nanos);
  ASSERT_EQ(place_->describe(place_->self, nullptr, 1, &info, &error_),
            SLUICE_OK);
  EXPECT_EQ(info.capabilities,
            uint32_t{SLUICE_PLACE_EXISTS} | SLUICE_PLACE_CONDITIONAL_COMMIT);
  EXPECT_EQ(info.max_object_bytes, 77u);
  EXPECT_EQ(info.now_unix_nanos, 0);
}

}  // namespace
}  // namespace sluice::sdk
