// Gradients by hand, and the headers of the rules.
#pragma once

#include <xgrad/autograd/ops.h>
#include <xgrad/core/random.h>
#include <xgrad/optim/adafactor.h>
#include <xgrad/optim/adagrad.h>
#include <xgrad/optim/adam.h>
#include <xgrad/optim/adamax.h>
#include <xgrad/optim/adan.h>
#include <xgrad/optim/ademamix.h>
#include <xgrad/optim/adopt.h>
#include <xgrad/optim/lamb.h>
#include <xgrad/optim/lion.h>
#include <xgrad/optim/muon.h>
#include <xgrad/optim/nadam.h>
#include <xgrad/optim/prodigy.h>
#include <xgrad/optim/rmsprop.h>
#include <xgrad/optim/rprop.h>
#include <xgrad/optim/schedule_free.h>
#include <xgrad/optim/sgd.h>
#include <xgrad/optim/sophia.h>
#include <xgrad/optim/step_lengths.h>
#include <xgrad/optim/wrapper.h>

#include <string>

// Whose elements do not know of each other.
#define XGRAD_ELEMENTWISE_RULES                                                                            \
  optim::SGD, optim::Adagrad, optim::Adadelta, optim::RMSprop, optim::Adam, optim::AdamW, optim::Adamax,   \
      optim::AdamaxW, optim::NAdam, optim::RAdam, optim::Lion, optim::Adopt, optim::Adan, optim::AdEMAMix, \
      optim::ScheduleFreeSGD, optim::ScheduleFreeAdamW, optim::Rprop, optim::ASGD, optim::FTRL

#define XGRAD_ALL_RULES                                                                                         \
  XGRAD_ELEMENTWISE_RULES, optim::Lamb, optim::Lars, optim::Prodigy, optim::DAdaptAdam, optim::BarzilaiBorwein, \
      optim::Adafactor

namespace xgrad {

inline Variable leaf(const Tensor& values) { return Variable(values, true); }

inline void set_gradient(const Variable& variable, const Tensor& gradient) {
  variable.clear_grad();
  sum(variable * Variable(gradient)).backward();
}

inline Tensor constant(double value, std::size_t size = 1) { return full({size}, Scalar(value)); }

constexpr bool in_double = std::is_same_v<Scalar, double>;

}  // namespace xgrad
