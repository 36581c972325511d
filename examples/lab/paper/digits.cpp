// The paper's experiments on digits: logistic regression, and two hidden layers.
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/activations.h>
#include <xgrad/nn/dropout.h>
#include <xgrad/nn/flatten.h>
#include <xgrad/nn/linear.h>

#include "../compare.h"
#include "paper.h"

namespace lab {
namespace {

using namespace xgrad;

struct Layers {
  std::vector<std::size_t> widths;
  double dropout;
};

nn::Sequential network(const Layers& layers, std::uint64_t weights) {
  seed(weights);  // of the weights, and then of the dropout
  nn::Sequential model{nn::Flatten()};
  std::size_t in = 28 * 28;
  for (const std::size_t width : layers.widths) {
    model.push_back(nn::Linear(in, width));
    model.push_back(nn::ReLU());
    if (layers.dropout > 0) model.push_back(nn::Dropout(layers.dropout));
    in = width;
  }
  model.push_back(nn::Linear(in, 10));
  return model;
}

Experiment on_digits(const Context& context, const Layers& layers, Experiment experiment) {
  experiment.train = [&context, layers](const Contender& one, double lr, std::uint64_t one_seed, std::size_t steps) {
    nn::Sequential model = network(layers, one_seed);
    const auto optimizer = rule(one.id).make(model.parameters(), {.lr = lr});
    return train(model, *optimizer, context.data.train,
                 {.steps = steps, .batch_size = paper_batch_size, .seed = one_seed, .schedule = rate_of(one)});
  };
  experiment.passes =
      static_cast<double>(experiment.steps * paper_batch_size) / static_cast<double>(context.data.train.size());
  return experiment;
}

}  // namespace

std::vector<Experiment> paper_experiment_list(const Context& context) {
  const char *absent = "not in it", *behind = "behind Adam", *not_compared = "not compared";
  const std::vector<std::size_t> widths(2, context.pick<std::size_t>(100, 1000));
  const auto contenders = [](const char* first, const char* others, const char* last) {
    return std::vector<Contender>{{"adam", 1e-2, first},     {"nesterov", 3e-1, others}, {"rmsprop", 1e-2, others},
                                  {"adagrad", 3e-2, others}, {"adadelta", 3, others},    {"adamax", 3e-2, last}};
  };
  const std::vector<Statement> adam_ahead = {
      {"adam", "adagrad", true}, {"adam", "rmsprop", true}, {"adam", "nesterov", true}, {"adam", "adadelta", true}};
  // A step of the paper's networks takes long: fewer rates are tried.
  const SweepOptions short_sweep = {.trials = 5, .halvings = 1};
  const std::string layers = context.quick ? std::string(say::layers_quick{.width = widths[0]})
                                           : std::string(say::layers_full{.width = widths[0]});
  std::vector<Experiment> all;
  all.push_back(
      on_digits(context, {{}, 0},
                {.name = "logistic",
                 .title = say::logistic_title{},
                 .words = say::logistic_words{.alike = 100 * alike},
                 .train = {},
                 .sweep_steps = context.pick<std::size_t>(80, 1000),
                 .steps = context.pick<std::size_t>(160, 4500),
                 .passes = 0,
                 .paper_passes = 45,
                 .contenders = {{"adam", 3e-2, "1 to 2"},
                                {"nesterov", 3e-1, "1 to 2"},
                                {"adagrad", 1e-1, "3"},
                                {"adamax", 3e-2, absent},
                                {"rmsprop", 3e-2, absent}},
                 .statements = {{"adam", "nesterov", false}, {"adam", "adagrad", true}, {"nesterov", "adagrad", true}},
                 .share = context.pick(0.2, 0.1)}));
  all.push_back(sparse_experiment(context));
  all.push_back(on_digits(context, {widths, 0.5},
                          {.name = "dropout",
                           .title = say::dropout_title{},
                           .words = say::dropout_words{.layers = layers},
                           .train = {},
                           .sweep_steps = context.pick<std::size_t>(30, 60),
                           .steps = context.pick<std::size_t>(60, 300),
                           .passes = 0,
                           .paper_passes = 200,
                           .contenders = contenders("1", behind, absent),
                           .statements = adam_ahead,
                           .sweep = short_sweep,
                           .share = context.pick(0.3, 0.45)}));
  all.push_back(on_digits(context, {widths, 0},
                          {.name = "mlp",
                           .title = say::mlp_title{},
                           .words = say::mlp_words{},
                           .train = {},
                           .sweep_steps = context.pick<std::size_t>(30, 60),
                           .steps = context.pick<std::size_t>(60, 200),
                           .passes = 0,
                           .paper_passes = 200,
                           .contenders = contenders(not_compared, not_compared, not_compared),
                           .statements = adam_ahead,
                           .sweep = short_sweep,
                           .share = context.pick(0.25, 0.35)}));
  return all;
}

}  // namespace lab
