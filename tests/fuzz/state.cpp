// Whatever has a load_state_dict(), and states that are almost its own. One that is refused changes nothing; with one
// that is taken, work goes on, and what is saved then loads again.
#include <xgrad/xgrad.h>

#include <functional>
#include <memory>

#include "fuzz.h"

using namespace xgrad;
using namespace xgrad::optim;

namespace {

struct Subject {
  virtual ~Subject() = default;
  virtual StateDict save() const = 0;
  virtual void load(const StateDict& state) = 0;
  virtual void step() = 0;
  virtual StateDict surroundings() const { return {}; }  // what a refused state must leave alone besides
};

struct OfModule : Subject {
  OfModule(std::unique_ptr<nn::Module> made, Shape input) : module(std::move(made)), x(zeros(input)) {}
  StateDict save() const override { return module->state_dict(); }
  void load(const StateDict& state) override { module->load_state_dict(state); }
  void step() override {
    module->train();
    sum((*module)(x)).backward();
    for (auto& [name, parameter] : module->parameters()) parameter.mutable_value() += Scalar(0.125);
    module->zero_grad();
    module->eval();
    (*module)(x);
  }
  std::unique_ptr<nn::Module> module;
  Variable x;
};

// Two groups of parameters, and a table of which a step reads some rows.
struct Weights {
  Weights() {
    seed(1);
    table = std::make_unique<nn::Embedding>(4, 2, nn::EmbeddingOptions{.sparse = true});
    all = {{"matrix", Variable(ones({2, 3}), true)}, {"table", table->weight}, {"scalar", Variable(ones({}), true)}};
  }
  Variable loss() {
    IndexTensor rows = IndexTensor::from_shape({2});
    rows(0) = turn++ % 4, rows(1) = 1;
    Tensor one = zeros({3, 3});  // the matrix is read as a layer's weight, as K-FAC asks
    for (std::size_t i = 0; i < 3; ++i) one(i, i) = 1;
    return sum(square(linear(one, all[0].second))) + sum(square(table->lookup(rows))) + square(all[2].second - 2);
  }
  std::unique_ptr<nn::Embedding> table;
  ParameterList all;
  std::int64_t turn = 0;
};

struct OfOptimizer : Subject {
  explicit OfOptimizer(const std::function<std::unique_ptr<Optimizer>(const ParameterList&)>& make)
      : optimizer(make(weights.all)) {}
  StateDict save() const override { return optimizer->state_dict(); }
  void load(const StateDict& state) override { optimizer->load_state_dict(state); }
  void step() override {
    if (optimizer->needs_closure()) {
      try {
        optimizer->step([this] { return weights.loss(); });
      } catch (const ValueError&) {  // the loss, where a strange state has led
      }
      return;
    }
    optimizer->zero_grad();
    weights.loss().backward();
    optimizer->step();
    explain(*optimizer);
  }
  Weights weights;
  std::unique_ptr<Optimizer> optimizer;
};

struct OfLBFGS : Subject {
  StateDict save() const override { return optimizer.state_dict(); }
  void load(const StateDict& state) override { optimizer.load_state_dict(state); }
  void step() override {
    optimizer.step([this] { return sum(square(square(x) - 2)); });
  }
  Variable x = Variable(ones({3}), true);
  LBFGS optimizer = LBFGS({{"x", x}}, {.history_size = 3, .max_iterations = 2});
};

template <class Schedule>
struct OfRates : Subject {
  explicit OfRates(const std::function<std::unique_ptr<Schedule>(Optimizer&)>& make) : schedule(make(optimizer)) {}
  StateDict save() const override { return schedule->state_dict(); }
  void load(const StateDict& state) override { schedule->load_state_dict(state); }
  void step() override {
    if constexpr (requires { schedule->step(1.0); })
      schedule->step(1.0);
    else
      schedule->step();
    optimizer.zero_grad();
    weights.loss().backward();
    optimizer.step();
  }
  StateDict surroundings() const override { return optimizer.state_dict(); }
  Weights weights;
  SGD optimizer = SGD(std::vector<Group<SGDOptions>>{
      {{weights.all[0]}, {.lr = 0.1}}, {{weights.all[1], weights.all[2]}, {.lr = 0.01, .momentum = 0.5}}});
  std::unique_ptr<Schedule> schedule;
};

struct OfAverage : Subject {
  explicit OfAverage(WeightAverageOptions options) : average(weights.all, options) {}
  StateDict save() const override { return average.state_dict(); }
  void load(const StateDict& state) override { average.load_state_dict(state); }
  void step() override {
    average.update();
    const WeightAverage::Swap swap(average);
    weights.loss();
  }
  StateDict surroundings() const override {
    StateDict state;
    for (const auto& [name, parameter] : weights.all) state.tensors.emplace_back(name, parameter.value());
    return state;
  }
  Weights weights;
  WeightAverage average;
};

struct OfLoader : Subject {
  explicit OfLoader(datasets::LoaderOptions options) : loader(data(), options) {}
  static const datasets::Dataset& data() {
    static const datasets::Dataset dataset(std::vector<std::uint8_t>(10 * 16, 100), {1, 4, 4},
                                           {0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    return dataset;
  }
  StateDict save() const override { return loader.state_dict(); }
  void load(const StateDict& state) override {
    loader.load_state_dict(state);
    inside.reset();
  }
  void step() override {
    if (!inside || *inside == std::default_sentinel) inside = loader.begin();
    if (*inside == std::default_sentinel) return;  // an epoch of which nothing was left
    sum((*inside)->images);
    ++*inside;
  }
  datasets::DataLoader<> loader;
  std::optional<datasets::DataLoader<>::Iterator> inside;
};

struct OfGenerator : Subject {
  StateDict save() const override { return generator.state_dict(); }
  void load(const StateDict& state) override { generator.load_state_dict(state); }
  void step() override {
    for (int i = 0; i < 3; ++i) generator.normal();
    generator.permutation(10);
  }
  Generator generator = Generator(1);
};

using Maker = std::function<std::unique_ptr<Subject>()>;

template <class Module, class... Options>
Maker module(Shape input, Options... options) {
  return [=] { return std::make_unique<OfModule>(std::make_unique<Module>(options...), input); };
}

template <class Rule, class Options>
Maker optimizer(Options options) {
  return [options] {
    return std::make_unique<OfOptimizer>([options](const ParameterList& all) -> std::unique_ptr<Optimizer> {
      Options slower = options;
      slower.lr /= 3;
      return std::make_unique<Rule>(std::vector<Group<Options>>{{{all[0], all[1]}, options}, {{all[2]}, slower}});
    });
  };
}

template <class R>
Maker of_matrices(R rule) {
  return [rule] {
    return std::make_unique<OfOptimizer>([rule](const ParameterList& all) -> std::unique_ptr<Optimizer> {
      return std::make_unique<RuleGroups>(RuleGroup({all[0]}, rule), RuleGroup({all[1], all[2]}, AdamRule()));
    });
  };
}

template <class Wrapper, class Options>
Maker wrapped(Options options) {
  return [options] {
    return std::make_unique<OfOptimizer>([options](const ParameterList& all) -> std::unique_ptr<Optimizer> {
      return std::make_unique<Wrapper>(std::make_unique<Adam>(all), options);
    });
  };
}

Maker schedule(Curve curve) {
  return [curve] {
    return std::make_unique<OfRates<Schedule>>([curve](Optimizer& o) { return std::make_unique<Schedule>(o, curve); });
  };
}

Maker plateau(ReduceLROnPlateauOptions options) {
  return [options] {
    return std::make_unique<OfRates<ReduceLROnPlateau>>(
        [options](Optimizer& o) { return std::make_unique<ReduceLROnPlateau>(o, options); });
  };
}

template <class Kind, class... Options>
Maker other(Options... options) {
  return [=] { return std::make_unique<Kind>(options...); };
}

// Of conv2d and its like: a kernel of 3 x 2.
struct Windows : nn::Sequential {
  Windows() : nn::Sequential(nn::Conv2d(2, 3, {3, 2}), nn::BatchNorm2d(3), nn::ConvTranspose2d(3, 1, 2)) {}
};
struct Norms : nn::Sequential {
  Norms() : nn::Sequential(nn::BatchNorm1d(4), nn::LayerNorm(4), nn::GroupNorm(2, 4), nn::Dropout(0.5)) {}
};

const std::vector<Maker>& makers() {
  const Curve falling = exponential_lr({.gamma = 0.97}), rising = linear_lr({.total_iters = 30});
  static const std::vector<Maker> all = {
      module<nn::Linear>({2, 3}, std::size_t{3}, std::size_t{2}),
      module<nn::Embedding>({2}, std::size_t{3}, std::size_t{2}),
      module<nn::LSTMCell>({2, 3}, std::size_t{3}, std::size_t{2}),
      module<nn::GRUCell>({2, 3}, std::size_t{3}, std::size_t{2}),
      module<Windows>({2, 2, 4, 4}),
      module<Norms>({3, 4}),
      optimizer<SGD>(SGDOptions{.lr = 0.05}),
      optimizer<SGD>(SGDOptions{.lr = 0.05, .momentum = 0.9, .nesterov = true}),
      optimizer<RMSprop>(RMSpropOptions{.lr = 1e-3, .momentum = 0.5, .centered = true}),
      optimizer<Adam>(AdamOptions{}),
      optimizer<Adam>(AdamOptions{.amsgrad = true, .sparse = SparseRows::lazy}),
      optimizer<AdamW>(AdamWOptions{.row_shared = true}),
      optimizer<Adamax>(AdamaxOptions{}),
      optimizer<AdamaxW>(AdamaxWOptions{.row_shared = true}),
      optimizer<NAdam>(NAdamOptions{}),
      optimizer<RAdam>(RAdamOptions{}),
      optimizer<Lion>(LionOptions{}),
      optimizer<Adopt>(AdoptOptions{}),
      optimizer<Adan>(AdanOptions{}),
      optimizer<AdEMAMix>(AdEMAMixOptions{.warm_up = 3}),
      optimizer<Adafactor>(AdafactorOptions{.beta1 = 0.5}),
      of_matrices(MuonRule()),
#ifdef XGRAD_HAS_LINALG
      of_matrices(ShampooRule({.momentum = 0.5, .frequency = 2, .graft = Graft::adagrad})),
      of_matrices(SoapRule({.precondition_frequency = 2})),
      of_matrices(KFACRule({.update_every = 2, .inverse_every = 2})),
#endif
      optimizer<Lamb>(LambOptions{}),
      optimizer<Lars>(LarsOptions{}),
      optimizer<Prodigy>(ProdigyOptions{}),
      optimizer<DAdaptAdam>(DAdaptAdamOptions{}),
      optimizer<ScheduleFreeSGD>(ScheduleFreeSGDOptions{}),
      optimizer<ScheduleFreeAdamW>(ScheduleFreeAdamWOptions{}),
      optimizer<Sophia>(SophiaOptions{.interval = 2}),
      optimizer<AdaHessian>(AdaHessianOptions{}),
      optimizer<Rprop>(RpropOptions{}),
      optimizer<ASGD>(ASGDOptions{}),
      optimizer<FTRL>(FTRLOptions{}),
      optimizer<BarzilaiBorwein>(BarzilaiBorweinOptions{}),
      optimizer<Polyak>(PolyakOptions{}),
      wrapped<Sam>(SamOptions{}),
      wrapped<Lookahead>(LookaheadOptions{.k = 2}),
      optimizer<Adagrad>(AdagradOptions{.lr_decay = 0.1}),
      optimizer<Adadelta>(AdadeltaOptions{}),
      other<OfLBFGS>(),
      schedule(step_lr({.step_size = 7, .gamma = 0.7})),
      schedule(falling),
      schedule(cosine_annealing_lr({.t_max = 35})),
      schedule(cosine_annealing_warm_restarts({.t_0 = 5, .t_mult = 2})),
      schedule(cosine_annealing_warm_restarts({.t_0 = 5})),
      schedule(one_cycle_lr({.total_steps = 35})),
      schedule(inverse_sqrt_lr({.warm_up = 5})),
      schedule(rising),
      schedule(sequential_lr({.curves = {rising, falling}, .milestones = {23}})),
      schedule(chained_lr({.curves = {rising, falling}})),
      plateau({.patience = 0}),
      plateau({.maximize = true, .cooldown = 2, .min_lr = 1e-3}),
      other<OfAverage>(WeightAverageOptions{}),
      other<OfAverage>(WeightAverageOptions{.decay = 0.9}),
      other<OfLoader>(datasets::LoaderOptions{.batch_size = 3, .seed = 1, .prefetch = false}),
      other<OfLoader>(datasets::LoaderOptions{
          .batch_size = 4, .shuffle = true, .augment = datasets::Augmentation{}, .seed = 1, .prefetch = false}),
      other<OfGenerator>()};
  return all;
}

}  // namespace

void fuzz::run(Bytes bytes) {
  Input input(bytes);
  const std::unique_ptr<Subject> subject = makers()[input.byte() % makers().size()]();
  subject->step();
  StateDict state = subject->save();
  subject->step();
  const StateDict before = subject->save(), around = subject->surroundings();
  mutate(state, input);
  if (!succeeds<DataError>([&] { subject->load(state); })) {
    expect(same(subject->save(), before) && same(subject->surroundings(), around), "a refused state to change nothing");
    return;
  }
  const StateDict taken = subject->save();
  subject->load(taken);
  expect(same(subject->save(), taken), "what was saved to load as the same");
  for (int i = 0; i < 3; ++i) subject->step();
  subject->load(subject->save());
}

// Each kind gets a quarter of its changes: all of them would take longer than a run of a minute.
std::vector<std::string> fuzz::seeds() {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < makers().size(); ++i) {
    const std::unique_ptr<Subject> subject = makers()[i]();
    subject->step();
    const std::vector<std::string> some = mutations(subject->save());
    for (std::size_t k = i % 4; k < some.size(); k += 4) all.push_back(byte(i) + some[k]);
  }
  return all;
}
