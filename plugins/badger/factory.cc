#include "sluice/plugins/badger/factory.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/scratch_folder.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/command.h"
#include "sluice/plugins/badger/image/store_traits.h"
#include "sluice/plugins/badger/restore/table_writer.h"
#include "sluice/plugins/badger/source.h"
#include "sluice/plugins/badger/source_options.h"
#include "sluice/plugins/sdk/options.h"
#include "sluice/plugins/sdk/source.h"
#include "sluice/plugins/sdk/source_options.h"

namespace sluice {
namespace {

// Each reads through the tables on its own: some MiB.
constexpr uint64_t kDefaultJobs = 4;
constexpr uint64_t kMaxJobs = 16;

absl::Status ConfigInvalid(absl::string_view what) {
  return sdk::ConfigInvalid("badger", what);
}

absl::Status ReadFolders(const sdk::Options& options,
                         badger::SourceOptions& source) {
  SLUICE_ASSIGN_OR_RETURN(source.folder,
                          sdk::FolderOption("badger", options, "path"));
  if (options.Has("value_dir")) {
    SLUICE_ASSIGN_OR_RETURN(source.value_folder,
                            sdk::FolderOption("badger", options, "value_dir"));
    if (source.value_folder == source.folder) source.value_folder.clear();
  }
  // It may be large: not in memory.
  source.scratch = ScratchFolderOf("", "/var/tmp");
  if (options.Has("scratch")) {
    SLUICE_ASSIGN_OR_RETURN(source.scratch,
                            sdk::FolderOption("badger", options, "scratch"));
  }
  return absl::OkStatus();
}

absl::Status ReadRestoreOptions(const sdk::Options& options,
                                badger::SourceOptions& source) {
  if (options.Has("format")) {
    const std::string format = options.Get("format");
    if (format != "7" && format != "8") {
      return ConfigInvalid("format= is 7 (Badger 2) or 8 (Badger 3 and 4)");
    }
    source.restore_format = format == "7" ? badger::DiskFormat::kBadger2
                                          : badger::DiskFormat::kBadger4;
  }
  if (options.Has("levels")) {
    SLUICE_ASSIGN_OR_RETURN(const uint64_t levels,
                            options.GetInteger("levels", 0));
    if (levels < 2 || levels > badger::kMaxLevel + 1) {
      return ConfigInvalid(
          absl::StrCat("levels= must be 2 to ", badger::kMaxLevel + 1));
    }
    source.levels = static_cast<uint32_t>(levels);
  }
  if (options.Has("external_magic")) {
    SLUICE_ASSIGN_OR_RETURN(const uint64_t magic,
                            options.GetInteger("external_magic", 0));
    if (magic > UINT16_MAX) {
      return ConfigInvalid("external_magic= must be 0 to 65535");
    }
    source.external_magic = static_cast<uint16_t>(magic);
  }
  return absl::OkStatus();
}

absl::Status ReadRest(const sdk::Options& options,
                      badger::SourceOptions& source) {
  source.master_key = options.Get("key");
  const size_t key_bytes = source.master_key.size();
  if (options.Has("key") && key_bytes != 16 && key_bytes != 24 &&
      key_bytes != 32) {
    return ConfigInvalid("key= must be 16, 24 or 32 bytes");
  }
  const std::string mode = options.Get("mode", "live");
  if (mode != "live" && mode != "offline") {
    return ConfigInvalid("mode= is live or offline");
  }
  source.offline = mode == "offline";
  SLUICE_ASSIGN_OR_RETURN(
      source.jobs, sdk::JobsOption("badger", options, kDefaultJobs, kMaxJobs));
  source.payload_id_prefix = options.Get("payload_ids");
  source.payload_id_field = options.Get("payload_id_json");
  if (options.Has("payload_ids") != options.Has("payload_id_json") ||
      (options.Has("payload_id_json") && source.payload_id_field.empty())) {
    return ConfigInvalid("payload_ids= goes with payload_id_json=FIELD");
  }
  SLUICE_ASSIGN_OR_RETURN(source.store_id,
                          sdk::StoreIdOption("badger", options));
  SLUICE_ASSIGN_OR_RETURN(source.accept_mismatch,
                          options.GetBoolean("accept_mismatch", false));
  return ReadRestoreOptions(options, source);
}

absl::StatusOr<std::unique_ptr<sdk::Source>> CreateBadger(
    const sdk::Host& host, const sdk::Options& options) {
  badger::SourceOptions source;
  SLUICE_RETURN_IF_ERROR(ReadFolders(options, source));
  SLUICE_RETURN_IF_ERROR(ReadRest(options, source));
  return badger::MakeBadgerSource(std::move(source));
}

constexpr sluice_option_spec kOptions[] = {
    sdk::Option("path", SLUICE_OPTION_PATH, SLUICE_OPTION_REQUIRED, "",
                "the database's folder (Badger's Dir)"),
    sdk::Option("value_dir", SLUICE_OPTION_PATH, 0, "",
                "its value log's folder, where that is another one"),
    sdk::Option("key", SLUICE_OPTION_STRING, SLUICE_OPTION_SECRET, "",
                "its encryption key, 16, 24 or 32 bytes: key=file:F"),
    sdk::Option("scratch", SLUICE_OPTION_PATH, 0, "",
                "where the copy of a live database is made, with room for all "
                "of it; $TMPDIR or /var/tmp otherwise"),
    sdk::Option("mode", SLUICE_OPTION_STRING, 0, "live",
                "offline: take Badger's lock and read in place, instead of "
                "copying while an application may be writing"),
    sdk::Option("jobs", SLUICE_OPTION_INTEGER, 0, "",
                "threads that copy a live database and verify the copy, 1 to "
                "16; as many as there are processors, up to 4, otherwise"),
    sdk::Option("store_id", SLUICE_OPTION_STRING, 0, "",
                "the store's identity, 1 to 128 bytes of [A-Za-z0-9._-]; a "
                "database that can be written into keeps one of its own"),
    sdk::Option("payload_ids", SLUICE_OPTION_STRING, 0, "",
                "values of keys that begin with this name payload ids, the "
                "blocks elsewhere that the snapshot refers to"),
    sdk::Option("payload_id_json", SLUICE_OPTION_STRING, 0, "",
                "the field of these values, JSON objects, that holds an id or "
                "an array of ids"),
    sdk::Option("format", SLUICE_OPTION_STRING, 0, "",
                "what a restore writes: 8 (Badger 3 and 4) or 7 (Badger 2); "
                "what the backup's store was, and 8 for a file of `badger "
                "backup`, otherwise"),
    sdk::Option("levels", SLUICE_OPTION_INTEGER, 0, "",
                "the application's MaxLevels, 2 to 64: a restore writes to the "
                "last one; to the deepest that the backup's store used "
                "otherwise"),
    sdk::Option("external_magic", SLUICE_OPTION_INTEGER, 0, "",
                "the application's ExternalMagic, 0 to 65535, for a restore; "
                "that of the backup's store otherwise"),
    sdk::Option("accept_mismatch", SLUICE_OPTION_BOOLEAN, 0, "0",
                "restore a chain although it does not hold what the backup "
                "recorded: deleted keys and old values may come back"),
};

}  // namespace

constinit const sluice_factory kBadgerSource =
    sdk::SourceFactory<&CreateBadger, &badger::RunBadgerCommand>(
        "badger",
        "BadgerDB directories, backed up while an application writes.\n"
        "badger:/var/lib/app/db",
        kOptions);

}  // namespace sluice
