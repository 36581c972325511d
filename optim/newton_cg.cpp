#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/optim/newton_cg.h>
#include <xgrad/optim/ranges.h>

#include <cmath>
#include <functional>
#include <limits>

namespace xgrad::optim {
namespace {

void check_newton(const NewtonCGOptions& o) {
  constexpr std::string_view newton = "NewtonCG";
  check_positive(newton, "lr", o.lr);
  check_count(newton, "max_iterations", o.max_iterations);
  check_count(newton, "max_products", o.max_products);
  check_not_negative(newton, "tolerance_grad", o.tolerance_grad);
  if (!(o.radius_max >= o.lr && std::isfinite(o.radius_max)))
    throw ValueError(message("[NewtonCG] radius_max must be at least lr, ", o.lr, ", and finite, got ", o.radius_max));
  if (!(o.acceptance >= 0 && o.acceptance < 0.25))
    throw ValueError(message("[NewtonCG] acceptance must be in [0, 1/4), got ", o.acceptance));
}

// In double: the iteration lives on the orthogonality of its residuals.
using Vector = std::vector<double>;
double inner(const Vector& a, const Vector& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}
void add_to(Vector& to, double factor, const Vector& x) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += factor * x[i];
}

struct ModelStep {
  Vector p;
  double fall;       // of the model
  bool at_the_edge;  // of the trust region
};

// Algorithm 7.2.
ModelStep minimize_model(const Vector& g, const std::function<Vector(const Vector&)>& hessian, double radius,
                         std::int64_t products) {
  const double norm = std::sqrt(inner(g, g)), enough = std::min(0.5, std::sqrt(norm)) * norm;
  Vector z(g.size(), 0.0), of_z = z, r = g, d(g.size());  // of_z: H z
  for (std::size_t i = 0; i < g.size(); ++i) d[i] = -g[i];
  const auto end = [&](bool edge) { return ModelStep{z, -inner(g, z) - inner(z, of_z) / 2, edge}; };
  while (products-- > 0) {
    const Vector of_d = hessian(d);
    const double curvature = inner(d, of_d), rr = inner(r, r), alpha = rr / curvature;
    Vector next = z;
    add_to(next, alpha, d);
    if (!(curvature > 0) || std::sqrt(inner(next, next)) >= radius) {
      // To the edge: the positive root of norm(z + tau d) = radius.
      const double a = inner(d, d), b = inner(z, d), c = inner(z, z) - radius * radius;
      const double tau = (-b + std::sqrt(b * b - a * c)) / a;
      add_to(z, tau, d), add_to(of_z, tau, of_d);
      return end(true);
    }
    z = std::move(next);
    add_to(of_z, alpha, of_d), add_to(r, alpha, of_d);
    if (std::sqrt(inner(r, r)) < enough) break;
    const double beta = inner(r, r) / rr;
    for (std::size_t i = 0; i < d.size(); ++i) d[i] = beta * d[i] - r[i];
  }
  return end(false);
}

Vector doubles_of(const Tensor& x) { return Vector(x.begin(), x.end()); }
Tensor rounded(const Vector& x) {
  Tensor result = Tensor::from_shape({x.size()});
  for (std::size_t i = 0; i < x.size(); ++i) result.data()[i] = static_cast<Scalar>(x[i]);
  return result;
}

}  // namespace

NewtonCG::NewtonCG(ParameterList parameters, NewtonCGOptions options)
    : FlatOptimizer("NewtonCG", std::move(parameters)), options_(options) {
  check_newton(options_);
}

double& NewtonCG::lr(std::size_t) { return options_.lr; }

OptionValues NewtonCG::option_values() const {
  return {{"lr", options_.lr},
          {"radius_max", options_.radius_max},
          {"max_iterations", options_.max_iterations},
          {"max_products", options_.max_products},
          {"tolerance_grad", options_.tolerance_grad},
          {"acceptance", options_.acceptance}};
}

// Algorithm 4.1.
double NewtonCG::step(const Closure& closure) {
  check_newton(options_);
  if (!closure) throw ValueError("[NewtonCG] expected a closure, got an empty function");
  zero_grad();
  Tensor x = values();
  std::vector<Variable> all;
  for (const auto& [name, variable] : parameters()) all.push_back(variable);
  double loss = 0;
  for (std::int64_t taken = 0; taken < options_.max_iterations;) {
    const Variable here = closure();
    loss = static_cast<double>(here.item());
    check_start(loss);
    if (!here.requires_grad()) throw GraphError("[NewtonCG] the loss depends on none of the parameters");
    const Gradients gradients = grad(here, all, {.create_graph = true, .allow_unused = true});
    const Tensor g = flat(gradients);
    if (!all_finite(g)) check_start(std::numeric_limits<double>::quiet_NaN());
    if (largest(g) <= options_.tolerance_grad) break;
    const auto hessian = [&](const Vector& v) {
      const std::vector<Tensor> pieces = parts(rounded(v));
      Variable product(zeros({}));
      for (std::size_t k = 0; k < pieces.size(); ++k) product = product + sum(gradients[k] * Variable(pieces[k]));
      if (!product.requires_grad()) return Vector(v.size(), 0.0);  // a loss that is linear
      return doubles_of(flat(grad(product, all, {.retain_graph = true, .allow_unused = true})));
    };
    double& radius = options_.lr;
    const ModelStep model = minimize_model(doubles_of(g), hessian, radius, options_.max_products);
    Tensor trial = x;
    add(trial, 1, rounded(model.p));
    assign(trial);
    const NoGrad no_grad;
    const double there = static_cast<double>(closure().item()), share = (loss - there) / model.fall;
    const bool good = there < loss && share > options_.acceptance;  // rounding may make the model rise
    if (good) x = trial, loss = there, ++taken;
    assign(x);
    // By then rounding decides whether the loss falls.
    if (!good && !(model.fall > std::numeric_limits<Scalar>::epsilon() * std::abs(loss))) break;
    if (!(share >= 0.25))
      radius = std::max(std::sqrt(inner(model.p, model.p)) / 4, std::numeric_limits<double>::min());
    else if (share > 0.75 && model.at_the_edge)
      radius = std::min(2 * radius, options_.radius_max);
  }
  ++steps_;
  return loss;
}

StateDict NewtonCG::state_dict() const {
  StateDict dict = head();
  save_options(dict, {option_values()});
  return dict;
}

void NewtonCG::load_state_dict(const StateDict& dict) {
  StateReader reader(rule(), dict);
  const std::int64_t steps = read_head(reader);
  const std::vector<double> rates = read_options(reader, {option_values()});
  if (!rates.empty() && !(rates[0] > 0 && rates[0] <= options_.radius_max))
    reader.misfit("options.0.lr: expected a radius above 0 and at most ", options_.radius_max, ", got ", rates[0]);
  reader.finish();
  steps_ = steps;
  if (!rates.empty()) options_.lr = rates[0];
}

}  // namespace xgrad::optim
