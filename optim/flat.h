// The base of methods that see all parameters as one vector, and call the closure themselves, as often as they like.
#pragma once

#include <xgrad/optim/closure.h>
#include <xgrad/optim/line_search.h>
#include <xgrad/optim/saved_options.h>

namespace xgrad::optim {

class FlatOptimizer : public Optimizer {
 public:
  const ParameterList& parameters() const final { return parameters_; }
  bool needs_closure() const final { return true; }
  /// GraphError: a step needs the closure.
  void step() final;
  /// ValueError where the loss or gradient is NaN or infinite at the first call of the closure, GraphError where it
  /// depends on no parameter, ShapeError where a parameter or its gradient is not of the shape that the parameter had
  /// at construction.
  double step(const Closure& closure) override = 0;
  std::int64_t step_count(std::string_view parameter) const final;

 protected:
  /// ValueError, in the optimizer's name, as from check_parameters().
  FlatOptimizer(std::string_view name, ParameterList parameters);

  /// What is known at x + length d, where the parameters then stay; the gradient is over all parameters, 0 for one that
  /// does not matter to the loss. A loss that is NaN or infinite has no gradient; a gradient that is makes a NaN of the
  /// loss.
  LinePoint look(const Closure& closure, const Tensor& x, double length, const Tensor& d) const;
  /// ValueError where the loss at the start is NaN or infinite.
  void check_start(double loss) const;
  /// The begin of a saved state: the name of the method, and "steps". The reverse notes another name.
  StateDict head() const;
  std::int64_t read_head(StateReader& reader) const;
  /// The parameters, one after the other.
  Tensor values() const;
  void assign(const Tensor& values) const;
  /// How many elements all of them have.
  std::size_t size() const;
  /// Parts of a vector over all parameters, each in the shape of its parameter.
  std::vector<Tensor> parts(const Tensor& flat) const;
  /// Variables one after the other; zeros for an empty one.
  Tensor flat(const std::vector<Variable>& all) const;

  static double dot(const Tensor& a, const Tensor& b);          ///< summed in double
  static void add(Tensor& to, double factor, const Tensor& x);  ///< to += factor x
  static double largest(const Tensor& x);                       ///< magnitude; 0 for no elements

  std::int64_t steps_ = 0;

 private:
  void check_shape(std::size_t parameter, const Shape& got) const;

  ParameterList parameters_;
  std::vector<Shape> shapes_;  // of the parameters at construction
};

}  // namespace xgrad::optim
