// A rule is what a step does to one parameter: its options, its state and its formula. A rule derives from
// RuleOf<Options>, overrides what is different for it, and OptimizerOf<Rule> (rule_groups.h) is an optimizer.
#pragma once

#include <xgrad/optim/optimizer.h>
#include <xgrad/optim/saved_options.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

namespace xgrad::optim {

/// The shape of a state for a parameter of that shape. A parameter is seen as a matrix: its first axis is the rows, and
/// all others together are the columns. A vector's rows are its elements.
using ShapeOf = Shape (*)(const Shape& parameter);
Shape per_element(const Shape& parameter);         ///< the parameter's own
Shape per_row(const Shape& parameter);             ///< (rows,)
Shape per_column(const Shape& parameter);          ///< (columns,)
Shape rows_by_rows(const Shape& parameter);        ///< (rows, rows)
Shape columns_by_columns(const Shape& parameter);  ///< (columns, columns)

/// A state tensor of a rule, which begins with zeros: its name, where "" is a slot not in use, and its shape.
struct Slot {
  constexpr Slot() = default;
  constexpr Slot(const char* slot_name, ShapeOf slot_shape = per_element) : name(slot_name), shape(slot_shape) {}
  std::string_view name;
  ShapeOf shape = per_element;
};
/// In the order in which the rule's update sees them.
constexpr std::size_t max_slots = 6;
using Slots = std::array<Slot, max_slots>;
/// The place of that name among them; max_slots where there is none.
std::size_t place_of(const Slots& slots, std::string_view name);
/// The tensors of a parameter's slots; none for a slot that is not in use, or not yet.
using SlotTensors = std::array<std::optional<Tensor>, max_slots>;
/// For each slot, what its tensor is divided by to correct its bias towards the zeros it started with: 1 where it is
/// not given.
struct Corrections : std::array<double, max_slots> {
  Corrections(std::initializer_list<double> given = {}) {
    fill(1);
    std::copy(given.begin(), given.end(), begin());
  }
};

/// A number that a rule keeps from step to step, and what it begins with. "" is one not in use.
struct Number {
  std::string_view name;
  double start = 0;
};
constexpr std::size_t max_numbers = 4;
using Numbers = std::array<double, max_numbers>;
using NumberNames = std::array<Number, max_numbers>;
/// What a rule adds up over elements before any of them moves.
using Sums = std::array<double, max_numbers>;
/// Over what sums are taken, and for what the numbers are kept.
enum class Over { parameter, group };

/// The options that a rule shares with others, or their defaults where it is without.
struct SharedOptions {
  double weight_decay = 0;
  bool maximize = false;
  SparseRows sparse = SparseRows::dense;
};

/// What a step must be given besides the gradient. All but `gradient` need step(closure).
enum class Needs {
  gradient,  ///< nothing
  loss,      ///< conclude() gets the loss
  graph,     ///< observe() gets the loss with the graph behind it
  curvature  ///< observe() gets an estimate of the Hessian's diagonal: the loss must be differentiable twice
};

/// What a step is made of, as observe() gets it.
struct LossGraph {
  Variable loss;  ///< where a rule needs the graph, grad() can go through it, with retain_graph; empty in step()
  const ParameterList& parameters;  ///< of the optimizer; Elements::parameter is a place in it
  /// z * (H z) for random signs z (Hutchinson 1989; Bekas, Kokiopoulou & Saad 2007), one for each parameter, where a
  /// rule needs the curvature at this step; otherwise none.
  std::vector<Tensor> curvatures = {};
};

struct Elements;
class MissedSteps;

class Rule {
 public:
  virtual ~Rule() = default;
  virtual std::string_view name() const = 0;
  /// The formula: brings some elements of a parameter, and their state, a step forward.
  virtual void update(const Elements& elements) const = 0;

  virtual void check() const {}                         ///< ValueError for options of its own out of range
  virtual Slots slots() const { return {}; }            ///< the state it keeps
  virtual bool decays_itself() const { return false; }  ///< weight decay is a part of its formula
  virtual bool decouples() const { return false; }      ///< weight decay from the gradient
  virtual OptionValues values() const { return {}; }    ///< the options that a saved state must agree with, but for …
  virtual SparseRows sparse() const = 0;                ///< what it does with sparse gradients
  virtual std::size_t dimensions() const { return 0; }  ///< a parameter must have at least so many

  /// So many elements must not be cut apart; 0 for as many as a state per_row asks for.
  virtual std::size_t unit(const Shape&) const { return 0; }
  /// Whether update() must get each parameter in one piece, as what sees a matrix must; otherwise parameters are cut
  /// among threads, between rows where a state is per_row, and anywhere else. What is whole has its own threads, and a
  /// sparse gradient as a dense one.
  virtual bool whole() const { return false; }

  /// Where there are sums, sum() adds to them first, for all elements; it may bring state forward. Then conclude(),
  /// once for each parameter or for all of the group, brings the numbers forward, and then update() gets both. Elements
  /// are cut in the same way for any number of threads, so that a sum is too. A sparse gradient is a dense one then.
  virtual std::size_t sum_count() const { return 0; }
  virtual Over over() const { return Over::parameter; }
  virtual void sum(const Elements&, Sums&) const {}
  virtual NumberNames numbers() const { return {}; }
  virtual void conclude(Numbers&, const Sums&, double /* t: the step, from 1 */, double /* loss */) const {}

  /// What step t must be given. A rule for which some steps need the closure must say so of the first.
  virtual Needs needs(double /* t */) const { return Needs::gradient; }
  /// Where step t needs the graph or the curvature, once for those parameters of the group that make such a step: for
  /// each of them, what slots are to hold from then on. It comes before anything has changed, so that what it throws
  /// leaves all as it was.
  virtual std::vector<SlotTensors> observe(const LossGraph&, const std::vector<Elements>&) const { return {}; }

  /// Weights to evaluate with that are not those that are trained: evaluation_weights() turns theta into them.
  virtual bool evaluates_elsewhere() const { return false; }
  virtual void evaluation_weights(const Elements&) const {}

  /// By what the state is divided to correct its bias, at step t, for explain().
  virtual Corrections corrections(double) const { return {}; }
  /// The longest step that an element can make; infinite where none is known.
  virtual double bound() const { return std::numeric_limits<double>::infinity(); }

  /// Whether it can make the steps that rows have missed (SparseRows::exact): with the options of the last step, but
  /// the rates of each.
  virtual bool replays() const { return false; }
  virtual void replay(const MissedSteps&) const {}

  // RuleOf writes these.

  virtual double& lr() = 0;
  virtual SharedOptions shared() const = 0;
  virtual OptionValues all_values() const = 0;
  virtual void remember() = 0;       ///< that the options are those of the last step
  virtual bool changed() const = 0;  ///< other options than the rate are not those of the last step
};

/// A rule with these options, which have at least `lr`. They may be changed between steps.
template <class OptionsType>
class RuleOf : public Rule {
 public:
  using Options = OptionsType;
  RuleOf() = default;
  explicit RuleOf(Options given) : options(std::move(given)) { last = options; }

  SparseRows sparse() const override { return shared().sparse; }
  double& lr() final { return options.lr; }
  SharedOptions shared() const final {
    SharedOptions result;
    if constexpr (requires { options.weight_decay; }) result.weight_decay = options.weight_decay;
    if constexpr (requires { options.maximize; }) result.maximize = options.maximize;
    if constexpr (requires { options.sparse; }) result.sparse = options.sparse;
    return result;
  }
  /// values() and lr, weight_decay, maximize and sparse, where there are such options.
  OptionValues all_values() const final {
    OptionValues all = this->values();
    all.emplace_back("lr", options.lr);
    if constexpr (requires { options.weight_decay; }) all.emplace_back("weight_decay", options.weight_decay);
    if constexpr (requires { options.maximize; }) all.emplace_back("maximize", options.maximize);
    if constexpr (requires { options.sparse; }) all.emplace_back("sparse", static_cast<double>(options.sparse));
    return all;
  }
  void remember() final { last = options; }
  bool changed() const final {
    if constexpr (std::equality_comparable<Options>) {
      Options before = last;
      before.lr = options.lr;
      return before != options;
    }
    return false;
  }

  Options options;

 protected:
  Options last;  ///< the options of the last step
};

}  // namespace xgrad::optim
