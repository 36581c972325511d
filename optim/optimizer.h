// The base of every optimizer. It holds named parameters in groups, counts steps, keeps state by name, and applies a
// rule (SGD, Adam, …) to the elements of each parameter, in threads. The rule adds its options, its state and its
// formulas.
#pragma once

#include <xgrad/autograd/variable.h>
#include <xgrad/core/state_dict.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace xgrad::optim {

/// Names with Variables, such as model.parameters().
using ParameterList = NamedVariables;

/// The names of a rule's state tensors, in the order in which its update sees them. "" is a slot not in use.
constexpr std::size_t max_slots = 4;
using Slots = std::array<std::string_view, max_slots>;

struct Elements;

class Optimizer {
 public:
  virtual ~Optimizer();
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Updates each parameter that has a gradient, and counts a step for it; the others stay as they are. Results are the
  /// same bits for any number of threads. Refused before anything changes: GraphError where no parameter has a
  /// gradient, ShapeError where a gradient (or loaded state) does not have its parameter's shape, ValueError for bad
  /// options.
  void step();
  /// Forgets the gradients.
  void zero_grad();

  /// The parameters of all groups, in order.
  const ParameterList& parameters() const { return parameters_; }
  /// The memory that the state tensors take. It is allocated at the first step.
  std::size_t state_bytes() const;

  virtual std::size_t group_count() const = 0;
  /// A group's learning rate, to read or to change between steps.
  virtual double& lr(std::size_t group = 0) = 0;

  /// The steps in which this parameter had a gradient. ValueError for an unknown name.
  std::int64_t step_count(std::string_view parameter) const;
  /// A state tensor, such as state("fc1.weight", "exp_avg"). ValueError where there is none (yet).
  const Tensor& state(std::string_view parameter, std::string_view slot) const;

  /// State as "fc1.weight.exp_avg" (tensors) and "fc1.weight.step" (scalars), of the parameters that have made a step.
  StateDict state_dict() const;
  /// Takes the place of all state. DataError, before anything changes, that lists names that are missing, unexpected or
  /// of another shape, such as those of another rule.
  void load_state_dict(const StateDict& dict);

 protected:
  /// What the base needs to know of a group's options.
  struct Plan {
    double lr;
    double weight_decay = 0;
    bool decoupled = false;  ///< theta *= 1 - lr * weight_decay, rather than g += weight_decay * theta
    bool maximize = false;   ///< g = -g, before weight decay
    Slots slots = {};
  };

  Optimizer() = default;
  void add_parameters(const ParameterList& parameters);
  /// ValueError for bad options, an empty list, or a parameter or name that comes twice.
  void check_construction() const;

  virtual std::string_view rule() const = 0;
  virtual Plan plan(std::size_t group) const = 0;
  virtual void update(const Elements& elements, std::size_t group) const = 0;

 private:
  struct State {
    std::size_t group;
    std::int64_t steps = 0;
    std::array<std::optional<Tensor>, max_slots> slots = {};
  };
  std::vector<Plan> checked_plans() const;
  Elements prepare(std::size_t parameter, const Plan& plan);
  std::size_t index(std::string_view parameter) const;

  ParameterList parameters_;
  std::vector<State> states_;  // one for each parameter
  std::size_t groups_added_ = 0;
};

/// Parameters with options of their own.
template <class Options>
struct Group {
  ParameterList parameters;
  Options options = {};
};

/// What a rule derives from: class Adam : public Rule<Adam, AdamOptions>. It has a `name`, `check(options)` if it has
/// options beyond lr, weight_decay and maximize, `slots(options)` if it keeps state, and `update(elements, options)`.
template <class Derived, class Options>
class Rule : public Optimizer {
 public:
  /// ValueError for options out of range, an empty list, or a parameter or name that comes twice.
  explicit Rule(ParameterList parameters, Options options = {})
      : Rule(std::vector<Group<Options>>{{std::move(parameters), options}}) {}
  explicit Rule(std::vector<Group<Options>> groups) : groups_(std::move(groups)) {
    for (const Group<Options>& group : groups_) add_parameters(group.parameters);
    check_construction();
  }

  /// Options may be changed between steps. Which parameters there are is fixed at construction.
  std::vector<Group<Options>>& groups() { return groups_; }
  const std::vector<Group<Options>>& groups() const { return groups_; }
  std::size_t group_count() const final { return groups_.size(); }
  double& lr(std::size_t group = 0) final { return groups_.at(group).options.lr; }

  static constexpr bool decoupled_weight_decay = false;
  static void check(const Options&) {}
  static Slots slots(const Options&) { return {}; }

 protected:
  std::string_view rule() const final { return Derived::name; }
  Plan plan(std::size_t group) const final {
    const Options& options = groups_[group].options;
    Derived::check(options);
    Plan plan{.lr = options.lr, .decoupled = Derived::decoupled_weight_decay, .slots = Derived::slots(options)};
    if constexpr (requires { options.weight_decay; }) plan.weight_decay = options.weight_decay;
    if constexpr (requires { options.maximize; }) plan.maximize = options.maximize;
    return plan;
  }
  void update(const Elements& elements, std::size_t group) const final {
    Derived::update(elements, groups_[group].options);
  }

 private:
  std::vector<Group<Options>> groups_;
};

}  // namespace xgrad::optim
