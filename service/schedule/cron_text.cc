#include "sluice/service/schedule/cron_text.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/text/suggest.h"

namespace sluice::service {
namespace {

constexpr size_t kMaxTextBytes = 256;
constexpr absl::Duration kShortestPeriod = absl::Seconds(1);
constexpr absl::Duration kLongestPeriod = absl::Hours(24 * 366);

constexpr absl::string_view kExample =
    "as in \"30 2 * * *\": minute, hour, day of month, month, day of week; or "
    "@daily, or @every 90m";

// A piece of the text, with its column.
struct Piece {
  absl::string_view text;
  size_t column = 1;

  Piece From(size_t at) const { return {text.substr(at), column + at}; }
  Piece Part(size_t at, size_t length) const {
    return {text.substr(at, length), column + at};
  }
};

std::string Shown(absl::string_view text) {
  return absl::StrCat("\"", absl::CHexEscape(text.substr(0, 32)), "\"");
}

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

std::vector<Piece> Split(const Piece& whole) {
  std::vector<Piece> words;
  size_t at = 0;
  while (at < whole.text.size()) {
    size_t end = at;
    while (end < whole.text.size() && !IsBlank(whole.text[end])) ++end;
    if (end > at) words.push_back(whole.Part(at, end - at));
    at = end + 1;
  }
  return words;
}

struct FieldRule {
  absl::string_view name;
  int low;
  int high;
  // What a name stands for is its place, from `low`.
  std::vector<absl::string_view> names;
  int size() const { return names.empty() ? high - low + 1 : names.size(); }
};

const std::vector<FieldRule>& Rules() {
  static const auto* const rules = new std::vector<FieldRule>{
      {"minute", 0, 59, {}},
      {"hour", 0, 23, {}},
      {"day of month", 1, 31, {}},
      {"month",
       1,
       12,
       {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct",
        "nov", "dec"}},
      {"day of week", 0, 7, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
  };
  return *rules;
}

// What others understand and cron does not.
absl::string_view HintForStranger(char c) {
  switch (c) {
    case '?':
      return "\"*\" is any day";
    case 'L':
    case 'l':
      return "the last day of a month has no sign here: @monthly runs on the "
             "first, 28 is in every month";
    case 'W':
    case 'w':
    case '#':
      return "days go by their numbers or by 1-5 and mon-fri alone";
    case '~':
    case 'H':
    case 'h':
      return "write one time; each plan's own jitter spreads them";
    default:
      return kExample;
  }
}

class FieldParser {
 public:
  FieldParser(const FieldRule& rule, const Piece& piece)
      : rule_(rule), piece_(piece) {}

  // The set of the field, Sunday once.
  absl::StatusOr<uint64_t> Parse() {
    size_t at = 0;
    for (;;) {
      const size_t comma = piece_.text.find(',', at);
      SLUICE_RETURN_IF_ERROR(AddItem(piece_.Part(
          at, comma == absl::string_view::npos ? comma : comma - at)));
      if (comma == absl::string_view::npos) break;
      canonical_ += ',';
      at = comma + 1;
    }
    if (rule_.high == 7 && (set_ >> 7 & 1) != 0) set_ = (set_ & 0x7f) | 1;
    return set_;
  }

  const std::string& canonical() const { return canonical_; }

 private:
  absl::Status AddItem(const Piece& item) {
    if (item.text.empty()) {
      return FaultAt(item.column, rule_.name, "nothing stands here",
                     "a list is 1,2,5 without blanks");
    }
    const size_t slash = item.text.find('/');
    const Piece range = item.Part(0, slash);
    int low = rule_.low;
    int high = rule_.high;
    bool is_one = false;
    if (range.text == "*") {
      canonical_ += '*';
    } else {
      SLUICE_ASSIGN_OR_RETURN(is_one, TakeRange(range, low, high));
    }
    int step = 1;
    if (slash != absl::string_view::npos) {
      SLUICE_ASSIGN_OR_RETURN(step, TakeStep(item.From(slash + 1)));
      if (is_one) {
        return FaultAt(range.column, rule_.name,
                       "a step needs a range before it",
                       absl::StrCat("write ", low, "-", rule_.high, "/", step));
      }
    }
    for (int value = low; value <= high; value += step) {
      set_ |= uint64_t{1} << value;
    }
    return absl::OkStatus();
  }

  // Whether it is a single value.
  absl::StatusOr<bool> TakeRange(const Piece& range, int& low, int& high) {
    const size_t dash = range.text.find('-');
    SLUICE_ASSIGN_OR_RETURN(low, TakeValue(range.Part(0, dash)));
    high = low;
    absl::StrAppend(&canonical_, low);
    if (dash == absl::string_view::npos) return true;
    SLUICE_ASSIGN_OR_RETURN(high, TakeValue(range.From(dash + 1)));
    absl::StrAppend(&canonical_, "-", high);
    if (low > high) {
      return FaultAt(range.column, rule_.name,
                     absl::StrCat(Shown(range.text), " ends before it begins"),
                     rule_.high == 7 && high == 0
                         ? absl::StrCat("Sunday at the end is 7: ", low, "-7")
                         : absl::StrCat("write ", low, "-",
                                        rule_.high == 7 ? 6 : rule_.high, ",",
                                        rule_.low, "-", high));
    }
    return false;
  }

  absl::StatusOr<int> TakeValue(const Piece& value) {
    for (size_t i = 0; i < rule_.names.size(); ++i) {
      if (absl::EqualsIgnoreCase(value.text, rule_.names[i])) {
        return rule_.low + static_cast<int>(i);
      }
    }
    const bool is_number =
        !value.text.empty() &&
        std::all_of(value.text.begin(), value.text.end(), absl::ascii_isdigit);
    int number = 0;
    if (!is_number) return NoValue(value);
    if (!absl::SimpleAtoi(value.text, &number) || number < rule_.low ||
        number > rule_.high) {
      return FaultAt(value.column, rule_.name,
                     absl::StrCat(Shown(value.text), " is not in ", rule_.low,
                                  "-", rule_.high),
                     kExample);
    }
    return number;
  }

  absl::Status NoValue(const Piece& value) const {
    const auto stranger =
        std::find_if(value.text.begin(), value.text.end(), [](char c) {
          return absl::StrContains("?LlWw#~", absl::string_view(&c, 1));
        });
    absl::string_view hint = kExample;
    for (absl::string_view name : rule_.names) {
      // "monday", "June".
      if (value.text.size() > 3 &&
          absl::StartsWithIgnoreCase(value.text, name)) {
        return FaultAt(value.column, rule_.name,
                       absl::StrCat(Shown(value.text), " is no name here"),
                       absl::StrCat("write ", name));
      }
    }
    if (stranger != value.text.end()) hint = HintForStranger(*stranger);
    if (absl::StartsWith(value.text, "H")) hint = HintForStranger('H');
    return FaultAt(value.column, rule_.name,
                   value.text.empty()
                       ? "a value is missing"
                       : absl::StrCat(Shown(value.text), " is no value"),
                   hint);
  }

  absl::StatusOr<int> TakeStep(const Piece& step) {
    int number = 0;
    const bool is_number =
        !step.text.empty() &&
        std::all_of(step.text.begin(), step.text.end(), absl::ascii_isdigit);
    if (!is_number || !absl::SimpleAtoi(step.text, &number) || number < 1) {
      return FaultAt(step.column, rule_.name,
                     absl::StrCat(Shown(step.text), " is no step"),
                     "a step is */15, or 8-18/2");
    }
    // Vixie takes "*/90" and runs once an hour, which nobody means.
    if (number >= rule_.size()) {
      return FaultAt(
          step.column, rule_.name,
          absl::StrCat("a step of ", number, " is longer than the field"),
          absl::StrCat("steps begin anew with each field; for one that does "
                       "not, write @every",
                       rule_.high == 59   ? absl::StrCat(" ", number, "m")
                       : rule_.high == 23 ? absl::StrCat(" ", number, "h")
                                          : " 240h"));
    }
    absl::StrAppend(&canonical_, "/", number);
    return number;
  }

  const FieldRule& rule_;
  const Piece piece_;
  uint64_t set_ = 0;
  std::string canonical_;
};

absl::Status TakeFields(const std::vector<Piece>& words, CronText& result) {
  const std::vector<FieldRule>& rules = Rules();
  CronFields& fields = result.fields.emplace();
  uint64_t sets[5] = {};
  bool any[5] = {};
  for (size_t i = 0; i < rules.size(); ++i) {
    FieldParser parser(rules[i], words[i]);
    SLUICE_ASSIGN_OR_RETURN(sets[i], parser.Parse());
    any[i] = words[i].text.front() == '*';
    absl::StrAppend(&result.text, i == 0 ? "" : " ", parser.canonical());
  }
  fields.minutes = sets[0];
  fields.hours = static_cast<uint32_t>(sets[1]);
  fields.days = static_cast<uint32_t>(sets[2]);
  fields.months = static_cast<uint32_t>(sets[3]);
  fields.weekdays = static_cast<uint32_t>(sets[4]);
  fields.any_minute = any[0];
  fields.any_hour = any[1];
  fields.any_day = any[2];
  fields.any_weekday = any[4];
  if (!EverMatches(fields)) {
    return FaultAt(words[2].column, rules[2].name,
                   "no month that is named has such a day: it never comes",
                   "February has 28 or 29 days; April, June, September and "
                   "November have 30");
  }
  return absl::OkStatus();
}

absl::Status TakePeriod(const Piece& period, CronText& result) {
  const auto fault = [&](absl::string_view what) {
    return FaultAt(period.column, "@every",
                   absl::StrCat(Shown(period.text), " ", what),
                   "whole seconds from 1s to 8784h, as in 90m or 1h30m; a day "
                   "is 24h");
  };
  absl::Duration length;
  if (!absl::ParseDuration(period.text, &length)) {
    return fault("is no duration");
  }
  if (length < kShortestPeriod) return fault("is too short");
  if (length > kLongestPeriod) return fault("is too long");
  if (length % absl::Seconds(1) != absl::ZeroDuration()) {
    return fault("is no whole number of seconds");
  }
  result.period = length;
  result.text = absl::StrCat("@every ", absl::FormatDuration(length));
  return absl::OkStatus();
}

struct Descriptor {
  absl::string_view name;
  absl::string_view fields;
};
constexpr Descriptor kDescriptors[] = {
    {"@yearly", "0 0 1 1 *"},  {"@annually", "0 0 1 1 *"},
    {"@monthly", "0 0 1 * *"}, {"@weekly", "0 0 * * 0"},
    {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
    {"@hourly", "0 * * * *"},
};

absl::Status TakeDescriptor(const std::vector<Piece>& words, CronText& result) {
  const Piece& word = words.front();
  if (word.text == "@every") {
    if (words.size() == 2) return TakePeriod(words[1], result);
    return FaultAt(words.size() == 1 ? word.column : words[2].column, "@every",
                   "one duration follows @every", "as in @every 1h30m");
  }
  const auto* const found = std::find_if(
      std::begin(kDescriptors), std::end(kDescriptors),
      [&](const Descriptor& one) { return one.name == word.text; });
  if (found == std::end(kDescriptors)) {
    std::vector<std::string> names = {"@every"};
    for (const Descriptor& one : kDescriptors) names.emplace_back(one.name);
    const std::string near = DidYouMean(word.text, names);
    return FaultAt(word.column, "descriptor",
                   absl::StrCat("there is no ", Shown(word.text)),
                   near.empty() ? "there are @hourly, @daily, @midnight, "
                                  "@weekly, @monthly, @yearly, @annually and "
                                  "@every 90m"
                                : near);
  }
  if (words.size() > 1) {
    return FaultAt(words[1].column, "descriptor",
                   absl::StrCat("nothing follows ", word.text), kExample);
  }
  SLUICE_RETURN_IF_ERROR(TakeFields(Split({found->fields, 1}), result));
  result.text = std::string(word.text);
  return absl::OkStatus();
}

// Takes a leading CRON_TZ=Zone off the words.
absl::Status TakeZone(std::vector<Piece>& words, CronText& result) {
  if (words.empty()) return absl::OkStatus();
  absl::string_view zone = words.front().text;
  if (!absl::ConsumePrefix(&zone, "CRON_TZ=") &&
      !absl::ConsumePrefix(&zone, "TZ=")) {
    return absl::OkStatus();
  }
  result.zone_column =
      words.front().column + words.front().text.size() - zone.size();
  if (zone.empty()) {
    return FaultAt(result.zone_column, "zone", "a zone is missing",
                   "as in CRON_TZ=Europe/Berlin 30 2 * * *");
  }
  result.zone = std::string(zone);
  words.erase(words.begin());
  return absl::OkStatus();
}

}  // namespace

absl::Status FaultAt(size_t column, absl::string_view field,
                     absl::string_view what, absl::string_view hint) {
  return InvalidArgument(
      absl::StrCat("schedule, column ", column, ", ", field, ": ", what), hint);
}

absl::StatusOr<CronText> TakeApart(absl::string_view text) {
  if (text.size() > kMaxTextBytes) {
    return FaultAt(
        kMaxTextBytes + 1, "length",
        absl::StrCat("a schedule has at most ", kMaxTextBytes, " bytes"),
        kExample);
  }
  CronText result;
  std::vector<Piece> words = Split({text, 1});
  SLUICE_RETURN_IF_ERROR(TakeZone(words, result));
  if (words.empty()) {
    return FaultAt(text.size() + 1, "minute", "the schedule is empty",
                   kExample);
  }
  if (words.front().text.front() == '@') {
    SLUICE_RETURN_IF_ERROR(TakeDescriptor(words, result));
    return result;
  }
  const std::vector<FieldRule>& rules = Rules();
  if (words.size() < rules.size()) {
    return FaultAt(
        text.size() + 1, rules[words.size()].name,
        absl::StrCat("the field is missing: of five there are ", words.size()),
        kExample);
  }
  if (words.size() > rules.size()) {
    return FaultAt(
        words[rules.size()].column, "end",
        absl::StrCat("there are ", words.size(), " fields, five are read"),
        "there are none for seconds and years");
  }
  SLUICE_RETURN_IF_ERROR(TakeFields(words, result));
  return result;
}

}  // namespace sluice::service
