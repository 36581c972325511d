#include <xgrad/autograd/normalization.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/parallel.h>

#include <cmath>
#include <numeric>

namespace xgrad {
namespace {

// Calls f(position, lane) for every element of a group. Neighbours have different lanes, for loops in SIMD registers.
constexpr std::size_t lanes = 16;
template <class F>
void for_each(GroupView groups, std::size_t group, F f) {
  const std::size_t left = groups.inner % lanes, whole = groups.inner - left;
  for (std::size_t o = 0; o < groups.outer; ++o) {
    const std::size_t begin = (o * groups.count + group) * groups.inner, end = begin + whole;
    for (std::size_t i = begin; i < end; i += lanes)
      for (std::size_t lane = 0; lane < lanes; ++lane) f(i + lane, lane);
    for (std::size_t lane = 0; lane < left; ++lane) f(end + lane, lane);
  }
}

// The mean of f(position) over a group.
template <class F>
double mean_of(GroupView groups, std::size_t group, F f) {
  double sums[lanes] = {};
  for_each(groups, group, [&](std::size_t i, std::size_t lane) { sums[lane] += f(i); });
  return std::accumulate(sums, sums + lanes, 0.0) / static_cast<double>(groups.outer * groups.inner);
}

// In threads, no sum of which is cut.
template <class F>
void for_each_group(GroupView groups, F f) {
  const std::size_t grain = 32 * 1024 / (groups.outer * groups.inner + 1) + 1;
  parallel_for(groups.count, grain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t group = begin; group < end; ++group) f(group);
  });
}

// With y = (x - mean) s, s = 1 / sqrt(variance + eps) and h = weight g, in operations that can be differentiated:
//   dx = s (h - mean(h) - y mean(y h)),  dweight = sum(y g),  dbias = sum(g)
std::vector<Variable> recorded_gradients(const Variable& input, const Variable& weight, const Variable& grad,
                                         GroupView groups, double eps) {
  const Shape view = {groups.outer, groups.count, groups.inner}, flat = {groups.count};
  const auto m = [](const Variable& v) { return mean(v, {0, 2}, true); };
  const Variable x = reshape(input, view), g = reshape(grad, view), h = reshape(weight, {groups.count, 1}) * g;
  const Variable s = pow(variance(x, {0, 2}, true) + eps, -0.5), y = (x - m(x)) * s;
  return {reshape(s * (h - m(h) - y * m(y * h)), input.shape()), sum(y * g, {0, 2}), sum(g, {0, 2})};
}

// The same in two passes over memory.
std::vector<Variable> gradients(const Variable& x, const Variable& weight, const Variable& g, GroupView groups,
                                double eps, const GroupMoments& moments) {
  Tensor dx = Tensor::from_shape(x.shape()), dweight = Tensor::from_shape({groups.count}), dbias = dweight;
  for_each_group(groups, [&, in = x.value().data(), from = g.value().data(), to = dx.data()](std::size_t group) {
    const double mean = moments.mean[group], s = 1 / std::sqrt(moments.variance[group] + eps);
    const double mean_g = mean_of(groups, group, [=](std::size_t i) { return static_cast<double>(from[i]); });
    const double mean_yg = s * mean_of(groups, group, [=](std::size_t i) {
                             return (static_cast<double>(in[i]) - mean) * static_cast<double>(from[i]);
                           });
    const auto size = static_cast<double>(groups.outer * groups.inner);
    dweight.data()[group] = static_cast<Scalar>(size * mean_yg),
    dbias.data()[group] = static_cast<Scalar>(size * mean_g);
    const auto scale = static_cast<Scalar>(s * static_cast<double>(weight.value().data()[group]));
    const auto centre = static_cast<Scalar>(mean), level = static_cast<Scalar>(mean_g),
               slope = static_cast<Scalar>(s * mean_yg);
    for_each(groups, group,
             [=](std::size_t i, std::size_t) { to[i] = scale * (from[i] - level - slope * (in[i] - centre)); });
  });
  return {Variable(std::move(dx)), Variable(std::move(dweight)), Variable(std::move(dbias))};
}

}  // namespace

Variable normalize(const Variable& x, GroupView groups, double eps, const Variable& weight, const Variable& bias,
                   GroupMoments* moments) {
  const Shape view = {groups.outer, groups.count, groups.inner}, flat = {groups.count};
  const Variable w = weight ? weight : Variable(ones(flat)), b = bias ? bias : Variable(zeros(flat));
  if (element_count(view) != x.size()) throw ShapeError(message("[normalize] cannot read ", x.shape(), " as ", view));
  if (w.shape() != flat || b.shape() != flat)
    throw ShapeError(message("[normalize] expected weight and bias of ", flat, " for ", view, ", got ", w.shape(),
                             " and ", b.shape()));
  const auto found = std::make_shared<GroupMoments>(
      GroupMoments{std::vector<double>(groups.count), std::vector<double>(groups.count)});
  Tensor value = Tensor::from_shape(x.shape());
  for_each_group(groups, [&, from = x.value().data(), to = value.data()](std::size_t group) {
    const double mean = mean_of(groups, group, [=](std::size_t i) { return static_cast<double>(from[i]); });
    const double variance = mean_of(groups, group, [=](std::size_t i) {
      const double d = static_cast<double>(from[i]) - mean;
      return d * d;
    });
    found->mean[group] = mean, found->variance[group] = variance;
    const auto centre = static_cast<Scalar>(mean), shift = b.value().data()[group];
    const auto scale = static_cast<Scalar>(static_cast<double>(w.value().data()[group]) / std::sqrt(variance + eps));
    for_each(groups, group, [=](std::size_t i, std::size_t) { to[i] = (from[i] - centre) * scale + shift; });
  });
  if (moments) *moments = *found;
  return record("normalize", std::move(value), {x, w, b}, [=](const Variable& y, const Variable& g) {
    return is_recording() ? recorded_gradients(y.input(0), y.input(1), g, groups, eps)
                          : gradients(y.input(0), y.input(1), g, groups, eps, *found);
  });
}

}  // namespace xgrad
