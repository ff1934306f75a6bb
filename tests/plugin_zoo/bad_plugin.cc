// One plugin for each way to misbehave in each call of source and place: a
// memory store and a local place that work, until the call that BAD_CALL names
// does what BAD_HOW says. Without BAD_CALL all of it is good.
//
//   BAD_CALL   source.create describe backup restore destroy command, as
//              "source.describe"; place.create_object describe create begin
//              write commit abort open read stat list remove list_uncommitted
//              abort_uncommitted destroy writer_destroy reader_destroy
//   BAD_HOW    end:      exit _exit quick_exit abort segv kill pthread_exit
//              hang:     hang spin
//              throw:    throw throw_int
//              lie:      lie (says OK and does nothing), code (of no meaning)
//              flood:    log warnings output memory
//              of backup also: twice late counts; of read: flip
//   BAD_MARK   a file that is made when the call is
//
// It breaks the rules of sluice_plugin.h on purpose. Put it beside the other
// plugins as sluice-source-bad.so and sluice-place-bad.so.

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/destinations/local/factory.h"
#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/plugins/memory/factory.h"

namespace sluice {
namespace {

constexpr sluice_code kNoCode = 9999;
constexpr int kManyLines = 20000;

const sluice_host* the_host = nullptr;

sluice_bytes Bytes(std::string_view text) { return {text.data(), text.size()}; }

std::string How() {
  const char* how = getenv("BAD_HOW");
  return how == nullptr ? "" : how;
}

bool IsMeant(std::string_view call) {
  const char* meant = getenv("BAD_CALL");
  return meant != nullptr && call == meant;
}

// Leaves a file that says that the call was made.
void Mark() {
  const char* mark = getenv("BAD_MARK");
  if (mark != nullptr) close(open(mark, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
}

void Flood() {
  for (int i = 0; i < kManyLines; ++i) {
    the_host->log(the_host->self, SLUICE_LOG_INFO, Bytes("a line of a flood"));
  }
}

void TakeMemory() {
  static std::vector<std::string>* const taken = new std::vector<std::string>;
  for (int i = 0; i < 64; ++i) taken->push_back(std::string(1 << 20, 'm'));
}

// Does what ends, hangs, throws or floods; returns where the call is to go on.
void Act(std::string_view how) {
  if (how == "exit") exit(0);
  if (how == "_exit") _exit(0);
  if (how == "quick_exit") quick_exit(0);
  if (how == "abort") abort();
  if (how == "segv") raise(SIGSEGV);
  if (how == "kill") kill(getpid(), SIGKILL);
  if (how == "pthread_exit") pthread_exit(nullptr);
  if (how == "hang") {
    while (true) pause();
  }
  if (how == "spin") {
    static volatile sig_atomic_t forever = 1;
    while (forever != 0) {
    }
  }
  if (how == "throw") throw std::runtime_error("thrown across the ABI");
  if (how == "throw_int") throw 4711;
  if (how == "log") Flood();
  if (how == "memory") TakeMemory();
}

// One call: misbehaves where it is meant, else does what is right.
template <typename Real>
sluice_code Call(std::string_view call, Real real) {
  if (!IsMeant(call)) return real();
  const std::string how = How();
  Mark();
  Act(how);
  if (how == "lie") return SLUICE_OK;
  if (how == "code") return kNoCode;
  return real();
}

void Quietly(std::string_view call) {
  if (!IsMeant(call)) return;
  Mark();
  Act(How());
}

// --- the source

// Makes the real object, and gives `bad` in front of it.
template <typename Bad>
sluice_code Spoil(const sluice_factory& factory, Bad* bad,
                  const sluice_host* host, const sluice_option* options,
                  uint64_t count, const void** object, sluice_error* error) {
  const void* real = nullptr;
  const sluice_code code = factory.create(host, options, count, &real, error);
  if (code != SLUICE_OK) {
    delete bad;
    return code;
  }
  bad->real = static_cast<decltype(bad->real)>(real);
  bad->table.self = bad;
  *object = &bad->table;
  return code;
}

struct BadSource {
  const sluice_source* real;
  sluice_source table;
};

const sluice_source* Real(void* self) {
  return static_cast<BadSource*>(self)->real;
}

void DestroySource(void* self) {
  Quietly("source.destroy");
  auto* const source = static_cast<BadSource*>(self);
  source->real->destroy(source->real->self);
  delete source;
}

sluice_code DescribeSource(void* self, const sluice_run* run,
                           sluice_source_info* info, sluice_error* error) {
  return Call("source.describe", [&] {
    return Real(self)->describe(Real(self)->self, run, info, error);
  });
}

// Of the sink that is lied to.
thread_local const sluice_sink* the_sink = nullptr;

sluice_code LieAboutCounts(void* self, const sluice_count*, uint64_t,
                           sluice_error* error) {
  const sluice_count counts[] = {{Bytes("bytes"), uint64_t{1} << 60},
                                 {Bytes("bytes"), 1}};
  return the_sink->end(self, counts, 2, error);
}

sluice_code Backup(void* self, const sluice_run* run,
                   const sluice_backup_request* request,
                   const sluice_sink* sink, sluice_error* error) {
  return Call("source.backup", [&] {
    const std::string how = IsMeant("source.backup") ? How() : "";
    if (how == "warnings") {
      for (int i = 0; i < kManyLines; ++i)
        sink->add_warning(sink->self, Bytes("flood"), Bytes("a warning"));
    }
    sluice_sink given = *sink;
    if (how == "counts") {
      the_sink = sink;
      given.end = &LieAboutCounts;
    }
    const sluice_code code =
        Real(self)->backup(Real(self)->self, run, request, &given, error);
    if (how == "twice") sink->end(sink->self, nullptr, 0, nullptr);
    if (how == "late") sink->write(sink->self, Bytes("late"), nullptr);
    return code;
  });
}

sluice_code Restore(void* self, const sluice_run* run,
                    const sluice_restore_request* request,
                    sluice_error* error) {
  return Call("source.restore", [&] {
    return Real(self)->restore(Real(self)->self, run, request, error);
  });
}

sluice_code CreateSource(const sluice_host* host, const sluice_option* options,
                         uint64_t count, const void** object,
                         sluice_error* error) {
  the_host = host;
  return Call("source.create", [&] {
    return Spoil(kMemorySource,
                 new BadSource{nullptr,
                               {sizeof(sluice_source), nullptr, &DestroySource,
                                &DescribeSource, &Backup, &Restore}},
                 host, options, count, object, error);
  });
}

sluice_code Command(const sluice_host* host, const sluice_run* run,
                    sluice_bytes, const sluice_bytes*, uint64_t,
                    const sluice_output* output, sluice_error* error) {
  the_host = host;
  return Call("source.command", [&] {
    sluice_code code = output->write(output->self, Bytes("{}\n"), error);
    const bool flood = IsMeant("source.command") && How() == "output";
    while (flood && code == SLUICE_OK && run->cancelled(run->self) == 0) {
      code = output->write(output->self, Bytes("{\"flood\":true}\n"), error);
    }
    return code;
  });
}

// --- the place

struct BadWriter {
  const sluice_writer* real;
  sluice_writer table;
};

struct BadReader {
  const sluice_reader* real;
  sluice_reader table;
};

struct BadPlace {
  const sluice_place* real;
  sluice_place table;
};

const sluice_place* Place(void* self) {
  return static_cast<BadPlace*>(self)->real;
}

sluice_code Write(void* self, sluice_bytes bytes, sluice_error* error) {
  const sluice_writer* const real = static_cast<BadWriter*>(self)->real;
  return Call("place.write",
              [&] { return real->write(real->self, bytes, error); });
}

sluice_code Commit(void* self, uint32_t mode, sluice_error* error) {
  const sluice_writer* const real = static_cast<BadWriter*>(self)->real;
  return Call("place.commit",
              [&] { return real->commit(real->self, mode, error); });
}

sluice_code Abort(void* self, sluice_error* error) {
  const sluice_writer* const real = static_cast<BadWriter*>(self)->real;
  return Call("place.abort", [&] { return real->abort(real->self, error); });
}

void DestroyWriter(void* self) {
  Quietly("place.writer_destroy");
  auto* const writer = static_cast<BadWriter*>(self);
  writer->real->destroy(writer->real->self);
  delete writer;
}

sluice_code Read(void* self, void* buffer, uint64_t capacity, uint64_t* size,
                 sluice_error* error) {
  const sluice_reader* const real = static_cast<BadReader*>(self)->real;
  return Call("place.read", [&] {
    const sluice_code code =
        real->read(real->self, buffer, capacity, size, error);
    if (IsMeant("place.read") && How() == "flip" && *size > 0)
      static_cast<char*>(buffer)[*size / 2] ^= 1;
    return code;
  });
}

void DestroyReader(void* self) {
  Quietly("place.reader_destroy");
  auto* const reader = static_cast<BadReader*>(self);
  reader->real->destroy(reader->real->self);
  delete reader;
}

void DestroyPlace(void* self) {
  Quietly("place.destroy");
  auto* const place = static_cast<BadPlace*>(self);
  place->real->destroy(place->real->self);
  delete place;
}

sluice_code DescribePlace(void* self, const sluice_run* run, uint32_t probe,
                          sluice_place_info* info, sluice_error* error) {
  return Call("place.describe", [&] {
    return Place(self)->describe(Place(self)->self, run, probe, info, error);
  });
}

sluice_code MakePlace(void* self, const sluice_run* run, sluice_error* error) {
  return Call("place.create", [&] {
    return Place(self)->create(Place(self)->self, run, error);
  });
}

sluice_code Begin(void* self, const sluice_run* run, sluice_bytes name,
                  uint64_t size_hint, const sluice_writer** writer,
                  sluice_error* error) {
  return Call("place.begin", [&] {
    const sluice_writer* real = nullptr;
    const sluice_code code = Place(self)->begin(Place(self)->self, run, name,
                                                size_hint, &real, error);
    if (code != SLUICE_OK) return code;
    auto* const bad = new BadWriter{real,
                                    {sizeof(sluice_writer), nullptr, &Write,
                                     &Commit, &Abort, &DestroyWriter}};
    bad->table.self = bad;
    *writer = &bad->table;
    return code;
  });
}

sluice_code Open(void* self, const sluice_run* run, sluice_bytes name,
                 uint64_t offset, const sluice_reader** reader,
                 sluice_error* error) {
  return Call("place.open", [&] {
    const sluice_reader* real = nullptr;
    const sluice_code code =
        Place(self)->open(Place(self)->self, run, name, offset, &real, error);
    if (code != SLUICE_OK) return code;
    auto* const bad = new BadReader{
        real, {sizeof(sluice_reader), nullptr, &Read, &DestroyReader}};
    bad->table.self = bad;
    *reader = &bad->table;
    return code;
  });
}

sluice_code Stat(void* self, const sluice_run* run, sluice_bytes name,
                 sluice_object* object, sluice_error* error) {
  return Call("place.stat", [&] {
    return Place(self)->stat(Place(self)->self, run, name, object, error);
  });
}

sluice_code List(void* self, const sluice_run* run, sluice_bytes prefix,
                 const sluice_object_list* list, sluice_error* error) {
  return Call("place.list", [&] {
    return Place(self)->list(Place(self)->self, run, prefix, list, error);
  });
}

sluice_code Remove(void* self, const sluice_run* run, sluice_bytes name,
                   sluice_error* error) {
  return Call("place.remove", [&] {
    return Place(self)->remove(Place(self)->self, run, name, error);
  });
}

sluice_code ListUncommitted(void* self, const sluice_run* run,
                            sluice_bytes prefix, const sluice_object_list* list,
                            sluice_error* error) {
  return Call("place.list_uncommitted", [&] {
    sluice_object old = {};
    old.struct_size = sizeof(old);
    old.name = Bytes("01AAAAAAAAAAAAAAAAAAAAAAAA/payload.bin");
    old.upload = Bytes("an-upload-of-long-ago");
    if (IsMeant("place.abort_uncommitted")) {
      const sluice_code code = list->add(list->self, &old, error);
      if (code != SLUICE_OK) return code;
    }
    return Place(self)->list_uncommitted(Place(self)->self, run, prefix, list,
                                         error);
  });
}

sluice_code AbortUncommitted(void* self, const sluice_run* run,
                             sluice_bytes upload, sluice_error* error) {
  return Call("place.abort_uncommitted", [&] {
    return Place(self)->abort_uncommitted(Place(self)->self, run, upload,
                                          error);
  });
}

sluice_code CreatePlace(const sluice_host* host, const sluice_option* options,
                        uint64_t count, const void** object,
                        sluice_error* error) {
  the_host = host;
  return Call("place.create_object", [&] {
    return Spoil(
        kLocalPlace,
        new BadPlace{nullptr,
                     {sizeof(sluice_place), nullptr, &DestroyPlace,
                      &DescribePlace, &MakePlace, &Begin, &Open, &Stat, &List,
                      &Remove, &ListUncommitted, &AbortUncommitted}},
        host, options, count, object, error);
  });
}

// --- the tables, for once not constant: theirs are in other files

sluice_factory FactoryLike(const sluice_factory& real) {
  sluice_factory factory = real;
  factory.kind = Bytes("bad");
  factory.help = Bytes("what misbehaves as its environment says\n\nbad:x");
  return factory;
}

const sluice_factory kBadSource = [] {
  sluice_factory factory = FactoryLike(kMemorySource);
  factory.create = &CreateSource;
  factory.command = &Command;
  return factory;
}();

const sluice_factory kBadPlace = [] {
  sluice_factory factory = FactoryLike(kLocalPlace);
  factory.create = &CreatePlace;
  return factory;
}();

const sluice_factory* const kFactories[] = {&kBadSource, &kBadPlace};

}  // namespace
}  // namespace sluice

extern "C" SLUICE_EXPORT const sluice_plugin_entry sluice_plugin = {
    SLUICE_ABI_MAJOR,
    SLUICE_ABI_MINOR,
    sizeof(sluice_plugin_entry),
    2,
    {"bad", 3},
    {"1", 1},
    {"Apache-2.0", 10},
    sluice::kFactories};
