// The activation functions of <xgrad/autograd/activations.h> as layers.
#pragma once

#include <xgrad/autograd/activations.h>
#include <xgrad/nn/module.h>

#include <cstddef>

namespace xgrad::nn {

namespace detail {
template <Variable (*function)(const Variable&)>
struct Activation : Module {
  Variable forward(const Variable& x) override { return function(x); }
};
}  // namespace detail

struct Tanh : detail::Activation<tanh> {};
struct Sigmoid : detail::Activation<sigmoid> {};
struct ReLU : detail::Activation<relu> {};
struct SELU : detail::Activation<selu> {};
struct SiLU : detail::Activation<silu> {};
struct Mish : detail::Activation<mish> {};
struct Softplus : detail::Activation<softplus> {};
struct ReLU6 : detail::Activation<relu6> {};
struct Hardswish : detail::Activation<hardswish> {};
struct LogSigmoid : detail::Activation<log_sigmoid> {};

struct LeakyReLU : Module {
  explicit LeakyReLU(double slope = 0.01) : negative_slope(slope) {}
  Variable forward(const Variable& x) override { return leaky_relu(x, negative_slope); }
  double negative_slope;
};

struct ELU : Module {
  explicit ELU(double scale = 1) : alpha(scale) {}
  Variable forward(const Variable& x) override { return elu(x, alpha); }
  double alpha;
};

struct CELU : Module {
  explicit CELU(double scale = 1) : alpha(scale) {}
  Variable forward(const Variable& x) override { return celu(x, alpha); }
  double alpha;
};

/// One slope, or a slope for each channel of (batch, channels, …). ShapeError where there are other channels.
struct PReLU : Module {
  explicit PReLU(std::size_t num_parameters = 1, double initial = 0.25);
  Variable forward(const Variable& x) override;
  Parameter weight;  ///< (num_parameters,)
};

struct GLU : Module {
  explicit GLU(std::ptrdiff_t along = -1) : axis(along) {}
  Variable forward(const Variable& x) override { return glu(x, axis); }
  std::ptrdiff_t axis;
};

struct GELU : Module {
  explicit GELU(Gelu which = Gelu::exact) : form(which) {}
  Variable forward(const Variable& x) override { return gelu(x, form); }
  Gelu form;
};

struct Hardtanh : Module {
  /// ValueError unless low < high.
  explicit Hardtanh(double low = -1, double high = 1);
  Variable forward(const Variable& x) override { return hardtanh(x, low_, high_); }

 private:
  double low_, high_;
};

struct Softmax : Module {
  explicit Softmax(std::ptrdiff_t along = -1) : axis(along) {}
  Variable forward(const Variable& x) override { return softmax(x, axis); }
  std::ptrdiff_t axis;
};

struct LogSoftmax : Module {
  explicit LogSoftmax(std::ptrdiff_t along = -1) : axis(along) {}
  Variable forward(const Variable& x) override { return log_softmax(x, axis); }
  std::ptrdiff_t axis;
};

}  // namespace xgrad::nn
