#include "reddi.h"

#include <algorithm>
#include <iterator>

#include "words/race.h"

namespace lab::race_parts {

namespace say = words::race_section;

std::string reddi_remark(std::string_view id) {
  if (id == "radam" && longest_memory(reddi_beta2) <= 5) return say::reddi_radam{};
  if (id == "adamax" || id == "lion") return say::reddi_sign{};
  if (id == "rmsprop") return say::reddi_rmsprop{};
  return "";
}

HeatMap reddi_memory(std::size_t budget) {
  const std::vector<double> betas = {0.1, 0.5, 0.9, 0.99, 0.999};
  HeatMap map = {.name = "reddi-memory",
                 .title = say::memory_title{},
                 .note = say::memory_note{.steps = budget},
                 .x_label = "β₂",
                 .y_label = "optimizer",
                 .x = {},
                 .y = {},
                 .value_label = "final x",
                 .values = {}};
  std::string does_not_adapt;
  for (const double beta2 : betas) {
    map.x.push_back(number_text(beta2, 4));
    if (longest_memory(beta2) <= 5) does_not_adapt += (does_not_adapt.empty() ? "" : ", ") + map.x.back();
  }
  for (const char* id : {"adam", "rmsprop", "amsgrad", "adamax", "radam"}) {
    map.y.emplace_back(rule(id).label);
    if (id == std::string_view("radam")) map.y.back() = say::memory_radam{.betas = does_not_adapt};
    map.values.emplace_back();
    for (const double beta2 : betas)
      map.values.back().push_back(run_reddi(rule(id), reddi_rate, beta2, budget, budget).positions.back()[0]);
  }
  return map;
}

std::optional<std::size_t> Breaking::smallest(std::size_t index) const {
  for (std::size_t i = 0; i < c.size(); ++i)
    if (mean[index][i] > 0) return c[i];
  return {};
}

Breaking break_adam(std::vector<double> beta2, std::vector<std::size_t> c, std::size_t budget) {
  Breaking result = {std::move(beta2), std::move(c), {}};
  for (const double memory : result.beta2) {
    result.mean.emplace_back();
    for (const std::size_t large : result.c)
      result.mean.back().push_back(mean_of_last_period(rule("adam"), 1, memory, budget, large));
  }
  return result;
}

std::vector<Block> reddi_breaking(const Context& context) {
  const std::size_t budget = context.pick<std::size_t>(12000, 30000);
  const Breaking adam =
      break_adam({0.1, 0.5, 0.9, 0.99, 0.999},
                 context.quick ? std::vector<std::size_t>{3, 10, 30, 100, 300, 1000}
                               : std::vector<std::size_t>{3, 6, 10, 20, 30, 60, 100, 200, 300, 1000, 3000},
                 budget);
  HeatMap map = {.name = "reddi-breaking",
                 .title = say::breaking_title{},
                 .note = say::breaking_note{.steps = budget},
                 .x_label = "C",
                 .y_label = "β₂",
                 .x = {},
                 .y = {},
                 .value_label = "mean x of the last period",
                 .values = adam.mean,
                 .low = -1,
                 .high = 1};
  for (const std::size_t c : adam.c) map.x.push_back(std::to_string(c));
  std::string broken;
  for (std::size_t i = 0; i < adam.beta2.size(); ++i) {
    map.y.push_back(number_text(adam.beta2[i], 4));
    const std::optional<std::size_t> c = adam.smallest(i);
    if (i > 0) broken += "; ";
    broken += c ? std::string(say::broken_by{.beta2 = map.y.back(), .c = *c})
                : std::string(say::not_broken{.beta2 = map.y.back(), .most = adam.c.back()});
  }
  return {Text{say::breaking{}}, map, Text{say::smallest{.list = broken}}};
}

}  // namespace lab::race_parts
