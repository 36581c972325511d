// Convolution, pooling and padding: a row each, with its value, its gradient and its second gradient.
#include <xgrad/core/errors.h>
#include <xgrad/core/parallel.h>

#include "../error.h"
#include "operation_tables.h"

using namespace xgrad;

namespace {

struct WindowCase {
  const char* name;
  std::vector<Shape> shapes;
  std::function<Variable(const Inputs&)> operation;
  std::function<Variable(const Inputs&)> expected;  // from simpler operations
};

// conv2d as a sum over kernel positions, of slices of the padded image times one weight each.
Variable slow_conv2d(const Variable& x, const Variable& weight, const Variable& bias, ConvolutionOptions o) {
  const Variable padded = pad2d(x, o.padding);
  const Shape &in = padded.shape(), &w = weight.shape();
  const auto groups = static_cast<std::size_t>(o.groups);
  const auto range = [](std::size_t size, std::size_t kernel, std::ptrdiff_t stride, std::ptrdiff_t dilation) {
    return (size - (kernel - 1) * static_cast<std::size_t>(dilation) - 1) / static_cast<std::size_t>(stride) + 1;
  };
  const std::size_t rows = range(in[2], w[2], o.stride.height, o.dilation.height),
                    columns = range(in[3], w[3], o.stride.width, o.dilation.width);
  std::vector<Variable> parts;
  for (std::size_t g = 0; g < groups; ++g) {
    Variable sum_of_taps(zeros({in[0], w[0] / groups, rows, columns}));
    for (std::size_t i = 0; i < w[2]; ++i)
      for (std::size_t j = 0; j < w[3]; ++j) {
        Variable tap = slice(padded, 1, g * w[1], (g + 1) * w[1]);
        std::vector<Variable> picked_rows, picked;
        for (std::size_t r = 0; r < rows; ++r) {
          const std::size_t at =
              r * static_cast<std::size_t>(o.stride.height) + i * static_cast<std::size_t>(o.dilation.height);
          picked_rows.push_back(slice(tap, 2, at, at + 1));
        }
        tap = concatenate(picked_rows, 2);
        for (std::size_t q = 0; q < columns; ++q) {
          const std::size_t at =
              q * static_cast<std::size_t>(o.stride.width) + j * static_cast<std::size_t>(o.dilation.width);
          picked.push_back(slice(tap, 3, at, at + 1));
        }
        tap = reshape(concatenate(picked, 3), {in[0], 1, w[1], rows, columns});
        Variable factor =
            slice(slice(slice(weight, 0, g * w[0] / groups, (g + 1) * w[0] / groups), 2, i, i + 1), 3, j, j + 1);
        factor = reshape(factor, {1, w[0] / groups, w[1], 1, 1});
        sum_of_taps = sum_of_taps + sum(tap * factor, 2);
      }
    parts.push_back(sum_of_taps);
  }
  const Variable y = concatenate(parts, 1);
  return bias ? y + reshape(bias, {w[0], 1, 1}) : y;
}

WindowCase conv_case(std::vector<Shape> shapes, ConvolutionOptions o) {
  const auto bias = [](const Inputs& in) { return in.size() > 2 ? in[2] : Variable(); };
  return {"conv2d", std::move(shapes), [=](const Inputs& in) { return conv2d(in[0], in[1], bias(in), o); },
          [=](const Inputs& in) { return slow_conv2d(in[0], in[1], bias(in), o); }};
}

// The transpose, by its definition: the gradient of <conv2d(z, w), x> in z.
WindowCase transpose_case(std::vector<Shape> shapes, Shape image, ConvTransposeOptions o) {
  return {"conv_transpose2d", std::move(shapes),
          [=](const Inputs& in) { return conv_transpose2d(in[0], in[1], in.size() > 2 ? in[2] : Variable(), o); },
          [=](const Inputs& in) {
            const Variable z(zeros(image), true);
            const Variable y = slow_conv2d(z, in[1], {}, {o.stride, o.padding, o.dilation, o.groups});
            const Variable dz = grad(sum(y * in[0]), {z}, {.create_graph = true})[0];
            return in.size() > 2 ? dz + reshape(in[2], {in[2].size(), 1, 1}) : dz;
          }};
}

const WindowCase convolution_cases[] = {
    conv_case({{2, 3, 5, 4}, {4, 3, 3, 2}, {4}}, {}),
    conv_case({{3, 1, 6, 7}, {2, 1, 3, 3}}, {.padding = {1, 2}}),
    conv_case({{2, 2, 7, 8}, {3, 2, 2, 3}, {3}}, {.stride = {2, 3}, .padding = 1}),
    conv_case({{1, 2, 9, 8}, {2, 2, 3, 2}, {2}}, {.stride = {1, 2}, .padding = {2, 0}, .dilation = {2, 3}}),
    conv_case({{2, 4, 5, 5}, {6, 2, 3, 3}, {6}}, {.padding = 1, .groups = 2}),
    conv_case({{2, 3, 5, 5}, {3, 1, 3, 3}}, {.stride = 2, .padding = 1, .groups = 3}),  // depthwise
    conv_case({{2, 2, 3, 3}, {3, 2, 3, 3}, {3}}, {}),                                   // one pixel
    conv_case({{19, 2, 4, 4}, {5, 2, 1, 1}, {5}}, {}),                                  // more samples than lanes
    conv_case({{1, 5, 4, 20}, {7, 5, 2, 2}, {7}}, {.stride = 1, .padding = {0, 3}}),    // padding wider than the kernel
    transpose_case({{2, 3, 4, 3}, {3, 2, 3, 2}, {2}}, {2, 2, 6, 4}, {}),
    transpose_case({{2, 2, 3, 3}, {2, 3, 3, 3}}, {2, 3, 6, 5}, {.stride = 2, .padding = 1, .output_padding = {1, 0}}),
    transpose_case({{1, 4, 3, 2}, {4, 1, 2, 2}, {2}}, {1, 2, 5, 6},
                   {.stride = {1, 2}, .dilation = {2, 3}, .groups = 2}),
    {"pad2d",
     {{2, 3, 2}},
     [](auto& in) {
       return pad2d(in[0], {1, 0}, {2, 3});
     },
     [](auto& in) {
       const Variable tall = concatenate({Variable(zeros({2, 1, 2})), in[0], Variable(zeros({2, 2, 2}))}, 1);
       return concatenate({tall, Variable(zeros({2, 6, 3}))}, 2);
     }},
    {"max_pool2d",
     {{2, 3, 4, 6}},
     [](auto& in) { return max_pool2d(in[0], 2); },
     [](auto& in) {
       return max(reshape(in[0], {2, 3, 2, 2, 3, 2}), {3, 5});
     }},
    {"max_pool2d",
     {{1, 1, 5, 40}},
     [](auto& in) {
       return max_pool2d(in[0], {2, 3}, {.stride = {3, 1}});
     },
     [](auto& in) {
       std::vector<Variable> shifted;
       for (std::size_t j = 0; j < 3; ++j) shifted.push_back(slice(in[0], 3, j, j + 38));
       const Variable rows = maximum(maximum(shifted[0], shifted[1]), shifted[2]);
       const auto pair = [&](std::size_t r) { return maximum(slice(rows, 2, r, r + 1), slice(rows, 2, r + 1, r + 2)); };
       return concatenate({pair(0), pair(3)}, 2);
     }},
    {"max_pool2d",
     {{1, 1, 3, 4}},
     [](auto& in) {
       return max_pool2d(in[0], 3, {.stride = {2, 3}, .padding = 1});
     },
     [](auto& in) {
       const auto corner = [&](std::size_t top, std::size_t bottom, std::size_t left, std::size_t right) {
         return reshape(max(slice(slice(in[0], 2, top, bottom), 3, left, right)), {1, 1, 1, 1});
       };
       return concatenate({concatenate({corner(0, 2, 0, 2), corner(0, 2, 2, 4)}, 3),
                           concatenate({corner(1, 3, 0, 2), corner(1, 3, 2, 4)}, 3)},
                          2);
     }},
    {"avg_pool2d",
     {{2, 3, 4, 6}},
     [](auto& in) {
       return avg_pool2d(in[0], {2, 3});
     },
     [](auto& in) {
       return mean(reshape(in[0], {2, 3, 2, 2, 2, 3}), {3, 5});
     }},
    {"max_pool2d",
     {{1, 2, 7, 20}},
     [](auto& in) {
       return max_pool2d(in[0], {2, 3}, {.stride = {3, 1}, .dilation = {4, 2}});
     },
     [](auto& in) {
       std::vector<Variable> shifted;
       for (const std::size_t j : {0u, 2u, 4u}) shifted.push_back(slice(in[0], 3, j, j + 16));
       const Variable rows = maximum(maximum(shifted[0], shifted[1]), shifted[2]);
       return maximum(slice(rows, 2, 0, 1), slice(rows, 2, 4, 5));
     }},
    {"max_pool2d",
     {{1, 1, 5, 4}},
     [](auto& in) {
       return max_pool2d(in[0], 2, {.stride = {2, 3}, .padding = {0, 1}, .ceil_mode = true});
     },
     [](auto& in) {
       const auto some = [&](std::size_t top, std::size_t bottom, std::size_t left, std::size_t right) {
         return reshape(max(slice(slice(in[0], 2, top, bottom), 3, left, right)), {1, 1, 1, 1});
       };
       std::vector<Variable> rows;
       for (const std::size_t top : {0u, 2u, 4u}) {
         const std::size_t bottom = std::min<std::size_t>(top + 2, 5);
         rows.push_back(concatenate({some(top, bottom, 0, 1), some(top, bottom, 2, 4)}, 3));
       }
       return concatenate(rows, 2);
     }},
    {"avg_pool2d",
     {{2, 1, 5, 4}},
     [](auto& in) {
       return avg_pool2d(in[0], {2, 3}, {.stride = 2, .padding = {0, 1}, .ceil_mode = true});
     },
     [](auto& in) {  // the padding counts, the row that is added does not
       const Variable wide = concatenate({Variable(zeros({2, 1, 5, 1})), in[0], Variable(zeros({2, 1, 5, 2}))}, 3);
       const Variable tall = concatenate({wide, Variable(zeros({2, 1, 1, 7}))}, 2);
       std::vector<Variable> columns;
       for (const std::size_t left : {0u, 2u, 4u})
         columns.push_back(sum(reshape(slice(tall, 3, left, left + 3), {2, 1, 3, 2, 3}), {3, 4}));
       return stack(columns, 3) / Variable(Tensor({{6, 6, 4}, {6, 6, 4}, {3, 3, 2}}));
     }},
    {"avg_pool2d",
     {{1, 1, 4, 4}},
     [](auto& in) { return avg_pool2d(in[0], 2, {.stride = 3, .padding = 1, .count_padding = false}); },
     [](auto& in) {
       const auto middle = mean(slice(slice(in[0], 2, 2, 4), 3, 2, 4));
       return reshape(
           stack({in[0][0][0][0][0], mean(in[0][0][0][0] * Tensor({0, 0, 2, 2})),
                  mean(slice(in[0][0][0], 1, 0, 1) * reshape(Variable(Tensor({0, 0, 2, 2})), {4, 1})), middle}),
           {1, 1, 2, 2});
     }},
    {"global_max_pool2d",
     {{2, 3, 4, 2}},
     [](auto& in) { return global_max_pool2d(in[0]); },
     [](auto& in) {
       return reshape(max(reshape(in[0], {6, 8}), 1), {2, 3, 1, 1});
     }},
    {"global_avg_pool2d",
     {{2, 3, 4, 2}},
     [](auto& in) { return global_avg_pool2d(in[0]); },
     [](auto& in) {
       return reshape(mean(reshape(in[0], {6, 8}), 1), {2, 3, 1, 1});
     }},
};

// Numbers in random order from -2 to 2, so far apart that a small step changes no maximum.
Tensor spread(Generator& generator, const Shape& shape) {
  const IndexTensor order = generator.permutation(element_count(shape));
  Tensor x = Tensor::from_shape(shape);
  for (std::size_t i = 0; i < x.size(); ++i)
    x.data()[i] = static_cast<Scalar>(4 * static_cast<double>(order.data()[i]) / static_cast<double>(x.size()) - 2);
  return x;
}

const bool windows_counted = add_rows(convolution_cases);

}  // namespace

TEST_CASE("convolution, pooling and padding: values, gradients, second gradients") {
  for (const WindowCase& c : convolution_cases) {
    CAPTURE(c.name);
    Generator generator(5);
    Inputs inputs;
    for (const Shape& shape : c.shapes) inputs.emplace_back(spread(generator, shape), true);
    CAPTURE(to_string(c.shapes[0]));
    check_same(c.operation(inputs).value(), c.expected(inputs).value());
    CHECK_NOTHROW(check_gradients(c.operation, inputs, difference_options));
    CHECK_NOTHROW(check_second_gradients(c.operation, inputs, difference_options));
    Inputs switching;
    for (const Shape& shape : c.shapes) switching.emplace_back(draw_switches(generator, shape, -2, 2), true);
    for (const Inputs& at : {inputs, switching}) check_symmetric(c.operation, at);
  }
}

TEST_CASE("max_pool2d: NaN travels, the first of equal pixels gets the gradient, and -infinity is a number") {
  const Scalar nan = std::numeric_limits<Scalar>::quiet_NaN(), low = -std::numeric_limits<Scalar>::infinity();
  const Variable x(Tensor({{{{1, nan, low, low}, {2, 3, low, low}}}}));
  const Tensor y = max_pool2d(x, 2).value();
  CHECK(std::isnan(y(0, 0, 0, 0)));
  CHECK(y(0, 0, 0, 1) == low);
  const Variable same(ones({1, 1, 2, 4}), true);
  sum(max_pool2d(same, 2)).backward();
  CHECK(same.grad() == Tensor({{{{1, 0, 1, 0}, {0, 0, 0, 0}}}}));
  const Variable bottom(full({1, 1, 2, 2}, low), true);
  sum(max_pool2d(bottom, 2, {.padding = 1})).backward();
  CHECK(bottom.shape() == Shape{1, 1, 2, 2});
}

TEST_CASE("convolutions and their gradients are the same bits for any number of threads") {
  const int before = num_threads();
  for (const std::size_t batch : {1u, 5u, 16u, 70u}) {
    std::vector<std::vector<Tensor>> results;
    for (const int threads : {1, 2, 3, 8}) {
      set_num_threads(threads);
      Generator generator(7);
      const Variable x(generator.normal({batch, 4, 9, 10}), true), w(generator.normal({12, 2, 3, 3}), true),
          b(generator.normal({12}), true);
      const Variable y = conv2d(x, w, b, {.stride = {1, 2}, .padding = 1, .groups = 2});
      sum(square(max_pool2d(y, 2))).backward();
      results.push_back({y.value(), x.grad(), w.grad(), b.grad()});
    }
    for (const auto& result : results) CHECK(result == results[0]);
  }
  set_num_threads(before);
}

TEST_CASE("convolution and pooling refuse what does not fit") {
  const auto image = [](const Shape& shape) { return Variable(zeros(shape)); };
  const Variable x = image({2, 3, 5, 5}), w = image({4, 3, 3, 3});
  check_error<ShapeError>(
      [&] {
        conv2d(image({3, 5, 5}), w);
      },
      {"[conv2d] expected images (batch, channels, height, width), got (3, 5, 5)"});
  check_error<ShapeError>(
      [&] {
        conv2d(x, image({4, 3, 3}));
      },
      {"[conv2d] expected a weight of four dimensions, got (4, 3, 3)"});
  check_error<ShapeError>(
      [&] {
        conv2d(x, image({4, 2, 3, 3}));
      },
      {"[conv2d] input (2, 3, 5, 5) does not match weight (4, 2, 3, 3): expected 2 channels"});
  check_error<ShapeError>([&] { conv2d(x, w, image({3})); },
                          {"[conv2d] bias (3,) does not match weight (4, 3, 3, 3): expected 4 elements"});
  check_error<ShapeError>(
      [&] {
        conv2d(x, image({4, 3, 6, 3}));
      },
      {"[conv2d] the kernel covers 6 pixels of the height, and the padded image has 5"});
  check_error<ShapeError>(
      [&] {
        conv2d(x, w, {}, {.dilation = {1, 3}});
      },
      {"[conv2d] the kernel covers 7 pixels of the width, and the padded image has 5"});
  check_error<ShapeError>(
      [&] {
        conv2d(image({2, 3, 0, 5}), w);
      },
      {"[conv2d] expected no empty dimension, got (2, 3, 0, 5) and (4, 3, 3, 3)"});
  check_error<ValueError>([&] { conv2d(x, w, {}, {.stride = 0}); }, {"[conv2d] expected a stride of 1 or more, got 0"});
  check_error<ValueError>(
      [&] {
        conv2d(x, w, {}, {.padding = {0, -1}});
      },
      {"[conv2d] expected a padding of 0 or more, got -1"});
  check_error<ValueError>([&] { conv2d(x, w, {}, {.dilation = 0}); },
                          {"[conv2d] expected a dilation of 1 or more, got 0"});
  check_error<ValueError>([&] { conv2d(x, w, {}, {.groups = 3}); },
                          {"[conv2d] expected groups that divide the 4 output channels, got 3"});
  check_error<ValueError>([&] { conv2d(x, w, {}, {.groups = 0}); },
                          {"[conv2d] expected groups that divide the 4 output channels, got 0"});
  check_error<ShapeError>(
      [&] { conv_transpose2d(x, w); },
      {"[conv_transpose2d] input (2, 3, 5, 5) does not match weight (4, 3, 3, 3): expected 4 channels"});
  check_error<ValueError>(
      [&] {
        conv_transpose2d(image({2, 4, 5, 5}), w, {}, {.stride = 2, .output_padding = 2});
      },
      {"[conv_transpose2d] expected an output_padding from 0 to stride - 1, got 2 and 2"});
  check_error<ShapeError>(
      [&] {
        max_pool2d(x, {6, 1});
      },
      {"[max_pool2d] the kernel covers 6 pixels of the height, and the padded image has 5"});
  check_error<ValueError>([&] { max_pool2d(x, 0); }, {"[max_pool2d] expected a kernel of 1 or more, got 0"});
  check_error<ValueError>([&] { max_pool2d(x, 2, {.stride = 0}); },
                          {"[max_pool2d] expected a stride of 1 or more, got 0"});
  check_error<ValueError>([&] { avg_pool2d(x, 2, {.padding = 2}); },
                          {"[avg_pool2d] expected a padding of at most half of the kernel, got (2, 2) for (2, 2)"});
  check_error<ShapeError>(
      [&] {
        global_avg_pool2d(image({2, 3}));
      },
      {"[global_avg_pool2d] expected images (batch, channels, height, width), got (2, 3)"});
  check_error<ValueError>([&] { avg_pool2d(x, 2, {.dilation = 2}); }, {"[avg_pool2d]", "dilation of 1, got (2, 2)"});
  check_error<ShapeError>([&] { pad2d(image({3}), 1); }, {"[pad2d] expected two dimensions or more, got (3,)"});
  check_error<ValueError>([&] { pad2d(x, -1); }, {"[pad2d] expected paddings from 0 to 2^31, got -1 and -1"});
}
