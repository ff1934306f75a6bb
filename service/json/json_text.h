#ifndef SLUICE_SERVICE_JSON_JSON_TEXT_H_
#define SLUICE_SERVICE_JSON_JSON_TEXT_H_

// JSON as text, written as it comes: for lists, where a tree of values costs
// more than all else. Gives the bytes that Json::dump gives on one line, with
// what is not UTF-8 replaced.
//
// Example:
//
//   JsonText text;
//   text.BeginObject();
//   text.Field("name", "nightly");
//   text.Field("size", 5);
//   text.EndObject();
//   text.Take();  // {"name":"nightly","size":5}
//
// What is begun must be ended, and a name be followed by its value: nothing
// checks it. A value: one thread at a time.

#include <concepts>
#include <cstddef>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace sluice::service {

class JsonText {
 public:
  // Room for so many bytes: to grow step by step copies all that is there.
  void Reserve(size_t bytes) { text_.reserve(bytes); }

  void BeginObject() { Open('{'); }
  void EndObject() { text_ += '}'; }
  void BeginArray() { Open('['); }
  void EndArray() { text_ += ']'; }

  void Name(absl::string_view name) {
    Value(name);
    text_ += ':';
  }

  void Value(absl::string_view text);
  void Value(const std::string& text) { Value(absl::string_view(text)); }
  void Value(const char* text) { Value(absl::string_view(text)); }
  void Value(bool value);
  void Value(std::nullptr_t);
  template <std::integral Number>
  void Value(Number number) {
    Separate();
    absl::StrAppend(&text_, number);
  }

  template <typename T>
  void Field(absl::string_view name, const T& value) {
    Name(name);
    Value(value);
  }

  // All that was written; leaves none.
  std::string Take() { return std::exchange(text_, {}); }

 private:
  void Separate();
  void Open(char bracket) {
    Separate();
    text_ += bracket;
  }

  std::string text_;
};

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_JSON_JSON_TEXT_H_
