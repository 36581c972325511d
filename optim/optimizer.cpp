#include <xgrad/core/errors.h>
#include <xgrad/optim/closure.h>
#include <xgrad/optim/optimizer.h>
#include <xgrad/optim/ranges.h>

#include <cmath>
#include <unordered_map>
#include <unordered_set>

namespace xgrad::optim {

void WeightSource::require_trained_weights(std::string_view owner, std::string_view operation) const {
  if (swapped_in_)
    throw GraphError(message("[", owner, "] ", operation,
                             " while the parameters are the weights to evaluate with: the EvaluationWeights must go "
                             "first"));
}

EvaluationWeights::EvaluationWeights(WeightSource& source) : source_(source) {
  source_.require_trained_weights("EvaluationWeights", "a second one");
  Weights weights = source.evaluation_weights();
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

void check_parameters(std::string_view owner, const ParameterList& parameters) {
  check_some(owner, parameters);
  std::unordered_set<std::string_view> names;
  std::unordered_map<const Node*, std::string_view> nodes;
  for (const auto& [name, variable] : parameters) {
    if (!names.insert(name).second) throw ValueError(message("[", owner, "] the name '", name, "' is given twice"));
    if (!variable) throw ValueError(message("[", owner, "] '", name, "' is an empty Variable"));
    if (!variable.operation().empty())
      throw ValueError(
          message("[", owner, "] expected parameters, but '", name, "' is the output of '", variable.operation(), "'"));
    const auto [other, is_new] = nodes.emplace(variable.node(), name);
    if (!is_new)
      throw ValueError(message("[", owner, "] '", other->second, "' and '", name, "' are the same parameter"));
  }
}

}  // namespace xgrad::optim
