#include <xgrad/core/errors.h>
#include <xgrad/core/parallel.h>
#include <xgrad/optim/averages.h>
#include <xgrad/optim/ranges.h>

#include <algorithm>
#include <cmath>

namespace xgrad::optim {

WeightAverage::WeightAverage(ParameterList parameters, WeightAverageOptions options)
    : parameters_(std::move(parameters)), options_(options) {
  check_some("WeightAverage", parameters_);
  if (options_.decay) check_below_one("WeightAverage", "decay", *options_.decay);
  for (const auto& [name, variable] : parameters_) averages_.push_back(zeros(variable.shape()));
}

void WeightAverage::check_shapes() const {
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    if (const auto& [name, variable] = parameters_[i]; variable.shape() != averages_[i].shape())
      throw ShapeError(
          message("[WeightAverage] '", name, "': expected ", averages_[i].shape(), ", got ", variable.shape()));
}

void WeightAverage::update() {
  require_trained_weights("WeightAverage", "update()");
  check_shapes();
  ++updates_;
  const double share = options_.decay ? 1 - *options_.decay : 1 / static_cast<double>(updates_);
  const auto taken = static_cast<Scalar>(share);
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    for_elements(averages_[i].size(), [&, from = parameters_[i].second.value().data(), to = averages_[i].data()](
                                          std::size_t begin, std::size_t end) {
      for (std::size_t k = begin; k < end; ++k) to[k] += taken * (from[k] - to[k]);
    });
}

WeightValues WeightAverage::evaluation_weights() const {
  if (updates_ == 0) throw GraphError("[WeightAverage] there is no average yet: call update() first");
  check_shapes();
  const double corrected = options_.decay ? 1 - std::pow(*options_.decay, static_cast<double>(updates_)) : 1;
  const auto scale = static_cast<Scalar>(1 / corrected);
  WeightValues result;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    Tensor& average = result.emplace_back(parameters_[i].second, averages_[i]).second;
    for (Scalar& x : average) x *= scale;
  }
  return result;
}

StateDict WeightAverage::state_dict() const {
  StateDict dict;
  dict.scalars.emplace_back("updates", static_cast<double>(updates_));
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    dict.tensors.emplace_back(parameters_[i].first + ".average", averages_[i]);
  return dict;
}

void WeightAverage::load_state_dict(const StateDict& dict) {
  StateReader reader("WeightAverage", dict);
  const auto updates = static_cast<std::int64_t>(reader.count("updates"));
  std::vector<const Tensor*> loaded;
  for (const auto& [name, variable] : parameters_) loaded.push_back(reader.tensor(name + ".average", variable.shape()));
  reader.finish();
  for (std::size_t i = 0; i < loaded.size(); ++i) averages_[i] = *loaded[i];
  updates_ = updates;
}

}  // namespace xgrad::optim
