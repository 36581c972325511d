// A network predicts a number from a table of your own: numbers on one scale, categories, and cells that are missing.
// Its errors are shown beside those of two simpler answers, the mean and a linear model.
//
//   table FILE.csv TARGET [PLOT.svg]   draws a table of flats, with the target "rent", where there is no such file
#include <xgrad/xgrad.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>

#include "cli/program.h"
#include "line_plot.h"

using namespace xgrad;
using Rows = datasets::TensorDataset<Tensor, Tensor>;

namespace {

void draw_flats(const char* file) {
  constexpr const char* districts[] = {"harbour", "hills", "old town", "station"};
  constexpr double prices[] = {14, 17, 20, 11};  // a square metre
  Generator random(1);
  std::ofstream to(file);
  to << "area,floor,district,balcony,rent\n";
  for (int i = 0; i < 2000; ++i) {
    const double area = random.uniform(20, 140);
    const auto floor = random.below(6), district = random.below(4), balcony = random.below(2);
    const double far_up = floor > 3 && district != 1 ? 0.9 : 1;  // without a lift
    const double rent = (area * prices[district] + 300 + 60 * double(balcony)) * far_up + 40 * random.normal();
    to << std::round(area) << ',' << (random.below(20) == 0 ? "NA" : std::to_string(floor)) << ','
       << districts[district] << ',' << (balcony == 1 ? "yes" : "no") << ',' << std::round(rent) << '\n';
  }
  if (!to.flush()) throw DataError(message("cannot write ", file));
  std::printf("2,000 flats, drawn at random, are in %s\n", file);
}

// The errors of predictions for the test rows, in the units of the target, in ascending order.
std::vector<double> errors(const Tensor& scaled, const Rows& test, const datasets::Standardizer& scale) {
  const Tensor predicted = scale.restored(scaled), truth = scale.restored(test.get<1>());
  std::vector<double> all;
  for (std::size_t i = 0; i < truth.size(); ++i) all.push_back(std::abs(double(predicted(i, 0)) - double(truth(i, 0))));
  std::sort(all.begin(), all.end());
  return all;
}

// What a model predicts for the test rows, once it is trained.
Tensor trained(const char* name, nn::Sequential model, const Rows& train, const Rows& test) {
  optim::Adamax optimizer(model.parameters(), {.lr = 5e-3});
  datasets::DataLoader loader(train, {.batch_size = 32, .shuffle = true, .seed = 1});
  constexpr int epochs = 60;
  optim::CosineAnnealingLR schedule(optimizer, {.t_max = epochs * static_cast<std::int64_t>(loader.size())});
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    for (const auto& [inputs, targets] : loader) {
      optimizer.zero_grad();
      nn::mse_loss(model(inputs), targets).backward();
      optimizer.step();
      schedule.step();
    }
    if (epoch % 20 == 0) std::printf("%s, %d of %d epochs\n", name, epoch, epochs);
  }
  const NoGrad no_grad;
  return model(Variable(test.get<0>())).value();
}

int run(const char* file, const char* target, const char* plot) {
  if (!std::filesystem::exists(file)) draw_flats(file);
  const datasets::CsvTable table = datasets::read_csv(file);
  const datasets::CsvFeatures inputs = table.features_without({target});
  Tensor targets = table.numbers(target);
  targets.reshape({table.size(), 1});
  std::printf("%zu rows, %zu inputs:", table.size(), inputs.names.size());
  for (const std::string& name : inputs.names) std::printf(" %s;", printable(name).c_str());
  std::printf("\n\n");

  // What the scales are comes from the part to train on alone.
  const auto parts = datasets::random_split(Rows(inputs.values, targets), {0.8, 0.2}, 1);
  const datasets::Standardizer of_inputs(parts[0].get<0>()), of_target(parts[0].get<1>());
  const auto scaled = [&](const Rows& rows) { return Rows(of_inputs(rows.get<0>()), of_target(rows.get<1>())); };
  const Rows train = scaled(parts[0]), test = scaled(parts[1]);
  seed(1);
  const std::size_t width = inputs.names.size();
  const Tensor mean = zeros(test.get<1>().shape()),
               linear = trained("linear", nn::Sequential{nn::Linear(width, 1)}, train, test),
               network = trained(
                   "network",
                   nn::Sequential{nn::Linear(width, 32), nn::Tanh(), nn::Linear(32, 32), nn::Tanh(), nn::Linear(32, 1)},
                   train, test);
  const std::pair<const char*, std::vector<double>> models[] = {{"mean", errors(mean, test, of_target)},
                                                                {"linear", errors(linear, test, of_target)},
                                                                {"network", errors(network, test, of_target)}};
  std::printf("\nerror in %s, of %zu test rows\n%-8s %10s %16s\n", target, test.size(), "", "median", "9 of 10 within");
  std::vector<line_plot::Panel> panels;
  const double most = models[1].second.back();
  for (const auto& [name, all] : models) {
    std::printf("%-8s %10.4g %16.4g\n", name, all[all.size() / 2], all[all.size() * 9 / 10]);
    line_plot::Line line{.points = {{0, 0}}, .stairs = true};
    for (std::size_t i = 0; i < all.size() && all[i] <= most; ++i)
      line.points.emplace_back(all[i], 100 * double(i + 1) / double(all.size()));
    line.points.emplace_back(most, line.points.back().second);
    panels.push_back({.title = name,
                      .subtitle = "share of the test rows within an error",
                      .x_label = message("error in ", target),
                      .y_label = "%",
                      .lines = {line},
                      .top = 100});
  }
  if (plot) line_plot::write(plot, "How far predictions are off", panels, 3), std::printf("\nplot: %s\n", plot);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program("table", [&] {
    if (argc < 3) throw DataError("usage: table FILE.csv TARGET [PLOT.svg]");
    return run(argv[1], argv[2], argc > 3 ? argv[3] : nullptr);
  });
}
