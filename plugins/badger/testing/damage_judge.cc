#include "sluice/plugins/badger/testing/damage_judge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "sluice/plugins/badger/format/block.h"
#include "sluice/plugins/badger/format/log_record.h"
#include "sluice/plugins/badger/format/table_index.h"
#include "sluice/plugins/badger/image/log_file.h"
#include "sluice/plugins/badger/testing/fixture.h"
#include "sluice/plugins/badger/wire/image_error.h"
#include "sluice/plugins/badger/wire/random_file.h"

namespace sluice {
namespace badger {
namespace {

std::string ReadAll(FileSystem& folder, const std::string& name) {
  std::string bytes;
  const auto file = RandomFile::Open(folder, name);
  EXPECT_TRUE(file.ok()) << file.status();
  if (file.ok()) {
    EXPECT_TRUE((*file)->Read(0, (*file)->size(), bytes).ok()) << name;
  }
  return bytes;
}

}  // namespace

DamageJudge::DamageJudge(DamagedFolder& folder, const ImageOptions& options)
    : folder_(folder), options_(options) {
  const auto manifest = ParseManifest(folder.files().at("MANIFEST"));
  EXPECT_TRUE(manifest.ok()) << manifest.status();
  if (manifest.ok()) manifest_ = *manifest;
  auto keys =
      KeyRegistry::Parse(folder.files().at("KEYREGISTRY"), options.master_key);
  EXPECT_TRUE(keys.ok()) << keys.status();
  if (keys.ok()) keys_ = *std::move(keys);
  for (const auto& [id, listed] : manifest_.tables) {
    const std::string name = TableFileName(id);
    tables_[name] = listed;
    const auto table = Table::Open(
        folder, listed, *keys_.Find(listed.key_number), manifest_.version);
    EXPECT_TRUE(table.ok()) << table.status();
    if (!table.ok()) continue;
    for (size_t i = 0; i < (*table)->index().size(); ++i) {
      Block block;
      std::string plain;
      EXPECT_TRUE((*table)->ReadBlock(i, plain, block).ok()) << name;
      blocks_[name].push_back(std::move(plain));
    }
  }
  // Which records of the value logs a listing needs.
  for (const auto& file : folder.files()) folder.TakeReads(file.first);
  EXPECT_TRUE(List(folder, options).ok());
  for (const auto& file : folder.files()) {
    if (!IsValueLog(file.first)) continue;
    std::vector<Piece> reads = folder.TakeReads(file.first);
    std::sort(reads.begin(), reads.end(), [](const Piece& a, const Piece& b) {
      return a.offset < b.offset;
    });
    for (const Piece& read : reads) {
      if (read.offset >= kLogHeaderBytes) needed_[file.first].push_back(read);
    }
  }
}

bool DamageJudge::IsValueLog(const std::string& name) const {
  return manifest_.version >= 8 && absl::EndsWith(name, ".vlog");
}

Verdict DamageJudge::OfFlip(const std::string& name, uint64_t at) {
  return IsValueLog(name) ? OfFlippedRecord(name, at) : OfOther(name, &at);
}

Verdict DamageJudge::OfCut(const std::string& name, uint64_t size) {
  return IsValueLog(name) ? OfCutLog(name, size) : OfOther(name, nullptr);
}

Verdict DamageJudge::OfOther(const std::string& name, const uint64_t* at) {
  if (name == "MANIFEST") return OfManifest();
  if (name == "KEYREGISTRY") return OfKeyRegistry();
  const auto table = tables_.find(name);
  return table == tables_.end() ? Verdict::kUnknown
                                : OfTable(table->second, at);
}

Verdict DamageJudge::OfManifest() {
  const auto manifest = ParseManifest(ReadAll(folder_, "MANIFEST"));
  return manifest.ok() ? Verdict::kUnknown : Verdict::kError;
}

Verdict DamageJudge::OfKeyRegistry() {
  const auto keys =
      KeyRegistry::Parse(ReadAll(folder_, "KEYREGISTRY"), options_.master_key);
  return keys.ok() ? Verdict::kUnknown : Verdict::kError;
}

Verdict DamageJudge::OfTable(const ManifestTable& listed,
                             const uint64_t* flipped) {
  const auto table = Table::Open(
      folder_, listed, *keys_.Find(listed.key_number), manifest_.version);
  if (!table.ok()) return Verdict::kError;
  if (flipped == nullptr) return Verdict::kUnknown;
  for (size_t i = 0; i < (*table)->index().size(); ++i) {
    const TableIndex::BlockRef block = (*table)->index().BlockAt(i);
    if (*flipped >= block.offset && *flipped - block.offset < block.size) {
      return OfBlock(**table, i);
    }
  }
  return Verdict::kUnknown;
}

Verdict DamageJudge::OfBlock(Table& table, size_t i) {
  Block block;
  std::string plain;
  if (!table.ReadBlock(i, plain, block).ok()) return Verdict::kError;
  return plain == blocks_[table.name()][i] ? Verdict::kSame : Verdict::kUnknown;
}

Verdict DamageJudge::OfFlippedRecord(const std::string& name, uint64_t at) {
  if (at < kLogHeaderBytes) return Verdict::kUnknown;
  const auto log = LogFile::Open(folder_, name, keys_);
  if (!log.ok()) return Verdict::kUnknown;
  for (const Piece& piece : needed_[name]) {
    if (at < piece.offset || at - piece.offset >= piece.size) continue;
    std::string bytes;
    LogRecord record;
    const bool reads =
        (*log)->Read(piece.offset, piece.size, bytes, record).ok();
    return reads ? Verdict::kUnknown : Verdict::kErrorOrSame;
  }
  return Verdict::kSame;  // nothing reads it
}

Verdict DamageJudge::OfCutLog(const std::string& name, uint64_t size) {
  if (size <= kLogHeaderBytes) return Verdict::kUnknown;
  const auto log = LogFile::Open(folder_, name, keys_);
  if (!log.ok()) return Verdict::kUnknown;
  for (const Piece& piece : needed_[name]) {
    const uint64_t end = piece.offset + piece.size;
    if (end < size) continue;
    if (end == size) return Verdict::kUnknown;
    std::string bytes;
    LogRecord record;
    const absl::Status read =
        (*log)->Read(piece.offset, piece.size, bytes, record);
    return IsDangling(read) ? Verdict::kAsTheRecords : Verdict::kUnknown;
  }
  return Verdict::kSame;  // nothing is read of what is gone
}

}  // namespace badger
}  // namespace sluice
