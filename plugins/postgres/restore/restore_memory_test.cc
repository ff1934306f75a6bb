// What a restore holds in memory: not the database, and the largest row no more
// than twice.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/postgres/payload/payload_format.h"
#include "sluice/plugins/postgres/payload/payload_index.h"
#include "sluice/plugins/postgres/payload/row_digest.h"
#include "sluice/plugins/postgres/payload/tar_format.h"
#include "sluice/plugins/postgres/payload/tar_writer.h"
#include "sluice/plugins/postgres/restore/restore.h"
#include "sluice/plugins/postgres/restore/restore_options.h"
#include "sluice/plugins/postgres/testing/proc_status.h"
#include "sluice/plugins/postgres/testing/test_payload.h"
#include "sluice/plugins/postgres/testing/test_server.h"
#include "sluice/plugins/sdk/run.h"
#include "sluice/plugins/sdk/source.h"
#include "sluice/plugins/sdk/testing/fake_sink.h"

namespace sluice::postgres {
namespace {

constexpr uint64_t kMiB = 1 << 20;

// Bytes that are told, not kept: pieces, each so many times.
class ToldPayload : public sdk::Payload {
 public:
  void Add(std::string piece, uint64_t times = 1) {
    size_ += piece.size() * times;
    if (times > 0) pieces_.emplace_back(std::move(piece), times);
  }
  void AddMember(absl::string_view name,
                 const std::vector<std::pair<std::string, uint64_t>>& pieces) {
    uint64_t size = 0;
    for (const auto& [piece, times] : pieces) size += piece.size() * times;
    sdk::FakeSink header;
    ASSERT_TRUE(TarWriter(header).Begin(name, size).ok());
    Add(header.payload);
    for (const auto& [piece, times] : pieces) Add(piece, times);
    Add(std::string(TarPadding(size), '\0'),
        size % kTarBlockBytes == 0 ? 0 : 1);
  }

  absl::string_view backup_id() const override { return "told"; }
  const sdk::Metadata& metadata() const override { return metadata_; }
  const sdk::Counts& counts() const override { return counts_; }
  uint64_t size() const override { return size_; }
  absl::StatusOr<absl::string_view> Next() override {
    while (at_ < pieces_.size() && told_ == pieces_[at_].second) {
      ++at_;
      told_ = 0;
    }
    if (at_ == pieces_.size()) return absl::string_view();
    ++told_;
    return absl::string_view(pieces_[at_].first);
  }

 private:
  std::vector<std::pair<std::string, uint64_t>> pieces_;
  size_t at_ = 0;
  uint64_t told_ = 0;
  uint64_t size_ = 0;
  sdk::Metadata metadata_;
  sdk::Counts counts_;
};

// The most that `restore` had beyond what was there before.
template <typename Restore>
uint64_t PeakOf(const Restore& restore) {
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak is now
  const uint64_t before = FromProcStatus("VmRSS");
  restore();
  return FromProcStatus("VmHWM") - before;
}

// A payload with the given rows of the one table t (a text).
class Told {
 public:
  Told() {
    const std::string source = TestServer::Shared().CreateDatabase();
    TestServer::Shared().Exec(source,
                              "CREATE TABLE t (a text);"
                              " ALTER TABLE t ALTER a SET STORAGE EXTERNAL");
    frame_ = MakeTestPayload(TestServer::Shared(), source, CopyFormat::kText);
    payload_.AddMember(kHeadName, {{*WriteHead(frame_.head), 1}});
    payload_.AddMember(kSchemaDumpName, {{frame_.schema_dump, 1}});
    payload_.AddMember(kSchemaSqlName, {{"--", 1}});
  }
  void AddPart(const std::vector<std::pair<std::string, uint64_t>>& pieces,
               const RowDigest& digest) {
    payload_.AddMember(DataPartName(1, parts_++), pieces);
    digest_.Merge(digest);
  }
  sdk::Payload& End() {
    frame_.index.tables[0] = {1, digest_.rows(), digest_.bytes(), parts_,
                              digest_.Hex()};
    payload_.AddMember(kIndexName, {{*WriteIndex(frame_.index), 1}});
    payload_.Add(std::string(2 * kTarBlockBytes, '\0'));
    return payload_;
  }

 private:
  TestPayload frame_;
  ToldPayload payload_;
  uint64_t parts_ = 0;
  RowDigest digest_;
};

uint64_t PeakOfRestoring(sdk::Payload& payload, const std::string& target) {
  RestoreOptions options;
  options.target = TestServer::Shared().Options(target);
  sdk::FakeRestoreRequest request({&payload});
  absl::Status status;
  const uint64_t peak =
      PeakOf([&] { status = RestoreDatabase(sdk::Run(), request, options); });
  EXPECT_TRUE(status.ok()) << status;
  return peak;
}

TEST(RestoreMemoryTest, ManyRowsCostNoMoreThanTheQueue) {
  Told told;
  std::string part;
  while (part.size() < kBlobPartBytes) part += std::string(999, 'x') + "\n";
  RowDigest digest;
  ASSERT_TRUE(digest.AddRows(CopyFormat::kText, part).ok());
  for (int i = 0; i < 75; ++i) told.AddPart({{part, 1}}, digest);
  sdk::Payload& payload = told.End();
  const std::string target = TestServer::Shared().CreateDatabase();
  const uint64_t peak = PeakOfRestoring(payload, target);
  std::cout << payload.size() / kMiB << " MiB of rows: " << peak / kMiB
            << " MiB\n";
  EXPECT_LT(peak, 64 * kMiB);
  EXPECT_EQ(TestServer::Shared().Query(target, "SELECT count(*) FROM public.t"),
            std::to_string(digest.rows() * 75));
}

TEST(RestoreMemoryTest, TheLargestRowCostsNoMoreThanTwice) {
  constexpr uint64_t kRow = 256 * kMiB;
  Told told;
  const std::string chunk(kMiB, 'x');
  RowDigest digest;
  digest.AddRow(std::string(kRow, 'x') + "\n");
  for (int i = 0; i < 2; ++i) {
    told.AddPart({{chunk, 256}, {"\n", 1}}, digest);
  }
  const std::string target = TestServer::Shared().CreateDatabase();
  const uint64_t peak = PeakOfRestoring(told.End(), target);
  std::cout << "two rows of 256 MiB: " << peak / kMiB << " MiB\n";
  EXPECT_LT(peak, 64 * kMiB + 2 * kRow);
  EXPECT_EQ(
      TestServer::Shared().Query(target, "SELECT sum(length(a)) FROM public.t"),
      std::to_string(2 * kRow));
}

}  // namespace
}  // namespace sluice::postgres
