// PyTorch's own sequences, and every rule again as plain scalar code, straight from the formulas.
#include <doctest/doctest.h>
#include <optim/helpers.h>

#include <cmath>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

using namespace xgrad;
using nlohmann::json;

namespace {

// The options of one case, under PyTorch's names; options that a rule does not have are left alone.
template <class Options>
Options read(const json& from) {
  Options o;
  const auto set = [&](const char* name, auto& field) { field = from.value(name, field); };
  set("lr", o.lr), set("weight_decay", o.weight_decay);
  if constexpr (requires { o.maximize; }) set("maximize", o.maximize);
  if constexpr (requires { o.eps; }) set("eps", o.eps);
  if constexpr (requires { o.amsgrad; }) set("amsgrad", o.amsgrad);
  if constexpr (requires { o.momentum; }) set("momentum", o.momentum);
  if constexpr (requires { o.dampening; }) set("dampening", o.dampening), set("nesterov", o.nesterov);
  if constexpr (requires { o.centered; }) set("alpha", o.alpha), set("centered", o.centered);
  if constexpr (requires { o.beta1; })
    if (from.contains("betas")) o.beta1 = from["betas"][0], o.beta2 = from["betas"][1];
  return o;
}

template <class Optimizer, class Options>
std::unique_ptr<optim::Optimizer> make(const Variable& x, const json& options) {
  return std::make_unique<Optimizer>(optim::ParameterList{{"x", x}}, read<Options>(options));
}

std::unique_ptr<optim::Optimizer> make(const std::string& name, const Variable& x, const json& options) {
  using namespace optim;
  if (name == "SGD") return make<SGD, SGDOptions>(x, options);
  if (name == "RMSprop") return make<RMSprop, RMSpropOptions>(x, options);
  if (name == "Adam") return make<Adam, AdamOptions>(x, options);
  if (name == "AdamW") return make<AdamW, AdamWOptions>(x, options);
  REQUIRE(name == "Adamax");
  return make<Adamax, AdamaxOptions>(x, options);
}

// One element, as the papers and PyTorch's documentation write it, in double.
struct Element {
  double theta, m = 0, v = 0, largest = 0, b = 0;
  int t = 0;

  void step(const std::string& name, const json& options, double g) {
    const auto get = [&](const char* option, double otherwise) { return options.value(option, otherwise); };
    const auto on = [&](const char* option) { return options.value(option, false); };
    const double lr = options["lr"], eps = get("eps", 1e-8), decay = get("weight_decay", name == "AdamW" ? 0.01 : 0);
    const double beta1 = options.contains("betas") ? options["betas"][0].get<double>() : 0.9;
    const double beta2 = options.contains("betas") ? options["betas"][1].get<double>() : 0.999;
    const double momentum = get("momentum", 0), alpha = get("alpha", 0.99);
    ++t;
    if (on("maximize")) g = -g;
    if (name == "AdamW")
      theta -= lr * decay * theta;
    else
      g += decay * theta;
    if (name == "SGD") {
      b = t == 1 ? g : momentum * b + (1 - get("dampening", 0)) * g;
      theta -= lr * (momentum == 0 ? g : on("nesterov") ? g + momentum * b : b);
    } else if (name == "RMSprop") {
      v = alpha * v + (1 - alpha) * g * g;
      m = alpha * m + (1 - alpha) * g;
      const double step = g / (std::sqrt(on("centered") ? v - m * m : v) + eps);
      b = momentum * b + step;
      theta -= lr * b;
    } else {
      m = beta1 * m + (1 - beta1) * g;
      if (name == "Adamax") {
        v = std::max(beta2 * v, std::abs(g) + eps);
        theta -= lr / (1 - std::pow(beta1, t)) * m / v;
      } else {
        v = beta2 * v + (1 - beta2) * g * g;
        largest = std::max(largest, v);
        const double root = std::sqrt((on("amsgrad") ? largest : v) / (1 - std::pow(beta2, t)));
        theta -= lr * (m / (1 - std::pow(beta1, t))) / (root + eps);
      }
    }
  }
};

Tensor tensor(const std::vector<double>& values) {
  Tensor result = Tensor::from_shape({values.size()});
  for (std::size_t i = 0; i < values.size(); ++i) result.data()[i] = static_cast<Scalar>(values[i]);
  return result;
}

void check_near(const Tensor& got, const std::vector<double>& expected, double tolerance) {
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(std::abs(double(got.data()[i]) - expected[i]) <=
          tolerance * (in_double ? std::abs(expected[i]) : std::max(1.0, std::abs(expected[i]))));
}

json cases() {
  std::ifstream file(XGRAD_TEST_DATA "/optimizers.json");
  return json::parse(file)["cases"];
}

}  // namespace

TEST_CASE("every rule gives PyTorch's sequences") {
  const json all = cases();
  CHECK(all.size() == 21);
  for (const json& one : all) {
    const std::string name = one["optimizer"];
    CAPTURE(name);
    CAPTURE(one["options"].dump());
    const Variable x = leaf(tensor(one["start"]));
    const auto optimizer = make(name, x, one["options"]);
    for (std::size_t i = 0; i < one["grads"].size(); ++i) {
      set_gradient(x, tensor(one["grads"][i]));
      optimizer->step();
      check_near(x.value(), one["theta"][i], in_double ? 1e-12 : 1e-5);
    }
  }
}

TEST_CASE("every rule agrees with its formulas on random gradients, some of them 0") {
  // 37 elements leave a rest that fills no register; the options are those of the reference cases.
  for (const json& one : cases()) {
    const std::string name = one["optimizer"];
    const json& options = one["options"];
    CAPTURE(name);
    CAPTURE(options.dump());
    Generator generator(7);
    const Variable x = leaf(generator.normal({37}));
    std::vector<Element> elements;
    for (const Scalar value : x.value()) elements.push_back({.theta = double(value)});
    const auto optimizer = make(name, x, options);
    for (int t = 0; t < 40; ++t) {
      Tensor g = generator.normal({37});
      for (Scalar& value : g)
        if (t % 5 == 3 || generator.uniform() < 0.1) value = 0;
      set_gradient(x, g);
      optimizer->step();
      std::vector<double> expected;
      for (std::size_t i = 0; i < elements.size(); ++i) {
        elements[i].step(name, options, double(g.data()[i]));
        expected.push_back(elements[i].theta);
      }
      check_near(x.value(), expected, in_double ? 1e-11 : 1e-4);  // 40 steps pass through 0
    }
  }
}
