#ifndef SLUICE_TESTS_FAULTS_HARNESS_H_
#define SLUICE_TESTS_FAULTS_HARNESS_H_

// One folder with a prepared world for each verb, and a fresh copy of it for
// each fault.
//
//   Harness harness;
//   ASSERT_TRUE(harness.Prepare(verb).ok());
//   for (...) {
//     harness.Refresh();
//     told = harness.Run(verb, &faulty_files);
//     violations = harness.Violations(verb, told);
//   }

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "sluice/base/file_system.h"
#include "sluice/tests/faults/world.h"

namespace sluice {

class Harness {
 public:
  Harness();
  ~Harness();
  Harness(const Harness&) = delete;
  Harness& operator=(const Harness&) = delete;

  absl::Status Prepare(Verb verb);
  // The state right after Prepare, again.
  void Refresh();
  // `files` for everything, the catalog too.
  World::Told Run(Verb verb, FileSystem* files);
  // Recovers on sound files, hours later.
  std::vector<std::string> Violations(Verb verb,
                                      const absl::optional<World::Told>& told);

  const std::string& root() const { return root_; }

 private:
  std::string folder_;
  std::string prepared_;
  std::string root_;
  World::Ids ids_;
};

}  // namespace sluice

#endif  // SLUICE_TESTS_FAULTS_HARNESS_H_
