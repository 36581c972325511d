#include "optimizers.h"

#include <xgrad/optim/adagrad.h>
#include <xgrad/optim/adam.h>
#include <xgrad/optim/adamax.h>
#include <xgrad/optim/adan.h>
#include <xgrad/optim/ademamix.h>
#include <xgrad/optim/adopt.h>
#include <xgrad/optim/lion.h>
#include <xgrad/optim/nadam.h>
#include <xgrad/optim/rmsprop.h>
#include <xgrad/optim/sgd.h>

namespace train {
namespace {

using namespace xgrad::optim;

template <class Options>
concept HasMomentum = requires(Options options) {
  options.momentum;
};
template <class Options>
concept HasBetas = requires(Options options) {
  options.beta1, options.beta2;
};

template <class Rule, class Options, bool rows>
std::unique_ptr<Optimizer> make(const ParameterList& parameters, const OptimizerSettings& settings) {
  Options options{.lr = settings.lr, .weight_decay = settings.weight_decay};
  if constexpr (rows) options.row_shared = true;
  if constexpr (HasMomentum<Options>) options.momentum = settings.momentum.value_or(options.momentum);
  if constexpr (HasBetas<Options>) {
    options.beta1 = settings.beta1.value_or(options.beta1);
    options.beta2 = settings.beta2.value_or(options.beta2);
  }
  return std::make_unique<Rule>(parameters, options);
}

template <class Rule, class Options, bool rows = false>
constexpr OptimizerKind kind(std::string_view name, double lr, double weight_decay, std::string_view about) {
  return {name, about, lr, weight_decay, HasMomentum<Options>, HasBetas<Options>, make<Rule, Options, rows>};
}

constexpr OptimizerKind all_optimizers[] = {
    kind<Adam, AdamOptions>("adam", 1e-3, 0, "mean of g / root of the mean of g^2 (Kingma & Ba)"),
    kind<Adamax, AdamaxOptions>("adamax", 2e-3, 0, "mean of g / largest |g|, which fades (Kingma & Ba)"),
    kind<AdamW, AdamWOptions>("adamw", 1e-3, 1e-2, "adam, with weight decay apart from the gradient"),
    kind<AdamaxW, AdamaxWOptions>("adamaxw", 2e-3, 1e-2, "adamax, with weight decay apart from the gradient"),
    kind<Adam, AdamOptions, true>("adam-rows", 1e-3, 0, "adam, one second moment per row: half the memory"),
    kind<Adamax, AdamaxOptions, true>("adamax-rows", 8e-3, 0, "adamax, one largest |g| per row: half the memory"),
    kind<NAdam, NAdamOptions>("nadam", 2e-3, 0, "adam, with momentum that looks ahead (Nesterov's)"),
    kind<RAdam, RAdamOptions>("radam", 1e-3, 0, "adam, with a warm-up of its own"),
    kind<Lion, LionOptions>("lion", 1e-4, 0, "sign of a mean of g: each weight moves by the rate"),
    kind<Adopt, AdoptOptions>("adopt", 1e-3, 0, "mean of g / root of the mean of earlier g^2"),
    kind<Adan, AdanOptions>("adan", 1e-3, 0, "nadam's look ahead, by differences of gradients"),
    kind<AdEMAMix, AdEMAMixOptions>("ademamix", 1e-3, 0, "adam, with a second mean of g that reaches far back"),
    kind<RMSprop, RMSpropOptions>("rmsprop", 1e-3, 0, "g / root of the mean of g^2"),
    kind<Adagrad, AdagradOptions>("adagrad", 1e-2, 0, "g / root of the sum of all g^2"),
    kind<Adadelta, AdadeltaOptions>("adadelta", 1, 0, "rmsprop, in units of its own past steps"),
    kind<SGD, SGDOptions>("sgd", 1e-1, 0, "g; with --momentum a fading sum of all g"),
};

}  // namespace

std::span<const OptimizerKind> optimizer_kinds() { return all_optimizers; }

}  // namespace train
