#include <xgrad/core/errors.h>
#include <xgrad/optim/lbfgs.h>
#include <xgrad/optim/line_search.h>
#include <xgrad/optim/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace xgrad::optim {
namespace {

constexpr std::string_view lbfgs = "LBFGS";

void check(const LBFGSOptions& options) {
  check_positive(lbfgs, "lr", options.lr);
  check_count(lbfgs, "history_size", options.history_size);
  check_count(lbfgs, "max_iterations", options.max_iterations);
  check_count(lbfgs, "max_evaluations", options.max_evaluations);
  check_not_negative(lbfgs, "tolerance_grad", options.tolerance_grad);
  check_not_negative(lbfgs, "tolerance_change", options.tolerance_change);
  if (!(options.c1 > 0 && options.c1 < options.c2 && options.c2 < 1))
    throw ValueError(message("[", lbfgs, "] expected 0 < c1 < c2 < 1, got ", options.c1, " and ", options.c2));
}

}  // namespace

LBFGS::LBFGS(ParameterList parameters, LBFGSOptions options)
    : FlatOptimizer(lbfgs, std::move(parameters)), options_(options) {
  check(options_);
}

double& LBFGS::lr(std::size_t) { return options_.lr; }

std::size_t LBFGS::state_bytes() const { return 2 * pairs_.size() * size() * sizeof(Scalar); }

OptionValues LBFGS::option_values() const {
  const LBFGSOptions& o = options_;
  return {{"lr", o.lr},
          {"history_size", o.history_size},
          {"max_iterations", o.max_iterations},
          {"max_evaluations", o.max_evaluations},
          {"tolerance_grad", o.tolerance_grad},
          {"tolerance_change", o.tolerance_change},
          {"c1", o.c1},
          {"c2", o.c2}};
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
  const LBFGSOptions& options = options_;
  check_positive(lbfgs, "lr", options.lr);
  std::int64_t evaluations = 0;
  Tensor x = values(), d = zeros(x.shape());
  const auto look_along = [&](double length) { return ++evaluations, look(closure, x, length, d); };
  LinePoint now = look_along(0);
  check_start(now.loss);
  ++steps_;
  for (std::int64_t i = 0; i < options.max_iterations && evaluations < options.max_evaluations; ++i) {
    if (largest(now.gradient) <= options.tolerance_grad) break;
    d = direction(now.gradient);
    now.length = 0;
    now.slope = dot(now.gradient, d);
    const double first = pairs_.empty() ? std::min(1.0, 1 / largest(now.gradient)) : 1;
    const LineSearchOptions search = {.length = options.lr * first,
                                      .most = std::min<std::int64_t>(25, options.max_evaluations - evaluations),
                                      .c1 = options.c1,
                                      .c2 = options.c2};
    LinePoint next = now.slope < 0 ? line_search(look_along, now, search) : now;
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
  StateDict dict{.scalars = {{"pairs", static_cast<double>(pairs_.size())}, {"steps", static_cast<double>(steps_)}}};
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    dict.tensors.emplace_back(message("s.", i), pairs_[i].s);
    dict.tensors.emplace_back(message("y.", i), pairs_[i].y);
  }
  save_options(dict, {option_values()});
  return dict;
}

void LBFGS::load_state_dict(const StateDict& dict) {
  StateReader reader(lbfgs, dict);
  const std::uint64_t count = reader.count("pairs"), most = static_cast<std::uint64_t>(options_.history_size);
  if (count > most) reader.misfit("pairs: expected at most ", most, ", got ", count);
  const Shape shape = Shape{size()};
  const auto steps = reader.has_scalar("steps") ? static_cast<std::int64_t>(reader.count("steps")) : 0;
  std::deque<Pair> loaded;
  for (std::uint64_t i = 0; i < std::min(count, most); ++i) {
    const Tensor *s = reader.tensor(message("s.", i), shape), *y = reader.tensor(message("y.", i), shape);
    if (!s || !y) continue;
    loaded.push_back({*s, *y, dot(*s, *y)});
    if (const double curvature = loaded.back().curvature; !(curvature > 0 && std::isfinite(curvature)))
      reader.misfit("pair ", i, ": expected a curvature above 0, got ", curvature);
  }
  const std::vector<double> rates = read_options(reader, {option_values()});
  if (!rates.empty() && rates[0] == 0) reader.misfit("options.0.lr: expected a rate above 0, got 0");
  reader.finish();
  pairs_ = std::move(loaded), steps_ = steps;
  if (!rates.empty()) options_.lr = rates[0];
}

}  // namespace xgrad::optim
