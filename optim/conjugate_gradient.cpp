#include <xgrad/core/errors.h>
#include <xgrad/optim/line_search.h>
#include <xgrad/optim/newton_cg.h>
#include <xgrad/optim/ranges.h>

#include <algorithm>
#include <cmath>

namespace xgrad::optim {

ConjugateGradient::ConjugateGradient(ParameterList parameters, ConjugateGradientOptions options)
    : FlatOptimizer("ConjugateGradient", std::move(parameters)), options_(options) {
  check_positive(rule(), "lr", options_.lr);
  check_count(rule(), "max_iterations", options_.max_iterations);
  check_count(rule(), "max_evaluations", options_.max_evaluations);
  check_not_negative(rule(), "tolerance_grad", options_.tolerance_grad);
  if (!(options_.c1 > 0 && options_.c1 < options_.c2 && options_.c2 < 0.5))
    throw ValueError(message("[", rule(), "] expected 0 < c1 < c2 < 1/2, got ", options_.c1, " and ", options_.c2));
}

OptionValues ConjugateGradient::option_values() const {
  return {{"lr", options_.lr},
          {"max_iterations", options_.max_iterations},
          {"max_evaluations", options_.max_evaluations},
          {"tolerance_grad", options_.tolerance_grad},
          {"c1", options_.c1},
          {"c2", options_.c2}};
}

double ConjugateGradient::step(const Closure& closure) {
  check_positive(rule(), "lr", options_.lr);
  std::int64_t left = options_.max_evaluations;
  Tensor x = values(), d = zeros(x.shape());
  const auto look_along = [&](double length) { return --left, look(closure, x, length, d); };
  LinePoint now = look_along(0);
  check_start(now.loss);
  ++steps_;
  for (std::int64_t i = 0; i < options_.max_iterations && left > 0; ++i) {
    if (largest(now.gradient) <= options_.tolerance_grad) break;
    d = zeros(x.shape());
    add(d, -1, now.gradient);
    if (slope_ != 0) {
      const double squares = dot(gradient_, gradient_);
      const double beta = (dot(now.gradient, now.gradient) - dot(now.gradient, gradient_)) / squares;
      if (beta > 0) add(d, beta, direction_);
    }
    now.slope = dot(now.gradient, d);
    if (!(now.slope < 0)) {
      d = zeros(x.shape());
      add(d, -1, now.gradient);
      now.slope = dot(now.gradient, d);
    }
    now.length = 0;
    const double first = slope_ != 0 ? length_ * slope_ / now.slope : options_.lr / std::sqrt(-now.slope);
    LinePoint next = line_search(look_along, now,
                                 {.length = std::isfinite(first) && first > 0 ? first : options_.lr,
                                  .most = std::min<std::int64_t>(25, left),
                                  .c1 = options_.c1,
                                  .c2 = options_.c2});
    const bool stuck = next.length == 0, was_steepest = slope_ == 0;
    direction_ = d, gradient_ = now.gradient, length_ = next.length, slope_ = stuck ? 0 : now.slope;
    add(x, next.length, d);
    assign(x);
    now = std::move(next);
    if (stuck && was_steepest) break;
  }
  return now.loss;
}

std::size_t ConjugateGradient::state_bytes() const { return slope_ == 0 ? 0 : 2 * size() * sizeof(Scalar); }

StateDict ConjugateGradient::state_dict() const {
  StateDict dict = head();
  dict.scalars.insert(dict.scalars.end(), {{"length", length_}, {"slope", slope_}});
  if (slope_ != 0) dict.tensors = {{"direction", direction_}, {"gradient", gradient_}};
  save_options(dict, {option_values()});
  return dict;
}

void ConjugateGradient::load_state_dict(const StateDict& dict) {
  StateReader reader(rule(), dict);
  const std::int64_t steps = read_head(reader);
  const double length = reader.scalar("length"), slope = reader.scalar("slope");
  if (!(length >= 0 && slope <= 0 && std::isfinite(length) && std::isfinite(slope)))
    reader.misfit("length and slope: expected one of at least 0 and one of at most 0, got ", length, " and ", slope);
  const Tensor *direction = nullptr, *gradient = nullptr;
  if (slope != 0) direction = reader.tensor("direction", {size()}), gradient = reader.tensor("gradient", {size()});
  const std::vector<double> rates = read_options(reader, {option_values()});
  if (!rates.empty() && rates[0] == 0) reader.misfit("options.0.lr: expected a rate above 0, got 0");
  reader.finish();
  steps_ = steps, length_ = length, slope_ = slope;
  if (slope != 0) direction_ = *direction, gradient_ = *gradient;
  if (!rates.empty()) options_.lr = rates[0];
}

}  // namespace xgrad::optim
