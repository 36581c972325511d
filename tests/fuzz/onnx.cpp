// Networks in ONNX's files, from anybody: what loads has a state that it takes, and loads again as the same.
#include <xgrad/nn/activations.h>
#include <xgrad/nn/convolution.h>
#include <xgrad/nn/flatten.h>
#include <xgrad/nn/linear.h>
#include <xgrad/nn/normalization.h>
#include <xgrad/nn/pooling.h>
#include <xgrad/nn/sequential.h>
#include <xgrad/onnx/onnx.h>

#include "fuzz.h"

using namespace xgrad;

// The network is not called: what a shape in it claims is for whoever calls it to bear.
void fuzz::run(Bytes bytes) {
  const std::filesystem::path file = write("file", as_text(bytes));
  std::unique_ptr<nn::Module> model;
  if (!succeeds<DataError>([&] { model = load_onnx(file, little_memory); })) return;
  const StateDict state = model->state_dict();
  model->load_state_dict(state);
  expect(same(load_onnx(file, little_memory)->state_dict(), state), "the same state when it is loaded again");
}

std::vector<std::string> fuzz::seeds() {
  const auto saved = [](nn::Sequential model, const Shape& input) {
    save_onnx(model, Variable(ones(input)), path_of("seed"));
    return read(path_of("seed"));
  };
  seed(1);
  std::vector<std::string> all = {
      "", saved(nn::Sequential{nn::Linear(4, 2)}, {1, 4}),
      saved(nn::Sequential{nn::Linear(3, 4), nn::LayerNorm(4), nn::Tanh(), nn::Linear(4, 2), nn::Softmax()}, {2, 3}),
      saved(nn::Sequential{nn::Conv2d(1, 2, 3), nn::BatchNorm2d(2), nn::ReLU(), nn::MaxPool2d(2), nn::Flatten(),
                           nn::Linear(8, 2)},
            {2, 1, 6, 6})};
  // In the first network the weight's sizes and type, (2, 4) and FLOAT, become (4, 4) and FLOAT16: of as many bytes.
  const std::string weight("\x08\x02\x08\x04\x10\x01", 6), in_16_bits("\x08\x04\x08\x04\x10\x0a", 6);
  std::string half = all[1];
  const std::size_t at = half.find(weight);
  expect(at != half.npos, "a weight of sizes (2, 4)");
  all.push_back(half.replace(at, weight.size(), in_16_bits));
  return all;
}
