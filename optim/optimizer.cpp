#include <xgrad/autograd/node.h>
#include <xgrad/autograd/profile.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/parallel.h>
#include <xgrad/optim/elements.h>
#include <xgrad/optim/optimizer.h>
#include <xgrad/optim/ranges.h>


namespace xgrad::optim {
namespace {

// Waking a thread pays from some 10 us of work on.
constexpr std::size_t least_elements_per_thread = 32 * 1024;

}  // namespace

Shape slot_shape(const Slot& slot, const Shape& parameter) {
  return slot.per_row && parameter.size() > 1 ? Shape{parameter[0]} : parameter;
}

Optimizer::~Optimizer() = default;

void Optimizer::add_parameters(const ParameterList& parameters) {
  check_some(rule(), parameters);
  parameters_.insert(parameters_.end(), parameters.begin(), parameters.end());
  states_.resize(parameters_.size(), State{.group = groups_added_});
  ++groups_added_;
}

void Optimizer::check_construction() const {
  check_some(rule(), parameters_);
  for (std::size_t group = 0; group < group_count(); ++group) check_positive(rule(), "lr", plan(group).lr);
  checked_plans();
  check_parameters(rule(), parameters_);
}

std::vector<Optimizer::Plan> Optimizer::checked_plans() const {
  std::vector<Plan> plans;
  plans.reserve(group_count());
  for (std::size_t group = 0; group < group_count(); ++group) {
    plans.push_back(plan(group));
    check_not_negative(rule(), "lr", plans.back().lr);  // a schedule may end at 0
    check_not_negative(rule(), "weight_decay", plans.back().weight_decay);
  }
  return plans;
}

// Where to find the state of a parameter of that shape, and how to use its gradient.
Elements Optimizer::elements(const Plan& plan, const Shape& shape, SlotTensors& slots) const {
  Elements elements{.size = element_count(shape)};
  if (shape.size() > 1) elements.width = std::max<std::size_t>(elements.size / std::max<std::size_t>(shape[0], 1), 1);
  for (std::size_t slot = 0; slot < max_slots; ++slot) {
    if (plan.slots[slot].name.empty()) continue;
    std::optional<Tensor>& tensor = slots[slot];
    if (!tensor) tensor = zeros(slot_shape(plan.slots[slot], shape));
    elements.state[slot] = tensor->data();
    elements.per_row[slot] = plan.slots[slot].per_row;
    if (plan.slots[slot].per_row) elements.unit = elements.width;
  }
  if (plan.whole) elements.unit = std::max<std::size_t>(elements.size, 1);
  elements.maximize = plan.maximize;
  if (plan.decoupled)
    elements.shrink = static_cast<Scalar>(1 - plan.lr * plan.weight_decay);
  else
    elements.weight_decay = static_cast<Scalar>(plan.weight_decay);
  return elements;
}

// ShapeError where the gradient or the state is not of the parameter's shape.
void Optimizer::check_shapes(std::size_t parameter, const Plan& plan) const {
  const auto& [name, variable] = parameters_[parameter];
  const Shape& shape = variable.shape();
  const SlotTensors& slots = states_[parameter].slots;
  if (variable.sparse_grad() && !variable.node()->row_grad_fits())
    throw ShapeError(message("[", rule(), "] '", name, "' ", shape, " has a gradient of rows of another shape"));
  if (!variable.sparse_grad() && variable.grad().shape() != shape)
    throw ShapeError(message("[", rule(), "] '", name, "' ", shape, " has a gradient of ", variable.grad().shape()));
  for (std::size_t slot = 0; slot < max_slots; ++slot)
    if (const std::string_view state = plan.slots[slot].name; !state.empty() && slots[slot])
      if (const Shape expected = slot_shape(plan.slots[slot], shape); slots[slot]->shape() != expected)
        throw ShapeError(message("[", rule(), "] '", name, "' ", shape, " needs ", state, " ", expected, ", has ",
                                 slots[slot]->shape()));
}

Elements Optimizer::prepare(std::size_t parameter, const Plan& plan) {
  check_shapes(parameter, plan);
  const Variable& variable = parameters_[parameter].second;
  Elements result = elements(plan, variable.shape(), states_[parameter].slots);
  result.parameter = parameter;
  result.left_out = left_out(parameter, plan);
  if (result.left_out == SparseRows::dense) result.gradient = variable.mutable_grad().data();
  return result;
}

void Optimizer::step() {
  Profile::mark("other");
  const std::vector<Plan> plans = checked_plans();
  std::vector<Elements> work;
  work.reserve(parameters_.size());
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    if (parameters_[i].second.has_grad()) work.push_back(prepare(i, plans[states_[i].group]));
  if (work.empty())
    throw GraphError(message("[", rule(), "] no parameter has a gradient: call backward() before step()"));

  std::vector<std::size_t> begins = {0};  // of each parameter, if all elements are numbered throughout
  begins.reserve(work.size() + 1);
  for (Elements& elements : work) {
    State& state = states_[elements.parameter];
    prepare_rows(elements, plans[state.group]);
    elements.t = static_cast<double>(++state.steps);
    elements.product = state.product *= factor(state.group, elements.t);
    const bool dense = elements.left_out == SparseRows::dense;
    if (dense)
      elements.theta = parameters_[elements.parameter].second.mutable_value().data();
    else
      update_rows(elements);
    begins.push_back(begins.back() + (dense ? elements.size : 0));
  }
  parallel_for(begins.back(), least_elements_per_thread, [&](std::size_t begin, std::size_t end) {
    const auto next = std::upper_bound(begins.begin(), begins.end(), begin);
    for (auto i = static_cast<std::size_t>(next - begins.begin()) - 1; i < work.size() && begins[i] < end; ++i) {
      if (begins[i] == begins[i + 1]) continue;
      // What must not be cut belongs to the piece in which it begins.
      const std::size_t unit = work[i].unit;
      const auto cut = [&](std::size_t at) { return (at + unit - 1) / unit * unit; };
      const std::size_t from = cut(std::max(begin, begins[i]) - begins[i]),
                        to = cut(std::min(end, begins[i + 1]) - begins[i]);
      if (from < to) update(work[i].part(from, to), states_[work[i].parameter].group);
    }
  });
  remember_options();
  Profile::mark(rule());
}

void Optimizer::zero_grad() {
  for (const auto& [name, variable] : parameters_) variable.clear_grad();
}

}  // namespace xgrad::optim
