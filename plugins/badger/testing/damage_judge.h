#ifndef SLUICE_PLUGINS_BADGER_TESTING_DAMAGE_JUDGE_H_
#define SLUICE_PLUGINS_BADGER_TESTING_DAMAGE_JUDGE_H_

// What a listing makes of a damage, told from the piece that is damaged alone:
// a listing reads every index, every block and every record that it needs, so
// an error of one is an error of all, and a piece that reads as before changes
// nothing. Some microseconds, where a listing takes milliseconds. For tests,
// which hold it to whole listings.
//
//   DamageJudge judge(folder, fixture.Options());
//   folder.Flip("000001.sst", 4711, 1);
//   if (judge.OfFlip("000001.sst", 4711) == Verdict::kUnknown) List(...);
//
// One thread.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sluice/plugins/badger/format/key_registry.h"
#include "sluice/plugins/badger/format/manifest.h"
#include "sluice/plugins/badger/format/table.h"
#include "sluice/plugins/badger/image/image.h"
#include "sluice/plugins/badger/testing/damaged_folder.h"

namespace sluice {
namespace badger {

enum class Verdict {
  kError,         // an error
  kSame,          // the listing that there was
  kErrorOrSame,   // either: the piece is an error, and may not be needed
  kAsTheRecords,  // what a cut at the end of the last whole record makes
  kUnknown        // only a whole listing tells
};

class DamageJudge {
 public:
  // `folder` is whole, and outlives this.
  DamageJudge(DamagedFolder& folder, const ImageOptions& options);

  // The damage has been done to the folder.
  Verdict OfFlip(const std::string& name, uint64_t at);
  Verdict OfCut(const std::string& name, uint64_t size);

 private:
  using Piece = DamagedFolder::Piece;

  // What is no value log; `at` is null where it was cut.
  Verdict OfOther(const std::string& name, const uint64_t* at);
  Verdict OfManifest();
  Verdict OfKeyRegistry();
  // `flipped`: a byte, or null for a cut.
  Verdict OfTable(const ManifestTable& listed, const uint64_t* flipped);
  Verdict OfBlock(Table& table, size_t i);
  Verdict OfFlippedRecord(const std::string& name, uint64_t at);
  Verdict OfCutLog(const std::string& name, uint64_t size);
  // A value log that is read by pointers alone.
  bool IsValueLog(const std::string& name) const;

  DamagedFolder& folder_;
  const ImageOptions options_;
  Manifest manifest_;
  KeyRegistry keys_;
  std::map<std::string, ManifestTable> tables_;  // by name of the file
  // What the whole folder's blocks hold, by name of the file and number.
  std::map<std::string, std::vector<std::string>> blocks_;
  // The records of value logs that a listing reads, by offset.
  std::map<std::string, std::vector<Piece>> needed_;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_TESTING_DAMAGE_JUDGE_H_
