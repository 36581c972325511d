#include <xgrad/autograd/node.h>
#include <xgrad/core/parallel.h>
#include <xgrad/optim/distributed.h>
#include <xgrad/optim/norms.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

namespace xgrad::optim {
namespace {

// Gradients of micro-batches that are kept before they are added, and with them the memory that this takes.
constexpr std::size_t most_of_one_level = 4;

// Of each source one block is added, which stays in the cache until the sum is written.
constexpr std::size_t cached_block = 512;

// In place of a gradient that is not there: x + -0 is x, to the sign of a zero.
constexpr auto absent = [] {
  std::array<Scalar, cached_block> zeros{};
  zeros.fill(Scalar(-0.0));
  return zeros;
}();

using Sources = std::vector<const Scalar*>;

// The sum of blocks, whose number is a power of two, as a tree. `sums` has room for half as many.
const Scalar* sum_of(Sources& blocks, std::size_t size, Scalar* sums) {
  for (std::size_t left = blocks.size(); left > 1; left /= 2)
    for (std::size_t i = 0; i < left / 2; ++i) {
      Scalar* const sum = sums + i * cached_block;
      std::transform(blocks[2 * i], blocks[2 * i] + size, blocks[2 * i + 1], sum, std::plus<>());
      blocks[i] = sum;
    }
  return blocks[0];
}

// The sum of the groups' sums, all as trees, times a factor. There is a power of two of groups, and of sources in each.
// A null source counts for nothing, and the sum may take the place of any.
void add_up(const std::vector<Sources>& groups, Scalar* to, std::size_t count, Scalar factor) {
  std::size_t room = groups.size();
  for (const Sources& sources : groups) room += sources.size();
  for_elements(count, [&groups, room, to, factor](std::size_t begin, std::size_t end) {
    std::vector<Scalar> memory(room * cached_block);
    Sources parts, blocks;
    for (std::size_t first = begin; first < end; first += cached_block) {
      const std::size_t size = std::min(cached_block, end - first);
      Scalar* sums = memory.data();
      parts.clear();
      for (const Sources& sources : groups) {
        blocks.clear();
        for (const Scalar* source : sources) blocks.push_back(source ? source + first : absent.data());
        parts.push_back(sum_of(blocks, size, sums));
        sums += sources.size() * cached_block;
      }
      const Scalar* const sum = sum_of(parts, size, sums);
      std::transform(sum, sum + size, to + first, [factor](Scalar x) { return x * factor; });
    }
  });
}

void scale(Tensor& tensor, Scalar factor) {
  if (factor == 1) return;
  Scalar* const to = tensor.data();
  for_elements(tensor.size(), [=](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) to[i] *= factor;
  });
}

std::size_t total_size(const NamedVariables& variables) {
  std::size_t size = 0;
  for (const auto& [name, variable] : variables) size += variable.size();
  return size;
}

}  // namespace

void DistributedOptimizer::zero_grad() {
  Optimizer::zero_grad();
  zeroed_ = true;
  if (taken_ > 0 && communicator_.current().step == step_) return;
  subtotals_.clear(), buffer_changes_.clear(), taken_ = 0;
  buffers_before_.clear();
  for (const auto& [name, buffer] : buffers_) buffers_before_.push_back(buffer.value());
}

void DistributedOptimizer::step() {
  require_trained_weights(rule(), "step()");
  const MicroBatch& now = communicator_.current();
  if (const std::size_t turn = communicator_.first_micro_batch() + taken_; now.number != turn)
    throw GraphError(message("[Distributed] expected the gradient of micro-batch ", turn, " of a batch, got that of ",
                             now.number, ": each needs one step()"));
  if (!zeroed_) throw GraphError("[Distributed] zero_grad() must be called before each backward()");
  if (now.samples > 0 && std::none_of(parameters_.begin(), parameters_.end(),
                                      [](const auto& parameter) { return parameter.second.has_grad(); }))
    throw GraphError(message("[", rule(), "] no parameter has a gradient: call backward() before step()"));
  zeroed_ = false, step_ = now.step;
  take_gradients(now);
  take_buffers(now);
  if (++taken_ == communicator_.own_micro_batches()) finish(now);
}

void DistributedOptimizer::take_gradients(const MicroBatch& now) {
  // The mean over the batch is that of its micro-batches, weighted by their samples. Mostly all weights are 1.
  const auto weight = static_cast<Scalar>(static_cast<double>(now.samples * communicator_.micro_batches()) /
                                          static_cast<double>(now.batch));
  while (last_of_one_level() == most_of_one_level) merge();
  Subtotal& next = subtotals_.emplace_back();
  for (const auto& [name, variable] : parameters_) {
    next.gradients.emplace_back();
    if (!variable.has_grad() || now.samples == 0) continue;
    scale(variable.mutable_grad(), weight);
    next.gradients.back() = std::move(variable.node()->grad);
  }
}

std::size_t DistributedOptimizer::last_of_one_level() const {
  const auto other = [this](const Subtotal& subtotal) { return subtotal.level != subtotals_.back().level; };
  return static_cast<std::size_t>(std::find_if(subtotals_.rbegin(), subtotals_.rend(), other) - subtotals_.rbegin());
}

// Adds up the last ones, which are of one level: four at once take half the time of a pair and a pair.
void DistributedOptimizer::merge() {
  const std::size_t first = subtotals_.size() - last_of_one_level();
  for (std::size_t i = 0; i < parameters_.size(); ++i) subtotals_[first].gradients[i] = take_sum(first, i, 1);
  subtotals_.resize(first + 1);
  subtotals_.back().level += 2;
}

// Of all from `first` on, where the parameter has this element.
std::vector<const Scalar*> DistributedOptimizer::sources(std::size_t first, std::size_t parameter,
                                                         std::size_t element) const {
  Sources result;
  for (std::size_t k = first; k < subtotals_.size(); ++k) {
    const std::unique_ptr<Tensor>& gradient = subtotals_[k].gradients[parameter];
    result.push_back(gradient ? gradient->data() + element : nullptr);
  }
  return result;
}

// Their sum, in the memory of one of them; nothing where none has a gradient.
std::unique_ptr<Tensor> DistributedOptimizer::take_sum(std::size_t first, std::size_t parameter, Scalar factor) {
  const Sources all = sources(first, parameter, 0);
  const auto some = std::find_if(all.begin(), all.end(), [](const Scalar* source) { return source != nullptr; });
  if (some == all.end()) return nullptr;
  std::unique_ptr<Tensor> sum =
      std::move(subtotals_[first + static_cast<std::size_t>(some - all.begin())].gradients[parameter]);
  add_up({all}, sum->data(), sum->size(), factor);
  return sum;
}

// How each buffer changed, as if the micro-batch were the batch; and back, for the next micro-batch.
void DistributedOptimizer::take_buffers(const MicroBatch& now) {
  for (std::size_t i = 0; i < buffers_.size(); ++i) {
    const Tensor &value = buffers_[i].second.value(), &before = buffers_before_[i];
    for (std::size_t k = 0; k < value.size(); ++k) {
      const double change = static_cast<double>(value.data()[k]) - static_cast<double>(before.data()[k]);
      buffer_changes_.push_back(now.samples > 0 ? static_cast<double>(now.samples) * change : 0);
    }
    buffers_[i].second.mutable_value() = before;
  }
}

void DistributedOptimizer::finish(const MicroBatch& now) {
  const std::vector<bool> present = agree_on_gradients();
  share_gradients(present);
  if (options_.max_norm) clip(present);
  inner_->step();
  for (const Shard& shard : shards_) shard.variable.clear_grad();
  share_values();
  mend_buffers(now);
  communicator_.end_step();
  taken_ = 0;
}

// A parameter makes a step where any micro-batch of any process gave it a gradient.
std::vector<bool> DistributedOptimizer::agree_on_gradients() const {
  std::string mine(parameters_.size(), '0');
  for (const Subtotal& subtotal : subtotals_)
    for (std::size_t i = 0; i < mine.size(); ++i)
      if (subtotal.gradients[i]) mine[i] = '1';
  std::vector<bool> present(parameters_.size());
  for (const std::string& flags : communicator_.gather(mine))
    for (std::size_t i = 0; i < present.size(); ++i) present[i] = present[i] || flags[i] == '1';
  return present;
}

// Gives each shard the mean gradient of the batch.
void DistributedOptimizer::share_gradients(const std::vector<bool>& present) {
  while (last_of_one_level() < subtotals_.size()) merge();
  const auto share = static_cast<Scalar>(1 / static_cast<double>(communicator_.micro_batches()));
  const std::size_t processes = communicator_.size(), rank = communicator_.rank(), own_begin = begins_[rank],
                    own_end = begins_[rank + 1], own = own_end - own_begin;
  if (processes == 1) {
    for (std::size_t i = 0; i < shards_.size(); ++i) shards_[i].variable.node()->grad = take_sum(0, i, share);
    return subtotals_.clear();
  }
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const std::size_t begin = offsets_[i], end = offsets_[i + 1], before = std::clamp(own_begin, begin, end),
                      after = std::clamp(own_end, begin, end);
    add_up({sources(0, i, 0)}, elements_.data() + begin, before - begin, 1);
    add_up({sources(0, i, after - begin)}, elements_.data() + after, end - after, 1);
  }
  communicator_.exchange(elements_, begins_, received_);
  std::size_t at = 0;  // in this process's part
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    const Variable &variable = shards_[i].variable, &parameter = parameters_[i].second;
    const std::size_t first = shards_[i].first_row * shards_[i].width;
    if (variable.node() != parameter.node())  // who loads a state changes the parameter
      std::copy_n(parameter.value().data() + first, variable.size(), variable.mutable_value().data());
    if (present[i]) {
      std::vector<Sources> parts;
      const Scalar* other = received_.data() + at;
      for (std::size_t p = 0; p < processes; ++p)
        if (p == rank)
          parts.push_back(sources(0, i, first));
        else
          parts.push_back({std::exchange(other, other + own)});
      variable.node()->grad = std::make_unique<Tensor>(uninitialized(variable.shape()));
      add_up(parts, variable.node()->grad->data(), variable.size(), share);
    }
    at += variable.size();
  }
  subtotals_.clear();
}

// The norm is added over blocks, which do not depend on the number of processes.
void DistributedOptimizer::clip(const std::vector<bool>& present) const {
  std::vector<double> own;
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    const auto& [divisible, width, first, end, row, variable] = shards_[i];
    for (std::size_t block = first; block < end; ++block)
      own.push_back(present[i] ? sum_of_squares({variable.grad().data() + (blocks_[block] - blocks_[first]),
                                                 blocks_[block + 1] - blocks_[block]})
                               : 0);
  }
  std::vector<double> all;
  for (const std::vector<double>& part : communicator_.gather(own)) all.insert(all.end(), part.begin(), part.end());
  double squares = 0;
  for (std::size_t block = 0, parameter = 0; block + 1 < blocks_.size(); ++block) {
    while (first_blocks_[parameter + 1] <= block) ++parameter;
    if (!std::isfinite(all[block]))
      throw ValueError(message("[Distributed] the gradient of '", parameters_[parameter].first, "' ",
                               parameters_[parameter].second.shape(), " is not finite, or too large for its norm"));
    squares += all[block];
  }
  const double factor = *options_.max_norm / (std::sqrt(squares) + 1e-6);
  if (factor >= 1) return;
  for (std::size_t i = 0; i < shards_.size(); ++i)
    if (present[i]) scale(shards_[i].variable.mutable_grad(), Scalar(factor));
}

void DistributedOptimizer::share_values() {
  if (communicator_.size() == 1) return;
  Scalar* next = elements_.data() + begins_[communicator_.rank()];
  for (const Shard& shard : shards_)
    next = std::copy(shard.variable.value().begin(), shard.variable.value().end(), next);
  communicator_.gather(elements_, begins_);
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    if (parameters_[i].second.node() != shards_[i].variable.node())
      std::copy_n(elements_.data() + offsets_[i], offsets_[i + 1] - offsets_[i],
                  parameters_[i].second.mutable_value().begin());
}

void DistributedOptimizer::mend_buffers(const MicroBatch& now) {
  const std::vector<double> sums = communicator_.sum(std::exchange(buffer_changes_, {}), total_size(buffers_));
  auto sum = sums.begin();
  for (const auto& [name, buffer] : buffers_)
    for (Scalar& value : buffer.mutable_value().storage())
      value = static_cast<Scalar>(static_cast<double>(value) + *sum++ / static_cast<double>(now.batch));
}

}  // namespace xgrad::optim
