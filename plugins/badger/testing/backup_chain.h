#ifndef SLUICE_PLUGINS_BADGER_TESTING_BACKUP_CHAIN_H_
#define SLUICE_PLUGINS_BADGER_TESTING_BACKUP_CHAIN_H_

// What an archive and the executor do between backups and restores: backups
// kept in memory, given to the next one as its base, and to a restore. For
// tests.
//
//   std::vector<CollectingSink> chain(1);
//   source->Backup(run, {}, chain[0]);
//   OnChain base(chain);
//   CollectingSink increment;
//   source->Backup(run, base.request(), increment);
//   RestoreOf restore(chain);
//   source->Restore(run, restore);

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/plugins/badger/testing/collecting_sink.h"
#include "sluice/plugins/badger/testing/fake_payload.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice {
namespace badger {

// Bytes of a backup with what was left beside them.
class StoredPayload : public FakePayload {
 public:
  StoredPayload(const std::string& bytes, const CollectingSink& sink)
      : FakePayload(bytes), stored_(sink.metadata) {}
  const sdk::Metadata& metadata() const override { return stored_; }

 private:
  const sdk::Metadata stored_;
};

class RestoreOf : public sdk::RestoreRequest {
 public:
  explicit RestoreOf(const std::vector<CollectingSink>& chain) {
    for (const CollectingSink& sink : chain) {
      payloads_.push_back(std::make_unique<StoredPayload>(sink.payload, sink));
      borrowed_.push_back(payloads_.back().get());
    }
  }
  absl::string_view store_id() const override { return "the-store"; }
  absl::Span<sdk::Payload* const> payloads() const override {
    return borrowed_;
  }
  void AddWarning(absl::string_view word, absl::string_view message) override {
    words.emplace_back(word);
  }

  std::vector<std::string> words;  // of the warnings

 private:
  std::vector<std::unique_ptr<StoredPayload>> payloads_;
  std::vector<sdk::Payload*> borrowed_;
};

// A backup on the last of a chain. Where one of it has no index, none is given.
class OnChain {
 public:
  explicit OnChain(const std::vector<CollectingSink>& chain) {
    request_.has_base = true;
    request_.base_backup_id = "base";
    request_.base_metadata = chain.back().metadata;
    bool all_have = true;
    for (const CollectingSink& sink : chain) {
      all_have = all_have && !sink.index.empty();
      indexes_.push_back(std::make_unique<StoredPayload>(sink.index, sink));
    }
    if (!all_have) return;
    for (const auto& index : indexes_) {
      request_.base_indexes.push_back(index.get());
    }
  }
  const sdk::BackupRequest& request() const { return request_; }

 private:
  std::vector<std::unique_ptr<StoredPayload>> indexes_;
  sdk::BackupRequest request_;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_TESTING_BACKUP_CHAIN_H_
