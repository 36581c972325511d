#include <xgrad/core/errors.h>
#include <xgrad/optim/closure.h>

#include <algorithm>
#include <cmath>

namespace xgrad::optim {

Variable evaluate(std::string_view operation, const ParameterList& parameters, const Closure& closure,
                  BackwardOptions options) {
  if (!closure) throw ValueError(message("[", operation, "] expected a closure, got an empty function"));
  for (const auto& [name, variable] : parameters) variable.clear_grad();
  Variable loss = closure();
  if (!std::isfinite(loss.item())) return loss;
  if (loss.requires_grad()) loss.backward(options);
  if (std::none_of(parameters.begin(), parameters.end(), [](const auto& named) { return named.second.has_grad(); }))
    throw GraphError(message("[", operation, "] the loss depends on none of the parameters"));
  return loss;
}

}  // namespace xgrad::optim
