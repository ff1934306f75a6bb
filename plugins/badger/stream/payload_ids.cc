#include "sluice/plugins/badger/stream/payload_ids.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "sluice/plugins/badger/format/entry.h"

namespace sluice {
namespace badger {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxIdBytes = 1024;  // as the manifest's list has it
constexpr size_t kMaxShownKeyBytes = 64;

bool IsPayloadId(const std::string& id) {
  return !id.empty() && id.size() <= kMaxIdBytes &&
         std::none_of(id.begin(), id.end(), [](unsigned char byte) {
           return byte < 0x20 || byte == 0x7f;
         });
}

// Hears of a JSON text piece by piece, so that a large value costs no tree.
class FieldReader final : public nlohmann::json_sax<Json> {
 public:
  explicit FieldReader(absl::string_view field) : field_(field) {}

  bool is_found() const { return is_found_; }
  std::vector<std::string> TakeIds() { return std::move(ids_); }

  bool null() override { return Other(); }
  bool boolean(bool) override { return Other(); }
  bool number_integer(int64_t) override { return Other(); }
  bool number_unsigned(uint64_t) override { return Other(); }
  bool number_float(double, const std::string&) override { return Other(); }
  bool binary(Json::binary_t&) override { return Other(); }
  bool string(std::string& text) override {
    if (!Expected()) return depth_ > 0;
    if (!IsPayloadId(text)) return false;
    is_found_ = true;
    ids_.push_back(std::move(text));
    return true;
  }
  bool start_object(std::size_t) override {
    if (Expected()) return false;
    ++depth_;
    return true;
  }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool start_array(std::size_t) override {
    if (depth_ == 0 || (in_array_ && Expected())) return false;
    if (Expected()) {
      in_array_ = true;
      is_found_ = true;
    }
    ++depth_;
    return true;
  }
  bool end_array() override {
    --depth_;
    if (depth_ == 1) in_array_ = false;
    return true;
  }
  bool key(std::string& name) override {
    if (depth_ == 1) at_field_ = name == field_;
    return true;
  }
  bool parse_error(std::size_t, const std::string&,
                   const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  // The next value is the field's, or an element of its array.
  bool Expected() const { return at_field_ && depth_ == (in_array_ ? 2 : 1); }
  bool Other() const { return depth_ > 0 && !Expected(); }

  const absl::string_view field_;
  int depth_ = 0;
  bool at_field_ = false;
  bool in_array_ = false;  // the field's
  bool is_found_ = false;
  std::vector<std::string> ids_;
};

}  // namespace

absl::optional<std::vector<std::string>> DecodePayloadIds(
    absl::string_view json, absl::string_view field) {
  FieldReader reader(field);
  if (!Json::sax_parse(json.begin(), json.end(), &reader) ||
      !reader.is_found()) {
    return absl::nullopt;
  }
  return reader.TakeIds();
}

absl::Status PayloadIds::Add(const StreamEntry& entry, sdk::Sink& sink) {
  if ((entry.meta & kMetaDelete) != 0 ||
      !absl::StartsWith(entry.key, prefix_)) {
    return absl::OkStatus();
  }
  const auto ids = DecodePayloadIds(entry.value, field_);
  if (!ids.has_value()) {
    if (undecoded_ == 0) first_undecoded_ = std::string(entry.key);
    ++undecoded_;
    return absl::OkStatus();
  }
  if (ids->empty()) return absl::OkStatus();
  const std::vector<absl::string_view> views(ids->begin(), ids->end());
  return sink.AddPayloadIds(views);
}

std::string PayloadIds::Warning() const {
  return absl::StrCat(
      undecoded_, " values hold no payload ids in field ", field_,
      ", the first of key 0x",
      absl::BytesToHexString(first_undecoded_.substr(0, kMaxShownKeyBytes)));
}

}  // namespace badger
}  // namespace sluice
