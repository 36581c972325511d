// The stroke skeletons behind digits().
#pragma once

#include <array>
#include <vector>

namespace xgrad::datasets {

struct Point {
  double x, y;  // x to the right, y downwards
  friend bool operator==(const Point&, const Point&) = default;
};

/// A smooth curve through its points. A point given twice is a corner.
using Stroke = std::vector<Point>;

/// One way to write a digit. The share is how often it is drawn, relative to the digit's other styles.
struct Style {
  double share;
  std::vector<Stroke> strokes;
};

/// The styles of 0 to 9, in hundredths of a unit box, as upright as they are usually written.
const std::array<std::vector<Style>, 10>& digit_styles();

}  // namespace xgrad::datasets
