#include <xgrad/autograd/profile.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/flush_to_zero.h>
#include <xgrad/nn/call_log.h>
#include <xgrad/nn/module.h>

#include <algorithm>

namespace xgrad::nn {

std::vector<detail::Call>*& detail::call_log() {
  thread_local std::vector<Call>* log = nullptr;
  return log;
}

Module::~Module() = default;

Variable Module::operator()(const Variable& x) {
  const FlushToZero guard;
  Profile::mark("other");
  Variable y = forward(x);
  if (auto* log = detail::call_log()) log->push_back({this, y.shape()});
  return y;
}

void Module::train(bool on) {
  training_ = on;
  for (const auto& [name, child] : children_) child->train(on);
}

void Module::zero_grad() {
  for (const auto& [name, parameter] : parameters_) parameter.clear_grad();
  for (const auto& [name, child] : children_) child->zero_grad();
}

Variable Module::param(std::string name, Tensor value) {
  require_free(name);
  return parameters_.emplace_back(std::move(name), Variable(std::move(value), true)).second;
}

Variable Module::buffer(std::string name, Tensor value) {
  require_free(name);
  return buffers_.emplace_back(std::move(name), Variable(std::move(value))).second;
}

Module& Module::adopt(std::string name, std::unique_ptr<Module> child) {
  require_free(name);
  if (!child) throw ValueError(message("[module] '", name, "' is a null pointer, expected a module"));
  return *children_.emplace_back(std::move(name), std::move(child)).second;
}

void Module::require_free(const std::string& name) const {
  if (name.empty() || name.find('.') != std::string::npos)
    throw ValueError(message("[module] expected a name without dots, got '", name, "'"));
  const auto has = [&](const auto& entry) { return entry.first == name; };
  if (std::any_of(parameters_.begin(), parameters_.end(), has) || std::any_of(buffers_.begin(), buffers_.end(), has) ||
      std::any_of(children_.begin(), children_.end(), has))
    throw ValueError(message("[module] the name '", name, "' is taken already"));
}

NamedVariables Module::collect(NamedVariables Module::*own) const {
  NamedVariables all = this->*own;
  for (const auto& [prefix, child] : children_)
    for (auto& [name, variable] : child->collect(own)) all.emplace_back(prefix + "." + name, std::move(variable));
  return all;
}

StateDict Module::state_dict() const {
  StateDict state;
  for (const auto& list : {parameters(), buffers()})
    for (const auto& [name, variable] : list) state.tensors.emplace_back(name, variable.value());
  return state;
}

void Module::load_state_dict(const StateDict& state) {
  NamedVariables expected = parameters();
  for (auto& entry : buffers()) expected.push_back(std::move(entry));

  StateReader reader("Module", state);
  std::vector<const Tensor*> found;
  for (const auto& [name, variable] : expected) found.push_back(reader.tensor(name, variable.shape()));
  reader.finish();

  for (std::size_t i = 0; i < expected.size(); ++i)
    std::copy_n(found[i]->data(), found[i]->size(), expected[i].second.mutable_value().data());
}

}  // namespace xgrad::nn
