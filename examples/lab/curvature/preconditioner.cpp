#include "preconditioner.h"

#include <xgrad/core/errors.h>
#include <xgrad/optim/adam.h>
#include <xgrad/optim/adamax.h>

#include <cmath>

namespace lab {

using namespace xgrad;

Vector preconditioner(const optim::Optimizer& optimizer, std::size_t t, double beta1, bool corrected) {
  const bool adamax = optimizer.rule() == optim::Adamax::name;
  if (!adamax && optimizer.rule() != optim::Adam::name)
    throw ValueError(message("[preconditioner] expected Adam or Adamax, got ", optimizer.rule()));
  const optim::AdamOptions options = {.beta1 = beta1, .bias_correction = corrected};
  const auto [c1, c2, c3, c4] =
      adamax ? optim::Adamax::corrections({.beta1 = beta1, .bias_correction = corrected}, static_cast<double>(t))
             : optim::Adam::corrections(options, static_cast<double>(t));
  Vector diagonal;
  for (const auto& [name, parameter] : optimizer.parameters())
    for (const Scalar state : optimizer.state(name, adamax ? "exp_inf" : "exp_avg_sq"))
      diagonal.push_back(c1 * (adamax ? double{state} : std::sqrt(double{state} / c2) + options.eps));
  return diagonal;
}

}  // namespace lab
