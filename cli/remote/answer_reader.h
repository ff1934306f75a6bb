#ifndef SLUICE_CLI_REMOTE_ANSWER_READER_H_
#define SLUICE_CLI_REMOTE_ANSWER_READER_H_

// Fields of what a server answers, whose types nobody has checked yet.
//
// Example:
//
//   absl::Time at;
//   SLUICE_RETURN_IF_ERROR(ReadTime(json, "created_at", at));
//
// Pure; any thread. Errors are server_answer_invalid, and name the field. What
// is missing or null is empty.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "nlohmann/json.hpp"

namespace sluice::cli {

using AnswerJson = nlohmann::json;

// server_answer_invalid.
absl::Status AnswerError(absl::string_view message);
// The same: the field is no `wanted`, as "text".
absl::Status WrongField(absl::string_view name, absl::string_view wanted);
absl::Status CheckObject(const AnswerJson& json, absl::string_view what);

// A value; `name` is for the error.
absl::StatusOr<std::string> TextOf(const AnswerJson& value,
                                   absl::string_view name);
absl::StatusOr<uint64_t> CountOf(const AnswerJson& value,
                                 absl::string_view name);
absl::StatusOr<absl::Time> TimeOf(const AnswerJson& value,
                                  absl::string_view name);

// A field of an object.
absl::StatusOr<std::string> ReadText(const AnswerJson& object,
                                     const std::string& name);
absl::StatusOr<uint64_t> ReadCount(const AnswerJson& object,
                                   const std::string& name);
// What is missing or null stays as it was.
absl::Status ReadFlag(const AnswerJson& object, const std::string& name,
                      bool& flag);
absl::Status ReadTime(const AnswerJson& object, const std::string& name,
                      absl::Time& time);

// For ReadList.
absl::StatusOr<std::string> ReadTextItem(const AnswerJson& value);
// The array of that name, which must be there, with each of its items read.
template <typename Item>
absl::StatusOr<std::vector<Item>> ReadList(
    const AnswerJson& object, const std::string& name,
    absl::StatusOr<Item> (*read)(const AnswerJson&)) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_array()) {
    return AnswerError("there is no list \"" + name + "\"");
  }
  std::vector<Item> items;
  for (const AnswerJson& entry : *found) {
    absl::StatusOr<Item> item = read(entry);
    if (!item.ok()) return item.status();
    items.push_back(*std::move(item));
  }
  return items;
}

// Any of the models whose JSON has the names of its fields; but for moments:
// "x_at_ms" is "x_at". An enum's word is in lower case, bytes are in base64.
// What is not known is passed over.
absl::Status ReadMessage(const AnswerJson& json, absl::string_view what,
                         google::protobuf::Message& message);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_REMOTE_ANSWER_READER_H_
