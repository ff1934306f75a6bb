/* sluice_plugin.h: the C ABI between Sluice and its plugins, version 1.1
 *
 * A plugin is a shared object that exports one data symbol, `sluice_plugin`.
 * Through it the host finds factories, each for one role and kind: a *source*
 * is a store that is backed up and restored into; a *place* is where archives
 * are kept, as named objects. The host never calls a function before it has
 * checked the version and the struct sizes of the table that holds it.
 *
 * Rules, for both sides:
 *
 * Versions. A different major is refused. A minor only adds: at the end of a
 *   struct that begins with struct_size, or as a new role. struct_size is what
 *   the struct's writer knew; a reader uses a member only if struct_size
 *   reaches past it (SLUICE_HAS), and never asks whether sizes are equal.
 *   Structs without struct_size (sluice_bytes, sluice_pair, sluice_count,
 *   sluice_option) never change.
 * Results. In a struct that a callee fills (sluice_error, sluice_source_info,
 *   sluice_place_info, sluice_object of stat) the *caller* sets struct_size
 *   and zeroes the rest; the callee writes only what that size reaches past,
 *   and never struct_size itself.
 * Memory. No memory changes owner. What a caller passes in is borrowed for the
 *   call. What a callee hands out lives as long as the function says.
 * Strings. sluice_bytes, explicit length, not terminated. Text is UTF-8;
 *   names, keys and paths are any bytes.
 * Errors. Each fallible function returns a sluice_code and, when that is not
 *   SLUICE_OK, fills the caller's sluice_error, which may be NULL. A code not
 *   listed here is taken as SLUICE_UNKNOWN.
 * Exceptions. None crosses, in either direction. No longjmp, no exit, no
 *   signal handlers, no change of the process's locale, umask or directory.
 * Loading. The host never unloads a plugin: threads and static objects may
 *   live as long as the process. Do nothing in constructors.
 * Threads.
 *   [any]   callable from any thread at any time, also at once.
 *   [call]  callable only on the thread that runs the surrounding call (backup,
 *           restore, ...), or on threads that it started and joins before it
 *           returns, one at a time.
 *   [owner] one call at a time for each object; consecutive calls may come
 *           from different threads.
 * Cancelling. Host functions that move data return SLUICE_CANCELLED once the
 *   run is cancelled. A plugin that works without moving data polls
 *   cancelled(). It then returns SLUICE_CANCELLED within a second, having
 *   released what it held. One that does not return is abandoned: its call
 *   goes on in the background, whatever it borrowed stays alive, and its
 *   plugin gets no new runs.
 * Secrets. Options marked secret never appear in a message, a log line or a
 *   warning.
 *
 * Process. A plugin may write to neither stdout nor stderr (the one is the
 *   command's result, the other its log: use log(), and output->write() in a
 *   command). It may start threads, on which the host's signal handlers may
 *   run, and change the signal masks of those threads, of no other; and
 *   programs, by posix_spawn or fork followed at once by exec, with stdin and
 *   stdout of their own. It reaps the children that it started, and no others.
 * Building. This file needs <stddef.h> and <stdint.h> alone: copy it, or make
 *   the tree's own path work with
 *     mkdir -p include/sluice && ln -s "$SLUICE/plugins" include/sluice/plugins
 *     cc -std=c11 -shared -fPIC -fvisibility=hidden -Iinclude plugin.c \
 *        -o sluice-source-KIND.so
 *   The file's name is sluice-<role>-<kind>.so, role `source` or `place`. It is
 *   looked for by that name, so a shared object with factories of several roles
 *   or kinds is installed once and linked (ln -s) under its other names; two
 *   copies are two plugins for one kind, and refused. Export `sluice_plugin`
 *   and nothing else.
 *
 * How this file may change: plugins/abi/STYLE.md. What changed:
 * plugins/abi/CHANGELOG.md. A whole plugin in C: examples/c_plugin.
 */
#ifndef SLUICE_PLUGIN_H_
#define SLUICE_PLUGIN_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_ABI_MAJOR 1u
#define SLUICE_ABI_MINOR 1u

/* Does *ptr, which begins with `uint32_t struct_size`, have `member`? */
#define SLUICE_HAS(ptr, type, member) \
  ((ptr)->struct_size >= offsetof(type, member) + sizeof(((type*)0)->member))

#if defined(__GNUC__)
#define SLUICE_EXPORT __attribute__((visibility("default")))
#else
#define SLUICE_EXPORT
#endif

/* ---- values ---- */

/* Borrowed bytes. data may be NULL when size is 0. */
typedef struct sluice_bytes {
  const void* data;
  uint64_t size;
} sluice_bytes;

/* Key and value. Keys of metadata are text, values any bytes. */
typedef struct sluice_pair {
  sluice_bytes key;
  sluice_bytes value;
} sluice_pair;

/* A named number: what a source counted ("keys", "rows", "bytes"). */
typedef struct sluice_count {
  sluice_bytes name;
  uint64_t value;
} sluice_count;

/* The canonical codes of gRPC and Abseil, with their numbers. */
typedef int32_t sluice_code;
enum {
  SLUICE_OK = 0,
  SLUICE_CANCELLED = 1,
  SLUICE_UNKNOWN = 2,
  SLUICE_INVALID_ARGUMENT = 3,
  SLUICE_DEADLINE_EXCEEDED = 4,
  SLUICE_NOT_FOUND = 5,
  SLUICE_ALREADY_EXISTS = 6,
  SLUICE_PERMISSION_DENIED = 7,
  SLUICE_RESOURCE_EXHAUSTED = 8,
  SLUICE_FAILED_PRECONDITION = 9,
  SLUICE_ABORTED = 10,
  SLUICE_OUT_OF_RANGE = 11,
  SLUICE_UNIMPLEMENTED = 12,
  SLUICE_INTERNAL = 13,
  SLUICE_UNAVAILABLE = 14,
  SLUICE_DATA_LOSS = 15,
  SLUICE_UNAUTHENTICATED = 16
};

/* Filled by a callee that fails. The caller sets struct_size and zeroes the
 * rest. Text is terminated; a longer one is cut.
 *
 * `word` decides about the command's exit status. Where it is empty it follows
 * from the role and the code:
 *
 *   Of a source
 *     INVALID_ARGUMENT of create()  source_config_invalid (2)
 *     PERMISSION_DENIED             source_permission_denied (13)
 *     UNAUTHENTICATED               source_permission_denied (13)
 *     RESOURCE_EXHAUSTED            source_no_space (15)
 *     all else of create(), describe()  source_unavailable (10)
 *     all else of backup(), restore()   source_failed (1)
 *   Of a place
 *     INVALID_ARGUMENT of create()  destination_config_invalid (2)
 *     NOT_FOUND                     destination_not_found (10)
 *     PERMISSION_DENIED             destination_permission_denied (13)
 *     UNAUTHENTICATED               destination_credentials_invalid (13)
 *     UNAVAILABLE                   destination_unreachable (14)
 *     RESOURCE_EXHAUSTED            destination_no_space (15)
 *     ALREADY_EXISTS                destination_path_conflict (1)
 *     UNIMPLEMENTED                 destination_unsupported (1)
 *     all else                      destination_io_error (1)
 *   Of both
 *     CANCELLED, DEADLINE_EXCEEDED  cancelled (130), deadline_exceeded (124)
 *
 * Other words that a plugin may give, with their exit status: source_read_only
 * (13), source_wrong_key (12), source_unsupported (17: a version or format that
 * it does not read), source_aborted (1: the store itself broke the run off),
 * restore_precondition_failed (1: the target is not empty, or another store),
 * destination_read_only (13), destination_too_large (1), scratch_no_space (15),
 * scratch_permission_denied (13), resource_exhausted (1: memory, threads,
 * descriptors). A word that is not known is shown, and exits 1. */
typedef struct sluice_error {
  uint32_t struct_size;
  sluice_code code;    /* the same as the function's result */
  uint32_t retryable;  /* 1: the same call may succeed later, unchanged */
  int32_t native_code; /* errno, an HTTP status, ... 0: none */
  char word[64]; /* stable word for machines, such as "destination_no_space";
                    empty: follows from code */
  char message[1024]; /* operation, object, cause; for people; no secret */
  char hint[256];     /* what the reader can do; may be empty */
} sluice_error;

/* ---- what the host gives a plugin ---- */

enum {
  SLUICE_LOG_DEBUG = 0,
  SLUICE_LOG_INFO = 1,
  SLUICE_LOG_WARNING = 2,
  SLUICE_LOG_ERROR = 3
};

/* Lives as long as the process. */
typedef struct sluice_host {
  uint32_t struct_size;
  uint32_t abi_major;
  uint32_t abi_minor; /* the host's: a plugin uses nothing newer */
  void* self;
  sluice_bytes name; /* "sluice 1.2.3", for people */
  /* [any] One line for people. Level as above. */
  void (*log)(void* self, int32_t level, sluice_bytes line);
} sluice_host;

/* The state of a run. Borrowed for the call; one given to begin() or open()
 * outlives the writer or reader, whose calls belong to that run. */
typedef struct sluice_run {
  uint32_t struct_size;
  void* self;
  /* [any] 1 once the run is cancelled or late. Costs an atomic load. */
  uint32_t (*cancelled)(void* self);
} sluice_run;

/* Where a source pushes its payload. Borrowed for one backup() call.
 *
 * Misuse fails the run, also where backup() then returns SLUICE_OK, and the
 * call that did it answers an error (those without a result do nothing): two
 * threads in these functions at once; write(), reserve() or end() between
 * reserve() and commit(); commit() without reserve(), or of more than was
 * reserved; any call after end(), and any after backup() has returned; bytes
 * at no address, or longer than an address space. Calls after an error are
 * refused too.
 *
 * Limits, of a run: 1,000 counts; 1,000 warnings (the last one then says how
 * many more there were), of which words are cut after 64 bytes and messages
 * after 1,024; 10,000 keys of metadata, 1 MiB of keys and values together;
 * names of counts and keys of metadata are 1 to 256 bytes of UTF-8 without
 * control characters. Beyond one of them the run fails. */
typedef struct sluice_sink {
  uint32_t struct_size;
  void* self;
  /* [call] Copies `bytes` into the pipe; blocks while it is full.
   * SLUICE_CANCELLED once the run is over: return, passing the code on. */
  sluice_code (*write)(void* self, sluice_bytes bytes, sluice_error* error);
  /* [call] Hands out an empty chunk of *capacity > 0 bytes to be filled in
   * place; blocks while the pipe is full. The chunk lives until commit();
   * nothing else is written meanwhile. */
  sluice_code (*reserve)(void* self, void** chunk, uint64_t* capacity,
                         sluice_error* error);
  /* [call] Makes the first `size` bytes of the reserved chunk part of the
   * payload. 0 gives the chunk back. */
  sluice_code (*commit)(void* self, uint64_t size, sluice_error* error);
  /* [call] Ids of the blocks that this snapshot refers to: 1 to 1,024 bytes
   * each, no control bytes. Any order, any number, repeats are merged. */
  sluice_code (*add_payload_ids)(void* self, const sluice_bytes* ids,
                                 uint64_t count, sluice_error* error);
  /* [call] Metadata of the engine, kept in the manifest and given back at
   * restore and to an increment on top. A key given twice: the last wins. */
  sluice_code (*set_metadata)(void* self, sluice_bytes key, sluice_bytes value,
                              sluice_error* error);
  /* [call] Payload bytes expected in total. May be called again as the estimate
   * improves. */
  void (*set_estimate)(void* self, uint64_t bytes);
  /* [call] Something was left out or degraded. The run then ends as succeeded
   * with warnings. `word` is stable, `message` for people. */
  void (*add_warning)(void* self, sluice_bytes word, sluice_bytes message);
  /* [call] The explicit end, exactly once, after the last byte. Without it the
   * run fails, whatever backup() returns. */
  sluice_code (*end)(void* self, const sluice_count* counts, uint64_t count,
                     sluice_error* error);
  /* Since 1.1; NULL: the host keeps no index.
   * [call] Appends to an index of the snapshot, in a form of the source's own:
   * what the next increment must know of this backup. Kept beside the payload,
   * never restored, given back as base_indexes. Any number of calls before
   * end(); none: there is no index. The host spools it to a scratch folder. */
  sluice_code (*write_index)(void* self, sluice_bytes bytes,
                             sluice_error* error);
} sluice_sink;

/* One payload of a chain being restored. Borrowed for one restore() call. */
typedef struct sluice_payload {
  uint32_t struct_size;
  void* self;
  sluice_bytes backup_id;
  const sluice_pair* metadata; /* as set by set_metadata() at backup */
  uint64_t metadata_count;
  const sluice_count* counts; /* as given to end() at backup */
  uint64_t count_count;
  uint64_t size; /* payload bytes in total */
  /* [call] The next bytes, borrowed until the next call. *bytes of size 0: the
   * end, given only after hash, seal and end mark were checked; asked again it
   * is given again. Any error, and a run that stops before the end, means:
   * discard all that was staged; asked again, the same error. Payloads are not
   * interleaved: before the one below has given its end, and from two threads
   * at once, this is refused and the run has failed. */
  sluice_code (*next)(void* self, sluice_bytes* bytes, sluice_error* error);
} sluice_payload;

/* ---- options ---- */

enum {
  SLUICE_OPTION_STRING = 0,
  SLUICE_OPTION_INTEGER = 1,
  SLUICE_OPTION_BOOLEAN = 2,
  SLUICE_OPTION_PATH = 3,
  SLUICE_OPTION_DURATION = 4
};
enum { SLUICE_OPTION_REQUIRED = 1u, SLUICE_OPTION_SECRET = 2u };

/* What a factory accepts; the host refuses all else before create() and prints
 * this as help. Lives as long as the factory; at most 1,024.
 *
 * create() gets each key once at most, and only what was typed: `fallback` is
 * printed as help, and applying it is the plugin's. The host refuses keys that
 * are not known, keys given twice, required ones that are missing, and values
 * that do not have their type's form, and hands over what was typed:
 *   INTEGER   0 to 2^64-1, decimal
 *   BOOLEAN   1, true, yes, on, or 0, false, no, off, in either case
 *   DURATION  as 1h30m or 250ms; units h, m, s, ms, us, ns; not negative
 *   PATH      not empty, no NUL
 *   STRING    any bytes
 * The C++ SDK (sdk/options.h) reads them. */
typedef struct sluice_option_spec {
  uint32_t struct_size;
  uint32_t type;         /* SLUICE_OPTION_STRING ... */
  uint32_t flags;        /* SLUICE_OPTION_REQUIRED | SLUICE_OPTION_SECRET */
  sluice_bytes name;     /* [a-z][a-z0-9_]* */
  sluice_bytes fallback; /* shown as the default; empty: none */
  sluice_bytes help;     /* one sentence with units */
} sluice_option_spec;

/* The host parses the URI kind:REST?key=value&... and resolves secrets. REST
 * comes as the option named "path" (and for //authority/path as "authority" and
 * "path"), percent-decoded: keys and values are bytes. */
typedef struct sluice_option {
  sluice_bytes key;
  sluice_bytes value;
  uint32_t secret;   /* 1: must never be shown */
  uint32_t reserved; /* 0 */
} sluice_option;

/* Receives what a plugin lists or prints. Called any number of times; a result
 * other than SLUICE_OK ends the listing and is passed on. */
typedef struct sluice_output {
  uint32_t struct_size;
  void* self;
  /* [call] */
  sluice_code (*write)(void* self, sluice_bytes bytes, sluice_error* error);
} sluice_output;

/* ---- role "source": a store ---- */

/* What to back up on top of. Borrowed. */
typedef struct sluice_backup_request {
  uint32_t struct_size;
  uint32_t has_base; /* 0: a full backup; the members below are empty */
  sluice_bytes base_backup_id;
  const sluice_pair* base_metadata;
  uint64_t base_metadata_count;
  const sluice_count* base_counts;
  uint64_t base_count_count;
  /* Since 1.1. The indexes that were written with the archives of the base's
   * chain, full first, the base's own last; read as payloads are, in any order,
   * each as far as is wanted. Their `size` is the index's. Bytes are proven
   * only by the end: an error of next() means that what was read of this index
   * is not to be relied on; the backup may go on without it, as a full one.
   * Count 0: some archive of the chain has none. */
  const sluice_payload* const* base_indexes;
  uint64_t base_index_count;
} sluice_backup_request;

enum {
  /* backup() can build on a base, restore() takes chains of more than one. */
  SLUICE_SOURCE_INCREMENTS = 1u
};

/* What a store says of itself. Strings live until the next describe() of the
 * same object, or its destroy(). */
typedef struct sluice_source_info {
  uint32_t struct_size;
  uint32_t empty;        /* 1: nothing in it, a restore may go here. So too of
                            one that is not there yet where restore() would
                            make it; where it can only be backed up, describe()
                            answers NOT_FOUND */
  sluice_bytes store_id; /* persistent identity, 1 to 128 bytes of
                            [A-Za-z0-9._-]; empty: it has none (yet) */
  uint32_t capabilities; /* SLUICE_SOURCE_... */
  uint32_t reserved;     /* 0 */
} sluice_source_info;

/* What to restore. Borrowed for one restore() call. */
typedef struct sluice_restore_request {
  uint32_t struct_size;
  uint32_t payload_count; /* 1 or more */
  void* self;
  /* The archive's store: the target takes the id over if it keeps one. */
  sluice_bytes store_id;
  /* The chain, full first. Read in this order, each to its end. */
  const sluice_payload* const* payloads;
  /* [call] Something was left out or degraded: word and message as in
   * sluice_sink. */
  void (*add_warning)(void* self, sluice_bytes word, sluice_bytes message);
} sluice_restore_request;

typedef struct sluice_source {
  uint32_t struct_size;
  void* self;
  /* [owner] Frees the object. No call may be under way. */
  void (*destroy)(void* self);
  /* [owner] Looks, changes nothing. */
  sluice_code (*describe)(void* self, const sluice_run* run,
                          sluice_source_info* info, sluice_error* error);
  /* [owner] Streams one consistent snapshot into the sink. If has_base and an
   * increment on it is not possible, streams a full one and sets metadata
   * "sluice.full" = "1", and may say why in "sluice.full_reason": half a
   * sentence for people. */
  sluice_code (*backup)(void* self, const sluice_run* run,
                        const sluice_backup_request* request,
                        const sluice_sink* sink, sluice_error* error);
  /* [owner] Fills an empty store from a chain of payloads. All or nothing:
   * what was staged becomes visible only after the last payload gave its end;
   * on any other outcome it is discarded. */
  sluice_code (*restore)(void* self, const sluice_run* run,
                         const sluice_restore_request* request,
                         sluice_error* error);
} sluice_source;

/* ---- role "place": named objects ---- */

enum { SLUICE_COMMIT_REPLACE = 0, SLUICE_COMMIT_IF_ABSENT = 1 };

enum {
  SLUICE_PLACE_CONDITIONAL_COMMIT =
      1u, /* SLUICE_COMMIT_IF_ABSENT is atomic against every other writer */
  SLUICE_PLACE_DURABLE_COMMIT =
      2u,                  /* a committed object survives a power cut */
  SLUICE_PLACE_EXISTS = 4u /* the place is there (a folder, a bucket). One that
                              is not is no error of describe() */
};

typedef struct sluice_place_info {
  uint32_t struct_size;
  uint32_t capabilities;     /* SLUICE_PLACE_... */
  uint64_t max_object_bytes; /* largest object; 0: no limit known */
  int64_t now_unix_nanos;    /* the place's own clock, the one that `modified`
                                below is taken from */
} sluice_place_info;

typedef struct sluice_object {
  uint32_t struct_size;
  sluice_bytes name; /* borrowed for the call */
  uint64_t size;
  int64_t modified_unix_nanos;
  sluice_bytes upload; /* of list_uncommitted(): the token for
                          abort_uncommitted(); else empty */
} sluice_object;

typedef struct sluice_object_list {
  uint32_t struct_size;
  void* self;
  /* [call] One object. A result other than SLUICE_OK ends the listing and is
   * passed on. */
  sluice_code (*add)(void* self, const sluice_object* object,
                     sluice_error* error);
} sluice_object_list;

/* An object being written. It does not exist for readers until commit() says
 * so. */
typedef struct sluice_writer {
  uint32_t struct_size;
  void* self;
  /* [owner] Appends all of `bytes`, or fails; after a failure only abort() and
   * destroy() may follow. */
  sluice_code (*write)(void* self, sluice_bytes bytes, sluice_error* error);
  /* [owner] Makes the object visible whole, durable where the place can, under
   * its name. `mode` SLUICE_COMMIT_...; ALREADY_EXISTS when the name is taken.
   * UNKNOWN: the outcome is unknown (an answer was lost, a sync failed);
   * the caller reads back. Once; then destroy(). */
  sluice_code (*commit)(void* self, uint32_t mode, sluice_error* error);
  /* [owner] Forgets what was written. Best effort. */
  sluice_code (*abort)(void* self, sluice_error* error);
  /* [owner] Frees; aborts first if neither commit() nor abort() was called. */
  void (*destroy)(void* self);
} sluice_writer;

/* An object being read. */
typedef struct sluice_reader {
  uint32_t struct_size;
  void* self;
  /* [owner] Fills up to `capacity` bytes; *size 0 means the end of the object.
   * A shorter count than asked for is no end. */
  sluice_code (*read)(void* self, void* buffer, uint64_t capacity,
                      uint64_t* size, sluice_error* error);
  /* [owner] */
  void (*destroy)(void* self);
} sluice_reader;

/* Object names: 1 to 512 bytes, segments of [A-Za-z0-9._-] joined by '/', no
 * segment "." or ".." or beginning with ".sluice-". The place checks them all
 * the same. Functions of one place may be called at once from several threads
 * [any], but for destroy(). */
typedef struct sluice_place {
  uint32_t struct_size;
  void* self;
  /* [owner] Frees the object; all writers and readers are destroyed before. */
  void (*destroy)(void* self);
  /* [any] What the place can do. With `probe` 1 tries it out, leaving nothing
   * behind; with 0 looks only. */
  sluice_code (*describe)(void* self, const sluice_run* run, uint32_t probe,
                          sluice_place_info* info, sluice_error* error);
  /* [any] Creates the place itself (a folder, a bucket prefix) where it is
   * missing; where it is there, SLUICE_OK. */
  sluice_code (*create)(void* self, const sluice_run* run, sluice_error* error);
  /* [any] Begins an object. *writer lives until its destroy(). `size_hint` 0:
   * not known. */
  sluice_code (*begin)(void* self, const sluice_run* run, sluice_bytes name,
                       uint64_t size_hint, const sluice_writer** writer,
                       sluice_error* error);
  /* [any] Opens an object from `offset`. NOT_FOUND where there is none. At or
   * beyond the object's end: a reader that gives the end at once, or
   * OUT_OF_RANGE. *reader lives until its destroy(). */
  sluice_code (*open)(void* self, const sluice_run* run, sluice_bytes name,
                      uint64_t offset, const sluice_reader** reader,
                      sluice_error* error);
  /* [any] Size and time of an object. NOT_FOUND where there is none.
   * object->name is not set. */
  sluice_code (*stat)(void* self, const sluice_run* run, sluice_bytes name,
                      sluice_object* object, sluice_error* error);
  /* [any] Committed objects whose name begins with `prefix`, ascending by name,
   * by bytes. Of a place that is not there: none, SLUICE_OK or NOT_FOUND. */
  sluice_code (*list)(void* self, const sluice_run* run, sluice_bytes prefix,
                      const sluice_object_list* list, sluice_error* error);
  /* [any] Deletes an object, durably where the place can. NOT_FOUND where there
   * is none. */
  sluice_code (*remove)(void* self, const sluice_run* run, sluice_bytes name,
                        sluice_error* error);
  /* [any] Objects begun under `prefix`, by any process, and neither committed
   * nor aborted. */
  sluice_code (*list_uncommitted)(void* self, const sluice_run* run,
                                  sluice_bytes prefix,
                                  const sluice_object_list* list,
                                  sluice_error* error);
  /* [any] Forgets one of them. NOT_FOUND where it is gone, and for a token that
   * is none. */
  sluice_code (*abort_uncommitted)(void* self, const sluice_run* run,
                                   sluice_bytes upload, sluice_error* error);
} sluice_place;

/* ---- factories and the entry ---- */

#define SLUICE_ROLE_SOURCE 1u
#define SLUICE_ROLE_PLACE 2u

/* Lives as long as the process. */
typedef struct sluice_factory {
  uint32_t struct_size;
  uint32_t role;     /* SLUICE_ROLE_... An unknown role is passed over. */
  sluice_bytes kind; /* [a-z][a-z0-9_]{0,31} */
  sluice_bytes help; /* one sentence; then an example URI after a newline */
  const sluice_option_spec* options;
  uint64_t option_count;
  uint32_t
      option_stride; /* sizeof(sluice_option_spec) as the plugin was compiled */
  uint32_t reserved; /* 0 */
  /* [any] Creates an object of the role; *object is a const sluice_source* or
   * const sluice_place* that lives until its destroy(). Does no work that takes
   * long, changes nothing. */
  sluice_code (*create)(const sluice_host* host, const sluice_option* options,
                        uint64_t count, const void** object,
                        sluice_error* error);
  /* [any] A verb of the plugin's own: `sluice plugin KIND NAME ARGUMENTS...`.
   * NULL: there are none. A last argument "--json" asks for JSON, one object a
   * line of at most 16 MiB; "--help" for the verb's usage, as text. What is
   * printed is a result also where an error is returned; it goes out as it
   * comes, so a verb may print without end. Once output->write() answers an
   * error (no reader, the run is late) the verb returns it. */
  sluice_code (*command)(const sluice_host* host, const sluice_run* run,
                         sluice_bytes name, const sluice_bytes* arguments,
                         uint64_t count, const sluice_output* output,
                         sluice_error* error);
} sluice_factory;

/* The type of the exported symbol. abi_major, abi_minor and struct_size keep
 * their place in every version to come. */
typedef struct sluice_plugin_entry {
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t struct_size;
  uint32_t factory_count; /* 1 to 256 */
  sluice_bytes name;      /* for people */
  sluice_bytes version;   /* the plugin's own */
  sluice_bytes license;   /* SPDX */
  const sluice_factory* const* factories;
} sluice_plugin_entry;

#define SLUICE_PLUGIN_SYMBOL "sluice_plugin"
extern SLUICE_EXPORT const sluice_plugin_entry sluice_plugin;

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* SLUICE_PLUGIN_H_ */
