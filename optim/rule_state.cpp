// State by name: how to look at it, to save it and to load it.
#include <xgrad/core/errors.h>
#include <xgrad/core/flush_to_zero.h>
#include <xgrad/optim/elements.h>
#include <xgrad/optim/rule_groups.h>

#include <algorithm>
#include <cmath>

namespace xgrad::optim {
namespace {

// f(name, number) for the numbers that the rule keeps.
template <class NumbersType, class F>
void for_each_number(const Rule& rule, NumbersType& numbers, F f) {
  const NumberNames names = rule.numbers();
  for (std::size_t i = 0; i < max_numbers; ++i)
    if (!names[i].name.empty()) f(names[i].name, numbers[i]);
}

// The options that every rule may have are in the state where they are not the defaults.
OptionValues option_values(const Rule& rule, const CommonOptions& common) {
  OptionValues all = rule.all_values();
  if (common.decoupled_weight_decay != 0) all.emplace_back("decoupled_weight_decay", common.decoupled_weight_decay);
  if (common.cautious) all.emplace_back("cautious", 1);
  return all;
}

}  // namespace

bool RuleGroups::has_stepped(const std::vector<State>& states, std::size_t group) {
  return std::any_of(states.begin(), states.end(),
                     [group](const State& state) { return state.group == group && state.steps > 0; });
}

Numbers RuleGroups::first_numbers(const Rule& rule) {
  Numbers numbers = {};
  for (std::size_t i = 0; i < max_numbers; ++i) numbers[i] = rule.numbers()[i].start;
  return numbers;
}

std::size_t RuleGroups::state_bytes() const {
  std::size_t bytes = 0;
  for (const State& state : states_) {
    for (const std::optional<Tensor>& slot : state.slots) bytes += slot ? slot->size() * sizeof(Scalar) : 0;
    bytes += state.row_steps.size() * sizeof(std::int64_t) + state.rates.size() * sizeof(double);
  }
  return bytes;
}

std::int64_t RuleGroups::step_count(std::string_view parameter) const {
  return states_[index_of(name_, parameters_, parameter)].steps;
}

const Tensor& RuleGroups::state(std::string_view parameter, std::string_view slot) const {
  const std::size_t number = index_of(name_, parameters_, parameter);
  const State& state = states_[number];
  const std::size_t place = place_of(groups_[state.group].rule->slots(), slot);
  if (place == max_slots || !state.slots[place])
    throw ValueError(message("[", name_, "] '", parameter, "' has no state '", slot, "'"));
  parameters_[number].second.value();  // lets rows catch up
  return *state.slots[place];
}

double RuleGroups::number(std::string_view parameter, std::string_view name) const {
  const State& state = states_[index_of(name_, parameters_, parameter)];
  const Rule& rule = *groups_[state.group].rule;
  std::optional<double> result;
  for_each_number(rule, rule.over() == Over::group ? groups_[state.group].numbers : state.numbers,
                  [&](std::string_view other, double value) {
                    if (other == name) result = value;
                  });
  if (!result) throw ValueError(message("[", name_, "] '", parameter, "' has no number '", name, "'"));
  return *result;
}

WeightValues RuleGroups::evaluation_weights() const {
  WeightValues result;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Applied& group = groups_[states_[i].group];
    if (!group.rule->evaluates_elsewhere() || states_[i].steps == 0) continue;
    const Variable& parameter = parameters_[i].second;
    Tensor weights = parameter.value();
    SlotTensors slots = states_[i].slots;
    Numbers numbers = group.rule->over() == Over::group ? group.numbers : states_[i].numbers;
    Elements all = elements(plan(states_[i].group), i, slots);
    all.theta = weights.data(), all.gradient = weights.data(), all.numbers = &numbers;
    all.t = static_cast<double>(states_[i].steps);
    all.shrink = 1, all.weight_decay = 0;
    {
      const FlushToZero guard;
      group.rule->evaluation_weights(all);
    }
    result.emplace_back(parameter, std::move(weights));
  }
  return result;
}

std::vector<OptionValues> RuleGroups::all_options() const {
  std::vector<OptionValues> result;
  for (const Applied& group : groups_) result.push_back(option_values(*group.rule, group.common));
  return result;
}

StateDict RuleGroups::state_dict() const {
  require_trained_weights(name_, "state_dict()");
  StateDict dict{.texts = {{"rule", name_}}};
  for (std::size_t i = 0; i < states_.size(); ++i) {
    const State& state = states_[i];
    if (state.steps == 0) continue;
    const auto& [name, variable] = parameters_[i];
    const Rule& rule = *groups_[state.group].rule;
    variable.value();  // lets rows catch up
    const Slots slots = rule.slots();
    dict.scalars.emplace_back(name + ".step", static_cast<double>(state.steps));
    if (rule.over() == Over::parameter)
      for_each_number(rule, state.numbers, [&dict, &of = name](std::string_view number, double value) {
        dict.scalars.emplace_back(message(of, ".", number), value);
      });
    for (std::size_t slot = 0; slot < max_slots; ++slot)
      if (!slots[slot].name.empty() && state.slots[slot])
        dict.tensors.emplace_back(message(name, ".", slots[slot].name), *state.slots[slot]);
  }
  for (std::size_t group = 0; group < groups_.size(); ++group)
    if (groups_[group].rule->over() == Over::group && has_stepped(states_, group))
      for_each_number(*groups_[group].rule, groups_[group].numbers, [&](std::string_view number, double value) {
        dict.scalars.emplace_back(message("groups.", group, ".", number), value);
      });
  save_options(dict, all_options());
  return dict;
}

void RuleGroups::load_state_dict(const StateDict& dict) {
  require_trained_weights(name_, "load_state_dict()");
  StateReader reader(name_, dict);
  if (const std::string other = reader.text("rule"); other != name_)
    reader.misfit("rule: expected ", name_, ", got '", printable(other), "'");
  std::vector<State> loaded;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const auto& [name, variable] = parameters_[i];
    const Rule& rule = *groups_[states_[i].group].rule;
    State& state = loaded.emplace_back(State{.group = states_[i].group, .numbers = first_numbers(rule)});
    if (!reader.has_scalar(name + ".step")) continue;  // it has not made one: other state of it is unexpected
    state.steps = static_cast<std::int64_t>(reader.count(name + ".step"));
    if (rule.over() == Over::parameter)
      for_each_number(rule, state.numbers, [&reader, &of = name](std::string_view number, double& value) {
        value = reader.scalar(message(of, ".", number));
      });
    const Slots slots = rule.slots();
    for (std::size_t slot = 0; slot < max_slots; ++slot) {
      if (slots[slot].name.empty()) continue;
      const Shape shape = slots[slot].shape(variable.shape());
      if (const Tensor* tensor = reader.tensor(message(name, ".", slots[slot].name), shape))
        state.slots[slot] = *tensor;
    }
  }
  std::vector<Numbers> numbers;
  for (std::size_t group = 0; group < groups_.size(); ++group) {
    numbers.push_back(first_numbers(*groups_[group].rule));
    if (groups_[group].rule->over() == Over::group && has_stepped(loaded, group))
      for_each_number(*groups_[group].rule, numbers.back(), [&](std::string_view number, double& value) {
        value = reader.scalar(message("groups.", group, ".", number));
      });
  }
  const std::vector<double> rates = read_options(reader, all_options());
  reader.finish();
  settle();
  states_ = std::move(loaded);
  for (std::size_t group = 0; group < groups_.size(); ++group) groups_[group].numbers = numbers[group];
  for (std::size_t group = 0; group < rates.size(); ++group) lr(group) = rates[group];
}

}  // namespace xgrad::optim
