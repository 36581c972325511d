// The steps without a gradient that rows of a table have left out. For .cpp files only: it includes SIMD headers.
#pragma once

#include <xgrad/core/parallel.h>
#include <xgrad/optim/elements.h>

#include <span>

namespace xgrad::optim {

class MissedSteps {
 public:
  /// `rates` are those of the steps up to `now`. The t of a row is the last step that it has made. A thread takes
  /// `grain` rows or more.
  MissedSteps(std::vector<Elements> rows, double now, std::span<const double> rates, std::size_t grain)
      : rows_(std::move(rows)), now_(now), rates_(rates), grain_(grain) {}

  double lr(double t) const { return rates_[rates_.size() - 1 - static_cast<std::size_t>(now_ - t)]; }

  /// Makes the steps with make(t), the rule of step t. Without a gradient, a step is at most `ratio` times as long as
  /// the one before (bias corrections apart), so that the steps soon vanish beside the rounding of the first; of those
  /// that are left then, nothing remains but that each multiplies the state by `kept`.
  template <std::size_t slots, class Make>
  void replay(Make make, const std::array<double, slots>& kept, double ratio) const {
    constexpr double nothing = std::numeric_limits<Scalar>::epsilon() / 16;
    const double longest = ratio < 1 ? std::ceil(std::log(nothing * (1 - ratio)) / std::log(ratio)) : now_;
    parallel_for(rows_.size(), grain_, [&, make](std::size_t begin, std::size_t end) mutable {
      using Step = decltype(make(1.0));
      std::array<std::pair<double, std::optional<Step>>, 512> steps;  // of the rows before, which often need the same
      for (std::size_t i = begin; i < end; ++i) {
        const Elements& row = rows_[i];
        const double last = std::min(now_, row.t + longest);
        for (double t = row.t + 1; t <= last; ++t) {
          auto& [number, step] = steps[static_cast<std::size_t>(t) % steps.size()];
          if (!step || number != t) number = t, step.emplace(make(t));
          row.for_each<slots>(*step);
        }
        if (last < now_) fade(row, kept, now_ - last);
      }
    });
  }

 private:
  template <std::size_t slots>
  static void fade(const Elements& row, const std::array<double, slots>& kept, double steps) {
    for (std::size_t slot = 0; slot < slots; ++slot) {
      if (!row.state[slot] || kept[slot] == 1) continue;
      const auto factor = static_cast<Scalar>(std::pow(kept[slot], steps));
      std::for_each_n(row.state[slot], row.size, [factor](Scalar& x) { x *= factor; });
    }
  }

  const std::vector<Elements> rows_;
  const double now_;
  const std::span<const double> rates_;
  const std::size_t grain_;
};

}  // namespace xgrad::optim
