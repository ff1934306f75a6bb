// Whatever bytes an index is: it is damaged, or its keys ascend, the versions
// of each descend, and written anew it reads the same.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/badger/stream/backup_index.h"
#include "sluice/plugins/badger/testing/fake_payload.h"

namespace {

using sluice::badger::FakePayload;
using sluice::badger::IndexReader;
using sluice::badger::IndexRecord;
using sluice::badger::IndexWriter;

// False where it is damaged.
bool Read(const std::string& bytes, std::vector<IndexRecord>& records) {
  FakePayload payload(bytes, 5);
  IndexReader reader(payload);
  absl::Status status = reader.Next();
  while (status.ok() && reader.Valid()) {
    records.push_back(reader.record());
    status = reader.Next();
  }
  return status.ok();
}

void CheckOrder(const std::vector<IndexRecord>& records) {
  std::string last;
  for (const IndexRecord& record : records) {
    if (record.key <= last) std::abort();
    last = record.key;
    for (size_t i = 1; i < record.versions.size(); ++i) {
      if (record.versions[i].version >= record.versions[i - 1].version) {
        std::abort();
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<IndexRecord> records;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const bool is_whole = Read(bytes, records);
  CheckOrder(records);
  if (!is_whole) return 0;
  std::string written;
  IndexWriter writer([&](absl::string_view more) {
    written.append(more.data(), more.size());
    return absl::OkStatus();
  });
  for (const IndexRecord& record : records) {
    if (!writer.Add(record).ok()) std::abort();
  }
  std::vector<IndexRecord> again;
  if (!writer.Finish().ok() || !Read(written, again)) std::abort();
  if (again.size() != records.size()) std::abort();
  return 0;
}
