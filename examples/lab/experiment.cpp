#include "experiment.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lab {

std::vector<std::uint64_t> seeds(const Context& context, std::size_t count) {
  std::vector<std::uint64_t> list(count);
  for (std::size_t i = 0; i < count; ++i) list[i] = 1000 * (context.seed + 1) + i;
  return list;
}

std::vector<std::uint64_t> tuning_seeds(const Context& context, std::size_t count) {
  std::vector<std::uint64_t> list = seeds(context, count);
  for (std::uint64_t& seed : list) seed += 500;
  return list;
}

std::vector<double> log_spaced(double low, double high, std::size_t count) {
  std::vector<double> list;
  for (std::size_t i = 0; i < count; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(count - 1);
    list.push_back(rounded(low * std::pow(high / low, share)));
  }
  return list;
}

std::vector<double> counted(std::size_t count) {
  std::vector<double> list(count);
  std::iota(list.begin(), list.end(), 1.0);
  return list;
}

Trained train_digits(const Context& context, const Rule& rule, const Settings& settings, std::uint64_t seed,
                     TrainOptions options, const std::vector<std::size_t>& widths) {
  xgrad::nn::Sequential model = mlp(widths, seed);
  const auto optimizer = rule.make(model.parameters(), settings);
  options.seed = seed;
  return train(model, *optimizer, context.data.train, options);
}

double final_loss(const Trained& trained) {
  if (trained.diverged) return nothing;
  const std::size_t last = std::max<std::size_t>(1, trained.losses.size() / 10);
  return std::accumulate(trained.losses.end() - static_cast<std::ptrdiff_t>(last), trained.losses.end(), 0.0) /
         static_cast<double>(last);
}

std::vector<double> smoothed(const std::vector<double>& losses, std::size_t window) {
  std::vector<double> result;
  double sum = 0;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    sum += losses[i];
    if (i >= window) sum -= losses[i - window];
    result.push_back(sum / static_cast<double>(std::min(i + 1, window)));
  }
  return result;
}

Line summary(std::string label, std::string_view color, std::vector<double> x,
             const std::vector<std::vector<double>>& runs) {
  Line line = {.label = std::move(label), .color = std::string(color), .x = std::move(x), .y = {}};
  for (std::size_t i = 0; i < line.x.size(); ++i) {
    std::vector<double> values;
    for (const std::vector<double>& run : runs) values.push_back(i < run.size() ? run[i] : nothing);
    line.y.push_back(median(values));
    const bool whole = std::none_of(values.begin(), values.end(), [](double v) { return std::isnan(v); });
    line.low.push_back(whole ? *std::min_element(values.begin(), values.end()) : nothing);
    line.high.push_back(whole ? *std::max_element(values.begin(), values.end()) : nothing);
  }
  return line;
}

Line thinned(Line line) {
  const std::size_t every = std::max<std::size_t>(1, line.x.size() / 300) | 1;
  for (std::vector<double>* values : {&line.x, &line.y, &line.low, &line.high}) {
    for (std::size_t i = 0; i * every < values->size(); ++i) (*values)[i] = (*values)[i * every];
    values->resize((values->size() + every - 1) / every);
  }
  return line;
}

}  // namespace lab
