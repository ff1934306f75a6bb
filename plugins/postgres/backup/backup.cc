#include "sluice/plugins/postgres/backup/backup.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "sluice/base/mutex.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/backup/blob_copier.h"
#include "sluice/plugins/postgres/backup/head_reader.h"
#include "sluice/plugins/postgres/backup/part_writer.h"
#include "sluice/plugins/postgres/backup/payload_ids.h"
#include "sluice/plugins/postgres/backup/piece_plan.h"
#include "sluice/plugins/postgres/backup/row_copier.h"
#include "sluice/plugins/postgres/backup/snapshot.h"
#include "sluice/plugins/postgres/backup/table_guard.h"
#include "sluice/plugins/postgres/backup/table_list.h"
#include "sluice/plugins/postgres/backup/work_queue.h"
#include "sluice/plugins/postgres/client/interrupt.h"
#include "sluice/plugins/postgres/client/quote.h"
#include "sluice/plugins/postgres/client/row_budget.h"
#include "sluice/plugins/postgres/client/sql_error.h"
#include "sluice/plugins/postgres/database/database_properties.h"
#include "sluice/plugins/postgres/payload/payload_format.h"
#include "sluice/plugins/postgres/payload/payload_index.h"
#include "sluice/plugins/postgres/payload/tar_writer.h"
#include "sluice/plugins/postgres/tools/client_tools.h"
#include "sluice/plugins/postgres/tools/schema_dump.h"

namespace sluice::postgres {
namespace {

// Of rows that are held at once. A longer one is held alone.
constexpr uint64_t kRowBudget = 16 << 20;
// The manifest has room for so many tables' totals, whatever their names.
constexpr size_t kTablesInMetadata = 1000;
constexpr size_t kMaxMetadataKey = 256;

// What an archive takes as a key: PostgreSQL's names may hold control bytes,
// and be longer in quotes.
bool IsMetadataKey(absl::string_view key) {
  return key.size() <= kMaxMetadataKey &&
         std::none_of(key.begin(), key.end(), absl::ascii_iscntrl);
}

// Nanoseconds, about, that a server takes to read it: measured with PostgreSQL
// 15 on tables of short rows, where a row costs more than its bytes, and of
// long ones. Of a table that was never analyzed, rows of 100 bytes are
// supposed.
uint64_t CostOf(const SourceTable& table) {
  const uint64_t rows = table.rows > 0 ? table.rows : table.pages * 80;
  return table.table.estimated_bytes / 2 +
         rows * (100 + 40 * table.table.columns.size());
}

class Backup {
 public:
  Backup(const sdk::Run& run, const BackupOptions& options, sdk::Sink& sink)
      : options_(options), sink_(sink), interrupt_(run), tar_(sink) {
    connection_.row_budget = &row_budget_;
  }

  absl::Status Run() {
    SLUICE_RETURN_IF_ERROR(TakeSnapshot());
    SLUICE_RETURN_IF_ERROR(WriteDefinitions());
    PartWriter parts(tar_, sink_, tables_);
    SLUICE_RETURN_IF_ERROR(CopyData(parts));
    return WriteEnd(parts.Totals());
  }

 private:
  void Step(absl::string_view step, absl::string_view detail) const {
    if (options_.on_step) options_.on_step(step, detail);
  }

  absl::Status TakeSnapshot() {
    // A pg_dump that cannot be used is told of before anything is locked.
    int server_version = 0;
    connection_.in_transactions = true;
    {
      SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<Connection> first,
                              Connection::Open(connection_, &interrupt_));
      server_version = first->server_version();
      // Bytes in an encoding that knows no others must come as they are, or the
      // target would refuse them as no UTF-8.
      const std::string encoding = first->ServerSetting("server_encoding");
      if (encoding == "SQL_ASCII" || encoding == "MULE_INTERNAL") {
        connection_.Set("client_encoding", "SQL_ASCII");
      }
    }
    SLUICE_ASSIGN_OR_RETURN(
        tools_,
        ClientTools::Find(options_.tools_folder, server_version, interrupt_));
    SLUICE_ASSIGN_OR_RETURN(
        snapshot_, Snapshot::Take({connection_, std::max(1, options_.jobs),
                                   options_.lock_wait, options_.patience},
                                  &interrupt_, [this](Snapshot& taken) {
                                    return ReadDefinitions(taken);
                                  }));
    SLUICE_RETURN_IF_ERROR(SetTableSavepoint(snapshot_->leader()));
    for (const auto& worker : snapshot_->workers()) {
      SLUICE_RETURN_IF_ERROR(SetTableSavepoint(*worker));
    }
    Step("snapshot", snapshot_->id());
    return absl::OkStatus();
  }

  // All that may fail for what another session does to the definitions, so that
  // it can begin anew.
  absl::Status ReadDefinitions(Snapshot& snapshot) {
    Connection& leader = snapshot.leader();
    SLUICE_ASSIGN_OR_RETURN(
        schema_,
        SchemaDump::Make(*tools_, leader, interrupt_, options_.file_system,
                         options_.scratch_folder));
    SLUICE_ASSIGN_OR_RETURN(definitions_, CountDefinitions(leader));
    SLUICE_ASSIGN_OR_RETURN(head_, ReadHead(leader));
    left_out_.clear();
    SLUICE_ASSIGN_OR_RETURN(tables_, DescribeTables(leader, &left_out_));
    left_out_sequences_.clear();
    SLUICE_ASSIGN_OR_RETURN(
        index_.sequences,
        ReadSequences(leader, snapshot.control(), &left_out_sequences_));
    head_.store_id = options_.store_id;
    if (head_.store_id.empty()) {
      SLUICE_ASSIGN_OR_RETURN(head_.store_id, ReadStoreId(leader));
    }
    head_.pg_dump_version = tools_->version();
    for (const SourceTable& table : tables_)
      head_.tables.push_back(table.table);
    id_columns_.clear();
    for (const PayloadIdColumn& wanted : options_.payload_ids) {
      SLUICE_ASSIGN_OR_RETURN(const std::vector<IdColumn> found,
                              FindIdColumns(leader, wanted));
      id_columns_.insert(id_columns_.end(), found.begin(), found.end());
    }
    return absl::OkStatus();
  }

  absl::Status WriteDefinitions() {
    for (const std::string& table : left_out_) {
      sink_.AddWarning("unlogged_table_left_out",
                       absl::StrCat("table ", table,
                                    ": an unlogged table cannot be read while "
                                    "the server is in recovery"));
    }
    for (const std::string& sequence : left_out_sequences_) {
      sink_.AddWarning(
          "unlogged_sequence_left_out",
          absl::StrCat("sequence ", sequence,
                       ": an unlogged sequence cannot be read "
                       "while the server is in recovery; restored, "
                       "it begins anew"));
    }
    for (const std::string& warning : schema_->warnings()) {
      sink_.AddWarning("pg_dump_warning", warning);
    }
    uint64_t estimate = schema_->bytes();
    for (const SourceTable& table : tables_) {
      estimate += table.table.estimated_bytes;
    }
    sink_.SetEstimate(estimate);
    SLUICE_ASSIGN_OR_RETURN(const std::string head, WriteHead(head_));
    SLUICE_RETURN_IF_ERROR(tar_.Add(kHeadName, head));
    SLUICE_RETURN_IF_ERROR(schema_->WriteTo(tar_));
    schema_.reset();
    return absl::OkStatus();
  }

  absl::Status CopyData(PartWriter& parts) {
    std::vector<Task> tasks;
    tasks.push_back([this, &parts](Connection& connection) -> absl::Status {
      SLUICE_ASSIGN_OR_RETURN(index_.blobs, CopyBlobs(connection, parts));
      return absl::OkStatus();
    });
    for (const IdColumn& column : id_columns_) {
      const Task copy = [&column, &parts](Connection& connection) {
        return CopyPayloadIds(connection, column, parts);
      };
      tasks.push_back([this, copy](Connection& connection) {
        return RunOrLeave(copy, connection);
      });
    }
    AddTableTasks(parts, tasks);
    Step("rows", "");
    std::vector<Connection*> workers;
    for (const auto& worker : snapshot_->workers()) {
      workers.push_back(worker.get());
    }
    SLUICE_RETURN_IF_ERROR(RunTasks(tasks, workers, interrupt_));
    // Whoever waits for the lock of one of these waits for the leader.
    std::vector<Task> left;
    {
      MutexLock lock(mutex_);
      left.swap(for_leader_);
    }
    return RunTasks(left, {&snapshot_->leader()}, interrupt_);
  }

  // Runs `task`, or leaves it to the leader where only that one gets the lock.
  absl::Status RunOrLeave(const Task& task, Connection& connection) {
    absl::Status status = task(connection);
    if (SqlStateOf(status) != kLockNotAvailable ||
        &connection == &snapshot_->leader()) {
      return status;
    }
    MutexLock lock(mutex_);
    for_leader_.push_back(task);
    return absl::OkStatus();
  }

  // Those that take longest first, so that no session is left with one at the
  // end.
  void AddTableTasks(PartWriter& parts, std::vector<Task>& tasks) {
    std::vector<size_t> order(tables_.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    const std::vector<uint64_t> counts = CountPieces();
    const auto cost = [&](size_t i) { return CostOf(tables_[i]) / counts[i]; };
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return cost(a) > cost(b); });
    for (const size_t i : order) {
      const std::vector<Piece> pieces = Split(tables_[i], counts[i]);
      parts.Expect(i, static_cast<int>(pieces.size()));
      for (const Piece& piece : pieces) {
        const Task copy = [this, i, piece, &parts](Connection& connection) {
          return CopyPiece(connection, tables_[i], i, piece,
                           head_.database.encoding, parts);
        };
        tasks.push_back([this, copy](Connection& connection) {
          return RunOrLeave(copy, connection);
        });
      }
    }
  }

  std::vector<uint64_t> CountPieces() const {
    std::vector<PlannedTable> planned;
    planned.reserve(tables_.size());
    for (const SourceTable& table : tables_) {
      planned.push_back(
          {table.table.estimated_bytes,
           MaxPieces(table, static_cast<int>(head_.server_version)),
           CostOf(table)});
    }
    return PlanPieces(planned, {options_.jobs, options_.min_piece_bytes});
  }

  absl::Status WriteEnd(std::vector<PayloadTableTotals> totals) {
    index_.tables = std::move(totals);
    SLUICE_ASSIGN_OR_RETURN(const std::string index, WriteIndex(index_));
    SLUICE_RETURN_IF_ERROR(tar_.Add(kIndexName, index));
    SLUICE_RETURN_IF_ERROR(tar_.Finish());
    SLUICE_RETURN_IF_ERROR(SetMetadata());
    sdk::Counts counts = {{"tables", tables_.size()},
                          {"sequences", index_.sequences.size()},
                          {"definitions", definitions_},
                          {"large_objects", index_.blobs.count},
                          {"rows", 0},
                          {"bytes", index_.blobs.bytes}};
    for (const PayloadTableTotals& table : index_.tables) {
      counts["rows"] += table.rows;
      counts["bytes"] += table.bytes;
    }
    return sink_.End(counts);
  }

  // So that a manifest alone tells what was in which table; index.json holds
  // it for those whose name is no key.
  absl::Status SetMetadata() {
    SLUICE_RETURN_IF_ERROR(sink_.SetMetadata(
        "postgres.server_version", absl::StrCat(head_.server_version)));
    SLUICE_RETURN_IF_ERROR(
        sink_.SetMetadata("postgres.database", head_.database.name));
    for (size_t i = 0; i < std::min(tables_.size(), kTablesInMetadata); ++i) {
      const PayloadTableTotals& totals = index_.tables[i];
      const std::string key = absl::StrCat(
          "postgres.table.",
          QuoteQualified(tables_[i].table.schema, tables_[i].table.name));
      if (!IsMetadataKey(key)) continue;
      SLUICE_RETURN_IF_ERROR(sink_.SetMetadata(
          key, absl::StrCat("rows=", totals.rows, " bytes=", totals.bytes,
                            " digest=", totals.digest)));
    }
    return absl::OkStatus();
  }

  const BackupOptions& options_;
  sdk::Sink& sink_;
  Interrupt interrupt_;
  RowBudget row_budget_{kRowBudget};  // before the connections that borrow it
  ConnectionOptions connection_ = options_.connection;
  TarWriter tar_;
  absl::optional<ClientTools> tools_;
  absl::optional<SchemaDump> schema_;
  std::unique_ptr<Snapshot> snapshot_;
  PayloadHead head_;
  PayloadIndex index_;  // `blobs` is set by one task
  uint64_t definitions_ = 0;
  std::vector<SourceTable> tables_;
  std::vector<IdColumn> id_columns_;
  std::vector<std::string> left_out_;
  std::vector<std::string> left_out_sequences_;
  Mutex mutex_;
  std::vector<Task> for_leader_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::Status BackupDatabase(const sdk::Run& run, const BackupOptions& options,
                            sdk::Sink& sink) {
  return Backup(run, options, sink).Run();
}

}  // namespace sluice::postgres
