// Compares the plugin ABI with its frozen layout, in every build that uses the
// header. Where this fails, a plugin that was built before would break: change
// the header back, and read STYLE.md on how it may grow.

#include <cstddef>
#include <type_traits>

#include "sluice/plugins/abi/sluice_plugin.h"

static_assert(sizeof(void*) == 8 && sizeof(size_t) == 8,
              "the frozen layout is that of LP64");
static_assert(SLUICE_ABI_MAJOR == 1, "a new major needs a layout of its own");

#define SLUICE_VALUE(constant, number) \
  static_assert(constant == number, #constant " changed its value");
// A minor itself has exactly its frozen sizes; a later one may only be larger.
#define SLUICE_GROWING(type, size)                                         \
  static_assert(                                                           \
      sizeof(type) == size ||                                              \
          (SLUICE_ABI_MINOR > SLUICE_FROZEN_MINOR && sizeof(type) > size), \
      #type " changed its size");                                          \
  static_assert(std::is_standard_layout_v<type> && std::is_trivial_v<type>);
#define SLUICE_FIXED(type, size) \
  static_assert(sizeof(type) == size, #type " may never change its size");
#define SLUICE_MEMBER(type, member, offset, ...)                               \
  static_assert(offsetof(type, member) == offset, #type "." #member " moved"); \
  static_assert(std::is_same_v<decltype(type::member), __VA_ARGS__>,           \
                #type "." #member " changed its type");

#define SLUICE_FROZEN_MINOR 0u
#include "layout_v1_0.inc"
#undef SLUICE_FROZEN_MINOR
#define SLUICE_FROZEN_MINOR 1u
#include "layout_v1_1.inc"
