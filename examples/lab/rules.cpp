#include "rules.h"

#include <xgrad/core/errors.h>
#include <xgrad/optim/adagrad.h>
#include <xgrad/optim/adam.h>
#include <xgrad/optim/adamax.h>
#include <xgrad/optim/lion.h>
#include <xgrad/optim/nadam.h>
#include <xgrad/optim/rmsprop.h>
#include <xgrad/optim/sgd.h>

#include <algorithm>
#include <stdexcept>

namespace lab {
namespace {

using namespace xgrad::optim;

template <class Optimizer, class Options>
std::unique_ptr<xgrad::optim::Optimizer> build(const ParameterList& parameters, const Settings& settings,
                                               Options options) {
  options.lr = settings.lr;
  if constexpr (requires { options.beta1; }) options.beta1 = settings.beta1.value_or(options.beta1);
  if constexpr (requires { options.beta2; }) options.beta2 = settings.beta2.value_or(options.beta2);
  if constexpr (requires { options.alpha; }) options.alpha = settings.beta2.value_or(options.alpha);
  if constexpr (requires { options.rho; }) options.rho = settings.beta2.value_or(options.rho);
  if constexpr (requires { options.eps; }) options.eps = settings.eps.value_or(options.eps);
  if constexpr (requires { options.bias_correction; }) options.bias_correction = settings.bias_correction;
  return std::make_unique<Optimizer>(parameters, options);
}

template <class Optimizer, class Options>
std::unique_ptr<xgrad::optim::Optimizer> plain(const ParameterList& parameters, const Settings& settings) {
  return build<Optimizer>(parameters, settings, Options{});
}

template <bool nesterov>
std::unique_ptr<Optimizer> momentum(const ParameterList& parameters, const Settings& settings) {
  return build<SGD>(parameters, settings, SGDOptions{.momentum = settings.beta1.value_or(0.9), .nesterov = nesterov});
}

std::unique_ptr<Optimizer> amsgrad(const ParameterList& parameters, const Settings& settings) {
  return build<Adam>(parameters, settings, AdamOptions{.amsgrad = true});
}

constexpr Rule all_rules[] = {
    {"sgd", "SGD", 1e-1, false, plain<SGD, SGDOptions>},
    {"momentum", "Momentum", 3e-2, false, momentum<false>},
    {"nesterov", "Nesterov", 3e-2, false, momentum<true>},
    {"adagrad", "Adagrad", 1e-2, false, plain<Adagrad, AdagradOptions>},
    {"adadelta", "Adadelta", 1, false, plain<Adadelta, AdadeltaOptions>},
    {"rmsprop", "RMSprop", 1e-3, false, plain<RMSprop, RMSpropOptions>},
    {"adam", "Adam", 1e-3, true, plain<Adam, AdamOptions>},
    {"amsgrad", "AMSGrad", 1e-3, true, amsgrad},
    {"adamax", "Adamax", 2e-3, true, plain<Adamax, AdamaxOptions>},
    {"nadam", "NAdam", 2e-3, true, plain<NAdam, NAdamOptions>},
    {"radam", "RAdam", 1e-3, true, plain<RAdam, RAdamOptions>},
    {"lion", "Lion", 1e-4, true, plain<Lion, LionOptions>},
};

}  // namespace

std::span<const Rule> rules() { return all_rules; }

const Rule& rule(std::string_view id) {
  const auto found =
      std::find_if(std::begin(all_rules), std::end(all_rules), [id](const Rule& one) { return one.id == id; });
  if (found == std::end(all_rules)) throw std::out_of_range(xgrad::message("there is no optimizer \"", id, "\""));
  return *found;
}

}  // namespace lab
