// Claims about rare gradients: AdaMax on sparse ones (6), and the rates that frequency leads to (11).
#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/embedding.h>
#include <xgrad/nn/linear.h>
#include <xgrad/nn/losses.h>
#include <xgrad/nn/sequential.h>
#include <xgrad/optim/explain.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "../sweep.h"
#include "claims.h"
#include "verdicts.h"

namespace lab {
namespace {

using namespace xgrad;

constexpr std::size_t vocabulary = 300, classes = 5, batch_size = 32;

/// Words whose frequency falls with their rank (Zipf 1935), each with a class that is to be learned.
class Words {
 public:
  explicit Words(std::uint64_t seed) : generator_(seed) {
    double sum = 0;
    for (std::size_t i = 0; i < vocabulary; ++i) {
      cumulative_.push_back(sum += 1.0 / static_cast<double>(i + 1));
      labels_.push_back(static_cast<std::int64_t>(generator_.below(classes)));
    }
  }
  IndexTensor draw() {
    IndexTensor words = IndexTensor::from_shape({batch_size});
    for (std::size_t i = 0; i < batch_size; ++i) {
      const double at = generator_.uniform(0, cumulative_.back());
      words.data()[i] = std::lower_bound(cumulative_.begin(), cumulative_.end(), at) - cumulative_.begin();
    }
    return words;
  }
  /// Of each word its class or, one time in four, any class.
  IndexTensor draw_labels(const IndexTensor& words) {
    IndexTensor labels = words;
    for (auto& label : labels) {
      label = labels_[static_cast<std::size_t>(label)];
      if (generator_.uniform() < noise) label = static_cast<std::int64_t>(generator_.below(classes));
    }
    return labels;
  }
  /// The expected loss of these scores (vocabulary, classes) above the least that is possible, mean over all words:
  /// rare ones count as much as frequent ones.
  double excess(const Variable& scores) const {
    IndexTensor labels = all();
    std::copy(labels_.begin(), labels_.end(), labels.begin());
    double loss = (1 - noise) * double{nn::cross_entropy(scores, labels).item()};
    const double share = noise / classes, right = 1 - noise + share;
    for (std::size_t c = 0; c < classes; ++c) {
      labels.fill(static_cast<std::int64_t>(c));
      loss += share * double{nn::cross_entropy(scores, labels).item()};
    }
    return loss + right * std::log(right) + (classes - 1) * share * std::log(share);
  }
  static IndexTensor all() {
    IndexTensor words = IndexTensor::from_shape({vocabulary});
    for (std::size_t i = 0; i < vocabulary; ++i) words.data()[i] = static_cast<std::int64_t>(i);
    return words;
  }

 private:
  static constexpr double noise = 0.25;
  Generator generator_;
  std::vector<double> cumulative_;
  std::vector<std::int64_t> labels_;
};

struct Task {
  virtual ~Task() = default;
  virtual NamedVariables parameters() = 0;
  virtual Variable scores(const IndexTensor& words) = 0;
};

/// Embedding(300, 8) and Linear(8, 5): the table's gradient is sparse.
struct EmbeddingTask : Task {
  NamedVariables parameters() override { return model.parameters(); }
  Variable scores(const IndexTensor& words) override { return linear(table.lookup(words)); }
  struct Model : nn::Module {
    nn::Embedding& table = add<nn::Embedding>("table", vocabulary, 8, nn::EmbeddingOptions{.sparse = true});
    nn::Linear& linear = add<nn::Linear>("linear", 8, classes);
  } model;
  nn::Embedding& table = model.table;
  nn::Linear& linear = model.linear;
};

/// Logistic regression on one-hot inputs: a row of weights has a gradient only where its word is in the batch.
struct OneHotTask : Task {
  NamedVariables parameters() override { return linear.parameters(); }
  Variable scores(const IndexTensor& words) override {
    Tensor inputs = Tensor::from_shape({words.size(), vocabulary});
    inputs.fill(0);
    for (std::size_t i = 0; i < words.size(); ++i)
      inputs.data()[i * vocabulary + static_cast<std::size_t>(words.data()[i])] = 1;
    return linear(Variable(std::move(inputs)));
  }
  nn::Linear linear{vocabulary, classes};
};

template <class Kind>
double learn(const Rule& rule, double lr, std::uint64_t one_seed, std::size_t steps) {
  seed(one_seed);
  Kind task;
  Words words(one_seed);
  const auto optimizer = rule.make(task.parameters(), {.lr = lr});
  for (std::size_t t = 0; t < steps; ++t) {
    const IndexTensor batch = words.draw();
    optimizer->zero_grad();
    nn::cross_entropy(task.scores(batch), words.draw_labels(batch)).backward();
    optimizer->step();
  }
  const NoGrad no_grad;
  return words.excess(task.scores(Words::all()));
}

template <class Kind>
Contestant on_words(const Rule& rule, std::size_t steps, std::vector<std::uint64_t> seeds) {
  return {std::string(rule.label), std::string(rule.id), rule.id == "sgd" ? 10 : 0.05,
          [&rule, steps, seeds](double lr) {
            std::vector<double> losses;
            for (const std::uint64_t one : seeds) losses.push_back(learn<Kind>(rule, lr, one, steps));
            return losses;
          }};
}

template <class Kind>
std::vector<Sweep> sweep_words(const Context& context, std::size_t steps) {
  std::vector<Contestant> all;
  for (const char* id : {"adam", "adamax", "adagrad", "sgd"})
    all.push_back(on_words<Kind>(rule(id), steps, tuning_seeds(context)));
  return fair_sweeps(all);
}

}  // namespace

Blocks sparse_gradients(const Context& context) {
  const std::size_t steps = context.pick<std::size_t>(200, 1500);
  const std::vector<Sweep> sweeps[] = {sweep_words<EmbeddingTask>(context, steps),
                                       sweep_words<OneHotTask>(context, steps)};
  std::vector<DotPlot> plots = {
      {.name = "6-embedding", .title = say::sparse_embedding_title{}, .note = {}, .x = {}, .groups = {}},
      {.name = "6-one-hot", .title = say::sparse_one_hot_title{}, .note = {}, .x = {}, .groups = {}}};
  std::vector<std::vector<Cell>> rows(sweeps[0].size());
  std::vector<double> losses[2][2];  // of Adam and AdaMax on both tasks
  for (std::size_t task = 0; task < 2; ++task) {
    plots[task].note = say::sparse_note{};
    plots[task].x = {.label = "cross entropy above the least possible", .logarithmic = true};
    for (std::size_t i = 0; i < sweeps[task].size(); ++i) {
      const Sweep& sweep = sweeps[task][i];
      const double lr = sweep.rates[sweep.best()];
      const std::vector<double> judged =
          task == 0 ? on_words<EmbeddingTask>(rule(sweep.color), steps, seeds(context)).costs(lr)
                    : on_words<OneHotTask>(rule(sweep.color), steps, seeds(context)).costs(lr);
      plots[task].groups.push_back({sweep.label, sweep.color, judged});
      if (task == 0) rows[i].emplace_back(sweep.label);
      rows[i].insert(rows[i].end(), {Cell(lr, 2), Cell::spread(judged)});
      if (i < 2) losses[task][i] = judged;
    }
  }
  const Verdict embedding = lower(losses[0][1], losses[0][0]), one_hot = lower(losses[1][1], losses[1][0]);
  const auto words = [](Verdict verdict, const std::vector<double>* of) {
    const std::string adam = number_text(median(of[0])), adamax = number_text(median(of[1]));
    return either(verdict, say::sparse_lower{.adam = adam, .adamax = adamax},
                  say::sparse_higher{.adam = adam, .adamax = adamax},
                  say::sparse_undecided{.adam = adam, .adamax = adamax});
  };
  return {Claim{6, say::sparse_claim{}, all_of({embedding, one_hot}),
                say::sparse_words{.embedding = words(embedding, losses[0]), .one_hot = words(one_hot, losses[1])}},
          Text{say::sparse_rule{.batch = batch_size, .classes = classes, .steps = steps, .words = vocabulary}},
          plots[0],
          plots[1],
          where_best_lies("6-sweep-embedding", say::sparse_sweep_embedding{}, sweeps[0]),
          where_best_lies("6-sweep-one-hot", say::sparse_sweep_one_hot{}, sweeps[1]),
          Table{"6-numbers",
                say::sparse_numbers{},
                {"optimizer", "rate, embedding", "loss, embedding", "rate, one-hot", "loss, one-hot"},
                rows}};
}

namespace {

// For each frequency and seed: how far a parameter has gone for each gradient of 1 that it got, in units of the rate.
std::vector<std::vector<double>> distance_per_gradient(const Context& context, const Rule& rule,
                                                       const std::vector<double>& frequencies, std::size_t steps) {
  const std::size_t runs = seeds(context).size(), warm_up = steps / 5;
  constexpr double lr = 1e-3;
  const Variable x(zeros({frequencies.size(), runs}), true);
  const auto optimizer = rule.make({{"x", x}}, {.lr = lr});
  Generator generator(seeds(context)[0]);
  std::vector<double> count(x.size(), 0), from;
  Tensor present = zeros(x.shape());
  for (std::size_t t = 0; t < steps; ++t) {
    if (t == warm_up) from.assign(x.value().begin(), x.value().end());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const bool arrives = generator.uniform() < frequencies[i / runs];
      present.data()[i] = arrives;
      count[i] += arrives && t >= warm_up;
    }
    optimizer->zero_grad();
    sum(x * Variable(present)).backward();
    optimizer->step();
  }
  std::vector<std::vector<double>> result(runs);
  for (std::size_t f = 0; f < frequencies.size(); ++f)
    for (std::size_t r = 0; r < runs; ++r) {
      const std::size_t i = f * runs + r;
      result[r].push_back((from[i] - double{x.value().data()[i]}) / lr / count[i]);
    }
  return result;
}

// The median effective rate of the first layer, in units of the rate, for each width and seed.
std::vector<double> rates_of_width(const Context& context, std::size_t width) {
  std::vector<double> rates;
  for (const std::uint64_t one : seeds(context)) {
    nn::Sequential model = mlp({width}, one);
    const auto optimizer = rule("adam").make(model.parameters(), {.lr = 1e-3});
    constexpr std::size_t steps = 50;
    train(model, *optimizer, context.data.train,
          {.steps = steps, .seed = one, .before_step = [&](std::size_t t) {
             if (t < steps) return;
             for (const optim::Explanation& explanation : optim::explain(*optimizer))
               if (explanation.parameter == "1.weight" && explanation.rate)
                 rates.push_back(explanation.rate->median / 1e-3);
           }});
  }
  return rates;
}

}  // namespace

Blocks frequency(const Context& context) {
  const std::size_t steps = context.pick<std::size_t>(5000, 30000);
  const std::vector<double> frequencies = {0.005, 0.01, 0.03, 0.1, 0.3, 1};
  std::vector<Line> lines;
  Table table = {"11-numbers", say::frequency_numbers{}, {"optimizer"}, {}};
  for (const double p : frequencies) table.columns.push_back(message("frequency ", number_text(p, 1)));
  std::vector<double> rare, frequent;
  for (const char* id : {"adam", "adamax", "adagrad", "sgd"}) {
    const std::vector<std::vector<double>> runs = distance_per_gradient(context, rule(id), frequencies, steps);
    lines.push_back(summary(std::string(rule(id).label), id, frequencies, runs));
    std::vector<Cell> row = {std::string(rule(id).label)};
    for (std::size_t f = 0; f < frequencies.size(); ++f) {
      std::vector<double> values;
      for (const auto& run : runs) values.push_back(run[f]);
      row.push_back(Cell::spread(values));
    }
    table.rows.push_back(row);
    if (id != std::string_view("adam")) continue;
    for (const auto& run : runs) rare.push_back(run.front()), frequent.push_back(run.back());
  }
  Line formula = {.label = "1 / √p", .color = "n5", .x = frequencies, .y = {}, .dashed = true};
  for (const double p : frequencies) formula.y.push_back(1 / std::sqrt(p));
  lines.push_back(formula);

  DotPlot widths = {.name = "11-widths",
                    .title = say::frequency_widths_title{},
                    .note = say::frequency_widths_note{},
                    .x = {.label = "effective rate / α", .logarithmic = true},
                    .groups = {}};
  for (const std::size_t width :
       {std::size_t{8}, std::size_t{32}, std::size_t{128}, context.pick<std::size_t>(256, 512)})
    widths.groups.push_back({message(784 * width, " weights"), "adam", rates_of_width(context, width)});
  const auto parts = judge::frequency(rare, frequent, widths.groups.back().values, widths.groups.front().values);
  const std::string few = number_text(median(widths.groups.front().values)),
                    many = number_text(median(widths.groups.back().values));
  return {
      Claim{11, say::frequency_claim{}, parts.all(),
            either(parts.part[0], say::frequency_smaller{},
                   say::frequency_larger{.frequent = median(frequent), .rare = median(rare)},
                   say::frequency_undecided{}) +
                " " +
                either(parts.part[1], say::widths_smaller{.few = few, .many = many},
                       say::widths_larger{.few = few, .many = many}, say::widths_undecided{.few = few, .many = many})},
      Text{say::frequency_rule{}},
      LineChart{.name = "11-frequency",
                .title = say::frequency_title{},
                .note = say::frequency_note{},
                .x = {.label = "frequency p of the gradient", .logarithmic = true},
                .y = {.label = "distance / α for each gradient", .logarithmic = true},
                .lines = lines},
      widths, table};
}

}  // namespace lab
