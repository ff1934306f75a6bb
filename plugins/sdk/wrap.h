#ifndef SLUICE_PLUGINS_SDK_WRAP_H_
#define SLUICE_PLUGINS_SDK_WRAP_H_

// C++ classes behind the C tables of the plugin ABI. Used by
// plugins/sdk/factory.h; an author needs it only to build a table by hand.
//
// Example:
//
//   const sluice_source* table = WrapSource(std::make_unique<OrdersSource>());
//   table->destroy(table->self);
//
// Every function of the tables runs behind the exception barrier, and turns a
// status into a sluice_error. The tables allocate once an object, nothing a
// call but what their strings need. Threads as sluice_plugin.h says for each.

#include <memory>

#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/plugins/sdk/place.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice::sdk {

// A table that owns `source` and lives until its destroy().
const sluice_source* WrapSource(std::unique_ptr<Source> source);
const sluice_place* WrapPlace(std::unique_ptr<Place> place);

}  // namespace sluice::sdk

#endif  // SLUICE_PLUGINS_SDK_WRAP_H_
