// Whatever a log holds: the scan ends within it, what it shows can be read
// again by position, and cutting the log where the scan ended changes nothing.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "sluice/plugins/badger/format/key_registry.h"
#include "sluice/plugins/badger/image/log_file.h"
#include "sluice/plugins/badger/image/log_scanner.h"
#include "sluice/plugins/badger/testing/fuzz_bytes.h"
#include "sluice/plugins/badger/testing/string_file.h"
#include "sluice/plugins/badger/wire/crc32c.h"

namespace sluice {
namespace badger {
namespace {

struct Seen {
  uint64_t offset;
  uint32_t size;
  std::string key;
};

class Recorder final : public LogVisitor {
 public:
  absl::Status OnRecord(const ScannedRecord& record) override {
    seen.push_back(
        {record.offset, record.size, std::string(record.key.user_key)});
    return absl::OkStatus();
  }
  void Commit() override { committed = seen.size(); }
  void Drop() override { seen.resize(committed); }

  std::vector<Seen> seen;
  size_t committed = 0;
};

LogEnd Scan(const std::string& bytes, Recorder& recorder) {
  const KeyRegistry keys;
  const auto log = LogFile::Create(FileOf(bytes), keys);
  if (!log.ok()) return LogEnd();  // encrypted, says its header
  const auto end = ScanLog(**log, kLogHeaderBytes, recorder);
  if (!end.ok() || end->valid_end > end->record_end ||
      end->record_end > bytes.size() ||
      recorder.committed != recorder.seen.size()) {
    std::abort();
  }
  std::string buffer;
  LogRecord record;
  for (const Seen& seen : recorder.seen) {
    InternalKey key;
    if (!(*log)->Read(seen.offset, seen.size, buffer, record).ok() ||
        !ParseInternalKey(record.key, key) ||
        key.user_key != absl::string_view(seen.key)) {
      std::abort();
    }
  }
  return *end;
}

void Check(const std::string& bytes) {
  Recorder whole;
  const LogEnd end = Scan(bytes, whole);
  if (end.valid_end < kLogHeaderBytes) return;
  Recorder cut;
  const LogEnd again = Scan(bytes.substr(0, end.valid_end), cut);
  if (again.valid_end != end.valid_end || again.tail != LogTail::kEmpty ||
      cut.seen.size() != whole.seen.size()) {
    std::abort();
  }
}

}  // namespace
}  // namespace badger
}  // namespace sluice

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::badger;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  Check(bytes);
  // As the one record of a log.
  Check(std::string(kLogHeaderBytes, '\0') + bytes +
        BigEndian32(Crc32c(bytes)));
  return 0;
}
