#include <xgrad/core/errors.h>
#include <xgrad/optim/lbfgs.h>
#include <xgrad/optim/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

namespace xgrad::optim {
namespace {

double dot(const Tensor& a, const Tensor& b) {
  return std::transform_reduce(a.begin(), a.end(), b.begin(), 0.0, std::plus<>(),
                               [](double x, double y) { return x * y; });
}

void add(Tensor& to, double factor, const Tensor& x) {
  for (std::size_t i = 0; i < to.size(); ++i) to(i) = static_cast<Scalar>(double(to(i)) + factor * double(x(i)));
}

double largest(const Tensor& x) {
  return std::accumulate(x.begin(), x.end(), 0.0, [](double most, double v) { return std::max(most, std::abs(v)); });
}

// Where a line search looks, at `length` times the direction from its start.
struct Point {
  double length = 0, loss = 0, slope = 0;
  Tensor gradient = {};
};

// Equation 3.59: the minimizer of the cubic through two points with their slopes. NaN where there is none.
double cubic(const Point& a, const Point& b) {
  const double width = b.length - a.length, d1 = a.slope + b.slope + 3 * (a.loss - b.loss) / width;
  const double d2 = std::copysign(std::sqrt(d1 * d1 - a.slope * b.slope), width);
  return b.length - width * (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2);
}

// Algorithms 3.5 and 3.6 in one loop: 3.6 begins when there is a `high`. Of the points that decrease the loss
// sufficiently, `low` has the least loss, and the slope there points towards `high`, or ahead. It is what is returned
// where none of `most` points satisfies both conditions. Where two cubics have not halved the interval, it is halved.
template <class Look>
Point line_search(const Look& look, Point low, double length, std::int64_t most, const LBFGSOptions& options) {
  const double loss = low.loss, slope = low.slope;
  std::optional<Point> high;
  double last = std::numeric_limits<double>::infinity(), before = last;  // how wide the interval was
  for (; most > 0; --most) {
    Point trial = look(length);
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

}  // namespace

LBFGS::LBFGS(ParameterList parameters, LBFGSOptions options) : Rule(std::move(parameters), options) {
  for (const auto& named : this->parameters()) shapes_.push_back(named.second.shape());
}

void LBFGS::check(const LBFGSOptions& options) {
  check_count(name, "history_size", options.history_size);
  check_count(name, "max_iterations", options.max_iterations);
  check_count(name, "max_evaluations", options.max_evaluations);
  check_not_negative(name, "tolerance_grad", options.tolerance_grad);
  check_not_negative(name, "tolerance_change", options.tolerance_change);
  if (!(options.c1 > 0 && options.c1 < options.c2 && options.c2 < 1))
    throw ValueError(message("[", name, "] expected 0 < c1 < c2 < 1, got ", options.c1, " and ", options.c2));
}

OptionValues LBFGS::values(const LBFGSOptions& o) {
  return {{"history_size", o.history_size},
          {"max_iterations", o.max_iterations},
          {"max_evaluations", o.max_evaluations},
          {"tolerance_grad", o.tolerance_grad},
          {"tolerance_change", o.tolerance_change},
          {"c1", o.c1},
          {"c2", o.c2}};
}

void LBFGS::check_shape(std::size_t parameter, const Shape& got) const {
  if (got != shapes_[parameter])
    throw ShapeError(
        message("[", name, "] '", parameters()[parameter].first, "': expected ", shapes_[parameter], ", got ", got));
}

void LBFGS::assign(const Tensor& values) const {
  const Scalar* from = values.data();
  for (std::size_t i = 0; i < shapes_.size(); ++i) {
    Tensor& to = parameters()[i].second.mutable_value();
    check_shape(i, to.shape());
    std::copy_n(from, to.size(), to.data());
    from += to.size();
  }
}

// All parameters, or gradients, one after the other. What has no gradient does not matter to the loss: 0.
Tensor LBFGS::flat(bool gradients) const {
  std::size_t size = 0;
  for (const Shape& shape : shapes_) size += element_count(shape);
  Tensor result = zeros({size});
  Scalar* to = result.data();
  for (std::size_t i = 0; i < shapes_.size(); ++i) {
    const Variable& variable = parameters()[i].second;
    check_shape(i, variable.shape());
    if (!gradients || variable.has_grad()) {
      const Tensor& from = gradients ? variable.grad() : variable.value();
      check_shape(i, from.shape());
      std::copy(from.begin(), from.end(), to);
    }
    to += element_count(shapes_[i]);
  }
  return result;
}

// Algorithm 7.4, with the first matrix of equation 7.20, and the sign turned.
Tensor LBFGS::direction(const Tensor& gradient) const {
  Tensor r = zeros(gradient.shape());
  add(r, -1, gradient);
  std::vector<double> alpha(pairs_.size());
  for (std::size_t i = pairs_.size(); i-- > 0;) {
    alpha[i] = dot(pairs_[i].s, r) / pairs_[i].curvature;
    add(r, -alpha[i], pairs_[i].y);
  }
  if (!pairs_.empty())
    for (const double scale = pairs_.back().curvature / dot(pairs_.back().y, pairs_.back().y); Scalar & element : r)
      element = static_cast<Scalar>(element * scale);
  for (std::size_t i = 0; i < pairs_.size(); ++i)
    add(r, alpha[i] - dot(pairs_[i].y, r) / pairs_[i].curvature, pairs_[i].s);
  return r;
}

double LBFGS::step(const Closure& closure) {
  const LBFGSOptions& options = groups()[0].options;
  check_positive(name, "lr", options.lr);
  constexpr std::int64_t most_trials = 25;  // by then the interval is narrower than the numbers are exact
  std::int64_t evaluations = 0;
  Tensor x = flat(false), d = zeros(x.shape());
  const auto look = [&](double length) {
    Tensor at = x;
    add(at, length, d);
    assign(at);
    ++evaluations;
    Point point{.length = length, .loss = static_cast<double>(evaluate(name, parameters(), closure).item())};
    if (!std::isfinite(point.loss)) return point;
    point.gradient = flat(true);
    point.slope = dot(point.gradient, d);
    if (!std::isfinite(point.slope)) point.loss = point.slope;
    return point;
  };
  Point now = look(0);
  if (!std::isfinite(now.loss)) throw ValueError(message("[", name, "] the loss or its gradient is ", now.loss));
  for (std::int64_t i = 0; i < options.max_iterations && evaluations < options.max_evaluations; ++i) {
    if (largest(now.gradient) <= options.tolerance_grad) break;
    d = direction(now.gradient);
    now.length = 0;
    now.slope = dot(now.gradient, d);
    const double first = pairs_.empty() ? std::min(1.0, 1 / largest(now.gradient)) : 1;
    const std::int64_t most = std::min(most_trials, options.max_evaluations - evaluations);
    Point next = now.slope < 0 ? line_search(look, now, options.lr * first, most, options) : now;
    const Tensor before = x;
    add(x, next.length, d);
    assign(x);
    Pair pair{x, next.gradient, 0};
    add(pair.s, -1, before);
    add(pair.y, -1, now.gradient);
    pair.curvature = dot(pair.s, pair.y);
    const double change = largest(pair.s);
    now = std::move(next);
    if (now.length == 0 && !pairs_.empty()) {  // the pairs mislead, by rounding or by a loss that has changed
      pairs_.clear();
      continue;
    }
    if (pair.curvature > std::numeric_limits<double>::epsilon() * dot(pair.y, pair.y))
      pairs_.push_back(std::move(pair));
    if (pairs_.size() > static_cast<std::size_t>(options.history_size)) pairs_.pop_front();
    if (change <= options.tolerance_change) break;
  }
  return now.loss;
}

StateDict LBFGS::state_dict() const {
  StateDict dict{.scalars = {{"pairs", static_cast<double>(pairs_.size())}}};
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    dict.tensors.emplace_back(message("s.", i), pairs_[i].s);
    dict.tensors.emplace_back(message("y.", i), pairs_[i].y);
  }
  save_options(dict);
  return dict;
}

void LBFGS::load_state_dict(const StateDict& dict) {
  StateReader reader(name, dict);
  const std::uint64_t count = reader.count("pairs"),
                      most = static_cast<std::uint64_t>(groups()[0].options.history_size);
  if (count > most) reader.misfit("pairs: expected at most ", most, ", got ", count);
  const Shape shape = flat(false).shape();
  std::deque<Pair> loaded;
  for (std::uint64_t i = 0; i < std::min(count, most); ++i) {
    const Tensor *s = reader.tensor(message("s.", i), shape), *y = reader.tensor(message("y.", i), shape);
    if (!s || !y) continue;
    loaded.push_back({*s, *y, dot(*s, *y)});
    if (const double curvature = loaded.back().curvature; !(curvature > 0 && std::isfinite(curvature)))
      reader.misfit("pair ", i, ": expected a curvature above 0, got ", curvature);
  }
  const std::vector<double> rates = read_options(reader);
  if (!rates.empty() && rates[0] == 0) reader.misfit("options.0.lr: expected a rate above 0, got 0");
  reader.finish();
  pairs_ = std::move(loaded);
  if (!rates.empty()) lr() = rates[0];
}

}  // namespace xgrad::optim
