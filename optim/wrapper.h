// Optimizers around an optimizer: SAM and Lookahead.
#pragma once

#include <xgrad/optim/optimizer.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace xgrad::optim {

/// The base: parameters, rates, counts and states are those of the optimizer within, which it owns.
class Wrapper : public Optimizer {
 public:
  /// Both names, such as "SAM(Adam)".
  std::string_view rule() const final { return name_; }
  const ParameterList& parameters() const final { return inner_->parameters(); }
  std::size_t group_count() const final { return inner_->group_count(); }
  double& lr(std::size_t group = 0) final { return inner_->lr(group); }
  using Optimizer::step;
  bool is_waiting() const final { return inner_->is_waiting(); }
  void zero_grad() final { inner_->zero_grad(); }
  std::size_t state_bytes() const override { return inner_->state_bytes(); }
  std::int64_t step_count(std::string_view parameter) const final { return inner_->step_count(parameter); }
  const Tensor& state(std::string_view parameter, std::string_view slot) const override {
    return inner_->state(parameter, slot);
  }
  SparseRows left_out(std::size_t parameter) const final { return inner_->left_out(parameter); }
  /// Those of the optimizer within, whose step explain() tells.
  const RuleGroups* rule_groups() const final { return inner_->rule_groups(); }
  WeightValues evaluation_weights() const override { return inner_->evaluation_weights(); }

  /// The state of the optimizer within, as "inner.…", and the wrapper's own, as "wrapper.…".
  StateDict state_dict() const final;
  void load_state_dict(const StateDict& dict) final;

 protected:
  /// ValueError for none.
  Wrapper(std::string_view name, std::unique_ptr<Optimizer> inner);
  Optimizer& inner() const { return *inner_; }
  virtual StateDict own_state() const = 0;
  /// Takes what own_state() gives: first check it all, and then call `load_inner`, which may throw, and only then
  /// change something.
  virtual void load_own_state(const StateDict& dict, const std::function<void()>& load_inner) = 0;

 private:
  std::unique_ptr<Optimizer> inner_;
  std::string name_;
};

struct SamOptions {
  double rho = 0.05;      ///< above 0: how far around the parameters the loss is to be low; for adaptive, 0.5 to 2
  bool adaptive = false;  ///< ASAM: the distance of an element is in units of its magnitude
  double eta = 0.01;      ///< at least 0: added to those magnitudes
};

/// Sharpness-aware minimization: Foret et al. 2021, Algorithm 1. The step of the optimizer within is made with the
/// gradient at theta + rho g / norm(g), the norm over all parameters; adaptive (Kwon et al. 2021, Algorithm 1), at
/// theta + rho T^2 g / norm(T g), T = abs(theta) + eta. A step calls the closure twice: a random one (dropout) draws
/// anew, and BatchNorm sees the batch twice. It has no state.
class Sam : public Wrapper {
 public:
  /// ValueError for options out of range, and for an optimizer within that needs_closure() itself.
  explicit Sam(std::unique_ptr<Optimizer> inner, SamOptions options = {});
  /// GraphError: a step needs the closure.
  void step() override;
  double step(const Closure& closure) override;
  bool needs_closure() const override { return true; }

 private:
  StateDict own_state() const override;
  void load_own_state(const StateDict& dict, const std::function<void()>& load_inner) override;
  std::vector<Tensor> climb() const;

  SamOptions options_;
};

struct LookaheadOptions {
  std::int64_t k = 5;  ///< at least 1: fast steps to a slow one
  double alpha = 0.5;  ///< in (0, 1]: the share of the way that a slow step goes
};

/// Zhang et al. 2019, Algorithm 1: after k steps of the optimizer within, slow += alpha (theta - slow), theta = slow.
/// The weights to evaluate with are the slow ones. State: a copy of the parameters' memory, "fc1.weight.slow", and
/// "steps".
class Lookahead : public Wrapper {
 public:
  /// ValueError for options out of range.
  explicit Lookahead(std::unique_ptr<Optimizer> inner, LookaheadOptions options = {});
  void step() override;
  double step(const Closure& closure) override;
  bool needs_closure() const override;
  std::size_t state_bytes() const override;
  WeightValues evaluation_weights() const override;

 private:
  StateDict own_state() const override;
  void load_own_state(const StateDict& dict, const std::function<void()>& load_inner) override;
  void begin();
  void follow();

  LookaheadOptions options_;
  std::vector<Tensor> slow_;  // from the first step on
  std::int64_t steps_ = 0;
};

}  // namespace xgrad::optim
