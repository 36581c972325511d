#include <xgrad/core/state_dict.h>

#include <cmath>

namespace xgrad {
namespace {

template <class Action>
void for_each_kind(Action action) {
  action(&StateDict::tensors), action(&StateDict::scalars), action(&StateDict::texts);
}

}  // namespace

const Tensor* StateDict::find(const std::string& name) const {
  for (const auto& [key, tensor] : tensors)
    if (key == name) return &tensor;
  return nullptr;
}

void StateDict::add(const std::string& prefix, StateDict part) {
  for_each_kind([&](auto kind) {
    for (auto& [name, value] : part.*kind) (this->*kind).emplace_back(prefix + name, std::move(value));
  });
}

StateDict StateDict::below(const std::string& prefix) const {
  StateDict part;
  for_each_kind([&](auto kind) {
    for (const auto& [name, value] : this->*kind)
      if (name.starts_with(prefix)) (part.*kind).emplace_back(name.substr(prefix.size()), value);
  });
  return part;
}

StateReader::StateReader(std::string_view owner, const StateDict& state) : owner_(owner) {
  const auto fill = [this](auto& index, const auto& entries) {
    for (const auto& [name, value] : entries)
      if (!index.emplace(name, &value).second) misfit("repeated: ", printable(name));
  };
  fill(tensors_, state.tensors), fill(scalars_, state.scalars), fill(texts_, state.texts);
}

const Tensor* StateReader::tensor(const std::string& name, const Shape& shape) {
  const auto found = tensors_.extract(name);
  if (found && found.mapped()->shape() == shape) return found.mapped();
  if (found)
    misfit("misshaped: ", printable(name), ": expected ", shape, ", got ", found.mapped()->shape());
  else
    misfit("missing: ", printable(name), " ", shape);
  return nullptr;
}

std::uint64_t StateReader::count(const std::string& name) {
  const double value = scalar(name);
  if (value >= 0 && value <= 0x1p53 && value == std::floor(value)) return static_cast<std::uint64_t>(value);
  misfit(printable(name), ": expected a count, got ", value);
  return 0;
}

void StateReader::finish() {
  for (const auto& [name, tensor] : tensors_) misfit("unexpected: ", printable(name), " ", tensor->shape());
  for (const auto& [name, number] : scalars_) misfit("unexpected: ", printable(name), " = ", *number);
  if (misfit_count_ > most_listed) misfits_ += message("\n  and ", misfit_count_ - most_listed, " more");
  if (misfit_count_ > 0) throw DataError(message("[", owner_, "] the state does not fit:", misfits_));
}

}  // namespace xgrad
