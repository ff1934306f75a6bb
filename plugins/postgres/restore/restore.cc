#include "sluice/plugins/postgres/restore/restore.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/client/connection.h"
#include "sluice/plugins/postgres/client/interrupt.h"
#include "sluice/plugins/postgres/client/quote.h"
#include "sluice/plugins/postgres/client/sql_error.h"
#include "sluice/plugins/postgres/database/database_properties.h"
#include "sluice/plugins/postgres/database/role_map.h"
#include "sluice/plugins/postgres/payload/payload_index.h"
#include "sluice/plugins/postgres/payload/payload_reader.h"
#include "sluice/plugins/postgres/payload/spool_file.h"
#include "sluice/plugins/postgres/restore/blob_restorer.h"
#include "sluice/plugins/postgres/restore/lifted_constraints.h"
#include "sluice/plugins/postgres/restore/restore_preflight.h"
#include "sluice/plugins/postgres/restore/row_loader.h"
#include "sluice/plugins/postgres/restore/staging_database.h"
#include "sluice/plugins/postgres/tools/client_tools.h"
#include "sluice/plugins/postgres/tools/process.h"

namespace sluice::postgres {
namespace {

constexpr size_t kStatementsPerQuery = 1000;
constexpr size_t kViewsNamed = 20;
constexpr absl::string_view kPermissionDenied = "42501";
// What a view says that reads one which is not populated.
constexpr absl::string_view kNotInPrerequisiteState = "55000";

struct FailedView {
  std::string name;
  absl::Status why;
};

// One restore, from the payload's first byte to the swap.
class Restorer : public PayloadVisitor {
 public:
  Restorer(const sdk::Run& run, sdk::RestoreRequest& request,
           const RestoreOptions& options)
      : run_(run), request_(request), options_(options), interrupt_(run) {}

  // The payload was read to its end, and every byte was right.
  absl::Status Complete();
  // After an error: nothing of it stays, as far as that can be done in time.
  // Returns what went wrong first.
  absl::Status Abandon(absl::Status status);

  absl::Status OnHead(const PayloadHead& head) override;
  absl::Status AppendSchemaDump(absl::string_view bytes) override;
  absl::Status EndSchemaDump() override;
  absl::Status AwaitRoom(uint64_t size) override;
  absl::Status OnRows(size_t table, std::string rows) override;
  absl::Status OnBlobs(const std::vector<PayloadBlob>& blobs) override;
  absl::Status OnBlobPart(uint32_t oid, uint64_t part,
                          std::string bytes) override;
  absl::Status OnIndex(PayloadIndex index) override;

 private:
  absl::Status OpenStaging();
  absl::Status RunPgRestore(std::vector<std::string> arguments);
  absl::Status CompareRows() const;
  absl::Status SetSequences();
  absl::Status RefreshViews();
  void WarnOfViews(std::vector<FailedView> failed);
  void Warn(absl::string_view word, absl::string_view message) {
    request_.AddWarning(word, message);
  }
  StagingDatabase::Warn Warner() {
    return [this](absl::string_view word, absl::string_view message) {
      Warn(word, message);
    };
  }
  PayloadDatabase Properties() const;
  void MapRoles(PayloadDatabase& properties) const;

  const sdk::Run run_;
  sdk::RestoreRequest& request_;
  RestoreOptions options_;
  Interrupt interrupt_;
  const PayloadHead* head_ = nullptr;  // the reader's
  PayloadDatabase here_;               // the target before
  PayloadIndex index_;
  absl::optional<ClientTools> tools_;
  std::unique_ptr<StagingDatabase> staging_;
  std::unique_ptr<SpoolFile> spool_;
  std::unique_ptr<Connection> connection_;  // in the staging database
  LiftedConstraints constraints_;
  std::unique_ptr<BlobRestorer> blobs_;
  std::unique_ptr<RowLoader> loader_;
};

absl::Status Restorer::OnHead(const PayloadHead& head) {
  head_ = &head;
  options_.Step("preflight");
  std::vector<std::string> warnings;
  {
    SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<Connection> target,
                            Connection::Open(options_.target, &interrupt_));
    // A line of .pgpass may be for this database alone, and none can be for the
    // one that is filled.
    options_.target.password = target->password();
    SLUICE_RETURN_IF_ERROR(CheckTarget(*target, head, options_, warnings));
    SLUICE_ASSIGN_OR_RETURN(here_, ReadDatabaseProperties(*target));
    SLUICE_ASSIGN_OR_RETURN(
        tools_, ClientTools::Find(options_.tools_folder,
                                  target->server_version(), interrupt_));
  }
  for (const std::string& warning : warnings) {
    Warn("target_differs", warning);
  }
  SLUICE_ASSIGN_OR_RETURN(
      spool_, SpoolFile::Create(options_.file_system, options_.scratch_folder));
  SLUICE_ASSIGN_OR_RETURN(
      staging_,
      StagingDatabase::Create(options_, here_, &interrupt_, Warner()));
  return absl::OkStatus();
}

absl::Status Restorer::AppendSchemaDump(absl::string_view bytes) {
  return spool_->Append(bytes);
}

absl::Status Restorer::EndSchemaDump() {
  SLUICE_RETURN_IF_ERROR(spool_->Close());
  SLUICE_RETURN_IF_ERROR(OpenStaging());
  options_.Step("pre-data");
  SLUICE_RETURN_IF_ERROR(RunPgRestore({"--section=pre-data"}));
  SLUICE_RETURN_IF_ERROR(
      constraints_.Lift(*connection_, options_.disable_checks));
  blobs_ = std::make_unique<BlobRestorer>(*connection_, options_);
  options_.Step("rows");
  loader_ = std::make_unique<RowLoader>(
      RowLoaderOptions{staging_->database(), options_.jobs,
                       options_.queue_bytes, head_->database.encoding},
      head_->tables, &interrupt_);
  return absl::OkStatus();
}

absl::Status Restorer::OpenStaging() {
  SLUICE_ASSIGN_OR_RETURN(connection_,
                          Connection::Open(staging_->database(), &interrupt_));
  SLUICE_RETURN_IF_ERROR(
      connection_->Exec("SET synchronous_commit = off").status());
  // Triggers of the archive's, event triggers among them, are not for what is
  // done here. For superusers alone.
  const absl::Status quiet =
      connection_->Exec("SET session_replication_role = replica").status();
  return SqlStateOf(quiet) == kPermissionDenied ? absl::OkStatus() : quiet;
}

absl::Status Restorer::AwaitRoom(uint64_t size) {
  return loader_->AwaitRoom(size);
}

absl::Status Restorer::OnRows(size_t table, std::string rows) {
  return loader_->Add(table, std::move(rows));
}

absl::Status Restorer::OnBlobs(const std::vector<PayloadBlob>& blobs) {
  return blobs_->Create(blobs);
}

absl::Status Restorer::OnBlobPart(uint32_t oid, uint64_t part,
                                  std::string bytes) {
  return blobs_->Append(oid, part, bytes);
}

absl::Status Restorer::OnIndex(PayloadIndex index) {
  index_ = std::move(index);
  return absl::OkStatus();
}

absl::Status Restorer::Complete() {
  options_.Step("rows end");
  SLUICE_RETURN_IF_ERROR(loader_->Finish());
  SLUICE_RETURN_IF_ERROR(CompareRows());
  SLUICE_RETURN_IF_ERROR(blobs_->Compare(index_.blobs));
  options_.Step("sequences");
  SLUICE_RETURN_IF_ERROR(SetSequences());
  options_.Step("post-data");
  SLUICE_RETURN_IF_ERROR(RunPgRestore(
      {"--section=post-data", absl::StrCat("--jobs=", options_.jobs)}));
  options_.Step("constraints");
  SLUICE_RETURN_IF_ERROR(constraints_.PutBack(
      *connection_, options_.disable_checks,
      [this](absl::string_view word, absl::string_view message) {
        Warn(word, message);
      }));
  options_.Step("views");
  SLUICE_RETURN_IF_ERROR(RefreshViews());
  options_.Step("roles");
  SLUICE_RETURN_IF_ERROR(HandOnRoles(*connection_, options_.role_map));
  blobs_.reset();
  connection_.reset();  // nobody may be in a database that is renamed
  return staging_->Publish(Properties(), request_.store_id(), Warner());
}

absl::Status Restorer::Abandon(absl::Status status) {
  // The thread that failed stopped the others: theirs is no cause.
  if (loader_ != nullptr && absl::IsCancelled(status)) {
    if (absl::Status cause = loader_->failure(); !cause.ok()) status = cause;
  }
  interrupt_.Stop();
  loader_.reset();
  blobs_.reset();
  connection_.reset();
  if (staging_ != nullptr) {
    const std::string left = staging_->Discard(
        run_.cancelled() ? options_.cancel_patience : absl::Seconds(20),
        /*disk_is_full=*/ErrorCodeOf(status) == kSourceNoSpace);
    if (!left.empty()) Warn("staging_database_left", left);
  }
  return status;
}

absl::Status Restorer::RunPgRestore(std::vector<std::string> arguments) {
  ProcessOptions process = tools_->Command("pg_restore", staging_->database());
  process.arguments.push_back("--exit-on-error");
  if (options_.no_owner) process.arguments.push_back("--no-owner");
  if (options_.no_privileges) process.arguments.push_back("--no-privileges");
  for (std::string& argument : arguments) {
    process.arguments.push_back(std::move(argument));
  }
  process.arguments.push_back(spool_->path());
  process.files.push_back(spool_->descriptor());
  process.environment.emplace_back("PGOPTIONS", "-c synchronous_commit=off");
  std::string said;
  absl::Status status = RunProcess(
      process, interrupt_, [](absl::string_view) { return absl::OkStatus(); },
      &said);
  if (status.ok()) {
    if (!said.empty()) Warn("pg_restore_warning", OneLine(said));
    return status;
  }
  // It gives no SQLSTATE, only what the server said, in the server's language.
  if (absl::StrContains(status.message(), "No space left on device")) {
    return SqlError(kDiskFull, status.message());
  }
  if (absl::StrContains(status.message(), "can only create extension in")) {
    return WithHint(std::move(status),
                    "this extension allows one database name alone: restore "
                    "with in_place=1");
  }
  return status;
}

absl::Status Restorer::CompareRows() const {
  for (size_t i = 0; i < head_->tables.size(); ++i) {
    const PayloadTableTotals& totals = index_.tables[i];
    const RowDigest& digest = loader_->digest(i);
    if (totals.rows == digest.rows() && totals.bytes == digest.bytes() &&
        totals.digest == digest.Hex()) {
      continue;
    }
    return MakeError(
        absl::StatusCode::kDataLoss, kArchiveDamaged,
        absl::StrCat("table ", head_->tables[i].schema, ".",
                     head_->tables[i].name, ": ", digest.rows(), " rows came, ",
                     totals.rows, " were read at the source",
                     totals.rows == digest.rows() ? ", and others" : ""));
  }
  return absl::OkStatus();
}

absl::Status Restorer::SetSequences() {
  std::string sql;
  size_t statements = 0;
  for (const PayloadSequence& sequence : index_.sequences) {
    absl::StrAppend(
        &sql, "SELECT pg_catalog.setval(",
        QuoteLiteral(QuoteQualified(sequence.schema, sequence.name)), ", ",
        sequence.last_value, ", ", sequence.is_called ? "true" : "false",
        "); ");
    if (++statements % kStatementsPerQuery != 0) continue;
    SLUICE_RETURN_IF_ERROR(connection_->Exec(std::exchange(sql, "")).status());
  }
  return sql.empty() ? absl::OkStatus() : connection_->Exec(sql).status();
}

// In whatever order works: a view that another one reads must have rows first,
// and only running its query shows what it reads.
absl::Status Restorer::RefreshViews() {
  std::vector<PayloadObjectName> waiting = head_->materialized_views;
  while (!waiting.empty()) {
    std::vector<PayloadObjectName> again;
    std::vector<FailedView> failed;
    for (const PayloadObjectName& view : waiting) {
      const std::string name = QuoteQualified(view.schema, view.name);
      const absl::Status refreshed =
          connection_->Exec(absl::StrCat("REFRESH MATERIALIZED VIEW ", name))
              .status();
      SLUICE_RETURN_IF_ERROR(interrupt_.status());
      if (refreshed.ok()) continue;
      again.push_back(view);
      failed.push_back({absl::StrCat(view.schema, ".", view.name), refreshed});
    }
    if (again.size() == waiting.size()) {
      WarnOfViews(std::move(failed));
      return absl::OkStatus();
    }
    waiting = std::move(again);
  }
  return absl::OkStatus();
}

// First those that fail by themselves, then those that only read one of them.
void Restorer::WarnOfViews(std::vector<FailedView> failed) {
  std::stable_partition(
      failed.begin(), failed.end(), [](const FailedView& view) {
        return SqlStateOf(view.why) != kNotInPrerequisiteState;
      });
  for (size_t i = 0; i < std::min(failed.size(), kViewsNamed); ++i) {
    Warn("view_not_refreshed",
         absl::StrCat("materialized view ", failed[i].name,
                      " stays empty: ", failed[i].why.message()));
  }
  if (failed.size() <= kViewsNamed) return;
  Warn("view_not_refreshed",
       absl::StrCat(failed.size() - kViewsNamed,
                    " more materialized views stay empty"));
}

void Restorer::MapRoles(PayloadDatabase& properties) const {
  const RoleMap& roles = options_.role_map;
  properties.owner = MappedRole(roles, properties.owner);
  for (PayloadSetting& setting : properties.settings) {
    setting.role = MappedRole(roles, setting.role);
  }
  if (!properties.grants.has_value()) return;
  for (PayloadGrant& grant : *properties.grants) {
    grant.grantor = MappedRole(roles, grant.grantor);
    grant.grantee = MappedRole(roles, grant.grantee);
  }
}

// The archive's, but for what was asked to stay and what a restore cannot move.
PayloadDatabase Restorer::Properties() const {
  PayloadDatabase properties = head_->database;
  if (options_.no_privileges) {
    properties.grants = here_.grants;
    std::erase_if(properties.settings, [](const PayloadSetting& setting) {
      return !setting.role.empty();
    });
  }
  MapRoles(properties);
  if (!options_.no_owner) return properties;
  if (properties.grants.has_value()) {
    for (PayloadGrant& grant : *properties.grants) {
      if (grant.grantor == properties.owner) grant.grantor = here_.owner;
      if (grant.grantee == properties.owner) grant.grantee = here_.owner;
    }
  }
  properties.owner = here_.owner;
  return properties;
}

absl::Status ReadPayloads(const sdk::Run& run, sdk::RestoreRequest& request,
                          PayloadReader& reader) {
  const absl::Span<sdk::Payload* const> payloads = request.payloads();
  for (size_t i = 0; i < payloads.size(); ++i) {
    // Each is a full one, so the last is the state.
    const bool last = i + 1 == payloads.size();
    while (true) {
      SLUICE_RETURN_IF_ERROR(run.status());
      SLUICE_ASSIGN_OR_RETURN(const absl::string_view bytes,
                              payloads[i]->Next());
      if (bytes.empty()) break;
      if (last) SLUICE_RETURN_IF_ERROR(reader.Feed(bytes));
    }
  }
  return reader.Finish();
}

}  // namespace

absl::Status RestoreDatabase(const sdk::Run& run, sdk::RestoreRequest& request,
                             const RestoreOptions& options) {
  Restorer restorer(run, request, options);
  PayloadReader reader(restorer);
  absl::Status status = ReadPayloads(run, request, reader);
  if (status.ok()) status = restorer.Complete();
  if (status.ok()) return status;
  status = restorer.Abandon(std::move(status));
  if (SqlStateOf(status) == kPermissionDenied) {
    status = WithHint(std::move(status),
                      "restore as a superuser, or with CREATEDB and no_owner=1 "
                      "as the owner of the database");
  }
  return Annotate(status, absl::StrCat("restore into database ",
                                       options.target.Get("dbname")));
}

}  // namespace sluice::postgres
