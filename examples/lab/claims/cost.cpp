// Claims about what an optimizer costs: memory (5 and 18), computation (8), settings to tune (10 and 22).
#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/optim/adam.h>
#include <xgrad/optim/adamax.h>
#include <xgrad/optim/sgd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>

#include "../experiment.h"
#include "claims.h"
#include "verdicts.h"

namespace lab {
namespace {

using namespace xgrad;

using Maker = std::function<std::unique_ptr<optim::Optimizer>(const NamedVariables&)>;

std::size_t bytes(const NamedVariables& parameters) {
  std::size_t sum = 0;
  for (const auto& [name, parameter] : parameters) sum += parameter.size() * sizeof(Scalar);
  return sum;
}

}  // namespace

Blocks memory(const Context& context) {
  const std::vector<std::pair<std::string, Maker>> kinds = {
      {"SGD", [](const NamedVariables& p) { return rule("sgd").make(p, {.lr = 0.1}); }},
      {"Momentum", [](const NamedVariables& p) { return rule("momentum").make(p, {.lr = 0.1}); }},
      {"Adam", [](const NamedVariables& p) { return rule("adam").make(p, {.lr = 1e-3}); }},
      {"Adam, one v a row",
       [](const NamedVariables& p) {
         return std::make_unique<optim::Adam>(p, optim::AdamOptions{.row_shared = true});
       }},
      {"AMSGrad", [](const NamedVariables& p) { return rule("amsgrad").make(p, {.lr = 1e-3}); }},
      {"Adamax", [](const NamedVariables& p) { return rule("adamax").make(p, {.lr = 2e-3}); }},
      {"Adamax, one u a row", [](const NamedVariables& p) {
         return std::make_unique<optim::Adamax>(p, optim::AdamaxOptions{.row_shared = true});
       }}};
  const std::vector<std::vector<std::size_t>> networks = {{}, {128}, {300, 100}, {1000, 1000}};
  HeatMap map = {.name = "5-ratio",
                 .title = say::memory_title{},
                 .note = say::memory_note{},
                 .x_label = "network",
                 .y_label = "optimizer",
                 .x = {},
                 .y = {},
                 .value_label = "bytes for each byte",
                 .values = {}};
  Table table = {"5-numbers", say::memory_numbers{}, {"optimizer"}, {}};
  for (const auto& [label, make] : kinds) {
    map.y.push_back(label);
    map.values.emplace_back();
    std::vector<Cell> row = {label};
    for (const std::vector<std::size_t>& widths : networks) {
      std::vector<double> states;
      double ratio = 0;
      for (const std::uint64_t seed : seeds(context)) {
        nn::Sequential model = mlp(widths, seed);
        const auto optimizer = make(model.parameters());
        train(model, *optimizer, context.data.train, {.steps = 1, .seed = seed});
        states.push_back(static_cast<double>(optimizer->state_bytes()) / 1024);
        ratio = static_cast<double>(optimizer->state_bytes()) / static_cast<double>(bytes(model.parameters()));
      }
      std::string name = "784-";
      for (const std::size_t width : widths) name += std::to_string(width) + "-";
      if (map.values.size() == 1) map.x.push_back(name + "10"), table.columns.push_back(name + "10");
      map.values.back().push_back(ratio);
      row.push_back(Cell::spread(states, 4));
    }
    table.rows.push_back(row);
  }
  const double adam = map.values[2].back();
  const Verdict verdict = decided(adam >= 2);
  return {Claim{5, say::memory_claim{}, verdict, say::memory_words{.adam = adam}}, Text{say::memory_rule{}}, map,
          table};
}

Blocks data_memory(const Context& context) {
  Table table = {"18-numbers", say::data_numbers{}, {"samples", "KiB of state, Adam"}, {}};
  std::vector<double> states;
  for (const std::size_t samples : {std::size_t{64}, std::size_t{640}, context.data.train.size()}) {
    nn::Sequential model = mlp({128}, context.seed);
    const auto optimizer = rule("adam").make(model.parameters(), {.lr = 1e-3});
    train(model, *optimizer, context.data.train.slice(0, samples), {.steps = 3, .seed = context.seed});
    states.push_back(static_cast<double>(optimizer->state_bytes()) / 1024);
    table.rows.push_back({std::to_string(samples), Cell(states.back(), 4)});
  }
  const Verdict verdict = decided(states.front() < states.back());
  return {Claim{18, say::data_claim{}, verdict, either(verdict, say::data_yes{}, say::data_no{}, "")},
          Text{say::data_rule{}}, table};
}

Blocks computation(const Context& context) {
  const std::vector<std::size_t> sizes = {10'000, 100'000, context.pick<std::size_t>(300'000, 1'000'000),
                                          context.pick<std::size_t>(1'000'000, 10'000'000)};
  const std::size_t turns = context.pick<std::size_t>(9, 25);
  Table table = {"8-numbers", say::speed_numbers{.turns = turns}, {"elements"}, {}};
  std::vector<Verdict> faster;
  DotPlot plot = {.name = "8-ratios",
                  .title = say::speed_title{},
                  .note = say::speed_note{},
                  .x = {.label = "Adamax / Adam"},
                  .groups = {},
                  .marks = {{"0.9", 0.9}},
                  .measured = true};
  std::string small;  // up to which size AdaMax was faster
  for (const char* label : {"Adam", "Adamax", "Momentum"}) table.columns.emplace_back(label);
  for (const char* more : {"Adamax / Adam", "faster by a tenth"}) table.columns.emplace_back(more);
  for (const std::size_t size : sizes) {
    std::vector<std::unique_ptr<optim::Optimizer>> optimizers;
    for (const char* id : {"adam", "adamax", "momentum"}) {
      const Variable x(ones({size}), true);
      sum(0.5 * square(x)).backward();
      optimizers.push_back(rule(id).make({{"x", x}}, {.lr = 1e-6}));
      optimizers.back()->step();  // allocates the state
    }
    const std::size_t repeats = std::max<std::size_t>(1, 400'000 / size);
    std::vector<std::vector<double>> times(3);
    for (std::size_t turn = 0; turn < turns; ++turn)
      for (std::size_t i = 0; i < 3; ++i) {
        const auto start = std::chrono::steady_clock::now();
        for (std::size_t repeat = 0; repeat < repeats; ++repeat) optimizers[i]->step();
        const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
        times[i].push_back(taken.count() / static_cast<double>(repeats * size));
      }
    const auto spread = [](const std::vector<double>& values) {
      Cell cell = Cell::spread(values);
      cell.is_measured = true;
      return cell;
    };
    std::vector<double> ratios;  // of each turn: what slows a turn down slows both
    for (std::size_t turn = 0; turn < turns; ++turn) ratios.push_back(times[1][turn] / times[0][turn]);
    faster.push_back(judge::faster(ratios));
    const std::string count = std::to_string(size);
    if (faster.back() == Verdict::yes) small += (small.empty() ? "" : ", ") + count;
    const auto [low, high] = judge::median_interval(ratios);
    Cell interval(message(number_text(median(ratios)), " (", number_text(low), " to ", number_text(high), ")"));
    interval.numbers = {median(ratios), low, high}, interval.is_measured = true;
    Cell decision(word(faster.back()));
    decision.is_measured = true;
    table.rows.push_back({count, spread(times[0]), spread(times[1]), spread(times[2]), interval, decision});
    plot.groups.push_back({count + " elements", "adamax", {low, median(ratios), high}});
  }
  const Verdict verdict = all_of(faster);
  return {Claim{.number = 8,
                .claim = say::speed_claim{},
                .verdict = verdict,
                .words = verdict == Verdict::yes         ? std::string(say::speed_yes{})
                         : verdict == Verdict::no        ? std::string(say::speed_no{})
                         : verdict == Verdict::undecided ? std::string(say::speed_undecided{})
                         : small.empty()                 ? std::string(say::speed_undecided{})
                                                         : std::string(say::speed_partly{.sizes = small}),
                .measured = true},
          Text{say::speed_rule{.turns = turns}}, plot, table};
}

namespace {

// Training with other eps gives the same bits or not.
bool eps_has_no_effect(const Context& context, std::size_t steps) {
  std::vector<std::vector<double>> losses;
  for (const double eps : {1e-12, 1e-4}) {
    nn::Sequential model = mlp({32}, context.seed);
    optim::Adamax optimizer(model.parameters(), {.lr = 2e-3, .eps = eps, .dialect = optim::Dialect::paper});
    losses.push_back(train(model, optimizer, context.data.train, {.steps = steps, .seed = context.seed}).losses);
  }
  return losses[0] == losses[1];
}

}  // namespace

Blocks hyperparameters(const Context& context) {
  const std::size_t steps = context.pick<std::size_t>(80, 500);
  struct Change {
    std::string label;
    Settings settings;
  };
  const auto changes = [](const Rule& rule) {
    std::vector<Change> all = {{"as it is", {.lr = rule.lr}}};
    for (const double factor : {0.1, 10.0})
      all.push_back({message("α ", number_text(rule.lr * factor, 1)), {.lr = rule.lr * factor}});
    for (const double beta1 : {0.0, 0.99}) all.push_back({message("β₁ ", beta1), {.lr = rule.lr, .beta1 = beta1}});
    for (const double beta2 : {0.9, 0.9999}) all.push_back({message("β₂ ", beta2), {.lr = rule.lr, .beta2 = beta2}});
    for (const double eps : {1e-10, 1e-6, 1e-4}) all.push_back({message("ε ", eps), {.lr = rule.lr, .eps = eps}});
    return all;
  };
  Blocks figures;
  Table table = {"10-numbers", say::settings_numbers{}, {"change", "Adam", "Adamax"}, {}};
  std::vector<double> effect(seeds(context).size(), 1);  // of eps on Adam's loss, for each seed
  std::vector<double> worst_eps(2, 1), worst_rate(2, 1);
  const Rule* both[] = {&rule("adam"), &rule("adamax")};
  std::vector<std::vector<Cell>> cells(2);
  for (std::size_t i = 0; i < 2; ++i) {
    DotPlot plot = {.name = std::string("10-") + std::string(both[i]->id),
                    .title = say::settings_title{.optimizer = std::string(both[i]->label)},
                    .note = say::settings_note{},
                    .x = {.label = "loss / loss with the defaults", .logarithmic = true},
                    .groups = {},
                    .marks = {{"no change", 1}}};
    std::vector<double> base;
    for (const Change& change : changes(*both[i])) {
      std::vector<double> ratios;
      std::size_t run = 0;
      for (const std::uint64_t seed : seeds(context)) {
        const double loss = final_loss(train_digits(context, *both[i], change.settings, seed, {.steps = steps}));
        if (base.size() <= run) base.push_back(loss);
        ratios.push_back(loss / base[run++]);
      }
      if (i == 0 && change.label.starts_with("ε"))
        for (std::size_t k = 0; k < ratios.size(); ++k) effect[k] = std::max({effect[k], ratios[k], 1 / ratios[k]});
      double& worst = change.label.starts_with("ε") ? worst_eps[i] : worst_rate[i];
      if (change.label.starts_with("ε") || change.label.starts_with("α"))
        worst = std::max({worst, median(ratios), 1 / median(ratios)});
      plot.groups.push_back({change.label, std::string(both[i]->id), ratios});
      cells[i].push_back(Cell::spread(ratios));
    }
    figures.push_back(plot);
  }
  for (std::size_t c = 0; c < cells[0].size(); ++c) {
    const std::string adam = changes(*both[0])[c].label, adamax = changes(*both[1])[c].label;
    table.rows.push_back({adam == adamax ? adam : message(adam, " and ", adamax), cells[0][c], cells[1][c]});
  }
  const auto parts = judge::fewer_to_tune(eps_has_no_effect(context, 50), effect);
  table.rows.push_back({"largest effect of ε, as a factor", Cell(worst_eps[0]), Cell(worst_eps[1])});
  table.rows.push_back({"largest effect of α, as a factor", Cell(worst_rate[0]), Cell(worst_rate[1])});
  Blocks blocks = {Claim{10, say::settings_claim{}, parts.all(),
                         either(parts.part[0], say::settings_fewer{}, say::settings_no_fewer{}, "") + " " +
                             either(parts.part[1], say::settings_matter{.factor = worst_eps[0]},
                                    say::settings_do_not_matter{.factor = worst_eps[0], .rate = worst_rate[0]},
                                    say::settings_undecided{.factor = worst_eps[0]})},
                   Text{say::settings_rule{}}};
  blocks.insert(blocks.end(), figures.begin(), figures.end());
  blocks.push_back(table);
  return blocks;
}

Blocks fewer_settings(const Context&) {
  const std::vector<std::pair<const char*, std::vector<const char*>>> settings = {{"SGD", {"α"}},
                                                                                  {"Momentum", {"α", "β"}},
                                                                                  {"Adagrad", {"α", "ε"}},
                                                                                  {"AdaMax", {"α", "β₁", "β₂"}},
                                                                                  {"RMSprop", {"α", "ρ", "ε"}},
                                                                                  {"Adam", {"α", "β₁", "β₂", "ε"}}};
  Table table = {"22-numbers", say::count_numbers{}, {"optimizer", "settings", "number"}, {}};
  const std::size_t own = settings[3].second.size();
  std::size_t fewer = 0;
  for (const auto& [name, list] : settings) {
    std::string names;
    for (const char* one : list) names += (names.empty() ? "" : ", ") + std::string(one);
    table.rows.push_back({name, names, Cell::integer(static_cast<double>(list.size()))});
    fewer += list.size() < own;
  }
  return {Claim{22, say::count_claim{}, decided(fewer == 0), say::count_words{.fewer = fewer, .own = own}},
          Text{say::count_rule{}}, table};
}

}  // namespace lab
