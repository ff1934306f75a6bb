/* A place that answers with what cannot be true. The name of the object says
 * what it lies about. */
#include <string.h>

#include "sluice/plugins/abi/sluice_plugin.h"

static int is(sluice_bytes name, const char* text) {
  return name.size == strlen(text) && memcmp(name.data, text, name.size) == 0;
}

static void destroy(void* self) { (void)self; }
static sluice_code describe(void* self, const sluice_run* run, uint32_t probe,
                            sluice_place_info* info, sluice_error* error) {
  (void)self, (void)run, (void)probe, (void)error;
  info->capabilities = 0xFFFFFFFFu; /* bits that do not exist yet */
  return SLUICE_OK;
}
static sluice_code create(void* self, const sluice_run* run,
                          sluice_error* error) {
  (void)self, (void)run, (void)error;
  return SLUICE_INTERNAL; /* without a word */
}

static sluice_code read_too_much(void* self, void* buffer, uint64_t capacity,
                                 uint64_t* size, sluice_error* error) {
  (void)self, (void)buffer, (void)error;
  *size = capacity + 1;
  return SLUICE_OK;
}
static const sluice_reader reader = {sizeof(sluice_reader), 0, read_too_much,
                                     destroy};
static const sluice_reader reader_without_read = {sizeof(sluice_reader), 0, 0,
                                                  destroy};
static const sluice_writer small_writer = {
    offsetof(sluice_writer, destroy), 0, 0, 0, 0, 0};

static sluice_code begin(void* self, const sluice_run* run, sluice_bytes name,
                         uint64_t size_hint, const sluice_writer** writer,
                         sluice_error* error) {
  (void)self, (void)run, (void)size_hint, (void)error;
  *writer = is(name, "small") ? &small_writer : 0;
  return SLUICE_OK;
}
static sluice_code open_object(void* self, const sluice_run* run,
                               sluice_bytes name, uint64_t offset,
                               const sluice_reader** out, sluice_error* error) {
  (void)self, (void)run, (void)offset, (void)error;
  *out = is(name, "more")       ? &reader
         : is(name, "function") ? &reader_without_read
                                : 0;
  return SLUICE_OK;
}
static sluice_code stat_object(void* self, const sluice_run* run,
                               sluice_bytes name, sluice_object* object,
                               sluice_error* error) {
  (void)self, (void)run, (void)name, (void)object, (void)error;
  return 99;
}
static sluice_code list(void* self, const sluice_run* run, sluice_bytes prefix,
                        const sluice_object_list* out, sluice_error* error) {
  sluice_object object;
  (void)self, (void)run, (void)prefix;
  memset(&object, 0, sizeof(object));
  object.struct_size = sizeof(object);
  object.name.data = "../../etc/passwd";
  object.name.size = 16;
  out->add(out->self, &object, error);
  return SLUICE_OK; /* takes no notice of the refusal */
}
static sluice_code list_small(void* self, const sluice_run* run,
                              sluice_bytes prefix,
                              const sluice_object_list* out,
                              sluice_error* error) {
  sluice_object object;
  (void)self, (void)run, (void)prefix;
  memset(&object, 0, sizeof(object));
  object.struct_size = offsetof(sluice_object, upload);
  object.name.data = "a";
  object.name.size = 1;
  return out->add(out->self, &object, error);
}
static sluice_code remove_object(void* self, const sluice_run* run,
                                 sluice_bytes name, sluice_error* error) {
  (void)self, (void)run, (void)name;
  error->struct_size = 0xFFFFFFFFu; /* not its to write */
  return SLUICE_PERMISSION_DENIED;
}

static const sluice_place place = {sizeof(sluice_place),
                                   0,
                                   destroy,
                                   describe,
                                   create,
                                   begin,
                                   open_object,
                                   stat_object,
                                   list,
                                   remove_object,
                                   list_small,
                                   remove_object};

static sluice_code make(const sluice_host* host, const sluice_option* options,
                        uint64_t count, const void** object,
                        sluice_error* error) {
  (void)host, (void)options, (void)count, (void)error;
  *object = &place;
  return SLUICE_OK;
}

static const sluice_factory factory = {sizeof(sluice_factory),
                                       SLUICE_ROLE_PLACE,
                                       {"zoo", 3},
                                       {"", 0},
                                       0,
                                       0,
                                       0,
                                       0,
                                       make,
                                       0};
static const sluice_factory* const factories[] = {&factory};
const sluice_plugin_entry sluice_plugin = {SLUICE_ABI_MAJOR,
                                           SLUICE_ABI_MINOR,
                                           sizeof(sluice_plugin_entry),
                                           1,
                                           {"liar", 4},
                                           {"1", 1},
                                           {"MIT", 3},
                                           factories};
