// Steps of tables with sparse gradients: only the rows that have one are read and written. In exact mode the others
// make their steps when somebody reads them, which the parameter's TableExtension tells.
#include <xgrad/autograd/table.h>
#include <xgrad/core/flush_to_zero.h>
#include <xgrad/optim/missed_steps.h>
#include <xgrad/optim/rule_groups.h>

#include <algorithm>

namespace xgrad::optim {
namespace {

constexpr std::size_t most_rates = std::size_t{1} << 20;

}  // namespace

SparseRows RuleGroups::left_out(std::size_t parameter) const {
  return left_out(parameter, plan(states_[parameter].group));
}

SparseRows RuleGroups::left_out(std::size_t parameter, const Plan& plan) const {
  const Variable& table = parameters_[parameter].second;
  if (!sparse_grad(table)) return SparseRows::dense;
  const bool others =
      TableExtension::of(table).refresh && states_[parameter].row_steps.empty();  // some other optimizer's
  return others ? SparseRows::dense : plan.sparse;
}

// Before the step is counted.
void RuleGroups::prepare_rows(const Elements& elements, const Plan& plan) {
  State& state = states_[elements.parameter];
  if (elements.left_out != SparseRows::exact) return forget_rows(elements.parameter);
  const Variable& table = parameters_[elements.parameter].second;
  if (state.row_steps.empty()) {
    state.row_steps.assign(elements.size / elements.width, state.steps);
    TableExtension::of(table).refresh = [this, parameter = elements.parameter](const IndexTensor* rows) {
      refresh(parameter, rows);
    };
  }
  if (elements.rule->changed() || state.rates.size() == most_rates) {
    catch_up(elements.parameter, nullptr);
    state.rates.clear();
  }
  const IndexTensor touched = row_numbers(*sparse_grad(table));
  catch_up(elements.parameter, &touched);
  state.rates.push_back(plan.lr);
  state.behind = true;
}

// The rows are gathered into one block, so that the rule sees nothing of all this.
void RuleGroups::update_rows(const Elements& elements) {
  State& state = states_[elements.parameter];
  const RowGradient& rows = *sparse_grad(parameters_[elements.parameter].second);
  Node& table = *parameters_[elements.parameter].second.node();
  ++table.version;
  const std::size_t width = elements.width, size = rows.size() * width;
  Elements block = elements;
  block.size = size;
  std::vector<Scalar> storage((2 + max_slots) * size);
  block.theta = storage.data(), block.gradient = block.theta + size;
  std::vector<std::pair<Scalar*, Scalar*>> copies = {{table.value.data(), block.theta}};
  for (std::size_t slot = 0; slot < max_slots; ++slot)
    if (elements.state[slot]) {
      block.state[slot] = block.gradient + (slot + 1) * size;
      copies.emplace_back(elements.state[slot], block.state[slot]);
    }
  std::size_t at = 0;
  for (const auto& [row, gradient] : rows) {
    std::copy_n(gradient.data(), width, block.gradient + at);
    for (const auto& [whole, part] : copies) std::copy_n(whole + row * width, width, part + at);
    at += width;
  }
  {
    const FlushToZero guard;
    block.rule->update(block);
  }
  at = 0;
  for (const auto& [row, gradient] : rows) {
    for (const auto& [whole, part] : copies) std::copy_n(part + at, width, whole + row * width);
    if (!state.row_steps.empty()) state.row_steps[row] = state.steps;
    at += width;
  }
}

// Lets some rows, or all, make the steps that they have missed.
void RuleGroups::catch_up(std::size_t parameter, const IndexTensor* rows) {
  State& state = states_[parameter];
  if (!state.behind) return;
  Tensor& value = parameters_[parameter].second.node()->value;
  const std::size_t count = state.row_steps.size(), width = value.size() / std::max<std::size_t>(count, 1);
  std::vector<Scalar> no_gradient(width, 0);
  Elements whole{.parameter = parameter, .size = value.size(), .width = width, .theta = value.data()};
  whole.gradient = no_gradient.data();
  for (std::size_t slot = 0; slot < max_slots; ++slot)
    if (state.slots[slot]) whole.state[slot] = state.slots[slot]->data();

  const std::size_t looked_at = rows ? rows->size() : count;
  const auto row_of = [rows](std::size_t i) { return rows ? static_cast<std::size_t>(rows->data()[i]) : i; };
  const auto is_late = [&state](std::int64_t last) { return last != 0 && last != state.steps; };
  std::size_t most = 0;
  for (std::size_t i = 0; i < looked_at; ++i) most += is_late(state.row_steps[row_of(i)]);
  std::vector<Elements> late;
  late.reserve(most);  // before the first is taken for done: memory may end
  for (std::size_t i = 0; i < looked_at; ++i) {
    const std::size_t row = row_of(i);
    std::int64_t& last = state.row_steps[row];
    if (!is_late(last)) continue;
    late.push_back(whole.part(row * width, (row + 1) * width));
    late.back().gradient = no_gradient.data();
    late.back().t = static_cast<double>(std::exchange(last, state.steps));
  }
  if (!rows) state.behind = false;
  if (late.empty()) return;
  std::sort(late.begin(), late.end(), [](const Elements& a, const Elements& b) { return a.t < b.t; });
  // Readers in several threads record no graph. Then this thread makes all the steps: the pool's threads may be among
  // those that wait for the lock.
  const std::size_t grain = is_recording() ? 64 : late.size();
  groups_[state.group].rule->replay(MissedSteps(std::move(late), static_cast<double>(state.steps), state.rates, grain));
}

// Called by whoever reads the table, perhaps in several threads at once. A row that has caught up is not written again
// before the next step, so that what was read stays as it is while others catch up.
void RuleGroups::refresh(std::size_t parameter, const IndexTensor* rows) {
  const std::lock_guard lock(refreshing_);
  catch_up(parameter, rows);
}

void RuleGroups::forget_rows(std::size_t parameter) {
  State& state = states_[parameter];
  if (state.row_steps.empty()) return;
  catch_up(parameter, nullptr);
  TableExtension::of(parameters_[parameter].second).refresh = nullptr;
  state.row_steps.clear(), state.rates.clear();
}

void RuleGroups::settle() {
  for (std::size_t i = 0; i < states_.size(); ++i) forget_rows(i);
}

}  // namespace xgrad::optim
