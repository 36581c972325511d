#include <xgrad/optim/line_search.h>

#include <cmath>
#include <limits>
#include <optional>
#include <utility>

namespace xgrad::optim {
namespace {

// Equation 3.59: the minimizer of the cubic through two points with their slopes. NaN where there is none.
double cubic(const LinePoint& a, const LinePoint& b) {
  const double width = b.length - a.length, d1 = a.slope + b.slope + 3 * (a.loss - b.loss) / width;
  const double d2 = std::copysign(std::sqrt(d1 * d1 - a.slope * b.slope), width);
  return b.length - width * (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2);
}

}  // namespace

// 3.6 begins when there is a `high`. Of the points that decrease the loss sufficiently, `low` has the least loss, and
// the slope there points towards `high`, or ahead. Where two cubics have not halved the interval, it is halved.
LinePoint line_search(const std::function<LinePoint(double)>& look, LinePoint low, LineSearchOptions options) {
  const double loss = low.loss, slope = low.slope;
  double length = options.length;
  std::optional<LinePoint> high;
  double last = std::numeric_limits<double>::infinity(), before = last;  // how wide the interval was
  for (; options.most > 0; --options.most) {
    LinePoint trial = look(length);
    if (!(trial.loss <= loss + options.c1 * length * slope) || trial.loss >= low.loss) {
      high = std::move(trial);
    } else {
      if (std::abs(trial.slope) <= -options.c2 * slope) return trial;
      if (trial.slope * (high ? high->length - low.length : 1) >= 0) high = std::move(low);
      low = std::move(trial);
    }
    length *= 4;
    if (!high) continue;
    const double middle = (low.length + high->length) / 2, width = std::abs(high->length - low.length);
    length = width > before / 2 ? middle : cubic(low, *high);
    if (!(std::abs(length - middle) < 0.499 * width)) length = middle;  // at an end, or nowhere
    before = std::exchange(last, width);
  }
  return low;
}

}  // namespace xgrad::optim
