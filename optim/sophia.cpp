#include <xgrad/optim/elements.h>
#include <xgrad/optim/ranges.h>
#include <xgrad/optim/sophia.h>

#include <numeric>

namespace xgrad::optim {
namespace {

// Both rules keep it in their third slot.
std::vector<SlotTensors> estimates(const LossGraph& graph, const std::vector<Elements>& parameters) {
  std::vector<SlotTensors> result(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) result[i][2] = graph.curvatures.at(parameters[i].parameter);
  return result;
}

}  // namespace

void SophiaRule::check() const {
  check_below_one(name(), "beta1", options.beta1);
  check_below_one(name(), "beta2", options.beta2);
  check_positive(name(), "rho", options.rho);
  check_positive(name(), "eps", options.eps);
  check_count(name(), "interval", options.interval);
}

Needs SophiaRule::needs(double t) const {
  return std::fmod(t - 1, static_cast<double>(options.interval)) == 0 ? Needs::curvature : Needs::gradient;
}

std::vector<SlotTensors> SophiaRule::observe(const LossGraph& graph, const std::vector<Elements>& parameters) const {
  return estimates(graph, parameters);
}

void SophiaRule::update(const Elements& elements) const {
  const auto lr = Scalar(options.lr), rho = Scalar(options.rho), eps = Scalar(options.eps);
  const auto beta1 = Scalar(options.beta1), rest1 = Scalar(1 - options.beta1);
  const auto beta2 = Scalar(options.beta2), rest2 = Scalar(1 - options.beta2);
  const bool estimated = needs(elements.t) == Needs::curvature;
  elements.for_each<3>([=](Register& theta, Register g, Register& m, Register& h, Register& estimate) {
    m = beta1 * m + rest1 * g;
    if (estimated) h = beta2 * h + rest2 * estimate;
    theta -= lr * max(Register(-1), min(Register(1), m / max(rho * h, Register(eps))));
  });
}

void AdaHessianRule::check() const {
  check_below_one(name(), "beta1", options.beta1);
  check_below_one(name(), "beta2", options.beta2);
  check_up_to_one(name(), "power", options.power);
  check_not_negative(name(), "eps", options.eps);
}

std::vector<SlotTensors> AdaHessianRule::observe(const LossGraph& graph,
                                                 const std::vector<Elements>& parameters) const {
  return estimates(graph, parameters);
}

Corrections AdaHessianRule::corrections(double t) const {
  return {1 - std::pow(options.beta1, t), 1 - std::pow(options.beta2, t)};
}

// A convolution's window.
std::size_t AdaHessianRule::unit(const Shape& parameter) const {
  if (parameter.size() < 3) return 1;
  return std::max<std::size_t>(
      std::accumulate(parameter.begin() + 2, parameter.end(), std::size_t{1}, std::multiplies<>()), 1);
}

void AdaHessianRule::update(const Elements& elements) const {
  if (elements.unit > 1)
    for (std::size_t begin = 0; begin < elements.size; begin += elements.unit) {
      Scalar* window = elements.state[2] + begin;
      double sum = 0;
      for (std::size_t i = 0; i < elements.unit; ++i) sum += std::abs(double(window[i]));
      std::fill_n(window, elements.unit, static_cast<Scalar>(sum / static_cast<double>(elements.unit)));
    }
  const Corrections correction = corrections(elements.t);
  const auto beta1 = Scalar(options.beta1), rest1 = Scalar(1 - options.beta1);
  const auto beta2 = Scalar(options.beta2), rest2 = Scalar(1 - options.beta2);
  const auto rate = Scalar(options.lr / correction[0]), scale = Scalar(1 / correction[1]);
  const auto eps = Scalar(options.eps), power = Scalar(options.power);
  elements.for_each<3>(
      [=, plain = options.power == 1](Register& theta, Register g, Register& m, Register& v, Register& d) {
        m = beta1 * m + rest1 * g;
        v = beta2 * v + rest2 * d * d;
        const Register root = sqrt(scale * v);
        theta -= rate * m / ((plain ? root : exp(power * log(root))) + eps);
      });
}

}  // namespace xgrad::optim
