// What is seen while training goes on, on standard error: a line an epoch, and on a terminal one below that is drawn
// again in place.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace train {

struct Status {
  std::size_t epoch, step;  ///< from 1, the step within the epoch
  double loss, accuracy;    ///< means of the epoch so far; for a whole epoch, the accuracy is the test set's
};

/// All the work there is.
struct Plan {
  std::size_t runs, epochs, steps;  ///< steps of an epoch

  std::size_t all() const { return runs * epochs * steps; }
  std::size_t done(std::size_t run, const Status& status) const;  ///< steps up to this moment; runs count from 1
};

/// The line for these numbers, without colours and at most `width` characters. A wide one has a bar for all the work; a
/// narrow one leaves out the step, then the accuracy, then the loss.
std::string progress_line(const std::string& label, std::size_t run, const Plan& plan, const Status& status,
                          double seconds_left, std::size_t width);

class Progress {
 public:
  explicit Progress(Plan plan);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void start(const std::string& label);
  /// Cheap: it draws at most ten times a second.
  void step(const Status& status);
  void epoch(const Status& status, double seconds);  ///< seconds of training since the run began
  /// A line that stays.
  void line(const std::string& text);
  /// Takes the line in place away.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  Plan plan_;
  bool terminal_, colors_;
  bool drawn_ = false;
  std::string label_;
  std::size_t run_ = 0, made_ = 0;  // runs started, and steps made in all of them
  Clock::time_point start_, next_draw_;
};

}  // namespace train
