#include "section_progress.h"

#include <unistd.h>
#include <xgrad/core/errors.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "terminal.h"
#include "text.h"

namespace lab {

using namespace cli;
using xgrad::message;

SectionProgress::SectionProgress(std::vector<double> seconds)
    : expected_(std::move(seconds)), terminal_(is_terminal(STDERR_FILENO)) {}

void SectionProgress::start(std::size_t part, const std::string& title) {
  part_ = part;
  title_ = title;
  part_start_ = Clock::now();
  update(0);
}

// At the pace of what is done; before there is enough of it, at the pace that was expected.
double SectionProgress::seconds_left(double share) const {
  double done = expected_[part_] * share, left = expected_[part_] * (1 - share);
  for (std::size_t i = 0; i < expected_.size(); ++i)
    if (i != part_) (i < part_ ? done : left) += expected_[i];
  return left * (elapsed() + 5) / (done + 5);
}

void SectionProgress::update(double share) {
  const Clock::time_point now = Clock::now();
  if (!terminal_ || now < next_draw_) return;
  next_draw_ = now + std::chrono::milliseconds(100);
  std::string line =
      message("section ", part_ + 1, "/", expected_.size(), "  ", title_, "  ", percent(std::clamp(share, 0.0, 1.0), 0),
              "  ", clock_time(elapsed()), " passed, about ", clock_time(seconds_left(share)), " left");
  line.resize(std::min(line.size(), terminal_width() - 1));  // some terminals wrap when the last column is written
  std::fprintf(stderr, "\r%s\x1b[K", line.c_str());
  std::fflush(stderr);
  drawn_ = true;
}

void SectionProgress::finish() {
  clear();
  const double seconds = std::chrono::duration<double>(Clock::now() - part_start_).count();
  std::fprintf(stderr, "%s  %s s, about %s left\n", pad_right(title_, 28).c_str(),
               pad_left(fixed(seconds, 1), 6).c_str(), clock_time(seconds_left(1)).c_str());
  std::fflush(stderr);
}

void SectionProgress::clear() {
  if (std::exchange(drawn_, false)) std::fputs("\r\x1b[K", stderr);
}

}  // namespace lab
