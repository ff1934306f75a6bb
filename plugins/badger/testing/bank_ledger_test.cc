#include "sluice/plugins/badger/testing/bank_ledger.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/badger/testing/fake_payload.h"

namespace sluice {
namespace badger {
namespace {

using Entries = std::vector<OwnedEntry>;

OwnedEntry Balance(const std::string& account, int amount, uint64_t version) {
  return {account, absl::StrCat(amount), version};
}

// Three accounts, opened by one transaction, and two transfers.
const Entries& Bank() {
  static const Entries* const entries = new Entries{
      Balance("a", 70, 2),  Balance("a", 100, 1), Balance("b", 125, 3),
      Balance("b", 130, 2), Balance("b", 100, 1), Balance("c", 105, 3),
      Balance("c", 100, 1)};
  return *entries;
}

// Its state after a transaction.
Entries BankAt(uint64_t version) {
  Entries entries;
  for (const OwnedEntry& entry : Bank()) {
    if (entry.version <= version) entries.push_back(entry);
  }
  return entries;
}

// A backup, as it comes: in small pieces.
absl::Status Enter(BankLedger& ledger, absl::string_view stream) {
  BankBackup backup(ledger);
  for (; !stream.empty(); stream.remove_prefix(1)) {
    if (auto status = backup.Write(stream.substr(0, 1)); !status.ok()) {
      return status;
    }
  }
  return ledger.Enter(backup);
}

absl::Status Enter(BankLedger& ledger, const Entries& entries) {
  return Enter(ledger, StreamOf(entries));
}

TEST(BankLedgerTest, EntersEachStateOfABankThatGoesOn) {
  BankLedger ledger;
  for (uint64_t version = 0; version <= 3; ++version) {
    for (int time = 0; time < 2; ++time) {
      const absl::Status status = Enter(ledger, BankAt(version));
      EXPECT_TRUE(status.ok()) << status;
      EXPECT_EQ(ledger.last_version(), version);
      EXPECT_EQ(ledger.accounts(), version == 0 ? 0u : 3u);
    }
  }
}

TEST(BankLedgerTest, RefusesATransactionWithAnyPartMissing) {
  for (uint64_t from = 0; from <= 2; ++from) {
    for (size_t i = 0; i < Bank().size(); ++i) {
      BankLedger ledger;
      ASSERT_TRUE(Enter(ledger, BankAt(from)).ok());
      Entries torn = Bank();
      torn.erase(torn.begin() + static_cast<std::ptrdiff_t>(i));
      EXPECT_EQ(Enter(ledger, torn).code(), absl::StatusCode::kDataLoss)
          << "after " << from << " without entry " << i;
    }
  }
}

TEST(BankLedgerTest, RefusesOneWithoutATransactionInTheMidst) {
  BankLedger ledger;
  ASSERT_TRUE(Enter(ledger, BankAt(1)).ok());
  const Entries gap = {Balance("a", 100, 1), Balance("b", 95, 3),
                       Balance("b", 100, 1), Balance("c", 105, 3),
                       Balance("c", 100, 1)};
  EXPECT_EQ(Enter(ledger, gap).code(), absl::StatusCode::kDataLoss);
}

TEST(BankLedgerTest, RefusesAStateBeforeTheLast) {
  BankLedger ledger;
  ASSERT_TRUE(Enter(ledger, BankAt(3)).ok());
  EXPECT_EQ(Enter(ledger, BankAt(2)).code(), absl::StatusCode::kDataLoss);
}

TEST(BankLedgerTest, RefusesAnotherPast) {
  for (size_t i = 0; i < Bank().size(); ++i) {
    BankLedger ledger;
    ASSERT_TRUE(Enter(ledger, BankAt(2)).ok());
    Entries changed = Bank();
    if (changed[i].version > 2) continue;
    changed[i].user_meta = 1;
    EXPECT_EQ(Enter(ledger, changed).code(), absl::StatusCode::kDataLoss) << i;
  }
}

TEST(BankLedgerTest, RefusesAnEntryThatComesTwice) {
  for (size_t i = 0; i < Bank().size(); ++i) {
    BankLedger ledger;
    Entries twice = Bank();
    twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(i), twice[i]);
    EXPECT_EQ(Enter(ledger, twice).code(), absl::StatusCode::kDataLoss) << i;
  }
}

TEST(BankLedgerTest, RefusesEntriesOutOfOrder) {
  for (size_t i = 1; i < Bank().size(); ++i) {
    BankLedger ledger;
    Entries swapped = Bank();
    std::swap(swapped[i - 1], swapped[i]);
    EXPECT_EQ(Enter(ledger, swapped).code(), absl::StatusCode::kDataLoss) << i;
  }
}

TEST(BankLedgerTest, RefusesWhatIsNoBalance) {
  BankLedger ledger;
  const absl::Status status = Enter(ledger, Entries{{"a", "1OO", 1}});
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
}

TEST(BankLedgerTest, RefusesAStreamThatIsCut) {
  BankLedger ledger;
  const std::string stream = StreamOf(Bank());
  EXPECT_FALSE(
      Enter(ledger, absl::string_view(stream).substr(0, stream.size() - 1))
          .ok());
}

}  // namespace
}  // namespace badger
}  // namespace sluice
