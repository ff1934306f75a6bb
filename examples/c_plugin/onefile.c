/* onefile:/path/to/file - a store that is a single file. A whole plugin in C11,
 * to be read as an example: what a source must do, and nothing more.
 *
 *   mkdir -p include/sluice && ln -s "$SLUICE/plugins" include/sluice/plugins
 *   cc -std=c11 -shared -fPIC -fvisibility=hidden -Iinclude onefile.c \
 *      -o sluice-source-onefile.so
 *
 * The payload is the file's bytes. A restore writes beside the target and
 * renames into place once the host has said that every byte was right. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sluice/plugins/abi/sluice_plugin.h"

#define TEXT(text) \
  { text, sizeof(text) - 1 }

/* ---- errors */

/* Fills the caller's error, where there is one, and returns the code. */
static sluice_code fail(sluice_error* error, sluice_code code, const char* word,
                        const char* doing, const char* path, int cause) {
  if (error == NULL || !SLUICE_HAS(error, sluice_error, hint)) return code;
  error->code = code;
  error->native_code = cause;
  snprintf(error->word, sizeof(error->word), "%s", word);
  snprintf(error->message, sizeof(error->message), "%s %.900s%s%s", doing, path,
           cause != 0 ? ": " : "", cause != 0 ? strerror(cause) : "");
  return code;
}

static sluice_code fail_errno(sluice_error* error, const char* doing,
                              const char* path) {
  const int cause = errno;
  switch (cause) {
    case ENOENT:
      return fail(error, SLUICE_NOT_FOUND, "source_unavailable", doing, path,
                  cause);
    case EACCES:
    case EPERM:
      return fail(error, SLUICE_PERMISSION_DENIED, "source_permission_denied",
                  doing, path, cause);
    case ENOSPC:
    case EDQUOT:
      return fail(error, SLUICE_RESOURCE_EXHAUSTED, "source_no_space", doing,
                  path, cause);
    default:
      return fail(error, SLUICE_INTERNAL, "source_failed", doing, path, cause);
  }
}

/* ---- one open store */

typedef struct store {
  sluice_source table; /* what the host holds; table.self is this store */
  char* path;
  char* staged; /* path + ".restoring" */
} store;

static void store_destroy(void* self) {
  store* s = self;
  free(s->path);
  free(s->staged);
  free(s);
}

static sluice_code store_describe(void* self, const sluice_run* run,
                                  sluice_source_info* info,
                                  sluice_error* error) {
  const store* s = self;
  struct stat status;
  (void)run;
  if (stat(s->path, &status) == 0) {
    info->empty = 0;
  } else if (errno == ENOENT) {
    info->empty = 1; /* a restore may create it */
  } else {
    return fail_errno(error, "look at", s->path);
  }
  return SLUICE_OK; /* no store_id: a file has no place to keep one */
}

/* Reads the file straight into the host's chunks. */
static sluice_code stream(const store* s, int file, const sluice_sink* sink,
                          uint64_t* total, sluice_error* error) {
  for (;;) {
    void* chunk = NULL;
    uint64_t capacity = 0;
    ssize_t size;
    /* Returns SLUICE_CANCELLED once the run is over: pass it on. */
    sluice_code code = sink->reserve(sink->self, &chunk, &capacity, error);
    if (code != SLUICE_OK) return code;
    do {
      size = read(file, chunk, capacity);
    } while (size < 0 && errno == EINTR);
    if (size < 0) {
      code = fail_errno(error, "read", s->path);
      sink->commit(sink->self, 0, NULL); /* gives the chunk back */
      return code;
    }
    code = sink->commit(sink->self, (uint64_t)size, error);
    if (code != SLUICE_OK || size == 0) return code;
    *total += (uint64_t)size;
  }
}

static sluice_code store_backup(void* self, const sluice_run* run,
                                const sluice_backup_request* request,
                                const sluice_sink* sink, sluice_error* error) {
  const store* s = self;
  struct stat before, after;
  sluice_count count = {TEXT("bytes"), 0};
  sluice_code code;
  const int file = open(s->path, O_RDONLY | O_CLOEXEC);
  (void)run, (void)request; /* the sink tells of a cancel; no increments */
  if (file < 0) return fail_errno(error, "open", s->path);
  if (fstat(file, &before) != 0) {
    code = fail_errno(error, "look at", s->path);
  } else {
    sink->set_estimate(sink->self, (uint64_t)before.st_size);
    code = stream(s, file, sink, &count.value, error);
  }
  /* One consistent snapshot: not a file that was written meanwhile. */
  if (code == SLUICE_OK &&
      (fstat(file, &after) != 0 || after.st_size != before.st_size ||
       after.st_mtim.tv_sec != before.st_mtim.tv_sec ||
       after.st_mtim.tv_nsec != before.st_mtim.tv_nsec ||
       count.value != (uint64_t)before.st_size)) {
    code = fail(error, SLUICE_ABORTED, "source_failed", "the file changed",
                s->path, 0);
    if (error != NULL) error->retryable = 1;
  }
  close(file);
  if (code != SLUICE_OK) return code;
  return sink->end(sink->self, &count, 1, error); /* the explicit end */
}

static sluice_code write_all(int file, sluice_bytes bytes) {
  const char* at = bytes.data;
  uint64_t left = bytes.size;
  while (left > 0) {
    const ssize_t size = write(file, at, left);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return SLUICE_INTERNAL;
    at += size;
    left -= (uint64_t)size;
  }
  return SLUICE_OK;
}

/* Everything up to the rename. The payload's end comes only after hash and seal
 * were checked, so a file that is not whole never gets its name. */
static sluice_code stage(const store* s, int file,
                         const sluice_payload* payload, sluice_error* error) {
  for (;;) {
    sluice_bytes bytes = {NULL, 0};
    const sluice_code code = payload->next(payload->self, &bytes, error);
    if (code != SLUICE_OK) return code;
    if (bytes.size == 0) break;
    if (write_all(file, bytes) != SLUICE_OK)
      return fail_errno(error, "write", s->staged);
  }
  if (fsync(file) != 0) return fail_errno(error, "sync", s->staged);
  return SLUICE_OK;
}

/* Makes the new name survive a power cut. */
static sluice_code sync_folder(const store* s, sluice_error* error) {
  char* folder = strdup(s->path);
  char* slash = folder != NULL ? strrchr(folder, '/') : NULL;
  int file;
  sluice_code code = SLUICE_OK;
  if (folder == NULL)
    return fail(error, SLUICE_RESOURCE_EXHAUSTED, "resource_exhausted",
                "no memory for", s->path, 0);
  if (slash != NULL) slash[slash == folder ? 1 : 0] = '\0';
  file = open(slash != NULL ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0 || fsync(file) != 0)
    code = fail_errno(error, "sync the folder of", s->path);
  if (file >= 0) close(file);
  free(folder);
  return code;
}

static sluice_code store_restore(void* self, const sluice_run* run,
                                 const sluice_restore_request* request,
                                 sluice_error* error) {
  const store* s = self;
  sluice_code code;
  int file;
  (void)run; /* next() tells of a cancel */
  if (request->payload_count != 1)
    return fail(error, SLUICE_INVALID_ARGUMENT, "archive_unsupported",
                "no increments of", s->path, 0);
  file = open(s->staged, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return fail_errno(error, "create", s->staged);
  code = stage(s, file, request->payloads[0], error);
  if (close(file) != 0 && code == SLUICE_OK)
    code = fail_errno(error, "close", s->staged);
  /* link() and not rename(): it fails where the name was taken meanwhile. */
  if (code == SLUICE_OK && link(s->staged, s->path) != 0)
    code = errno == EEXIST ? fail(error, SLUICE_FAILED_PRECONDITION,
                                  "restore_precondition_failed",
                                  "there already is", s->path, 0)
                           : fail_errno(error, "put in place", s->path);
  unlink(s->staged);
  return code == SLUICE_OK ? sync_folder(s, error) : code;
}

/* ---- the factory */

static const sluice_option_spec options_of_onefile[] = {{
    .struct_size = sizeof(sluice_option_spec),
    .type = SLUICE_OPTION_PATH,
    .flags = SLUICE_OPTION_REQUIRED,
    .name = TEXT("path"),
    .fallback = {NULL, 0},
    .help = TEXT("the file that is the store"),
}};

static sluice_code onefile_create(const sluice_host* host,
                                  const sluice_option* options, uint64_t count,
                                  const void** object, sluice_error* error) {
  static const char suffix[] = ".restoring";
  store* s = calloc(1, sizeof(*s));
  uint64_t i;
  (void)host;
  for (i = 0; s != NULL && i < count; ++i) {
    /* The host has checked that "path" is there, once, and holds no NUL. */
    const uint64_t size = options[i].value.size;
    s->path = calloc(1, size + 1);
    s->staged = calloc(1, size + sizeof(suffix));
    if (s->path == NULL || s->staged == NULL) break;
    memcpy(s->path, options[i].value.data, size);
    memcpy(s->staged, options[i].value.data, size);
    memcpy(s->staged + size, suffix, sizeof(suffix));
  }
  if (s == NULL || s->path == NULL || s->staged == NULL) {
    if (s != NULL) store_destroy(s);
    return fail(error, SLUICE_RESOURCE_EXHAUSTED, "resource_exhausted",
                "no memory for", "a store", 0);
  }
  s->table.struct_size = sizeof(s->table);
  s->table.self = s;
  s->table.destroy = store_destroy;
  s->table.describe = store_describe;
  s->table.backup = store_backup;
  s->table.restore = store_restore;
  *object = &s->table;
  return SLUICE_OK;
}

static const sluice_factory onefile = {
    .struct_size = sizeof(sluice_factory),
    .role = SLUICE_ROLE_SOURCE,
    .kind = TEXT("onefile"),
    .help = TEXT("A store that is a single file.\nonefile:/var/lib/app.db"),
    .options = options_of_onefile,
    .option_count = 1,
    .option_stride = sizeof(sluice_option_spec),
    .create = onefile_create,
    .command = NULL,
};
static const sluice_factory* const factories[] = {&onefile};

/* The one symbol that the host looks for. */
const sluice_plugin_entry sluice_plugin = {
    .abi_major = SLUICE_ABI_MAJOR,
    .abi_minor = SLUICE_ABI_MINOR,
    .struct_size = sizeof(sluice_plugin_entry),
    .factory_count = 1,
    .name = TEXT("onefile"),
    .version = TEXT("1.0.0"),
    .license = TEXT("Apache-2.0"),
    .factories = factories,
};
