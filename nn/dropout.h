// Dropout: Srivastava et al. 2014.
#pragma once

#include <xgrad/nn/module.h>

namespace xgrad::nn {

/// In training it sets each element to 0 with probability p and divides the others by 1 - p, so that the mean stays. In
/// evaluation it returns its input. It draws from default_generator(). ValueError unless 0 <= p < 1.
class Dropout : public Module {
 public:
  explicit Dropout(double p = 0.5);
  Variable forward(const Variable& x) override;

 protected:
  /// x with one draw for each element of `shape`, which broadcasts to x's.
  Variable drop(const Variable& x, const Shape& shape) const;

 private:
  double p_;
};

/// Drops whole channels of (batch, channels, height, width): Tompson et al. 2015. ShapeError for other inputs.
struct Dropout2d : Dropout {
  using Dropout::Dropout;
  Variable forward(const Variable& x) override;
};

}  // namespace xgrad::nn
