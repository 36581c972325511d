#include <xgrad/autograd/indexing.h>
#include <xgrad/autograd/table.h>
#include <xgrad/core/errors.h>
#include <xgrad/optim/clip.h>
#include <xgrad/optim/closure.h>
#include <xgrad/optim/minimize.h>
#include <xgrad/optim/ranges.h>

#include <array>
#include <cmath>
#include <limits>

namespace xgrad::optim {
namespace {

constexpr std::string_view operation = "minimize";

void check(const Until& until) {
  check_not_negative(operation, "gradient_norm", until.gradient_norm.value_or(0));
  check_not_negative(operation, "step_size", until.step_size.value_or(0));
  check_count(operation, "patience", until.patience.value_or(1));
  check_not_negative(operation, "improvement", until.improvement);
  check_not_negative(operation, "max_steps", static_cast<double>(until.max_steps));
}

// What a step moves, as it was before: a parameter, or the rows of one that alone move.
class Moving {
 public:
  Moving(const Variable& variable, bool rows_alone) : variable_(variable) {
    if (rows_alone) rows_ = row_numbers(*sparse_grad(variable));
    before_ = now().value();
  }
  double squared_distance() const {
    const Variable after = now();
    double squares = 0;
    for (std::size_t i = 0; i < before_.size(); ++i) {
      const double moved = double(after.value().data()[i]) - double(before_.data()[i]);
      squares += moved * moved;
    }
    return squares;
  }

 private:
  Variable now() const {
    const NoGrad no_grad;
    return rows_ ? take_rows(variable_, *rows_) : variable_;
  }

  Variable variable_;
  std::optional<IndexTensor> rows_;
  Tensor before_;
};

std::vector<Moving> moving(const Optimizer& optimizer, bool with_waiting_rows) {
  const ParameterList& parameters = optimizer.parameters();
  std::vector<Moving> all;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const SparseRows others = optimizer.left_out(i);
    all.emplace_back(parameters[i].second,
                     others == SparseRows::lazy || (others == SparseRows::exact && !with_waiting_rows));
  }
  return all;
}

void measure(const ParameterList& parameters, const Closure& closure, Minimum& at) {
  const Variable loss = evaluate(operation, parameters, closure);
  at.loss = static_cast<double>(loss.item());
  try {
    if (!std::isfinite(at.loss)) {
      loss.backward({.check_finite = true, .names = &parameters});
      throw ValueError(message("the loss is ", at.loss));
    }
    at.gradient_norm = clip_grad_norm(parameters, std::numeric_limits<double>::infinity());
  } catch (const ValueError& error) {
    throw ValueError(message("[", operation, "] after ", at.steps, " steps: ", error.what()));
  }
}

}  // namespace

std::string_view to_string(EndedBy ended_by) {
  return std::array<std::string_view, 4>{"gradient norm", "step size", "plateau",
                                         "budget"}[static_cast<std::size_t>(ended_by)];
}

Minimum minimize(Optimizer& optimizer, const Closure& closure, Until until) {
  if (optimizer.needs_closure() && !until.step_size) until.step_size = 0;
  check(until);
  Minimum at{.ended_by = EndedBy::budget};
  double least = std::numeric_limits<double>::infinity();
  std::int64_t since_improvement = 0;
  for (;; ++at.steps) {
    measure(optimizer.parameters(), closure, at);
    const bool better = std::isinf(least) || at.loss < least - until.improvement * std::abs(least);
    since_improvement = better ? 0 : since_improvement + 1;
    if (better) least = at.loss;
    const std::pair<EndedBy, bool> conditions[] = {
        {EndedBy::gradient_norm, until.gradient_norm && at.gradient_norm <= *until.gradient_norm},
        {EndedBy::step_size, until.step_size && at.steps > 0 && at.step_size <= *until.step_size},
        {EndedBy::plateau, until.patience && since_improvement >= *until.patience},
        {EndedBy::budget, at.steps >= until.max_steps}};
    for (const auto& [by, holds] : conditions)
      if (at.ended_by = by; holds) return at;
    const std::vector<Moving> moved = moving(optimizer, until.step_size.has_value());
    if (optimizer.needs_closure())
      optimizer.step(closure);
    else
      optimizer.step();
    double squares = 0;
    for (const Moving& one : moved) squares += one.squared_distance();
    at.step_size = std::sqrt(squares);
  }
}

}  // namespace xgrad::optim
