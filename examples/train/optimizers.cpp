#include "optimizers.h"

#include <xgrad/optim/adagrad.h>
#include <xgrad/optim/adam.h>
#include <xgrad/optim/adamax.h>
#include <xgrad/optim/lion.h>
#include <xgrad/optim/nadam.h>
#include <xgrad/optim/rmsprop.h>
#include <xgrad/optim/sgd.h>

namespace train {
namespace {

using namespace xgrad::optim;

template <class Rule, class Options>
std::unique_ptr<Optimizer> make(const ParameterList& parameters, double lr, double weight_decay) {
  return std::make_unique<Rule>(parameters, Options{.lr = lr, .weight_decay = weight_decay});
}

// With one second moment a row: half the memory.
template <class Rule, class Options>
std::unique_ptr<Optimizer> make_row_shared(const ParameterList& parameters, double lr, double weight_decay) {
  return std::make_unique<Rule>(parameters, Options{.lr = lr, .weight_decay = weight_decay, .row_shared = true});
}

constexpr OptimizerKind kinds[] = {
    {"adam", 1e-3, 0, make<Adam, AdamOptions>},
    {"adamax", 2e-3, 0, make<Adamax, AdamaxOptions>},
    {"adamw", 1e-3, 1e-2, make<AdamW, AdamWOptions>},
    {"adamaxw", 2e-3, 1e-2, make<AdamaxW, AdamaxWOptions>},
    {"adam-rows", 1e-3, 0, make_row_shared<Adam, AdamOptions>},
    {"adamax-rows", 8e-3, 0, make_row_shared<Adamax, AdamaxOptions>},
    {"nadam", 2e-3, 0, make<NAdam, NAdamOptions>},
    {"radam", 1e-3, 0, make<RAdam, RAdamOptions>},
    {"lion", 1e-4, 0, make<Lion, LionOptions>},
    {"rmsprop", 1e-3, 0, make<RMSprop, RMSpropOptions>},
    {"adagrad", 1e-2, 0, make<Adagrad, AdagradOptions>},
    {"adadelta", 1, 0, make<Adadelta, AdadeltaOptions>},
    {"sgd", 1e-1, 0, make<SGD, SGDOptions>},
};

}  // namespace

std::span<const OptimizerKind> optimizer_kinds() { return kinds; }

}  // namespace train
