#include "sluice/plugins/postgres/factory.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/database/role_map.h"
#include "sluice/plugins/postgres/endpoint.h"
#include "sluice/plugins/postgres/postgres_source.h"
#include "sluice/plugins/sdk/options.h"
#include "sluice/plugins/sdk/source.h"
#include "sluice/plugins/sdk/source_options.h"

namespace sluice {
namespace {

constexpr uint64_t kMaxJobs = 64;

absl::StatusOr<bool> AnyExtensionVersion(const sdk::Options& options) {
  const std::string version = options.Get("extension_version");
  if (version.empty() || version == "archive") return false;
  if (version == "available") return true;
  return sdk::ConfigInvalid("postgresql",
                            "extension_version= must be archive or available");
}

absl::StatusOr<std::unique_ptr<sdk::Source>> CreatePostgres(
    const sdk::Host& host, const sdk::Options& options) {
  postgres::PostgresSourceOptions source;
  postgres::BackupOptions& backup = source.backup;
  postgres::RestoreOptions& restore = source.restore;
  SLUICE_ASSIGN_OR_RETURN(backup.connection, postgres::ConnectionFrom(options));
  SLUICE_ASSIGN_OR_RETURN(
      backup.jobs, sdk::JobsOption("postgresql", options, kMaxJobs, kMaxJobs));
  SLUICE_ASSIGN_OR_RETURN(backup.payload_ids, postgres::ParsePayloadIds(
                                                  options.Get("payload_ids")));
  SLUICE_ASSIGN_OR_RETURN(
      backup.patience, options.GetDuration("lock_timeout", absl::Minutes(5)));
  SLUICE_ASSIGN_OR_RETURN(backup.store_id,
                          sdk::StoreIdOption("postgresql", options));
  backup.tools_folder = options.Get("bin");
  backup.scratch_folder = options.Get("scratch");
  restore.jobs = backup.jobs;
  restore.tools_folder = backup.tools_folder;
  restore.scratch_folder = backup.scratch_folder;
  SLUICE_ASSIGN_OR_RETURN(restore.no_owner,
                          options.GetBoolean("no_owner", false));
  SLUICE_ASSIGN_OR_RETURN(restore.no_privileges,
                          options.GetBoolean("no_privileges", false));
  SLUICE_ASSIGN_OR_RETURN(restore.any_collation,
                          options.GetBoolean("any_collation", false));
  SLUICE_ASSIGN_OR_RETURN(restore.any_extension_version,
                          AnyExtensionVersion(options));
  SLUICE_ASSIGN_OR_RETURN(restore.disable_checks,
                          options.GetBoolean("disable_checks", false));
  SLUICE_ASSIGN_OR_RETURN(restore.in_place,
                          options.GetBoolean("in_place", false));
  SLUICE_ASSIGN_OR_RETURN(restore.role_map,
                          postgres::ParseRoleMap(options.Get("role_map")));
  return postgres::MakePostgresSource(std::move(source));
}

constexpr sluice_option_spec Passed(std::string_view name,
                                    std::string_view help) {
  return sdk::Option(name, SLUICE_OPTION_STRING, 0, "", help);
}

constexpr sluice_option_spec kOptions[] = {
    Passed("authority", "USER@HOST:PORT, each of which may be missing"),
    Passed("path", "the database, after a slash"),
    Passed("host", "host, address or folder of sockets, as libpq takes it"),
    Passed("hostaddr", "numeric address of the host"),
    Passed("port", "port"),
    Passed("user", "role to log in as"),
    Passed("dbname", "the database"),
    Passed("service", "name of a service in pg_service.conf"),
    Passed("passfile", "file of passwords in place of ~/.pgpass"),
    Passed("application_name", "as the server's views show the sessions"),
    Passed("options", "settings of the sessions: -c NAME=VALUE"),
    Passed("keepalives", "0: no TCP keepalives"),
    Passed("keepalives_idle", "seconds of silence before one is sent"),
    Passed("keepalives_interval", "seconds after which one is sent again"),
    Passed("keepalives_count", "how many may be lost"),
    Passed("tcp_user_timeout",
           "milliseconds that sent data may wait for an answer"),
    Passed("sslmode",
           "disable, allow, prefer, require, verify-ca, "
           "verify-full"),
    Passed("sslrootcert", "file of the authorities to trust"),
    Passed("sslcert", "file of the client's certificate"),
    Passed("sslkey", "file of the client's key"),
    Passed("sslcrl", "file of revoked certificates"),
    Passed("sslcrldir", "folder of revoked certificates"),
    Passed("sslsni", "0: the server's name is not sent in clear"),
    Passed("ssl_min_protocol_version", "TLSv1.2, TLSv1.3, ..."),
    Passed("ssl_max_protocol_version", "TLSv1.2, TLSv1.3, ..."),
    Passed("requirepeer", "user that the server behind a socket must run as"),
    Passed("gssencmode", "disable, prefer, require"),
    Passed("krbsrvname", "Kerberos service name of the server"),
    Passed("channel_binding", "disable, prefer, require"),
    Passed("target_session_attrs",
           "which of several hosts: any, read-write, "
           "standby, ..."),
    sdk::Option("password", SLUICE_OPTION_STRING, SLUICE_OPTION_SECRET, "",
                "env:NAME, file:/path or cmd:COMMAND; without it ~/.pgpass or "
                "the service file"),
    sdk::Option("connect_timeout", SLUICE_OPTION_STRING, 0, "10s",
                "how long the server may take to answer: 10s, or 10 as libpq "
                "has it, 0 for ever"),
    sdk::Option("jobs", SLUICE_OPTION_INTEGER, 0, "",
                "sessions that move rows at the same time, 1 to 64; the number "
                "of cores if not given"),
    sdk::Option("lock_timeout", SLUICE_OPTION_DURATION, 0, "5m",
                "backup: how long to try for an instant at which nobody "
                "changes a table's definition"),
    sdk::Option(
        "payload_ids", SLUICE_OPTION_STRING, 0, "",
        "backup: SCHEMA.TABLE.COLUMN whose values are the ids of blocks "
        "that the snapshot refers to; several separated by commas"),
    sdk::Option("store_id", SLUICE_OPTION_STRING, 0, "",
                "the store's identity, 1 to 128 bytes of [A-Za-z0-9._-], in "
                "place of the database's own"),
    sdk::Option("bin", SLUICE_OPTION_PATH, 0, "",
                "folder of pg_dump and pg_restore"),
    sdk::Option("scratch", SLUICE_OPTION_PATH, 0, "",
                "folder for the definitions meanwhile, some MiB; $TMPDIR or "
                "/tmp if not given"),
    sdk::Option("no_owner", SLUICE_OPTION_BOOLEAN, 0, "no",
                "restore: everything belongs to who restores"),
    sdk::Option("no_privileges", SLUICE_OPTION_BOOLEAN, 0, "no",
                "restore: no rights are restored"),
    sdk::Option("role_map", SLUICE_OPTION_STRING, 0, "",
                "restore: OLD:NEW, several separated by commas: what belonged "
                "to a role that this server has not goes to one that it has"),
    sdk::Option("any_collation", SLUICE_OPTION_BOOLEAN, 0, "no",
                "restore: even where text may sort otherwise than at the "
                "source"),
    sdk::Option("extension_version", SLUICE_OPTION_STRING, 0, "archive",
                "restore: archive, only where the server has each extension in "
                "the archive's version; available, in whichever it has"),
    sdk::Option("disable_checks", SLUICE_OPTION_BOOLEAN, 0, "no",
                "restore: CHECK constraints are looked at when all rows are "
                "there; one that they break comes back NOT VALID"),
    sdk::Option("in_place", SLUICE_OPTION_BOOLEAN, 0, "no",
                "restore: into the database itself, for extensions that allow "
                "one name alone (pg_cron); a failure leaves a part of it"),
};

}  // namespace

constinit const sluice_factory kPostgresSource =
    sdk::SourceFactory<&CreatePostgres>(
        "postgresql",
        "A PostgreSQL database, version 13 or later.\n"
        "postgresql://backup@db.example/orders?jobs=4",
        kOptions);

}  // namespace sluice
