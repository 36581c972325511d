// How far the lab is, on standard error: a line in place on a terminal, and a line a section elsewhere.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace lab {

class SectionProgress {
 public:
  /// `seconds` is what each part is expected to take on some machine: the estimate scales them to this one.
  explicit SectionProgress(std::vector<double> seconds);
  ~SectionProgress() { clear(); }
  SectionProgress(const SectionProgress&) = delete;
  SectionProgress& operator=(const SectionProgress&) = delete;

  void start(std::size_t part, const std::string& title);
  /// The share of the part that is done, in [0, 1].
  void update(double share);
  /// Ends the part.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  double elapsed() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
  double seconds_left(double share) const;
  void clear();

  std::vector<double> expected_;
  std::size_t part_ = 0;
  std::string title_;
  bool terminal_, drawn_ = false;
  Clock::time_point start_ = Clock::now(), part_start_, next_draw_;
};

}  // namespace lab
