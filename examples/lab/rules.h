// The optimizers that the lab compares, by name, with the settings that it varies.
#pragma once

#include <xgrad/optim/optimizer.h>

#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace lab {

/// What is not given is the optimizer's own default. What a rule does not have is left alone. beta1 is how much of the
/// mean gradient a step keeps: the momentum of Momentum and Nesterov, but not of RMSprop, which runs without. beta2 is
/// how much of the squared gradients: RMSprop's alpha, Adadelta's rho; Lion, which has none, keeps so much of its mean.
struct Settings {
  double lr = 0;
  std::optional<double> beta1 = {}, beta2 = {}, eps = {};
  std::optional<bool> bias_correction = {};
};

struct Rule {
  std::string_view id, label;  ///< "adam", "Adam"; the id is also its colour on the page
  double lr;                   ///< a good rate for a small network
  bool has_beta2;              ///< it takes beta1 as well as beta2
  std::unique_ptr<xgrad::optim::Optimizer> (*make)(const xgrad::optim::ParameterList&, const Settings&);
};

/// SGD first. AdamW and AdamaxW are left out: without weight decay they are Adam and Adamax. More optimizers take part
/// in the race (race/racers.h).
std::span<const Rule> rules();
/// std::out_of_range for an unknown id.
const Rule& rule(std::string_view id);

}  // namespace lab
