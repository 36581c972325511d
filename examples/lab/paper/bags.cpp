// Bags of words that are built: a stand-in for the movie reviews of the paper.
#include <xgrad/core/random.h>
#include <xgrad/nn/linear.h>
#include <xgrad/nn/losses.h>
#include <xgrad/optim/schedule.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "paper.h"

namespace lab {
namespace {

using namespace xgrad;

constexpr double dropped = 0.5, flipped = 0.05;

/// Texts as the sets of their words, and a label for each. How often a word comes falls with its rank (Zipf 1935). The
/// label is the side on which a weighted sum of the words lies, with some labels turned round.
struct Bags {
  Bags(std::size_t word_count, std::size_t texts, std::size_t length, std::uint64_t seed) : vocabulary(word_count) {
    Generator generator(seed);
    std::vector<double> cumulative, weights, scores;
    double sum = 0;
    for (std::size_t i = 0; i < word_count; ++i) {
      cumulative.push_back(sum += 1 / static_cast<double>(i + 1));
      weights.push_back(generator.normal());
    }
    for (std::size_t text = 0; text < texts; ++text) {
      std::vector<std::size_t> drawn;
      for (std::size_t i = 0; i < length; ++i) {
        const auto found = std::lower_bound(cumulative.begin(), cumulative.end(), generator.uniform(0, sum));
        drawn.push_back(static_cast<std::size_t>(found - cumulative.begin()));
      }
      std::sort(drawn.begin(), drawn.end());
      drawn.erase(std::unique(drawn.begin(), drawn.end()), drawn.end());
      scores.push_back(0);
      for (const std::size_t word : drawn) scores.back() += weights[word];
      words.push_back(std::move(drawn));
    }
    const double middle = median(scores);  // so that both labels come equally often
    for (const double score : scores) labels.push_back((score > middle) != (generator.uniform() < flipped));
  }

  std::size_t vocabulary;
  std::vector<std::vector<std::size_t>> words;
  std::vector<bool> labels;
};

Trained train_on(const Bags& bags, const Contender& one, double lr, std::uint64_t one_seed, std::size_t steps) {
  seed(one_seed);
  nn::Linear model(bags.vocabulary, 1);
  const auto optimizer = rule(one.id).make(model.parameters(), {.lr = lr});
  optim::Schedule schedule(*optimizer, rate_of(one));
  Generator generator(one_seed);
  IndexTensor order;
  Trained result;
  std::size_t next = bags.words.size();
  for (std::size_t step = 0; step < steps; ++step) {
    if (next + paper_batch_size > bags.words.size()) order = generator.permutation(bags.words.size()), next = 0;
    Tensor x = zeros({paper_batch_size, bags.vocabulary}), y = zeros({paper_batch_size, 1});
    for (std::size_t i = 0; i < paper_batch_size; ++i, ++next) {
      const auto text = static_cast<std::size_t>(order(next));
      // Dropout of the input: a word that is not there stays so, and no number need be drawn for it.
      for (const std::size_t word : bags.words[text])
        if (generator.uniform() >= dropped) x(i, word) = static_cast<Scalar>(1 / (1 - dropped));
      y(i, 0) = bags.labels[text] ? Scalar{1} : Scalar{0};
    }
    optimizer->zero_grad();
    const Variable loss = nn::binary_cross_entropy_with_logits(model(Variable(std::move(x))), Variable(std::move(y)));
    result.losses.push_back(loss.item());
    result.diverged = !std::isfinite(result.losses.back());
    if (result.diverged) return result;
    loss.backward();
    optimizer->step();
    schedule.step();
  }
  return result;
}

}  // namespace

Experiment sparse_experiment(const Context& context) {
  const std::size_t vocabulary = context.pick<std::size_t>(2000, 10000), texts = context.pick<std::size_t>(1500, 10000),
                    length = context.pick<std::size_t>(60, 150), steps = context.pick<std::size_t>(160, 1600);
  const auto bags = std::make_shared<const Bags>(vocabulary, texts, length, context.seed * 1000 + 81);
  const char *first = "1 to 2", *last = "3", *unranked = "not ranked in words", *absent = "not in it";
  return {
      .name = "sparse",
      .title = say::sparse_title{},
      .words = say::sparse_words{.flipped = 100 * flipped, .length = length, .texts = texts, .vocabulary = vocabulary},
      .train = [bags](const Contender& one, double lr, std::uint64_t one_seed,
                      std::size_t count) { return train_on(*bags, one, lr, one_seed, count); },
      .sweep_steps = context.pick<std::size_t>(80, 400),
      .steps = steps,
      .passes = static_cast<double>(steps * paper_batch_size) / static_cast<double>(texts),
      .paper_passes = 160,
      .contenders = {{"adam", 1e-1, first},
                     {"adagrad", 1e-1, first},
                     {"nesterov", 1, last},
                     {"rmsprop", 3e-2, unranked},
                     {"adamax", 1e-1, absent},
                     {"adagrad", 3e-2, absent, true}},
      .statements = {{"adam", "adagrad", false}, {"adam", "nesterov", true}, {"adagrad", "nesterov", true}},
      .share = context.pick(0.25, 0.1)};
}

}  // namespace lab
