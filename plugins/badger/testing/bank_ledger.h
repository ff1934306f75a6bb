#ifndef SLUICE_PLUGINS_BADGER_TESTING_BANK_LEDGER_H_
#define SLUICE_PLUGINS_BADGER_TESTING_BANK_LEDGER_H_

// Judges the backups of a bank that goes on meanwhile: a database whose keys
// are accounts, all of whose versions are kept, and each of whose transactions
// opens accounts with 100 each or moves money between them. For tests.
//
//   BankLedger ledger;
//   while (...) {
//     BankBackup backup(ledger);
//     SLUICE_RETURN_IF_ERROR(source->Backup(run, request, backup));
//     SLUICE_RETURN_IF_ERROR(ledger.Enter(backup));
//   }
//
// A backup is entered if it holds, keys ascending, each key's newest version
// first, none twice,
//   - all entries of those before it and no other up to their last version: as
//     many, with the same digest;
//   - then each transaction up to its own last version, which is the number of
//     a transaction: none is passed over, and after each of them all of the
//     money is there.
// data_loss says what is wrong otherwise, and the ledger is of no more use. So
// what was judged once is hashed from then on: a backup costs its length, and
// memory for the accounts and for what is new.
//
// One thread.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/sort/stream_entry.h"
#include "sluice/plugins/badger/stream/backup_stream_reader.h"
#include "sluice/plugins/badger/testing/collecting_sink.h"

namespace sluice::badger {

// Entries in any order. Within one process: the hash is another in the next.
struct HistoryDigest {
  uint64_t entries = 0;
  uint64_t sum = 0;

  void Add(const StreamEntry& entry);
  bool operator==(const HistoryDigest& other) const {
    return entries == other.entries && sum == other.sum;
  }
};

class BankBackup;

class BankLedger {
 public:
  static constexpr int64_t kInitial = 100;  // in each account

  // Once the backup has ended.
  absl::Status Enter(BankBackup& backup);

  // Of the last backup.
  size_t accounts() const { return balances_.size(); }
  uint64_t last_version() const { return last_version_; }
  uint64_t entries() const { return history_.entries; }

 private:
  friend class BankBackup;
  // An account after a transaction.
  struct Balance {
    uint64_t version;
    std::string account;
    int64_t amount;
  };
  using Balances = std::vector<Balance>;

  // The transaction that begins at `next`, which moves behind it.
  absl::Status Apply(Balances::const_iterator& next,
                     Balances::const_iterator end);

  uint64_t last_version_ = 0;
  HistoryDigest history_;  // all entries up to it
  std::map<std::string, int64_t> balances_;
  int64_t total_ = 0;
};

// One backup, for the ledger as it is. Holds the transactions that are new to
// it, and the whole payload only where that is to be kept.
class BankBackup final : public CollectingSink {
 public:
  enum class Keep { kNothing, kPayload };

  explicit BankBackup(const BankLedger& ledger, Keep keep = Keep::kNothing)
      : last_version_(ledger.last_version()), keep_(keep) {}

  absl::Status Write(absl::string_view bytes) override {
    if (keep_ == Keep::kPayload) {
      SLUICE_RETURN_IF_ERROR(CollectingSink::Write(bytes));
    }
    return reader_.Feed(bytes);
  }

 private:
  friend class BankLedger;

  absl::Status Visit(const StreamEntry& entry);

  const uint64_t last_version_;  // of the ledger
  const Keep keep_;
  std::string last_key_;  // that came, none is empty
  uint64_t last_key_version_ = 0;
  HistoryDigest known_;  // up to that version
  HistoryDigest new_;    // after it
  BankLedger::Balances new_balances_;
  BackupStreamReader reader_{
      [this](const StreamEntry& entry) { return Visit(entry); }};
};

}  // namespace sluice::badger

#endif  // SLUICE_PLUGINS_BADGER_TESTING_BANK_LEDGER_H_
