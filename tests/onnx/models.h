// Networks that go out to ONNX and in again.
#pragma once

#include <xgrad/xgrad.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace onnx_models {

using namespace xgrad;

/// A module from what its forward() computes and the parameters that it has.
struct Computed : nn::Module {
  using Formula = std::function<Variable(const Variable& x, const std::vector<Variable>& parameters)>;

  Computed(const std::vector<Shape>& shapes, Formula what) : formula(std::move(what)) {
    for (std::size_t i = 0; i < shapes.size(); ++i)
      own.push_back(param("p" + std::to_string(i), default_generator().uniform(shapes[i], -1, 1)));
  }
  Variable forward(const Variable& x) override { return formula(x, own); }

  Formula formula;
  std::vector<Variable> own;
};

struct Model {
  std::string name;
  Shape input;  ///< with a batch of 3
  std::function<std::unique_ptr<nn::Module>()> make;
  bool exact = true;  ///< the same operations when it is read again, and so the same bits, and the same file
  double low = -2, high = 2;
  bool whole = false;  ///< its input is whole numbers from `low` to below `high`
};

template <class Layer, class... Args>
std::function<std::unique_ptr<nn::Module>()> layers(Args... args) {
  return [=] { return std::make_unique<Layer>(args...); };
}

inline std::function<std::unique_ptr<nn::Module>()> formula(std::vector<Shape> shapes, Computed::Formula what) {
  return [=] { return std::make_unique<Computed>(shapes, what); };
}

/// A Sequential of what the functions make.
template <class... Layers>
std::function<std::unique_ptr<nn::Module>()> sequence(Layers... make) {
  return [=] {
    auto result = std::make_unique<nn::Sequential>();
    (result->push_back(make()), ...);
    return result;
  };
}

struct Residual : nn::Module {
  explicit Residual(std::size_t width) : hidden(add<nn::Linear>("hidden", width, width)) {}
  Variable forward(const Variable& x) override { return x + scale * tanh(hidden(x)); }
  nn::Linear& hidden;
  nn::Parameter scale = param("scale", ones({1}));
};

std::vector<Model> all_models();

/// A model of several inputs or outputs.
struct Several {
  std::string name;
  std::vector<Shape> inputs;  ///< with a batch of 3
  std::size_t outputs;
  std::function<std::unique_ptr<nn::Module>()> make;
  std::function<std::vector<Variable>(nn::Module&, const std::vector<Variable>&)> compute;

  OnnxOptions names() const {
    OnnxOptions options{{}, {}};
    for (std::size_t i = 0; i < inputs.size(); ++i) options.inputs.push_back("x" + std::to_string(i));
    for (std::size_t i = 0; i < outputs; ++i) options.outputs.push_back("y" + std::to_string(i));
    return options;
  }
  std::vector<Variable> examples(std::size_t batch) const {
    std::vector<Variable> result;
    for (Shape shape : inputs) {
      shape[0] = batch;
      result.emplace_back(default_generator().uniform(shape, -2, 2));
    }
    return result;
  }
};

std::vector<Several> all_of_several();

inline Tensor input_of(const Model& model, std::size_t batch) {
  Shape shape = model.input;
  shape[0] = batch;
  Tensor x = default_generator().uniform(shape, model.low, model.high);
  if (model.whole)
    for (Scalar& element : x) element = std::floor(element);
  return x;
}

/// A file of this program alone, however many of them run.
std::filesystem::path scratch_file(const std::string& name);

inline std::string bytes_of(const std::filesystem::path& path) {
  std::stringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

}  // namespace onnx_models
