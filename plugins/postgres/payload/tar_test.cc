#include <gtest/gtest.h>
#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/feed.h"
#include "sluice/plugins/postgres/payload/tar_format.h"
#include "sluice/plugins/postgres/payload/tar_reader.h"
#include "sluice/plugins/postgres/payload/tar_writer.h"
#include "sluice/plugins/sdk/testing/fake_sink.h"

namespace sluice::postgres {
namespace {

using Members = std::vector<std::pair<std::string, std::string>>;

class MemberCollector : public TarVisitor {
 public:
  absl::Status BeginMember(absl::string_view name, uint64_t size) override {
    members.emplace_back(std::string(name), "");
    sizes.push_back(size);
    return absl::OkStatus();
  }
  absl::Status AppendMember(absl::string_view bytes) override {
    if (bytes.empty()) return absl::InternalError("no bytes");
    members.back().second.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  }
  absl::Status EndMember() override {
    ++ended;
    return absl::OkStatus();
  }

  Members members;
  std::vector<uint64_t> sizes;
  size_t ended = 0;
};

absl::Status ReadTar(absl::string_view tar, size_t piece,
                     MemberCollector& collector) {
  TarReader reader(collector);
  return FeedInPieces(reader, tar, piece);
}

std::string CodeOfReading(const std::string& tar) {
  MemberCollector collector;
  return ErrorCodeOf(ReadTar(tar, 100, collector));
}

std::string Write(const Members& members) {
  sdk::FakeSink sink;
  TarWriter tar(sink);
  for (const auto& [name, bytes] : members) {
    EXPECT_TRUE(tar.Add(name, bytes).ok());
  }
  EXPECT_TRUE(tar.Finish().ok());
  EXPECT_EQ(tar.bytes(), sink.payload.size());
  return sink.payload;
}

const Members& ExampleMembers() {
  static const Members* const kExample =
      new Members{{"empty", ""},
                  {"one", "1"},
                  {"block", std::string(512, 'b')},
                  {"more", std::string(513, 'm')},
                  {std::string(100, 'n'), "name that just fits"},
                  {std::string(101, 'p'), "name that needs a pax header"}};
  return *kExample;
}

// A header alone, its checksum right.
std::string HeaderOf(const std::string& name, absl::string_view size,
                     char type) {
  std::string block(kTarBlockBytes, '\0');
  std::copy(name.begin(), name.end(), block.begin());
  std::copy(size.begin(), size.end(), block.begin() + kTarSize.offset);
  block[kTarType.offset] = type;
  std::copy(kTarMagicValue.begin(), kTarMagicValue.end(),
            block.begin() + kTarMagic.offset);
  std::array<char, 8> sum{};
  snprintf(sum.data(), sum.size(), "%06o", TarChecksum(block));
  std::copy_n(sum.data(), 7, block.begin() + kTarChecksum.offset);
  return block;
}

std::string Padded(std::string bytes) {
  bytes.resize(bytes.size() + TarPadding(bytes.size()));
  return bytes;
}

const std::string& EndOfTar() {
  static const std::string* const kEnd =
      new std::string(2 * kTarBlockBytes, '\0');
  return *kEnd;
}

TEST(TarTest, WhatIsWrittenIsReadHoweverItIsCut) {
  const std::string tar = Write(ExampleMembers());
  EXPECT_EQ(tar.size() % kTarBlockBytes, 0u);
  for (const size_t piece :
       {size_t{1}, size_t{511}, size_t{512}, size_t{513}, size_t{1} << 20}) {
    MemberCollector collector;
    const absl::Status status = ReadTar(tar, piece, collector);
    ASSERT_TRUE(status.ok()) << status << " in pieces of " << piece;
    EXPECT_EQ(collector.members, ExampleMembers());
    EXPECT_EQ(collector.ended, ExampleMembers().size());
  }
}

TEST(TarTest, TarItselfReadsWhatIsWritten) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / "tar_test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "it.tar") << Write(ExampleMembers());
  ASSERT_EQ(
      system(absl::StrCat("cd ", folder.string(), " && tar xf it.tar").c_str()),
      0);
  for (const auto& [name, bytes] : ExampleMembers()) {
    std::ifstream file(folder / name, std::ios::binary);
    ASSERT_TRUE(file.good()) << name;
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), bytes);
  }
  std::filesystem::remove_all(folder);
}

TEST(TarTest, ReadsWhatTarItselfWrites) {
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / "tar_test_own";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "a") << "apple";
  std::ofstream(folder / "b") << std::string(5000, 'b');
  ASSERT_EQ(system(absl::StrCat("cd ", folder.string(),
                                " && tar --format=ustar -cf it.tar a b")
                       .c_str()),
            0);
  std::ifstream file(folder / "it.tar", std::ios::binary);
  const std::string tar(std::istreambuf_iterator<char>(file), {});
  MemberCollector collector;
  const absl::Status status = ReadTar(tar, 333, collector);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(collector.members,
            (Members{{"a", "apple"}, {"b", std::string(5000, 'b')}}));
  std::filesystem::remove_all(folder);
}

TEST(TarTest, ASizeBeyondOctalDigitsGoesIntoAPaxHeader) {
  sdk::FakeSink sink;
  TarWriter tar(sink);
  ASSERT_TRUE(tar.Begin("small", kMaxTarOctalSize).ok());
  EXPECT_EQ(sink.payload.size(), kTarBlockBytes);
  sdk::FakeSink large_sink;
  TarWriter large(large_sink);
  ASSERT_TRUE(large.Begin("large", kMaxTarOctalSize + 1).ok());
  EXPECT_EQ(large_sink.payload.size(), 3 * kTarBlockBytes);
  MemberCollector collector;
  TarReader reader(collector);
  ASSERT_TRUE(reader.Feed(large_sink.payload + "first bytes").ok());
  EXPECT_EQ(collector.sizes, (std::vector<uint64_t>{kMaxTarOctalSize + 1}));
  EXPECT_EQ(collector.members, (Members{{"large", "first bytes"}}));
  EXPECT_EQ(ErrorCodeOf(reader.Finish()), kArchiveDamaged);
}

TEST(TarTest, EveryCutIsSeen) {
  const std::string tar = Write(ExampleMembers());
  for (size_t length = 0; length < tar.size(); ++length) {
    MemberCollector collector;
    ASSERT_EQ(ErrorCodeOf(ReadTar(tar.substr(0, length), 4096, collector)),
              kArchiveDamaged)
        << length;
  }
}

TEST(TarTest, EveryFlippedByteOfAHeaderIsSeen) {
  const std::string tar = Write({{"one", "1"}});
  for (size_t at = 0; at < kTarBlockBytes; ++at) {
    // What follows the NUL that ends the checksum says nothing.
    if (at == kTarChecksum.offset + kTarChecksum.size - 1) continue;
    std::string flipped = tar;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x15);
    EXPECT_EQ(CodeOfReading(flipped), kArchiveDamaged) << at;
  }
}

TEST(TarTest, ZerosMayFollowTheEndAndNothingElse) {
  const std::string tar = Write({{"one", "1"}});
  EXPECT_EQ(CodeOfReading(tar + std::string(10'240, '\0')), "");
  EXPECT_EQ(CodeOfReading(tar + "x"), kArchiveDamaged);
  EXPECT_EQ(CodeOfReading(tar + tar), kArchiveDamaged);
}

TEST(TarTest, RefusesWhatNoPayloadHolds) {
  const std::string size = "00000000001";
  ASSERT_EQ(CodeOfReading(HeaderOf("a", size, '0') + Padded("1") + EndOfTar()),
            "");
  // Links, devices, folders, GNU's and everybody's own.
  for (const char type : std::string("1234567gLKSVDMA\0x")) {
    EXPECT_EQ(
        CodeOfReading(HeaderOf("a", size, type) + Padded("1") + EndOfTar()),
        kArchiveDamaged)
        << type;
  }
  for (const std::string wrong :
       {"", "-0000000001", "0000000000x", "+1", " 1", "\x80", "9"}) {
    EXPECT_EQ(
        CodeOfReading(HeaderOf("a", wrong, '0') + Padded("1") + EndOfTar()),
        kArchiveDamaged)
        << wrong;
  }
  EXPECT_EQ(CodeOfReading(HeaderOf("", size, '0') + Padded("1") + EndOfTar()),
            kArchiveDamaged);
  EXPECT_EQ(CodeOfReading(HeaderOf("a", size, '0') +
                          std::string(kTarBlockBytes, '1') + EndOfTar()),
            kArchiveDamaged);
  EXPECT_EQ(
      CodeOfReading(std::string(kTarBlockBytes, '\0') + Write({{"one", "1"}})),
      kArchiveDamaged);
}

TEST(TarTest, RefusesPaxHeadersThatNoPayloadHolds) {
  const std::string member =
      HeaderOf("a", "00000000001", '0') + Padded("1") + EndOfTar();
  const auto with = [&](const std::string& records) {
    std::array<char, 12> size{};
    snprintf(size.data(), size.size(), "%011o",
             static_cast<unsigned>(records.size()));
    return HeaderOf("pax", size.data(), 'x') + Padded(records) + member;
  };
  ASSERT_EQ(CodeOfReading(with("10 path=b\n")), "");
  for (const std::string records :
       {"", "8 path=b\n", "11 path=b\n", "10 path=b ", "x path=b\n",
        "99999999999999999999 path=b\n", "0 ", "2 \n", "3 =\n", "7 path\n",
        "8 path=\n", "9 size=1\n", "11 size=-1\n", "10 size=+1\n",
        "13 linkpath=b\n", "10 path=b\n10 path=c\n", "10 path=b\n10 pat",
        " 10 path=b\n", "+10 path=b\n"}) {
    EXPECT_EQ(CodeOfReading(with(records)), kArchiveDamaged) << records;
  }
  EXPECT_EQ(CodeOfReading(
                with(absl::StrCat("5000 path=", std::string(4989, 'p'), "\n"))),
            kArchiveDamaged);
  const std::string pax = with("10 path=b\n").substr(0, 2 * kTarBlockBytes);
  EXPECT_EQ(CodeOfReading(pax + pax + member), kArchiveDamaged);
  EXPECT_EQ(CodeOfReading(pax + EndOfTar()), kArchiveDamaged);
}

TEST(TarTest, TheVisitorsErrorIsTheReadersForGood) {
  class Refusing : public MemberCollector {
    absl::Status EndMember() override { return absl::AbortedError("no more"); }
  };
  Refusing visitor;
  TarReader reader(visitor);
  const std::string tar = Write(ExampleMembers());
  EXPECT_EQ(reader.Feed(tar).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(reader.Feed(tar).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(reader.Finish().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(visitor.members.size(), 1u);
}

TEST(TarTest, TheWriterRefusesWhatAReaderWould) {
  sdk::FakeSink sink;
  TarWriter tar(sink);
  EXPECT_FALSE(tar.Begin("", 1).ok());
  EXPECT_FALSE(tar.Begin(std::string(256, 'n'), 1).ok());
  EXPECT_FALSE(tar.Begin(std::string("a\0b", 3), 1).ok());
  ASSERT_TRUE(tar.Begin("a", 2).ok());
  EXPECT_FALSE(tar.Append("123").ok());
  ASSERT_TRUE(tar.Append("1").ok());
  EXPECT_FALSE(tar.Begin("b", 1).ok());
  EXPECT_FALSE(tar.Finish().ok());
}

TEST(TarTest, ASinkThatFailsAtAnyCallEndsTheWriter) {
  const auto write = [](sdk::FakeSink& sink) {
    TarWriter tar(sink);
    for (const auto& [name, bytes] : ExampleMembers()) {
      if (absl::Status added = tar.Add(name, bytes); !added.ok()) return added;
    }
    return tar.Finish();
  };
  sdk::FakeSink whole;
  ASSERT_TRUE(write(whole).ok());
  ASSERT_GT(whole.calls, 10);
  for (int i = 0; i < whole.calls; ++i) {
    sdk::FakeSink sink;
    sink.fail_after = i;
    EXPECT_EQ(write(sink).code(), absl::StatusCode::kCancelled);
    EXPECT_EQ(sink.calls, i + 1) << "the sink was called after its error";
  }
}

}  // namespace
}  // namespace sluice::postgres
