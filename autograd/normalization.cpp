#include <xgrad/autograd/attributes.h>
#include <xgrad/autograd/normalization.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/core/parallel.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace xgrad {
namespace {

// Calls f(position, lane) for every element of a group. Neighbours have different lanes, for loops in SIMD registers.
constexpr std::size_t lanes = 16;
template <class F>
void for_each(GroupView view, std::size_t group, F f) {
  const std::size_t left = view.inner % lanes, whole = view.inner - left;
  for (std::size_t o = 0; o < view.outer; ++o) {
    const std::size_t begin = (o * view.count + group) * view.inner, end = begin + whole;
    for (std::size_t i = begin; i < end; i += lanes)
      for (std::size_t lane = 0; lane < lanes; ++lane) f(i + lane, lane);
    for (std::size_t lane = 0; lane < left; ++lane) f(end + lane, lane);
  }
}

template <class F>
double sum_of(GroupView view, std::size_t group, F f) {
  double sums[lanes] = {};
  for_each(view, group, [&](std::size_t i, std::size_t lane) { sums[lane] += f(i); });
  return std::accumulate(sums, sums + lanes, 0.0);
}

// In threads, no sum of which is cut.
template <class F>
void for_each_group(GroupView view, F f) {
  const std::size_t groups_a_thread = 32 * 1024 / (view.outer * view.inner + 1) + 1;
  parallel_for(view.count, groups_a_thread, [&](std::size_t begin, std::size_t end) {
    for (std::size_t group = begin; group < end; ++group) f(group);
  });
}

// With y = (x - mean) s, s = 1 / sqrt(variance + eps) and h = weight g:
//   dx = s (h - mean(h) - y mean(y h)),  dweight = sum(y g),  dbias = sum(g)
// First in operations, for gradients that are to be differentiated in turn, then in two passes over memory.
std::vector<Variable> recorded_gradients(const Variable& x, const Variable& weight, const Variable& grad,
                                         GroupView view, double eps) {
  const Shape shape = {view.outer, view.count, view.inner};
  const auto m = [](const Variable& v) { return mean(v, {0, 2}, true); };
  const Variable in = reshape(x, shape), g = reshape(grad, shape), h = reshape(weight, {view.count, 1}) * g;
  const Variable s = pow(variance(in, {0, 2}, true) + eps, -0.5), y = (in - m(in)) * s;
  return {reshape(s * (h - m(h) - y * m(y * h)), x.shape()), sum(y * g, {0, 2}), sum(g, {0, 2})};
}

std::vector<Variable> fused_gradients(const Variable& x, const Variable& weight, const Variable& grad, GroupView view,
                                      double eps, const GroupMoments& moments) {
  Tensor dx = Tensor::from_shape(x.shape()), dweight = Tensor::from_shape({view.count}), dbias = dweight;
  const auto n = static_cast<double>(view.outer * view.inner);
  for_each_group(view, [&, in = x.value().data(), g = grad.value().data(), to = dx.data()](std::size_t group) {
    const double mean = moments.mean[group], s = 1 / std::sqrt(moments.variance[group] + eps);
    const double sum_g = sum_of(view, group, [=](std::size_t i) { return g[i]; });
    const double sum_yg = s * sum_of(view, group, [=](std::size_t i) { return (in[i] - mean) * g[i]; });
    dweight.data()[group] = Scalar(sum_yg), dbias.data()[group] = Scalar(sum_g);
    const Scalar centre = Scalar(mean), level = Scalar(sum_g / n), slope = Scalar(s * sum_yg / n);
    const Scalar scale = Scalar(s) * weight.value().data()[group];
    for_each(view, group,
             [=](std::size_t i, std::size_t) { to[i] = scale * (g[i] - level - slope * (in[i] - centre)); });
  });
  return {Variable(std::move(dx)), Variable(std::move(dweight)), Variable(std::move(dbias))};
}

}  // namespace

Variable normalize(const Variable& x, GroupView view, double eps, const Variable& weight, const Variable& bias,
                   GroupMoments* moments) {
  const Shape shape = {view.outer, view.count, view.inner}, flat = {view.count};
  const Variable w = weight ? weight : Variable(ones(flat)), b = bias ? bias : Variable(zeros(flat));
  if (element_count(shape) != x.size()) throw ShapeError(message("[normalize] cannot read ", x.shape(), " as ", shape));
  if (w.shape() != flat || b.shape() != flat)
    throw ShapeError(message("[normalize] expected weight and bias of ", flat, " for ", shape, ", got ", w.shape(),
                             " and ", b.shape()));
  const auto found = std::make_shared<GroupMoments>();
  found->mean.resize(view.count), found->variance.resize(view.count);
  Tensor value = Tensor::from_shape(x.shape());
  const auto n = static_cast<double>(view.outer * view.inner);
  for_each_group(view, [&, in = x.value().data(), to = value.data()](std::size_t group) {
    const double mean = sum_of(view, group, [=](std::size_t i) { return in[i]; }) / n;
    const double variance = sum_of(view, group, [=](std::size_t i) { return (in[i] - mean) * (in[i] - mean); }) / n;
    found->mean[group] = mean, found->variance[group] = variance;
    const Scalar centre = Scalar(mean), shift = b.value().data()[group];
    const Scalar scale = Scalar(1 / std::sqrt(variance + eps)) * w.value().data()[group];
    for_each(view, group, [=](std::size_t i, std::size_t) { to[i] = (in[i] - centre) * scale + shift; });
  });
  if (moments) *moments = *found;
  const auto gradients = [=](const Variable& y, const Variable& g) {
    const Variable factors = y.input(1) ? y.input(1) : Variable(ones(flat));
    return is_recording() ? recorded_gradients(y.input(0), factors, g, view, eps)
                          : fused_gradients(y.input(0), factors, g, view, eps, *found);
  };
  return record("normalize", std::move(value), {x, weight, bias}, gradients,
                attributes("outer", view.outer, "count", view.count, "inner", view.inner, "epsilon", eps));
}

Variable batch_norm(const Variable& x, const Variable& mean, const Variable& variance, double eps,
                    const Variable& weight, const Variable& bias) {
  const Shape& shape = x.shape();
  const std::size_t channels = shape.size() < 2 ? 0 : shape[1];
  for (const Variable* numbers : {&mean, &variance, &weight, &bias})
    if (shape.size() < 2 || (*numbers && numbers->shape() != Shape{channels}))
      throw ShapeError(message("[batch_norm] expected x (batch, channels, …) and ", channels, " numbers each, got ",
                               shape, " and ", *numbers ? to_string(numbers->shape()) : "none"));
  const auto beside = [rank = shape.size()](const Variable& numbers) {
    Shape column(rank - 1, 1);
    column[0] = numbers.size();
    return reshape(numbers, column);
  };
  const auto inverse_of = [eps](const Variable& v) { return 1 / sqrt(v + eps); };
  Tensor value;
  {
    const NoGrad no_grad;  // one operation, so that the graph has one
    const Variable inverse = inverse_of(variance), scale = weight ? weight * inverse : inverse;
    const Variable shift = -mean * scale;
    value = (x * beside(scale) + beside(bias ? bias + shift : shift)).value();
  }
  const auto gradients = [=](const Variable& y, const Variable& g) {
    const Variable &in = y.input(0), &w = y.input(1), &m = y.input(3), s = inverse_of(y.input(4));
    const Variable scale = w ? w * s : s;
    std::vector<Variable> all = {in.requires_grad() ? g * beside(scale) : Variable(), {}, {}, {}, {}};
    if (std::none_of(y.inputs().begin() + 1, y.inputs().end(), [](const Variable& v) { return v.requires_grad(); }))
      return all;
    std::vector<std::ptrdiff_t> others(in.shape().size() - 1, 0);  // all axes but the channels'
    std::iota(others.begin() + 1, others.end(), 2);
    const Variable total = sum(g, others), along = sum(g * (in - beside(m)), others) * s;
    all[1] = along, all[2] = total, all[3] = -scale * total;
    all[4] = (w ? w * along : along) * (-0.5) * square(s);
    return all;
  };
  return record("batch_norm", std::move(value), {x, weight, bias, mean, variance}, gradients,
                attributes("epsilon", eps));
}

}  // namespace xgrad
