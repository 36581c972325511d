// Built with -ffp-contract=off, and from exactly rounded operations only, so that the bytes are the same everywhere.
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/datasets/digit_strokes.h>
#include <xgrad/datasets/digits.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace xgrad::datasets {
namespace {

constexpr int side = 28, box = 20;  // pixels of the image, and of the box that the digit fills

// (1 + z) / (1 - z) for a normal z that is cut at 2.5 standard deviations: as often a factor as its inverse.
double random_factor(Generator& generator, double deviation) {
  const double z = deviation * std::clamp(generator.normal(), -2.5, 2.5);
  return (1 + z) / (1 - z);
}

// How one hand bends the plane: a random cubic, then aspect and slant, then a rotation.
class Bend {
 public:
  explicit Bend(Generator& generator) {
    const double aspect = random_factor(generator, 0.11), slant = 0.1 + 0.25 * generator.normal();
    const double t = 0.07 * generator.normal(), norm = 1 + t * t;  // t is the tangent of half the angle
    const double cosine = (1 - t * t) / norm, sine = 2 * t / norm;
    xx_ = cosine * aspect, xy_ = -cosine * slant - sine;
    yx_ = sine * aspect, yy_ = cosine - sine * slant;
    for (Point& c : cubic_) c = {0.15 * generator.normal(), 0.15 * generator.normal()};
  }

  Point operator()(Point p) const {
    const double u = p.x - 0.35, v = p.y - 0.5;
    const double terms[] = {u * u, u * v, v * v, 2 * u * u * u, 2 * u * u * v, 2 * u * v * v, 2 * v * v * v};
    double x = u, y = v;
    for (std::size_t i = 0; i < std::size(terms); ++i) x += cubic_[i].x * terms[i], y += cubic_[i].y * terms[i];
    return {xx_ * x + xy_ * y, yx_ * x + yy_ * y};
  }

 private:
  double xx_, xy_, yx_, yy_;
  Point cubic_[7];
};

// The stroke's points as a hand sets them: each off by a random amount that its neighbours partly share, the ends
// longer or shorter. Where points lie close together they move less, or small loops would tangle.
Stroke written(const Stroke& stroke, const Bend& bend, double wobble, Generator& generator) {
  const std::size_t count = stroke.size();
  std::vector<Point> noise(count + 2);
  for (Point& n : noise) n = {generator.normal(), generator.normal()};
  const auto distance = [&](std::size_t i, std::size_t j) {
    const double x = (stroke[i].x - stroke[j].x) / 100, y = (stroke[i].y - stroke[j].y) / 100;
    return std::sqrt(x * x + y * y);
  };
  Stroke moved;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0 && stroke[i] == stroke[i - 1]) {
      moved.push_back(moved.back());
      continue;
    }
    const double room = std::max(distance(i, i > 0 ? i - 1 : i), distance(i, i + 1 < count ? i + 1 : i));
    const double scale = wobble * std::clamp(4 * room, 0.4, 1.0);
    const double dx = noise[i + 1].x + (noise[i].x + noise[i + 2].x) / 2;
    const double dy = noise[i + 1].y + (noise[i].y + noise[i + 2].y) / 2;
    moved.push_back(bend({stroke[i].x / 100 + scale * dx, stroke[i].y / 100 + scale * dy}));
  }
  const auto stretch = [&](Point& end, const Point& before) {
    const double by = 0.2 * generator.normal();
    end = {end.x + by * (end.x - before.x), end.y + by * (end.y - before.y)};
  };
  stretch(moved[0], moved[1]);
  stretch(moved[count - 1], moved[count - 2]);
  return moved;
}

// The cardinal spline through the points, as short straight pieces. The tangent at a point is `tension` times the way
// between its neighbours: 1/2 is Catmull & Rom's, more is rounder.
std::vector<Point> spline(const Stroke& points, double tension) {
  constexpr int pieces = 6;  // between two points
  std::vector<Point> line{points[0]};
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    const Point &p1 = points[i], &p2 = points[i + 1];
    const Point &p0 = i > 0 ? points[i - 1] : p1, &p3 = i + 2 < points.size() ? points[i + 2] : p2;
    if (p1 == p2) continue;
    for (int k = 1; k <= pieces; ++k) {
      const double t = static_cast<double>(k) / pieces, s = 1 - t;
      const double at2 = t * t * (3 - 2 * t), at1 = 1 - at2, out1 = tension * t * s * s, into2 = -tension * t * t * s;
      line.push_back({at1 * p1.x + at2 * p2.x + out1 * (p2.x - p0.x) + into2 * (p3.x - p1.x),
                      at1 * p1.y + at2 * p2.y + out1 * (p2.y - p0.y) + into2 * (p3.y - p1.y)});
    }
  }
  return line;
}

// A box of ink, each pixel from 0 to 1.
class Paper {
 public:
  explicit Paper(double sharpness) : sharpness_(sharpness) {}

  // A straight piece with round ends, in pixels. Its edges fade over 1 / sharpness pixels.
  void draw(Point from, Point to, double radius) {
    const double x = to.x - from.x, y = to.y - from.y, squared = x * x + y * y + 1e-12;
    const double reach = radius + 0.5 / sharpness_;
    const auto first = [&](double a, double b) { return std::max(0, static_cast<int>(std::min(a, b) - reach)); };
    const auto last = [&](double a, double b) { return std::min(box - 1, static_cast<int>(std::max(a, b) + reach)); };
    for (int row = first(from.y, to.y); row <= last(from.y, to.y); ++row)
      for (int column = first(from.x, to.x); column <= last(from.x, to.x); ++column) {
        const double px = column + 0.5 - from.x, py = row + 0.5 - from.y;
        const double along = std::clamp((px * x + py * y) / squared, 0.0, 1.0);
        const double dx = px - along * x, dy = py - along * y;
        const double cover = 0.5 + sharpness_ * (radius - std::sqrt(dx * dx + dy * dy));
        ink_[row][column] = std::max(ink_[row][column], std::min(cover, 1.0));
      }
  }

  // Copies the box into an image, its centre of mass to the middle of pixel (14, 14), give or take.
  void centre(std::uint8_t* image, Generator& generator) const {
    double mass = 0, x = 0, y = 0;
    for (int row = 0; row < box; ++row)
      for (int column = 0; column < box; ++column) {
        const double ink = ink_[row][column];
        mass += ink, x += ink * column, y += ink * row;
      }
    const auto offset = [&](double moment) {
      return std::clamp(static_cast<int>(side / 2 + 0.5 - moment / mass + 0.3 * generator.normal()), 0, side - box);
    };
    const int left = offset(x), top = offset(y);
    for (int row = 0; row < box; ++row)
      for (int column = 0; column < box; ++column)
        image[(top + row) * side + left + column] = static_cast<std::uint8_t>(255 * ink_[row][column] + 0.5);
  }

 private:
  double sharpness_;
  double ink_[box][box] = {};
};

const Style& random_style(const std::vector<Style>& styles, Generator& generator) {
  double total = 0;
  for (const Style& style : styles) total += style.share;
  double rest = generator.uniform(0, total);
  for (const Style& style : styles)
    if ((rest -= style.share) < 0) return style;
  return styles.back();
}

void draw(const Style& style, std::uint8_t* image, Generator& generator) {
  const Bend bend(generator);
  const double wobble = generator.uniform(0.01, 0.08), tension = generator.uniform(0.5, 0.7);
  const double radius = 1.25 * random_factor(generator, 0.16);  // of the pen, in pixels
  std::vector<std::vector<Point>> lines;
  for (const Stroke& stroke : style.strokes) lines.push_back(spline(written(stroke, bend, wobble, generator), tension));

  constexpr double most = std::numeric_limits<double>::max();
  Point low{most, most}, high{-most, -most};
  for (const auto& line : lines)
    for (const Point& p : line) {
      low = {std::min(low.x, p.x), std::min(low.y, p.y)};
      high = {std::max(high.x, p.x), std::max(high.y, p.y)};
    }
  const double scale = (box - 2 * radius) / std::max(high.x - low.x, high.y - low.y);
  const auto pixels = [&](Point p) {
    return Point{box / 2 + scale * (p.x - (low.x + high.x) / 2), box / 2 + scale * (p.y - (low.y + high.y) / 2)};
  };
  Paper paper(generator.uniform(0.65, 1));
  for (const auto& line : lines) {
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
    draw(random_style(digit_styles()[labels[i]], generator), &images[i * side * side], generator);
  }
  return Dataset(std::move(images), {1, side, side}, std::move(labels));
}

}  // namespace xgrad::datasets
