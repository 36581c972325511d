// What every section gets.
#pragma once

#include <xgrad/datasets/dataset.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "document.h"

namespace lab {

struct Context {
  bool quick;                   ///< fewer steps, seeds and settings: all sections in about a minute on two cores
  std::uint64_t seed;           ///< of everything that is drawn
  xgrad::datasets::Split data;  ///< digits: drawn, or the real ones with --data
  bool real_digits;
  std::function<void(double)> progress;  ///< to be told the share of the section that is done, in [0, 1]

  /// The number for a run of so many.
  template <class T>
  T pick(T quickly, T fully) const {
    return quick ? quickly : fully;
  }
};

// Sections in the page's order. Each is deterministic but for measured times.

Section inside_one_step(const Context& context);
Section race(const Context& context);
Section rate_sensitivity(const Context& context);
Section claims(const Context& context);
Section break_it(const Context& context);
Section paper_experiments(const Context& context);
Section curvature(const Context& context);

}  // namespace lab
