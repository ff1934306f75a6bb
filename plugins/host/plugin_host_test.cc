#include "sluice/plugins/host/plugin_host.h"

#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/sdk/factory.h"
#include "sluice/plugins/sdk/wrap.h"

namespace sluice {
namespace {

// ---- a plugin whose source does what its "path" says

class ScriptedSource : public sdk::Source {
 public:
  explicit ScriptedSource(std::string script) : script_(std::move(script)) {}

  absl::StatusOr<sdk::SourceInfo> Describe(const sdk::Run&) override {
    if (script_ == "bad_id") return sdk::SourceInfo{"../x", false, false};
    if (script_ == "gone") return absl::NotFoundError("no such store");
    return sdk::SourceInfo{"store-1", true, true};
  }

  absl::Status Backup(const sdk::Run& run, const sdk::BackupRequest& request,
                      sdk::Sink& sink) override {
    if (script_ == "throw") throw std::runtime_error("boom");
    if (script_ == "swallow") {
      (void)sink.Write("x");
      return absl::OkStatus();
    }
    if (script_ == "flatten")
      return absl::Status(sink.Write("x").code(), "a write failed");
    if (script_ == "poll")
      return run.cancelled() ? absl::CancelledError("seen") : absl::OkStatus();
    if (script_ == "reserve_twice") {
      SLUICE_RETURN_IF_ERROR(sink.Reserve().status());
      return sink.Reserve().status();
    }
    if (script_ == "commit_too_much") {
      SLUICE_ASSIGN_OR_RETURN(const absl::Span<char> chunk, sink.Reserve());
      return sink.Commit(chunk.size() + 1);
    }
    if (script_ == "fail") return absl::DataLossError("torn");
    if (script_ == "index") return WithIndex(request, sink);
    SLUICE_RETURN_IF_ERROR(sink.Write("abc"));
    SLUICE_ASSIGN_OR_RETURN(const absl::Span<char> chunk, sink.Reserve());
    chunk[0] = 'd';
    SLUICE_RETURN_IF_ERROR(sink.Commit(1));
    SLUICE_RETURN_IF_ERROR(sink.SetMetadata("base", request.base_backup_id));
    SLUICE_RETURN_IF_ERROR(sink.AddPayloadIds({"id"}));
    sink.SetEstimate(4);
    sink.AddWarning("left_out", "one");
    return sink.End({{"bytes", 4}});
  }

  absl::Status Restore(const sdk::Run&, sdk::RestoreRequest& request) override {
    if (script_ == "early") return absl::OkStatus();
    for (sdk::Payload* payload : request.payloads()) {
      absl::StatusOr<absl::string_view> bytes = payload->Next();
      for (; bytes.ok() && !bytes->empty(); bytes = payload->Next())
        restored += std::string(*bytes);
      SLUICE_RETURN_IF_ERROR(bytes.status());
      restored += payload->metadata().at("m");
    }
    request.AddWarning("restored", restored);
    return absl::OkStatus();
  }

 private:
  // What the base's indexes hold, or that one of them cannot be read.
  static absl::Status WithIndex(const sdk::BackupRequest& request,
                                sdk::Sink& sink) {
    std::string seen;
    for (sdk::Payload* index : request.base_indexes) {
      absl::StrAppend(&seen, index->size(), "/", index->metadata().at("m"),
                      ":");
      absl::StatusOr<absl::string_view> bytes = index->Next();
      for (; bytes.ok() && !bytes->empty(); bytes = index->Next())
        absl::StrAppend(&seen, *bytes);
      absl::StrAppend(&seen, bytes.ok() ? "." : "!");
    }
    SLUICE_RETURN_IF_ERROR(sink.SetMetadata("seen", seen));
    if (sink.keeps_index()) SLUICE_RETURN_IF_ERROR(sink.WriteIndex("index"));
    return sink.End({{"bytes", 1}});
  }

  const std::string script_;
  std::string restored;
};

absl::StatusOr<std::unique_ptr<sdk::Source>> CreateScripted(
    const sdk::Host& host, const sdk::Options& options) {
  host.Log(sdk::LogLevel::kInfo, "created");
  if (options.Get("path") == "refused")
    return absl::InvalidArgumentError("not this one");
  return std::make_unique<ScriptedSource>(options.Get("path"));
}

absl::Status Echo(const sdk::Host&, const sdk::Run&, absl::string_view name,
                  absl::Span<const std::string> arguments,
                  sdk::Output& output) {
  SLUICE_RETURN_IF_ERROR(output.Write(name));
  for (const std::string& argument : arguments)
    SLUICE_RETURN_IF_ERROR(output.Write(absl::StrCat(" ", argument)));
  return absl::OkStatus();
}

constexpr sluice_option_spec kOptions[] = {
    sdk::Option("path", SLUICE_OPTION_STRING, 0, "", "script")};
constinit const sluice_factory kScripted =
    sdk::SourceFactory<&CreateScripted, &Echo>("scripted", "A script.",
                                               kOptions);
constexpr const sluice_factory* kFactories[] = {&kScripted};
constexpr sluice_plugin_entry kPlugin =
    sdk::PluginEntry("scripted", "1.2", "MIT", kFactories);
constexpr sluice_plugin_entry kRival =
    sdk::PluginEntry("rival", "1.0", "MIT", kFactories);

// ---- the executor's side

class RecordingSink : public PayloadSink {
 public:
  absl::Status Write(absl::string_view data) override {
    if (!refuse.ok()) return refuse;
    absl::StrAppend(&bytes, data);
    return absl::OkStatus();
  }
  absl::StatusOr<absl::Span<char>> Reserve() override {
    return absl::MakeSpan(chunk_);
  }
  absl::Status Commit(size_t size) override {
    bytes.append(chunk_, size);
    return absl::OkStatus();
  }
  absl::Status AddPayloadIds(absl::Span<const absl::string_view> ids) override {
    for (const absl::string_view id : ids) absl::StrAppend(&payload_ids, id);
    return absl::OkStatus();
  }
  absl::Status SetMetadata(absl::string_view key,
                           absl::string_view value) override {
    metadata[std::string(key)] = std::string(value);
    return absl::OkStatus();
  }
  void SetEstimate(uint64_t value) override { estimate = value; }
  void AddWarning(absl::string_view code, absl::string_view message) override {
    warning = absl::StrCat(code, ":", message);
  }
  absl::Status End(const SourceCounts& given) override {
    counts = given;
    return absl::OkStatus();
  }
  absl::Status Poll() const override { return absl::OkStatus(); }

  bool keeps_index() const override { return keeps; }
  absl::Status WriteIndex(absl::string_view data) override {
    absl::StrAppend(&index, data);
    return absl::OkStatus();
  }

  bool keeps = false;
  std::string index;
  absl::Status refuse;
  std::string bytes, payload_ids, warning;
  EngineMetadata metadata;
  SourceCounts counts;
  uint64_t estimate = 0;

 private:
  char chunk_[8] = {};
};

class ListReader : public PayloadReader {
 public:
  explicit ListReader(std::vector<std::string> views)
      : views_(std::move(views)) {}
  absl::StatusOr<absl::string_view> Next() override {
    if (!fail.ok()) return fail;
    if (next_ == views_.size()) return absl::string_view();
    ++held_;
    EXPECT_LE(held_, 1) << "a view was not given back";
    return absl::string_view(views_[next_++]);
  }
  void Release() override { --held_; }
  size_t max_views() const override { return 2; }
  const PayloadTrailer& trailer() const override { return trailer_; }
  absl::Status ForEachPayloadId(
      const std::function<absl::Status(absl::string_view)>&) const override {
    return absl::OkStatus();
  }

  absl::Status fail;

 private:
  const std::vector<std::string> views_;
  const PayloadTrailer trailer_;
  size_t next_ = 0;
  int held_ = 0;
};

class PluginHostTest : public testing::Test {
 protected:
  PluginHostTest()
      : host_([&] {
          PluginHostOptions options;
          options.plugin_dir = testing::TempDir() + "/no-plugins-here";
          options.log = [this](int32_t level, absl::string_view line) {
            absl::StrAppend(&log_, level, " ", line, "\n");
          };
          return options;
        }()) {
    EXPECT_TRUE(host_.RegisterStatic(&kPlugin).ok());
  }

  std::shared_ptr<Backupable> Source(absl::string_view script) {
    absl::StatusOr<std::shared_ptr<Backupable>> source =
        host_.CreateSource(absl::StrCat("scripted:", script));
    EXPECT_TRUE(source.ok()) << source.status();
    return *std::move(source);
  }

  absl::Status Backup(absl::string_view script) {
    return Source(script)->Backup(Context::Background(), nullptr, sink_);
  }

  std::vector<RestorePayload> Chain(std::vector<std::string> first,
                                    std::vector<std::string> second) {
    std::vector<RestorePayload> chain(2);
    chain[0].reader = std::make_unique<ListReader>(std::move(first));
    chain[1].reader = std::make_unique<ListReader>(std::move(second));
    (*chain[0].manifest.mutable_engine_metadata())["m"] = "|";
    (*chain[1].manifest.mutable_engine_metadata())["m"] = ".";
    return chain;
  }

  std::string log_;
  PluginHost host_;
  RecordingSink sink_;
};

TEST_F(PluginHostTest, BacksUpThroughATableThatIsLinkedIn) {
  BackupBase base;
  base.manifest.set_backup_id("B0");
  const std::shared_ptr<Backupable> source = Source("ok");
  EXPECT_EQ(source->store_kind(), "scripted");
  ASSERT_TRUE(source->Backup(Context::Background(), &base, sink_).ok());
  EXPECT_EQ(sink_.bytes, "abcd");
  EXPECT_EQ(sink_.payload_ids, "id");
  EXPECT_EQ(sink_.warning, "left_out:one");
  EXPECT_EQ(sink_.estimate, 4u);
  EXPECT_EQ(sink_.metadata, (EngineMetadata{{"base", "B0"}}));
  EXPECT_EQ(sink_.counts, (SourceCounts{{"bytes", 4}}));
  EXPECT_EQ(log_, "1 created\n");
}

TEST_F(PluginHostTest, AnIndexGoesOutAndComesBackWithItsChain) {
  sink_.keeps = true;
  BackupBase base;
  base.manifest.set_backup_id("B1");
  base.indexes = Chain({"a", "b"}, {"c"});
  base.indexes[0].manifest.set_index_size_bytes(2);
  base.indexes[1].manifest.set_index_size_bytes(1);
  const std::shared_ptr<Backupable> source = Source("index");
  ASSERT_TRUE(source->Backup(Context::Background(), &base, sink_).ok());
  EXPECT_EQ(sink_.index, "index");
  EXPECT_EQ(sink_.metadata["seen"], "2/|:ab.1/.:c.");
}

TEST_F(PluginHostTest, AnIndexThatCannotBeReadIsNotTheRunsError) {
  BackupBase base;
  base.manifest.set_backup_id("B1");
  base.indexes = Chain({"a"}, {"b"});
  static_cast<ListReader*>(base.indexes[1].reader.get())->fail =
      MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged, "hash");
  const std::shared_ptr<Backupable> source = Source("index");
  const absl::Status status =
      source->Backup(Context::Background(), &base, sink_);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(sink_.metadata["seen"], "0/|:a.0/.:!");
  EXPECT_EQ(sink_.index, "") << "a sink that keeps none was given one";
}

TEST_F(PluginHostTest, RestoresAChainAndGivesEachViewBack) {
  std::vector<RestorePayload> chain = Chain({"a", "b"}, {"c"});
  ASSERT_TRUE(
      Source("ok")
          ->Restore(Context::Background(), "s", absl::MakeSpan(chain), sink_)
          .ok());
  EXPECT_EQ(sink_.warning, "restored:ab|c.");
}

TEST_F(PluginHostTest, AnErrorOfTheArchiveComesOutAsItWentIn) {
  std::vector<RestorePayload> chain = Chain({"a"}, {"b"});
  static_cast<ListReader*>(chain[1].reader.get())->fail =
      MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged, "hash");
  const absl::Status status = Source("ok")->Restore(
      Context::Background(), "s", absl::MakeSpan(chain), sink_);
  EXPECT_EQ(ErrorCodeOf(status), "archive_damaged");
  EXPECT_EQ(status.message(), "hash");
}

TEST_F(PluginHostTest, ARestoreThatDidNotReadToTheEndIsNoSuccess) {
  std::vector<RestorePayload> chain = Chain({"a"}, {"b"});
  EXPECT_EQ(ErrorCodeOf(Source("early")->Restore(Context::Background(), "s",
                                                 absl::MakeSpan(chain), sink_)),
            "source_incomplete");
}

TEST_F(PluginHostTest, AnErrorOfTheSinkComesOutAsItWentIn) {
  sink_.refuse = MakeError(absl::StatusCode::kResourceExhausted,
                           kDestinationNoSpace, "full");
  EXPECT_EQ(ErrorCodeOf(Backup("ok")), "destination_no_space");
  EXPECT_EQ(ErrorCodeOf(Backup("swallow")), "destination_no_space");
  EXPECT_EQ(ErrorCodeOf(Backup("flatten")), "destination_no_space");
}

TEST_F(PluginHostTest, AThrowingPluginIsAnError) {
  const absl::Status status = Backup("throw");
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_NE(status.message().find("boom"), std::string::npos);
}

TEST_F(PluginHostTest, ErrorsWithoutAWordGetOneThatNamesTheSource) {
  EXPECT_EQ(ErrorCodeOf(Backup("fail")), "source_failed");
  EXPECT_EQ(
      ErrorCodeOf(Source("gone")->Describe(Context::Background()).status()),
      "source_unavailable");
  EXPECT_EQ(ErrorCodeOf(host_.CreateSource("scripted:refused").status()),
            "source_config_invalid");
}

TEST_F(PluginHostTest, BrokenRulesOfTheSinkAreNoticed) {
  EXPECT_EQ(ErrorCodeOf(Backup("reserve_twice")), "plugin_unusable");
  EXPECT_EQ(ErrorCodeOf(Backup("commit_too_much")), "plugin_unusable");
  EXPECT_EQ(sink_.bytes, "");
}

TEST_F(PluginHostTest, AStoreIdIsCheckedBeforeItBecomesAPath) {
  EXPECT_EQ(
      ErrorCodeOf(Source("bad_id")->Describe(Context::Background()).status()),
      "plugin_unusable");
  const absl::StatusOr<StoreInfo> info =
      Source("ok")->Describe(Context::Background());
  EXPECT_EQ(info->store_id, "store-1");
  EXPECT_TRUE(info->empty);
  EXPECT_TRUE(info->increments);
}

TEST_F(PluginHostTest, TheCauseOfACancelIsTheRunsOwn) {
  auto [context, cancel] = Context::WithCancel(Context::Background());
  cancel(absl::DeadlineExceededError("late"));
  const absl::Status status = Source("poll")->Backup(context, nullptr, sink_);
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(status.message(), "late");
}

TEST_F(PluginHostTest, AnAbandonedSourceEndsItsPluginsRuns) {
  const std::shared_ptr<Backupable> abandoned = Source("ok");
  const std::shared_ptr<Backupable> other = Source("ok");
  abandoned->OnAbandoned();
  EXPECT_EQ(ErrorCodeOf(other->Backup(Context::Background(), nullptr, sink_)),
            "source_unresponsive");
  EXPECT_EQ(ErrorCodeOf(other->Describe(Context::Background()).status()),
            "source_unresponsive");
  EXPECT_EQ(ErrorCodeOf(host_.CreateSource("scripted:ok").status()),
            "source_unresponsive");
}

TEST_F(PluginHostTest, AnUnknownKindNamesItsNearest) {
  const absl::Status status = host_.CreateSource("scirpted:x").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ErrorCodeOf(status), "plugin_unusable");
  EXPECT_EQ(HintOf(status), "did you mean \"scripted\"?");
  EXPECT_FALSE(host_.OpenPlace("scripted:x").ok());
}

TEST_F(PluginHostTest, TheSameTableTwiceIsFineARivalIsNot) {
  EXPECT_TRUE(host_.RegisterStatic(&kPlugin).ok());
  EXPECT_EQ(ErrorCodeOf(host_.RegisterStatic(&kRival)), "plugin_unusable");
  EXPECT_FALSE(host_.RegisterStatic(nullptr).ok());
}

TEST_F(PluginHostTest, ListsWhatItHas) {
  const std::vector<FactoryInfo> infos = host_.factories();
  ASSERT_EQ(infos.size(), 1u);
  EXPECT_EQ(infos[0].role, "source");
  EXPECT_EQ(infos[0].kind, "scripted");
  EXPECT_EQ(infos[0].plugin_version, "1.2");
  EXPECT_EQ(infos[0].abi_version, "1.1");
  EXPECT_EQ(infos[0].options.size(), 1u);
  EXPECT_TRUE(infos[0].has_command);
  EXPECT_EQ(infos[0].path, "");
}

TEST_F(PluginHostTest, RunsAVerbOfThePluginsOwn) {
  std::string printed;
  ASSERT_TRUE(host_
                  .RunCommand(Context::Background(), "scripted", "inspect",
                              {"a", "b"},
                              [&](absl::string_view text) {
                                absl::StrAppend(&printed, text);
                                return absl::OkStatus();
                              })
                  .ok());
  EXPECT_EQ(printed, "inspect a b");
}

TEST_F(PluginHostTest, WhatItMadeOutlivesIt) {
  std::shared_ptr<Backupable> source;
  {
    PluginHost host({});
    ASSERT_TRUE(host.RegisterStatic(&kPlugin).ok());
    source = *host.CreateSource("scripted:ok");
  }
  EXPECT_TRUE(source->Backup(Context::Background(), nullptr, sink_).ok());
}

TEST_F(PluginHostTest, AdoptsAStoreThatTheProgramMadeItself) {
  PluginHost host({});
  auto source = host.AdoptSource(
      "scripted", sdk::WrapSource(std::make_unique<ScriptedSource>("")));
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ((*source)->store_kind(), "scripted");
  EXPECT_EQ((*source)->Describe(Context::Background())->store_id, "store-1");
}

TEST_F(PluginHostTest, RefusesToAdoptATableWithoutFunctions) {
  PluginHost host({});
  sluice_source broken = {};
  EXPECT_EQ(ErrorCodeOf(host.AdoptSource("x", &broken).status()),
            kPluginUnusable);
  EXPECT_EQ(ErrorCodeOf(host.AdoptPlace("x", nullptr).status()),
            kPluginUnusable);
}

}  // namespace
}  // namespace sluice
