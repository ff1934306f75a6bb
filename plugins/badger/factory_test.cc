#include "sluice/plugins/badger/factory.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/plugins/badger/live/lock_holder.h"
#include "sluice/plugins/badger/testing/fixture.h"
#include "sluice/plugins/sdk/error.h"

namespace sluice {
namespace {

using badger::Fixture;
using Given = std::vector<std::pair<std::string, std::string>>;

// The word of the error; empty: it was created.
std::string Create(const Given& given) {
  std::vector<sluice_option> options;
  for (const auto& [key, value] : given) {
    options.push_back({sdk::ToBytes(key), sdk::ToBytes(value), 0, 0});
  }
  sluice_error error = sdk::EmptyError();
  const void* object = nullptr;
  const sluice_code code = kBadgerSource.create(
      nullptr, options.data(), options.size(), &object, &error);
  EXPECT_EQ(code == SLUICE_OK, std::string(error.word).empty());
  if (code != SLUICE_OK) return error.word;
  const auto* source = static_cast<const sluice_source*>(object);
  source->destroy(source->self);
  return "";
}

struct Printed {
  std::string word;  // of the error; empty: none
  std::string text;
};

Printed RunVerb(const std::string& name,
                const std::vector<std::string>& words) {
  Printed printed;
  std::vector<sluice_bytes> arguments;
  for (const std::string& word : words) arguments.push_back(sdk::ToBytes(word));
  const sluice_output output = {
      sizeof(sluice_output), &printed.text,
      [](void* self, sluice_bytes bytes, sluice_error*) -> sluice_code {
        absl::StrAppend(static_cast<std::string*>(self), sdk::ToView(bytes));
        return SLUICE_OK;
      }};
  sluice_error error = sdk::EmptyError();
  kBadgerSource.command(nullptr, nullptr, sdk::ToBytes(name), arguments.data(),
                        arguments.size(), &output, &error);
  printed.word = error.word;
  return printed;
}

// As Badger has it open, until destroyed.
class Opened {
 public:
  explicit Opened(const std::string& folder)
      : fd_(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    EXPECT_EQ(flock(fd_, LOCK_EX | LOCK_NB), 0);
  }
  ~Opened() { close(fd_); }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

 private:
  const int fd_;
};

TEST(FactoryTest, MakesWhatTheOptionsSayWithoutLookingAtIt) {
  EXPECT_EQ(Create({{"path", "/absent"}}), "");
  EXPECT_EQ(Create({{"path", "/absent"},
                    {"value_dir", "/absent/values"},
                    {"key", "0123456789abcdef"},
                    {"scratch", "/absent/scratch"},
                    {"mode", "offline"},
                    {"jobs", "16"},
                    {"store_id", "orders"},
                    {"payload_ids", "file/"},
                    {"payload_id_json", "blocks"},
                    {"format", "7"}}),
            "");
}

TEST(FactoryTest, RefusesOptionsThatMakeNoSense) {
  const std::vector<Given> senseless = {
      {{"path", ""}},
      {{"path", std::string("a\0b", 3)}},
      {{"value_dir", ""}},
      {{"key", "short"}},
      {{"mode", "fast"}},
      {{"jobs", "0"}},
      {{"jobs", "17"}},
      {{"payload_ids", "a"}},
      {{"payload_id_json", "a"}},
      {{"payload_id_json", ""}, {"payload_ids", "a"}},
      {{"store_id", "a b"}},
      {{"format", "6"}}};
  for (Given given : senseless) {
    const std::string what = given[0].first;
    if (what != "path") given.push_back({"path", "/absent"});
    EXPECT_EQ(Create(given), "source_config_invalid") << what;
  }
}

TEST(FactoryTest, InspectTellsPeopleAndPrograms) {
  const Fixture fixture("v4-zstd-levels");
  const Printed text = RunVerb("inspect", {fixture.folder(), "tables"});
  EXPECT_EQ(text.word, "");
  EXPECT_TRUE(absl::StrContains(text.text, "\nkeys       2309 live, "))
      << text.text;
  EXPECT_TRUE(absl::StrContains(text.text, "\n000039.sst ")) << text.text;
  EXPECT_TRUE(absl::StrContains(text.text, "\nopen       by nobody"))
      << text.text;

  const Printed printed = RunVerb("inspect", {fixture.folder(), "--json"});
  EXPECT_EQ(printed.word, "");
  const auto json = nlohmann::json::parse(printed.text);
  EXPECT_EQ(json["format"], 8);
  EXPECT_EQ(json["live_keys"], 2309);
  EXPECT_EQ(json["tables"].size(), 13u);
  EXPECT_EQ(json["tables"][0]["compression"], "zstd");
  EXPECT_TRUE(json["open"].is_null());
  EXPECT_TRUE(json["damage"].empty());
}

TEST(FactoryTest, InspectSaysWhoHasItOpenAndReadsACopy) {
  const Fixture fixture("v4-none-inline");
  const std::string scratch = fixture.folder() + ".scratch";
  std::filesystem::create_directory(scratch);
  const Opened writer(fixture.folder());
  const Printed printed =
      RunVerb("inspect", {fixture.folder(), "scratch=" + scratch, "--json"});
  EXPECT_EQ(printed.word, "");
  const auto json = nlohmann::json::parse(printed.text);
  EXPECT_EQ(json["open"]["process"], getpid());
  EXPECT_TRUE(json["open"]["writes"]);
  EXPECT_EQ(json["folder"], fixture.folder());
  EXPECT_EQ(json["live_keys"], 186);
  EXPECT_TRUE(std::filesystem::is_empty(scratch));
}

TEST(FactoryTest, InspectPrintsDamageAndFails) {
  const Fixture fixture("v4-zstd-levels");
  const std::string path = fixture.folder() + "/000040.sst";
  std::string table = badger::ReadBytes(path);
  table[table.size() / 2] ^= 1;
  badger::WriteBytes(path, table);
  const Printed printed = RunVerb("inspect", {fixture.folder(), "--json"});
  EXPECT_EQ(printed.word, "archive_damaged");
  EXPECT_EQ(nlohmann::json::parse(printed.text)["damage"].size(), 1u);

  // A copy of it is looked at more than once, and is as damaged.
  const Opened writer(fixture.folder());
  const Printed copied = RunVerb("inspect", {fixture.folder()});
  EXPECT_EQ(copied.word, "archive_damaged");
}

TEST(FactoryTest, InspectRefusesWordsThatAreNone) {
  EXPECT_EQ(RunVerb("inspect", {}).word, "invalid_argument");
  EXPECT_EQ(RunVerb("inspect", {"/a", "/b"}).word, "invalid_argument");
  EXPECT_EQ(RunVerb("mend", {"/a"}).word, "invalid_argument");
  EXPECT_EQ(RunVerb("inspect", {"/a", "key=file:/absent"}).word,
            "source_config_invalid");
  EXPECT_EQ(RunVerb("inspect", {"/absent"}).word, "source_unavailable");
}

TEST(LockHolderTest, ReadsTheKernelsList) {
  constexpr char kLocks[] =
      "1: POSIX  ADVISORY  WRITE 7 fd:01:9 0 EOF\n"
      "2: FLOCK  ADVISORY  READ  8 fd:01:9 0 EOF\n"
      "3: FLOCK  ADVISORY  WRITE 5 fd:02:9 0 EOF\n"
      "3: -> FLOCK  ADVISORY  WRITE 6 fd:01:9 0 EOF\n"
      "half a line";
  const auto reader = badger::ParseLockHolder(kLocks, 0xfd01, 9);
  ASSERT_TRUE(reader.has_value());
  EXPECT_EQ(reader->process, 8);
  EXPECT_FALSE(reader->writes);
  const auto writer = badger::ParseLockHolder(kLocks, 0xfd02, 9);
  ASSERT_TRUE(writer.has_value());
  EXPECT_EQ(writer->process, 5);
  EXPECT_TRUE(writer->writes);
  EXPECT_FALSE(badger::ParseLockHolder(kLocks, 0xfd02, 8).has_value());
}

// The .so exports its entry and nothing else that a host would call.
TEST(FactoryTest, IsWhatThePluginExports) {
  void* const handle =
      dlopen("plugins/badger/sluice-source-badger.so", RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(handle, nullptr) << dlerror();
  const auto* entry =
      static_cast<const sluice_plugin_entry*>(dlsym(handle, "sluice_plugin"));
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(sdk::ToView(entry->name), "badger");
  ASSERT_EQ(entry->factory_count, 1u);
  EXPECT_EQ(sdk::ToView(entry->factories[0]->kind), "badger");
  EXPECT_NE(entry->factories[0]->command, nullptr);
}

}  // namespace
}  // namespace sluice
