#include <xgrad/core/errors.h>
#include <xgrad/optim/ranges.h>

#include <cmath>
#include <unordered_map>
#include <unordered_set>

namespace xgrad::optim {
namespace {

template <class Number>
void check(bool holds, std::string_view owner, std::string_view option, std::string_view range, Number value) {
  if (!holds) throw ValueError(message("[", owner, "] ", option, " must be ", range, ", got ", value));
}

}  // namespace

void check_positive(std::string_view owner, std::string_view option, double value) {
  check(value > 0 && std::isfinite(value), owner, option, "above 0 and finite", value);
}

void check_not_negative(std::string_view owner, std::string_view option, double value) {
  check(value >= 0 && std::isfinite(value), owner, option, "at least 0 and finite", value);
}

void check_below_one(std::string_view owner, std::string_view option, double value) {
  check(value >= 0 && value < 1, owner, option, "in [0, 1)", value);
}

void check_up_to_one(std::string_view owner, std::string_view option, double value) {
  check(value >= 0 && value <= 1, owner, option, "in [0, 1]", value);
}

void check_count(std::string_view owner, std::string_view option, std::int64_t value) {
  check(value >= 1, owner, option, "at least 1", value);
}

void check_some(std::string_view owner, const NamedVariables& parameters) {
  if (parameters.empty())
    throw ValueError(message("[", owner,
                             "] expected parameters, got an empty list: a module lists those of the layers "
                             "that were registered with add"));
}

void check_parameters(std::string_view owner, const NamedVariables& parameters) {
  check_some(owner, parameters);
  std::unordered_set<std::string_view> names;
  std::unordered_map<const Node*, std::string_view> nodes;
  for (const auto& [name, variable] : parameters) {
    if (!names.insert(name).second) throw ValueError(message("[", owner, "] the name '", name, "' is given twice"));
    if (!variable) throw ValueError(message("[", owner, "] '", name, "' is an empty Variable"));
    if (!variable.operation().empty())
      throw ValueError(
          message("[", owner, "] expected parameters, but '", name, "' is the output of '", variable.operation(), "'"));
    const auto [other, is_new] = nodes.emplace(variable.node(), name);
    if (!is_new)
      throw ValueError(message("[", owner, "] '", other->second, "' and '", name, "' are the same parameter"));
  }
}

}  // namespace xgrad::optim
