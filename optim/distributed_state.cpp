// Which part of the parameters, and of the state, each process has.
#include <xgrad/optim/distributed.h>
#include <xgrad/optim/ranges.h>
#include <xgrad/optim/rule_groups.h>

#include <algorithm>

namespace xgrad::optim {
namespace {

// Elements: fewer in a block would make more of the norms that are taken of each, and more would divide less evenly.
constexpr std::size_t least_block = 4096;

std::size_t rows_of(const Shape& shape) { return shape.empty() ? 1 : shape[0]; }
std::size_t width_of(const Shape& shape) { return element_count(shape) / std::max<std::size_t>(rows_of(shape), 1); }

Shape with_rows(Shape shape, std::size_t rows) {
  if (shape.empty()) return {rows};
  shape[0] = rows;
  return shape;
}

// Without elements, and of as many dimensions: a rule may choose by these.
Shape nothing_of(const Shape& shape) { return Shape(std::max<std::size_t>(shape.size(), 1), 0); }

}  // namespace

DistributedOptimizer::DistributedOptimizer(Communicator& communicator, const ParameterList& parameters,
                                           NamedVariables buffers, const Make& make, DistributedOptions options)
    : communicator_(communicator), buffers_(std::move(buffers)), make_(make), options_(options) {
  const std::unique_ptr<Optimizer> whole = make_(parameters);
  const RuleGroups* const rules = whole->rule_groups();
  if (whole->needs_closure() || !rules)
    throw ValueError(message("[Distributed] the steps of ", whole->rule(),
                             " take their gradients themselves, and so cannot be given those of micro-batches"));
  if (options_.max_norm) check_positive("Distributed", "max_norm", *options_.max_norm);
  parameters_ = whole->parameters();
  for (std::size_t i = 0; i < parameters_.size() && communicator_.size() > 1; ++i)
    if (rules->independent_unit(i) == RuleGroups::Unit::group)
      throw ValueError(message("[Distributed] ", whole->rule(),
                               " adds up over all parameters before it moves one, and "
                               "so cannot be divided among ",
                               communicator_.size(), " processes"));
  std::string shapes;
  for (const auto& [name, variable] : parameters_) shapes += message(name, " ", variable.shape(), "; ");
  communicator_.require_same("list of parameters", shapes);
  divide(*rules);
  ParameterList list;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    shards_.push_back(shard_of(i, rules->independent_unit(i) == RuleGroups::Unit::row));
    list.emplace_back(parameters_[i].first, shards_[i].variable);
  }
  inner_ = make_(list);
  if (communicator_.size() == 1) return;
  const std::size_t rank = communicator_.rank();
  elements_.resize(offsets_.back());
  received_.resize((communicator_.size() - 1) * (begins_[rank + 1] - begins_[rank]));
}

// Where blocks begin, and which are whose.
void DistributedOptimizer::divide(const RuleGroups& rules) {
  std::size_t all = 0;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Shape& shape = parameters_[i].second.shape();
    const std::size_t rows = rows_of(shape), width = width_of(shape);
    const bool divisible = rules.independent_unit(i) == RuleGroups::Unit::row;
    const std::size_t block = divisible ? (least_block + width - 1) / std::max<std::size_t>(width, 1) : rows;
    offsets_.push_back(all), first_blocks_.push_back(blocks_.size());
    for (std::size_t row = 0; row == 0 || row < rows; row += std::max<std::size_t>(block, 1))
      blocks_.push_back(all + row * width);
    all += rows * width;
  }
  offsets_.push_back(all), first_blocks_.push_back(blocks_.size()), blocks_.push_back(all);

  const std::size_t processes = communicator_.size();
  for (std::size_t p = 0; p < processes; ++p) {
    const std::size_t even = all * p / processes;
    auto next = p == 0 ? blocks_.begin() : std::lower_bound(blocks_.begin(), blocks_.end() - 1, even);
    if (next != blocks_.begin() && even - *(next - 1) < *next - even) --next;  // which is nearer
    process_blocks_.push_back(static_cast<std::size_t>(next - blocks_.begin())), begins_.push_back(*next);
  }
  process_blocks_.push_back(blocks_.size() - 1), begins_.push_back(all);
}

DistributedOptimizer::Shard DistributedOptimizer::shard_of(std::size_t parameter, bool divisible) const {
  const Variable& variable = parameters_[parameter].second;
  const std::size_t rank = communicator_.rank(), all_begin = first_blocks_[parameter],
                    all_end = first_blocks_[parameter + 1];
  const std::size_t first = std::clamp(process_blocks_[rank], all_begin, all_end),
                    end = std::clamp(process_blocks_[rank + 1], all_begin, all_end);
  Shard shard{divisible, width_of(variable.shape()), first, end, 0, variable};
  if (first == all_begin && end == all_end) return shard;
  const auto row_at = [&](std::size_t block) {
    return (blocks_[block] - offsets_[parameter]) / std::max<std::size_t>(shard.width, 1);
  };
  shard.first_row = row_at(first);
  const Shape shape =
      divisible ? with_rows(variable.shape(), row_at(end) - shard.first_row) : nothing_of(variable.shape());
  shard.variable = Variable(zeros(shape), true);
  return shard;
}

// State is called "fc1.weight.exp_avg", and a wrapper's "inner.fc1.weight.exp_avg".
std::optional<std::size_t> DistributedOptimizer::parameter_of(std::string_view state) const {
  const std::string_view stem = state.substr(0, state.rfind('.'));
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const std::string& name = parameters_[i].first;
    const bool fits = stem == name || stem.ends_with("." + name);
    if (fits && (!found || name.size() > parameters_[*found].first.size())) found = i;
  }
  return found;
}

StateDict DistributedOptimizer::state_dict() const {
  require_trained_weights(rule(), "state_dict()");
  StateDict dict = inner_->state_dict();
  if (communicator_.size() == 1) return dict;
  std::vector<std::size_t> owners;  // of the first rows
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    owners.push_back(static_cast<std::size_t>(
        std::upper_bound(process_blocks_.begin(), process_blocks_.end() - 1, first_blocks_[i]) -
        process_blocks_.begin() - 1));
  std::vector<double> numbers;
  for (const auto& [name, number] : dict.scalars) numbers.push_back(number);
  const std::vector<std::vector<double>> all = communicator_.gather(numbers);
  for (std::size_t k = 0; k < numbers.size(); ++k)
    if (const auto parameter = parameter_of(dict.scalars[k].first)) dict.scalars[k].second = all[owners[*parameter]][k];
  for (auto& [name, tensor] : dict.tensors) {
    const auto parameter = parameter_of(name);
    if (!parameter) continue;
    const std::vector<std::string> parts = communicator_.gather(
        std::string_view(reinterpret_cast<const char*>(tensor.data()), tensor.size() * sizeof(Scalar)));
    std::string bytes = parts[owners[*parameter]];
    Shape shape = tensor.shape();
    if (shards_[*parameter].divisible) {
      bytes.clear();
      for (const std::string& part : parts) bytes += part;
      const Shape& whole = parameters_[*parameter].second.shape();
      shape = whole.empty() ? whole : with_rows(shape, whole[0]);
    } else {
      const std::vector<double> of_owner =
          communicator_.gather(std::vector<double>(shape.begin(), shape.end()))[owners[*parameter]];
      shape.resize(of_owner.size());
      std::transform(of_owner.begin(), of_owner.end(), shape.begin(),
                     [](double size) { return static_cast<std::size_t>(size); });
    }
    tensor = uninitialized(shape);
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(tensor.data()));
  }
  return dict;
}

Tensor DistributedOptimizer::own_part(const Tensor& whole, std::size_t parameter) const {
  const Shard& shard = shards_[parameter];
  if (!shard.divisible) return shard.is_own() ? whole : zeros(nothing_of(whole.shape()));
  Tensor part = uninitialized(with_rows(whole.shape(), rows_of(shard.variable.shape())));
  std::copy_n(whole.data() + shard.first_row * width_of(whole.shape()), part.size(), part.data());
  return part;
}

void DistributedOptimizer::load_state_dict(const StateDict& dict) {
  if (communicator_.size() == 1) return inner_->load_state_dict(dict);
  make_(parameters_)->load_state_dict(dict);  // throws in the words of the whole optimizer
  StateDict own = dict;
  for (auto& [name, tensor] : own.tensors)
    if (const auto parameter = parameter_of(name)) tensor = own_part(tensor, *parameter);
  inner_->load_state_dict(own);
}

WeightValues DistributedOptimizer::evaluation_weights() const {
  WeightValues weights = inner_->evaluation_weights();
  if (communicator_.size() == 1 || weights.empty()) return weights;
  std::vector<Scalar> elements(offsets_.back());
  std::vector<std::size_t> of;  // of each, the parameter
  for (const auto& [variable, part] : weights) {
    std::size_t i = 0;
    while (shards_[i].variable.node() != variable.node()) ++i;
    of.push_back(i);
    std::copy_n(part.data(), part.size(), elements.data() + offsets_[i] + shards_[i].first_row * shards_[i].width);
  }
  communicator_.gather(elements, begins_);
  for (std::size_t k = 0; k < of.size(); ++k) {
    const Variable& parameter = parameters_[of[k]].second;
    weights[k] = {parameter, uninitialized(parameter.shape())};
    std::copy_n(elements.data() + offsets_[of[k]], parameter.size(), weights[k].second.data());
  }
  return weights;
}

}  // namespace xgrad::optim
