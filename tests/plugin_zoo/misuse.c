/* A source that breaks one rule of its run, and says that all is well. Which
 * one stands in the environment. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/plugins/abi/sluice_plugin.h"

static const sluice_host* the_host;
static const sluice_sink* the_sink;
static pthread_t late_thread;
static pthread_mutex_t late_may_call = PTHREAD_MUTEX_INITIALIZER;
static sluice_code late_code;

static int is(const char* rule) {
  const char* wanted = getenv("ZOO_MISUSE");
  return wanted != NULL && strcmp(wanted, rule) == 0;
}

static sluice_code write_text(const sluice_sink* sink) {
  const sluice_bytes bytes = {"zoo", 3};
  return sink->write(sink->self, bytes, NULL);
}

/* Until it is refused; then says so, so that the test lets the other go on. */
static void* write_until_refused(void* sink) {
  const sluice_bytes line = {"refused", 7};
  while (write_text(sink) == SLUICE_OK) {
  }
  the_host->log(the_host->self, SLUICE_LOG_INFO, line);
  return NULL;
}

static void* write_late(void* unused) {
  (void)unused;
  pthread_mutex_lock(&late_may_call);
  late_code = write_text(the_sink);
  pthread_mutex_unlock(&late_may_call);
  return NULL;
}

static sluice_code backup(void* self, const sluice_run* run,
                          const sluice_backup_request* request,
                          const sluice_sink* sink, sluice_error* error) {
  const sluice_count count = {{"bytes", 5}, 3};
  (void)self, (void)run, (void)request, (void)error;
  if (is("two threads")) {
    pthread_t other;
    pthread_create(&other, NULL, write_until_refused, (void*)sink);
    write_until_refused((void*)sink);
    pthread_join(other, NULL);
  } else if (is("impossible length")) {
    const sluice_bytes bytes = {"zoo", UINT64_MAX};
    sink->write(sink->self, bytes, NULL);
  } else if (is("impossible counts")) {
    return sink->end(sink->self, &count, UINT64_MAX, NULL);
  } else if (is("late call")) {
    the_sink = sink;
    pthread_mutex_lock(&late_may_call); /* let go of by describe() */
    pthread_create(&late_thread, NULL, write_late, NULL);
  } else if (is("thread exit")) {
    pthread_exit(NULL);
  }
  write_text(sink);
  sink->end(sink->self, &count, 1, NULL);
  return SLUICE_OK;
}

/* Reads the last payload first. */
static sluice_code restore(void* self, const sluice_run* run,
                           const sluice_restore_request* request,
                           sluice_error* error) {
  uint32_t i = request->payload_count;
  (void)self, (void)run, (void)error;
  while (i-- > 0) {
    const sluice_payload* payload = request->payloads[i];
    sluice_bytes bytes;
    do {
      bytes.size = 0;
      payload->next(payload->self, &bytes, NULL);
    } while (bytes.size > 0);
  }
  return SLUICE_OK;
}

static sluice_code describe(void* self, const sluice_run* run,
                            sluice_source_info* info, sluice_error* error) {
  (void)self, (void)run, (void)error;
  info->empty = 1;
  if (!is("late call")) return SLUICE_OK;
  pthread_mutex_unlock(&late_may_call);
  pthread_join(late_thread, NULL);
  return late_code;
}

static sluice_code create(const sluice_host* host, const sluice_option* options,
                          uint64_t count, const void** object,
                          sluice_error* error);

#define ZOO_CREATE create
#define ZOO_BACKUP backup
#define ZOO_DESCRIBE describe
#define ZOO_RESTORE restore
#include "zoo.h"

static sluice_code create(const sluice_host* host, const sluice_option* options,
                          uint64_t count, const void** object,
                          sluice_error* error) {
  the_host = host;
  return zoo_create(host, options, count, object, error);
}
