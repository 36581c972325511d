#include <xgrad/core/errors.h>
#include <xgrad/core/random.h>
#include <xgrad/nn/init.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>
#include <vector>

namespace xgrad::nn::init {
namespace {

struct Fans {
  double in, out;
};

Fans fans(std::string_view operation, const Variable& weight, double gain) {
  const Shape& shape = weight.shape();
  if (shape.size() < 2)
    throw ShapeError(message("[", operation, "] expected (out, in, …) with two dimensions or more, got ", shape));
  if (weight.size() == 0) throw ShapeError(message("[", operation, "] expected one weight or more, got ", shape));
  if (!std::isfinite(gain)) throw ValueError(message("[", operation, "] expected a finite gain, got ", gain));
  const auto size = static_cast<double>(weight.size());
  return {size / static_cast<double>(shape[0]), size / static_cast<double>(shape[1])};
}

void fill_uniform(Variable& weight, double deviation) {
  const double bound = std::sqrt(3.0) * std::abs(deviation);  // the variance of ±bound is bound^2 / 3
  weight.mutable_value() = default_generator().uniform(weight.shape(), -bound, bound);
}

void fill_normal(Variable& weight, double deviation) {
  weight.mutable_value() = default_generator().normal(weight.shape(), 0, deviation);
}

double xavier(std::string_view operation, const Variable& weight, double gain) {
  const Fans fan = fans(operation, weight, gain);
  return gain * std::sqrt(2 / (fan.in + fan.out));
}

double kaiming(std::string_view operation, const Variable& weight, KaimingOptions options) {
  const Fans fan = fans(operation, weight, options.gain);
  return options.gain / std::sqrt(options.fan == Fan::in ? fan.in : fan.out);
}

// `count` random orthonormal vectors: Gram-Schmidt on normal draws, uniform over all such sets. One pass leaves errors
// of the size of the condition number, the second removes them ("twice is enough": Giraud et al. 2005). This is Q of
// the QR factors, R's diagonal being positive, as xgrad::qr gives it but for rounding. LAPACK does not compute it here:
// a seed would draw other bits with each BLAS, with each processor that this BLAS knows, and where there is none.
std::vector<std::vector<double>> orthonormal(std::size_t count, std::size_t length) {
  std::vector<std::vector<double>> vectors(count, std::vector<double>(length));
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<double>& v = vectors[i];
    for (double& element : v) element = default_generator().normal();
    for (int pass = 0; pass < 2; ++pass) {
      for (std::size_t j = 0; j < i; ++j) {
        const std::vector<double>& q = vectors[j];
        const double along = std::inner_product(v.begin(), v.end(), q.begin(), 0.0);
        for (std::size_t k = 0; k < length; ++k) v[k] -= along * q[k];
      }
      const double norm = std::sqrt(std::inner_product(v.begin(), v.end(), v.begin(), 0.0));
      for (double& element : v) element /= norm;
    }
  }
  return vectors;
}

}  // namespace

double calculate_gain(Nonlinearity nonlinearity, double negative_slope) {
  switch (nonlinearity) {
    case Nonlinearity::linear:
    case Nonlinearity::sigmoid:
      return 1;
    case Nonlinearity::tanh:
      return 5.0 / 3;
    case Nonlinearity::relu:
      return std::sqrt(2.0);
    case Nonlinearity::leaky_relu:
      return std::sqrt(2 / (1 + negative_slope * negative_slope));
    case Nonlinearity::selu:
      return 0.75;
  }
  throw ValueError("[calculate_gain] expected one of the nonlinearities listed in Nonlinearity");
}

void constant(const Variable& weight, double value) {
  Tensor& values = weight.mutable_value();
  std::fill(values.begin(), values.end(), static_cast<Scalar>(value));
}

void truncated_normal(const Variable& weight, TruncatedNormalOptions o) {
  if (!(o.deviation > 0 && std::isfinite(o.deviation) && o.low < o.high && o.low < o.mean + 8 * o.deviation &&
        o.high > o.mean - 8 * o.deviation))
    throw ValueError(
        message("[truncated_normal] expected a deviation above 0 and low < high within 8 deviations of the "
                "mean, got the mean ",
                o.mean, ", the deviation ", o.deviation, ", ", o.low, " and ", o.high));
  // Uniform draws, kept with a probability in proportion to the density. Beyond 8 deviations are 1e-15 of all.
  Generator& generator = default_generator();
  const auto distance = [&](double x) { return (x - o.mean) / o.deviation; };
  const double low = std::max(o.low, o.mean - 8 * o.deviation), high = std::min(o.high, o.mean + 8 * o.deviation);
  const double nearest = distance(std::clamp(o.mean, low, high));
  for (Scalar& element : weight.mutable_value().storage()) {
    double value = 0;
    do value = generator.uniform(low, high);
    while (generator.uniform() >= std::exp((nearest * nearest - distance(value) * distance(value)) / 2));
    element = static_cast<Scalar>(value);
  }
}

void xavier_uniform(Variable& weight, double gain) { fill_uniform(weight, xavier("xavier_uniform", weight, gain)); }
void xavier_normal(Variable& weight, double gain) { fill_normal(weight, xavier("xavier_normal", weight, gain)); }

void kaiming_uniform(Variable& weight, KaimingOptions options) {
  fill_uniform(weight, kaiming("kaiming_uniform", weight, options));
}
void kaiming_normal(Variable& weight, KaimingOptions options) {
  fill_normal(weight, kaiming("kaiming_normal", weight, options));
}

void orthogonal(Variable& weight, double gain) {
  fans("orthogonal", weight, gain);
  const std::size_t rows = weight.shape()[0], columns = weight.size() / rows;
  const bool by_rows = rows <= columns;
  const auto vectors = by_rows ? orthonormal(rows, columns) : orthonormal(columns, rows);
  Scalar* element = weight.mutable_value().data();
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c)
      *element++ = static_cast<Scalar>(gain * (by_rows ? vectors[r][c] : vectors[c][r]));
}

}  // namespace xgrad::nn::init
