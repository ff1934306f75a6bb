#include "sluice/plugins/badger/testing/fixture.h"

#include <gtest/gtest.h>
#include <openssl/sha.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"
#include "sluice/base/file_system.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/image/version_reader.h"
#include "sluice/plugins/badger/wire/image_error.h"

namespace sluice {
namespace badger {
namespace {

std::string Sha256(absl::string_view bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(),
         reinterpret_cast<uint8_t*>(digest.data()));
  return absl::BytesToHexString(digest);
}

std::string Line(absl::string_view key_hex, uint64_t version,
                 absl::string_view value_sha256, size_t value_size,
                 int user_meta, uint64_t expires_at) {
  return absl::StrCat(key_hex, " v", version, " ", value_sha256, " ",
                      value_size, " u", user_meta, " x", expires_at);
}

std::string LineOf(const nlohmann::json& row) {
  return Line(row["key_hex"].get<std::string>(), row["version"],
              row["value_sha256"].get<std::string>(), row["value_len"],
              row["user_meta"], row["expires_at"]);
}

bool HasExpired(const VersionReader& reader) {
  return reader.expires_at() != 0 &&
         reader.expires_at() <=
             static_cast<uint64_t>(absl::ToUnixSeconds(absl::Now()));
}

// Adds the version that `reader` is at, which is a key's newest or not.
absl::Status AddVersion(VersionReader& reader, bool is_newest,
                        Listings& listings) {
  std::string value;
  const absl::Status status = reader.ReadValue(value);
  const bool is_live = is_newest && !reader.is_deleted() && !HasExpired(reader);
  const bool is_dangling = IsDangling(status) && !is_live;
  if (is_dangling) {
    ++listings.dangling;
    listings.versions.push_back("dangling");
    return absl::OkStatus();
  }
  SLUICE_RETURN_IF_ERROR(status);
  std::string line = Line(absl::BytesToHexString(reader.key()),
                          reader.version(), Sha256(value), value.size(),
                          reader.user_meta(), reader.expires_at());
  if (is_live) listings.live.push_back(line);
  absl::StrAppend(&line, " m", reader.meta());
  listings.versions.push_back(std::move(line));
  return absl::OkStatus();
}

}  // namespace

Listing ReadListing(const std::string& path) {
  Listing rows;
  std::ifstream stream(path);
  EXPECT_TRUE(stream.good()) << path;
  for (std::string text; std::getline(stream, text);) {
    const nlohmann::json row = nlohmann::json::parse(text);
    std::string line = LineOf(row);
    if (row.contains("meta")) {
      absl::StrAppend(&line, " m", row["meta"].get<int>());
    }
    rows.push_back(std::move(line));
  }
  return rows;
}

std::vector<std::string> FixtureNames() {
  return {"v2-aes256",
          "v2-none",
          "v2-sigkill",
          "v2-snappy-levels",
          "v2-zstd-gc",
          "v4-aes256-snappy",
          "v4-gc",
          "v4-none-inline",
          "v4-restored",
          "v4-sigkill",
          "v4-sigkill-aes128",
          "v4-snappy-vlog",
          "v4-versions",
          "v4-zstd-levels"};
}

Fixture::Fixture(const std::string& name) : name_(name) {
  std::string root = ::testing::TempDir() + "/badger-XXXXXX";
  root_ = mkdtemp(root.data()) == nullptr ? "" : root;
  EXPECT_NE(root_, "");
  const std::string archive =
      absl::StrCat("plugins/badger/testdata/", name, ".tar.zst");
  const std::string command =
      absl::StrCat("tar --zstd -xf ", archive, " -C ", root_);
  EXPECT_EQ(system(command.c_str()), 0) << command;
}

Fixture::~Fixture() {
  std::error_code ignored;
  std::filesystem::remove_all(root_, ignored);
}

ImageOptions Fixture::Options() const {
  ImageOptions options;
  options.folder = folder();
  const std::string key_file = root_ + "/" + name_ + "/encryption_key.hex";
  if (std::filesystem::exists(key_file)) {
    std::string hex = ReadBytes(key_file);
    while (!hex.empty() && hex.back() == '\n') hex.pop_back();
    options.master_key = absl::HexStringToBytes(hex);
  }
  return options;
}

Listings Fixture::Expected() const {
  Listings listings;
  const std::string root = root_ + "/" + name_;
  listings.live = ReadListing(root + "/expected.jsonl");
  listings.versions = ReadListing(root + "/expected_all_versions.jsonl");
  return listings;
}

absl::StatusOr<Listings> List(const ImageOptions& options) {
  return List(*FileSystem::Posix(), options);
}

absl::StatusOr<Listings> List(FileSystem& file_system,
                              const ImageOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<Image> image,
                          Image::Open(file_system, options));
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<VersionReader> reader,
                          image->ReadVersions());
  Listings listings;
  std::string last_key;
  bool is_first = true;
  while (reader->Valid()) {
    const bool is_newest =
        is_first || absl::string_view(last_key) != reader->key();
    SLUICE_RETURN_IF_ERROR(AddVersion(*reader, is_newest, listings));
    last_key.assign(reader->key().data(), reader->key().size());
    is_first = false;
    SLUICE_RETURN_IF_ERROR(reader->Next());
  }
  return listings;
}

std::string ReadBytes(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  EXPECT_TRUE(stream.good()) << path;
  return std::string(std::istreambuf_iterator<char>(stream),
                     std::istreambuf_iterator<char>());
}

void WriteBytes(const std::string& path, const std::string& bytes) {
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream << bytes;
  stream.close();
  EXPECT_TRUE(stream.good()) << path;
}

}  // namespace badger
}  // namespace sluice
