#include "sluice/plugins/postgres/restore/row_loader.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/client/quote.h"
#include "sluice/plugins/postgres/client/sql_error.h"

namespace sluice::postgres {
namespace {

constexpr size_t kNoTable = SIZE_MAX;
constexpr absl::string_view kCheckViolation = "23514";
// Nobody wakes a wait at a cancel, so it looks by itself.
constexpr absl::Duration kLook = absl::Milliseconds(50);

std::string CopySql(const PayloadTable& table, absl::string_view encoding) {
  const bool root = !table.root_name.empty();
  std::string sql = absl::StrCat(
      "COPY ", QuoteQualified(root ? table.root_schema : table.schema,
                              root ? table.root_name : table.name));
  if (!table.columns.empty()) {
    absl::StrAppend(
        &sql, " (",
        absl::StrJoin(table.columns, ", ",
                      [](std::string* out, const std::string& column) {
                        out->append(QuoteIdentifier(column));
                      }),
        ")");
  }
  absl::StrAppend(&sql, " FROM STDIN (FORMAT ");
  if (table.format == CopyFormat::kBinary) {
    absl::StrAppend(&sql, "binary)");  // in UTF-8, as the session speaks
  } else {
    absl::StrAppend(&sql, "text, ENCODING ", QuoteLiteral(encoding), ")");
  }
  return sql;
}

absl::Status InTable(const absl::Status& status, const PayloadTable& table) {
  absl::Status named = Annotate(
      status, absl::StrCat("load table ", table.schema, ".", table.name));
  if (SqlStateOf(status) != kCheckViolation) return named;
  return WithHint(std::move(named),
                  "the rows break it at the source, too, or it reads what is "
                  "not loaded yet: restore with disable_checks=1");
}

}  // namespace

// One session with at most one COPY that goes on.
class RowLoader::Session {
 public:
  Session(std::unique_ptr<Connection> connection, absl::string_view encoding,
          const std::vector<PayloadTable>& tables)
      : connection_(std::move(connection)),
        encoding_(encoding),
        tables_(tables) {}

  size_t table() const { return table_; }

  absl::Status Load(size_t table, absl::string_view bytes, uint64_t rows) {
    if (table != table_) {
      SLUICE_RETURN_IF_ERROR(End());
      SLUICE_RETURN_IF_ERROR(InTable(Begin(table), tables_[table]));
    }
    rows_ += rows;
    return InTable(connection_->Put(bytes), tables_[table]);
  }

  absl::Status End() {
    if (table_ == kNoTable) return absl::OkStatus();
    const PayloadTable& table = tables_[std::exchange(table_, kNoTable)];
    return InTable(EndCopy(table), table);
  }

 private:
  absl::Status Begin(size_t table) {
    SLUICE_RETURN_IF_ERROR(
        connection_->BeginCopyIn(CopySql(tables_[table], encoding_)));
    table_ = table;
    rows_ = 0;
    if (tables_[table].format == CopyFormat::kText) return absl::OkStatus();
    return connection_->Put(kCopyHeader);
  }

  absl::Status EndCopy(const PayloadTable& table) {
    if (table.format == CopyFormat::kBinary) {
      SLUICE_RETURN_IF_ERROR(connection_->Put(kCopyTrailer));
    }
    SLUICE_ASSIGN_OR_RETURN(const uint64_t loaded, connection_->EndCopyIn());
    if (loaded == rows_) return absl::OkStatus();
    return MakeError(
        absl::StatusCode::kDataLoss, kSourceFailed,
        absl::StrCat("the server took ", loaded, " of ", rows_, " rows"));
  }

  const std::unique_ptr<Connection> connection_;
  const std::string encoding_;
  const std::vector<PayloadTable>& tables_;
  size_t table_ = kNoTable;
  uint64_t rows_ = 0;  // given to the COPY that goes on
};

RowLoader::RowLoader(RowLoaderOptions options,
                     const std::vector<PayloadTable>& tables,
                     Interrupt* interrupt)
    : options_(std::move(options)),
      tables_(tables),
      interrupt_(interrupt),
      digests_(tables.size()) {
  for (int i = 0; i < std::max(1, options_.jobs); ++i) {
    absl::StatusOr<Thread> thread = Thread::Start("rows", [this] { Work(); });
    if (!thread.ok()) {
      if (threads_.empty()) Fail(thread.status());
      break;
    }
    threads_.push_back(*std::move(thread));
  }
}

RowLoader::~RowLoader() {
  if (threads_.empty()) return;
  interrupt_->Stop();
  {
    MutexLock lock(mutex_);
    closed_ = true;
    queue_.clear();
    changed_.NotifyAll();
  }
  Join();
}

absl::Status RowLoader::AwaitRoom(uint64_t size) {
  MutexLock lock(mutex_);
  while (failure_.ok() && held_bytes_ > 0 &&
         held_bytes_ + size > options_.queue_bytes) {
    SLUICE_RETURN_IF_ERROR(interrupt_->status());
    changed_.WaitFor(lock, kLook);
  }
  return failure_;
}

absl::Status RowLoader::Add(size_t table, std::string rows) {
  MutexLock lock(mutex_);
  if (!failure_.ok()) return failure_;
  held_bytes_ += rows.size();
  queue_.push_back({table, std::move(rows)});
  changed_.NotifyAll();
  return absl::OkStatus();
}

absl::Status RowLoader::Finish() {
  {
    MutexLock lock(mutex_);
    closed_ = true;
    changed_.NotifyAll();
  }
  Join();
  return failure();
}

void RowLoader::Work() {
  absl::StatusOr<std::unique_ptr<Connection>> connection =
      Connection::Open(options_.database, interrupt_);
  if (!connection.ok()) return Fail(connection.status());
  // What counts is the rename at the end: its commit makes all of this durable.
  absl::Status status =
      (*connection)->Exec("SET synchronous_commit = off").status();
  Session session(*std::move(connection), options_.encoding, tables_);
  if (status.ok()) status = LoadAll(session);
  if (!status.ok()) Fail(status);
}

absl::Status RowLoader::LoadAll(Session& session) {
  while (absl::optional<Part> part = Take(session.table())) {
    const PayloadTable& table = tables_[part->table];
    RowDigest digest;
    const absl::Status whole = digest.AddRows(table.format, part->rows);
    if (!whole.ok()) {
      return MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                       absl::StrCat("a part of table ", table.schema, ".",
                                    table.name, ": ", whole.message()));
    }
    SLUICE_RETURN_IF_ERROR(
        session.Load(part->table, part->rows, digest.rows()));
    Done(*part, digest);
  }
  SLUICE_RETURN_IF_ERROR(interrupt_->status());
  return session.End();
}

absl::optional<RowLoader::Part> RowLoader::Take(size_t table) {
  MutexLock lock(mutex_);
  while (queue_.empty() && !closed_ && failure_.ok() &&
         interrupt_->status().ok()) {
    changed_.WaitFor(lock, kLook);
  }
  if (queue_.empty() || !failure_.ok() || !interrupt_->status().ok()) {
    return absl::nullopt;
  }
  auto next = std::find_if(queue_.begin(), queue_.end(), [&](const Part& part) {
    return part.table == table;
  });
  if (next == queue_.end()) next = queue_.begin();
  Part part = std::move(*next);
  queue_.erase(next);
  return part;
}

void RowLoader::Done(const Part& part, const RowDigest& digest) {
  MutexLock lock(mutex_);
  held_bytes_ -= part.rows.size();
  digests_[part.table].Merge(digest);
  changed_.NotifyAll();
}

void RowLoader::Fail(const absl::Status& status) {
  MutexLock lock(mutex_);
  if (failure_.ok()) failure_ = DeepCopy(status);
  interrupt_->Stop();
  changed_.NotifyAll();
}

absl::Status RowLoader::failure() {
  MutexLock lock(mutex_);
  return failure_;
}

void RowLoader::Join() {
  for (Thread& thread : threads_) thread.Join();
  threads_.clear();
}

}  // namespace sluice::postgres
