#include <xgrad/autograd/profile.h>
#include <xgrad/autograd/table.h>
#include <xgrad/core/errors.h>
#include <xgrad/optim/closure.h>
#include <xgrad/optim/elements.h>
#include <xgrad/optim/ranges.h>
#include <xgrad/optim/rule_groups.h>

#include <algorithm>
#include <cmath>

namespace xgrad::optim {
namespace {

constexpr double not_known = std::numeric_limits<double>::quiet_NaN();

std::size_t rows_of(const Shape& shape) { return shape.empty() ? 1 : shape[0]; }
std::size_t columns_of(const Shape& shape) { return element_count(shape) / std::max<std::size_t>(rows_of(shape), 1); }

}  // namespace

Shape per_element(const Shape& parameter) { return parameter; }
Shape per_row(const Shape& parameter) { return parameter.size() > 1 ? Shape{parameter[0]} : parameter; }
Shape per_column(const Shape& parameter) { return {columns_of(parameter)}; }
Shape rows_by_rows(const Shape& parameter) { return {rows_of(parameter), rows_of(parameter)}; }
Shape columns_by_columns(const Shape& parameter) { return {columns_of(parameter), columns_of(parameter)}; }

std::size_t place_of(const Slots& slots, std::string_view name) {
  if (name.empty()) return max_slots;
  const auto named = [name](const Slot& slot) { return slot.name == name; };
  return static_cast<std::size_t>(std::find_if(slots.begin(), slots.end(), named) - slots.begin());
}

std::pair<ParameterList, ParameterList> split_matrices(const ParameterList& parameters) {
  std::pair<ParameterList, ParameterList> result;
  for (const auto& named : parameters)
    (named.second.shape().size() > 1 ? result.first : result.second).push_back(named);
  return result;
}

RuleGroups::~RuleGroups() { settle(); }

void RuleGroups::add(RuleGroup group) {
  const std::string_view added = group.rule->name();
  if (name_.empty())
    name_ = added;
  else if (std::none_of(groups_.begin(), groups_.end(), [&](const Applied& g) { return g.rule->name() == added; }))
    name_ += message(" + ", added);
  check_some(added, group.parameters);
  const Numbers numbers = first_numbers(*group.rule);
  parameters_.insert(parameters_.end(), group.parameters.begin(), group.parameters.end());
  states_.resize(parameters_.size(), State{.group = groups_.size(), .numbers = numbers});
  groups_.push_back({std::move(group.rule), group.common, numbers});
}

void RuleGroups::check_construction() {
  for (Applied& group : groups_) check_positive(group.rule->name(), "lr", group.rule->lr());
  checked_plans();
  check_parameters(name_, parameters_);
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const auto& [name, variable] = parameters_[i];
    const Rule& rule = *groups_[states_[i].group].rule;
    if (const std::size_t least = rule.dimensions(); variable.shape().size() < least)
      throw ValueError(message("[", rule.name(), "] '", name, "' ", variable.shape(), ": expected at least ", least,
                               " dimensions; split_matrices() tells which parameters have them"));
  }
}

RuleGroups::Plan RuleGroups::plan(std::size_t number) const {
  const auto& [rule, common, numbers] = groups_[number];
  const SharedOptions shared = rule->shared();
  const bool decoupled = rule->decouples(), itself = rule->decays_itself();
  Plan plan{.lr = rule->lr(),
            .weight_decay = decoupled || itself ? 0 : shared.weight_decay,
            .shrink = 1 - rule->lr() * (common.decoupled_weight_decay + (decoupled ? shared.weight_decay : 0)),
            .maximize = shared.maximize,
            .slots = rule->slots(),
            .sparse = rule->sparse()};
  const bool decays = shared.weight_decay != 0 || common.decoupled_weight_decay != 0;
  // Rows that need not move without a gradient decay all the same, unless the user has asked for lazy ones.
  if (common.decoupled_weight_decay != 0 && shared.sparse != SparseRows::lazy) plan.sparse = SparseRows::dense;
  const bool sees_rows =
      std::any_of(plan.slots.begin(), plan.slots.end(), [](const Slot& slot) { return slot.shape == per_row; });
  if (plan.sparse == SparseRows::exact && (decays || !rule->replays())) plan.sparse = SparseRows::dense;
  if (sees_rows || rule->whole() || rule->sum_count() > 0 || !rule->numbers()[0].name.empty() || common.cautious)
    plan.sparse = SparseRows::dense;
  return plan;
}

std::vector<RuleGroups::Plan> RuleGroups::checked_plans() const {
  std::vector<Plan> plans;
  plans.reserve(groups_.size());
  for (const Applied& group : groups_) {
    const std::string_view name = group.rule->name();
    group.rule->check();
    check_not_negative(name, "lr", group.rule->lr());  // a schedule may end at 0
    check_not_negative(name, "weight_decay", group.rule->shared().weight_decay);
    check_not_negative(name, "decoupled_weight_decay", group.common.decoupled_weight_decay);
    plans.push_back(plan(plans.size()));
  }
  return plans;
}

// Where to find the state of a parameter, and how to use its gradient.
Elements RuleGroups::elements(const Plan& plan, std::size_t parameter, SlotTensors& slots) const {
  const Shape& shape = parameters_[parameter].second.shape();
  const Rule& rule = *groups_[states_[parameter].group].rule;
  Elements elements{.rule = &rule, .parameter = parameter, .size = element_count(shape), .shape = &shape};
  if (shape.size() > 1) elements.width = std::max<std::size_t>(columns_of(shape), 1);
  for (std::size_t slot = 0; slot < max_slots; ++slot) {
    if (plan.slots[slot].name.empty()) continue;
    std::optional<Tensor>& tensor = slots[slot];
    if (!tensor) tensor = zeros(plan.slots[slot].shape(shape));
    elements.state[slot] = tensor->data();
    elements.shape_of[slot] = plan.slots[slot].shape;
    if (plan.slots[slot].shape == per_row) elements.unit = elements.width;
  }
  if (const std::size_t unit = rule.unit(shape)) elements.unit = unit;
  if (rule.whole()) elements.unit = std::max<std::size_t>(elements.size, 1);
  elements.maximize = plan.maximize;
  elements.shrink = static_cast<Scalar>(plan.shrink);
  elements.weight_decay = static_cast<Scalar>(plan.weight_decay);
  return elements;
}

// ShapeError where the gradient or the state is not of the parameter's shape.
void RuleGroups::check_shapes(std::size_t parameter, const Plan& plan) const {
  const auto& [name, variable] = parameters_[parameter];
  const Shape& shape = variable.shape();
  const std::string_view owner = groups_[states_[parameter].group].rule->name();
  const SlotTensors& slots = states_[parameter].slots;
  if (sparse_grad(variable) && !TableExtension::of(variable).fits(shape))
    throw ShapeError(message("[", owner, "] '", name, "' ", shape, " has a gradient of rows of another shape"));
  if (!sparse_grad(variable) && variable.grad().shape() != shape)
    throw ShapeError(message("[", owner, "] '", name, "' ", shape, " has a gradient of ", variable.grad().shape()));
  for (std::size_t slot = 0; slot < max_slots; ++slot)
    if (const std::string_view state = plan.slots[slot].name; !state.empty() && slots[slot])
      if (const Shape expected = plan.slots[slot].shape(shape); slots[slot]->shape() != expected)
        throw ShapeError(message("[", owner, "] '", name, "' ", shape, " needs ", state, " ", expected, ", has ",
                                 slots[slot]->shape()));
}

RuleGroups::Unit RuleGroups::independent_unit(std::size_t parameter) const {
  const Applied& group = groups_[states_[parameter].group];
  const Rule& rule = *group.rule;
  if (rule.sum_count() > 0) return rule.over() == Over::group ? Unit::group : Unit::parameter;
  const Slots slots = rule.slots();
  const bool by_rows = std::all_of(slots.begin(), slots.end(), [](const Slot& slot) {
    return slot.name.empty() || slot.shape == per_element || slot.shape == per_row;
  });
  const bool cut = by_rows && !rule.whole() && rule.unit(parameters_[parameter].second.shape()) == 0;
  return cut && !group.common.cautious ? Unit::row : Unit::parameter;
}

bool RuleGroups::needs_closure() const {
  return std::any_of(groups_.begin(), groups_.end(),
                     [](const Applied& group) { return group.rule->needs(1) != Needs::gradient; });
}

void RuleGroups::step() {
  if (needs_closure())
    throw GraphError(message("[", name_, "] a step needs the loss, and not its gradient alone: call step(closure)"));
  step(LossGraph{.loss = {}, .parameters = parameters_});
}

double RuleGroups::step(const Closure& closure) {
  const auto needed = [this](Needs what) {
    return std::any_of(states_.begin(), states_.end(), [&](const State& state) {
      return groups_[state.group].rule->needs(static_cast<double>(state.steps + 1)) == what;
    });
  };
  const bool graph = needed(Needs::graph), curvature = closure && needed(Needs::curvature);
  if (curvature) zero_grad();
  const Variable loss = curvature ? closure() : evaluate(name_, parameters_, closure, {.retain_graph = graph});
  const auto value = static_cast<double>(loss.item());
  if (!std::isfinite(value)) throw ValueError(message("[", name_, "] the loss is ", value));
  step(LossGraph{loss, parameters_, curvature ? estimate_curvature(loss, graph) : std::vector<Tensor>()});
  return value;
}

// For each of `work`.
std::vector<SlotTensors> RuleGroups::observe(const LossGraph& graph, const std::vector<Elements>& work) const {
  std::vector<SlotTensors> result(work.size());
  for (const Applied& group : groups_) {
    std::vector<Elements> observing;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < work.size(); ++i) {
      if (work[i].rule != group.rule.get() || group.rule->needs(work[i].t) < Needs::graph) continue;
      observing.push_back(work[i]);
      places.push_back(i);
    }
    if (observing.empty()) continue;
    std::vector<SlotTensors> observed = group.rule->observe(graph, observing);
    for (std::size_t k = 0; k < observed.size(); ++k) result[places[k]] = std::move(observed[k]);
  }
  return result;
}

void RuleGroups::step(const LossGraph& graph) {
  require_trained_weights(name_, "step()");
  Profile::mark("other");
  const std::vector<Plan> plans = checked_plans();
  std::vector<Elements> work;
  work.reserve(parameters_.size());
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Variable& variable = parameters_[i].second;
    if (!variable.has_grad()) continue;
    const Plan& plan = plans[states_[i].group];
    check_shapes(i, plan);
    work.push_back(elements(plan, i, states_[i].slots));
    work.back().t = static_cast<double>(states_[i].steps + 1);
    work.back().left_out = left_out(i, plan);
    if (work.back().left_out == SparseRows::dense) work.back().gradient = variable.mutable_grad().data();
  }
  if (work.empty())
    throw GraphError(message("[", name_, "] no parameter has a gradient: call backward() before step()"));

  const std::vector<SlotTensors> observed = observe(graph, work);
  for (std::size_t i = 0; i < work.size(); ++i) {
    Elements& elements = work[i];
    const Variable& variable = parameters_[elements.parameter].second;
    State& state = states_[elements.parameter];
    const Rule& rule = *elements.rule;
    prepare_rows(elements, plans[state.group]);
    ++state.steps;
    elements.numbers = rule.over() == Over::group ? &groups_[state.group].numbers : &state.numbers;
    if (elements.left_out == SparseRows::dense)
      elements.theta = variable.mutable_value().data();
    else
      update_rows(elements);
    for (std::size_t slot = 0; slot < max_slots; ++slot)
      if (const auto& now = observed[i][slot]) std::copy(now->begin(), now->end(), elements.state[slot]);
  }
  std::erase_if(work, [](const Elements& elements) { return elements.left_out != SparseRows::dense; });
  run(work, graph.loss ? static_cast<double>(graph.loss.item()) : not_known);
  for (Applied& group : groups_) group.rule->remember();
  Profile::mark(name_);
}

}  // namespace xgrad::optim
