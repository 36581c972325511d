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
  if constexpr (requires { o.rho; }) set("rho", o.rho);
  if constexpr (requires { o.momentum_decay; }) set("momentum_decay", o.momentum_decay), set("pytorch_1", o.pytorch_1);
  if constexpr (requires { o.lr_decay; })
    set("lr_decay", o.lr_decay), set("initial_accumulator_value", o.initial_accumulator_value);
  if constexpr (requires { o.amsgrad; }) set("amsgrad", o.amsgrad);
  if constexpr (requires { o.momentum; }) set("momentum", o.momentum);
  if constexpr (requires { o.dampening; }) set("dampening", o.dampening), set("nesterov", o.nesterov);
  if constexpr (requires { o.centered; }) set("alpha", o.alpha), set("centered", o.centered);
  if constexpr (requires { o.clip; }) set("clip", o.clip);
  if constexpr (requires { o.warm_up; }) set("warm_up", o.warm_up), set("alpha", o.alpha);
  if constexpr (requires { o.beta3; })
    if (from.contains("betas")) o.beta3 = from["betas"][2];
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
  if (name == "Adamax") return make<Adamax, AdamaxOptions>(x, options);
  if (name == "AdamaxW") return make<AdamaxW, AdamaxWOptions>(x, options);
  if (name == "Adagrad") return make<Adagrad, AdagradOptions>(x, options);
  if (name == "Adadelta") return make<Adadelta, AdadeltaOptions>(x, options);
  if (name == "NAdam") return make<NAdam, NAdamOptions>(x, options);
  if (name == "RAdam") return make<RAdam, RAdamOptions>(x, options);
  if (name == "ADOPT") return make<Adopt, AdoptOptions>(x, options);
  if (name == "Adan") return make<Adan, AdanOptions>(x, options);
  if (name == "AdEMAMix") return make<AdEMAMix, AdEMAMixOptions>(x, options);
  REQUIRE(name == "Lion");
  return make<Lion, LionOptions>(x, options);
}

// One element, as the papers and PyTorch's documentation write it, in double.
struct Element {
  double theta, m = 0, v = 0, largest = 0, b = 0, product = 1, before = 0;
  int t = 0;

  void step(const std::string& name, const json& options, double g) {
    const auto get = [&](const char* option, double otherwise) { return options.value(option, otherwise); };
    const auto on = [&](const char* option) { return options.value(option, false); };
    const bool decoupled =
        name == "AdamW" || name == "AdamaxW" || name == "Lion" || name == "Adan" || name == "AdEMAMix";
    const double lr = options["lr"], decay = get("weight_decay", name.back() == 'W' ? 0.01 : 0);
    ++t;
    if (on("maximize")) g = -g;
    if (decoupled)
      theta -= lr * decay * theta;
    else
      g += decay * theta;
    if (name == "SGD") {
      const double momentum = get("momentum", 0);
      b = t == 1 ? g : momentum * b + (1 - get("dampening", 0)) * g;
      theta -= lr * (momentum == 0 ? g : on("nesterov") ? g + momentum * b : b);
    } else if (name == "RMSprop") {
      const double alpha = get("alpha", 0.99);
      v = alpha * v + (1 - alpha) * g * g;
      m = alpha * m + (1 - alpha) * g;
      b = get("momentum", 0) * b + g / (std::sqrt(on("centered") ? v - m * m : v) + get("eps", 1e-8));
      theta -= lr * b;
    } else if (name == "Adagrad") {
      if (t == 1) v = get("initial_accumulator_value", 0);
      v += g * g;
      theta -= lr / (1 + (t - 1) * get("lr_decay", 0)) * g / (std::sqrt(v) + get("eps", 1e-10));
    } else if (name == "Adadelta") {
      const double rho = get("rho", 0.9), eps = get("eps", 1e-6);
      v = rho * v + (1 - rho) * g * g;
      const double d = std::sqrt(b + eps) / std::sqrt(v + eps) * g;
      b = rho * b + (1 - rho) * d * d;
      theta -= lr * d;
    } else if (name == "ADOPT" || name == "Adan" || name == "AdEMAMix") {
      later_than_2022(name, options, g);
    } else {
      moments(name, options, g);
    }
  }

  void later_than_2022(const std::string& name, const json& options, double g) {
    const double lr = options["lr"];
    const std::vector<double> beta = options["betas"];
    const auto corrected = [&](double mean, double kept) { return mean / (1 - std::pow(kept, t)); };
    if (name == "ADOPT") {
      if (t > 1) {
        const double c = options.value("clip", true) ? std::sqrt(std::sqrt(t - 1)) : 1e9;
        m = beta[0] * m + (1 - beta[0]) * std::clamp(g / std::max(std::sqrt(v), options.value("eps", 1e-6)), -c, c);
        theta -= lr * m;
      }
      v = t == 1 ? g * g : beta[1] * v + (1 - beta[1]) * g * g;
    } else if (name == "Adan") {
      const double d = t == 1 ? 0 : g - before, ahead = g + beta[1] * d;
      m = beta[0] * m + (1 - beta[0]) * g, b = beta[1] * b + (1 - beta[1]) * d;
      v = beta[2] * v + (1 - beta[2]) * ahead * ahead, before = g;
      theta -= lr * (corrected(m, beta[0]) + beta[1] * corrected(b, beta[1])) /
               (std::sqrt(corrected(v, beta[2])) + options.value("eps", 1e-8));
    } else {
      const double steps = options.value("warm_up", 0), share = t < steps ? t / steps : 1;
      // The half-life of a mean that keeps k of itself is log(1/2) / log(k): that grows in a straight line.
      const double b3 = std::exp(1 / ((1 - share) / std::log(beta[0]) + share / std::log(beta[2])));
      m = beta[0] * m + (1 - beta[0]) * g, b = b3 * b + (1 - b3) * g, v = beta[1] * v + (1 - beta[1]) * g * g;
      theta -= lr * (corrected(m, beta[0]) + options.value("alpha", 5.0) * share * b) /
               (std::sqrt(corrected(v, beta[1])) + options.value("eps", 1e-8));
    }
  }

  void moments(const std::string& name, const json& options, double g) {
    const bool betas = options.contains("betas"), amsgrad = options.value("amsgrad", false);
    const double beta1 = betas ? options["betas"][0].get<double>() : 0.9;
    const double beta2 = betas ? options["betas"][1].get<double>() : name == "Lion" ? 0.99 : 0.999;
    const double lr = options["lr"], eps = options.value("eps", 1e-8);
    if (name == "Lion") {
      const double c = beta1 * m + (1 - beta1) * g;
      theta -= lr * ((c > 0) - (c < 0));
      m = beta2 * m + (1 - beta2) * g;
      return;
    }
    m = beta1 * m + (1 - beta1) * g;
    const double c1 = 1 - std::pow(beta1, t), c2 = 1 - std::pow(beta2, t);
    if (name == "Adamax" || name == "AdamaxW") {
      v = std::max(beta2 * v, std::abs(g) + eps);
      theta -= lr / c1 * m / v;
      return;
    }
    v = beta2 * v + (1 - beta2) * g * g;
    largest = std::max(largest, v);
    if (name == "NAdam") {
      const double psi = options.value("momentum_decay", 4e-3);
      const double mu = beta1 * (1 - 0.5 * std::pow(0.96, t * psi)),
                   next = beta1 * (1 - 0.5 * std::pow(0.96, (t + 1) * psi));
      product *= mu;
      const double up_to_next = product * next * (options.value("pytorch_1", false) ? mu : 1);
      theta -= lr * (next * m / (1 - up_to_next) + (1 - mu) * g / (1 - product)) / (std::sqrt(v / c2) + eps);
    } else if (name == "RAdam") {
      const double end = 2 / (1 - beta2) - 1, rho = end - 2 * t * std::pow(beta2, t) / c2;
      const double r = std::sqrt((rho - 4) * (rho - 2) * end / ((end - 4) * (end - 2) * rho));
      theta -= lr * m / c1 * (rho > 5 ? r * std::sqrt(c2) / (std::sqrt(v) + eps) : 1);
    } else {
      theta -= lr * (m / c1) / (std::sqrt((amsgrad ? largest : v) / c2) + eps);
    }
  }
};

Tensor tensor_of(const std::vector<double>& values) {
  Tensor result = Tensor::from_shape({values.size()});
  for (std::size_t i = 0; i < values.size(); ++i) result.data()[i] = static_cast<Scalar>(values[i]);
  return result;
}

void check_near(const Tensor& got, const std::vector<double>& expected, double tolerance) {
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(std::abs(double(got.data()[i]) - expected[i]) <=
          tolerance * (in_double ? std::abs(expected[i]) : std::max(1.0, std::abs(expected[i]))));
}

json reference_cases() {
  std::ifstream file("tests/data/optimizers.json");
  json all = json::parse(file)["cases"];
  for (json& one : all)
    if (one["optimizer"] == "NAdam") one["options"]["pytorch_1"] = true;
  return all;
}

// Rules that PyTorch 1.13 does not have.
json more_cases() {
  return {
      {{"optimizer", "NAdam"}, {"options", {{"lr", 0.01}}}},
      {{"optimizer", "AdamaxW"}, {"options", {{"lr", 0.01}}}},
      {{"optimizer", "AdamaxW"}, {"options", {{"lr", 0.02}, {"weight_decay", 0.3}, {"betas", {0.7, 0.95}}}}},
      {{"optimizer", "Lion"}, {"options", {{"lr", 0.01}}}},
      {{"optimizer", "Lion"}, {"options", {{"lr", 0.02}, {"weight_decay", 0.3}, {"betas", {0.95, 0.98}}}}},
      {{"optimizer", "Lion"}, {"options", {{"lr", 0.02}, {"maximize", true}}}},
      {{"optimizer", "ADOPT"}, {"options", {{"lr", 0.01}, {"betas", {0.9, 0.9999}}}}},
      {{"optimizer", "ADOPT"},
       {"options", {{"lr", 0.02}, {"betas", {0.7, 0.9}}, {"weight_decay", 0.3}, {"clip", false}, {"eps", 0.5}}}},
      {{"optimizer", "Adan"}, {"options", {{"lr", 0.01}, {"betas", {0.98, 0.92, 0.99}}}}},
      {{"optimizer", "Adan"}, {"options", {{"lr", 0.02}, {"betas", {0.7, 0.8, 0.9}}, {"weight_decay", 0.3}}}},
      {{"optimizer", "AdEMAMix"}, {"options", {{"lr", 0.01}, {"betas", {0.9, 0.999, 0.9999}}}}},
      {{"optimizer", "AdEMAMix"},
       {"options", {{"lr", 0.02}, {"betas", {0.5, 0.9, 0.95}}, {"weight_decay", 0.3}, {"alpha", 8}, {"warm_up", 25}}}}};
}

}  // namespace

TEST_CASE("every rule gives PyTorch's sequences") {
  const json all = reference_cases();
  CHECK(all.size() == 29);
  for (const json& one : all) {
    const std::string name = one["optimizer"];
    CAPTURE(name);
    CAPTURE(one["options"].dump());
    const Variable x = leaf(tensor_of(one["start"]));
    const auto optimizer = make(name, x, one["options"]);
    for (std::size_t i = 0; i < one["grads"].size(); ++i) {
      set_gradient(x, tensor_of(one["grads"][i]));
      optimizer->step();
      check_near(x.value(), one["theta"][i], in_double ? 1e-12 : 1e-5);
    }
  }
}

TEST_CASE("every rule agrees with its formulas on random gradients, some of them 0") {
  // 37 elements leave a rest that fills no register; the options are those of the reference cases.
  json all = reference_cases();
  for (const json& one : more_cases()) all.push_back(one);
  for (const json& one : all) {
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
