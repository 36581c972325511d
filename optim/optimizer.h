// The base of every optimizer. It holds named parameters in groups, counts steps, keeps state by name, and applies a
// rule (SGD, Adam, …) to the elements of each parameter, in threads. The rule adds its options, its state and its
// formulas.
#pragma once

#include <xgrad/autograd/variable.h>
#include <xgrad/core/state_dict.h>

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace xgrad::optim {

/// Names with Variables, such as model.parameters().
using ParameterList = NamedVariables;

/// A state tensor of a rule: its name, where "" is a slot not in use, and whether it holds a number for each element of
/// its parameter or for each index of the first axis (for each element, if there is no other axis).
struct Slot {
  constexpr Slot() = default;
  constexpr Slot(const char* slot_name, bool shared = false) : name(slot_name), per_row(shared) {}
  std::string_view name;
  bool per_row = false;
};
/// The shape of its tensor for a parameter of that shape.
Shape slot_shape(const Slot& slot, const Shape& parameter);
/// In the order in which the rule's update sees them.
constexpr std::size_t max_slots = 4;
using Slots = std::array<Slot, max_slots>;
/// For each slot, what its tensor is divided by to correct its bias towards the zeros it started with.
using Corrections = std::array<double, max_slots>;
constexpr Corrections no_corrections = {1, 1, 1, 1};

/// What becomes of the rows of a table that a sparse gradient (Variable::sparse_grad) leaves out.
enum class SparseRows {
  dense,  ///< they make a step with gradient 0, as if the gradient were not sparse
  lazy,   ///< they do not make this step: PyTorch's SparseAdam. Weight decay reaches the other rows only
  exact,  ///< the same as dense within rounding: they make their steps when they are next read. With weight decay or
          ///< shared state, which reach all rows at once, it is dense
};
/// The numbers of its rows.
IndexTensor row_numbers(const RowGradient& rows);

/// Options by name, as a saved state holds them: true is 1, and an enumerator its number.
using OptionValues = std::vector<std::pair<std::string_view, double>>;

struct Elements;
class MissedSteps;
struct Explanation;

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

  /// The rule, such as "Adam".
  virtual std::string_view rule() const = 0;
  /// The parameters of all groups, in order.
  const ParameterList& parameters() const { return parameters_; }
  /// The memory that the state takes. It is allocated at the first step.
  std::size_t state_bytes() const;

  virtual std::size_t group_count() const = 0;
  /// A group's learning rate, to read or to change between steps.
  virtual double& lr(std::size_t group = 0) = 0;

  /// The steps in which this parameter had a gradient. ValueError for an unknown name.
  std::int64_t step_count(std::string_view parameter) const;
  /// A state tensor, such as state("fc1.weight", "exp_avg"). ValueError where there is none (yet).
  const Tensor& state(std::string_view parameter, std::string_view slot) const;

  /// What the next step makes of the rows that the gradient of parameters()[parameter] leaves out: dense too where the
  /// gradient is not sparse.
  SparseRows left_out(std::size_t parameter) const { return left_out(parameter, plan(states_[parameter].group)); }

  /// State as "fc1.weight.exp_avg" (tensors) and "fc1.weight.step" (scalars), of the parameters that have made a step,
  /// the name of the "rule", and each group's options, as "options.0.lr".
  StateDict state_dict() const;
  /// Takes the place of all state and of the rates. DataError, before anything changes, that lists names that are
  /// missing, unexpected or of another shape, such as those of another rule, and options other than the rate that are
  /// not those of this optimizer. A state without any options is one of an earlier version.
  void load_state_dict(const StateDict& dict);

 protected:
  /// What the base needs to know of a group's options.
  struct Plan {
    double lr;
    double weight_decay = 0;
    bool decoupled = false;  ///< theta *= 1 - lr * weight_decay, rather than g += weight_decay * theta
    bool maximize = false;   ///< g = -g, before weight decay
    Slots slots = {};
    bool whole = false;             ///< each parameter is updated in one piece
    std::string_view product = {};  ///< the name of the running product, if the rule has one
    SparseRows sparse = SparseRows::dense;
  };

  Optimizer() = default;
  void add_parameters(const ParameterList& parameters);
  /// ValueError for bad options, an empty list, or a parameter or name that comes twice.
  void check_construction() const;
  /// Lets all rows catch up, and leaves the parameters alone. The last act of what knows replay().
  void settle();
  void save_options(StateDict& dict) const;
  /// The groups' rates; none where the state has no options. Other options that differ are misfits.
  std::vector<double> read_options(StateReader& reader) const;

  virtual Plan plan(std::size_t group) const = 0;
  virtual OptionValues option_values(std::size_t group) const = 0;
  /// What a group's running product, such as NAdam's of its momenta, is multiplied by in step t.
  virtual double factor(std::size_t group, double t) const = 0;
  virtual void update(const Elements& elements, std::size_t group) const = 0;
  /// Makes the steps that rows have missed, with the options of the last step but the rates of each.
  virtual void replay(const MissedSteps& missed, std::size_t group) const = 0;
  /// True where options other than the rate are not those of the last step.
  virtual bool options_changed(std::size_t group) const = 0;
  virtual void remember_options() = 0;
  virtual Corrections corrections(std::size_t group, double t) const = 0;
  virtual double bound(std::size_t group) const = 0;

 private:
  friend std::vector<Explanation> explain(const Optimizer& optimizer);
  using SlotTensors = std::array<std::optional<Tensor>, max_slots>;
  struct State {
    std::size_t group;
    std::int64_t steps = 0;
    double product = 1;
    SlotTensors slots = {};
    // Of a table in exact mode, and empty otherwise: the last step of each row (0 where it never had a gradient), and
    // the rates of the steps so far, or of the last of them.
    std::vector<std::int64_t> row_steps = {};
    std::vector<double> rates = {};
    bool behind = false;  // some row is
  };
  std::vector<Plan> checked_plans() const;
  Elements elements(const Plan& plan, const Shape& shape, SlotTensors& slots) const;
  void check_shapes(std::size_t parameter, const Plan& plan) const;
  Elements prepare(std::size_t parameter, const Plan& plan);
  std::size_t index(std::string_view parameter) const;
  SparseRows left_out(std::size_t parameter, const Plan& plan) const;
  void prepare_rows(const Elements& elements, const Plan& plan);
  void update_rows(const Elements& elements);
  void catch_up(std::size_t parameter, const IndexTensor* rows);
  void refresh(std::size_t parameter, const IndexTensor* rows);
  void forget_rows(std::size_t parameter);

  ParameterList parameters_;
  std::vector<State> states_;  // one for each parameter
  std::size_t groups_added_ = 0;
  std::mutex refreshing_;
};

/// Parameters with options of their own.
template <class Options>
struct Group {
  ParameterList parameters;
  Options options = {};
};

/// Two groups, of which the second has no weight decay: the parameters that `decays` says no to. Without it these are
/// biases and the weights of norms, which are vectors.
template <class Options>
std::vector<Group<Options>> mask_weight_decay(const ParameterList& parameters, Options options,
                                              const std::function<bool(const std::string&)>& decays = {}) {
  Options without = options;
  without.weight_decay = 0;
  std::vector<Group<Options>> groups = {{{}, options}, {{}, without}};
  for (const auto& named : parameters) {
    const bool first = decays ? decays(named.first) : named.second.shape().size() > 1;
    groups[first ? 0 : 1].parameters.push_back(named);
  }
  std::erase_if(groups, [](const Group<Options>& group) { return group.parameters.empty(); });
  return groups;
}

/// What a rule derives from: class Adam : public Rule<Adam, AdamOptions>. It has a `name` and `update(elements,
/// options)`, and whichever of the static functions below are different for it.
template <class Derived, class Options>
class Rule : public Optimizer {
 public:
  /// ValueError for options out of range, an empty list, or a parameter or name that comes twice.
  explicit Rule(ParameterList parameters, Options options = {})
      : Rule(std::vector<Group<Options>>{{std::move(parameters), options}}) {}
  explicit Rule(std::vector<Group<Options>> groups) : groups_(std::move(groups)) {
    for (const Group<Options>& group : groups_) add_parameters(group.parameters);
    check_construction();
    for (const Group<Options>& group : groups_) previous_.push_back(group.options);
  }
  ~Rule() override { settle(); }

  /// Options may be changed between steps. Which parameters there are is fixed at construction.
  std::vector<Group<Options>>& groups() { return groups_; }
  const std::vector<Group<Options>>& groups() const { return groups_; }
  std::size_t group_count() const final { return groups_.size(); }
  double& lr(std::size_t group = 0) final { return groups_.at(group).options.lr; }

  static void check(const Options&) {}                     ///< ValueError for options of its own out of range
  static Slots slots(const Options&) { return {}; }        ///< the state it keeps
  static bool decouples(const Options&) { return false; }  ///< weight decay from the gradient
  /// True where the formula is not one of single elements or rows, but takes a norm of the parameter, say, or sees a
  /// matrix: update() gets each parameter in one piece, and a sparse gradient as a dense one.
  static bool whole(const Options&) { return false; }
  /// The options that a saved state must agree with, but for lr, weight_decay, maximize and sparse, which every rule
  /// may have and which are kept anyway.
  static OptionValues values(const Options&) { return {}; }
  static SparseRows sparse(const Options& options) {  ///< what it does with sparse gradients
    if constexpr (requires { options.sparse; }) return options.sparse;
    return SparseRows::dense;
  }
  static constexpr std::string_view product = {};             ///< the name of a number that each step multiplies …
  static double factor(const Options&, double) { return 1; }  ///< … by this, in step t
  /// By what the state is divided to correct its bias, at step t, for explain().
  static Corrections corrections(const Options&, double) { return no_corrections; }
  /// The longest step that an element can make; infinite where none is known.
  static double bound(const Options&) { return std::numeric_limits<double>::infinity(); }

  std::string_view rule() const final { return Derived::name; }

 protected:
  Plan plan(std::size_t group) const final {
    const Options& options = groups_[group].options;
    Derived::check(options);
    Plan plan{.lr = options.lr,
              .decoupled = Derived::decouples(options),
              .slots = Derived::slots(options),
              .whole = Derived::whole(options),
              .product = Derived::product,
              .sparse = Derived::sparse(options)};
    if (!replays && plan.sparse == SparseRows::exact) plan.sparse = SparseRows::dense;
    if constexpr (requires { options.weight_decay; }) plan.weight_decay = options.weight_decay;
    if constexpr (requires { options.maximize; }) plan.maximize = options.maximize;
    return plan;
  }
  OptionValues option_values(std::size_t group) const final {
    const Options& options = groups_[group].options;
    OptionValues all = Derived::values(options);
    all.emplace_back("lr", options.lr);
    if constexpr (requires { options.weight_decay; }) all.emplace_back("weight_decay", options.weight_decay);
    if constexpr (requires { options.maximize; }) all.emplace_back("maximize", options.maximize);
    if constexpr (requires { options.sparse; }) all.emplace_back("sparse", static_cast<double>(options.sparse));
    return all;
  }
  double factor(std::size_t group, double t) const final { return Derived::factor(groups_[group].options, t); }
  void update(const Elements& elements, std::size_t group) const final {
    Derived::update(elements, groups_[group].options);
  }
  void replay(const MissedSteps& missed, std::size_t group) const final {
    if constexpr (replays) Derived::replay(missed, previous_[group]);
  }
  bool options_changed(std::size_t group) const final {
    if constexpr (replays) {
      Options before = previous_[group];
      before.lr = groups_[group].options.lr;
      return before != groups_[group].options;
    }
    return false;
  }
  void remember_options() final {
    for (std::size_t group = 0; group < groups_.size(); ++group) previous_[group] = groups_[group].options;
  }
  Corrections corrections(std::size_t group, double t) const final {
    return Derived::corrections(groups_[group].options, t);
  }
  double bound(std::size_t group) const final { return Derived::bound(groups_[group].options); }

 private:
  static constexpr bool replays = requires(const MissedSteps& missed, const Options& options) {
    Derived::replay(missed, options);
  };
  std::vector<Group<Options>> groups_;
  std::vector<Options> previous_;  // as they were in the last step
};

}  // namespace xgrad::optim
