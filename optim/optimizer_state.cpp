// State by name: how to look at it, to save it and to load it.
#include <xgrad/core/errors.h>
#include <xgrad/optim/optimizer.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace xgrad::optim {

std::size_t Optimizer::index(std::string_view parameter) const {
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    if (parameters_[i].first == parameter) return i;
  throw ValueError(message("[", rule(), "] has no parameter '", parameter, "'"));
}

std::size_t Optimizer::state_bytes() const {
  std::size_t bytes = 0;
  for (const State& state : states_) {
    for (const std::optional<Tensor>& slot : state.slots) bytes += slot ? slot->size() * sizeof(Scalar) : 0;
    bytes += state.row_steps.size() * sizeof(std::int64_t) + state.rates.size() * sizeof(double);
  }
  return bytes;
}

std::int64_t Optimizer::step_count(std::string_view parameter) const { return states_[index(parameter)].steps; }

const Tensor& Optimizer::state(std::string_view parameter, std::string_view slot) const {
  const State& state = states_[index(parameter)];
  const Slots names = plan(state.group).slots;
  const auto named = [&](const Slot& other) { return other.name == slot; };
  const auto i = static_cast<std::size_t>(std::find_if(names.begin(), names.end(), named) - names.begin());
  if (slot.empty() || i == max_slots || !state.slots[i])
    throw ValueError(message("[", rule(), "] '", parameter, "' has no state '", slot, "'"));
  parameters_[index(parameter)].second.value();  // lets rows catch up
  return *state.slots[i];
}

StateDict Optimizer::state_dict() const {
  StateDict dict;
  for (std::size_t i = 0; i < states_.size(); ++i) {
    const State& state = states_[i];
    if (state.steps == 0) continue;
    const auto& [name, variable] = parameters_[i];
    variable.value();  // lets rows catch up
    const Plan rule = plan(state.group);
    dict.scalars.emplace_back(name + ".step", static_cast<double>(state.steps));
    if (!rule.product.empty()) dict.scalars.emplace_back(message(name, ".", rule.product), state.product);
    for (std::size_t slot = 0; slot < max_slots; ++slot)
      if (!rule.slots[slot].name.empty() && state.slots[slot])
        dict.tensors.emplace_back(message(name, ".", rule.slots[slot].name), *state.slots[slot]);
  }
  return dict;
}

void Optimizer::load_state_dict(const StateDict& dict) {
  std::string problems;
  std::map<std::string, double> numbers(dict.scalars.begin(), dict.scalars.end());
  std::map<std::string, const Tensor*> tensors;
  for (const auto& [name, tensor] : dict.tensors) tensors.emplace(name, &tensor);
  if (numbers.size() + tensors.size() != dict.scalars.size() + dict.tensors.size())
    problems += "\n  a name comes twice";

  std::vector<State> loaded;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const auto& [name, variable] = parameters_[i];
    State& state = loaded.emplace_back(State{.group = states_[i].group});
    const auto step = numbers.extract(name + ".step");
    if (step.empty()) continue;  // it has not made one; state without steps stays behind as unexpected
    if (step.mapped() < 1 || step.mapped() > 0x1p53 || step.mapped() != std::floor(step.mapped())) {
      problems += message("\n  ", name, ".step: expected a count, got ", step.mapped());
      continue;
    }
    state.steps = static_cast<std::int64_t>(step.mapped());
    const Plan rule = plan(state.group);
    if (!rule.product.empty()) {
      const auto product = numbers.extract(message(name, ".", rule.product));
      if (product.empty())
        problems += message("\n  missing: ", name, ".", rule.product);
      else
        state.product = product.mapped();
    }
    for (std::size_t slot = 0; slot < max_slots; ++slot) {
      if (rule.slots[slot].name.empty()) continue;
      const auto tensor = tensors.extract(message(name, ".", rule.slots[slot].name));
      const Shape expected = slot_shape(rule.slots[slot], variable.shape());
      if (tensor.empty())
        problems += message("\n  missing: ", name, ".", rule.slots[slot].name);
      else if (tensor.mapped()->shape() != expected)
        problems += message("\n  ", tensor.key(), ": expected ", expected, ", got ", tensor.mapped()->shape());
      else
        state.slots[slot] = *tensor.mapped();
    }
  }
  for (const auto& [name, value] : numbers) problems += "\n  unexpected: " + name;
  for (const auto& [name, tensor] : tensors) problems += "\n  unexpected: " + name;
  if (!problems.empty()) throw DataError(message("[", rule(), "] the state is not that of this optimizer:", problems));
  settle();
  states_ = std::move(loaded);
}

}  // namespace xgrad::optim
