#include "sluice/plugins/postgres/payload/payload_format.h"

#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace sluice {
namespace postgres {
namespace {

using Kind = PayloadMember::Kind;

// Digits alone: no sign, no space.
bool ParseNumber(absl::string_view text, uint64_t& number) {
  if (text.empty() || text.size() > 18) return false;
  number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    number = number * 10 + static_cast<uint64_t>(c - '0');
  }
  return true;
}

absl::optional<PayloadMember> ParseNumbered(absl::string_view name) {
  const std::vector<absl::string_view> words = absl::StrSplit(name, '/');
  PayloadMember member;
  if (words.size() == 2 && words[0] == "blobs") {
    member.kind = Kind::kBlobBatch;
    absl::string_view batch = words[1];
    if (!absl::ConsumeSuffix(&batch, ".json")) return absl::nullopt;
    if (!ParseNumber(batch, member.id)) return absl::nullopt;
    return member;
  }
  if (words.size() != 3) return absl::nullopt;
  absl::string_view part = words[2];
  if (words[0] == "data" && absl::ConsumeSuffix(&part, ".copy")) {
    member.kind = Kind::kDataPart;
  } else if (words[0] == "blobs") {
    member.kind = Kind::kBlobPart;
  } else {
    return absl::nullopt;
  }
  if (!ParseNumber(words[1], member.id)) return absl::nullopt;
  if (!ParseNumber(part, member.part)) return absl::nullopt;
  return member;
}

std::string NameOf(const PayloadMember& member) {
  switch (member.kind) {
    case Kind::kDataPart:
      return DataPartName(member.id, member.part);
    case Kind::kBlobBatch:
      return BlobBatchName(member.id);
    default:
      return BlobPartName(static_cast<uint32_t>(member.id), member.part);
  }
}

}  // namespace

std::string DataPartName(uint64_t table_id, uint64_t part) {
  return absl::StrFormat("data/%d/%06d.copy", table_id, part);
}

std::string BlobBatchName(uint64_t batch) {
  return absl::StrFormat("blobs/%06d.json", batch);
}

std::string BlobPartName(uint32_t oid, uint64_t part) {
  return absl::StrFormat("blobs/%d/%06d", oid, part);
}

absl::optional<PayloadMember> ParseMemberName(absl::string_view name) {
  if (name == kHeadName) return PayloadMember{Kind::kHead, 0, 0};
  if (name == kSchemaDumpName) return PayloadMember{Kind::kSchemaDump, 0, 0};
  if (name == kSchemaSqlName) return PayloadMember{Kind::kSchemaSql, 0, 0};
  if (name == kIndexName) return PayloadMember{Kind::kIndex, 0, 0};
  const absl::optional<PayloadMember> member = ParseNumbered(name);
  if (!member.has_value() || NameOf(*member) != name) return absl::nullopt;
  return member;
}

}  // namespace postgres
}  // namespace sluice
