// Rules that sum over parameters, keep numbers, or evaluate elsewhere: each again as a plain program, straight from the
// paper's formulas, on gradients given from outside.
#include <doctest/doctest.h>
#include <optim/helpers.h>

#include <cmath>
#include <functional>
#include <memory>
#include <numeric>
#include <vector>

using namespace xgrad;
using namespace xgrad::optim;

namespace {

using Numbers1 = std::vector<double>;

// What a program knows of a parameter, in double: theta, and whatever it keeps.
struct Kept {
  Numbers1 theta, g;
  Numbers1 a = Numbers1(theta.size()), b = a, c = a, d = a;  // state
};
struct Program {
  std::vector<Kept> all;
  int t = 0;
  double x = 0, y = 0;  // numbers
  // Over all elements of one, or of all.
  template <class F>
  static double over(const Kept& kept, F f) {
    double sum = 0;
    for (std::size_t i = 0; i < kept.theta.size(); ++i) sum += f(i);
    return sum;
  }
};
using Step = std::function<void(Program&)>;

double corrected(double mean, double beta, int t) { return mean / (1 - std::pow(beta, t)); }
double sign_of(double x) { return (x > 0) - (x < 0); }

void lamb(Program& p) {
  for (Kept& k : p.all) {
    Numbers1 r(k.g.size());
    for (std::size_t i = 0; i < k.g.size(); ++i) {
      k.a[i] = 0.8 * k.a[i] + 0.2 * k.g[i], k.b[i] = 0.9 * k.b[i] + 0.1 * k.g[i] * k.g[i];
      r[i] = corrected(k.a[i], 0.8, p.t) / (std::sqrt(corrected(k.b[i], 0.9, p.t)) + 1e-6) + 0.3 * k.theta[i];
    }
    const double ratio = std::sqrt(Program::over(k, [&](auto i) { return k.theta[i] * k.theta[i]; }) /
                                   Program::over(k, [&](auto i) { return r[i] * r[i]; }));
    for (std::size_t i = 0; i < r.size(); ++i) k.theta[i] -= 0.05 * ratio * r[i];
  }
}

void lars(Program& p) {
  for (Kept& k : p.all) {
    const double of_theta = std::sqrt(Program::over(k, [&](auto i) { return k.theta[i] * k.theta[i]; })),
                 of_g = std::sqrt(Program::over(k, [&](auto i) { return k.g[i] * k.g[i]; }));
    for (std::size_t i = 0; i < k.g.size(); ++i) {
      k.a[i] = 0.7 * k.a[i] + 2 * 0.01 * of_theta / (of_g + 0.3 * of_theta) * (k.g[i] + 0.3 * k.theta[i]);
      k.theta[i] -= k.a[i];
    }
  }
}

// a is m, b is v, c is s, d is x0; x is d, y is r.
void prodigy(Program& p) {
  if (p.t == 1) p.x = 1e-3;
  const double d = p.x, root = std::sqrt(0.95);
  double product = 0, norm = 0;
  for (Kept& k : p.all)
    for (std::size_t i = 0; i < k.g.size(); ++i) {
      if (p.t == 1) k.d[i] = k.theta[i];
      product += k.g[i] * (k.d[i] - k.theta[i]);
      k.c[i] = root * k.c[i] + (1 - root) * d * d * k.g[i];
      norm += std::abs(k.c[i]);
      k.a[i] = 0.9 * k.a[i] + 0.1 * d * k.g[i], k.b[i] = 0.95 * k.b[i] + 0.05 * d * d * k.g[i] * k.g[i];
      k.theta[i] = (1 - d * 0.1) * k.theta[i] - d * k.a[i] / (std::sqrt(k.b[i]) + d * 1e-8);
    }
  p.y = root * p.y + (1 - root) * d * d * product;
  p.x = std::max(d, p.y / norm);
}

void d_adapt(Program& p) {
  if (p.t == 1) p.x = 1e-3;
  const double d = p.x, root = std::sqrt(0.95);
  double product = 0, norm = 0;
  for (Kept& k : p.all)
    for (std::size_t i = 0; i < k.g.size(); ++i) {
      k.a[i] = 0.9 * k.a[i] + 0.1 * d * k.g[i], k.b[i] = 0.95 * k.b[i] + 0.05 * k.g[i] * k.g[i];
      const double divisor = std::sqrt(k.b[i]) + 1e-8;
      product += k.g[i] * k.c[i] / divisor;
      k.c[i] = root * k.c[i] + (1 - root) * d * k.g[i];
      norm += std::abs(k.c[i]);
      k.theta[i] = (1 - d * 0.1) * k.theta[i] - k.a[i] / divisor;
    }
  p.y = root * p.y + (1 - root) * d * product;
  p.x = std::max(d, p.y / ((1 - root) * norm));
}

// a is z, b is v, c is x; x is the sum of weights. theta is y.
template <bool adam>
void schedule_free(Program& p) {
  const double rate = (adam ? 0.05 * std::sqrt(1 - std::pow(0.9, p.t)) : 0.2) * std::min(1.0, p.t / 4.0);
  p.x += rate * rate;
  const double share = rate * rate / p.x;
  for (Kept& k : p.all)
    for (std::size_t i = 0; i < k.g.size(); ++i) {
      if (p.t == 1) k.a[i] = k.c[i] = k.theta[i];
      k.b[i] = 0.9 * k.b[i] + 0.1 * k.g[i] * k.g[i];
      k.a[i] -= rate * ((adam ? k.g[i] / (std::sqrt(k.b[i]) + 1e-8) : k.g[i]) + 0.1 * k.theta[i]);
      k.c[i] = (1 - share) * k.c[i] + share * k.a[i];
      k.theta[i] = 0.2 * k.a[i] + 0.8 * k.c[i];
    }
}

void rprop(Program& p) {
  for (Kept& k : p.all)
    for (std::size_t i = 0; i < k.g.size(); ++i) {
      double g = k.g[i], &length = k.b[i];
      if (p.t == 1) length = 0.1;
      if (g * k.a[i] > 0) length = std::min(length * 1.5, 0.3);
      if (g * k.a[i] < 0) length = std::max(length * 0.5, 1e-2), g = 0;
      k.theta[i] -= length * sign_of(g);
      k.a[i] = g;
    }
}

void asgd(Program& p) {
  const double eta = 0.1 / std::pow(1 + 0.01 * 0.1 * (p.t - 1), 0.75);
  for (Kept& k : p.all)
    for (std::size_t i = 0; i < k.g.size(); ++i) {
      k.theta[i] = (1 - 0.01 * eta) * k.theta[i] - eta * k.g[i];
      k.c[i] += (k.theta[i] - k.c[i]) / std::max(1, p.t - 1 - 5);
    }
}

void ftrl(Program& p) {
  for (Kept& k : p.all)
    for (std::size_t i = 0; i < k.g.size(); ++i) {
      double &z = k.a[i], &n = k.b[i];
      if (p.t == 1) z = -k.theta[i] * (0.5 / 0.3 + 0.1) - sign_of(k.theta[i]) * 0.4;
      const double sigma = (std::sqrt(n + k.g[i] * k.g[i]) - std::sqrt(n)) / 0.3;
      z += k.g[i] - sigma * k.theta[i], n += k.g[i] * k.g[i];
      k.theta[i] = std::abs(z) <= 0.4 ? 0 : -(z - sign_of(z) * 0.4) / ((0.5 + std::sqrt(n)) / 0.3 + 0.1);
    }
}

// a and b are theta and g of the step before.
template <bool short_step>
void barzilai_borwein(Program& p) {
  double ss = 0, sy = 0, yy = 0;
  for (const Kept& k : p.all)
    for (std::size_t i = 0; i < k.g.size(); ++i) {
      const double s = k.theta[i] - k.a[i], y = k.g[i] - k.b[i];
      ss += s * s, sy += s * y, yy += y * y;
    }
  const double length = p.t == 1 || sy <= 0 ? 0.02 : short_step ? sy / yy : ss / sy;
  for (Kept& k : p.all)
    for (std::size_t i = 0; i < k.g.size(); ++i) {
      k.a[i] = k.theta[i], k.b[i] = k.g[i];
      k.theta[i] -= length * k.g[i];
    }
}

// Liu's mask on AdamW: decay, and then the masked step.
void cautious_adamw(Program& p) {
  for (Kept& k : p.all) {
    Numbers1 u(k.g.size());
    double moving = 0;
    for (std::size_t i = 0; i < u.size(); ++i) {
      k.a[i] = 0.9 * k.a[i] + 0.1 * k.g[i], k.b[i] = 0.999 * k.b[i] + 0.001 * k.g[i] * k.g[i];
      u[i] = corrected(k.a[i], 0.9, p.t) / (std::sqrt(corrected(k.b[i], 0.999, p.t)) + 1e-8);
      moving += u[i] * k.g[i] > 0;
    }
    const double stretch = double(u.size()) / (moving + 1);
    for (std::size_t i = 0; i < u.size(); ++i)
      k.theta[i] -= 0.05 * 0.2 * k.theta[i] + (u[i] * k.g[i] > 0 ? 0.05 * stretch * u[i] : 0);
  }
}

void decayed_rmsprop(Program& p) {
  for (Kept& k : p.all)
    for (std::size_t i = 0; i < k.g.size(); ++i) {
      k.b[i] = 0.99 * k.b[i] + 0.01 * k.g[i] * k.g[i];
      k.theta[i] = k.theta[i] * (1 - 0.05 * 0.2) - 0.05 * k.g[i] / (std::sqrt(k.b[i]) + 1e-8);
    }
}

struct Case {
  const char* name;
  std::unique_ptr<Optimizer> (*make)(const ParameterList&);
  Step step;
};

template <class Rule, auto options, auto common = CommonOptions{}>
std::unique_ptr<Optimizer> make(const ParameterList& list) {
  return std::make_unique<Rule>(list, options(), common);
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"LAMB", make<Lamb, [] { return LambOptions{.lr = 0.05, .beta1 = 0.8, .beta2 = 0.9, .weight_decay = 0.3}; }>,
       lamb},
      {"LARS", make<Lars, [] { return LarsOptions{.lr = 2, .momentum = 0.7, .trust = 0.01, .weight_decay = 0.3}; }>,
       lars},
      {"Prodigy", make<Prodigy, [] { return ProdigyOptions{.beta2 = 0.95, .weight_decay = 0.1, .d0 = 1e-3}; }>,
       prodigy},
      {"DAdaptAdam", make<DAdaptAdam, [] { return DAdaptAdamOptions{.beta2 = 0.95, .weight_decay = 0.1, .d0 = 1e-3}; }>,
       d_adapt},
      {"ScheduleFreeSGD",
       make<ScheduleFreeSGD,
            [] { return ScheduleFreeSGDOptions{.lr = 0.2, .beta = 0.8, .weight_decay = 0.1, .warm_up = 4}; }>,
       schedule_free<false>},
      {"ScheduleFreeAdamW",
       make<ScheduleFreeAdamW,
            [] {
              return ScheduleFreeAdamWOptions{
                  .lr = 0.05, .beta1 = 0.8, .beta2 = 0.9, .weight_decay = 0.1, .warm_up = 4};
            }>,
       schedule_free<true>},
      {"Rprop", make<Rprop, [] { return RpropOptions{.lr = 0.1, .eta_plus = 1.5, .step_min = 1e-2, .step_max = 0.3}; }>,
       rprop},
      {"ASGD", make<ASGD, [] { return ASGDOptions{.lr = 0.1, .lambd = 0.01, .t0 = 5}; }>, asgd},
      {"FTRL", make<FTRL, [] { return FTRLOptions{.lr = 0.3, .beta = 0.5, .l1 = 0.4, .l2 = 0.1}; }>, ftrl},
      {"BarzilaiBorwein", make<BarzilaiBorwein, [] { return BarzilaiBorweinOptions{.lr = 0.02}; }>,
       barzilai_borwein<false>},
      {"BarzilaiBorwein, short",
       make<BarzilaiBorwein, [] { return BarzilaiBorweinOptions{.lr = 0.02, .short_step = true}; }>,
       barzilai_borwein<true>},
      {"cautious AdamW",
       make<AdamW, [] { return AdamWOptions{.lr = 0.05, .weight_decay = 0.2}; }, CommonOptions{.cautious = true}>,
       cautious_adamw},
      {"RMSprop with decoupled decay",
       make<RMSprop, [] { return RMSpropOptions{.lr = 0.05}; }, CommonOptions{.decoupled_weight_decay = 0.2}>,
       decayed_rmsprop},
  };
  return all;
}

double distance(const Tensor& a, const Numbers1& b) {
  double most = 0;
  for (std::size_t i = 0; i < b.size(); ++i) most = std::max(most, std::abs(double(a.data()[i]) - b[i]));
  return most;
}

}  // namespace

TEST_CASE("every rule that sums, counts or evaluates elsewhere agrees with a plain program") {
  for (const Case& one : cases()) {
    CAPTURE(one.name);
    Generator generator(7);
    ParameterList list;
    Program program;
    for (const Shape& shape : {Shape{37}, Shape{3, 2}}) {
      list.emplace_back(std::to_string(list.size()), leaf(generator.normal(shape)));
      const Tensor& x = list.back().second.value();
      program.all.push_back({Numbers1(x.begin(), x.end()), Numbers1(x.size())});
    }
    const std::unique_ptr<Optimizer> optimizer = one.make(list);
    for (int t = 0; t < 30; ++t) {
      // Gradients of a bowl, with noise, so that the sums of Prodigy and of Barzilai & Borwein say something.
      for (std::size_t i = 0; i < list.size(); ++i) {
        Tensor g = list[i].second.value() * Scalar(0.5) + generator.normal(list[i].second.shape()) * Scalar(0.1);
        for (Scalar& value : g)
          if (generator.uniform() < 0.05) value = 0;
        set_gradient(list[i].second, g);
        program.all[i].g.assign(g.begin(), g.end());
      }
      optimizer->step();
      ++program.t;
      one.step(program);
      for (std::size_t i = 0; i < list.size(); ++i)
        REQUIRE(distance(list[i].second.value(), program.all[i].theta) < (in_double ? 1e-10 : 2e-3));
    }
  }
}

TEST_CASE("an estimate of the rate grows, and is the same whatever the parameters are cut into") {
  const auto estimate = [](auto make, bool cut) {
    Generator generator(2);
    const Tensor start = generator.normal({400});
    ParameterList list;
    if (cut)
      for (const auto& [from, to] : {std::pair<std::size_t, std::size_t>{0, 150}, {150, 400}})
        list.emplace_back(std::to_string(from), leaf(slice(Variable(start), 0, from, to).value()));
    else
      list.emplace_back("0", leaf(start));
    const auto optimizer = make(list);
    for (int t = 0; t < 100; ++t) {
      for (const auto& [name, x] : list) set_gradient(x, x.value());
      optimizer->step();
    }
    return optimizer->number("0", "d");
  };
  const auto prodigy_of = [](const ParameterList& list) { return std::make_unique<Prodigy>(list); };
  const auto d_adapt_of = [](const ParameterList& list) { return std::make_unique<DAdaptAdam>(list); };
  CHECK(estimate(prodigy_of, true) == doctest::Approx(estimate(prodigy_of, false)).epsilon(in_double ? 1e-9 : 1e-3));
  CHECK(estimate(prodigy_of, false) > 1e-3);  // from 1e-6
  CHECK(estimate(d_adapt_of, true) == doctest::Approx(estimate(d_adapt_of, false)).epsilon(in_double ? 1e-9 : 1e-3));
  CHECK(estimate(d_adapt_of, false) > 1e-3);
}

TEST_CASE("weights to evaluate with are the paper's, while a guard lives") {
  for (const Case& one : cases()) {
    const std::string name = one.name;
    const bool elsewhere = name.starts_with("ScheduleFree") || name == "ASGD";
    CAPTURE(name);
    Generator generator(3);
    const Variable x = leaf(generator.normal({11}));
    Program program{.all = {{Numbers1(x.value().begin(), x.value().end()), Numbers1(11)}}};
    const auto optimizer = one.make({{"x", x}});
    CHECK(optimizer->evaluation_weights().empty());
    for (int t = 0; t < 12; ++t) {
      set_gradient(x, generator.normal({11}));
      const Variable g(x.grad());
      program.all[0].g.assign(g.value().begin(), g.value().end());
      optimizer->step();
      ++program.t;
      one.step(program);
    }
    const Variable copy = x.detach();
    const Tensor& trained = copy.value();
    {
      const EvaluationWeights guard(*optimizer);
      CHECK((x.value() != trained) == elsewhere);
      if (elsewhere) CHECK(distance(x.value(), program.all[0].c) < (in_double ? 1e-12 : 1e-5));
      CHECK_THROWS_AS(optimizer->step(), GraphError);
      CHECK_THROWS_AS(optimizer->state_dict(), GraphError);
      CHECK_THROWS_AS(EvaluationWeights second(*optimizer), GraphError);
    }
    CHECK(x.value() == trained);
    optimizer->state_dict();
  }
}

TEST_CASE("LARS takes the ratio of norms for 1 where one is 0, and LAMB too") {
  const Variable x = leaf({0, 0}), y = leaf({0, 0});
  Lars lars({{"x", x}}, {.lr = 2, .trust = 0.25});
  Lamb lamb({{"y", y}}, {.lr = 0.5, .eps = 0});
  set_gradient(x, {1, -3}), set_gradient(y, {1, -3});
  lars.step(), lamb.step();
  CHECK(x.value() == Tensor({-0.5, 1.5}));
  CHECK(double(y.value()(1)) == doctest::Approx(0.5));
}
