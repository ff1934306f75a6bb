#include "sluice/plugins/postgres/tools/frontend_parser.h"

#include <cstring>
#include <utility>

namespace sluice::postgres {
namespace {

using Kind = FrontendRequest::Kind;

constexpr uint32_t kSslRequest = 80877103;
constexpr uint32_t kGssRequest = 80877104;
constexpr uint32_t kProtocol3 = 196608;
// A startup packet: its length, its code. A query: its letter, its length
// without that.
constexpr size_t kStartupHeaderBytes = 8;
constexpr size_t kQueryHeaderBytes = 5;

}  // namespace

absl::optional<FrontendRequest> FrontendParser::Next() {
  if (ended_) return End();
  return started_ ? NextQuery() : NextStartup();
}

absl::optional<FrontendRequest> FrontendParser::NextStartup() {
  if (bytes_.size() < kStartupHeaderBytes) return absl::nullopt;
  const uint32_t size = Int32At(0), code = Int32At(4);
  if (code == kSslRequest || code == kGssRequest) {
    if (size != kStartupHeaderBytes) return End();
    bytes_.erase(0, size);
    return FrontendRequest{Kind::kEncryption, ""};
  }
  if (code != kProtocol3 || size < kStartupHeaderBytes ||
      size > kMaxStartupBytes) {
    return End();
  }
  if (bytes_.size() < size) return absl::nullopt;
  bytes_.erase(0, size);
  started_ = true;
  return FrontendRequest{Kind::kStartup, ""};
}

absl::optional<FrontendRequest> FrontendParser::NextQuery() {
  if (bytes_.size() < kQueryHeaderBytes) return absl::nullopt;
  const uint32_t size = Int32At(1);  // with its own four bytes
  if (bytes_[0] != 'Q' || size < kQueryHeaderBytes || size > kMaxQueryBytes) {
    return End();
  }
  if (bytes_.size() - 1 < size) return absl::nullopt;
  // It ends with a NUL; what came after an earlier one would be no statement.
  std::string sql =
      bytes_.substr(kQueryHeaderBytes, size - kQueryHeaderBytes + 1);
  bytes_.erase(0, size + 1);
  if (sql.back() != '\0') return End();
  sql.resize(std::strlen(sql.c_str()));
  return FrontendRequest{Kind::kQuery, std::move(sql)};
}

FrontendRequest FrontendParser::End() {
  ended_ = true;
  bytes_.clear();
  return {Kind::kEnd, ""};
}

uint32_t FrontendParser::Int32At(size_t at) const {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes_[at + i]);
  }
  return value;
}

}  // namespace sluice::postgres
