#include "preconditioner.h"

#include <xgrad/core/errors.h>
#include <xgrad/optim/adam.h>
#include <xgrad/optim/adamax.h>

#include <cmath>

namespace lab {

using namespace xgrad;

Vector preconditioner(const optim::Optimizer& optimizer, std::size_t t, double beta1, bool corrected) {
  const bool adamax = optimizer.rule() == "Adamax";
  if (!adamax && optimizer.rule() != "Adam")
    throw ValueError(message("[preconditioner] expected Adam or Adamax, got ", optimizer.rule()));
  const optim::AdamOptions options = {.beta1 = beta1, .bias_correction = corrected};
  const optim::Corrections corrections =
      adamax ? optim::AdamaxRule({.beta1 = beta1, .bias_correction = corrected}).corrections(static_cast<double>(t))
             : optim::AdamRule(options).corrections(static_cast<double>(t));
  Vector diagonal;
  for (const auto& [name, parameter] : optimizer.parameters())
    for (const Scalar state : optimizer.state(name, adamax ? "exp_inf" : "exp_avg_sq"))
      diagonal.push_back(corrections[0] *
                         (adamax ? double{state} : std::sqrt(double{state} / corrections[1]) + options.eps));
  return diagonal;
}

}  // namespace lab
