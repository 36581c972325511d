// K-FAC against a plain program in double, straight from the papers, that differentiates its networks by hand.
#include <doctest/doctest.h>
#include <optim/helpers.h>
#include <optim/matrix_reference.h>
#include <xgrad/nn/linear.h>
#include <xgrad/nn/losses.h>
#include <xgrad/optim/kfac.h>

#include <array>

using namespace xgrad;
using namespace xgrad::optim;

namespace {

// By Gauss and Jordan, with pivots.
Matrix inverse_of(Matrix a) {
  Matrix result = identity(a.rows);
  for (std::size_t k = 0; k < a.rows; ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k; i < a.rows; ++i)
      if (std::abs(a(i, k)) > std::abs(a(pivot, k))) pivot = i;
    const double scale = 1 / a(pivot, k);
    for (std::size_t j = 0; j < a.rows; ++j) {
      std::swap(a(k, j), a(pivot, j)), std::swap(result(k, j), result(pivot, j));
      a(k, j) *= scale, result(k, j) *= scale;
    }
    for (std::size_t i = 0; i < a.rows; ++i) {
      if (i == k) continue;
      const double factor = a(i, k);
      for (std::size_t j = 0; j < a.rows; ++j) a(i, j) -= factor * a(k, j), result(i, j) -= factor * result(k, j);
    }
  }
  return result;
}

// One weight.
struct PlainKfac {
  PlainKfac(const Tensor& weight, const KFACOptions& options)
      : o(options),
        theta(weight),
        a(theta.columns, theta.columns),
        g(theta.rows, theta.rows),
        m(theta.rows, theta.columns) {}
  // In rows, what the weight is multiplied with and the gradients of what comes out, each of one sample's loss.
  void see(const Matrix& inputs, const Matrix& gradients, double samples, int t) {
    const double kept = std::min(1 - 1.0 / double((t - 1) / o.update_every + 1), o.stat_decay);
    a = kept * a + (1 - kept) / double(inputs.rows) * (transposed(inputs) * inputs);
    g = kept * g + (1 - kept) / samples * (transposed(gradients) * gradients);
  }
  static double trace_share(const Matrix& x) {
    double sum = 0;
    for (std::size_t i = 0; i < x.rows; ++i) sum += x(i, i);
    return sum / double(x.rows);
  }
  // What the direction and the gradient have in common.
  double turn(const Matrix& gradient, int t) {
    if ((t - 1) % o.inverse_every == 0) {
      const double pi = std::sqrt(trace_share(a) / trace_share(g)), root = std::sqrt(o.damping);
      left = inverse_of(g + root / pi * identity(g.rows)), right = inverse_of(a + pi * root * identity(a.rows));
    }
    direction = left * gradient * right;
    double sum = 0;
    for (std::size_t i = 0; i < gradient.x.size(); ++i) sum += direction.x[i] * gradient.x[i];
    return sum;
  }
  void move(double nu) {
    m = o.momentum * m + nu * direction;
    theta = (1 - o.lr * o.weight_decay) * theta + -o.lr * m;
  }
  KFACOptions o;
  Matrix theta, a, g, m, left, right, direction;
};

double nu_of(const KFACOptions& o, double common) {
  const double length = o.lr * o.lr * common;
  return o.kl_clip > 0 && length > o.kl_clip ? std::sqrt(o.kl_clip / length) : 1;
}

void check_near(const Tensor& found, const Matrix& expected, double tolerance) {
  REQUIRE(found.size() == expected.x.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    REQUIRE(double(found.data()[i]) == doctest::Approx(expected.x[i]).epsilon(tolerance).scale(1));
}

enum class Loss { entropy, squares };
constexpr std::size_t samples = 12, in = 5, hidden = 4, out = 3;

// x W^T + b, row by row.
Matrix affine(const Matrix& x, const Matrix& weight, const std::vector<double>& bias) {
  Matrix y = x * transposed(weight);
  for (std::size_t i = 0; i < y.rows; ++i)
    for (std::size_t j = 0; j < y.columns; ++j) y(i, j) += bias[j];
  return y;
}

void descend_columns(std::vector<double>& bias, const Matrix& gradient, double lr) {
  for (std::size_t i = 0; i < gradient.rows; ++i)
    for (std::size_t j = 0; j < gradient.columns; ++j) bias[j] -= lr * gradient(i, j);
}

// The gradient of each sample's own loss with respect to z: of the data's labels, and of drawn ones.
std::array<Matrix, 2> residuals(const Matrix& z, const IndexTensor& labels, const Matrix& target, Loss loss,
                                Generator generator) {
  std::array<Matrix, 2> result = {z, z};
  if (loss == Loss::squares) {
    const Tensor noise = generator.normal({z.rows, z.columns}, 0, std::sqrt(2.0 / double(z.columns)));
    for (std::size_t i = 0; i < z.x.size(); ++i) result[0].x[i] = 2 * (z.x[i] - target.x[i]) / double(z.columns);
    return {result[0], Matrix(noise)};
  }
  for (std::size_t i = 0; i < z.rows; ++i) {
    double total = 0, chance = generator.uniform();
    for (std::size_t j = 0; j < z.columns; ++j) total += std::exp(z(i, j));
    std::size_t drawn = 0;
    for (double up_to = 0; drawn + 1 < z.columns; ++drawn)
      if ((up_to += std::exp(z(i, drawn)) / total) > chance) break;
    for (std::size_t j = 0; j < z.columns; ++j) {
      const double p = std::exp(z(i, j)) / total;
      result[0](i, j) = p - (j == std::size_t(labels(i))), result[1](i, j) = p - (j == drawn);
    }
  }
  return result;
}

// Ten steps of 5-4-3 with tanh, beside the plain program; the biases are plain gradient descent's. Returns how many
// steps were clipped.
int compare_two_layers(const KFACOptions& options, Loss loss) {
  seed(3);
  Generator data(4);
  nn::Linear first(in, hidden), second(hidden, out);
  RuleGroups optimizer(RuleGroup({{"first", first.weight}, {"second", second.weight}}, KFACRule(options)),
                       RuleGroup({{"first.bias", first.bias}, {"second.bias", second.bias}}, SGDRule({.lr = 0.125})));
  PlainKfac plain_first(first.weight.value(), options), plain_second(second.weight.value(), options);
  std::vector<double> bias1(first.bias.value().begin(), first.bias.value().end()),
      bias2(second.bias.value().begin(), second.bias.value().end());
  int clipped = 0;
  for (int t = 1; t <= 10; ++t) {
    const Tensor x = data.normal({samples, in}), target = data.normal({samples, out});
    IndexTensor labels = IndexTensor::from_shape({samples});
    for (auto& label : labels) label = std::int64_t(data.below(out));
    optimizer.step([&] {
      const Variable z = second(tanh(first(x)));
      return loss == Loss::entropy ? nn::cross_entropy(z, labels) : nn::mse_loss(z, target);
    });

    const Matrix rows(x);
    Matrix h = affine(rows, plain_first.theta, bias1);
    for (double& value : h.x) value = std::tanh(value);
    const Matrix z = affine(h, plain_second.theta, bias2);
    const auto of_z = residuals(z, labels, Matrix(target), loss, Generator(options.seed, std::uint64_t(t)));
    const auto of_h = [&](const Matrix& residual) {
      Matrix result = residual * plain_second.theta;
      for (std::size_t i = 0; i < h.x.size(); ++i) result.x[i] *= 1 - h.x[i] * h.x[i];
      return result;
    };
    if ((t - 1) % options.update_every == 0) {
      const Matrix& seen = of_z[options.empirical ? 0 : 1];
      plain_first.see(rows, of_h(seen), samples, t), plain_second.see(h, seen, samples, t);
    }
    const Matrix dz = 1.0 / samples * of_z[0], dh = of_h(dz);
    const double nu =
        nu_of(options, plain_first.turn(transposed(dh) * rows, t) + plain_second.turn(transposed(dz) * h, t));
    clipped += nu < 1;
    plain_first.move(nu), plain_second.move(nu);
    descend_columns(bias1, dh, 0.125), descend_columns(bias2, dz, 0.125);
    const double tolerance = in_double ? 1e-10 : 2e-3;
    check_near(first.weight.value(), plain_first.theta, tolerance);
    check_near(second.weight.value(), plain_second.theta, tolerance);
    for (std::size_t j = 0; j < out; ++j)
      REQUIRE(double(second.bias.value()(j)) == doctest::Approx(bias2[j]).epsilon(tolerance).scale(1));
  }
  return clipped;
}

}  // namespace

TEST_CASE("K-FAC makes the steps of a plain program on two layers, of drawn labels and of the data's") {
  const KFACOptions options[] = {
      {.lr = 0.25, .momentum = 0.5, .damping = 1e-2, .kl_clip = 0.0625, .update_every = 2, .inverse_every = 3},
      {.lr = 0.5,
       .momentum = 0,
       .damping = 0.1,
       .kl_clip = 0,
       .stat_decay = 0.5,
       .update_every = 1,
       .inverse_every = 1,
       .empirical = true},
      {.lr = 0.125, .damping = 1e-2, .update_every = 1, .inverse_every = 4, .seed = 9, .weight_decay = 0.25}};
  int clipped[3];
  for (int i = 0; i < 3; ++i) {
    CAPTURE(i);
    clipped[i] = compare_two_layers(options[i], Loss::entropy);
    compare_two_layers(options[i], Loss::squares);
  }
  CHECK(clipped[0] > 0);
  CHECK(clipped[0] < 10);
  CHECK(clipped[1] == 0);
  CHECK(clipped[2] == 10);
}

TEST_CASE("and on a convolution, by patches that are read by explicit loops") {
  constexpr std::size_t images = 4, channels = 2, height = 5, width = 6, outputs = 3, kernel_height = 3,
                        kernel_width = 2;
  constexpr std::size_t out_height = 3, out_width = 4, positions = out_height * out_width;
  for (const bool empirical : {false, true}) {
    CAPTURE(empirical);
    const KFACOptions options{
        .lr = 0.25, .damping = 1e-2, .kl_clip = 0.0625, .update_every = 2, .inverse_every = 3, .empirical = empirical};
    Generator data(6);
    const Variable weight = leaf(data.normal({outputs, channels, kernel_height, kernel_width}));
    KFAC optimizer({{"weight", weight}}, options);
    PlainKfac plain(weight.value(), options);
    for (int t = 1; t <= 10; ++t) {
      const Tensor x = data.normal({images, channels, height, width}),
                   target = data.normal({images, outputs, out_height, out_width});
      optimizer.step([&] {
        return nn::mse_loss(conv2d(x, weight, {}, {.stride = {2, 1}, .padding = {1, 0}, .dilation = {1, 2}}), target);
      });

      Matrix patches(images * positions, plain.theta.columns), gradients(images * positions, outputs),
          drawn = gradients;
      for (std::size_t n = 0; n < images; ++n)
        for (std::size_t r = 0; r < out_height; ++r)
          for (std::size_t q = 0; q < out_width; ++q)
            for (std::size_t c = 0; c < channels; ++c)
              for (std::size_t i = 0; i < kernel_height; ++i)
                for (std::size_t j = 0; j < kernel_width; ++j) {
                  const int row = 2 * int(r) + int(i) - 1, column = int(q) + 2 * int(j);
                  if (row >= 0 && row < int(height) && column < int(width))
                    patches((n * out_height + r) * out_width + q, (c * kernel_height + i) * kernel_width + j) =
                        double(x(n, c, std::size_t(row), std::size_t(column)));
                }
      const Matrix y = patches * transposed(plain.theta);
      const double terms = outputs * positions;  // of one image
      const Tensor noise =
          Generator(0, std::uint64_t(t)).normal({images, outputs, out_height, out_width}, 0, std::sqrt(2 / terms));
      for (std::size_t n = 0; n < images; ++n)
        for (std::size_t o = 0; o < outputs; ++o)
          for (std::size_t p = 0; p < positions; ++p) {
            const std::size_t at = (n * outputs + o) * positions + p, row = n * positions + p;
            gradients(row, o) = 2 / terms * (y(row, o) - double(target.data()[at]));
            drawn(row, o) = double(noise.data()[at]);
          }
      if ((t - 1) % 2 == 0) plain.see(patches, empirical ? gradients : drawn, images, t);
      plain.move(nu_of(options, plain.turn(1.0 / images * (transposed(gradients) * patches), t)));
      check_near(weight.value(), plain.theta, in_double ? 1e-10 : 2e-3);
    }
  }
}

TEST_CASE("K-FAC takes the positions of one sample, and of several operations, together") {
  Generator data(1);
  const Variable flat = leaf(data.normal({4, 4})), deep = leaf(flat.value());
  const Tensor x = data.normal({6, 4});
  IndexTensor labels = IndexTensor::from_shape({6});
  labels.fill(1);
  KFAC of_flat({{"w", flat}}), of_deep({{"w", deep}});
  of_flat.step([&] { return nn::cross_entropy(linear(tanh(linear(x, flat)), flat), labels); });
  of_deep.step([&] {
    const Variable y = linear(tanh(linear(reshape(x, {2, 3, 4}), deep)), deep);
    return nn::cross_entropy(reshape(y, {6, 4}), labels);
  });
  CHECK(deep.value() == flat.value());
  const Matrix rows(x), hidden_rows(tanh(linear(x, Variable(Generator(1).normal({4, 4})))).value());
  check_near(of_flat.state("w", "a"), 1.0 / 12 * (transposed(rows) * rows + transposed(hidden_rows) * hidden_rows),
             in_double ? 1e-12 : 1e-5);
}

TEST_CASE("K-FAC draws for a sum of squares as for their mean, by what it is divided by") {
  Generator data(1);
  const Variable of_mean = leaf(data.normal({2, 4})), of_sum = leaf(of_mean.value());
  const Tensor x = data.normal({6, 4}), target = data.normal({6, 2});
  KFAC mean_of({{"w", of_mean}}), sum_of({{"w", of_sum}});
  mean_of.step([&] { return nn::mse_loss(linear(x, of_mean), target); });
  sum_of.step([&] { return nn::mse_loss(linear(x, of_sum), target, nn::Reduction::sum); });
  check_near(sum_of.state("w", "g"), 12.0 * Matrix(mean_of.state("w", "g")), in_double ? 1e-12 : 1e-5);
}
