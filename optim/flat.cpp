#include <xgrad/core/errors.h>
#include <xgrad/optim/flat.h>
#include <xgrad/optim/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

namespace xgrad::optim {

double FlatOptimizer::dot(const Tensor& a, const Tensor& b) {
  return std::transform_reduce(a.begin(), a.end(), b.begin(), 0.0, std::plus<>(),
                               [](double x, double y) { return x * y; });
}

void FlatOptimizer::add(Tensor& to, double factor, const Tensor& x) {
  for (std::size_t i = 0; i < to.size(); ++i)
    to.data()[i] = static_cast<Scalar>(double(to.data()[i]) + factor * double(x.data()[i]));
}

double FlatOptimizer::largest(const Tensor& x) {
  return std::accumulate(x.begin(), x.end(), 0.0, [](double most, double v) { return std::max(most, std::abs(v)); });
}

FlatOptimizer::FlatOptimizer(std::string_view name, ParameterList parameters) : parameters_(std::move(parameters)) {
  check_parameters(name, parameters_);
  for (const auto& named : parameters_) shapes_.push_back(named.second.shape());
}

void FlatOptimizer::step() {
  throw GraphError(message("[", rule(), "] a step needs the loss, and not its gradient alone: call step(closure)"));
}

std::int64_t FlatOptimizer::step_count(std::string_view parameter) const {
  index_of(rule(), parameters_, parameter);
  return steps_;
}

void FlatOptimizer::check_shape(std::size_t parameter, const Shape& got) const {
  if (got != shapes_[parameter])
    throw ShapeError(
        message("[", rule(), "] '", parameters_[parameter].first, "': expected ", shapes_[parameter], ", got ", got));
}

std::size_t FlatOptimizer::size() const {
  std::size_t size = 0;
  for (const Shape& shape : shapes_) size += element_count(shape);
  return size;
}

void FlatOptimizer::assign(const Tensor& values) const {
  const Scalar* from = values.data();
  for (std::size_t i = 0; i < shapes_.size(); ++i) {
    Tensor& to = parameters_[i].second.mutable_value();
    check_shape(i, to.shape());
    std::copy_n(from, to.size(), to.data());
    from += to.size();
  }
}

std::vector<Tensor> FlatOptimizer::parts(const Tensor& flat) const {
  std::vector<Tensor> result;
  const Scalar* from = flat.data();
  for (const Shape& shape : shapes_) {
    Tensor& part = result.emplace_back(Tensor::from_shape(shape));
    std::copy_n(from, part.size(), part.data());
    from += part.size();
  }
  return result;
}

Tensor FlatOptimizer::flat(const std::vector<Variable>& all) const {
  Tensor result = zeros({size()});
  Scalar* to = result.data();
  for (std::size_t i = 0; i < shapes_.size(); ++i) {
    if (all[i]) {
      check_shape(i, all[i].shape());
      std::copy(all[i].value().begin(), all[i].value().end(), to);
    }
    to += element_count(shapes_[i]);
  }
  return result;
}

Tensor FlatOptimizer::values() const {
  std::vector<Variable> all;
  for (const auto& named : parameters_) all.push_back(named.second);
  return flat(all);
}

LinePoint FlatOptimizer::look(const Closure& closure, const Tensor& x, double length, const Tensor& d) const {
  Tensor at = x;
  add(at, length, d);
  assign(at);
  LinePoint point{.length = length, .loss = static_cast<double>(evaluate(rule(), parameters_, closure).item())};
  if (!std::isfinite(point.loss)) return point;
  point.gradient = zeros({size()});
  Scalar* to = point.gradient.data();
  for (std::size_t i = 0; i < shapes_.size(); ++i) {
    const Variable& variable = parameters_[i].second;
    check_shape(i, variable.shape());
    if (variable.has_grad()) {
      check_shape(i, variable.grad().shape());
      std::copy(variable.grad().begin(), variable.grad().end(), to);
    }
    to += element_count(shapes_[i]);
  }
  point.slope = dot(point.gradient, d);
  if (!std::isfinite(point.slope) || !all_finite(point.gradient)) point.loss = std::numeric_limits<double>::quiet_NaN();
  return point;
}

void FlatOptimizer::check_start(double loss) const {
  if (!std::isfinite(loss)) throw ValueError(message("[", rule(), "] the loss or its gradient is ", loss));
}

StateDict FlatOptimizer::head() const {
  return {.scalars = {{"steps", static_cast<double>(steps_)}}, .texts = {{"rule", std::string(rule())}}};
}

std::int64_t FlatOptimizer::read_head(StateReader& reader) const {
  if (const std::string other = reader.text("rule"); other != rule())
    reader.misfit("rule: expected ", rule(), ", got '", printable(other), "'");
  return static_cast<std::int64_t>(reader.count("steps"));
}

}  // namespace xgrad::optim
