#include <xgrad/autograd/node.h>
#include <xgrad/autograd/profile.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/flush_to_zero.h>
#include <xgrad/nn/call_log.h>
#include <xgrad/nn/module.h>

#include <algorithm>
#include <typeinfo>

namespace xgrad::nn {

std::vector<detail::Call>*& detail::call_log() {
  thread_local std::vector<Call>* log = nullptr;
  return log;
}

Shape detail::checked_sizes(std::string_view operation, Shape shape) {
  for (const std::size_t size : shape)
    if (size < 1 || size > std::size_t{1} << 31)
      throw ValueError(message("[", operation, "] expected sizes of 1 to 2^31, got ", size, " in ", shape));
  return shape;
}

Tensor detail::steps_inside(std::string_view operation, const std::vector<std::size_t>& lengths, std::size_t batch,
                            std::size_t steps) {
  if (lengths.size() != batch)
    throw ShapeError(
        message("[", operation, "] expected a length for each of ", batch, " sequences, got ", lengths.size()));
  Tensor inside = zeros({batch, steps});
  for (std::size_t n = 0; n < batch; ++n) {
    if (lengths[n] < 1 || lengths[n] > steps)
      throw ValueError(message("[", operation, "] expected lengths from 1 to ", steps, ", got ", lengths[n]));
    std::fill_n(inside.data() + n * steps, lengths[n], Scalar(1));
  }
  return inside;
}

Module::~Module() = default;

Variable Module::forward(const Variable&) {
  throw ValueError("[module] expected a call of the module's own function: it takes other inputs than one Variable");
}

Variable Module::operator()(const Variable& x) {
  const FlushToZero guard;
  Profile::mark("other");
  Variable y = forward(x);
  if (auto* log = detail::call_log()) log->push_back({this, &typeid(*this), y.shape()});
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

void Module::requires_grad(bool on) {
  for (const auto& [name, parameter] : parameters()) {
    parameter.node()->requires_grad = on;
    if (!on) parameter.clear_grad();
  }
}

Parameter Module::param(std::string name, Tensor value) {
  return share(std::move(name), Variable(std::move(value), true));
}

Parameter Module::buffer(std::string name, Tensor value) { return share(std::move(name), Variable(std::move(value))); }

Parameter Module::share(std::string name, const Variable& existing, const std::optional<Shape>& expected) {
  require_free(name);
  if (!existing || !existing.operation().empty())
    throw ValueError(message("[module] expected '", name, "' to be a parameter, got ",
                             existing ? message("the output of '", existing.operation(), "'") : "an empty Variable"));
  if (expected && existing.shape() != *expected)
    throw ShapeError(message("[module] expected '", name, "' of shape ", *expected, ", got ", existing.shape()));
  (existing.requires_grad() ? parameters_ : buffers_).emplace_back(std::move(name), existing);
  return Parameter(existing);
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
  NamedVariables all;
  std::unordered_set<const Node*> seen;
  collect(own, "", all, seen);
  return all;
}

void Module::collect(NamedVariables Module::*own, const std::string& prefix, NamedVariables& all,
                     std::unordered_set<const Node*>& seen) const {
  for (const auto& [name, variable] : this->*own)
    if (seen.insert(variable.node()).second) all.emplace_back(prefix + name, variable);
  for (const auto& [name, child] : children_) child->collect(own, prefix + name + ".", all, seen);
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

Module::PartialLoad Module::load_matching(const StateDict& state) {
  NamedVariables all = parameters();
  for (auto& entry : buffers()) all.push_back(std::move(entry));
  PartialLoad report;
  std::unordered_set<std::string> known;
  for (const auto& [name, variable] : all) {
    known.insert(name);
    const Tensor* const found = state.find(name);
    const bool fits = found && found->shape() == variable.shape();
    (fits ? report.taken : found ? report.misshaped : report.missing).push_back(name);
    if (fits) std::copy_n(found->data(), found->size(), variable.mutable_value().data());
  }
  for (const auto& [name, tensor] : state.tensors)
    if (!known.contains(name)) report.unexpected.push_back(name);
  return report;
}

void Module::copy_from(const Module& other) {
  load_state_dict(other.state_dict());
  copy_modes(other);
}

void Module::copy_modes(const Module& other) {
  training_ = other.training_;
  for (std::size_t i = 0; i < std::min(children_.size(), other.children_.size()); ++i)
    children_[i].second->copy_modes(*other.children_[i].second);
}

EvaluationMode::EvaluationMode(Module& module) {
  note(module);
  module.eval();
}

EvaluationMode::~EvaluationMode() {
  for (const auto& [module, training] : modes_) module->train(training);
}

void EvaluationMode::note(Module& module) {
  modes_.emplace_back(&module, module.training());
  for (const auto& [name, child] : module.children()) note(*child);
}

namespace {

// While it lives, a parameter has the value of what operations record in its place.
class Replaced {
 public:
  Replaced(const Variable& parameter, const Variable& instead)
      : parameter_(parameter), value_(std::exchange(parameter.node()->value, instead.value())) {}
  Replaced(Replaced&&) = default;
  ~Replaced() {
    if (parameter_) parameter_.node()->value = std::move(value_);
  }

 private:
  Variable parameter_;
  Tensor value_;
};

}  // namespace

Variable functional_call(Module& model, const NamedVariables& parameters, const Variable& x) {
  const NamedVariables own = model.parameters();
  Substitution substitution;
  std::vector<Replaced> replaced;
  for (const auto& [name, instead] : parameters) {
    const auto found =
        std::find_if(own.begin(), own.end(), [&, &wanted = name](const auto& entry) { return entry.first == wanted; });
    if (found == own.end()) throw DataError(message("[functional_call] the model has no parameter '", name, "'"));
    const Variable& parameter = found->second;
    if (instead.shape() != parameter.shape())
      throw ShapeError(
          message("[functional_call] expected '", name, "' of shape ", parameter.shape(), ", got ", instead.shape()));
    if (substitution.add(parameter, instead)) replaced.emplace_back(parameter, instead);
  }
  return model(x);
}

}  // namespace xgrad::nn
