#include <xgrad/core/errors.h>
#include <xgrad/core/parallel.h>
#include <xgrad/optim/closure.h>
#include <xgrad/optim/ranges.h>
#include <xgrad/optim/wrapper.h>

#include <cmath>

namespace xgrad::optim {

Wrapper::Wrapper(std::string_view name, std::unique_ptr<Optimizer> inner) : inner_(std::move(inner)) {
  if (!inner_) throw ValueError(message("[", name, "] expected an optimizer, got none"));
  name_ = message(name, "(", inner_->rule(), ")");
}

StateDict Wrapper::state_dict() const {
  require_trained_weights(name_, "state_dict()");
  StateDict dict{.texts = {{"rule", name_}}};
  dict.add("wrapper.", own_state());
  dict.add("inner.", inner_->state_dict());
  return dict;
}

void Wrapper::load_state_dict(const StateDict& dict) {
  require_trained_weights(name_, "load_state_dict()");
  const StateDict own = dict.below("wrapper."), of_inner = dict.below("inner.");
  StateDict rest{.texts = dict.texts};
  for (const auto& tensor : dict.tensors)
    if (!tensor.first.starts_with("wrapper.") && !tensor.first.starts_with("inner.")) rest.tensors.push_back(tensor);
  for (const auto& scalar : dict.scalars)
    if (!scalar.first.starts_with("wrapper.") && !scalar.first.starts_with("inner.")) rest.scalars.push_back(scalar);
  StateReader reader(name_, rest);
  if (const std::string other = reader.text("rule"); other != name_)
    reader.misfit("rule: expected ", name_, ", got '", printable(other), "'");
  reader.finish();
  load_own_state(own, [&] { inner_->load_state_dict(of_inner); });
}

Sam::Sam(std::unique_ptr<Optimizer> inner_optimizer, SamOptions options)
    : Wrapper("SAM", std::move(inner_optimizer)), options_(options) {
  check_positive(rule(), "rho", options_.rho);
  check_not_negative(rule(), "eta", options_.eta);
  if (inner().needs_closure())
    throw ValueError(
        message("[", rule(), "] ", inner().rule(), " needs a closure itself: its step is not one of SAM's"));
}

void Sam::step() {
  throw GraphError(message("[", rule(), "] a step needs the loss, and not its gradient alone: call step(closure)"));
}

// Goes to where the loss is worst, by its gradient, and returns where it came from.
std::vector<Tensor> Sam::climb() const {
  const auto scale = [this](Scalar theta) { return options_.adaptive ? std::abs(double(theta)) + options_.eta : 1.0; };
  double squares = 0;
  for (const auto& [name, variable] : parameters()) {
    if (!variable.has_grad()) continue;
    const Scalar *g = variable.grad().data(), *theta = variable.value().data();
    for (std::size_t i = 0; i < variable.size(); ++i) {
      const double scaled = scale(theta[i]) * double(g[i]);
      squares += scaled * scaled;
    }
  }
  const double length = options_.rho / (std::sqrt(squares) + 1e-12);
  std::vector<Tensor> before;
  for (const auto& [name, variable] : parameters()) before.push_back(variable.value());
  for (const auto& [name, variable] : parameters()) {
    if (!variable.has_grad()) continue;
    const Scalar* g = variable.grad().data();
    Scalar* theta = variable.mutable_value().data();
    for_elements(variable.size(), [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        const double unit = scale(theta[i]);
        theta[i] += static_cast<Scalar>(length * unit * unit * double(g[i]));
      }
    });
  }
  return before;
}

double Sam::step(const Closure& closure) {
  require_trained_weights(rule(), "step()");
  const double loss = static_cast<double>(evaluate(rule(), parameters(), closure).item());
  if (!std::isfinite(loss)) throw ValueError(message("[", rule(), "] the loss is ", loss));
  std::vector<Tensor> before = climb();
  struct PutBack {  // on every way out
    const ParameterList& parameters;
    std::vector<Tensor>& before;
    ~PutBack() {
      for (std::size_t i = 0; i < before.size(); ++i) parameters[i].second.mutable_value() = std::move(before[i]);
    }
  };
  {
    const PutBack guard{parameters(), before};
    const double worst = static_cast<double>(evaluate(rule(), parameters(), closure).item());
    if (!std::isfinite(worst)) throw ValueError(message("[", rule(), "] the loss at a distance of rho is ", worst));
  }
  inner().step();
  return loss;
}

StateDict Sam::own_state() const {
  return {.scalars = {{"rho", options_.rho}, {"adaptive", options_.adaptive}, {"eta", options_.eta}}};
}

void Sam::load_own_state(const StateDict& dict, const std::function<void()>& load_inner) {
  StateReader reader(rule(), dict);
  for (const auto& [name, expected] : own_state().scalars)
    if (const bool missing = !reader.has_scalar(name); reader.scalar(name) != expected && !missing)
      reader.misfit(name, ": expected ", expected);
  reader.finish();
  load_inner();
}

Lookahead::Lookahead(std::unique_ptr<Optimizer> inner_optimizer, LookaheadOptions options)
    : Wrapper("Lookahead", std::move(inner_optimizer)), options_(options) {
  check_count(rule(), "k", options_.k);
  check_positive(rule(), "alpha", options_.alpha);
  check_up_to_one(rule(), "alpha", options_.alpha);
}

bool Lookahead::needs_closure() const { return inner().needs_closure(); }

void Lookahead::begin() {
  require_trained_weights(rule(), "step()");
  if (!slow_.empty()) return;
  std::vector<Tensor> slow;
  for (const auto& [name, variable] : parameters()) slow.push_back(variable.value());
  slow_ = std::move(slow);
}

void Lookahead::follow() {
  if (++steps_ % options_.k != 0) return;
  const auto share = static_cast<Scalar>(options_.alpha);
  for (std::size_t p = 0; p < slow_.size(); ++p) {
    Scalar *slow = slow_[p].data(), *fast = parameters()[p].second.mutable_value().data();
    for_elements(slow_[p].size(), [=](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) fast[i] = slow[i] += share * (fast[i] - slow[i]);
    });
  }
}

void Lookahead::step() {
  begin();
  inner().step();
  if (!is_waiting()) follow();
}

double Lookahead::step(const Closure& closure) {
  begin();
  const double loss = inner().step(closure);
  follow();
  return loss;
}

std::size_t Lookahead::state_bytes() const {
  std::size_t bytes = Wrapper::state_bytes();
  for (const Tensor& slow : slow_) bytes += slow.size() * sizeof(Scalar);
  return bytes;
}

WeightValues Lookahead::evaluation_weights() const {
  WeightValues result;
  for (std::size_t i = 0; i < slow_.size(); ++i) result.emplace_back(parameters()[i].second, slow_[i]);
  return result;
}

StateDict Lookahead::own_state() const {
  StateDict dict{.scalars = {{"k", static_cast<double>(options_.k)},
                             {"alpha", options_.alpha},
                             {"steps", static_cast<double>(steps_)}}};
  for (std::size_t i = 0; i < slow_.size(); ++i) dict.tensors.emplace_back(parameters()[i].first + ".slow", slow_[i]);
  return dict;
}

void Lookahead::load_own_state(const StateDict& dict, const std::function<void()>& load_inner) {
  StateReader reader(rule(), dict);
  const double k = reader.scalar("k"), alpha = reader.scalar("alpha");
  if (k != static_cast<double>(options_.k) || alpha != options_.alpha)
    reader.misfit("k and alpha: expected ", options_.k, " and ", options_.alpha, ", got ", k, " and ", alpha);
  const auto steps = static_cast<std::int64_t>(reader.count("steps"));
  std::vector<Tensor> slow;
  if (steps > 0)
    for (const auto& [name, variable] : parameters())
      if (const Tensor* tensor = reader.tensor(name + ".slow", variable.shape())) slow.push_back(*tensor);
  reader.finish();
  load_inner();
  slow_ = std::move(slow), steps_ = steps;
}

}  // namespace xgrad::optim
