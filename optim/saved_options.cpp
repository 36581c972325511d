#include <xgrad/optim/saved_options.h>

#include <cmath>

namespace xgrad::optim {

void save_options(StateDict& dict, const std::vector<OptionValues>& groups) {
  for (std::size_t group = 0; group < groups.size(); ++group)
    for (const auto& [option, value] : groups[group])
      dict.scalars.emplace_back(message("options.", group, ".", option), value);
}

std::vector<double> read_options(StateReader& reader, const std::vector<OptionValues>& groups) {
  std::vector<double> rates;
  if (!reader.has_scalar("options.0.lr")) return rates;
  for (std::size_t group = 0; group < groups.size(); ++group)
    for (const auto& [option, expected] : groups[group]) {
      const std::string name = message("options.", group, ".", option);
      const bool missing = !reader.has_scalar(name);
      const double got = reader.scalar(name);
      if (option == "lr") {
        rates.push_back(got);
        if (!(got >= 0 && std::isfinite(got))) reader.misfit(name, ": expected a rate of at least 0, got ", got);
      } else if (!missing && got != expected) {
        reader.misfit(name, ": expected ", expected, ", got ", got);
      }
    }
  return rates;
}

}  // namespace xgrad::optim
