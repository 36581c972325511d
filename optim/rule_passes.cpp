// The passes over the elements that a step consists of.
#include <xgrad/autograd/node.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/flush_to_zero.h>
#include <xgrad/core/parallel.h>
#include <xgrad/core/random.h>
#include <xgrad/optim/elements.h>
#include <xgrad/optim/rule_groups.h>

#include <algorithm>
#include <span>
#include <unordered_map>
#include <unordered_set>

namespace xgrad::optim {
namespace {

// Waking a thread pays from some 10 us of work on.
constexpr std::size_t least_elements_per_thread = 32 * 1024;

// Calls f(i, part) with pieces of work[i], cut anywhere that its rule allows, in threads.
template <class F>
void for_each_piece(std::span<const Elements> work, F f) {
  std::vector<std::size_t> begins = {0};  // of each parameter, if all elements are numbered throughout
  begins.reserve(work.size() + 1);
  for (const Elements& elements : work) begins.push_back(begins.back() + elements.size);
  parallel_for(begins.back(), least_elements_per_thread, [&](std::size_t begin, std::size_t end) {
    const auto next = std::upper_bound(begins.begin(), begins.end(), begin);
    for (auto i = static_cast<std::size_t>(next - begins.begin()) - 1; i < work.size() && begins[i] < end; ++i) {
      if (begins[i] == begins[i + 1]) continue;
      // What must not be cut belongs to the piece in which it begins.
      const std::size_t unit = work[i].unit;
      const auto cut = [&](std::size_t at) { return (at + unit - 1) / unit * unit; };
      const std::size_t from = cut(std::max(begin, begins[i]) - begins[i]),
                        to = cut(std::min(end, begins[i + 1]) - begins[i]);
      if (from < to) f(i, work[i].part(from, to));
    }
  });
}

// For each i, the sum of what add(i, part, sums) adds for the blocks of work[i]. Blocks do not depend on threads.
template <class Add>
std::vector<Sums> sum_blocks(const std::vector<Elements>& work, Add add) {
  struct Block {
    std::size_t of, begin, end;
    Sums sums = {};
  };
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < work.size(); ++i) {
    const std::size_t unit = work[i].unit, size = (least_elements_per_thread + unit - 1) / unit * unit;
    for (std::size_t begin = 0; begin < work[i].size; begin += size)
      blocks.push_back({i, begin, std::min(begin + size, work[i].size)});
  }
  parallel_for(blocks.size(), 1, [&](std::size_t first, std::size_t last) {
    for (Block& block : std::span(blocks).subspan(first, last - first))
      add(block.of, work[block.of].part(block.begin, block.end), block.sums);
  });
  std::vector<Sums> result(work.size(), Sums{});
  for (const Block& block : blocks)
    for (std::size_t k = 0; k < block.sums.size(); ++k) result[block.of][k] += block.sums[k];
  return result;
}

// How far a step goes against the gradient. NaN where one is in it.
Scalar along(const Elements& elements, const Scalar* before, std::size_t i) {
  const Scalar moved = elements.shrink * before[i] - elements.theta[i];
  return moved * (elements.maximize ? -elements.gradient[i] : elements.gradient[i]);
}

// Takes back what goes along the gradient, and stretches the rest: Liang et al. 2024, Algorithm 1.
void mask(const std::vector<Elements>& work, const std::vector<Tensor>& before) {
  const auto start = [&](std::size_t i, const Elements& part) {
    return before[i].data() + (part.theta - work[i].theta);
  };
  const std::vector<Sums> moving = sum_blocks(work, [&](std::size_t i, const Elements& part, Sums& sums) {
    for (std::size_t k = 0; k < part.size; ++k) sums[0] += along(part, start(i, part), k) > 0;
  });
  for_each_piece(work, [&](std::size_t i, const Elements& part) {
    const Scalar* from = start(i, part);
    const auto stretch = static_cast<Scalar>(static_cast<double>(work[i].size) / (moving[i][0] + 1));
    for (std::size_t k = 0; k < part.size; ++k) {
      const Scalar stay = part.shrink * from[k];
      part.theta[k] = along(part, from, k) <= 0 ? stay : stay - stretch * (stay - part.theta[k]);
    }
  });
}

}  // namespace

void RuleGroups::add_sums(std::vector<Elements>& work, double loss) const {
  std::vector<Elements> summed;
  for (const Elements& elements : work)
    if (elements.rule->sum_count() > 0) summed.push_back(elements);
  std::vector<Sums> sums;
  if (!summed.empty())
    sums = sum_blocks(summed, [](std::size_t, const Elements& part, Sums& to) {
      if (!part.rule->whole()) part.rule->sum(part, to);
    });
  const FlushToZero guard;
  for (std::size_t i = 0; i < summed.size(); ++i)  // these have threads of their own
    if (summed[i].rule->whole() && summed[i].size > 0) summed[i].rule->sum(summed[i], sums[i]);
  std::unordered_map<const Rule*, Sums> of_groups;
  for (std::size_t i = 0; i < summed.size(); ++i)
    for (std::size_t k = 0; k < sums[i].size(); ++k) of_groups[summed[i].rule][k] += sums[i][k];

  std::unordered_set<const Rule*> concluded;
  auto next = sums.begin();
  for (Elements& elements : work) {
    const Rule& rule = *elements.rule;
    const bool group = rule.over() == Over::group;
    if (rule.sum_count() > 0) {
      elements.sums = group ? of_groups[&rule] : *next;
      ++next;
    }
    if (!group || concluded.insert(&rule).second) rule.conclude(*elements.numbers, elements.sums, elements.t, loss);
  }
}

void RuleGroups::update(std::vector<Elements>& work) const {
  const auto cut = std::stable_partition(work.begin(), work.end(), [](const Elements& e) { return !e.rule->whole(); });
  for_each_piece({work.begin(), cut}, [](std::size_t, const Elements& part) { part.rule->update(part); });
  const FlushToZero guard;
  for (auto elements = cut; elements != work.end(); ++elements)  // these have threads of their own
    if (elements->size > 0) elements->rule->update(*elements);
}

void RuleGroups::run(std::vector<Elements>& work, double loss) const {
  add_sums(work, loss);
  std::vector<Elements> cautious;
  std::vector<Tensor> before;
  for (const Elements& elements : work) {
    if (!groups_[states_[elements.parameter].group].common.cautious) continue;
    cautious.push_back(elements);
    cautious.back().unit = 1;
    before.push_back(Tensor::from_shape({elements.size}));
    std::copy_n(elements.theta, elements.size, before.back().data());
  }
  update(work);
  if (!cautious.empty()) mask(cautious, before);
}

std::vector<Tensor> RuleGroups::estimate_curvature(const Variable& loss, bool retain_graph) const {
  if (!loss.requires_grad()) throw GraphError(message("[", name_, "] the loss depends on none of the parameters"));
  std::vector<Variable> all;
  for (const auto& [name, variable] : parameters_) all.push_back(variable);
  const Gradients gradients = grad(loss, all, {.create_graph = true, .allow_unused = true});
  std::vector<Tensor> signs;
  Variable product(zeros({}));
  for (const Variable& gradient : gradients) {
    signs.push_back(zeros(gradient.shape()));
    for (Scalar& sign : signs.back()) sign = default_generator().bits() >> 63 ? 1 : -1;
    product = product + sum(gradient * Variable(signs.back()));
  }
  std::vector<Tensor> result = std::move(signs);
  const Gradients products = grad(product, all, {.retain_graph = retain_graph, .allow_unused = true});  // H z
  for (std::size_t i = 0; i < all.size(); ++i) {
    result[i] *= products[i].value();
    all[i].node()->grad = std::make_unique<Tensor>(gradients[i].value());
  }
  return result;
}

}  // namespace xgrad::optim
