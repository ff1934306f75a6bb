// Every way a plugin can be refused, one line each.

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "openssl/sha.h"
#include "sluice/base/error.h"
#include "sluice/base/mutex.h"
#include "sluice/base/thread.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/executor/backupable.h"
#include "sluice/executor/context.h"
#include "sluice/executor/payload.h"
#include "sluice/executor/testing/text_payload.h"
#include "sluice/plugins/host/plugin_file.h"
#include "sluice/plugins/host/plugin_host.h"

namespace sluice {
namespace {

constexpr int kCannot = 77;

std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

std::string Animal(absl::string_view name) {
  return Read(absl::StrCat(std::getenv("TEST_SRCDIR"), "/",
                           std::getenv("TEST_WORKSPACE"), "/tests/plugin_zoo/",
                           name, ".so"));
}

class NullSink : public PayloadSink {
 public:
  absl::Status Write(absl::string_view bytes) override {
    written += bytes.size();
    return absl::OkStatus();
  }
  absl::StatusOr<absl::Span<char>> Reserve() override {
    return absl::MakeSpan(chunk_);
  }
  absl::Status Commit(size_t) override { return absl::OkStatus(); }
  absl::Status AddPayloadIds(absl::Span<const absl::string_view>) override {
    return absl::OkStatus();
  }
  absl::Status SetMetadata(absl::string_view, absl::string_view) override {
    return absl::OkStatus();
  }
  void SetEstimate(uint64_t) override {}
  void AddWarning(absl::string_view, absl::string_view) override {}
  absl::Status End(const SourceCounts&) override { return absl::OkStatus(); }
  absl::Status Poll() const override { return absl::OkStatus(); }

  size_t written = 0;

 private:
  char chunk_[8] = {};
};

class PluginZooTest : public testing::Test {
 protected:
  PluginZooTest() {
    // The loader trusts no folder that others may write, such as /tmp itself.
    dir_ = absl::StrCat(testing::TempDir(), "/zoo-XXXXXX");
    EXPECT_NE(mkdtemp(dir_.data()), nullptr);
    mark_ = absl::StrCat(dir_, "/mark");
    setenv("ZOO_MARK", mark_.c_str(), 1);
  }

  // Puts `content` where the host looks for source "zoo".
  std::string Put(const std::string& content,
                  absl::string_view name = "sluice-source-zoo.so") {
    const std::string path = absl::StrCat(dir_, "/", name);
    unlink(path.c_str());
    std::ofstream(path, std::ios::binary) << content;
    EXPECT_EQ(chmod(path.c_str(), 0755), 0);
    return path;
  }

  PluginHostOptions Options() {
    PluginHostOptions options;
    options.plugin_dir = dir_;
    return options;
  }

  absl::Status LoadStatus(const std::string& content) {
    return PluginHost(Options()).Load(Put(content));
  }

  // The plugin is refused with plugin_unusable, a hint, the path, and `text`.
  void ExpectRefused(const absl::Status& status, absl::string_view text) {
    EXPECT_EQ(ErrorCodeOf(status), "plugin_unusable") << status;
    EXPECT_TRUE(absl::StrContains(status.message(), text)) << status;
    EXPECT_NE(HintOf(status), "") << status;
  }
  void ExpectAnimalRefused(absl::string_view animal, absl::string_view text) {
    const absl::Status status = LoadStatus(Animal(animal));
    ExpectRefused(status, text);
    EXPECT_TRUE(absl::StrContains(status.message(), "sluice-source-zoo.so"));
  }

  bool ConstructorRan() const { return access(mark_.c_str(), F_OK) == 0; }

  absl::StatusOr<std::shared_ptr<Backupable>> Source(absl::string_view animal,
                                                     absl::string_view uri) {
    Put(Animal(animal));
    return PluginHost(Options()).CreateSource(uri);
  }

  std::string dir_;
  std::string mark_;
};

// ---- the control

TEST_F(PluginZooTest, AWholePluginIsFoundLoadedAndRun) {
  const auto source = Source("whole", "zoo:");
  ASSERT_TRUE(source.ok()) << source.status();
  NullSink sink;
  EXPECT_TRUE((*source)->Backup(Context::Background(), nullptr, sink).ok());
  EXPECT_EQ(sink.written, 3u);
}

TEST_F(PluginZooTest, TheConstructorOfAnAcceptedPluginDoesRun) {
  EXPECT_TRUE(LoadStatus(Animal("constructor")).ok());
  EXPECT_TRUE(ConstructorRan());
}

// ---- the tables

TEST_F(PluginZooTest, NoSymbol) {
  ExpectAnimalRefused("no_symbol", "does not export sluice_plugin");
}
TEST_F(PluginZooTest, TheSymbolIsAFunction) {
  ExpectAnimalRefused("symbol_is_function", "is not a plugin's entry");
}
TEST_F(PluginZooTest, TheSymbolIsTooSmall) {
  ExpectAnimalRefused("symbol_too_small", "is not a plugin's entry");
}
TEST_F(PluginZooTest, AnotherMajor) {
  ExpectAnimalRefused("other_major", "speaks plugin ABI 2.");
}
TEST_F(PluginZooTest, TheEntryIsTooSmall) {
  ExpectAnimalRefused("entry_too_small", "entry is smaller");
}
TEST_F(PluginZooTest, TheEntryIsSmallerThanItSays) {
  ExpectAnimalRefused("entry_lies", "larger than it is in the file");
}
TEST_F(PluginZooTest, NoFactories) {
  ExpectAnimalRefused("no_factories", "lists no factory");
}
TEST_F(PluginZooTest, ANullListOfFactories) {
  ExpectAnimalRefused("null_factories", "lists no factory");
}
TEST_F(PluginZooTest, TooManyFactories) {
  ExpectAnimalRefused("too_many_factories", "lists 4294967295 factories");
}
TEST_F(PluginZooTest, ANullFactory) {
  ExpectAnimalRefused("null_factory", "factory 1 is null");
}
TEST_F(PluginZooTest, AFactoryTooSmall) {
  ExpectAnimalRefused("factory_too_small", "factory is smaller");
}
TEST_F(PluginZooTest, ABadKind) {
  ExpectAnimalRefused("bad_kind", "kind is not a lower-case word");
}
TEST_F(PluginZooTest, ANullCreate) {
  ExpectAnimalRefused("null_create", "factory lacks a function");
}
TEST_F(PluginZooTest, BadOptions) {
  ExpectAnimalRefused("bad_options", "table of options is malformed");
}
TEST_F(PluginZooTest, OnlyAnUnknownRole) {
  ExpectAnimalRefused("unknown_role", "no factory of a role that is known");
}
TEST_F(PluginZooTest, ARoleAndKindTwice) {
  ExpectAnimalRefused("twice", "two factories for source zoo");
}
TEST_F(PluginZooTest, ANullSource) {
  ExpectRefused(Source("null_source", "zoo:").status(), "gave no source");
}
TEST_F(PluginZooTest, ASourceTooSmall) {
  ExpectRefused(Source("source_too_small", "zoo:").status(),
                "source is smaller");
}
TEST_F(PluginZooTest, ANullFunction) {
  ExpectRefused(Source("null_function", "zoo:").status(),
                "source lacks a function");
}

// ---- odd, but taken

TEST_F(PluginZooTest, ANewerMinorIsTaken) {
  EXPECT_TRUE(LoadStatus(Animal("newer_minor")).ok());
}
TEST_F(PluginZooTest, ALargerEntryIsTaken) {
  EXPECT_TRUE(LoadStatus(Animal("larger_entry")).ok());
}
TEST_F(PluginZooTest, AnUnknownRoleBesideAKnownOneIsPassedOver) {
  EXPECT_TRUE(Source("unknown_role_beside", "zoo:").ok());
}

// ---- the file; nothing of it may run

TEST_F(PluginZooTest, AFileThatOthersMayWrite) {
  for (const mode_t mode : {0775, 0757, 0777}) {
    const std::string path = Put(Animal("constructor"));
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
    ExpectRefused(PluginHost(Options()).Load(path), "others than its owner");
  }
  EXPECT_FALSE(ConstructorRan());
}

TEST_F(PluginZooTest, AFolderThatOthersMayWrite) {
  const std::string path = Put(Animal("constructor"));
  for (const mode_t mode : {0770, 0707}) {
    ASSERT_EQ(chmod(dir_.c_str(), mode), 0);
    ExpectRefused(PluginHost(Options()).Load(path),
                  "others may write the folder");
  }
  EXPECT_FALSE(ConstructorRan());
}

TEST_F(PluginZooTest, ALinkToAFileInAFolderThatOthersMayWrite) {
  const std::string open = absl::StrCat(dir_, "/open");
  ASSERT_EQ(mkdir(open.c_str(), 0700), 0);
  const std::string target = Put(Animal("constructor"), "open/real.so");
  const std::string link = absl::StrCat(dir_, "/sluice-source-zoo.so");
  ASSERT_EQ(symlink(target.c_str(), link.c_str()), 0);
  ASSERT_EQ(chmod(open.c_str(), 0777), 0);
  ExpectRefused(PluginHost(Options()).Load(link),
                "others may write the folder");
  EXPECT_FALSE(ConstructorRan());
  ASSERT_EQ(chmod(open.c_str(), 0700), 0);
  EXPECT_TRUE(PluginHost(Options()).Load(link).ok());
}

TEST_F(PluginZooTest, AFileOfAnotherUser) {
  const std::string path = Put(Animal("constructor"));
  if (geteuid() == 0) {
    ASSERT_EQ(chown(path.c_str(), 12345, 12345), 0);
    ExpectRefused(PluginHost(Options()).Load(path), "belongs to user 12345");
  } else {  // seen with another's eyes, our own file is another's
    ExpectRefused(PluginFile::Open(path)->CheckOwner(geteuid() + 1),
                  "belongs to user");
  }
  EXPECT_FALSE(ConstructorRan());
}

TEST_F(PluginZooTest, AFolderOfAnotherUser) {
  const std::string path = Put(Animal("constructor"));
  if (geteuid() == 0) {
    ASSERT_EQ(chown(dir_.c_str(), 12345, 12345), 0);
    ExpectRefused(PluginHost(Options()).Load(path),
                  "others may write the folder");
    ASSERT_EQ(chown(dir_.c_str(), 0, 0), 0);
  } else {
    ExpectRefused(PluginFile::Open(path)->CheckFolder(geteuid() + 1),
                  "others may write the folder");
  }
  EXPECT_FALSE(ConstructorRan());
}

TEST_F(PluginZooTest, AnotherContentThanWasPinned) {
  const std::string content = Animal("constructor");
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const uint8_t*>(content.data()), content.size(),
         digest);
  const std::string pin = absl::AsciiStrToUpper(absl::BytesToHexString(
      absl::string_view(reinterpret_cast<char*>(digest), sizeof(digest))));
  PluginHostOptions options = Options();
  options.pins["sluice-source-zoo.so"] = pin;
  // One byte in the padding of the file's end: it would load as well.
  ExpectRefused(PluginHost(options).Load(Put(content + "x")), "pinned is");
  EXPECT_FALSE(ConstructorRan());
  EXPECT_TRUE(PluginHost(options).Load(Put(content)).ok());
  EXPECT_TRUE(ConstructorRan());
}

TEST_F(PluginZooTest, WhatWasCheckedIsWhatIsLoaded) {
  const std::string path = Put(Animal("whole"));
  absl::StatusOr<PluginFile> file = PluginFile::Open(path);
  ASSERT_TRUE(file.ok());
  Put(Animal("constructor"));  // another file takes the name in between
  EXPECT_TRUE(file->Load().ok());
  EXPECT_FALSE(ConstructorRan());
}

TEST_F(PluginZooTest, ARelativePath) {
  ExpectRefused(PluginHost(Options()).Load("sluice-source-zoo.so"),
                "not absolute");
}
TEST_F(PluginZooTest, NoFile) {
  const absl::Status status =
      PluginHost(Options()).Load(absl::StrCat(dir_, "/none.so"));
  ExpectRefused(status, "No such file");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
}
TEST_F(PluginZooTest, AFolder) {
  ExpectRefused(PluginHost(Options()).Load(dir_), "not a regular file");
}
TEST_F(PluginZooTest, AFifoHoldsNobody) {
  const std::string path = absl::StrCat(dir_, "/fifo.so");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  ExpectRefused(PluginHost(Options()).Load(path), "not a regular file");
}
TEST_F(PluginZooTest, NoElf) {
  ExpectRefused(LoadStatus("#!/bin/sh\necho hello\n"),
                "not a shared object for this machine");
  ExpectRefused(LoadStatus(""), "not a shared object for this machine");
}
TEST_F(PluginZooTest, OfAnotherMachine) {
  std::string content = Animal("whole");
  content[18] = '\x08';  // e_machine: MIPS
  content[19] = '\0';
  ExpectRefused(LoadStatus(content), "not a shared object for this machine");
}
TEST_F(PluginZooTest, AnExecutableIsNoPlugin) {
  std::string content = Animal("whole");
  content[16] = '\x02';  // e_type: ET_EXEC
  ExpectRefused(LoadStatus(content), "not a shared object for this machine");
}
// A copy that is under way, or that a full disk ended: at any length an error,
// where a map beyond the end of the file would be SIGBUS.
TEST_F(PluginZooTest, CutOffAnywhere) {
  const std::string whole = Animal("whole");
  const absl::Status none = LoadStatus(whole.substr(0, 63));
  ExpectRefused(none, "not a shared object for this machine");
  int refused = 0;
  for (size_t size = 64; size < whole.size(); size += 127) {
    const absl::Status status = LoadStatus(whole.substr(0, size));
    // Section headers and symbols for debuggers lie at the end; a plugin runs
    // without them.
    if (status.ok()) break;
    ExpectRefused(status, "it is truncated");
    ++refused;
  }
  EXPECT_GT(refused, 8);
}
TEST_F(PluginZooTest, ProgramHeadersThatLieBeyondItsEnd) {
  for (const size_t at : {32, 56}) {  // e_phoff, e_phnum
    std::string content = Animal("whole");
    content.replace(at, 2, "\xff\xfe");
    ExpectRefused(LoadStatus(content), "it is truncated");
  }
  std::string content = Animal("whole");
  content.replace(56, 2, std::string(2, '\0'));
  ExpectRefused(LoadStatus(content), "it is truncated");
}
// A PID namespace that sees another's /proc: there our number is another
// process, with other files behind the same descriptor.
TEST_F(PluginZooTest, ANameThatLeadsToAnotherFileIsNotLoaded) {
  const absl::StatusOr<PluginFile> file =
      PluginFile::Open(Put(Animal("whole")));
  ASSERT_TRUE(file.ok()) << file.status();
  const std::string other = Put(Animal("constructor"), "other.so");
  ExpectRefused(file->CheckName(other), "is another file");
  ExpectRefused(file->CheckName(absl::StrCat(dir_, "/proc/self/fd/3")),
                "No such file");
}
TEST_F(PluginZooTest, LoadsInAPidNamespaceThatSeesAnothersProc) {
  const std::string path = Put(Animal("whole"));
  const pid_t child = fork();
  if (child == 0) {
    if (unshare(CLONE_NEWPID) != 0) _exit(kCannot);
    const pid_t first = fork();  // the first process of the new namespace
    if (first == 0) _exit(PluginHost(Options()).Load(path).ok() ? 0 : 1);
    int status = 0;
    waitpid(first, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 2);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kCannot) GTEST_SKIP() << "no PID namespaces here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}
TEST_F(PluginZooTest, ALibraryThatItNeedsIsMissing) {
  std::string content = Animal("whole");
  const size_t at = content.find(std::string("libc.so.6\0", 10));
  ASSERT_NE(at, std::string::npos);
  content.replace(at, 9, "libq.so.6");
  const absl::Status status = LoadStatus(content);
  ExpectRefused(status, "libq.so.6");
  EXPECT_FALSE(absl::StrContains(status.message(), "/proc/")) << status;
}
TEST_F(PluginZooTest, AFunctionThatItNeedsIsMissing) {
  ExpectAnimalRefused("missing_function", "nobody_has_this");
}
TEST_F(PluginZooTest, AFileNamedForAKindThatItDoesNotHave) {
  Put(Animal("whole"), "sluice-source-other.so");
  ExpectRefused(PluginHost(Options()).CreateSource("other:").status(),
                "has no source other");
}
TEST_F(PluginZooTest, AnotherPluginForTheSameKind) {
  PluginHost host(Options());
  ASSERT_TRUE(host.Load(Put(Animal("whole"))).ok());
  ExpectRefused(host.Load(Put(Animal("newer_minor"), "other.so")),
                "another plugin for source zoo");
}
TEST_F(PluginZooTest, TheSameFileTwiceIsFine) {
  PluginHost host(Options());
  const std::string path = Put(Animal("whole"));
  EXPECT_TRUE(host.Load(path).ok());
  EXPECT_TRUE(host.Load(path).ok());
}
TEST_F(PluginZooTest, AKindNamesThePluginThatIsNearest) {
  Put(Animal("whole"));
  EXPECT_EQ(HintOf(PluginHost(Options()).CreateSource("zooo:").status()),
            "did you mean \"zoo\"?");
}

// ---- what a loaded plugin may do wrong

TEST_F(PluginZooTest, ExceptionsThatEscapeAreErrors) {
  const auto source = Source("throws", "zoo:");
  ASSERT_TRUE(source.ok()) << source.status();
  NullSink sink;
  const absl::Status backup =
      (*source)->Backup(Context::Background(), nullptr, sink);
  EXPECT_EQ(backup.code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(absl::StrContains(backup.message(), "escaped")) << backup;
  EXPECT_EQ((*source)->Describe(Context::Background()).status().code(),
            absl::StatusCode::kInternal);
  EXPECT_EQ((*source)->Restore(Context::Background(), "s", {}, sink).code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(absl::StrContains(
      PluginHost(Options()).CreateSource("zoo:/x").status().message(),
      "escaped from create"));
}

TEST_F(PluginZooTest, AnUnknownCodeAndTextWithoutAnEnd) {
  const auto source = Source("unknown_code", "zoo:");
  ASSERT_TRUE(source.ok());
  const absl::Status status =
      (*source)->Describe(Context::Background()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnknown);
  EXPECT_TRUE(absl::StrContains(status.message(), "unknown code 1234"));
  EXPECT_EQ(HintOf(status).size(), 256u);
}

TEST_F(PluginZooTest, AStoreIdAtNoAddress) {
  const auto source = Source("null_store_id", "zoo:");
  ASSERT_TRUE(source.ok());
  EXPECT_EQ(ErrorCodeOf((*source)->Describe(Context::Background()).status()),
            "plugin_unusable");
}

TEST_F(PluginZooTest, BytesAtNoAddressAreNoSuccess) {
  const auto source = Source("null_write", "zoo:");
  ASSERT_TRUE(source.ok());
  NullSink sink;
  EXPECT_EQ(
      ErrorCodeOf((*source)->Backup(Context::Background(), nullptr, sink)),
      "plugin_unusable");
  EXPECT_EQ(sink.written, 0u);
}

// ---- a source that breaks the rules of its run and says that all is well

class MisuseTest : public PluginZooTest {
 protected:
  // A sink that holds its first write until the plugin logs a line.
  class HoldingSink final : public NullSink {
   public:
    absl::Status Write(absl::string_view bytes) override {
      MutexLock lock(mutex_);
      while (!let_go_) changed_.Wait(lock);
      return NullSink::Write(bytes);
    }
    void LetGo() {
      MutexLock lock(mutex_);
      let_go_ = true;
      changed_.NotifyAll();
    }

   private:
    Mutex mutex_;
    CondVar changed_;
    bool let_go_ ABSL_GUARDED_BY(mutex_) = false;
  };

  std::shared_ptr<Backupable> Misuser(const char* rule) {
    setenv("ZOO_MISUSE", rule, 1);
    Put(Animal("misuse"));
    PluginHostOptions options = Options();
    options.log = [this](int32_t, absl::string_view) { holding_.LetGo(); };
    host_ = std::make_unique<PluginHost>(options);
    auto source = host_->CreateSource("zoo:");
    EXPECT_TRUE(source.ok()) << source.status();
    return source.ok() ? *source : nullptr;
  }

  // Every misuse is an error, although the plugin returned OK.
  void ExpectBroken(const absl::Status& status, absl::string_view text) {
    EXPECT_EQ(ErrorCodeOf(status), "plugin_unusable") << status;
    EXPECT_TRUE(absl::StrContains(status.message(), text)) << status;
  }

  HoldingSink holding_;
  NullSink sink_;
  const Context context_ = Context::Background();
  std::unique_ptr<PluginHost> host_;
};

TEST_F(MisuseTest, TwoThreadsInTheSinkAtOnce) {
  ExpectBroken(Misuser("two threads")->Backup(context_, nullptr, holding_),
               "two threads called its sink at once");
}

TEST_F(MisuseTest, LengthsThatNoMemoryHas) {
  ExpectBroken(Misuser("impossible length")->Backup(context_, nullptr, sink_),
               "write() of an invalid buffer");
  EXPECT_EQ(sink_.written, 0u) << "nothing follows";
  ExpectBroken(Misuser("impossible counts")->Backup(context_, nullptr, sink_),
               "more than 1000 counts");
}

TEST_F(MisuseTest, ACallWhenTheRunIsOverTouchesNothing) {
  const auto source = Misuser("late call");
  EXPECT_TRUE(source->Backup(context_, nullptr, sink_).ok());
  const size_t written = sink_.written;
  EXPECT_EQ(source->Describe(context_).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(sink_.written, written);
}

TEST_F(MisuseTest, EndingTheThreadOfACallDoesNotEndTheProcess) {
  const auto source = Misuser("thread exit");
  bool returned = false;
  absl::StatusOr<Thread> thread = Thread::Start("source", [&] {
    source->Backup(context_, nullptr, sink_).IgnoreError();
    returned = true;
  });
  ASSERT_TRUE(thread.ok()) << thread.status();
  thread->Join();
  EXPECT_FALSE(returned);
}

TEST_F(MisuseTest, PayloadsOfAChainReadInAnotherOrder) {
  const auto source = Misuser("order");
  std::vector<RestorePayload> chain(2);
  for (RestorePayload& payload : chain)
    payload.reader = std::make_unique<TextPayload>("zoo");
  NullSink warnings;
  ExpectBroken(
      source->Restore(context_, "store", absl::MakeSpan(chain), warnings),
      "before the end of the one below");
  chain.resize(1);
  chain[0].reader = std::make_unique<TextPayload>("zoo");
  EXPECT_EQ(source->Restore(context_, "store", absl::MakeSpan(chain), warnings),
            absl::OkStatus());
}

TEST_F(PluginZooTest, APlaceThatLies) {
  Put(Animal("liar"), "sluice-place-zoo.so");
  const auto place = PluginHost(Options()).OpenPlace("zoo:");
  ASSERT_TRUE(place.ok()) << place.status();
  const Context context = Context::Background();
  ObjectStore& store = **place;
  EXPECT_TRUE(store.Describe(context, false)->exists);
  EXPECT_EQ(store.Create(context).code(), absl::StatusCode::kInternal);
  ExpectRefused(store.Begin(context, "none", 0).status(), "gave no writer");
  ExpectRefused(store.Begin(context, "small", 0).status(), "writer is smaller");
  ExpectRefused(store.Open(context, "none", 0).status(), "gave no reader");
  ExpectRefused(store.Open(context, "function", 0).status(),
                "reader lacks a function");
  char buffer[4];
  EXPECT_EQ(ErrorCodeOf((*store.Open(context, "more", 0))
                            ->Read(absl::MakeSpan(buffer))
                            .status()),
            "plugin_unusable");
  EXPECT_EQ(store.Stat(context, "a").status().code(),
            absl::StatusCode::kUnknown);
  int listed = 0;
  const auto count = [&](const ObjectInfo&) {
    ++listed;
    return absl::OkStatus();
  };
  // "../../etc/passwd": no object, so it is passed over.
  EXPECT_EQ(store.List(context, "", count), absl::OkStatus());
  EXPECT_EQ(ErrorCodeOf(store.ListUncommitted(context, "", count)),
            "plugin_unusable");
  EXPECT_EQ(listed, 0);
  EXPECT_EQ(ErrorCodeOf(store.Delete(context, "a")),
            "destination_permission_denied");
}

}  // namespace
}  // namespace sluice
