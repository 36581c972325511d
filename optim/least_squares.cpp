#include <xgrad/autograd/linalg.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/core/errors.h>
#include <xgrad/optim/least_squares.h>
#include <xgrad/optim/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

namespace xgrad::optim {
namespace {

constexpr std::string_view least_squares_name = "least_squares";
constexpr double epsilon = std::numeric_limits<Scalar>::epsilon(), infinity = std::numeric_limits<double>::infinity();

template <class Error>
[[noreturn]] void refuse(const auto&... parts) {
  throw Error(message("[", least_squares_name, "] ", parts...));
}

void check(const ParameterList& parameters, const Residuals& residuals, const LeastSquaresOptions& options) {
  check_parameters(least_squares_name, parameters);
  if (!residuals) refuse<ValueError>("expected a function that computes residuals, got an empty one");
  check_not_negative(least_squares_name, "damping", options.damping);
  check_not_negative(least_squares_name, "tolerance_grad", options.tolerance_grad);
  check_not_negative(least_squares_name, "tolerance_step", options.tolerance_step);
  check_not_negative(least_squares_name, "tolerance_loss", options.tolerance_loss);
  check_count(least_squares_name, "max_evaluations", options.max_evaluations);
}

Variable flat(const std::vector<Variable>& parts) {
  std::vector<Variable> vectors;
  for (const Variable& part : parts) vectors.push_back(reshape(part, {part.size()}));
  return concatenate(vectors);
}

struct Point {
  Variable x, residuals, jacobian = {};  // (n,), (m, 1), and (m, n) or empty where x is not worth a step
  double loss = 0;
};

struct Problem {
  const ParameterList& list;
  const Residuals& residuals;
  std::vector<Variable> parameters = {};
  std::vector<Shape> shapes = {};
  std::size_t m = 0;

  void assign(const Variable& x) const;
  Point look(const Variable& x, double bound);
  Variable jacobian(const Variable& r) const;
};

void Problem::assign(const Variable& x) const {
  std::size_t begin = 0, end = 0;
  for (std::size_t i = 0; i < parameters.size(); ++i, begin = end) {
    end += element_count(shapes[i]);
    parameters[i].mutable_value() = reshape(slice(x, 0, begin, end), shapes[i]).value();
  }
}

// J^T u is linear in u, so that the gradient of its element j with respect to u is the column j of J: as many passes as
// there are parameters. Where there are fewer residuals, the gradient of each is a row.
Variable Problem::jacobian(const Variable& r) const {
  const Variable u(ones({m}), true);
  const Variable product = flat(grad(sum(r * u), parameters, {.create_graph = true, .allow_unused = true}));
  if (!product.requires_grad()) refuse<GraphError>("the residuals depend on none of the parameters");
  const bool by_rows = m < product.size();
  std::vector<Variable> lines;
  for (const Variable& element : unbind(by_rows ? r : product))
    lines.push_back(
        flat(grad(element, by_rows ? parameters : std::vector{u}, {.retain_graph = true, .allow_unused = true})));
  return stack(lines, by_rows ? 0 : 1);
}

// Moves the parameters to x. The Jacobian is worth its cost only where the loss is below the bound.
Point Problem::look(const Variable& x, double bound) {
  assign(x);
  const Variable r = residuals();
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (parameters[i].shape() != shapes[i])
      refuse<ShapeError>("'", list[i].first, "': expected ", shapes[i], ", got ", parameters[i].shape());
  if (!r || r.size() == 0) refuse<ValueError>("expected residuals, got none");
  if (m != 0 && r.size() != m) refuse<ShapeError>("there were ", m, " residuals, and now there are ", r.size());
  m = r.size();
  Point point{.x = x, .residuals = Variable(reshape(r, {m, 1}).value())};
  for (const Scalar v : point.residuals.value()) point.loss += double(v) * double(v) / 2;
  if (!(point.loss < bound) || !all_finite(x.value())) return point;
  if (const Variable j = jacobian(reshape(r, {m})); all_finite(j.value())) point.jacobian = j.detach();
  return point;
}

Point first_look(Problem& problem) {
  for (const auto& [name, variable] : problem.list) {
    problem.parameters.push_back(variable);
    problem.shapes.push_back(variable.shape());
  }
  const Point start = problem.look(flat(problem.parameters).detach(), infinity);
  const Tensor& r = start.residuals.value();
  for (std::size_t i = 0; i < r.size(); ++i)
    if (!std::isfinite(r.data()[i]))
      refuse<ValueError>("at the start residual ", i, " of ", r.size(), " is ", double(r.data()[i]));
  if (!start.jacobian) refuse<ValueError>("at the start the loss or the Jacobian is not finite");
  return start;
}

// The loss near a point: ||J h + r||^2 = ||R z - b||^2 + a constant, for z = D h.
struct Model {
  Variable scale, r, b, slope;           // D (n,), R (k, n), b (k,), and the loss's gradient for z, (n,)
  double gradient_norm = 0, cosine = 0;  // ||J^T r||, and the largest abs(cosine) between r and a column of J
  bool full_rank = false;
};

// `longest` is what the norms of the columns have reached before, and then by now.
Model linearize(const Point& at, Variable& longest) {
  const auto or_one = [](const Variable& x) { return where(x, x, Variable(ones(x.shape()))); };
  const Variable lengths = norm(at.jacobian, 0);
  longest = maximum(longest, lengths);
  const Variable scale = or_one(longest), scaled = at.jacobian / scale;
  const Qr factor = qr(scaled);
  Model model{
      .scale = scale, .r = factor.r, .b = -sum(factor.q * at.residuals, 0), .slope = sum(scaled * at.residuals, 0)};
  const Variable gradient = model.slope * scale;
  model.gradient_norm = norm(gradient).item();
  model.cosine = max(abs(gradient / or_one(lengths) / or_one(norm(at.residuals)))).item();
  const auto [m, n] = std::pair(at.residuals.size(), longest.size());
  double least = infinity, most = 0;
  for (std::size_t i = 0; i < std::min(m, n); ++i) {
    const double diagonal = factor.r.value()(i, i);
    least = std::min(least, diagonal), most = std::max(most, diagonal);
  }
  model.full_rank = m >= n && least > double(m + n) * epsilon * most;
  return model;
}

// The z with the least ||R z - b||^2 + damping ||z||^2, by QR of R with sqrt(damping) I below it. R^T R + damping I,
// the matrix of the normal equations, has the square of the condition, and loses half of the digits.
Variable best_step(const Model& model, double damping) {
  const std::size_t n = model.slope.size();
  Tensor below = zeros({n, n});
  for (std::size_t i = 0; i < n; ++i) below(i, i) = Scalar(std::sqrt(damping));
  return lstsq(concatenate({model.r, Variable(below)}), concatenate({model.b, Variable(zeros({n}))}));
}

// (J^T J)^-1 = H H^T, where H = D^-1 R^-1, with the lengths of J's columns as they are now for D.
std::optional<Tensor> covariance(const Point& at) {
  const std::size_t m = at.residuals.size(), n = at.x.size();
  Variable lengths(zeros({n}));
  const Model model = linearize(at, lengths);
  if (m <= n || !model.full_rank) return std::nullopt;
  const Variable half = inverse(model.r) / reshape(model.scale, {n, 1}) * std::sqrt(2 * at.loss / double(m - n));
  return matmul(half, half, {.transpose_b = true}).value();
}

}  // namespace

LeastSquares least_squares(const ParameterList& parameters, const Residuals& residuals, LeastSquaresOptions options) {
  check(parameters, residuals, options);
  Problem problem{.list = parameters, .residuals = residuals};
  Point now = first_look(problem);
  const bool damped = options.damping > 0;
  const double n = double(now.x.size()), tolerance_loss = std::max(options.tolerance_loss, epsilon);
  const double least_damping = damped ? std::pow(4 * n * epsilon, 2) : 0;  // less than this lstsq() would not see
  LeastSquares at{.ended_by = EndedBy::budget, .evaluations = 1, .damping = std::max(options.damping, least_damping)};
  Variable longest(zeros(now.x.shape()));
  Model model = linearize(now, longest);
  double growth = 2, share = 1;  // of the damping where a step fails, and of the step that is to be tried
  for (bool short_step = false, level = false;;) {
    const std::pair<EndedBy, bool> conditions[] = {{EndedBy::gradient_norm, model.cosine <= options.tolerance_grad},
                                                   {EndedBy::step_size, short_step},
                                                   {EndedBy::plateau, level},
                                                   {EndedBy::budget, at.evaluations >= options.max_evaluations}};
    for (const auto& [by, holds] : conditions)
      if (holds) {
        at.ended_by = by, at.loss = now.loss, at.gradient_norm = model.gradient_norm, at.covariance = covariance(now);
        return at;
      }
    if (!damped && !model.full_rank)
      refuse<ValueError>("after ", at.steps, " steps the Jacobian has not full rank: without damping there is no step");
    const Variable z = best_step(model, at.damping);
    Point next;
    try {
      next = problem.look(now.x + share * z / model.scale, now.loss);
      if (!next.jacobian) problem.assign(now.x);
    } catch (...) {
      problem.assign(now.x);
      throw;
    }
    ++at.evaluations;
    // With the equations for z, what the model loses in all of it is z'(damping z - slope) / 2, both of whose terms are
    // positive, and what it loses in a share of it without damping is share (1 - share / 2) times -z' slope.
    const double predicted =
        at.damping * sum(square(z)).item() / 2 - share * (1 - share / 2) * sum(z * model.slope).item();
    const double fall = now.loss - next.loss, length = share * norm(z).item();
    // Damping makes any step short, and the next one, with less of it, will be longer.
    const bool held_back = next.jacobian && at.damping > 1;
    short_step = !held_back && length <= options.tolerance_step * norm(now.x * model.scale).item();
    level =
        !held_back && predicted <= tolerance_loss * now.loss && (!next.jacobian || fall <= tolerance_loss * now.loss);
    if (next.jacobian) {
      at.damping = std::max(least_damping, at.damping * std::max(1.0 / 3, 1 - std::pow(2 * fall / predicted - 1, 3)));
      growth = 2, share = 1;
      ++at.steps;
      now = std::move(next);
      if (!damped) longest = Variable(zeros(now.x.shape()));
      model = linearize(now, longest);
    } else {
      at.damping *= growth, growth *= 2;
      if (!damped) share /= 2;
    }
  }
}

}  // namespace xgrad::optim
