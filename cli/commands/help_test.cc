#include "sluice/cli/commands/help.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/cli/commands/parser.h"

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;

const char* Nothing(const char* /*name*/) { return nullptr; }

std::string LastWord(absl::string_view path) {
  const std::vector<std::string> words = absl::StrSplit(path, ' ');
  return words.back();
}

// What --help, the man page and the completions hold, and what the parser
// takes, is one thing.
TEST(HelpTest, EveryVerbAndFlagStandsEverywhere) {
  const std::string man = ManPage();
  const std::string bash = CompletionScript("bash").value();
  const std::string zsh = CompletionScript("zsh").value();
  const std::string fish = CompletionScript("fish").value();
  for (const VerbSpec& verb : Verbs()) {
    EXPECT_THAT(OverallHelp(), HasSubstr(std::string(verb.path)));
    EXPECT_THAT(man, HasSubstr(absl::StrCat(".SS \"", verb.path)));
    EXPECT_THAT(bash, HasSubstr(absl::StrCat("'", verb.path, "') words=")));
    EXPECT_THAT(zsh, HasSubstr(absl::StrCat("'", verb.path, "') compadd")));
    EXPECT_THAT(fish, HasSubstr(absl::StrCat("-a '", LastWord(verb.path))));
    std::vector<FlagSpec> flags = verb.flags;
    flags.insert(flags.end(), GlobalFlags().begin(), GlobalFlags().end());
    for (const FlagSpec& flag : flags) {
      const std::string name = absl::StrCat("--", flag.name);
      EXPECT_THAT(VerbHelp(verb), HasSubstr(name));
      EXPECT_THAT(man, HasSubstr(absl::StrReplaceAll(name, {{"-", "\\-"}})));
      EXPECT_THAT(bash, HasSubstr(name));
      EXPECT_THAT(zsh, HasSubstr(name));
      EXPECT_THAT(fish, HasSubstr(absl::StrCat("-l ", flag.name)));
      std::vector<std::string> words = absl::StrSplit(verb.path, ' ');
      words.push_back("--help");
      words.push_back(flag.is_switch() ? name : absl::StrCat(name, "=1"));
      EXPECT_TRUE(Parse(words, Nothing).ok()) << name << " of " << verb.path;
    }
  }
}

TEST(HelpTest, EveryExampleParses) {
  for (const VerbSpec& verb : Verbs()) {
    const std::string bare = absl::StrReplaceAll(
        verb.example.substr(0, verb.example.find(" >")), {{"'", ""}});
    const std::vector<std::string> words = absl::StrSplit(bare, ' ');
    const auto command = Parse(words, Nothing);
    ASSERT_TRUE(command.ok()) << bare << ": " << command.status();
    EXPECT_EQ(command->verb->path, verb.path);
  }
}

TEST(HelpTest, NoLineOfHelpIsWiderThanATerminal) {
  std::vector<std::string> texts = {OverallHelp()};
  for (const VerbSpec& verb : Verbs()) texts.push_back(VerbHelp(verb));
  for (const std::string& text : texts) {
    for (absl::string_view line : absl::StrSplit(text, '\n')) {
      EXPECT_LE(line.size(), 80) << line;
    }
  }
}

TEST(HelpTest, AManPageHasNoLineThatTroffWouldTakeForARequest) {
  for (absl::string_view line : absl::StrSplit(ManPage(), '\n')) {
    EXPECT_FALSE(absl::StartsWith(line, "'")) << line;
    if (!absl::StartsWith(line, ".")) continue;
    const std::string request(line.substr(0, 3));
    EXPECT_THAT((std::vector<std::string>{".TH", ".SH", ".SS", ".TP", ".PP",
                                          ".B ", ".nf", ".fi"}),
                testing::Contains(request))
        << line;
  }
}

TEST(HelpTest, AManPageHasExamplesAndFiles) {
  const std::string man = ManPage();
  EXPECT_THAT(man, HasSubstr(".SH EXAMPLES\n"));
  EXPECT_THAT(man, HasSubstr(".SH FILES\n"));
  EXPECT_THAT(man, HasSubstr("sluice/catalog\\&.db"));
}

TEST(HelpTest, OffersReposAndIds) {
  for (const char* shell : {"bash", "zsh"}) {
    const std::string script = CompletionScript(shell).value();
    EXPECT_THAT(script, HasSubstr("$(_sluice_column repo list)"));
    EXPECT_THAT(script, HasSubstr("$(_sluice_column list --repo \"$repo\")"));
    EXPECT_THAT(script, HasSubstr("$(_sluice_column job list)"));
  }
  EXPECT_THAT(CompletionScript("fish").value(), HasSubstr("sluice repo list"));
}

TEST(HelpTest, RefusesAShellItDoesNotKnow) {
  EXPECT_FALSE(CompletionScript("tcsh").ok());
}

}  // namespace
}  // namespace sluice::cli
