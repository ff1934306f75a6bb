#include "sluice/cli/terminal/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace sluice::cli {
namespace {

struct Character {
  size_t length = 0;  // bytes; 0: no UTF-8
  uint32_t point = 0;
};

// The UTF-8 character at the front of `text`.
Character FrontCharacter(absl::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  size_t length = 0;
  uint32_t point = 0;
  if (lead < 0x80) return {1, lead};
  if (lead >= 0xC2 && lead < 0xE0) {
    length = 2;
    point = lead & 0x1FU;
  } else if (lead >= 0xE0 && lead < 0xF0) {
    length = 3;
    point = lead & 0x0FU;
  } else if (lead >= 0xF0 && lead < 0xF5) {
    length = 4;
    point = lead & 0x07U;
  }
  if (length == 0 || text.size() < length) return {};
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {};
    point = point << 6U | (byte(i) & 0x3FU);
  }
  constexpr std::array<uint32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = point >= 0xD800 && point < 0xE000;
  if (point < kLeast[length] || point > 0x10FFFF || surrogate) return {};
  return {length, point};
}

// What steers a terminal, or makes a reader see other text than there is:
// control characters (C0, DEL, C1), separators of lines, marks that turn the
// direction of writing, and what is not seen at all. Joiners stay: words of
// some languages need them.
bool IsUnsafe(uint32_t point) {
  struct Range {
    uint32_t first;
    uint32_t last;
  };
  static constexpr Range kUnsafe[] = {
      {0x00, 0x1F},     {0x7F, 0x9F},     {0xAD, 0xAD},     {0x61C, 0x61C},
      {0x180E, 0x180E}, {0x200B, 0x200B}, {0x200E, 0x200F}, {0x2028, 0x202E},
      {0x2060, 0x206F}, {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE007F},
  };
  return std::any_of(std::begin(kUnsafe), std::end(kUnsafe),
                     [point](const Range& range) {
                       return point >= range.first && point <= range.last;
                     });
}

// Columns that `text` takes, near enough: one a character.
size_t Width(absl::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(),
      [](char c) { return (static_cast<uint8_t>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace

std::string Printable(absl::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character character = FrontCharacter(text);
    const absl::string_view front =
        text.substr(0, std::max<size_t>(character.length, 1));
    if (character.length > 0 && !IsUnsafe(character.point)) {
      absl::StrAppend(&out, front);
    } else {
      for (const char c : front) {
        absl::StrAppendFormat(&out, "\\x%02x", static_cast<uint8_t>(c));
      }
    }
    text.remove_prefix(front.size());
  }
  return out;
}

std::string PrintableLines(absl::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of("\n\t"), text.size());
    absl::StrAppend(&out, Printable(text.substr(0, end)), text.substr(end, 1));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string SafeJson(absl::string_view json) {
  std::string out;
  while (!json.empty()) {
    const Character character = FrontCharacter(json);
    const size_t length = std::max<size_t>(character.length, 1);
    const uint32_t point = character.point;
    if (point < 0x7F || !IsUnsafe(point)) {
      absl::StrAppend(&out, json.substr(0, length));
    } else if (point < 0x10000) {
      absl::StrAppendFormat(&out, "\\u%04x", point);
    } else {
      absl::StrAppendFormat(&out, "\\u%04x\\u%04x",
                            0xD800 + ((point - 0x10000) >> 10U),
                            0xDC00 + (point & 0x3FFU));
    }
    json.remove_prefix(length);
  }
  return out;
}

std::string SizeText(uint64_t bytes) {
  if (bytes < 1000) return absl::StrCat(bytes, " B");
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  constexpr std::array<const char*, 7> kUnits = {"B",  "kB", "MB", "GB",
                                                 "TB", "PB", "EB"};
  // 999.95 would print as 1000.0.
  while (value >= 999.95 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return absl::StrFormat("%.1f %s", value, kUnits[unit]);
}

std::string DurationText(absl::Duration duration) {
  const double seconds =
      std::max(0.0, std::min(absl::ToDoubleSeconds(duration), 1e12));
  if (seconds < 9.95) return absl::StrFormat("%.1f s", seconds);
  const int64_t whole = std::llround(seconds);
  if (whole < 60) return absl::StrCat(whole, " s");
  if (whole < 3600) return absl::StrCat(whole / 60, " min ", whole % 60, " s");
  return absl::StrCat(whole / 3600, " h ", whole % 3600 / 60, " min");
}

void AppendField(std::string& text, size_t width, absl::string_view name,
                 absl::string_view value) {
  if (value.empty()) return;
  std::string padded(name);
  padded.resize(width, ' ');
  absl::StrAppend(&text, padded, Printable(value), "\n");
}

std::string Table::Text() const {
  std::vector<size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], Width(Printable(row[i])));
    }
  }
  std::string out;
  for (const auto& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string cell = Printable(row[i]);
      absl::StrAppend(&line, cell);
      if (i + 1 == row.size()) break;
      line.append(widths[i] - Width(cell) + 2, ' ');
    }
    absl::StrAppend(&out, line, "\n");
  }
  return out;
}

}  // namespace sluice::cli
