#include "optimizers.h"

#include <xgrad/optim/adam.h>
#include <xgrad/optim/adamax.h>
#include <xgrad/optim/rmsprop.h>
#include <xgrad/optim/sgd.h>

namespace train {
namespace {

using namespace xgrad::optim;

template <class Rule, class Options>
std::unique_ptr<Optimizer> make(const ParameterList& parameters, double lr, double weight_decay) {
  return std::make_unique<Rule>(parameters, Options{.lr = lr, .weight_decay = weight_decay});
}

constexpr OptimizerKind kinds[] = {
    {"adam", 1e-3, 0, make<Adam, AdamOptions>},       {"adamax", 2e-3, 0, make<Adamax, AdamaxOptions>},
    {"adamw", 1e-3, 1e-2, make<AdamW, AdamWOptions>}, {"rmsprop", 1e-3, 0, make<RMSprop, RMSpropOptions>},
    {"sgd", 1e-1, 0, make<SGD, SGDOptions>},
};

}  // namespace

std::span<const OptimizerKind> optimizer_kinds() { return kinds; }

}  // namespace train
