#ifndef SLUICE_PLUGINS_POSTGRES_TESTING_PAYLOAD_CONTENTS_H_
#define SLUICE_PLUGINS_POSTGRES_TESTING_PAYLOAD_CONTENTS_H_

// All that a payload holds, in memory: for tests of what writes one.
//
//   PayloadContents contents;
//   ASSERT_TRUE(contents.Read(sink.payload).ok());
//   EXPECT_EQ(contents.rows["public.t"], 3u);

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/payload/payload_index.h"
#include "sluice/plugins/postgres/payload/payload_reader.h"
#include "sluice/plugins/postgres/payload/row_digest.h"

namespace sluice::postgres {

struct PayloadContents : private PayloadVisitor {
  // OK where the payload is whole and every digest is that of its rows.
  absl::Status Read(absl::string_view payload) {
    PayloadReader reader(*this);
    SLUICE_RETURN_IF_ERROR(reader.Feed(payload));
    return reader.Finish();
  }
  const PayloadTable* Table(absl::string_view name) const {
    for (const PayloadTable& table : head.tables) {
      if (NameOf(table) == name) return &table;
    }
    return nullptr;
  }

  PayloadHead head;
  PayloadIndex index;
  std::string schema_dump;
  std::map<std::string, std::string> data;  // by "schema.table"
  std::map<std::string, uint64_t> rows;
  std::map<std::string, uint64_t> largest_part;
  std::map<uint32_t, std::string> blobs;
  std::vector<PayloadBlob> blob_owners;

 private:
  static std::string NameOf(const PayloadTable& table) {
    return absl::StrCat(table.schema, ".", table.name);
  }
  absl::Status OnHead(const PayloadHead& read) override {
    head = read;
    digests_.resize(head.tables.size());
    return absl::OkStatus();
  }
  absl::Status AppendSchemaDump(absl::string_view bytes) override {
    absl::StrAppend(&schema_dump, bytes);
    return absl::OkStatus();
  }
  absl::Status EndSchemaDump() override { return absl::OkStatus(); }
  absl::Status AwaitRoom(uint64_t) override { return absl::OkStatus(); }
  absl::Status OnRows(size_t table, std::string bytes) override {
    const std::string name = NameOf(head.tables[table]);
    data[name] += bytes;
    largest_part[name] = std::max<uint64_t>(largest_part[name], bytes.size());
    return digests_[table].AddRows(head.tables[table].format, bytes);
  }
  absl::Status OnBlobs(const std::vector<PayloadBlob>& batch) override {
    blob_owners.insert(blob_owners.end(), batch.begin(), batch.end());
    for (const PayloadBlob& blob : batch) blobs[blob.oid];
    return absl::OkStatus();
  }
  absl::Status OnBlobPart(uint32_t oid, uint64_t part,
                          std::string bytes) override {
    blob_digest_.AddPart(oid, part, bytes);
    blobs[oid] += bytes;
    return absl::OkStatus();
  }
  absl::Status OnIndex(PayloadIndex read) override {
    index = std::move(read);
    for (size_t i = 0; i < digests_.size(); ++i) {
      rows[NameOf(head.tables[i])] = digests_[i].rows();
      if (digests_[i].Hex() != index.tables[i].digest ||
          digests_[i].rows() != index.tables[i].rows ||
          digests_[i].bytes() != index.tables[i].bytes) {
        return absl::DataLossError(NameOf(head.tables[i]));
      }
    }
    return index.blobs.digest == blob_digest_.Hex()
               ? absl::OkStatus()
               : absl::DataLossError("large objects");
  }

  std::vector<RowDigest> digests_;
  BlobDigest blob_digest_;
};

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_TESTING_PAYLOAD_CONTENTS_H_
