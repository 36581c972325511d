// Sums of a million equal numbers. In float a running sum of tenths is wrong in its second digit by then, and one of
// ones stops at 2^24. Every operation that adds up along the way has a row.
#include <xgrad/autograd/ops.h>
#include <xgrad/autograd/table.h>
#include <xgrad/nn/embedding.h>
#include <xgrad/nn/losses.h>
#include <xgrad/optim/clip.h>

#include <cmath>

#include "operation_tables.h"

using namespace xgrad;

namespace {

constexpr std::size_t a_million = 1'000'000;
constexpr double tenth = Scalar(0.1);

Variable tenths(const Shape& shape) { return Variable(full(shape, Scalar(tenth)), true); }

IndexTensor zeros_index(const Shape& shape) {
  IndexTensor index = IndexTensor::from_shape(shape);
  index.fill(0);
  return index;
}

// The first element of the gradient of sum(y * 0.1) in x.
double gradient(const Variable& y, const Variable& x) { return double(grad(sum(y * tenth), {x})[0].value().data()[0]); }

struct Sum {
  const char* name;
  std::function<double()> compute;
  double expected = a_million * tenth;
  double in_float = 2e-6;  // the relative error that is let pass in float
};

// Products and convolutions sum some hundreds or thousands of numbers in registers of Scalar, and those sums again.
constexpr double in_registers = 2e-4;

const Sum sums[] = {
    {"sum", [] { return double(sum(tenths({a_million})).item()); }},
    {"sum over the first axis",
     [] {
       return double(sum(tenths({a_million, 2}), 0).value()(0));
     }},
    {"mean", [] { return double(mean(tenths({a_million})).item()); }, tenth},
    {"variance", [] { return double(variance(tenths({a_million}) - Variable(ones({1}))).item()) + 1; }, 1},
    {"norm", [] { return double(norm(tenths({a_million})).item()); }, 1000 * tenth},
    {"logsumexp", [] { return double(logsumexp(tenths({a_million})).item()); }, tenth + std::log(double(a_million))},
    {"softmax", [] { return 1 / double(softmax(tenths({a_million})).value()(0)); }, a_million},
    {"sum_to",
     [] {
       return double(sum_to(tenths({a_million, 2}), {2}).value()(0));
     }},
    {"broadcasting, in the gradient",
     [] {
       const Variable x = tenths({1});
       return gradient(x + Variable(zeros({a_million})), x);
     }},
    {"matmul",
     [] {
       return double(matmul(tenths({1, a_million}), Variable(ones({a_million, 1}))).item());
     },
     a_million* tenth, in_registers},
    {"linear, in the gradient of the weight",
     [] {
       const Variable weight = tenths({1, 1});
       return gradient(linear(Variable(ones({a_million, 1})), weight), weight);
     },
     a_million* tenth, in_registers},
    {"linear, in the gradient of the bias",
     [] {
       const Variable bias = tenths({1});
       return gradient(linear(Variable(ones({a_million, 1})), Variable(ones({1, 1})), bias), bias);
     }},
    {"take_rows",
     [] {
       const Variable table = tenths({2, 1});
       return gradient(take_rows(table, zeros_index({a_million})), table);
     }},
    {"take_rows of many more rows than are read",
     [] {
       const Variable table = tenths({20 * a_million, 1});
       return gradient(take_rows(table, zeros_index({a_million})), table);
     }},
    {"take_rows, with a sparse gradient",
     [] {
       const Variable table = tenths({2, 1});
       (sum(take_rows(table, zeros_index({a_million}), {.sparse_grad = true})) * tenth).backward();
       return double(sparse_grad(table)->at(0)[0]);
     }},
    {"Embedding",
     [] {
       nn::Embedding embedding(2, 1);
       return gradient(embedding.lookup(zeros_index({a_million})), embedding.weight);
     }},
    {"add_rows",
     [] {
       return double(add_rows(tenths({a_million, 2}), zeros_index({a_million}), 3).value()(0, 1));
     }},
    {"gather",
     [] {
       const Variable x = tenths({2, 1});
       return gradient(gather(x, 0, zeros_index({a_million, 1})), x);
     }},
    {"scatter_add",
     [] {
       const Variable x(zeros({2, 1}));
       return double(scatter_add(x, 0, zeros_index({a_million, 1}), tenths({a_million, 1})).value()(0, 0));
     }},
    {"conv2d, in the gradient of the weight",
     [] {
       const Variable weight = tenths({1, 1, 1, 1});
       return gradient(conv2d(Variable(ones({100, 1, 100, 100})), weight), weight);
     },
     a_million* tenth, in_registers},
    {"conv2d, in the gradient of the bias",
     [] {
       const Variable bias = tenths({1});
       return gradient(conv2d(Variable(ones({100, 1, 100, 100})), Variable(ones({1, 1, 1, 1})), bias), bias);
     }},
    {"global_avg_pool2d",
     [] {
       return double(global_avg_pool2d(tenths({1, 1, 1000, 1000})).item());
     },
     tenth},
    {"normalize, in the gradient of the bias",
     [] {
       const Variable weight = tenths({1}), bias = tenths({1});
       return gradient(normalize(tenths({a_million}), {a_million, 1, 1}, 1e-5, weight, bias), bias);
     }},
    {"a Variable that is used 100,000 times",
     [] {
       const Variable x = tenths({1});
       Variable y(zeros({1}));
       for (int i = 0; i < 100'000; ++i) y = y + x;
       return gradient(y, x);
     },
     100'000 * tenth},
    {"cross_entropy",
     [] {
       return double(nn::cross_entropy(tenths({a_million / 10, 2}), zeros_index({a_million / 10}),
                                       {.reduction = nn::Reduction::sum})
                         .item());
     },
     a_million / 10 * std::log(2.0)},
    {"clip_grad_norm",
     [] {
       const Variable x = tenths({a_million});
       (sum(x) * tenth).backward();
       return optim::clip_grad_norm({{"x", x}}, 1e9);
     },
     1000 * tenth},
};

}  // namespace

TEST_CASE("a sum of a million numbers keeps its digits, in every operation that adds up") {
  for (const Sum& row : sums) {
    CAPTURE(std::string(row.name));
    CHECK(row.compute() == doctest::Approx(row.expected).epsilon(scalar_is_double ? 1e-10 : row.in_float));
  }
}

TEST_CASE("a row that is read more often than float can count") {
  const Variable table(zeros({1, 1}), true);
  const std::size_t count = (std::size_t{1} << 24) + 100;
  sum(take_rows(table, zeros_index({count}))).backward();
  CHECK(double(table.grad()(0, 0)) == double(Scalar(count)));
}
