// Built with -ffp-contract=off, and from exactly rounded operations only, so that the bytes are the same everywhere.
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/datasets/digit_strokes.h>
#include <xgrad/datasets/digits.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace xgrad::datasets {
namespace {

constexpr int side = 28, box = 20;  // pixels of the image, and of the box that the digit fills

struct Point {
  double x, y;  // x to the right, y downwards
  friend bool operator==(Point, Point) = default;
  friend Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
  friend Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
  friend Point operator*(double factor, Point a) { return {factor * a.x, factor * a.y}; }
  friend Point operator/(Point a, double divisor) { return {a.x / divisor, a.y / divisor}; }
};
using Line = std::vector<Point>;

// In hundredths, as the table has them.
Line points_of(const char* stroke) {
  Line points;
  for (char* end = nullptr; *stroke != 0; stroke = end) {
    const long x = std::strtol(stroke, &end, 10), y = std::strtol(end + 1, &end, 10);
    points.push_back({static_cast<double>(x), static_cast<double>(y)});
  }
  return points;
}

// (1 + z) / (1 - z) for a normal z that is cut at 2.5 standard deviations: as often a factor as its inverse.
double random_factor(Generator& generator, double deviation) {
  const double z = deviation * std::clamp(generator.normal(), -2.5, 2.5);
  return (1 + z) / (1 - z);
}

// How one hand bends the plane: a random cubic, then aspect and slant, then a rotation.
std::function<Point(Point)> random_bend(Generator& generator) {
  const double aspect = random_factor(generator, 0.11), slant = 0.1 + 0.25 * generator.normal();
  const double t = 0.07 * generator.normal(), norm = 1 + t * t;  // t is the tangent of half the angle
  const double cosine = (1 - t * t) / norm, sine = 2 * t / norm;
  const Point across{cosine * aspect, sine * aspect}, down{-cosine * slant - sine, cosine - sine * slant};
  std::array<Point, 7> cubic;
  for (Point& c : cubic) c = {0.15 * generator.normal(), 0.15 * generator.normal()};
  return [=](Point p) {
    const double u = p.x - 0.35, v = p.y - 0.5;
    const double terms[] = {u * u, u * v, v * v, 2 * u * u * u, 2 * u * u * v, 2 * u * v * v, 2 * v * v * v};
    Point bent{u, v};
    for (std::size_t i = 0; i < cubic.size(); ++i) bent = bent + terms[i] * cubic[i];
    return bent.x * across + bent.y * down;
  };
}

// The stroke's points as a hand sets them: each off by a random amount that its neighbours partly share, the ends
// longer or shorter. Where points lie close together they move less, or small loops would tangle.
Line written(const Line& stroke, const std::function<Point(Point)>& bend, double wobble, Generator& generator) {
  const std::size_t count = stroke.size();
  Line noise(count + 2);
  for (Point& n : noise) n = {generator.normal(), generator.normal()};
  const auto distance = [&](std::size_t i, std::size_t j) {
    const Point way = (stroke[i] - stroke[j]) / 100;
    return std::sqrt(way.x * way.x + way.y * way.y);
  };
  Line moved;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0 && stroke[i] == stroke[i - 1]) {
      moved.push_back(moved.back());
      continue;
    }
    const double room = std::max(distance(i, i > 0 ? i - 1 : i), distance(i, i + 1 < count ? i + 1 : i));
    const double scale = wobble * std::clamp(4 * room, 0.4, 1.0);
    moved.push_back(bend(stroke[i] / 100 + scale * (noise[i + 1] + (noise[i] + noise[i + 2]) / 2)));
  }
  const auto stretch = [&](Point& end, Point before) { end = end + 0.2 * generator.normal() * (end - before); };
  stretch(moved[0], moved[1]);
  stretch(moved[count - 1], moved[count - 2]);
  return moved;
}

// The cardinal spline through the points, as short straight pieces. The tangent at a point is `tension` times the way
// between its neighbours: 1/2 is Catmull & Rom's, more is rounder.
Line spline(const Line& points, double tension) {
  constexpr int pieces = 6;  // between two points
  Line line{points[0]};
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    const Point p1 = points[i], p2 = points[i + 1];
    const Point p0 = i > 0 ? points[i - 1] : p1, p3 = i + 2 < points.size() ? points[i + 2] : p2;
    if (p1 == p2) continue;
    for (int k = 1; k <= pieces; ++k) {
      const double t = static_cast<double>(k) / pieces, s = 1 - t;
      const double at2 = t * t * (3 - 2 * t), at1 = 1 - at2, out1 = tension * t * s * s, into2 = -tension * t * t * s;
      line.push_back(at1 * p1 + at2 * p2 + out1 * (p2 - p0) + into2 * (p3 - p1));
    }
  }
  return line;
}

// A box of ink, each pixel from 0 to 1.
struct Paper {
  double sharpness;
  double ink[box][box] = {};

  // A straight piece with round ends, in pixels. Its edges fade over 1 / sharpness pixels.
  void draw(Point from, Point to, double radius) {
    const double x = to.x - from.x, y = to.y - from.y, squared = x * x + y * y + 1e-12;
    const double reach = radius + 0.5 / sharpness;
    const auto first = [&](double a, double b) { return std::max(0, static_cast<int>(std::min(a, b) - reach)); };
    const auto last = [&](double a, double b) { return std::min(box - 1, static_cast<int>(std::max(a, b) + reach)); };
    for (int row = first(from.y, to.y); row <= last(from.y, to.y); ++row)
      for (int column = first(from.x, to.x); column <= last(from.x, to.x); ++column) {
        const double px = column + 0.5 - from.x, py = row + 0.5 - from.y;
        const double along = std::clamp((px * x + py * y) / squared, 0.0, 1.0);
        const double dx = px - along * x, dy = py - along * y;
        const double cover = 0.5 + sharpness * (radius - std::sqrt(dx * dx + dy * dy));
        ink[row][column] = std::max(ink[row][column], std::min(cover, 1.0));
      }
  }

  // Copies the box into an image, its centre of mass to the middle of pixel (14, 14), give or take.
  void centre(std::uint8_t* image, Generator& generator) const {
    double mass = 0, x = 0, y = 0;
    for (int row = 0; row < box; ++row)
      for (int column = 0; column < box; ++column)
        mass += ink[row][column], x += ink[row][column] * column, y += ink[row][column] * row;
    const auto offset = [&](double moment) {
      return std::clamp(static_cast<int>(side / 2 + 0.5 - moment / mass + 0.3 * generator.normal()), 0, side - box);
    };
    const int left = offset(x), top = offset(y);
    for (int row = 0; row < box; ++row)
      for (int column = 0; column < box; ++column)
        image[(top + row) * side + left + column] = static_cast<std::uint8_t>(255 * ink[row][column] + 0.5);
  }
};

const Style& random_style(int digit, Generator& generator) {
  const std::span<const Style> choices(std::ranges::lower_bound(styles, digit, {}, &Style::digit),
                                       std::ranges::upper_bound(styles, digit, {}, &Style::digit));
  double total = 0;
  for (const Style& style : choices) total += style.share;
  double rest = generator.uniform(0, total);
  for (const Style& style : choices)
    if ((rest -= style.share) < 0) return style;
  return choices.back();
}

void draw(const Style& style, std::uint8_t* image, Generator& generator) {
  const auto bend = random_bend(generator);
  const double wobble = generator.uniform(0.01, 0.08), tension = generator.uniform(0.5, 0.7);
  const double radius = 1.25 * random_factor(generator, 0.16);  // of the pen, in pixels
  std::vector<Line> lines;
  for (const char* stroke : style.strokes)
    if (stroke) lines.push_back(spline(written(points_of(stroke), bend, wobble, generator), tension));

  constexpr double most = std::numeric_limits<double>::max();
  Point low{most, most}, high{-most, -most};
  for (const Line& line : lines)
    for (const Point p : line) {
      low = {std::min(low.x, p.x), std::min(low.y, p.y)};
      high = {std::max(high.x, p.x), std::max(high.y, p.y)};
    }
  const double scale = (box - 2 * radius) / std::max(high.x - low.x, high.y - low.y);
  const auto pixels = [&](Point p) { return Point{box / 2, box / 2} + scale * (p - (low + high) / 2); };
  Paper paper{generator.uniform(0.65, 1)};
  for (const Line& line : lines) {
    // Pressure: the pen's radius is a random parabola along the stroke.
    const double slope = 0.2 * generator.normal(), curve = 0.2 * generator.normal();
    for (std::size_t i = 0; i + 1 < line.size(); ++i) {
      const double t = 2 * static_cast<double>(i) / static_cast<double>(line.size() - 1) - 1;
      const double pressure = std::max(0.5, 1 + slope * t + curve * (t * t - 0.5));
      paper.draw(pixels(line[i]), pixels(line[i + 1]), radius * pressure);
    }
  }
  paper.centre(image, generator);
}

}  // namespace

Dataset digits(std::size_t count, std::uint64_t seed) {
  if (count == 0) throw ValueError("[digits] expected a count of 1 or more, got 0");
  Generator generator(seed);
  std::vector<std::uint8_t> images(count * side * side), labels(count);
  for (std::size_t i = 0; i < count; ++i) {
    labels[i] = static_cast<std::uint8_t>(generator.below(10));
    draw(random_style(labels[i], generator), &images[i * side * side], generator);
  }
  return Dataset(std::move(images), {1, side, side}, labels);
}

}  // namespace xgrad::datasets
