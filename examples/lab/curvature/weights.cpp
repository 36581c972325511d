#include "weights.h"

#include <xgrad/autograd/ops.h>
#include <xgrad/datasets/loader.h>
#include <xgrad/nn/losses.h>

#include <cmath>

namespace lab {

using namespace xgrad;

namespace {

// The elements of v in the shape of each, in order.
std::vector<Tensor> pieces(const Vector& v, const std::vector<Variable>& like) {
  std::vector<Tensor> result;
  auto from = v.begin();
  for (const Variable& one : like) {
    Tensor piece = Tensor::from_shape(one.shape());
    for (Scalar& element : piece) element = static_cast<Scalar>(*from++);
    result.push_back(std::move(piece));
  }
  return result;
}

datasets::Batch whole(const datasets::Dataset& data) {
  datasets::DataLoader loader(data, {.batch_size = static_cast<std::ptrdiff_t>(data.size()), .prefetch = false});
  return *loader.begin();
}

}  // namespace

Vector weights(const NamedVariables& parameters) {
  Vector values;
  for (const auto& [name, parameter] : parameters)
    values.insert(values.end(), parameter.value().begin(), parameter.value().end());
  return values;
}

void set_weights(const NamedVariables& parameters, const Vector& values) {
  auto from = values.begin();
  for (const auto& [name, parameter] : parameters)
    for (Scalar& element : parameter.mutable_value()) element = static_cast<Scalar>(*from++);
}

Vector between(const Vector& a, const Vector& b, double t) {
  Vector result = a;
  for (std::size_t i = 0; i < a.size(); ++i) result[i] += t * (b[i] - a[i]);
  return result;
}

Samples::Samples(const datasets::Dataset& data) {
  const datasets::Batch batch = whole(data);
  images = batch.images;
  labels = batch.labels;
}

Variable loss(nn::Sequential& model, const Samples& samples) {
  return nn::cross_entropy(model(samples.images), samples.labels);
}

Variable squared_loss(nn::Sequential& model, const Samples& samples) {
  const Variable scores = model(samples.images);
  const std::size_t classes = scores.shape()[1];
  Tensor wanted = zeros(scores.shape());
  for (std::size_t i = 0; i < samples.labels.size(); ++i)
    wanted.data()[i * classes + static_cast<std::size_t>(samples.labels.data()[i])] = 1;
  return 0.5 * static_cast<double>(classes) * mean(square(scores - Variable(std::move(wanted))));
}

double loss_at(nn::Sequential& model, const Samples& samples, const Vector& at) {
  const NoGrad no_grad;
  set_weights(model.parameters(), at);
  return loss(model, samples).item();
}

Hessian::Hessian(const Variable& loss, const NamedVariables& parameters) {
  for (const auto& [name, parameter] : parameters) parameters_.push_back(parameter);
  gradients_ = grad(loss, parameters_, {.create_graph = true});
}

Vector Hessian::operator()(const Vector& v) const {
  const std::vector<Tensor> parts = pieces(v, parameters_);
  Variable product;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Variable part = sum(gradients_[i] * Variable(parts[i]));
    product = product ? product + part : part;
  }
  Vector result;
  for (const Variable& piece : grad(product, parameters_, {.retain_graph = true, .allow_unused = true}))
    result.insert(result.end(), piece.value().begin(), piece.value().end());
  return result;
}

Vector preconditioner(const optim::Optimizer& optimizer, double beta2, double eps) {
  Vector result;
  for (const auto& [name, parameter] : optimizer.parameters()) {
    if (optimizer.rule() == "Adam") {
      const double correction = 1 - std::pow(beta2, static_cast<double>(optimizer.step_count(name)));
      for (const Scalar v : optimizer.state(name, "exp_avg_sq"))
        result.push_back(std::sqrt(double{v} / correction) + eps);
    } else if (optimizer.rule() == "Adamax") {
      for (const Scalar u : optimizer.state(name, "exp_inf")) result.push_back(double{u});
    } else {
      result.resize(result.size() + parameter.size(), 1);
    }
  }
  return result;
}

Vector filter_wise_direction(const NamedVariables& parameters, Generator& generator) {
  Vector direction;
  for (const auto& [name, parameter] : parameters) {
    const Tensor& value = parameter.value();
    if (parameter.shape().size() < 2) {
      direction.resize(direction.size() + value.size(), 0);
      continue;
    }
    const std::size_t rows = parameter.shape()[0], length = value.size() / rows;
    for (std::size_t row = 0; row < rows; ++row) {
      Vector drawn(length), here(value.data() + row * length, value.data() + (row + 1) * length);
      for (double& element : drawn) element = generator.normal();
      const double scale = std::sqrt(dot(here, here) / dot(drawn, drawn));
      for (const double element : drawn) direction.push_back(scale * element);
    }
  }
  return direction;
}

}  // namespace lab
