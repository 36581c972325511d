#include "progress.h"

#include <unistd.h>
#include <xgrad/core/errors.h>

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include "terminal.h"
#include "text.h"

namespace train {

using namespace cli;

namespace {

using xgrad::message;

constexpr auto redraw_interval = std::chrono::milliseconds(100);
constexpr std::size_t narrowest_bar = 8, widest_bar = 30;

std::string bar(double share, std::size_t width) {
  const auto filled = static_cast<std::size_t>(share * static_cast<double>(width - 2));
  return message("[", std::string(filled, '='), std::string(width - 2 - filled, ' '), "]");
}

std::size_t digits(std::size_t value) { return std::to_string(value).size(); }

}  // namespace

std::size_t Plan::done(std::size_t run, const Status& status) const {
  return ((run - 1) * epochs + status.epoch - 1) * steps + status.step;
}

std::string progress_line(const std::string& label, std::size_t run, const Plan& plan, const Status& status,
                          double seconds_left, std::size_t width) {
  std::vector<std::string> parts = {label};
  if (plan.runs > 1) parts[0] += message(" ", run, "/", plan.runs);
  parts.push_back(message("epoch ", pad_left(std::to_string(status.epoch), digits(plan.epochs)), "/", plan.epochs));
  parts.push_back(message("step ", pad_left(std::to_string(status.step), digits(plan.steps)), "/", plan.steps));
  parts.push_back("loss " + loss_text(status.loss));
  parts.push_back("accuracy " + pad_left(percent(status.accuracy, 1), 6));
  parts.push_back(clock_time(seconds_left) + " left");

  const auto length = [&parts] {
    std::size_t sum = 2 * (parts.size() - 1);
    for (const std::string& part : parts) sum += part.size();
    return sum;
  };
  for (const std::ptrdiff_t least_needed : {2, 3, 2})  // the step, then the accuracy, then the loss
    if (length() > width) parts.erase(parts.begin() + least_needed);
  if (parts.size() == 6 && length() + 2 + narrowest_bar <= width) {
    const double share = static_cast<double>(plan.done(run, status)) / static_cast<double>(plan.all());
    parts.insert(parts.begin() + 2, bar(share, std::min(width - length() - 2, widest_bar)));
  }
  std::string line;
  for (const std::string& part : parts) line += (line.empty() ? "" : "  ") + part;
  return line.substr(0, width);
}

Progress::Progress(Plan plan)
    : plan_(plan), terminal_(is_terminal(STDERR_FILENO)), colors_(has_colors(STDERR_FILENO)), start_(Clock::now()) {}

void Progress::start(const std::string& label) {
  label_ = label;
  ++run_;
}

void Progress::step(const Status& status) {
  ++made_;
  if (!terminal_) return;
  const Clock::time_point now = Clock::now();
  if (now < next_draw_) return;
  next_draw_ = now + redraw_interval;

  const std::size_t left = plan_.all() - plan_.done(run_, status);
  const double seconds = std::chrono::duration<double>(now - start_).count();
  // The last column stays free: some terminals wrap when it is written.
  std::string line =
      progress_line(label_, run_, plan_, status, seconds / static_cast<double>(made_) * static_cast<double>(left),
                    terminal_width() - 1);
  if (colors_ && line.starts_with(label_)) line = message("\x1b[1m", label_, "\x1b[0m", line.substr(label_.size()));
  std::fprintf(stderr, "\r%s\x1b[K", line.c_str());
  std::fflush(stderr);
  drawn_ = true;
}

void Progress::epoch(const Status& status, double seconds) {
  line(message(label_, "  epoch ", pad_left(std::to_string(status.epoch), digits(plan_.epochs)), "/", plan_.epochs,
               "  loss ", loss_text(status.loss), "  test accuracy ", percent(status.accuracy, 2), "  ",
               fixed(seconds, 2), " s so far"));
}

void Progress::line(const std::string& text) {
  clear();
  std::fprintf(stderr, "%s\n", text.c_str());
  std::fflush(stderr);
}

void Progress::clear() {
  if (std::exchange(drawn_, false)) std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
}

}  // namespace train
