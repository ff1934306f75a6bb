#ifndef SLUICE_CLI_TERMINAL_TEXT_H_
#define SLUICE_CLI_TERMINAL_TEXT_H_

// Small texts for people. Pure; any thread.

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sluice::cli {

// `text` safe to print: control characters, marks that turn the direction of
// writing, invisible characters and bytes that are not UTF-8 become \xNN, so
// that neither a file's name nor a plugin's text steers a terminal, begins a
// line, or reads as something else than it is. Idempotent.
std::string Printable(absl::string_view text);
// The same for text of several lines: line ends and tabs stay.
std::string PrintableLines(absl::string_view text);
// Encoded JSON with those characters as \uNNNN: the same value, safe to print.
std::string SafeJson(absl::string_view json);

// "0 B", "999 B", "1.5 kB", "12.3 GB": powers of 1,000.
std::string SizeText(uint64_t bytes);

// "0.4 s", "12 s", "3 min 20 s", "2 h 5 min".
std::string DurationText(absl::Duration duration);

// Appends "NAME      VALUE\n", the value printable and from column `width` on;
// nothing where it is empty.
void AppendField(std::string& text, size_t width, absl::string_view name,
                 absl::string_view value);

// Rows under a head, in columns as wide as they need, printable.
class Table {
 public:
  explicit Table(std::vector<std::string> head) {
    rows_.push_back(std::move(head));
  }
  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  // Lines with their ends.
  std::string Text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_TERMINAL_TEXT_H_
