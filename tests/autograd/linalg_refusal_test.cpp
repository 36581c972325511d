// Linear algebra: the form of the factors, batches, empty matrices, refusals, and equal eigenvalues.
#include <xgrad/autograd/linalg.h>
#include <xgrad/autograd/ops.h>
#include <xgrad/nn/init.h>

#include <thread>

#include "../error.h"
#include "operation_tables.h"

using namespace xgrad;

extern "C" int openblas_get_num_threads() __attribute__((weak));  // null where the BLAS is another

namespace {

struct Refused {
  std::function<void()> action;
  std::initializer_list<std::string> pieces;
};

}  // namespace

TEST_CASE("factors have the form and the signs that are promised") {
  Generator generator(5);
  const Variable a(generator.normal({50, 5, 3})), square_one(generator.normal({50, 4, 4}));
  const auto at = [](const Tensor& x, std::size_t matrix, std::size_t i, std::size_t j) {
    return x.data()[(matrix * x.shape()[1] + i) * x.shape()[2] + j];
  };
  const auto leads_positive = [&](const Tensor& vectors, std::size_t matrix, std::size_t j) {
    Scalar largest = 0;
    for (std::size_t i = 0; i < vectors.shape()[1]; ++i)
      largest = std::max(largest, std::abs(at(vectors, matrix, i, j)));
    for (std::size_t i = 0; i < vectors.shape()[1]; ++i)
      if (std::abs(at(vectors, matrix, i, j)) >= Scalar(0.9) * largest) return at(vectors, matrix, i, j) > 0;
    return false;
  };
  Tensor unit = zeros({4, 4});
  for (std::size_t i = 0; i < 4; ++i) unit(i, i) = 1;
  const Tensor r = qr(a).r.value(), l = cholesky(matmul(square_one, square_one, {.transpose_b = true}) + unit).value();
  const Eigh of_symmetric = eigh(square_one);
  const Svd of_tall = svd(a);
  for (std::size_t m = 0; m < 50; ++m) {
    for (std::size_t i = 0; i < 3; ++i) {
      CHECK(at(r, m, i, i) > 0);
      for (std::size_t j = 0; j < i; ++j) CHECK(at(r, m, i, j) == 0);
      CHECK(of_tall.s.value().data()[m * 3 + i] > (i == 2 ? 0 : of_tall.s.value().data()[m * 3 + i + 1]));
      CHECK(leads_positive(of_tall.u.value(), m, i));
    }
    for (std::size_t i = 0; i < 4; ++i) {
      CHECK(at(l, m, i, i) > 0);
      for (std::size_t j = i + 1; j < 4; ++j) CHECK(at(l, m, i, j) == 0);
      if (i > 0)
        CHECK(of_symmetric.values.value().data()[m * 4 + i] > of_symmetric.values.value().data()[m * 4 + i - 1]);
      CHECK(leads_positive(of_symmetric.vectors.value(), m, i));
    }
  }
}

TEST_CASE("elements of one magnitude: rounding does not choose an eigenvector's sign") {
  for (const double push : {-1.0, 1.0}) {
    const double e = push * std::numeric_limits<Scalar>::epsilon();
    const Tensor vectors = eigh(Variable(Tensor({{Scalar(2 + 4 * e), 1}, {1, 2}}))).vectors.value();
    check_same(vectors, Tensor({{Scalar(M_SQRT1_2), Scalar(M_SQRT1_2)}, {Scalar(-M_SQRT1_2), Scalar(M_SQRT1_2)}}));
  }
}

TEST_CASE("a batch gives the bits that its matrices give one by one") {
  Generator generator(6);
  const Variable a(generator.normal({2, 3, 4, 4})), b(generator.normal({2, 3, 4, 2}));
  const auto one = [](const Variable& x, std::size_t i, std::size_t j) {
    const Variable row = slice(slice(x, 0, i, i + 1), 1, j, j + 1);
    return reshape(row, {x.shape()[2], x.shape()[3]});
  };
  const auto whole = [&](const Variable& x, const Variable& right) {
    const Svd of = svd(x);
    return concatenate({solve(x, right), qr(x).q, eigh(x).vectors, of.u, of.vt}, -1);
  };
  const Variable y = whole(a, b);
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 3; ++j) CHECK(one(y, i, j).value() == whole(one(a, i, j), one(b, i, j)).value());
  Tensor other;
  std::thread([&] { other = whole(a, b).value(); }).join();
  CHECK(other == y.value());
}

TEST_CASE("BLAS is held at one thread") {
  inverse(Variable(ones({1, 1})));
  if (openblas_get_num_threads) CHECK(openblas_get_num_threads() == 1);
}

TEST_CASE("orthogonal weights are the Q of their draws") {
  seed(5);
  Tensor draws = zeros({4, 7});
  for (Scalar& draw : draws.storage()) draw = Scalar(default_generator().normal());
  seed(5);
  Variable weight(zeros({4, 7}));
  nn::init::orthogonal(weight);
  const Tensor q = transpose(qr(transpose(Variable(draws))).q).value();
  for (std::size_t i = 0; i < q.size(); ++i)
    CHECK(std::abs(weight.value().data()[i] - q.data()[i]) < 100 * std::numeric_limits<Scalar>::epsilon());
}

TEST_CASE("no matrices, matrices of nothing, and matrices of one element") {
  const Variable none(zeros({0, 2, 2}), true), nothing(zeros({3, 0, 0}), true), one(full({1, 1}, -4), true);
  for (const Variable& x : {none, nothing}) {
    const Svd of = svd(x);
    const Eigh values = eigh(x);
    const Qr factor = qr(x);
    for (const Variable& y :
         {solve(x, x), inverse(x), cholesky(x), factor.q, factor.r, lstsq(x, x), values.vectors, of.u, of.vt}) {
      CHECK(y.shape() == x.shape());
      CHECK(grad(sum(y), {x}, {.retain_graph = true})[0].value() == x.value());
    }
    CHECK(values.values.shape() == Shape{x.shape()[0], x.shape()[1]});
    CHECK(of.s.shape() == values.values.shape());
    CHECK(slogdet(x).logabs.value() == zeros({x.shape()[0]}));
    CHECK(slogdet(x).sign.value() == ones({x.shape()[0]}));
    CHECK(matrix_norm(x, MatrixNorm::nuclear).value() == zeros({x.shape()[0]}));
  }
  CHECK(svd(Variable(zeros({0, 3}))).vt.shape() == Shape{0, 3});
  CHECK(qr(Variable(zeros({3, 0}))).q.shape() == Shape{3, 0});
  CHECK(solve(one, Variable(Tensor({8}))).value() == Tensor({-2}));
  CHECK(qr(one).q.value() == full({1, 1}, -1));
  CHECK(qr(one).r.value() == full({1, 1}, 4));
  CHECK(eigh(one).values.value() == Tensor({-4}));
  CHECK(eigh(one).vectors.value() == full({1, 1}, 1));
  CHECK(svd(one).u.value() == full({1, 1}, 1));
  CHECK(svd(one).vt.value() == full({1, 1}, -1));
  CHECK(cholesky(-one).value() == full({1, 1}, 2));
  CHECK(grad(sum(eigh(one).values + svd(one).s), {one})[0].value() == full({1, 1}, 0));
}

TEST_CASE("linear algebra refuses shapes that do not fit") {
  const Variable a(ones({2, 3})), b(ones({3, 3})), c(ones({3})), batch(ones({2, 3, 3})), other(ones({4, 3, 1}));
  const Refused cases[] = {
      {[&] { solve(a, c); }, {"[solve] expected square matrices (…, n, n), got (2, 3)"}},
      {[&] { solve(c, c); }, {"[solve] expected matrices (…, rows, columns), got (3,)"}},
      {[&] { solve(b, a); }, {"[solve] right side (2, 3) does not match matrices (3, 3): expected 3 rows"}},
      {[&] { solve(b, Variable(ones({2}))); }, {"[solve] right side (2,)", "(3, 3)"}},
      {[&] { solve(b, Variable(ones({}))); }, {"[solve] right side ()", "(3, 3)"}},
      {[&] { solve(batch, other); }, {"[solve]", "(2,)", "(4,)"}},
      {[&] { inverse(a); }, {"[inverse]", "(2, 3)"}},
      {[&] { slogdet(a); }, {"[slogdet]", "(2, 3)"}},
      {[&] { cholesky(a); }, {"[cholesky]", "(2, 3)"}},
      {[&] { eigh(a); }, {"[eigh]", "(2, 3)"}},
      {[&] { qr(c); }, {"[qr]", "(3,)"}},
      {[&] { svd(c); }, {"[svd]", "(3,)"}},
      {[&] { matrix_norm(c); }, {"[matrix_norm]", "(3,)"}},
      {[&] { lstsq(a, c); }, {"[lstsq] expected no fewer rows than columns, got (2, 3)"}},
      {[&] { lstsq(b, a); }, {"[lstsq] right side (2, 3)", "expected 3 rows"}},
  };
  for (const auto& [action, pieces] : cases) check_error<ShapeError>(action, pieces);
}

TEST_CASE("linear algebra refuses what LAPACK cannot factor, with the matrix and what LAPACK said") {
  const auto among = [](const Tensor& bad) {  // the matrix (1, 0) of a batch (2, 2)
    Tensor x = zeros({2, 2, 2, 2});
    for (std::size_t i = 0; i < 16; ++i)
      x.data()[i] = i / 4 == 2 ? bad.data()[i % 4] : Scalar(i % 4 == 0 || i % 4 == 3);
    return Variable(x, true);
  };
  const Variable singular = among({{1, 2}, {2, 4}}), b(ones({2, 1}));
  const std::string name = "matrix (1, 0) of the batch (2, 2)";
  const Refused cases[] = {
      {[&] { solve(singular, b); },
       {"[solve] " + name + " is singular: LAPACK's getrf returned 2, the number of a pivot of 0"}},
      {[&] {
         inverse(Variable(zeros({2, 2})));
       },
       {"[inverse] the matrix is singular: LAPACK's getrf returned 1,"}},
      {[&] { cholesky(singular); }, {"[cholesky] " + name + " is not positive definite: LAPACK's potrf returned 2"}},
      {[&] { lstsq(singular, b); },
       {"[lstsq] the rank is below the number of columns: those before it give column 1 of " + name}},
      {[&] { grad(sum(qr(singular).q), {singular}); },
       {"[qr] the rank is below the number of columns: those before it give column 1 of " + name}},
      {[&] { grad(sum(slogdet(singular).logabs), {singular}); }, {"[slogdet] " + name + " is singular"}},
  };
  for (const auto& [action, pieces] : cases) check_error<ValueError>(action, pieces);
  const SignedLogDet of = slogdet(singular);
  CHECK(of.sign.value() == Tensor({{1, 1}, {0, 1}}));
  CHECK(of.logabs.value()(1, 0) == -std::numeric_limits<Scalar>::infinity());
  for (const double element : {std::nan(""), HUGE_VAL}) {
    const Variable bad = among({{1, 0}, {Scalar(element), 1}}),
                   wide(concatenate({Variable(ones({2, 2, 2, 2})), bad}, -1));
    const std::string text = message("expected finite elements, got ", element, " in ", name);
    const std::pair<const char*, std::function<void()>> refused[] = {
        {"solve", [&] { solve(bad, b); }},
        {"solve",
         [&] {
           solve(among({{1, 0}, {0, 1}}), bad);
         }},
        {"inverse", [&] { inverse(bad); }},
        {"slogdet", [&] { slogdet(bad); }},
        {"qr", [&] { qr(bad); }},
        {"qr", [&] { qr(wide); }},
        {"cholesky", [&] { cholesky(bad); }},
        {"lstsq", [&] { lstsq(bad, b); }},
        {"eigh", [&] { eigh(bad); }},
        {"svd", [&] { svd(bad); }},
        {"lstsq",
         [&] {
           lstsq(among({{1, 0}, {0, 1}}), bad);
         }},
    };
    for (const auto& [operation, action] : refused)
      check_error<ValueError>(action, {message("[", operation, "] "), text});
  }
}

TEST_CASE("equal eigenvalues: the first gradient of the values exists, and that of the vectors is refused") {
  const Variable a(Tensor({{{2, 0}, {0, 3}}, {{2, 0}, {0, 2}}}), true);
  const auto gradient = [&](const Variable& y) { return grad(sum(y), {a}, {.retain_graph = true})[0].value(); };
  CHECK(gradient(eigh(a).values) == Tensor({{{1, 0}, {0, 1}}, {{1, 0}, {0, 1}}}));
  CHECK(gradient(svd(a).s) == Tensor({{{1, 0}, {0, 1}}, {{1, 0}, {0, 1}}}));
  const std::string equal =
      "there is no gradient of vectors that have equal values: vector 1 of matrix (1,) of the batch (2,)";
  // A again, of which the gradient is 1: no formula can tell it from others.
  const Eigh of = eigh(a);
  const Variable again = matmul(of.vectors * reshape(of.values, {2, 1, 2}), of.vectors, {.transpose_b = true});
  check_error<ValueError>([&] { gradient(again); }, {"[eigh] " + equal});
  const Variable first = grad(sum(square(eigh(a).values)), {a}, {.create_graph = true})[0];
  check_error<ValueError>([&] { gradient(first * Tensor({{1, 2}, {3, 4}})); }, {"[eigh] " + equal});
  check_error<ValueError>([&] { gradient(svd(a).u * Tensor({{1, 2}, {3, 4}})); }, {"[svd] " + equal});
  check_error<ValueError>([&] { gradient(svd(a).vt * Tensor({{1, 2}, {3, 4}})); }, {"[svd] " + equal});
  // Apart by more than the bound, they have one.
  CHECK(gradient(slice(of.vectors, 0, 0, 1)).shape() == a.shape());
  const Variable rank_one(Tensor({{1, 2}, {2, 4}, {3, 6}}), true);
  check_error<ValueError>([&] { grad(sum(svd(rank_one).u), {rank_one}); },
                          {"[svd] there is no gradient of vectors whose value is 0: vector 1 of the matrix"});
  CHECK(all_finite(grad(matrix_norm(rank_one, MatrixNorm::nuclear), {rank_one})[0].value()));
}
