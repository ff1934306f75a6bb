#include "sluice/cli/commands/parser.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/service/plan/plan_fields.h"

namespace sluice::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const char* NoVariable(const char* /*name*/) { return nullptr; }

absl::StatusOr<Command> ParseWith(
    std::vector<std::string> words,
    std::map<std::string, std::string> variables) {
  return Parse(words, [&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

TEST(ParserTest, FindsVerbArgumentsAndFlagsInAnyOrder) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"backup", "memory:", "--repo", "r", "--json"},
        {"--json", "backup", "--repo=r", "memory:"},
        {"backup", "--repo", "r", "--json", "--", "memory:"}}) {
    const auto command = Parse(words, NoVariable);
    ASSERT_TRUE(command.ok()) << command.status();
    EXPECT_EQ(command->verb->path, "backup");
    EXPECT_THAT(command->arguments, ElementsAre("memory:"));
    EXPECT_EQ(command->Get("repo"), "r");
    EXPECT_TRUE(command->Has("json"));
  }
}

TEST(ParserTest, FindsVerbsOfTwoWords) {
  const auto command = Parse({"repo", "add", "n", "local:/x"}, NoVariable);
  ASSERT_TRUE(command.ok()) << command.status();
  EXPECT_EQ(command->verb->path, "repo add");
  EXPECT_THAT(command->arguments, ElementsAre("n", "local:/x"));
}

TEST(ParserTest, AFlagWinsOverItsVariableAndAVariableOverTheDefault) {
  auto command =
      ParseWith({"list", "--repo", "flag"}, {{"SLUICE_REPO", "env"}});
  ASSERT_TRUE(command.ok());
  EXPECT_EQ(command->Get("repo"), "flag");
  command = ParseWith({"list"}, {{"SLUICE_REPO", "env"}, {"SLUICE_JSON", "1"}});
  ASSERT_TRUE(command.ok());
  EXPECT_EQ(command->Get("repo"), "env");
  EXPECT_TRUE(command->Has("json"));
  command = ParseWith({"list"}, {{"SLUICE_REPO", ""}, {"SLUICE_JSON", "0"}});
  ASSERT_TRUE(command.ok());
  EXPECT_FALSE(command->Has("repo"));
  EXPECT_FALSE(command->Has("json"));
  EXPECT_FALSE(command->Require("repo").ok());
}

TEST(ParserTest, RefusesAVariableThatIsNeitherYesNorNo) {
  const auto command = ParseWith({"list"}, {{"SLUICE_JSON", "maybe"}});
  EXPECT_EQ(ErrorCodeOf(command.status()), kInvalidArgument);
}

TEST(ParserTest, SaysWhatWasMeant) {
  const std::map<std::vector<std::string>, std::string> meant = {
      {{"bakcup", "memory:"}, "did you mean backup?"},
      {{"restor", "x"}, "did you mean restore?"},
      {{"list", "--rpeo", "x"}, "did you mean --repo?"},
      {{"list", "--jsno"}, "did you mean --json?"},
      {{"repo", "lst"}, "did you mean list?"},
      {{"--jsn", "list"}, "did you mean --json?"},
  };
  for (const auto& [words, hint] : meant) {
    const auto command = Parse(words, NoVariable);
    EXPECT_EQ(ErrorCodeOf(command.status()), kInvalidArgument) << words[0];
    EXPECT_EQ(HintOf(command.status()), hint) << command.status();
  }
}

TEST(ParserTest, RefusesWhatTheTableDoesNotHave) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{},
        {"frobnicate"},
        {"repo"},
        {"job", "frobnicate"},
        {"show"},
        {"show", "a", "b"},
        {"backup", "memory:", "--to", "x"},
        {"backup", "memory:", "--repo"},
        {"list", "--json=maybe"},
        {"list", "--repo", "a", "--repo", "b"}}) {
    const auto command = Parse(words, NoVariable);
    EXPECT_EQ(ErrorCodeOf(command.status()), kInvalidArgument)
        << command.status();
    EXPECT_NE(HintOf(command.status()), "") << command.status();
  }
}

TEST(ParserTest, KeepsAnEmptyArgumentForTheVerbToJudge) {
  const auto command = Parse({"delete", "", "--repo", "r"}, NoVariable);
  ASSERT_TRUE(command.ok()) << command.status();
  EXPECT_THAT(command->arguments, ElementsAre(""));
}

TEST(ParserTest, WhatFollowsTwoDashesIsNoFlag) {
  const auto command = Parse({"plugin", "check", "--", "--json"}, NoVariable);
  ASSERT_TRUE(command.ok()) << command.status();
  EXPECT_THAT(command->arguments, ElementsAre("--json"));
  EXPECT_FALSE(command->Has("json"));
}

TEST(ParserTest, HelpNeedsNothingElse) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"--help"}, {"backup", "--help"}}) {
    const auto command = Parse(words, NoVariable);
    ASSERT_TRUE(command.ok()) << command.status();
    EXPECT_TRUE(command->help);
  }
}

TEST(ParserTest, TakesTheWordsThatPeopleTryEverywhere) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"-h"},
                                                {"help"},
                                                {"backup", "-h"},
                                                {"help", "backup"},
                                                {"help", "repo", "add"}}) {
    const auto command = Parse(words, NoVariable);
    ASSERT_TRUE(command.ok()) << command.status();
    EXPECT_TRUE(command->help);
  }
  EXPECT_EQ(Parse({"help", "repo", "add"}, NoVariable)->verb->path, "repo add");
  EXPECT_EQ(Parse({"--version"}, NoVariable)->verb->path, "version");
  EXPECT_FALSE(Parse({"help", "frobnicate"}, NoVariable).ok());
}

TEST(ParserTest, AnEmptyValueIsNotTakenForNone) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"list", "--store", "", "--repo", "r"},
        {"list", "--repo", "r", "--store="},
        {"list", "--store=", "--repo", "r"}}) {
    const auto command = Parse(words, NoVariable);
    EXPECT_EQ(ErrorCodeOf(command.status()), kInvalidArgument);
    EXPECT_EQ(command.status().message(), "--store is empty");
  }
}

TEST(ParserTest, DurationsNeedAUnit) {
  auto command = Parse({"sweep", "--timeout", "90s"}, NoVariable);
  ASSERT_TRUE(command.ok());
  EXPECT_EQ(command->GetDuration("timeout").value(), absl::Seconds(90));
  for (const char* wrong : {"90", "-1s", "0s", "soon"}) {
    command = Parse({"sweep", std::string("--timeout=") + wrong}, NoVariable);
    ASSERT_TRUE(command.ok()) << command.status();
    EXPECT_FALSE(command->GetDuration("timeout").ok()) << wrong;
  }
  command = Parse({"sweep"}, NoVariable);
  EXPECT_EQ(command->GetDuration("timeout").value(), absl::InfiniteDuration());
}

TEST(ParserTest, KnowsThatJsonIsWantedHoweverWrongTheRestIs) {
  EXPECT_TRUE(WantsJson({"frobnicate", "--json"}, NoVariable));
  EXPECT_FALSE(WantsJson({"frobnicate", "--", "--json"}, NoVariable));
}

TEST(ParserTest, OffersNothingWhereNothingIsNear) {
  EXPECT_EQ(DidYouMean("xyzzy", {"backup", "restore"}), "");
  EXPECT_EQ(DidYouMean("shwo", {"sweep", "show"}), "show");
}

TEST(ParserTest, HelpOnAVerbOfAPluginIsThePluginsOwn) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"plugin", "badger", "inspect", "--help"},
        std::vector<std::string>{"plugin", "run", "badger", "inspect",
                                 "--help"}}) {
    const auto command = Parse(words, NoVariable);
    ASSERT_TRUE(command.ok()) << command.status();
    EXPECT_FALSE(command->help);
    EXPECT_FALSE(command->Has("help"));
    EXPECT_THAT(command->arguments, ElementsAre("badger", "inspect", "--help"));
  }
  EXPECT_TRUE(Parse({"plugin", "run", "--help"}, NoVariable)->help);
}

TEST(ParserTest, AVerbOfAPluginNeedsNoRun) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"plugin", "badger", "inspect", "/db"},
        std::vector<std::string>{"plugin", "run", "badger", "inspect",
                                 "/db"}}) {
    const auto command = Parse(words, NoVariable);
    ASSERT_TRUE(command.ok()) << command.status();
    EXPECT_EQ(command->verb->path, "plugin run");
    EXPECT_THAT(command->arguments, ElementsAre("badger", "inspect", "/db"));
  }
  const auto limited = Parse(
      {"plugin", "badger", "inspect", "/db", "--timeout", "5s"}, NoVariable);
  ASSERT_TRUE(limited.ok()) << limited.status();
  EXPECT_EQ(limited->Get("timeout"), "5s");
  EXPECT_THAT(limited->arguments, ElementsAre("badger", "inspect", "/db"));
  EXPECT_FALSE(Parse({"plugin", "badger"}, NoVariable).ok());
}

TEST(ParserTest, AFlagThatMayBeRepeatedKeepsAllItsValues) {
  const auto command = Parse({"plan", "add", "--repo", "a", "p", "--repo=b",
                              "--label", "k=v", "--label", "l=w"},
                             NoVariable);
  ASSERT_TRUE(command.ok()) << command.status();
  EXPECT_THAT(command->arguments, ElementsAre("p"));
  EXPECT_THAT(command->GetAll("repo"), ElementsAre("a", "b"));
  EXPECT_THAT(command->GetAll("label"), ElementsAre("k=v", "l=w"));
  EXPECT_EQ(command->Get("repo"), "b");
  EXPECT_TRUE(command->GetAll("source").empty());
  EXPECT_FALSE(
      Parse({"plan", "add", "p", "--repo", "a", "--repo="}, NoVariable).ok());
}

TEST(ParserTest, AnEmptyValueTakesBackWhatAPlanSays) {
  const auto command = Parse(
      {"plan", "edit", "p", "--cron=", "--keep-daily", "", "--zone", "UTC"},
      NoVariable);
  ASSERT_TRUE(command.ok()) << command.status();
  EXPECT_THAT(command->arguments, ElementsAre("p"));
  EXPECT_TRUE(command->Has("cron"));
  EXPECT_EQ(command->Get("cron"), "");
  EXPECT_TRUE(command->Has("keep-daily"));
  EXPECT_FALSE(command->Has("keep-last"));
  EXPECT_FALSE(Parse({"plan", "edit", "p", "--source="}, NoVariable).ok());
}

TEST(ParserTest, ASwitchOfAPlanMayBeOff) {
  const auto on = Parse({"plan", "edit", "--allow-empty", "p"}, NoVariable);
  ASSERT_TRUE(on.ok()) << on.status();
  EXPECT_EQ(on->Get("allow-empty"), "true");
  EXPECT_THAT(on->arguments, ElementsAre("p"));
  const auto off =
      Parse({"plan", "edit", "--allow-empty=false", "p"}, NoVariable);
  ASSERT_TRUE(off.ok()) << off.status();
  EXPECT_EQ(off->Get("allow-empty"), "false");
}

TEST(ParserTest, NoVariableSaysWhatAPlanIs) {
  const auto command =
      ParseWith({"plan", "edit", "p", "--keep-last", "1"},
                {{"SLUICE_REPO", "other"}, {"SLUICE_ZONE", "Asia/Tokyo"}});
  ASSERT_TRUE(command.ok()) << command.status();
  EXPECT_FALSE(command->Has("repo"));
  EXPECT_FALSE(command->Has("zone"));
  const auto list = ParseWith({"job", "list"}, {{"SLUICE_REPO", "other"}});
  EXPECT_FALSE(list->Has("repo"));
}

TEST(ParserTest, EachFieldOfAPlanHasAFlagOfItsOwn) {
  const VerbSpec* const add = FindVerb("plan add");
  ASSERT_NE(add, nullptr);
  for (const service::PlanField& field : service::PlanFields()) {
    const absl::string_view flag = PlanFlagName(field.name);
    EXPECT_EQ(
        std::count_if(add->flags.begin(), add->flags.end(),
                      [&](const FlagSpec& spec) { return spec.name == flag; }),
        1)
        << field.name;
    EXPECT_TRUE(
        std::none_of(GlobalFlags().begin(), GlobalFlags().end(),
                     [&](const FlagSpec& spec) { return spec.name == flag; }))
        << flag;
  }
}

}  // namespace
}  // namespace sluice::cli
