// Networks go out to ONNX's files, and in again.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>

#include "models.h"

using namespace xgrad;
using namespace onnx_models;

namespace {

// The largest difference, relative to 1 or the larger number.
double difference(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) return 1e300;
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto x = static_cast<double>(a.data()[i]), y = static_cast<double>(b.data()[i]);
    if (x != y) largest = std::max(largest, std::abs(x - y) / std::max(1.0, std::abs(x)));
  }
  return largest;
}

}  // namespace

TEST_CASE("a network is saved and loaded: the same outputs at every batch size, and the same file again") {
  for (const Model& test : all_models()) {
    CAPTURE(test.name);
    seed(7);
    const std::unique_ptr<nn::Module> model = test.make();
    for (const auto& [name, statistic] : model->buffers())  // other than at first
      for (Scalar& element : statistic.mutable_value()) element += static_cast<Scalar>(0.25);
    save_onnx(*model, Variable(input_of(test, 3)), scratch_file("a.onnx"));
    CHECK(model->training());
    const std::unique_ptr<nn::Module> loaded = load_onnx(scratch_file("a.onnx"));
    model->eval();
    const NoGrad no_grad;
    for (const std::size_t batch : {1u, 2u, 5u}) {
      const Variable x(input_of(test, batch));
      const double wrong = difference((*model)(x).value(), (*loaded)(x).value());
      // ONNX keeps options, such as epsilon, in single precision.
      CHECK_MESSAGE(wrong <= (test.exact && sizeof(Scalar) == sizeof(float) ? 0 : 1e-5), wrong);
    }
    const NamedVariables ours = model->parameters(), theirs = loaded->parameters();
    REQUIRE(ours.size() == theirs.size());
    for (std::size_t i = 0; i < ours.size(); ++i) {
      CHECK(ours[i].first == theirs[i].first);
      CHECK(ours[i].second.value() == theirs[i].second.value());
    }
    save_onnx(*loaded, Variable(input_of(test, 3)), scratch_file("b.onnx"));
    CHECK(bytes_of(scratch_file("a.onnx")) == bytes_of(scratch_file("b.onnx")));
  }
}

TEST_CASE("a network of several inputs and outputs is saved and loaded, at every batch size, and to the same file") {
  for (const Several& test : all_of_several()) {
    CAPTURE(test.name);
    seed(7);
    const std::unique_ptr<nn::Module> model = test.make();
    const auto compute = [&](const std::vector<Variable>& in) { return test.compute(*model, in); };
    save_onnx(*model, compute, test.examples(3), scratch_file("a.onnx"), test.names());
    const std::unique_ptr<OnnxNetwork> loaded = load_onnx(scratch_file("a.onnx"));
    CHECK(loaded->inputs() == test.names().inputs);
    CHECK(loaded->outputs() == test.names().outputs);
    CHECK(loaded->parameters().size() == model->parameters().size());
    for (const std::size_t batch : {1u, 2u, 5u}) {
      const NoGrad no_grad;
      const std::vector<Variable> in = test.examples(batch), expected = compute(in), got = loaded->run(in);
      REQUIRE(got.size() == test.outputs);
      for (std::size_t i = 0; i < got.size(); ++i) CHECK(difference(expected[i].value(), got[i].value()) < 1e-6);
    }
    save_onnx(
        *loaded, [&](const auto& in) { return loaded->run(in); }, test.examples(3), scratch_file("b.onnx"),
        test.names());
    CHECK(bytes_of(scratch_file("a.onnx")) == bytes_of(scratch_file("b.onnx")));
  }
}

TEST_CASE("a loaded network is trained on") {
  for (const Model& test : all_models()) {
    if (test.name != "lenet" && test.name != "cnn with batch normalization" && test.name != "gru cell") continue;
    CAPTURE(test.name);
    seed(7);
    save_onnx(*test.make(), Variable(input_of(test, 3)), scratch_file("a.onnx"));
    const std::unique_ptr<nn::Module> model = load_onnx(scratch_file("a.onnx"));
    const Variable x(input_of(test, 8));
    const Tensor target = (*model)(Variable(input_of(test, 8))).value();  // what the network can give
    optim::Adam optimizer(model->parameters(), {.lr = 1e-2});
    const auto loss = [&] { return mean(square((*model)(x)-target)); };
    const Scalar before = loss().item();
    for (int step = 0; step < 100; ++step) {
      optimizer.zero_grad();
      loss().backward();
      optimizer.step();
    }
    CHECK(loss().item() < before / 2);
  }
}

TEST_CASE("names of the input and the output, and modes of a part of the model, are kept") {
  nn::Sequential model{nn::Linear(4, 4), nn::Dropout(0.5), nn::BatchNorm1d(4)};
  model[1].eval();
  save_onnx(model, Variable(ones({2, 4})), scratch_file("a.onnx"), {.inputs = {"pixels"}, .outputs = {"scores"}});
  CHECK((model.training() && model[0].training() && !model[1].training() && model[2].training()));
  const std::unique_ptr<nn::Module> loaded = load_onnx(scratch_file("a.onnx"));
  CHECK(loaded->parameters().size() == 4);
  REQUIRE(loaded->buffers().size() == 2);
  CHECK(loaded->buffers()[0].first == "2.running_mean");
  CHECK(bytes_of(scratch_file("a.onnx")).find("pixels") != std::string::npos);
  CHECK(bytes_of(scratch_file("a.onnx")).find("scores") != std::string::npos);
}

TEST_CASE("ONNX files for other programs") {  // tests/onnx/check.py names the folder, and reads them
  const char* const folder = std::getenv("XGRAD_ONNX_FOLDER");
  if (!folder) return;
  const auto write = [&](const std::string& name, const std::vector<Variable>& in, const std::vector<Variable>& out) {
    std::ofstream numbers(std::filesystem::path(folder) / (name + ".txt"));
    numbers.precision(17);
    for (const auto& variables : {in, out})
      for (const Variable& variable : variables) {
        for (const std::size_t size : variable.shape()) numbers << size << ' ';
        numbers << '\n';
        for (const Scalar element : variable.value()) numbers << element << ' ';
        numbers << '\n';
      }
    REQUIRE(numbers);
  };
  const auto path = [&](const std::string& name) { return std::filesystem::path(folder) / (name + ".onnx"); };
  for (const Model& test : all_models()) {
    seed(7);
    const std::unique_ptr<nn::Module> model = test.make();
    save_onnx(*model, Variable(input_of(test, 3)), path(test.name));
    model->eval();
    const Variable x(input_of(test, 4));
    write(test.name, {x}, {(*model)(x)});
  }
  for (const Several& test : all_of_several()) {
    seed(7);
    const std::unique_ptr<nn::Module> model = test.make();
    const auto compute = [&](const std::vector<Variable>& in) { return test.compute(*model, in); };
    save_onnx(*model, compute, test.examples(3), path(test.name), test.names());
    const std::vector<Variable> in = test.examples(4);
    write(test.name, in, compute(in));
  }
}
