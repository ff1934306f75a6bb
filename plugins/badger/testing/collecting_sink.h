#ifndef SLUICE_PLUGINS_BADGER_TESTING_COLLECTING_SINK_H_
#define SLUICE_PLUGINS_BADGER_TESTING_COLLECTING_SINK_H_

#include "sluice/plugins/sdk/testing/fake_sink.h"

namespace sluice {
namespace badger {

// A sink that keeps all it is given, an index too. For tests.
class CollectingSink : public sdk::FakeSink {
 public:
  CollectingSink() { keeps = true; }
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_TESTING_COLLECTING_SINK_H_
