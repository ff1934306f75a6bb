#include "sluice/base/testing/crash_trace.h"

#include <algorithm>
#include <functional>

namespace sluice {
namespace {

constexpr uint64_t kSmallBlock = 512;
constexpr uint64_t kLargeBlock = 4096;

// The boundary of `block` bytes nearest to the middle of the write, or its
// beginning where it crosses none.
uint64_t Middle(const CrashEvent& event, uint64_t block) {
  const uint64_t end = event.offset + event.data->size();
  const uint64_t middle =
      (event.offset + event.data->size() / 2) / block * block;
  if (middle > event.offset) return middle;
  const uint64_t next = (event.offset / block + 1) * block;
  return next < end ? next : event.offset;
}

void Overwrite(CrashNode& node, uint64_t offset, absl::string_view bytes) {
  if (bytes.empty()) return;
  std::string& content = node.MutableContent();
  if (content.size() < offset + bytes.size()) {
    content.resize(offset + bytes.size());
  }
  std::copy(bytes.begin(), bytes.end(), content.begin() + offset);
}

void ApplyWrite(const CrashEvent& event, CrashPart part, CrashNode& node) {
  const absl::string_view data = *event.data;
  const uint64_t end = event.offset + data.size();
  switch (part) {
    case CrashPart::kNone:
      return;
    case CrashPart::kAll:
      return Overwrite(node, event.offset, data);
    case CrashPart::kHead512:
      return Overwrite(
          node, event.offset,
          data.substr(0, Middle(event, kSmallBlock) - event.offset));
    case CrashPart::kHead4096:
      return Overwrite(
          node, event.offset,
          data.substr(0, Middle(event, kLargeBlock) - event.offset));
    case CrashPart::kTail512: {
      const uint64_t begin =
          std::max(event.offset, (end - 1) / kSmallBlock * kSmallBlock);
      return Overwrite(node, begin, data.substr(begin - event.offset));
    }
    case CrashPart::kZeros:
      if (node.size() < end) node.MutableContent().resize(end);
      return;
  }
}

void ApplyEntries(const CrashEvent& event, CrashNode& folder) {
  for (const auto& [name, node] : event.entries) {
    if (node == 0) {
      folder.entries.erase(name);
    } else {
      folder.entries[name] = node;
    }
  }
}

class Hasher {
 public:
  void Add(absl::string_view bytes) {
    Add(bytes.size());
    for (const char c : bytes) Step(static_cast<unsigned char>(c));
  }
  void Add(uint64_t number) {
    for (int i = 0; i < 8; ++i) Step((number >> (8 * i)) & 0xff);
  }
  uint64_t value() const { return value_; }

 private:
  void Step(uint64_t byte) {  // FNV-1a
    value_ = (value_ ^ byte) * uint64_t{0x100000001b3};
  }
  uint64_t value_ = uint64_t{0xcbf29ce484222325};
};

void HashFrom(const CrashTree& tree, uint64_t number, int depth, Hasher& hash) {
  const auto found = tree.find(number);
  if (found == tree.end() || depth > 64) return;
  const CrashNode& node = found->second;
  hash.Add(node.folder ? 1 : 0);
  hash.Add(node.mode);
  if (node.content != nullptr) hash.Add(*node.content);
  hash.Add(node.entries.size());
  for (const auto& [name, child] : node.entries) {
    hash.Add(name);
    HashFrom(tree, child, depth + 1, hash);
  }
}

}  // namespace

std::string& CrashNode::MutableContent() {
  if (content == nullptr) {
    content = std::make_shared<std::string>();
  } else if (content.use_count() > 1) {
    content = std::make_shared<std::string>(*content);
  }
  return *content;
}

std::vector<CrashPart> PartsOf(const CrashEvent& event) {
  std::vector<CrashPart> parts = {CrashPart::kNone, CrashPart::kAll};
  if (event.kind != CrashEvent::Kind::kWrite || event.data->empty()) {
    return parts;
  }
  const bool tears = Middle(event, kSmallBlock) > event.offset;
  if (tears) {
    parts.push_back(CrashPart::kHead512);
    parts.push_back(CrashPart::kTail512);
    const uint64_t large = Middle(event, kLargeBlock);
    if (large > event.offset && large != Middle(event, kSmallBlock)) {
      parts.push_back(CrashPart::kHead4096);
    }
  }
  parts.push_back(CrashPart::kZeros);
  return parts;
}

absl::string_view CrashPartName(CrashPart part) {
  constexpr absl::string_view kNames[] = {"none",     "all",     "head512",
                                          "head4096", "tail512", "zeros"};
  return kNames[static_cast<int>(part)];
}

void ApplyEvent(const CrashEvent& event, CrashPart part, CrashTree& tree) {
  if (part == CrashPart::kNone || event.kind == CrashEvent::Kind::kSync ||
      event.kind == CrashEvent::Kind::kMark) {
    return;
  }
  CrashNode& node = tree[event.node];
  node.modified = event.time;
  switch (event.kind) {
    case CrashEvent::Kind::kCreate:
      node.folder = event.folder;
      node.mode = event.mode;
      return;
    case CrashEvent::Kind::kWrite:
      return ApplyWrite(event, part, node);
    case CrashEvent::Kind::kTruncate:
      node.MutableContent().resize(event.offset);
      return;
    case CrashEvent::Kind::kEntries:
      return ApplyEntries(event, node);
    case CrashEvent::Kind::kSync:
    case CrashEvent::Kind::kMark:
      return;
  }
}

uint64_t Fingerprint(const CrashTree& tree) {
  Hasher hash;
  HashFrom(tree, kCrashRoot, 0, hash);
  return hash.value();
}

}  // namespace sluice
