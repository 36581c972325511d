// State by name: how to look at it, to save it and to load it.
#include <xgrad/core/errors.h>
#include <xgrad/optim/optimizer.h>

#include <algorithm>
#include <cmath>

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

void Optimizer::save_options(StateDict& dict) const {
  for (std::size_t group = 0; group < group_count(); ++group)
    for (const auto& [option, value] : option_values(group))
      dict.scalars.emplace_back(message("options.", group, ".", option), value);
}

std::vector<double> Optimizer::read_options(StateReader& reader) const {
  std::vector<double> rates;
  if (!reader.has_scalar("options.0.lr")) return rates;
  for (std::size_t group = 0; group < group_count(); ++group)
    for (const auto& [option, expected] : option_values(group)) {
      const std::string name = message("options.", group, ".", option);
      const bool missing = !reader.has_scalar(name);
      const double got = reader.scalar(name);
      if (option == "lr") {
        rates.push_back(got);
        if (!(got >= 0 && std::isfinite(got))) reader.misfit(name, ": expected a rate of at least 0, got ", got);
      } else if (!missing && got != expected) {
        reader.misfit(name, ": expected ", expected, ", got ", got);
      }
    }
  return rates;
}

StateDict Optimizer::state_dict() const {
  StateDict dict{.texts = {{"rule", std::string(rule())}}};
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
  save_options(dict);
  return dict;
}

void Optimizer::load_state_dict(const StateDict& dict) {
  StateReader reader(rule(), dict);
  if (const std::string other = reader.text("rule"); other != rule())
    reader.misfit("rule: expected ", rule(), ", got '", printable(other), "'");
  std::vector<State> loaded;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const auto& [name, variable] = parameters_[i];
    State& state = loaded.emplace_back(State{.group = states_[i].group});
    if (!reader.has_scalar(name + ".step")) continue;  // it has not made one: other state of it is unexpected
    state.steps = static_cast<std::int64_t>(reader.count(name + ".step"));
    const Plan rule = plan(state.group);
    if (!rule.product.empty()) state.product = reader.scalar(message(name, ".", rule.product));
    for (std::size_t slot = 0; slot < max_slots; ++slot) {
      if (rule.slots[slot].name.empty()) continue;
      const Shape shape = slot_shape(rule.slots[slot], variable.shape());
      if (const Tensor* tensor = reader.tensor(message(name, ".", rule.slots[slot].name), shape))
        state.slots[slot] = *tensor;
    }
  }
  const std::vector<double> rates = read_options(reader);
  reader.finish();
  settle();
  states_ = std::move(loaded);
  for (std::size_t group = 0; group < rates.size(); ++group) lr(group) = rates[group];
}

}  // namespace xgrad::optim
