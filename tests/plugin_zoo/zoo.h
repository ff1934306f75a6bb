/* A whole plugin in C, every table of which an animal of the zoo can spoil:
 * define one of the macros below, then include this. What it does when it is
 * whole: a source that streams "zoo" and restores into nothing. */
#ifndef SLUICE_TESTS_PLUGIN_ZOO_ZOO_H_
#define SLUICE_TESTS_PLUGIN_ZOO_ZOO_H_

#include <stddef.h>
#include <stdint.h>

#include "sluice/plugins/abi/sluice_plugin.h"

#ifndef ZOO_MAJOR
#define ZOO_MAJOR SLUICE_ABI_MAJOR
#endif
#ifndef ZOO_MINOR
#define ZOO_MINOR SLUICE_ABI_MINOR
#endif
#ifndef ZOO_ENTRY_SIZE
#define ZOO_ENTRY_SIZE sizeof(sluice_plugin_entry)
#endif
#ifndef ZOO_FACTORY_SIZE
#define ZOO_FACTORY_SIZE sizeof(sluice_factory)
#endif
#ifndef ZOO_SOURCE_SIZE
#define ZOO_SOURCE_SIZE sizeof(sluice_source)
#endif
#ifndef ZOO_ROLE
#define ZOO_ROLE SLUICE_ROLE_SOURCE
#endif
#ifndef ZOO_KIND
#define ZOO_KIND "zoo"
#endif
#ifndef ZOO_CREATE
#define ZOO_CREATE zoo_create
#endif
#ifndef ZOO_DESCRIBE
#define ZOO_DESCRIBE zoo_describe
#endif
#ifndef ZOO_BACKUP
#define ZOO_BACKUP zoo_backup
#endif
#ifndef ZOO_RESTORE
#define ZOO_RESTORE zoo_restore
#endif
#ifndef ZOO_OPTIONS
#define ZOO_OPTIONS NULL
#define ZOO_OPTION_COUNT 0
#endif
#ifndef ZOO_OPTION_STRIDE
#define ZOO_OPTION_STRIDE sizeof(sluice_option_spec)
#endif
#ifndef ZOO_FACTORIES
#define ZOO_FACTORIES zoo_factories
#define ZOO_FACTORY_COUNT 1
#endif
#ifndef ZOO_OBJECT
#define ZOO_OBJECT &zoo_source
#endif

#define ZOO_TEXT(text) \
  { text, sizeof(text) - 1 }

static inline void zoo_destroy(void* self) { (void)self; }

static inline sluice_code zoo_describe(void* self, const sluice_run* run,
                                       sluice_source_info* info,
                                       sluice_error* error) {
  (void)self, (void)run, (void)error;
  info->empty = 1;
  return SLUICE_OK;
}

static inline sluice_code zoo_backup(void* self, const sluice_run* run,
                                     const sluice_backup_request* request,
                                     const sluice_sink* sink,
                                     sluice_error* error) {
  const sluice_bytes bytes = ZOO_TEXT("zoo");
  const sluice_count count = {ZOO_TEXT("bytes"), 3};
  sluice_code code = sink->write(sink->self, bytes, error);
  (void)self, (void)run, (void)request;
  return code == SLUICE_OK ? sink->end(sink->self, &count, 1, error) : code;
}

static inline sluice_code zoo_restore(void* self, const sluice_run* run,
                                      const sluice_restore_request* request,
                                      sluice_error* error) {
  (void)self, (void)run, (void)request, (void)error;
  return SLUICE_OK;
}

static const sluice_source zoo_source = {
    .struct_size = (uint32_t)(ZOO_SOURCE_SIZE),
    .self = NULL,
    .destroy = zoo_destroy,
    .describe = ZOO_DESCRIBE,
    .backup = ZOO_BACKUP,
    .restore = ZOO_RESTORE,
};

static inline sluice_code zoo_create(const sluice_host* host,
                                     const sluice_option* options,
                                     uint64_t count, const void** object,
                                     sluice_error* error) {
  (void)host, (void)options, (void)count, (void)error, (void)zoo_source;
  *object = ZOO_OBJECT;
  return SLUICE_OK;
}

static const sluice_factory zoo_factory = {
    .struct_size = (uint32_t)(ZOO_FACTORY_SIZE),
    .role = ZOO_ROLE,
    .kind = ZOO_TEXT(ZOO_KIND),
    .help = ZOO_TEXT("An animal of the zoo.\nzoo:"),
    .options = ZOO_OPTIONS,
    .option_count = ZOO_OPTION_COUNT,
    .option_stride = (uint32_t)(ZOO_OPTION_STRIDE),
    .reserved = 0,
    .create = ZOO_CREATE,
    .command = NULL,
};

#ifndef ZOO_LIST
#define ZOO_LIST &zoo_factory
#endif
static const sluice_factory* const zoo_factories[] = {ZOO_LIST};

#ifndef ZOO_NO_ENTRY
const sluice_plugin_entry sluice_plugin = {
    .abi_major = ZOO_MAJOR,
    .abi_minor = ZOO_MINOR,
    .struct_size = (uint32_t)(ZOO_ENTRY_SIZE),
    .factory_count = ZOO_FACTORY_COUNT,
    .name = ZOO_TEXT("zoo"),
    .version = ZOO_TEXT("1"),
    .license = ZOO_TEXT("MIT"),
    .factories = ZOO_FACTORIES,
};
#endif

#endif /* SLUICE_TESTS_PLUGIN_ZOO_ZOO_H_ */
