#include "sluice/cli/remote/answer_reader.h"

#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "google/protobuf/descriptor.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/exit_code.h"

namespace sluice::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// The value of a field; null where it is missing or null.
const AnswerJson* ValueOf(const AnswerJson& json,
                          const FieldDescriptor& field) {
  auto value = json.find(field.name());
  if (value == json.end() && absl::EndsWith(field.name(), "_ms")) {
    value = json.find(std::string(absl::StripSuffix(field.name(), "_ms")));
  }
  return value == json.end() || value->is_null() ? nullptr : &*value;
}

absl::Status ReadMapEntry(const std::string& key, const AnswerJson& value,
                          const FieldDescriptor& field, Message& message) {
  Message* const entry =
      message.GetReflection()->AddMessage(&message, &field, nullptr);
  const google::protobuf::Descriptor& type = *entry->GetDescriptor();
  const FieldDescriptor& second = *type.FindFieldByName("value");
  entry->GetReflection()->SetString(entry, type.FindFieldByName("key"), key);
  if (second.cpp_type() == FieldDescriptor::CPPTYPE_UINT64) {
    SLUICE_ASSIGN_OR_RETURN(const uint64_t count, CountOf(value, field.name()));
    entry->GetReflection()->SetUInt64(entry, &second, count);
    return absl::OkStatus();
  }
  SLUICE_ASSIGN_OR_RETURN(const std::string text, TextOf(value, field.name()));
  std::string bytes;
  if (!absl::Base64Unescape(text, &bytes)) {
    return WrongField(field.name(), "base64");
  }
  entry->GetReflection()->SetString(entry, &second, bytes);
  return absl::OkStatus();
}

absl::Status ReadMap(const AnswerJson& value, const FieldDescriptor& field,
                     Message& message) {
  SLUICE_RETURN_IF_ERROR(CheckObject(value, field.name()));
  for (const auto& member : value.items()) {
    SLUICE_RETURN_IF_ERROR(
        ReadMapEntry(member.key(), member.value(), field, message));
  }
  return absl::OkStatus();
}

absl::Status ReadRepeated(const AnswerJson& value, const FieldDescriptor& field,
                          Message& message) {
  if (!value.is_array()) return WrongField(field.name(), "list");
  const Reflection& reflection = *message.GetReflection();
  for (const AnswerJson& item : value) {
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      SLUICE_RETURN_IF_ERROR(
          ReadMessage(item, field.name(),
                      *reflection.AddMessage(&message, &field, nullptr)));
      continue;
    }
    SLUICE_ASSIGN_OR_RETURN(const std::string text, TextOf(item, field.name()));
    reflection.AddString(&message, &field, text);
  }
  return absl::OkStatus();
}

absl::Status ReadMillis(const AnswerJson& value, const FieldDescriptor& field,
                        Message& message) {
  SLUICE_ASSIGN_OR_RETURN(const uint64_t count, CountOf(value, field.name()));
  if (count > uint64_t{std::numeric_limits<int64_t>::max()}) {
    return WrongField(field.name(), "count");
  }
  message.GetReflection()->SetInt64(&message, &field,
                                    static_cast<int64_t>(count));
  return absl::OkStatus();
}

absl::Status ReadSingle(const AnswerJson& value, const FieldDescriptor& field,
                        Message& message) {
  const Reflection& reflection = *message.GetReflection();
  const absl::string_view name = field.name();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING: {
      SLUICE_ASSIGN_OR_RETURN(const std::string text, TextOf(value, name));
      reflection.SetString(&message, &field, text);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      if (!value.is_boolean()) return WrongField(name, "yes or no");
      reflection.SetBool(&message, &field, value.get<bool>());
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_UINT64: {
      SLUICE_ASSIGN_OR_RETURN(const uint64_t count, CountOf(value, name));
      reflection.SetUInt64(&message, &field, count);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_UINT32: {
      SLUICE_ASSIGN_OR_RETURN(const uint64_t count, CountOf(value, name));
      if (count > std::numeric_limits<uint32_t>::max()) {
        return WrongField(name, "count");
      }
      reflection.SetUInt32(&message, &field, static_cast<uint32_t>(count));
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      if (value.is_number()) return ReadMillis(value, field, message);
      SLUICE_ASSIGN_OR_RETURN(const absl::Time time, TimeOf(value, name));
      reflection.SetInt64(&message, &field, absl::ToUnixMillis(time));
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      SLUICE_ASSIGN_OR_RETURN(const std::string word, TextOf(value, name));
      const google::protobuf::EnumValueDescriptor* const known =
          field.enum_type()->FindValueByName(absl::AsciiStrToUpper(word));
      if (known != nullptr) reflection.SetEnum(&message, &field, known);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ReadMessage(value, name,
                         *reflection.MutableMessage(&message, &field));
    default:
      return absl::OkStatus();  // no model has one
  }
}

}  // namespace

absl::Status AnswerError(absl::string_view message) {
  return WithHint(
      MakeError(absl::StatusCode::kDataLoss, kServerAnswerInvalid,
                absl::StrCat("the server's answer is none of Sluice's, or of "
                             "a version that is not known: ",
                             message)),
      "is it a `sluice serve` that --server names? `sluice version` there and "
      "here");
}

absl::StatusOr<std::string> ReadText(const AnswerJson& object,
                                     const std::string& name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return std::string();
  return TextOf(*found, name);
}

absl::Status WrongField(absl::string_view name, absl::string_view wanted) {
  return AnswerError(absl::StrCat("\"", name, "\" is no ", wanted));
}

absl::Status CheckObject(const AnswerJson& json, absl::string_view what) {
  return json.is_object() ? absl::OkStatus() : WrongField(what, "object");
}

absl::StatusOr<std::string> TextOf(const AnswerJson& value,
                                   absl::string_view name) {
  if (!value.is_string()) return WrongField(name, "text");
  return value.get<std::string>();
}

absl::StatusOr<uint64_t> CountOf(const AnswerJson& value,
                                 absl::string_view name) {
  if (!value.is_number_unsigned()) return WrongField(name, "count");
  return value.get<uint64_t>();
}

absl::StatusOr<absl::Time> TimeOf(const AnswerJson& value,
                                  absl::string_view name) {
  SLUICE_ASSIGN_OR_RETURN(const std::string text, TextOf(value, name));
  absl::Time time;
  std::string ignored;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &ignored)) {
    return WrongField(name, "time");
  }
  return time;
}

absl::Status ReadFlag(const AnswerJson& object, const std::string& name,
                      bool& flag) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return absl::OkStatus();
  if (!found->is_boolean()) return WrongField(name, "yes or no");
  flag = found->get<bool>();
  return absl::OkStatus();
}

// What is null stays as it was.
absl::Status ReadTime(const AnswerJson& object, const std::string& name,
                      absl::Time& time) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(time, TimeOf(*found, name));
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> ReadCount(const AnswerJson& object,
                                   const std::string& name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return 0;
  return CountOf(*found, name);
}

absl::StatusOr<std::string> ReadTextItem(const AnswerJson& value) {
  return TextOf(value, "item");
}

absl::Status ReadMessage(const AnswerJson& json, absl::string_view what,
                         Message& message) {
  SLUICE_RETURN_IF_ERROR(CheckObject(json, what));
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const AnswerJson* const value = ValueOf(json, field);
    if (value == nullptr) continue;
    SLUICE_RETURN_IF_ERROR(field.is_map() ? ReadMap(*value, field, message)
                           : field.is_repeated()
                               ? ReadRepeated(*value, field, message)
                               : ReadSingle(*value, field, message));
  }
  return absl::OkStatus();
}

}  // namespace sluice::cli
