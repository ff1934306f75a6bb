#include "sluice/cli/terminal/progress.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sluice/cli/terminal/text.h"

namespace sluice::cli {
namespace {

constexpr absl::Duration kFrame = absl::Milliseconds(100);
constexpr absl::Duration kLineEvery = absl::Seconds(30);
constexpr absl::Duration kStalled = absl::Seconds(30);
constexpr absl::Duration kMeasureEvery = absl::Seconds(1);
constexpr uint32_t kBarWidth = 24;

uint32_t PercentOf(const ProgressView& view) {
  const double part = static_cast<double>(view.bytes_done) /
                      static_cast<double>(view.bytes_estimated);
  return static_cast<uint32_t>(std::min(1.0, part) * 100);
}

std::string TimeLeft(const ProgressView& view) {
  if (view.bytes_estimated <= view.bytes_done || view.bytes_per_second < 1) {
    return "";
  }
  const double left =
      static_cast<double>(view.bytes_estimated - view.bytes_done) /
      view.bytes_per_second;
  return absl::StrCat("  ", DurationText(absl::Seconds(left)), " left");
}

}  // namespace

std::string ProgressText(const ProgressView& view, bool with_bar) {
  std::string text = absl::StrCat(view.title, "  ", view.stage);
  if (view.bytes_estimated > 0) {
    const uint32_t percent = PercentOf(view);
    const uint32_t full = percent * kBarWidth / 100;
    if (with_bar) {
      absl::StrAppend(&text, "  [", std::string(full, '#'),
                      std::string(kBarWidth - full, '.'), "]");
    }
    absl::StrAppend(&text, "  ", percent, "%");
  }
  absl::StrAppend(&text, "  ", SizeText(view.bytes_done));
  if (view.bytes_estimated > 0) {
    absl::StrAppend(&text, " of ", SizeText(view.bytes_estimated));
  }
  if (view.idle >= kStalled) {
    return absl::StrCat(text, "  no data for ", DurationText(view.idle));
  }
  absl::StrAppendFormat(&text, "  %.1f MB/s", view.bytes_per_second / 1e6);
  return text + TimeLeft(view);
}

ProgressMeter::ProgressMeter(Console* console, Clock* clock,
                             absl::string_view title, bool enabled)
    : console_(console), clock_(clock) {
  view_.title = std::string(title);
  view_.stage = "starting";
  last_byte_ = measured_at_ = clock->SinceBoot();
  if (!enabled) return;
  absl::StatusOr<Thread> thread = Thread::Start("progress", [this] { Run(); });
  if (thread.ok()) {
    thread_ = *std::move(thread);
  } else {
    console_->Note(
        absl::StrCat("no progress is shown: ", thread.status().message()));
  }
}

ProgressMeter::~ProgressMeter() { Finish(); }

void ProgressMeter::Update(const RunProgress& progress) {
  MutexLock lock(mutex_);
  if (progress.bytes_done != view_.bytes_done) last_byte_ = clock_->SinceBoot();
  view_.stage = std::string(progress.stage);
  view_.bytes_done = progress.bytes_done;
  view_.bytes_estimated = progress.bytes_estimated;
}

void ProgressMeter::Update(absl::string_view stage, uint64_t done,
                           uint64_t total) {
  RunProgress progress;
  progress.stage = stage;
  progress.bytes_done = done;
  progress.bytes_estimated = total;
  progress.percent =
      total == 0 ? 100 : static_cast<uint32_t>(done * 100.0 / total);
  Update(progress);
}

void ProgressMeter::Finish() {
  {
    MutexLock lock(mutex_);
    finished_ = true;
  }
  changed_.NotifyAll();
  if (!thread_.joinable()) return;
  thread_.Join();
  console_->ShowBar("");
}

// The rate is that of about the last second, smoothed.
void ProgressMeter::Measure() {
  const absl::Duration now = clock_->SinceBoot();
  view_.idle = now - last_byte_;
  const absl::Duration span = now - measured_at_;
  const bool first = view_.bytes_per_second == 0;
  if (span < kMeasureEvery && !(first && span >= kFrame)) return;
  const double rate =
      static_cast<double>(view_.bytes_done -
                          std::min(measured_bytes_, view_.bytes_done)) /
      absl::ToDoubleSeconds(span);
  view_.bytes_per_second = first ? rate : (view_.bytes_per_second + rate) / 2;
  measured_at_ = now;
  measured_bytes_ = view_.bytes_done;
}

void ProgressMeter::Run() {
  const bool terminal = console_->terminal();
  absl::Duration next_line = clock_->SinceBoot() + kLineEvery;
  while (true) {
    std::string text;
    {
      MutexLock lock(mutex_);
      if (!finished_) clock_->WaitFor(changed_, lock, kFrame);
      if (finished_) return;
      Measure();
      if (!terminal && clock_->SinceBoot() < next_line) continue;
      text = ProgressText(view_, terminal);
      if (terminal && text.size() >= console_->Width()) {
        text = ProgressText(view_, /*with_bar=*/false);
      }
    }
    if (terminal) {
      console_->ShowBar(text);
    } else {
      console_->Note(text);
      next_line += kLineEvery;
    }
  }
}

}  // namespace sluice::cli
