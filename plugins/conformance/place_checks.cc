#include "sluice/plugins/conformance/place_checks.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/thread.h"
#include "sluice/executor/context.h"

namespace sluice {
namespace {

absl::Status Expect(absl::StatusCode wanted, const absl::Status& got,
                    absl::string_view what) {
  if (got.code() == wanted) return absl::OkStatus();
  return CheckFailed(absl::StrCat(what, ": wanted ",
                                  absl::StatusCodeToString(wanted), ", got ",
                                  got.ToString()));
}

// Bytes that differ at every offset, so that a piece out of place is seen.
std::string Pattern(size_t size, uint64_t seed) {
  std::string bytes(size, '\0');
  uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
  for (char& byte : bytes) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    byte = static_cast<char>(state >> 56);
  }
  return bytes;
}

// Calls `body` with 0 … `count` - 1, each on a thread of its own.
absl::Status AtOnce(int count, const std::function<void(int)>& body) {
  std::vector<Thread> threads;  // joined at the end
  for (int i = 0; i < count; ++i) {
    SLUICE_ASSIGN_OR_RETURN(Thread thread,
                            Thread::Start("check", [&body, i] { body(i); }));
    threads.push_back(std::move(thread));
  }
  return absl::OkStatus();
}

class PlaceChecks final : public CheckMemory {
 public:
  PlaceChecks(const OpenPlaceFunction& open, CheckRunner& runner)
      : open_(open), runner_(runner) {}

  void Run() {
    runner_.set_memory(this);
    RunChecks();
    runner_.set_memory(nullptr);
  }

  std::vector<std::string> Save() const override {
    return {info_.conditional_commit ? "1" : ""};
  }
  void Load(const std::vector<std::string>& saved) override {
    if (saved.size() == 1) info_.conditional_commit = !saved[0].empty();
  }
  void Lost() override {}

 private:
  // Opens the place first, in a process that has not.
  void Check(absl::string_view name, absl::Status (PlaceChecks::*check)()) {
    runner_.Run(name, [this, check]() -> absl::Status {
      if (store_ == nullptr) {
        SLUICE_ASSIGN_OR_RETURN(store_, open_());
      }
      return (this->*check)();
    });
  }

  void RunChecks() {
    if (!runner_.Run("place: opens and is created", [&] { return Create(); }))
      return;
    Check("place: says what it can, and its time", &PlaceChecks::Describes);
    Check("place: gives back what was written, of any size",
          &PlaceChecks::RoundTrips);
    Check("place: shows an object only after its commit",
          &PlaceChecks::HidesUncommitted);
    Check("place: lists and forgets what was never committed",
          &PlaceChecks::ListsUncommitted);
    Check("place: an aborted or dropped object leaves nothing",
          &PlaceChecks::AbortsCleanly);
    Check("place: another process can abort, and then no commit succeeds",
          &PlaceChecks::AbortsForOthers);
    Check("place: a taken name is not replaced unless asked",
          &PlaceChecks::CommitsIfAbsent);
    Check("place: of many conditional commits at once one wins",
          &PlaceChecks::OneOfManyWins);
    Check("place: lists by prefix, in byte order", &PlaceChecks::ListsInOrder);
    Check("place: a listing ends with its caller's error",
          &PlaceChecks::PassesCallersErrorOn);
    Check("place: reads from any offset", &PlaceChecks::ReadsFromOffset);
    Check("place: what is not there is NOT_FOUND",
          &PlaceChecks::MissesProperly);
    Check("place: refuses names that are none", &PlaceChecks::RefusesNames);
    Check("place: takes the longest name", &PlaceChecks::LongName);
    Check("place: writes nothing for a cancelled run",
          &PlaceChecks::HonoursCancel);
    Check("place: serves several threads at once", &PlaceChecks::ServesThreads);
    Check("place: can be emptied", &PlaceChecks::Empties);
  }

  absl::Status Create() {
    SLUICE_ASSIGN_OR_RETURN(store_, open_());
    SLUICE_RETURN_IF_ERROR(store_->Create(context_));
    SLUICE_RETURN_IF_ERROR(store_->Create(context_));  // again: no harm
    SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> names, Names(""));
    SLUICE_CHECK_THAT(names.empty(),
                      "the place must be empty before it is checked");
    return absl::OkStatus();
  }

  absl::Status Describes() {
    for (const bool probe : {false, true}) {
      SLUICE_ASSIGN_OR_RETURN(info_, store_->Describe(context_, probe));
      SLUICE_CHECK_THAT(info_.exists,
                        "it was created and says it is not there");
      SLUICE_CHECK_THAT(info_.now > absl::FromUnixSeconds(0),
                        "its clock tells no time");
    }
    SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> names, Names(""));
    SLUICE_CHECK_THAT(names.empty(), "the probe left objects behind");
    return NothingUncommitted();
  }

  absl::Status RoundTrips() {
    size_t seed = 0;
    for (const size_t size : {size_t{0}, size_t{1}, size_t{4096},
                              size_t{(1 << 20) + 1}, size_t{9 << 20}}) {
      const std::string bytes = Pattern(size, ++seed);
      const std::string name = absl::StrCat("round/", size);
      SLUICE_RETURN_IF_ERROR(Put(name, bytes, CommitMode::kIfAbsent));
      SLUICE_ASSIGN_OR_RETURN(const std::string back, Get(name, 0));
      SLUICE_CHECK_THAT(
          back == bytes,
          absl::StrCat("an object of ", size, " bytes came back different"));
      SLUICE_ASSIGN_OR_RETURN(const ObjectInfo info,
                              store_->Stat(context_, name));
      SLUICE_CHECK_THAT(info.size == size, "stat tells another size");
      SLUICE_ASSIGN_OR_RETURN(const PlaceInfo now,
                              store_->Describe(context_, false));
      SLUICE_CHECK_THAT(
          absl::AbsDuration(now.now - info.modified) < absl::Minutes(10),
          "a new object's time is not by the place's own clock");
    }
    return absl::OkStatus();
  }

  absl::Status HidesUncommitted() {
    SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<ObjectWriter> writer,
                            store_->Begin(context_, "hidden/a", 10));
    SLUICE_RETURN_IF_ERROR(writer->Write("0123456789"));
    SLUICE_RETURN_IF_ERROR(Expect(absl::StatusCode::kNotFound,
                                  store_->Stat(context_, "hidden/a").status(),
                                  "stat before commit"));
    SLUICE_RETURN_IF_ERROR(Expect(
        absl::StatusCode::kNotFound,
        store_->Open(context_, "hidden/a", 0).status(), "open before commit"));
    SLUICE_ASSIGN_OR_RETURN(std::vector<std::string> names, Names("hidden/"));
    SLUICE_CHECK_THAT(names.empty(), "it is listed before its commit");
    SLUICE_RETURN_IF_ERROR(writer->Commit(CommitMode::kIfAbsent));
    SLUICE_ASSIGN_OR_RETURN(names, Names("hidden/"));
    SLUICE_CHECK_THAT(names.size() == 1, "it is not listed after its commit");
    writer.reset();
    SLUICE_RETURN_IF_ERROR(store_->Stat(context_, "hidden/a").status());
    return NothingUncommitted();
  }

  absl::Status ListsUncommitted() {
    SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<ObjectWriter> writer,
                            store_->Begin(context_, "open/a", 0));
    SLUICE_RETURN_IF_ERROR(writer->Write("x"));
    SLUICE_ASSIGN_OR_RETURN(std::vector<ObjectInfo> open, Uncommitted("open/"));
    SLUICE_CHECK_THAT(open.size() == 1 && open[0].name == "open/a",
                      "an open object is not listed as uncommitted");
    SLUICE_CHECK_THAT(!open[0].upload.empty(), "it has no token");
    SLUICE_ASSIGN_OR_RETURN(open, Uncommitted("other/"));
    SLUICE_CHECK_THAT(open.empty(), "listed under a foreign prefix");
    SLUICE_RETURN_IF_ERROR(writer->Abort());
    writer.reset();
    return NothingUncommitted();
  }

  absl::Status AbortsCleanly() {
    SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<ObjectWriter> writer,
                            store_->Begin(context_, "dropped/a", 0));
    SLUICE_RETURN_IF_ERROR(writer->Write("x"));
    writer.reset();  // never committed, never aborted
    SLUICE_RETURN_IF_ERROR(NothingUncommitted());
    SLUICE_ASSIGN_OR_RETURN(writer, store_->Begin(context_, "dropped/b", 0));
    SLUICE_RETURN_IF_ERROR(writer->Abort());
    // By itself: destroy() would only hide that it did nothing.
    SLUICE_RETURN_IF_ERROR(NothingUncommitted());
    writer.reset();
    SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                            Names("dropped/"));
    SLUICE_CHECK_THAT(names.empty(), "an aborted object is listed");
    return NothingUncommitted();
  }

  absl::Status AbortsForOthers() {
    SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<ObjectStore> other, open_());
    SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<ObjectWriter> writer,
                            store_->Begin(context_, "theirs/a", 0));
    SLUICE_RETURN_IF_ERROR(writer->Write("x"));
    std::vector<ObjectInfo> open;
    SLUICE_RETURN_IF_ERROR(other->ListUncommitted(context_, "theirs/",
                                                  [&](const ObjectInfo& info) {
                                                    open.push_back(info);
                                                    return absl::OkStatus();
                                                  }));
    SLUICE_CHECK_THAT(open.size() == 1,
                      "another opening of the place does not see it");
    SLUICE_RETURN_IF_ERROR(other->AbortUncommitted(context_, open[0].upload));
    SLUICE_CHECK_THAT(!writer->Commit(CommitMode::kIfAbsent).ok(),
                      "a commit succeeded after the object was aborted");
    writer.reset();
    SLUICE_RETURN_IF_ERROR(Expect(absl::StatusCode::kNotFound,
                                  store_->Stat(context_, "theirs/a").status(),
                                  "stat of an aborted object"));
    SLUICE_RETURN_IF_ERROR(
        Expect(absl::StatusCode::kNotFound,
               other->AbortUncommitted(context_, open[0].upload),
               "aborting it again"));
    return NothingUncommitted();
  }

  absl::Status CommitsIfAbsent() {
    SLUICE_RETURN_IF_ERROR(Put("taken/a", "first", CommitMode::kIfAbsent));
    SLUICE_RETURN_IF_ERROR(
        Expect(absl::StatusCode::kAlreadyExists,
               Put("taken/a", "second", CommitMode::kIfAbsent),
               "a second commit under the name"));
    SLUICE_ASSIGN_OR_RETURN(std::string bytes, Get("taken/a", 0));
    SLUICE_CHECK_THAT(bytes == "first", "the refused commit changed it");
    SLUICE_RETURN_IF_ERROR(
        Put("taken/a", "third, longer", CommitMode::kReplace));
    SLUICE_ASSIGN_OR_RETURN(bytes, Get("taken/a", 0));
    SLUICE_CHECK_THAT(bytes == "third, longer", "it was not replaced whole");
    SLUICE_RETURN_IF_ERROR(Put("taken/a", "4", CommitMode::kReplace));
    SLUICE_ASSIGN_OR_RETURN(bytes, Get("taken/a", 0));
    SLUICE_CHECK_THAT(bytes == "4", "it was not replaced whole");
    return NothingUncommitted();
  }

  absl::Status OneOfManyWins() {
    if (!info_.conditional_commit)
      return SkipCheck("the place says that it cannot");
    constexpr int kWriters = 8, kRounds = 10;
    for (int round = 0; round < kRounds; ++round) {
      const std::string name = absl::StrCat("race/", round);
      std::vector<std::unique_ptr<ObjectWriter>> writers;
      for (int i = 0; i < kWriters; ++i) {
        SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<ObjectWriter> writer,
                                store_->Begin(context_, name, 0));
        SLUICE_RETURN_IF_ERROR(writer->Write(absl::StrCat("writer ", i)));
        writers.push_back(std::move(writer));
      }
      std::vector<absl::Status> results(kWriters);
      SLUICE_RETURN_IF_ERROR(AtOnce(kWriters, [&](int i) {
        results[i] = writers[i]->Commit(CommitMode::kIfAbsent);
        writers[i].reset();
      }));
      int winner = -1;
      for (int i = 0; i < kWriters; ++i) {
        if (!results[i].ok()) {
          SLUICE_RETURN_IF_ERROR(Expect(absl::StatusCode::kAlreadyExists,
                                        results[i], "a commit that lost"));
          continue;
        }
        SLUICE_CHECK_THAT(winner < 0, "two commits won");
        winner = i;
      }
      SLUICE_CHECK_THAT(winner >= 0, "no commit won");
      SLUICE_ASSIGN_OR_RETURN(const std::string bytes, Get(name, 0));
      SLUICE_CHECK_THAT(bytes == absl::StrCat("writer ", winner),
                        "a loser's bytes are stored");
    }
    return NothingUncommitted();
  }

  absl::Status ListsInOrder() {
    // In byte order '-' and '.' come before '/': a walk of folders would put
    // them elsewhere.
    const std::vector<std::string> wanted = {
        "list/a-b", "list/a.b", "list/a/b", "list/a0", "list/a_/c", "list/b"};
    std::vector<std::string> shuffled = wanted;
    std::reverse(shuffled.begin(), shuffled.end());
    for (const std::string& name : shuffled)
      SLUICE_RETURN_IF_ERROR(Put(name, name, CommitMode::kIfAbsent));
    SLUICE_RETURN_IF_ERROR(ExpectNames("list/", wanted));
    // A prefix is one of bytes, not of folders.
    SLUICE_RETURN_IF_ERROR(
        ExpectNames("list/a", {wanted.begin(), wanted.begin() + 5}));
    SLUICE_RETURN_IF_ERROR(ExpectNames("list/a/", {"list/a/b"}));
    SLUICE_RETURN_IF_ERROR(ExpectNames("list/a_", {"list/a_/c"}));
    SLUICE_RETURN_IF_ERROR(ExpectNames("list/zzz", {}));
    SLUICE_RETURN_IF_ERROR(ExpectNames("none/at/all/", {}));
    uint64_t size = 0;
    SLUICE_RETURN_IF_ERROR(
        store_->List(context_, "list/a0", [&](const ObjectInfo& info) {
          size = info.size;
          return absl::OkStatus();
        }));
    SLUICE_CHECK_THAT(size == 7, "a listing tells another size");
    return absl::OkStatus();
  }

  absl::Status PassesCallersErrorOn() {
    int calls = 0;
    const absl::Status status =
        store_->List(context_, "list/", [&](const ObjectInfo&) {
          ++calls;
          return MakeError(absl::StatusCode::kAborted, "enough", "enough");
        });
    SLUICE_CHECK_THAT(status.code() == absl::StatusCode::kAborted &&
                          ErrorCodeOf(status) == "enough",
                      absl::StrCat("got ", status.ToString()));
    SLUICE_CHECK_THAT(calls == 1, "it went on after the error");
    return absl::OkStatus();
  }

  absl::Status ReadsFromOffset() {
    const std::string bytes = Pattern(300000, 7);
    SLUICE_RETURN_IF_ERROR(Put("offset/a", bytes, CommitMode::kIfAbsent));
    for (const size_t offset : {size_t{1}, size_t{4095}, size_t{65536},
                                size_t{299999}, size_t{300000}}) {
      SLUICE_ASSIGN_OR_RETURN(const std::string back, Get("offset/a", offset));
      SLUICE_CHECK_THAT(back == bytes.substr(offset),
                        absl::StrCat("wrong bytes from offset ", offset));
    }
    // Beyond the end: no bytes, or OUT_OF_RANGE.
    const absl::StatusOr<std::string> beyond = Get("offset/a", 400000);
    SLUICE_CHECK_THAT(
        beyond.ok() ? beyond->empty()
                    : beyond.status().code() == absl::StatusCode::kOutOfRange,
        "reading beyond the end gave bytes or an odd error");
    return absl::OkStatus();
  }

  absl::Status MissesProperly() {
    SLUICE_RETURN_IF_ERROR(Put("gone/a", "x", CommitMode::kIfAbsent));
    SLUICE_RETURN_IF_ERROR(store_->Delete(context_, "gone/a"));
    for (const char* name : {"gone/a", "gone/never", "never/there"}) {
      SLUICE_RETURN_IF_ERROR(Expect(absl::StatusCode::kNotFound,
                                    store_->Stat(context_, name).status(),
                                    absl::StrCat("stat ", name)));
      SLUICE_RETURN_IF_ERROR(Expect(absl::StatusCode::kNotFound,
                                    store_->Open(context_, name, 0).status(),
                                    absl::StrCat("open ", name)));
      SLUICE_RETURN_IF_ERROR(Expect(absl::StatusCode::kNotFound,
                                    store_->Delete(context_, name),
                                    absl::StrCat("delete ", name)));
    }
    const absl::Status unknown =
        store_->AbortUncommitted(context_, "gone/no-such-token");
    SLUICE_CHECK_THAT(!unknown.ok(), "aborting an unknown token succeeded");
    return absl::OkStatus();
  }

  absl::Status RefusesNames() {
    for (const std::string& name :
         {std::string(""), std::string("/"), std::string("/abs"),
          std::string("a/"), std::string("a//b"), std::string("."),
          std::string(".."), std::string("../victim"), std::string("a/../b"),
          std::string("a b"), std::string("a\nb"), std::string("a\0b", 3),
          std::string("caf\xC3\xA9"), std::string(".sluice-x"),
          std::string("a/.sluice-x"), std::string(513, 'a')}) {
      const std::string shown = absl::CEscape(name.substr(0, 20));
      SLUICE_CHECK_THAT(!store_->Begin(context_, name, 0).ok(),
                        absl::StrCat("begin took the name \"", shown, "\""));
      SLUICE_CHECK_THAT(!store_->Open(context_, name, 0).ok(),
                        absl::StrCat("open took the name \"", shown, "\""));
      SLUICE_CHECK_THAT(!store_->Stat(context_, name).ok(),
                        absl::StrCat("stat took the name \"", shown, "\""));
      SLUICE_CHECK_THAT(!store_->Delete(context_, name).ok(),
                        absl::StrCat("delete took the name \"", shown, "\""));
    }
    return NothingUncommitted();
  }

  absl::Status LongName() {
    std::vector<std::string> segments(4, std::string(101, 'n'));
    segments.push_back(std::string(104, 'N'));
    const std::string name = absl::StrJoin(segments, "/");
    SLUICE_CHECK_THAT(name.size() == 512, "the check itself is wrong");
    SLUICE_RETURN_IF_ERROR(Put(name, "x", CommitMode::kIfAbsent));
    SLUICE_RETURN_IF_ERROR(store_->Stat(context_, name).status());
    return store_->Delete(context_, name);
  }

  absl::Status HonoursCancel() {
    auto [run, cancel] = Context::WithCancel(context_);
    absl::StatusOr<std::unique_ptr<ObjectWriter>> writer =
        store_->Begin(run, "cancelled/a", 0);
    SLUICE_RETURN_IF_ERROR(writer.status());
    cancel(absl::CancelledError("enough"));
    absl::Status status = (*writer)->Write("x");
    if (status.ok()) status = (*writer)->Commit(CommitMode::kIfAbsent);
    SLUICE_RETURN_IF_ERROR(Expect(absl::StatusCode::kCancelled, status,
                                  "write and commit of a cancelled run"));
    writer->reset();
    SLUICE_RETURN_IF_ERROR(Expect(absl::StatusCode::kCancelled,
                                  store_->Begin(run, "cancelled/b", 0).status(),
                                  "begin of a cancelled run"));
    SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                            Names("cancelled/"));
    SLUICE_CHECK_THAT(names.empty(), "a cancelled object is there");
    return NothingUncommitted();
  }

  absl::Status ServesThreads() {
    constexpr int kThreads = 4, kObjects = 8;
    std::vector<absl::Status> results(kThreads);
    SLUICE_RETURN_IF_ERROR(AtOnce(
        kThreads, [&](int i) { results[i] = ManyObjects(i, kObjects); }));
    for (const absl::Status& result : results) SLUICE_RETURN_IF_ERROR(result);
    return absl::OkStatus();
  }

  absl::Status ManyObjects(int thread, int count) {
    for (int i = 0; i < count; ++i) {
      const std::string name = absl::StrCat("threads/", thread, "/", i);
      const std::string bytes = Pattern(1000 + i, thread);
      SLUICE_RETURN_IF_ERROR(Put(name, bytes, CommitMode::kIfAbsent));
      SLUICE_ASSIGN_OR_RETURN(const std::string back, Get(name, 0));
      SLUICE_CHECK_THAT(back == bytes, "another thread's bytes came back");
      SLUICE_RETURN_IF_ERROR(Names("threads/").status());
    }
    return absl::OkStatus();
  }

  absl::Status Empties() {
    SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> names, Names(""));
    SLUICE_CHECK_THAT(!names.empty(), "nothing is listed at all");
    for (const std::string& name : names)
      SLUICE_RETURN_IF_ERROR(store_->Delete(context_, name));
    SLUICE_RETURN_IF_ERROR(ExpectNames("", {}));
    return NothingUncommitted();
  }

  // ---- helpers

  // Written in pieces of odd sizes.
  absl::Status Put(const std::string& name, absl::string_view bytes,
                   CommitMode mode) {
    SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<ObjectWriter> writer,
                            store_->Begin(context_, name, bytes.size()));
    size_t piece = 1;
    while (!bytes.empty()) {
      const absl::string_view now = bytes.substr(0, piece);
      SLUICE_RETURN_IF_ERROR(writer->Write(now));
      bytes.remove_prefix(now.size());
      piece = piece * 3 + 1;
    }
    return writer->Commit(mode);
  }

  absl::StatusOr<std::string> Get(const std::string& name, uint64_t offset) {
    SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<ObjectReader> reader,
                            store_->Open(context_, name, offset));
    std::string bytes;
    std::vector<char> buffer(70001);
    while (true) {
      SLUICE_ASSIGN_OR_RETURN(const size_t size,
                              reader->Read(absl::MakeSpan(buffer)));
      if (size == 0) return bytes;
      bytes.append(buffer.data(), size);
    }
  }

  absl::StatusOr<std::vector<std::string>> Names(absl::string_view prefix) {
    std::vector<std::string> names;
    SLUICE_RETURN_IF_ERROR(
        store_->List(context_, prefix, [&](const ObjectInfo& info) {
          names.push_back(info.name);
          return absl::OkStatus();
        }));
    return names;
  }

  absl::Status ExpectNames(absl::string_view prefix,
                           const std::vector<std::string>& wanted) {
    SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                            Names(prefix));
    if (names == wanted) return absl::OkStatus();
    return CheckFailed(absl::StrCat("list \"", prefix, "\" gave [",
                                    absl::StrJoin(names, " "), "], wanted [",
                                    absl::StrJoin(wanted, " "), "]"));
  }

  absl::StatusOr<std::vector<ObjectInfo>> Uncommitted(
      absl::string_view prefix) {
    std::vector<ObjectInfo> infos;
    SLUICE_RETURN_IF_ERROR(
        store_->ListUncommitted(context_, prefix, [&](const ObjectInfo& info) {
          infos.push_back(info);
          return absl::OkStatus();
        }));
    return infos;
  }

  absl::Status NothingUncommitted() {
    SLUICE_ASSIGN_OR_RETURN(const std::vector<ObjectInfo> infos,
                            Uncommitted(""));
    if (infos.empty()) return absl::OkStatus();
    return CheckFailed(absl::StrCat("left uncommitted: ", infos[0].name));
  }

  const OpenPlaceFunction& open_;
  CheckRunner& runner_;
  const Context context_ = Context::Background();
  std::shared_ptr<ObjectStore> store_;
  PlaceInfo info_;
};

}  // namespace

void RunPlaceChecks(const OpenPlaceFunction& open, CheckRunner& runner) {
  PlaceChecks(open, runner).Run();
}

}  // namespace sluice
