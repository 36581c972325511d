// The base of layers and models.
#pragma once

#include <xgrad/autograd/variable.h>
#include <xgrad/core/random.h>

#include <concepts>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace xgrad::nn {

/// A Variable that a module has registered: trained, saved and loaded under a name. Copying it is copying a handle, and
/// a Variable may hold it. Nothing is to be assigned to it, since forward() would then use what the module does not
/// know: it does not compile, nor does the assignment of a layer that has one. Change its value with mutable_value();
/// use one in two places with share().
class Parameter : public Variable {
 public:
  explicit Parameter() = default;  ///< empty: a layer without a bias, say
  Parameter(const Parameter&) = default;
  Parameter(Parameter&&) = default;
  Parameter& operator=(const Parameter&) = delete;

 private:
  friend class Module;
  explicit Parameter(Variable variable) : Variable(std::move(variable)) {}
};

/// A layer or a model: named parameters, buffers and children, and what they compute.
///
///   struct Residual : nn::Module {
///     explicit Residual(std::size_t width) : hidden(add<nn::Linear>("hidden", width, width)) {}
///     Variable forward(const Variable& x) override { return x + scale * hidden(x); }
///
///     nn::Linear& hidden;
///     nn::Parameter scale = param("scale", ones({1}));
///   };
///
/// Modules move and do not copy. Children live on the heap, so references to them stay valid when the module moves.
///
/// In evaluation forward() changes nothing, so that several threads may predict with one model at once, each under a
/// NoGrad of its own, as long as nobody trains or changes it meanwhile. Every layer keeps this promise.
class Module {
 public:
  using Children = std::vector<std::pair<std::string, std::unique_ptr<Module>>>;

  Module() = default;
  Module(Module&&) = default;
  Module& operator=(Module&&) = default;
  virtual ~Module();

  /// ValueError in a module that does not override it, because it takes other inputs than one Variable: that has a
  /// function of its own for them. Where it is called forward() too, `using Module::forward;` keeps this one in sight.
  virtual Variable forward(const Variable& x);
  /// Call this rather than forward(): it flushes subnormal numbers to zero meanwhile, and summary() sees it.
  Variable operator()(const Variable& x);

  /// This module's parameters and then its children's, under dotted names such as "fc1.weight". One that is shared is
  /// listed once, under the first of its names: it is trained, saved and loaded once.
  NamedVariables parameters() const { return collect(&Module::parameters_); }
  NamedVariables buffers() const { return collect(&Module::buffers_); }
  const Children& children() const { return children_; }

  /// Switches between training and evaluation, here and below. Gradients have nothing to do with it: see NoGrad.
  void train(bool on = true);
  void eval() { train(false); }
  bool training() const { return training_; }

  void zero_grad();
  /// Whether the parameters here and below get gradients. Those that do not cost none to compute, lose the gradients
  /// that they have, and optimizers leave them as they are: a network from elsewhere, of which only the end is trained.
  void requires_grad(bool on);

  /// Copies of all parameters and then all buffers, by name.
  StateDict state_dict() const;
  /// Takes over the values. DataError that lists every missing, unexpected, repeated and misshaped name, before
  /// anything changes, unless the state holds exactly this module's names and shapes.
  void load_state_dict(const StateDict& state);
  /// Takes over the values whose names and shapes fit, and says what became of all: a network whose last layer is for
  /// other classes, say. `missing` names stay as they are.
  struct PartialLoad {
    std::vector<std::string> taken, missing, unexpected, misshaped;
  };
  PartialLoad load_matching(const StateDict& state);
  /// Takes over all values, and which modules train. DataError unless names and shapes are the same.
  void copy_from(const Module& other);

 protected:
  // Each of these throws ValueError for a name that is empty, has a dot, or is taken already.

  Parameter param(std::string name, Tensor value);
  /// A value without gradient that is part of the state, such as a running mean.
  Parameter buffer(std::string name, Tensor value);
  /// Registers what exists, such as another layer's weight, also under this name: tied weights. A Variable that
  /// requires no gradient becomes a buffer. ShapeError unless it has the expected shape; ValueError for an empty one,
  /// and for the output of an operation.
  Parameter share(std::string name, const Variable& existing, const std::optional<Shape>& expected = {});
  template <class T, class... Args>
  T& add(std::string name, Args&&... args) {
    require_free(name);
    return static_cast<T&>(adopt(std::move(name), std::make_unique<T>(std::forward<Args>(args)...)));
  }
  Module& adopt(std::string name, std::unique_ptr<Module> child);

 private:
  void require_free(const std::string& name) const;
  void copy_modes(const Module& other);
  NamedVariables collect(NamedVariables Module::*own) const;
  void collect(NamedVariables Module::*own, const std::string& prefix, NamedVariables& all,
               std::unordered_set<const Node*>& seen) const;

  NamedVariables parameters_, buffers_;
  Children children_;
  bool training_ = true;
};

/// The module and all below it in evaluation, while it lives; each is in its own mode again afterwards.
class EvaluationMode {
 public:
  explicit EvaluationMode(Module& module);
  ~EvaluationMode();
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  void note(Module& module);
  std::vector<std::pair<Module*, bool>> modes_;  // parents first
};

/// A second module with values of its own: `make` constructs one of the same kind, and what this draws does not count.
///
///   nn::Sequential teacher = nn::clone(model, make_model);
template <std::invocable Make>
auto clone(const Module& original, Make make) {
  const Generator before = default_generator();
  auto copy = make();
  default_generator() = before;
  copy.copy_from(original);
  return copy;
}

/// model(x) with other values in place of some parameters, by their names, through which gradients flow: a step of an
/// inner training that is itself differentiated (Finn et al. 2017, MAML). The model is as before afterwards, and nobody
/// else may use it meanwhile. DataError for a name that the model does not have, ShapeError for another shape.
Variable functional_call(Module& model, const NamedVariables& parameters, const Variable& x);

/// The module and all below it, a line each, with the shapes of their own parameters.
std::ostream& operator<<(std::ostream& out, const Module& module);

namespace detail {
/// The shape of a new parameter. ValueError, in the name of `operation`, for sizes outside 1 to 2^31.
Shape checked_sizes(std::string_view operation, Shape shape);

/// 1 for each of the first lengths[n] steps of sequence n, and 0 for its padding: (batch, steps). In the name of
/// `operation`, ShapeError unless there is a length for each sequence, ValueError for one outside 1 to `steps`.
Tensor steps_inside(std::string_view operation, const std::vector<std::size_t>& lengths, std::size_t batch,
                    std::size_t steps);
}  // namespace detail

}  // namespace xgrad::nn
