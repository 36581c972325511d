// Networks in ONNX's files, from anybody: what loads is a network with names of its own. It is not run, for a file may
// well ask for more than a moment's work.
#include <xgrad/nn/convolution.h>
#include <xgrad/nn/flatten.h>
#include <xgrad/nn/linear.h>
#include <xgrad/nn/normalization.h>
#include <xgrad/nn/pooling.h>
#include <xgrad/nn/recurrent.h>
#include <xgrad/nn/sequential.h>
#include <xgrad/onnx/onnx.h>

#include <memory>
#include <set>

#include "fuzz.h"

using namespace xgrad;

void fuzz::run(Bytes bytes) {
  const std::filesystem::path file = write("file", as_text(bytes));
  std::unique_ptr<OnnxNetwork> network;
  if (!succeeds<DataError>([&] { network = load_onnx(file, little_memory); })) return;
  std::set<std::string> names;
  for (const auto& part : {network->parameters(), network->buffers()})
    for (const auto& [name, variable] : part) expect(names.insert(name).second, "names that come once");
  expect(!network->inputs().empty() && !network->outputs().empty(), "an input and an output");
  expect(!succeeds<ValueError>([&] { network->run({}); }), "a refusal of too few inputs");
}

std::vector<std::string> fuzz::seeds() {
  const std::filesystem::path file = path_of("seed");
  std::vector<std::string> all = {""};
  const auto add = [&](nn::Module& model, const Shape& input) {
    save_onnx(model, Variable(ones(input)), file);
    all.push_back(read(file));
  };
  nn::Sequential cnn{nn::Conv2d(1, 2, 3), nn::BatchNorm2d(2), nn::MaxPool2d(2), nn::Flatten(), nn::Linear(2, 2)};
  nn::Sequential normalized{nn::Linear(2, 3), nn::LayerNorm(3)};
  nn::GRU gru(2, 2);
  add(cnn, {1, 1, 4, 4});
  add(normalized, {2, 2});
  add(gru, {1, 2, 2});
  nn::LSTMCell lstm(1, 2);
  const auto step = [&](const std::vector<Variable>& in) {
    const nn::RecurrentState next = lstm.step(in[0], {in[1], in[2]});
    return std::vector{next.h, next.c};
  };
  save_onnx(lstm, step, {Variable(ones({1, 1})), Variable(ones({1, 2})), Variable(ones({1, 2}))}, file,
            {{"x", "h", "c"}, {"h_next", "c_next"}});
  all.push_back(read(file));
  return all;
}
