#include <xgrad/autograd/check.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/core/broadcast.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

namespace xgrad {
namespace {

constexpr bool in_double = std::is_same_v<Scalar, double>;
constexpr auto epsilon = static_cast<double>(std::numeric_limits<Scalar>::epsilon());

double dot(const Tensor& a, const Tensor& b) {
  double total = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    total += static_cast<double>(a.data()[i]) * static_cast<double>(b.data()[i]);
  return total;
}

// What the gradient says of a step, and what the function does, per length of the step.
struct Change {
  double analytic = 0, numeric = 0;
  double error() const { return std::abs(analytic - numeric); }
};

// A NaN is the worst error.
bool worse(double error, double than) { return !(error <= than); }

class Checker {
 public:
  Checker(const Function& function, const std::vector<Variable>& inputs, CheckOptions options)
      : function_(function), inputs_(inputs), options_(options) {
    if (options_.step == 0) options_.step = std::cbrt(epsilon);
    if (options_.tolerance == 0) options_.tolerance = in_double ? 1e-7 : 2e-2;
    const Variable output = function_(inputs_);
    operation_ = output.operation().empty() ? "function" : output.operation();
    weight_ = Generator(1).uniform(output.shape(), 0.5, 1.5);
    const Tensor weighted = zip_elements("weight", output.value(), weight_, std::multiplies<>());
    rounding_ = 32 * epsilon * std::sqrt(dot(weighted, weighted)) / options_.step;
    for (std::size_t i = 0; i < inputs_.size(); ++i)
      if (inputs_[i].requires_grad()) checked_.push_back(i);
    if (checked_.empty()) throw GraphError("[check_gradients] no input requires a gradient");
    std::vector<Variable> variables;
    for (std::size_t i : checked_) variables.push_back(inputs_[i]);
    gradients_ = grad(sum(output * Variable(weight_)), variables, {.allow_unused = true});
  }

  void run() {
    for (std::size_t k = 0; k < checked_.size(); ++k)
      inputs_[checked_[k]].size() <= options_.exhaustive ? check_elements(k) : check_directions(k);
  }

 private:
  // Of a step in this direction, and of one back. The input itself is moved: the function may be a layer that holds it
  // as its parameter. How far it really moved, after rounding, is what the gradient is multiplied by.
  Change change(std::size_t k, const Tensor& direction) {
    const Variable& input = inputs_[checked_[k]];
    const Tensor before = input.value();
    struct Restore {
      const Variable& variable;
      const Tensor& value;
      ~Restore() { variable.mutable_value() = value; }
    } const restore{input, before};
    Tensor at[2], values[2];
    for (const std::size_t side : {0u, 1u}) {
      const Scalar by = static_cast<Scalar>(side == 0 ? options_.step : -options_.step);
      at[side] = zip_elements("step", before, direction, [by](Scalar x, Scalar d) { return x + by * d; });
      input.mutable_value() = at[side];
      values[side] = function_(inputs_).value();
    }
    const auto per_length = [&](const Tensor& factor, const Tensor(&ends)[2]) {
      return dot(factor, zip_elements("step", ends[0], ends[1], std::minus<>())) / (2 * options_.step);
    };
    return {per_length(gradients_[k].value(), at), per_length(weight_, values)};
  }

  bool agree(const Change& change) const {
    return change.error() <= options_.tolerance * (1 + std::abs(change.numeric)) + rounding_;
  }

  // A random direction that leaves elements before and after a range alone.
  Change change_of_range(std::size_t k, std::size_t begin, std::size_t end) {
    Tensor direction = zeros(inputs_[checked_[k]].shape());
    Generator generator(2);
    for (std::size_t i = begin; i < end; ++i) direction.data()[i] = generator.below(2) == 0 ? Scalar(-1) : Scalar(1);
    return change(k, direction);
  }

  void check_directions(std::size_t k) {
    Generator generator(2);
    for (int trial = 0; trial < 4; ++trial)
      if (const Change along = change(k, generator.normal(inputs_[checked_[k]].shape())); !agree(along))
        locate(k, along);
  }

  [[noreturn]] void locate(std::size_t k, const Change& along) {
    std::size_t begin = 0, end = inputs_[checked_[k]].size();
    while (end - begin > 1) {
      const std::size_t middle = begin + (end - begin) / 2;
      const bool second = worse(change_of_range(k, middle, end).error(), change_of_range(k, begin, middle).error());
      (second ? begin : end) = middle;
    }
    if (const Change one = change_of_element(k, begin); !agree(one)) report(k, message("at element ", begin), one);
    report(k, message("along a random direction (and at no single element, of those looked at element ", begin, ")"),
           along);
  }

  Change change_of_element(std::size_t k, std::size_t element) {
    Tensor direction = zeros(inputs_[checked_[k]].shape());
    direction.data()[element] = 1;
    return change(k, direction);
  }

  void check_elements(std::size_t k) {
    Change worst;
    std::size_t where = 0;
    double most = -1;
    for (std::size_t i = 0; i < inputs_[checked_[k]].size() && most == most; ++i) {
      const Change one = change_of_element(k, i);
      const double error = one.error() / (1 + std::abs(one.numeric));
      if (worse(error, most)) most = error, worst = one, where = i;
    }
    if (!agree(worst)) report(k, message("at element ", where), worst);
  }

  [[noreturn]] void report(std::size_t k, const std::string& where, const Change& found) const {
    throw ValueError(message("[", operation_, "] the gradient of input ", checked_[k], " ",
                             inputs_[checked_[k]].shape(), " is wrong ", where, ": the operation says ", found.analytic,
                             ", differences say ", found.numeric));
  }

  const Function& function_;
  std::vector<Variable> inputs_;
  CheckOptions options_;
  std::string operation_;
  Tensor weight_;
  double rounding_;                   // by which a difference may be wrong, the outputs being rounded to Scalar
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
