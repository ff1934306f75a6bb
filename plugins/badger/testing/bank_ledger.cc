#include "sluice/plugins/badger/testing/bank_ledger.h"

#include <algorithm>
#include <string>

#include "absl/hash/hash.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace sluice::badger {

void HistoryDigest::Add(const StreamEntry& entry) {
  ++entries;
  sum += absl::HashOf(entry.key, entry.value, entry.version, entry.expires_at,
                      entry.user_meta, entry.meta);
}

absl::Status BankBackup::Visit(const StreamEntry& entry) {
  const StreamEntry last = {last_key_, "", last_key_version_};
  if (CompareEntries(last, entry) >= 0) {
    return absl::DataLossError(absl::StrCat(
        entry.key, " of transaction ", entry.version, " comes behind ",
        last_key_, " of transaction ", last_key_version_));
  }
  last_key_.assign(entry.key.data(), entry.key.size());
  last_key_version_ = entry.version;
  if (entry.version <= last_version_) {
    known_.Add(entry);
    return absl::OkStatus();
  }
  int64_t amount = 0;
  if (!absl::SimpleAtoi(entry.value, &amount)) {
    return absl::DataLossError(
        absl::StrCat(entry.key, " holds no number: ", entry.value));
  }
  new_.Add(entry);
  new_balances_.push_back({entry.version, std::string(entry.key), amount});
  return absl::OkStatus();
}

absl::Status BankLedger::Apply(Balances::const_iterator& next,
                               Balances::const_iterator end) {
  if (next->version != last_version_ + 1) {
    return absl::DataLossError(absl::StrCat(
        "behind transaction ", last_version_, " comes ", next->version));
  }
  last_version_ = next->version;
  for (; next != end && next->version == last_version_; ++next) {
    const auto [account, opened] = balances_.try_emplace(next->account, 0);
    if (opened && next->amount != kInitial) {
      return absl::DataLossError(absl::StrCat(next->account, " is opened with ",
                                              next->amount, " by transaction ",
                                              last_version_));
    }
    total_ += next->amount - account->second;
    account->second = next->amount;
  }
  const int64_t all = kInitial * static_cast<int64_t>(balances_.size());
  if (total_ == all) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("after transaction ", last_version_,
                                          " there are ", total_, " instead of ",
                                          all));
}

absl::Status BankLedger::Enter(BankBackup& backup) {
  SLUICE_RETURN_IF_ERROR(backup.reader_.Finish());
  if (!(backup.known_ == history_)) {
    return absl::DataLossError(absl::StrCat(
        "of ", history_.entries, " entries up to transaction ", last_version_,
        " it holds ", backup.known_.entries, ", with digest ",
        absl::Hex(backup.known_.sum), " instead of ", absl::Hex(history_.sum)));
  }
  Balances& balances = backup.new_balances_;
  std::sort(
      balances.begin(), balances.end(),
      [](const Balance& a, const Balance& b) { return a.version < b.version; });
  for (auto next = balances.cbegin(); next != balances.cend();) {
    SLUICE_RETURN_IF_ERROR(Apply(next, balances.cend()));
  }
  history_.entries += backup.new_.entries;
  history_.sum += backup.new_.sum;
  return absl::OkStatus();
}

}  // namespace sluice::badger
