// Training 2k steps is training k, stopping, resuming and training k more: the same bits, for every optimizer and
// schedule.
#include <datasets/idx_files.h>
#include <xgrad/xgrad.h>

#include <functional>
#include <memory>
#include <regex>
#include <set>

#include "error.h"

using namespace xgrad;
using namespace xgrad::optim;
using idx_files::Folder;

namespace {

struct OptimizerCase {
  std::string name;
  std::function<std::unique_ptr<Optimizer>(const ParameterList&)> make;
};
struct ScheduleCase {
  std::string name;
  Curve curve;
};

// In two groups, of which the second has a rate of its own.
template <class Rule, class Options>
OptimizerCase with(Options options) {
  return {std::string(Rule(ParameterList{{"x", Variable(zeros({1}), true)}}).rule()),
          [options](const ParameterList& all) -> std::unique_ptr<Optimizer> {
            Options slower = options;
            slower.lr /= 3;
            const auto middle = all.begin() + 2;
            return std::make_unique<Rule>(
                std::vector<Group<Options>>{{{all.begin(), middle}, options}, {{middle, all.end()}, slower}});
          }};
}

// Its matrices are those of the rule, and the others RMSprop's.
template <class R>
OptimizerCase of_matrices(R rule) {
  return {std::string(rule.name()), [rule](const ParameterList& all) -> std::unique_ptr<Optimizer> {
            auto [matrices, others] = split_matrices(all);
            return std::make_unique<RuleGroups>(RuleGroup(matrices, rule), RuleGroup(others, RMSpropRule()));
          }};
}

// With all the state that each can have.
std::vector<OptimizerCase> optimizers() {
  return {with<SGD, SGDOptions>({.lr = 0.05, .momentum = 0.9, .nesterov = true}),
          with<RMSprop, RMSpropOptions>({.lr = 1e-3, .momentum = 0.5, .centered = true}),
          with<Adam, AdamOptions>({.amsgrad = true}),
          with<AdamW, AdamWOptions>({.row_shared = true}),
          with<Adamax, AdamaxOptions>({}),
          with<AdamaxW, AdamaxWOptions>({.row_shared = true}),
          with<NAdam, NAdamOptions>({}),
          with<RAdam, RAdamOptions>({}),
          with<Lion, LionOptions>({}),
          with<Adopt, AdoptOptions>({}),
          with<Adan, AdanOptions>({}),
          with<AdEMAMix, AdEMAMixOptions>({.warm_up = 40}),
          of_matrices(MuonRule()),
#ifdef XGRAD_HAS_LINALG
          of_matrices(ShampooRule({.momentum = 0.5, .frequency = 3, .graft = Graft::adagrad})),
          of_matrices(SoapRule({.precondition_frequency = 3})),
          of_matrices(KFACRule({.update_every = 2, .inverse_every = 3})),
#endif
          with<Adafactor, AdafactorOptions>({.beta1 = 0.5}),
          with<Lamb, LambOptions>({}),
          with<Lars, LarsOptions>({}),
          with<Prodigy, ProdigyOptions>({}),
          with<DAdaptAdam, DAdaptAdamOptions>({}),
          with<ScheduleFreeSGD, ScheduleFreeSGDOptions>({.warm_up = 40}),
          with<ScheduleFreeAdamW, ScheduleFreeAdamWOptions>({}),
          with<Sophia, SophiaOptions>({.interval = 4}),
          with<AdaHessian, AdaHessianOptions>({}),
          with<Rprop, RpropOptions>({}),
          with<ASGD, ASGDOptions>({}),
          with<FTRL, FTRLOptions>({}),
          with<BarzilaiBorwein, BarzilaiBorweinOptions>({}),
          with<Polyak, PolyakOptions>({}),
          {"SAM",
           [](const ParameterList& all) -> std::unique_ptr<Optimizer> {
             return std::make_unique<Sam>(std::make_unique<Lookahead>(std::make_unique<Adam>(all)));
           }},
          with<Adagrad, AdagradOptions>({.initial_accumulator_value = 0.1}),
          with<Adadelta, AdadeltaOptions>({})};
}

std::vector<ScheduleCase> schedules() {
  const Curve falling = exponential_lr({.gamma = 0.97}), rising = linear_lr({.total_iters = 30});
  return {{"StepLR", step_lr({.step_size = 7, .gamma = 0.7})},
          {"ExponentialLR", falling},
          {"MultiStepLR", multi_step_lr({.milestones = {2, 5}})},
          {"PolynomialLR", polynomial_lr({.total_iters = 35, .power = 2})},
          {"CyclicLR", cyclic_lr({.step_size_up = 3, .step_size_down = 4, .mode = Cycle::triangular2})},
          {"WarmupStableDecayLR", warmup_stable_decay_lr({.total_steps = 35, .warm_up = 3, .decay = 25})},
          {"CosineAnnealingLR", cosine_annealing_lr({.t_max = 35})},
          {"CosineAnnealingWarmRestarts", cosine_annealing_warm_restarts({.t_0 = 5, .t_mult = 2})},
          {"OneCycleLR", one_cycle_lr({.total_steps = 35})},
          {"InverseSqrtLR", inverse_sqrt_lr({.warm_up = 5})},
          {"LinearLR", rising},
          {"SequentialLR", sequential_lr({.curves = {rising, falling}, .milestones = {23}})},
          {"ChainedLR", chained_lr({.curves = {rising, falling}})}};
}

// 200 images in batches of 16: an epoch has 13, and the last is smaller.
constexpr int steps_per_epoch = 13;
const datasets::Dataset& images() {
  static const datasets::Dataset data = datasets::digits(200, 1);
  return data;
}

nn::Sequential make_model(std::uint64_t start) {
  seed(start);
  return nn::Sequential{nn::Flatten(), nn::Linear(784, 8), nn::BatchNorm1d(8),
                        nn::ReLU(),    nn::Dropout(0.3),   nn::Linear(8, 10)};
}

struct Training {
  Training(std::uint64_t start, const OptimizerCase& optimizer_case, const ScheduleCase& schedule_case)
      : model(make_model(start)),
        optimizer(optimizer_case.make(model.parameters())),
        schedule(*optimizer, schedule_case.curve),
        average(model.parameters(), {.decay = 0.9}),
        loader(images(), {.batch_size = 16, .shuffle = true, .augment = datasets::Augmentation{}}) {}

  // Saves after the last step, inside the epoch.
  void run(int steps, const std::filesystem::path& file) {
    while (true)
      for (const auto& [batch, labels] : loader) {
        optimizer->step([&, &images = batch, &classes = labels] { return nn::cross_entropy(model(images), classes); });
        schedule.step();
        average.update();
        if (--steps == 0) return save(file);
      }
  }

  void save(const std::filesystem::path& file) const {
    save_checkpoint(file, {{"model", model.state_dict()},
                           {"optimizer", optimizer->state_dict()},
                           {"schedule", schedule.state_dict()},
                           {"average", average.state_dict()},
                           {"loader", loader.state_dict()},
                           {"generator", default_generator().state_dict()}});
  }
  void load(const std::filesystem::path& file) {
    const StateDict saved = load_checkpoint(file);
    model.load_state_dict(saved.below("model."));
    optimizer->load_state_dict(saved.below("optimizer."));
    schedule.load_state_dict(saved.below("schedule."));
    average.load_state_dict(saved.below("average."));
    loader.load_state_dict(saved.below("loader."));
    default_generator().load_state_dict(saved.below("generator."));
  }

  nn::Sequential model;
  std::unique_ptr<Optimizer> optimizer;
  Schedule schedule;
  WeightAverage average;
  datasets::DataLoader<> loader;
};

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void check_resumed(const OptimizerCase& optimizer, const ScheduleCase& schedule, int steps) {
  CAPTURE(optimizer.name);
  CAPTURE(schedule.name);
  CAPTURE(steps);
  const Folder folder;
  const auto whole = folder.path() / "whole", half = folder.path() / "half", resumed = folder.path() / "resumed";
  Training(1, optimizer, schedule).run(2 * steps, whole);
  Training(1, optimizer, schedule).run(steps, half);
  Training fresh(2, optimizer, schedule);  // other weights, another order, another generator
  fresh.load(half);
  fresh.run(steps, resumed);
  CHECK(text_of(half) != text_of(whole));
  CHECK((text_of(resumed) == text_of(whole)));
}

// What stands in the first pair of parentheses, wherever it is found in the headers of optim/.
std::set<std::string> declared(const std::string& pattern) {
  std::set<std::string> found;
  const std::regex regex(pattern);
  for (const auto& entry : std::filesystem::directory_iterator("optim")) {
    if (entry.path().extension() != ".h") continue;
    const std::string text = text_of(entry.path());
    for (std::sregex_iterator match(text.begin(), text.end(), regex), end; match != end; ++match)
      found.insert((*match)[1]);
  }
  return found;
}

}  // namespace

TEST_CASE("a training resumes in the middle of an epoch with the same bits, for every optimizer and schedule") {
  std::set<std::string> optimizer_names, schedule_names;
  // Every optimizer with two schedules, in turn: what a schedule keeps does not depend on the optimizer.
  const std::vector<ScheduleCase> all_schedules = schedules();
  std::size_t turn = 0;
  for (const OptimizerCase& optimizer : optimizers()) {
    optimizer_names.insert(optimizer.name);
    for (int i = 0; i < 2; ++i) {
      const ScheduleCase& schedule = all_schedules[turn++ % all_schedules.size()];
      schedule_names.insert(schedule.name);
      check_resumed(optimizer, schedule, steps_per_epoch + 6);
    }
  }
  std::set<std::string> expected =
      declared("string_view name\\(\\) const override \\{ return (?:decoupled \\? )?\"(\\w+)\"");
  expected.merge(declared("string_view name\\(\\) const override \\{ return decoupled \\? \"\\w+\" : \"(\\w+)\""));
#ifndef XGRAD_HAS_LINALG
  expected.erase("Shampoo"), expected.erase("SOAP"), expected.erase("KFAC");
#endif
  expected.insert("SAM");
  CHECK(optimizer_names == expected);
  const std::string readme = text_of("optim/README.md");
  for (const std::string& name : expected) CHECK_MESSAGE(readme.find(name) != readme.npos, name, " has no row");
  CHECK(schedule_names == declared("using (\\w+) = ScheduleOf<"));
}

TEST_CASE("and at the begin and at the end of one") {
  for (const int steps : {1, steps_per_epoch - 1, steps_per_epoch, steps_per_epoch + 1})
    check_resumed(optimizers()[2], schedules()[2], steps);
}

TEST_CASE("41, 42: the checkpoint of something else is refused, and changes nothing") {
  const Folder folder;
  const auto path = folder.path() / "file";
  Training training(1, optimizers()[2], schedules()[0]);
  training.run(3, path);
  const StateDict saved = load_checkpoint(path);

  nn::Sequential other{nn::Flatten(), nn::Linear(784, 9), nn::BatchNorm1d(9)};
  const Tensor before = other.parameters()[0].second.value();
  check_error<DataError>([&] { other.load_state_dict(saved.below("model.")); },
                         {"misshaped: 1.weight: expected (9, 784), got (8, 784)", "unexpected: 5.weight (10, 8)"});
  CHECK(other.parameters()[0].second.value() == before);
  check_error<DataError>([&] { other.load_state_dict(saved.below("modle.")); }, {"missing: 1.weight (9, 784)"});

  Training adamax(1, optimizers()[4], schedules()[0]);
  adamax.run(1, folder.path() / "adamax");
  check_error<DataError>([&] { adamax.optimizer->load_state_dict(saved.below("optimizer.")); },
                         {"[Adamax]", "missing: 1.weight.exp_inf", "unexpected: 1.weight.exp_avg_sq"});
  CHECK(adamax.optimizer->step_count("1.weight") == 1);

  SGD one_group(training.model.parameters(), {.lr = 0.5});
  Schedule schedule(one_group, schedules()[0].curve);
  check_error<DataError>([&] { schedule.load_state_dict(saved.below("schedule.")); },
                         {"[Schedule]", "unexpected: base.1"});
  CHECK(one_group.lr() == 0.5);
  CHECK(schedule.count() == 0);
}
