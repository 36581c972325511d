// Where the time of a training step goes: profile NETWORK THREADS STEPS
#include <xgrad/autograd/profile.h>

#include <map>
#include <string_view>

#include "training.h"

using namespace xgrad;

namespace {

// A gradient belongs to its operation. What the graph takes is there with and without one.
std::string_view group(const Profile::Row& row) {
  static const std::map<std::string_view, std::string_view> groups = {
      {"linear", "products"},    {"conv2d", "convolution"}, {"max_pool2d", "pooling"}, {"relu", "activation"},
      {"cross_entropy", "loss"}, {"Adam", "optimizer"},     {"DataLoader", "loader"},  {"record", "graph"},
      {"backward", "graph"},     {"reshape", "graph"}};
  const auto found = groups.find(row.gradient_of.empty() || row.name == "record" ? row.name : row.gradient_of);
  return found == groups.end() ? "other" : found->second;
}

}  // namespace

int main(int argc, char** argv) {
  const EpochsArguments arguments(argc, argv);  // of as many steps as others make epochs
  set_num_threads(arguments.threads);
  seed(arguments.seed);
  Training training(arguments.network, benchmark_data().train, false);
  const auto train = [&](int steps) {
    while (steps > 0)
      for (const auto& [images, labels] : training.loader) {
        training.step(images, labels);
        if (--steps == 0) break;
      }
  };
  train(20);
  const Profile profile;
  train(arguments.epochs);

  double total = 0;
  std::map<std::string_view, double> groups;
  for (const Profile::Row& row : profile.rows()) groups[group(row)] += row.seconds, total += row.seconds;
  std::vector<std::pair<double, std::string_view>> sorted;
  for (const auto& [name, seconds] : groups) sorted.emplace_back(seconds, name);
  std::sort(sorted.rbegin(), sorted.rend());
  std::printf("us a step   share  %s, batch %ld, %d threads\n", arguments.network.name.c_str(),
              arguments.network.batch_size, arguments.threads);
  const double scale = 1e6 / arguments.epochs;
  for (const auto& [seconds, name] : sorted)
    std::printf("%9.1f  %4.1f %%  %s\n", scale * seconds, 100 * seconds / total, std::string(name).c_str());
  std::printf("%9.1f  all\n\n%s", scale * total, profile.table().c_str());
}
