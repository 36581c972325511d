// What every optimizer is to schedules, checkpoints and training loops.
#pragma once

#include <xgrad/autograd/variable.h>
#include <xgrad/core/state_dict.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xgrad::optim {

/// Names with Variables, such as model.parameters().
using ParameterList = NamedVariables;

/// Computes the loss, a scalar, at the parameters as they are; no backward(), which is the caller's part.
using Closure = std::function<Variable()>;

/// What becomes of the rows of a table that a sparse gradient (autograd/table.h) leaves out.
enum class SparseRows {
  dense,  ///< they make a step with gradient 0, as if the gradient were not sparse
  lazy,   ///< they do not make this step: PyTorch's SparseAdam. Weight decay reaches the other rows only
  exact,  ///< the same as dense within rounding: they make their steps when they are next read. With weight decay or
          ///< shared state, which reach all rows at once, it is dense
};

/// Parameters with values for them.
using WeightValues = std::vector<std::pair<Variable, Tensor>>;

struct Explanation;
class Optimizer;

/// Something that knows weights to evaluate with which are not those that are trained: an average, say.
class WeightSource {
 public:
  virtual ~WeightSource() = default;
  /// Those weights; nothing where the trained ones are to be used.
  virtual WeightValues evaluation_weights() const = 0;

 protected:
  friend std::vector<Explanation> explain(const Optimizer& optimizer);
  /// GraphError, in the name of `owner`, while an EvaluationWeights lives.
  void require_trained_weights(std::string_view owner, std::string_view operation) const;

 private:
  friend class EvaluationWeights;
  bool swapped_in_ = false;
};

/// While it lives, the parameters are the source's weights to evaluate with: { const EvaluationWeights
/// guard(optimizer); evaluate(model); }. Where these are the trained ones nothing is copied. GraphError within another
/// one of the same source. Steps, and states to be saved, are refused meanwhile.
class EvaluationWeights {
 public:
  explicit EvaluationWeights(WeightSource& source);
  ~EvaluationWeights();
  EvaluationWeights(const EvaluationWeights&) = delete;
  EvaluationWeights& operator=(const EvaluationWeights&) = delete;

 private:
  WeightSource& source_;
  WeightValues trained_;
};

class RuleGroups;

class Optimizer : public WeightSource {
 public:
  Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Its name, such as "Adam".
  virtual std::string_view rule() const = 0;
  /// The parameters of all groups, in order.
  virtual const ParameterList& parameters() const = 0;

  /// Updates each parameter that has a gradient; the others stay as they are. Results are the same bits for any number
  /// of threads. Refused before anything changes: GraphError where no parameter has a gradient, and where the step
  /// needs_closure(); ShapeError where a gradient (or loaded state) does not have its parameter's shape, ValueError for
  /// bad options.
  virtual void step() = 0;
  /// Forgets the gradients, calls the closure, as often as the method asks for, and makes a step. Returns the loss
  /// where the step began, or, for methods that search along a line, where it ended. ValueError for an empty closure
  /// and for a loss that is NaN or infinite, GraphError where it depends on no parameter.
  virtual double step(const Closure& closure);
  /// True where gradients alone are not enough for a step: step(closure) has to be called.
  virtual bool needs_closure() const { return false; }
  /// True after a step() that only took a gradient, and waits for those of other parts of the batch (distributed.h).
  virtual bool is_waiting() const { return false; }
  /// Forgets the gradients.
  virtual void zero_grad();

  virtual std::size_t group_count() const { return 1; }
  /// A group's learning rate, to read or to change between steps.
  virtual double& lr(std::size_t group = 0) = 0;

  /// The memory that the state takes. It is allocated at the first step.
  virtual std::size_t state_bytes() const = 0;
  /// The steps that this parameter has made. ValueError for an unknown name.
  virtual std::int64_t step_count(std::string_view parameter) const = 0;
  /// A state tensor of a parameter, such as state("fc1.weight", "exp_avg"). ValueError where there is none (yet).
  virtual const Tensor& state(std::string_view parameter, std::string_view slot) const;

  /// Everything that the next steps depend on, but the parameters, and options, as "options.0.lr".
  virtual StateDict state_dict() const = 0;
  /// Takes the place of all state and of the rates. DataError, before anything changes, that lists names that are
  /// missing, unexpected or of another shape, such as those of another rule, and options other than the rate that are
  /// not those of this optimizer. A state without any options is one of an earlier version.
  virtual void load_state_dict(const StateDict& dict) = 0;

  /// None, unless the optimizer is one.
  WeightValues evaluation_weights() const override { return {}; }
  /// What the next step makes of the rows that the gradient of parameters()[parameter] leaves out: dense too where the
  /// gradient is not sparse.
  virtual SparseRows left_out(std::size_t) const { return SparseRows::dense; }
  /// What makes the steps, where these are the formulas of a Rule; else null.
  virtual const RuleGroups* rule_groups() const { return nullptr; }
};

/// The place of a parameter in the list. ValueError, in the name of `owner`, where it is not there.
std::size_t index_of(std::string_view owner, const ParameterList& parameters, std::string_view name);

}  // namespace xgrad::optim
