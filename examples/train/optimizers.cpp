#include "optimizers.h"

#include <xgrad/core/errors.h>
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
#ifdef XGRAD_HAS_LINALG
#include <xgrad/optim/kfac.h>
#include <xgrad/optim/shampoo.h>
#include <xgrad/optim/soap.h>
#endif
#include <xgrad/optim/sophia.h>
#include <xgrad/optim/step_lengths.h>
#include <xgrad/optim/wrapper.h>

#include "text.h"

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

template <class Options>
Options options_of(const OptimizerSettings& settings) {
  Options options;
  options.lr = settings.lr;
  if constexpr (requires { options.weight_decay; }) options.weight_decay = settings.weight_decay;
  if constexpr (HasMomentum<Options>) options.momentum = settings.momentum.value_or(options.momentum);
  if constexpr (HasBetas<Options>) {
    options.beta1 = settings.beta1.value_or(options.beta1);
    options.beta2 = settings.beta2.value_or(options.beta2);
  }
  return options;
}

template <class O>
std::unique_ptr<Optimizer> make(const ParameterList& parameters, const OptimizerSettings& settings) {
  return std::make_unique<O>(parameters, options_of<typename O::Options>(settings));
}

template <class O>
std::unique_ptr<Optimizer> rows(const ParameterList& parameters, const OptimizerSettings& settings) {
  auto options = options_of<typename O::Options>(settings);
  options.row_shared = true;
  return std::make_unique<O>(parameters, options);
}

std::unique_ptr<Optimizer> cautious(const ParameterList& parameters, const OptimizerSettings& settings) {
  return std::make_unique<AdamW>(parameters, options_of<AdamWOptions>(settings), CommonOptions{.cautious = true});
}

template <class Wrapper, class O>
std::unique_ptr<Optimizer> wrapped(const ParameterList& parameters, const OptimizerSettings& settings) {
  return std::make_unique<Wrapper>(make<O>(parameters, settings));
}

// Biases and norms are AdamW's, at its own rate.
template <class O>
std::unique_ptr<Optimizer> of_matrices(const ParameterList& parameters, const OptimizerSettings& settings) {
  using R = typename O::RuleType;
  auto [matrices, others] = split_matrices(parameters);
  const R rule(options_of<typename O::Options>(settings));
  if (others.empty()) return std::make_unique<RuleGroups>(RuleGroup(std::move(matrices), rule));
  return std::make_unique<RuleGroups>(RuleGroup(std::move(matrices), rule), RuleGroup(std::move(others), AdamWRule()));
}

template <class O>
constexpr OptimizerKind kind(std::string_view name, double lr, double weight_decay, std::string_view about,
                             decltype(OptimizerKind::make) maker = make<O>) {
  using Options = typename O::Options;
  return {name, about, lr, weight_decay, HasMomentum<Options>, HasBetas<Options>, maker};
}

constexpr OptimizerKind all_optimizers[] = {
    kind<Adam>("adam", 1e-3, 0, "mean of g / root of the mean of g^2"),
    kind<Adamax>("adamax", 2e-3, 0, "mean of g / largest |g|, which fades"),
    kind<AdamW>("adamw", 1e-3, 1e-2, "adam, with weight decay apart from g"),
    kind<AdamaxW>("adamaxw", 2e-3, 1e-2, "adamax, with weight decay apart from g"),
    kind<Adam>("adam-rows", 1e-3, 0, "adam, one second moment a row: half the memory", rows<Adam>),
    kind<Adamax>("adamax-rows", 8e-3, 0, "adamax, one largest |g| a row: half the memory", rows<Adamax>),
    kind<AdamW>("cautious-adamw", 1e-3, 1e-2, "adamw, where its step goes against g", cautious),
    kind<NAdam>("nadam", 2e-3, 0, "adam, with Nesterov's momentum, which looks ahead"),
    kind<RAdam>("radam", 1e-3, 0, "adam, with a warm-up of its own"),
    kind<Lion>("lion", 1e-4, 0, "sign of a mean of g: all weights move by the rate"),
    kind<Adopt>("adopt", 1e-3, 0, "mean of g / root of the mean of earlier g^2"),
    kind<Adan>("adan", 1e-3, 0, "nadam's look ahead, by differences of gradients"),
    kind<AdEMAMix>("ademamix", 1e-3, 0, "adam, with a second mean of g, of long memory"),
    kind<Muon>("muon", 2e-2, 0, "orthogonal momentum of matrices; else adamw", of_matrices<Muon>),
#ifdef XGRAD_HAS_LINALG
    kind<Shampoo>("shampoo", 1, 0, "g by roots of its moments, by matrix; else adamw", of_matrices<Shampoo>),
    kind<KFAC>("kfac", 1e-3, 0, "g by the Fisher, in two factors; else adamw", of_matrices<KFAC>),
    kind<Soap>("soap", 3e-3, 0, "adam in shampoo's eigenbasis; else adamw", of_matrices<Soap>),
#endif
    kind<Adafactor>("adafactor", 1e-2, 0, "adam, with a row and a column for g^2"),
    kind<Lamb>("lamb", 1e-2, 0, "adam, as long as the layer's weights allow"),
    kind<Lars>("lars", 10, 0, "momentum, as long as the layer's weights allow"),
    kind<Prodigy>("prodigy", 1, 0, "adam, with an estimate of its rate"),
    kind<DAdaptAdam>("d-adapt-adam", 1, 0, "the same, by D-Adaptation"),
    kind<ScheduleFreeAdamW>("sf-adamw", 2.5e-3, 0, "schedule-free adamw: an average, no schedule"),
    kind<ScheduleFreeSGD>("sf-sgd", 1, 0, "schedule-free sgd: an average, no schedule"),
    kind<Adam>("lookahead", 1e-3, 0, "adam, and slow weights that follow it", wrapped<Lookahead, Adam>),
    kind<SGD>("sam", 1e-1, 0, "sgd, by g where the loss is worst nearby", wrapped<Sam, SGD>),
    kind<Sophia>("sophia", 3e-4, 0, "mean of g / mean curvature, cut at the rate"),
    kind<AdaHessian>("adahessian", 1e-2, 0, "adam, with curvature in place of g^2"),
    kind<RMSprop>("rmsprop", 1e-3, 0, "g / root of the mean of g^2"),
    kind<Adagrad>("adagrad", 1e-2, 0, "g / root of the sum of all g^2"),
    kind<Adadelta>("adadelta", 1, 0, "rmsprop, in units of its own past steps"),
    kind<FTRL>("ftrl", 1e-1, 0, "adagrad, whose l1 makes weights exactly 0"),
    kind<ASGD>("asgd", 1e-1, 0, "sgd, and the average of its weights"),
    kind<Rprop>("rprop", 1e-3, 0, "sign of g, by lengths of its own; full batches"),
    kind<Polyak>("polyak", 1, 0, "g, as far as the loss lies above 0"),
    kind<SGD>("sgd", 1e-1, 0, "g; with --momentum a fading sum of all g"),
};

}  // namespace

std::span<const OptimizerKind> optimizer_kinds() { return all_optimizers; }

std::string optimizer_table() {
  std::string text = "Optimizers, with their defaults (g: the gradient):\n  name           lr     decay rule\n";
  for (const OptimizerKind& kind : optimizer_kinds())
    text += xgrad::message("  ", cli::pad_right(std::string(kind.name), 15), cli::pad_right(cli::shortest(kind.lr), 7),
                           cli::pad_right(cli::shortest(kind.weight_decay), 6), kind.about, "\n");
  return text;
}

}  // namespace train
