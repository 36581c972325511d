// Linear algebra: values against what defines them, gradients and second gradients against differences, refusals.
#include <xgrad/autograd/linalg.h>
#include <xgrad/autograd/ops.h>

#include <fstream>
#include <iterator>
#include <regex>

#include "operation_tables.h"

using namespace xgrad;

namespace {

Variable swapped(const Variable& x) {
  std::vector<std::ptrdiff_t> axes;
  for (std::size_t d = 0; d < x.shape().size(); ++d) axes.push_back(static_cast<std::ptrdiff_t>(d));
  std::swap(axes[axes.size() - 2], axes.back());
  return transpose(x, axes);
}
Variable symmetric(const Variable& x) { return (x + swapped(x)) / 2; }
Variable eye(std::size_t n) {
  Tensor x = zeros({n, n});
  for (std::size_t i = 0; i < n; ++i) x(i, i) = 1;
  return Variable(x);
}
Variable diagonal(const Variable& x) {  // (…, n) as (…, n, n)
  Shape shape = x.shape();
  shape.push_back(1);
  return reshape(x, shape) * eye(x.shape().back());
}
Variable element(const Variable& x, std::size_t row, std::size_t column) {
  return sum(slice(slice(x, -2, row, row + 1), -1, column, column + 1), {-2, -1});
}
// Of (…, 3, 3), by the rule of Sarrus.
Variable determinant(const Variable& x) {
  const auto product = [&](std::size_t i, std::size_t j, std::size_t k) {
    return element(x, 0, i) * element(x, 1, j) * element(x, 2, k);
  };
  return product(0, 1, 2) + product(1, 2, 0) + product(2, 0, 1) - product(2, 1, 0) - product(1, 0, 2) -
         product(0, 2, 1);
}

// The two that are the same by what defines the operation.
struct Equal {
  Variable got, expected;
};
struct Algebra {
  const char* name;
  std::vector<Shape> shapes;
  std::function<Variable(const Inputs&)> operation;
  std::function<Equal(const Inputs&)> law;
};

const Algebra algebra_cases[] = {
    {"solve",
     {{3, 3}, {3, 2}},
     [](auto& in) { return solve(in[0], in[1]); },
     [](auto& in) {
       return Equal{matmul(in[0], solve(in[0], in[1])), in[1]};
     }},
    {"solve",
     {{2, 1, 3, 3}, {4, 3, 2}},
     [](auto& in) { return solve(in[0], in[1]); },
     [](auto& in) {
       return Equal{matmul(in[0], solve(in[0], in[1])), broadcast_to(in[1], {2, 4, 3, 2})};
     }},
    {"solve",
     {{3, 3}, {2, 3, 1}},
     [](auto& in) { return solve(in[0], in[1]); },
     [](auto& in) {
       return Equal{matmul(in[0], solve(in[0], in[1])), in[1]};
     }},
    {"solve",
     {{2, 3, 3}, {3}},
     [](auto& in) { return solve(in[0], in[1]); },
     [](auto& in) {
       return Equal{sum(in[0] * reshape(solve(in[0], in[1]), {2, 1, 3}), -1), broadcast_to(in[1], {2, 3})};
     }},
    {"inverse",
     {{2, 3, 3}},
     [](auto& in) { return inverse(in[0]); },
     [](auto& in) {
       return Equal{matmul(inverse(in[0]), in[0]), broadcast_to(eye(3), {2, 3, 3})};
     }},
    {"inverse",
     {{1, 1}},
     [](auto& in) { return inverse(in[0]); },
     [](auto& in) {
       return Equal{inverse(in[0]), 1 / in[0]};
     }},
    {"slogdet",
     {{2, 2, 3, 3}},
     [](auto& in) { return slogdet(-in[0]).logabs; },
     [](auto& in) {
       const SignedLogDet of = slogdet(-in[0]);
       return Equal{of.sign * exp(of.logabs), determinant(-in[0])};
     }},
    {"cholesky",
     {{2, 3, 3}},
     [](auto& in) { return cholesky(in[0]); },
     [](auto& in) {
       const Variable l = cholesky(in[0]);
       return Equal{matmul(l, swapped(l)), symmetric(in[0])};
     }},
    {"qr",
     {{2, 4, 3}},
     [](auto& in) { return qr(in[0]).q; },
     [](auto& in) {
       const Qr of = qr(in[0]);
       return Equal{matmul(of.q, of.r), in[0]};
     }},
    {"qr",
     {{2, 4, 3}},
     [](auto& in) { return qr(in[0]).r; },
     [](auto& in) {
       const Variable q = qr(in[0]).q;
       return Equal{matmul(swapped(q), q), broadcast_to(eye(3), {2, 3, 3})};
     }},
    {"qr",
     {{3, 3}},
     [](auto& in) {
       const Qr of = qr(in[0]);
       return of.q + 2 * of.r;
     },
     [](auto& in) {  // R's is the Cholesky factor of A^T A
       return Equal{qr(in[0]).r, swapped(cholesky(matmul(swapped(in[0]), in[0])))};
     }},
    {"qr",
     {{2, 2, 4}},
     [](auto& in) {
       const Qr of = qr(in[0]);
       return concatenate({of.q, of.r}, -1);
     },
     [](auto& in) {
       const Qr of = qr(in[0]);
       return Equal{matmul(of.q, of.r), in[0]};
     }},
    {"lstsq",
     {{2, 4, 2}, {4, 3}},
     [](auto& in) { return lstsq(in[0], in[1]); },
     [](auto& in) {
       return Equal{lstsq(in[0], in[1]), solve(matmul(swapped(in[0]), in[0]), matmul(swapped(in[0]), in[1]))};
     }},
    {"lstsq",
     {{3, 3}, {3}},
     [](auto& in) { return lstsq(in[0], in[1]); },
     [](auto& in) {
       return Equal{lstsq(in[0], in[1]), solve(in[0], in[1])};
     }},
    {"eigh",
     {{2, 3, 3}},
     [](auto& in) { return eigh(in[0]).values; },
     [](auto& in) {
       const Eigh of = eigh(in[0]);
       return Equal{matmul(of.vectors * reshape(of.values, {2, 1, 3}), swapped(of.vectors)), symmetric(in[0])};
     }},
    {"eigh",
     {{2, 3, 3}},
     [](auto& in) {
       const Eigh of = eigh(in[0]);
       return of.vectors + square(diagonal(of.values));
     },
     [](auto& in) {
       const Variable v = eigh(in[0]).vectors;
       return Equal{matmul(swapped(v), v), broadcast_to(eye(3), {2, 3, 3})};
     }},
    {"svd",
     {{2, 4, 3}},
     [](auto& in) { return svd(in[0]).u; },
     [](auto& in) {
       const Variable u = svd(in[0]).u;
       return Equal{matmul(swapped(u), u), broadcast_to(eye(3), {2, 3, 3})};
     }},
    {"svd",
     {{2, 4, 3}},
     [](auto& in) {
       const Svd of = svd(in[0]);
       return of.vt + diagonal(of.s);
     },
     [](auto& in) {
       const Svd of = svd(in[0]);
       return Equal{matmul(of.u * reshape(of.s, {2, 1, 3}), of.vt), in[0]};
     }},
    {"svd",
     {{2, 2, 4}},
     [](auto& in) {
       const Svd of = svd(in[0]);
       return concatenate({of.vt, of.u}, -1);
     },
     [](auto& in) {
       const Svd of = svd(in[0]);
       return Equal{matmul(of.u * reshape(of.s, {2, 1, 2}), of.vt), in[0]};
     }},
    {"svd",
     {{3, 3}},
     [](auto& in) {
       const Svd of = svd(in[0]);
       return of.u * of.s + of.vt;
     },
     [](auto& in) {
       const Variable vt = svd(in[0]).vt;
       return Equal{matmul(vt, swapped(vt)), eye(3)};
     }},
    {"matrix_norm",
     {{2, 3, 4}},
     [](auto& in) { return matrix_norm(in[0]); },
     [](auto& in) {
       return Equal{square(matrix_norm(in[0])), sum(square(in[0]), {1, 2})};
     }},
    {"matrix_norm",
     {{2, 4, 3}},
     [](auto& in) { return matrix_norm(in[0], MatrixNorm::nuclear); },
     [](auto& in) {
       return Equal{matrix_norm(in[0], MatrixNorm::nuclear), sum(sqrt(eigh(matmul(swapped(in[0]), in[0])).values), -1)};
     }},
    {"matrix_norm",
     {{2, 3, 4}},
     [](auto& in) { return matrix_norm(in[0], MatrixNorm::spectral); },
     [](auto& in) {
       return Equal{square(matrix_norm(in[0], MatrixNorm::spectral)),
                    max(eigh(matmul(in[0], swapped(in[0]))).values, -1)};
     }},
    {"matrix_norm",
     {{2, 3, 4}},
     [](auto& in) { return matrix_norm(in[0], MatrixNorm::one); },
     [](auto& in) {
       return Equal{matrix_norm(in[0], MatrixNorm::one), matrix_norm(swapped(in[0]), MatrixNorm::infinity)};
     }},
    {"matrix_norm",
     {{2, 3, 4}},
     [](auto& in) { return matrix_norm(in[0], MatrixNorm::infinity); },
     [](auto& in) {
       return Equal{matrix_norm(in[0], MatrixNorm::infinity), max(sum(abs(in[0]), 2), 1)};
     }},
};

const bool algebra_counted = add_rows(algebra_cases);

// Matrices with distinct eigenvalues and singular values, whose symmetric part is positive definite.
Variable draw_matrices(Generator& generator, const Shape& shape) {
  Tensor x = draw(generator, shape, -0.5, 0.5, {0});
  const std::size_t columns = shape.back(), rows = shape.size() < 2 ? 0 : shape[shape.size() - 2];
  for (std::size_t i = 0; rows > 0 && i < x.size(); ++i)
    if (i / columns % rows == i % columns) x.data()[i] += Scalar(2 + i % columns);
  return Variable(x, true);
}

}  // namespace

TEST_CASE("linear algebra: what defines each operation, gradients, second gradients") {
  for (const Algebra& c : algebra_cases) {
    CAPTURE(c.name);
    CAPTURE(&c - algebra_cases);
    Generator generator(3);
    Inputs inputs;
    for (const Shape& shape : c.shapes) inputs.push_back(draw_matrices(generator, shape));
    const Equal law = c.law(inputs);
    check_same(law.got.value(), law.expected.value());
    CHECK_NOTHROW(check_gradients(c.operation, inputs, difference_options));
    CHECK_NOTHROW(check_second_gradients(c.operation, inputs, difference_options));
    check_symmetric(c.operation, inputs);
  }
}

TEST_CASE("every operation of linear algebra has a row in the table") {
  std::ifstream file("autograd/linalg.h");
  const std::string source{std::istreambuf_iterator<char>(file), {}};
  const std::regex declaration(R"(\n(?:Variable|SignedLogDet|Qr|Eigh|Svd) (\w+)\()");
  std::size_t found = 0;
  for (std::sregex_iterator match(source.begin(), source.end(), declaration), end; match != end; ++match, ++found)
    CHECK_MESSAGE(rows().count((*match)[1]) == 1, (*match)[1].str(), " has no row");
  CHECK(found == 9);
}

TEST_CASE("rows are swapped where a pivot would be 0 or small") {
  Generator generator(7);
  Tensor drawn = generator.normal({20, 3, 3});
  for (std::size_t i = 0; i < 20; ++i) drawn(i, 0, 0) = 0;
  const Variable a(drawn, true), b(generator.normal({20, 3, 2}));
  const SignedLogDet of = slogdet(a);
  const Tensor expected = determinant(a).value(), back = matmul(a, solve(a, b)).value();
  for (std::size_t i = 0; i < 20; ++i)
    CHECK(double((of.sign * exp(of.logabs)).value()(i)) == doctest::Approx(double(expected(i))).epsilon(1e-4));
  for (std::size_t i = 0; i < back.size(); ++i) CHECK(std::abs(back.data()[i] - b.value().data()[i]) < 1e-4);
  CHECK(min(of.sign).item() == -1);
  CHECK(max(of.sign).item() == 1);
  CHECK_NOTHROW(check_gradients([](const Inputs& in) { return slogdet(in[0]).logabs; },
                                {Variable(Tensor({{0, 2, 1}, {3, 0, 1}, {1, 2, 0}}), true)}, difference_options));
}

TEST_CASE("a triangular factor is solved with as a matrix: third derivatives hold too") {
  Generator generator(8);
  const Variable a = draw_matrices(generator, {2, 2});
  const auto first = [](const Inputs& in) { return grad(sum(cholesky(in[0])), {in[0]}, {.create_graph = true})[0]; };
  CHECK_NOTHROW(check_second_gradients(first, {a}, difference_options));
  const auto of_q = [](const Inputs& in) { return grad(sum(square(qr(in[0]).r)), {in[0]}, {.create_graph = true})[0]; };
  CHECK_NOTHROW(check_second_gradients(of_q, {a}, difference_options));
}

TEST_CASE("eigh has room for a matrix whose room a float does not count") {
  if (scalar_is_double) return;
  const std::size_t n = 2900;  // 2 n^2 + 6 n + 1 is odd, and above 2^24
  Tensor a = zeros({n, n});
  for (std::size_t i = 0; i < n; ++i) a(i, i) = Scalar(i);
  const NoGrad no_grad;
  CHECK(eigh(Variable(a)).values.value() == arange(n));
}
