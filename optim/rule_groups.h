// The optimizer that applies rules (SGD, Adam, …) to groups of parameters. It counts steps, keeps state by name, and
// walks the elements of each parameter in threads.
#pragma once

#include <xgrad/optim/rule.h>

#include <memory>
#include <mutex>

namespace xgrad::optim {

struct Explanation;

/// What any rule can be asked for besides its own options.
struct CommonOptions {
  /// At least 0. theta *= 1 - lr * decoupled_weight_decay before the step: Loshchilov & Hutter 2019. It comes on top of
  /// the rule's own weight_decay.
  double decoupled_weight_decay = 0;
  /// Elements whose step does not go against their gradient stay where they are, and the others go n / (k + 1) times
  /// as far, where k of the parameter's n elements move: Liang et al. 2024, Algorithm 1. Weight decay is not masked.
  bool cautious = false;
};

/// Parameters with a rule, and its options, of their own: RuleGroup({…}, MuonRule({.lr = 0.02})).
struct RuleGroup {
  template <std::derived_from<Rule> R>
  RuleGroup(ParameterList list, R group_rule, CommonOptions common_options = {})
      : parameters(std::move(list)), rule(std::make_unique<R>(std::move(group_rule))), common(common_options) {}
  ParameterList parameters;
  std::unique_ptr<Rule> rule;
  CommonOptions common;
};

/// A number of groups in one optimizer and one checkpoint. Rules may be mixed:
///
///   RuleGroups optimizer(RuleGroup(matrices, MuonRule({.lr = 0.02})), RuleGroup(others, AdamWRule({.lr = 1e-3})));
class RuleGroups : public Optimizer {
 public:
  /// ValueError for options out of range, an empty list, a parameter or name that comes twice, or a parameter of fewer
  /// dimensions than its rule needs.
  template <std::same_as<RuleGroup>... Groups>
  explicit RuleGroups(RuleGroup first, Groups... others) {
    add(std::move(first));
    (add(std::move(others)), ...);
    check_construction();
  }
  ~RuleGroups() override;

  /// The names of the rules, such as "Adam", or "Muon + AdamW".
  std::string_view rule() const override { return name_; }
  const ParameterList& parameters() const override { return parameters_; }
  std::size_t group_count() const override { return groups_.size(); }
  double& lr(std::size_t group = 0) override { return rule_of(group).lr(); }
  Rule& rule_of(std::size_t group) { return *groups_.at(group).rule; }
  CommonOptions& common(std::size_t group = 0) { return groups_.at(group).common; }

  using Optimizer::step;
  /// GraphError where a rule needs the loss, too.
  void step() override;
  double step(const Closure& closure) override;
  bool needs_closure() const override;

  std::size_t state_bytes() const override;
  std::int64_t step_count(std::string_view parameter) const override;
  const Tensor& state(std::string_view parameter, std::string_view slot) const override;
  /// A number that the parameter's rule keeps, such as number("fc1.weight", "mu_product").
  double number(std::string_view parameter, std::string_view name) const;
  SparseRows left_out(std::size_t parameter) const override;
  /// The least that makes its steps as if it were alone: a parameter's rows could be parameters of their own, say.
  enum class Unit { row, parameter, group };
  Unit independent_unit(std::size_t parameter) const;

  /// State as "fc1.weight.exp_avg" (tensors) and "fc1.weight.step" (scalars), of the parameters that have made a step,
  /// numbers as "fc1.weight.mu_product" or "groups.0.d", the name of the "rule", and each group's options, as
  /// "options.0.lr".
  StateDict state_dict() const override;
  void load_state_dict(const StateDict& dict) override;
  WeightValues evaluation_weights() const override;
  const RuleGroups* rule_groups() const override { return this; }

 protected:
  RuleGroups() = default;
  void add(RuleGroup group);
  void check_construction();
  /// Lets all rows catch up, and leaves the parameters alone.
  void settle();

 private:
  friend std::vector<Explanation> explain(const Optimizer& optimizer);
  struct Applied {
    std::unique_ptr<Rule> rule;
    CommonOptions common;
    Numbers numbers = {};
  };
  /// What a step needs to know of a group.
  struct Plan {
    double lr, weight_decay, shrink;
    bool maximize;
    Slots slots;
    SparseRows sparse;
  };
  struct State {
    std::size_t group;
    std::int64_t steps = 0;
    Numbers numbers = {};
    SlotTensors slots = {};
    // Of a table in exact mode, and empty otherwise: the last step of each row (0 where it never had a gradient), and
    // the rates of the steps so far, or of the last of them.
    std::vector<std::int64_t> row_steps = {};
    std::vector<double> rates = {};
    bool behind = false;  // some row is
  };
  void step(const LossGraph& graph);
  std::vector<Tensor> estimate_curvature(const Variable& loss, bool retain_graph) const;
  std::vector<SlotTensors> observe(const LossGraph& graph, const std::vector<Elements>& work) const;
  Plan plan(std::size_t group) const;
  std::vector<Plan> checked_plans() const;
  void check_shapes(std::size_t parameter, const Plan& plan) const;
  Elements elements(const Plan& plan, std::size_t parameter, SlotTensors& slots) const;
  void run(std::vector<Elements>& work, double loss) const;
  void update(std::vector<Elements>& work) const;
  void add_sums(std::vector<Elements>& work, double loss) const;
  SparseRows left_out(std::size_t parameter, const Plan& plan) const;
  void prepare_rows(const Elements& elements, const Plan& plan);
  void update_rows(const Elements& elements);
  void catch_up(std::size_t parameter, const IndexTensor* rows);
  void refresh(std::size_t parameter, const IndexTensor* rows);
  void forget_rows(std::size_t parameter);
  static Numbers first_numbers(const Rule& rule);
  static bool has_stepped(const std::vector<State>& states, std::size_t group);
  std::vector<OptionValues> all_options() const;

  ParameterList parameters_;
  std::vector<State> states_;  // one for each parameter
  std::vector<Applied> groups_;
  std::string name_;
  std::mutex refreshing_;
};

/// Parameters with options of their own, for an optimizer of one rule.
template <class Options>
struct Group {
  ParameterList parameters;
  Options options = {};
  CommonOptions common = {};
};

/// Two groups, of which the second has no weight decay: the parameters that `decays` says no to. Without it these are
/// biases and the weights of norms, which are vectors.
template <class Options>
std::vector<Group<Options>> mask_weight_decay(const ParameterList& parameters, Options options,
                                              const std::function<bool(const std::string&)>& decays = {}) {
  Options without = options;
  without.weight_decay = 0;
  std::vector<Group<Options>> groups = {{{}, options, {}}, {{}, without, {}}};
  for (const auto& named : parameters) {
    const bool first = decays ? decays(named.first) : named.second.shape().size() > 1;
    groups[first ? 0 : 1].parameters.push_back(named);
  }
  std::erase_if(groups, [](const Group<Options>& group) { return group.parameters.empty(); });
  return groups;
}

/// The parameters of two dimensions or more, which rules of matrices are for, and the others.
std::pair<ParameterList, ParameterList> split_matrices(const ParameterList& parameters);

/// An optimizer of one rule: using Adam = OptimizerOf<AdamRule>.
template <std::derived_from<Rule> R>
class OptimizerOf : public RuleGroups {
 public:
  using RuleType = R;
  using Options = typename R::Options;
  /// ValueError for options out of range, an empty list, or a parameter or name that comes twice.
  explicit OptimizerOf(ParameterList parameters, Options options = {}, CommonOptions common = {})
      : OptimizerOf(std::vector<Group<Options>>{{std::move(parameters), options, common}}) {}
  explicit OptimizerOf(std::vector<Group<Options>> groups) {
    for (Group<Options>& group : groups) add(RuleGroup(std::move(group.parameters), R(group.options), group.common));
    if (groups.empty()) add(RuleGroup({}, R()));  // which refuses it
    check_construction();
  }

  /// groups()[0].options may be changed between steps. Which parameters there are is fixed at construction.
  struct Rules {
    R& operator[](std::size_t group) const { return static_cast<R&>(of->rule_of(group)); }
    std::size_t size() const { return of->group_count(); }
    OptimizerOf* of;
  };
  Rules groups() { return {this}; }
};

}  // namespace xgrad::optim
