#include <xgrad/core/errors.h>
#include <xgrad/optim/closure.h>
#include <xgrad/optim/optimizer.h>

#include <cmath>

namespace xgrad::optim {

void WeightSource::require_trained_weights(std::string_view owner, std::string_view operation) const {
  if (swapped_in_)
    throw GraphError(message("[", owner, "] ", operation,
                             " while the parameters are the weights to evaluate with: the EvaluationWeights must go "
                             "first"));
}

EvaluationWeights::EvaluationWeights(WeightSource& source) : source_(source) {
  source_.require_trained_weights("EvaluationWeights", "a second one");
  WeightValues weights = source.evaluation_weights();
  for (const auto& [parameter, value] : weights) trained_.emplace_back(parameter, parameter.value());
  // Nothing has changed so far: memory may end.
  for (auto& [parameter, value] : weights) parameter.mutable_value() = std::move(value);
  source_.swapped_in_ = true;
}

EvaluationWeights::~EvaluationWeights() {
  for (auto& [parameter, value] : trained_) parameter.mutable_value() = std::move(value);
  source_.swapped_in_ = false;
}

double Optimizer::step(const Closure& closure) {
  const double loss = static_cast<double>(evaluate(rule(), parameters(), closure).item());
  if (!std::isfinite(loss)) throw ValueError(message("[", rule(), "] the loss is ", loss));
  step();
  return loss;
}

const Tensor& Optimizer::state(std::string_view parameter, std::string_view slot) const {
  throw ValueError(message("[", rule(), "] '", parameter, "' has no state '", slot, "'"));
}

void Optimizer::zero_grad() {
  for (const auto& [name, variable] : parameters()) variable.clear_grad();
}

std::size_t index_of(std::string_view owner, const ParameterList& parameters, std::string_view name) {
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (parameters[i].first == name) return i;
  throw ValueError(message("[", owner, "] has no parameter '", name, "'"));
}

}  // namespace xgrad::optim
