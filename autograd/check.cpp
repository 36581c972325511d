#include <xgrad/autograd/check.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

namespace xgrad {
namespace {

constexpr bool in_double = std::is_same_v<Scalar, double>;

double dot(const Tensor& a, const Tensor& b) {
  double total = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    total += static_cast<double>(a.data()[i]) * static_cast<double>(b.data()[i]);
  return total;
}

// One input of the function, along which differences are taken.
class Checker {
 public:
  Checker(const Function& function, const std::vector<Variable>& inputs, CheckOptions options)
      : function_(function), inputs_(inputs), options_(options) {
    if (options_.step == 0) options_.step = std::cbrt(static_cast<double>(std::numeric_limits<Scalar>::epsilon()));
    if (options_.tolerance == 0) options_.tolerance = in_double ? 1e-7 : 2e-2;
    const Variable output = function_(inputs_);
    operation_ = output.operation().empty() ? "function" : output.operation();
    weight_ = Generator(1).uniform(output.shape(), 0.5, 1.5);
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      if (inputs_[i].requires_grad()) checked_.push_back(i);
    if (checked_.empty()) throw GraphError("[check_gradients] no input requires a gradient");
    std::vector<Variable> variables;
    for (std::size_t i : checked_) variables.push_back(inputs_[i]);
    gradients_ = grad(sum(output * Variable(weight_)), variables, {.allow_unused = true});
  }

  void run() {
    for (std::size_t k = 0; k < checked_.size(); ++k) {
      if (inputs_[checked_[k]].size() <= options_.exhaustive || !directions_agree(k)) check_elements(k);
    }
  }

 private:
  // (f(x + step d) - f(x - step d)) / (2 step), f being sum(w * function).
  double difference(std::size_t input, const Tensor& direction) {
    const double values[] = {shifted(input, direction, options_.step), shifted(input, direction, -options_.step)};
    return (values[0] - values[1]) / (2 * options_.step);
  }

  // The input itself is moved, and moved back: the function may be a layer that holds it as its parameter.
  double shifted(std::size_t input, const Tensor& direction, double by) {
    struct Restore {
      const Variable& variable;
      Tensor value = variable.value();
      ~Restore() { variable.mutable_value() = value; }
    } const restore{inputs_[input]};
    Scalar* x = inputs_[input].mutable_value().data();
    for (std::size_t i = 0; i < direction.size(); ++i) x[i] += static_cast<Scalar>(by) * direction.data()[i];
    return dot(function_(inputs_).value(), weight_);
  }

  bool agree(double analytic, double numeric) const {
    return std::abs(analytic - numeric) <= options_.tolerance * (1 + std::abs(numeric));
  }

  bool directions_agree(std::size_t k) {
    Generator generator(2);
    const Variable& input = inputs_[checked_[k]];
    for (int trial = 0; trial < 4; ++trial) {
      const Tensor direction = generator.normal(input.shape());
      if (!agree(dot(gradients_[k].value(), direction), difference(checked_[k], direction))) return false;
    }
    return true;
  }

  void check_elements(std::size_t k) {
    const std::size_t input = checked_[k];
    const Shape& shape = inputs_[input].shape();
    double worst = -1, analytic = 0, numeric = 0;
    std::size_t where = 0;
    for (std::size_t i = 0; i < inputs_[input].size(); ++i) {
      Tensor direction = zeros(shape);
      direction.data()[i] = 1;
      const double got = static_cast<double>(gradients_[k].value().data()[i]), expected = difference(input, direction);
      const double error = std::abs(got - expected) / (1 + std::abs(expected));
      if (!(error <= worst)) worst = error, analytic = got, numeric = expected, where = i;
      if (error != error) break;  // NaN is the worst
    }
    if (worst >= 0 && !agree(analytic, numeric))
      throw ValueError(message("[", operation_, "] the gradient of input ", input, " ", shape, " is wrong at element ",
                               where, ": the operation says ", analytic, ", differences say ", numeric));
  }

  const Function& function_;
  std::vector<Variable> inputs_;
  CheckOptions options_;
  std::string operation_;
  Tensor weight_;
  std::vector<std::size_t> checked_;  // the inputs that require a gradient
  std::vector<Variable> gradients_;   // theirs
};

}  // namespace

void check_gradients(const Function& function, const std::vector<Variable>& inputs, CheckOptions options) {
  Checker(function, inputs, options).run();
}

void check_second_gradients(const Function& function, const std::vector<Variable>& inputs, CheckOptions options) {
  std::string operation;
  const Function gradient_sum = [&](const std::vector<Variable>& at) {
    const Variable output = function(at);
    operation = output.operation();
    Generator generator(3);
    const Variable weighted = sum(output * Variable(generator.uniform(output.shape(), 0.5, 1.5)));
    std::vector<Variable> wanted;
    for (const Variable& input : at)
      if (input.requires_grad()) wanted.push_back(input);
    Variable total(zeros({}));
    for (const Variable& g : grad(weighted, wanted, {.create_graph = true, .allow_unused = true}))
      total = total + sum(g * Variable(generator.uniform(g.shape(), 0.5, 1.5)));
    return total;
  };
  try {
    check_gradients(gradient_sum, inputs, options);
  } catch (const ValueError& error) {
    throw ValueError(message("[", operation, "] second gradient: ", error.what()));
  }
}

}  // namespace xgrad
