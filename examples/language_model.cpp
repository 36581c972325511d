// Learns to write, a character after the other, from a text of yours or from sums that are drawn at random. A
// recurrent network (gru) keeps what it read in its memory; a transformer looks back at the characters themselves.
//
//   language_model gru|transformer [TEXT.txt [LOSS.svg]]
#include <xgrad/xgrad.h>

#include <cmath>
#include <cstdio>
#include <sstream>

#include "cli/program.h"
#include "line_plot.h"

using namespace xgrad;

namespace {

constexpr std::size_t width = 96, context = 32, epochs = 20;

std::string sums() {
  Generator random(1);
  std::string text;
  while (text.size() < 40000) {
    const std::uint64_t a = random.below(50), b = random.below(50);
    text += message(a, " and ", b, " is ", a + b, ".\n");
  }
  return text;
}

struct Writer : nn::Module {
  Writer(std::size_t characters, bool transformer) : embedding(add<nn::Embedding>("embedding", characters, width)) {
    if (transformer) {
      place = &add<nn::Embedding>("place", context, width);
      for (const char* name : {"block1", "block2"})
        layers.push_back(&add<nn::TransformerBlock>(name, width, 4, nn::TransformerBlockOptions{.causal = true}));
    } else {
      layers.push_back(&add<nn::GRU>("gru", width, width));
    }
    head = &add<nn::Linear>("head", width, characters);
  }

  // The scores of what comes next, after each of the numbers (batch, steps).
  Variable forward(const Variable& numbers) override {
    Variable x = embedding(numbers);
    if (place) x = x + (*place)(Variable(arange(numbers.shape()[1])));
    for (nn::Module* layer : layers) x = (*layer)(x);
    return (*head)(x);
  }

  nn::Embedding& embedding;
  nn::Embedding* place = nullptr;
  std::vector<nn::Module*> layers;
  nn::Linear* head = nullptr;
};

Variable as_variable(const IndexTensor& numbers) { return Variable(xt::eval(xt::cast<Scalar>(numbers))); }

// One character after the other, each drawn from what the model expects after those before it.
std::string written(nn::Module& model, const datasets::Characters& characters, const std::string& begin, int count) {
  const NoGrad no_grad;
  model.eval();
  Generator random(2);
  std::string text = begin;
  for (int i = 0; i < count; ++i) {
    const IndexTensor all = characters.encode(text);
    const std::ptrdiff_t seen = std::min<std::ptrdiff_t>(context, std::ssize(all));
    const Variable scores = model(reshape(slice(as_variable(all), 0, {.begin = -seen}), {1, seen}))[0][-1];
    const Tensor up_to = cumsum(softmax(scores / 0.5)).value();  // half the temperature: less daring
    const auto next = std::lower_bound(up_to.begin(), up_to.end() - 1, random.uniform()) - up_to.begin();
    text += characters.decode(IndexTensor({next}));
  }
  return text;
}

int run(const std::string& kind, const char* file, const char* plot) {
  if (kind != "gru" && kind != "transformer")
    throw DataError("usage: language_model gru|transformer [TEXT.txt [LOSS.svg]]");
  const std::string text = file && *file ? datasets::read_text(file) : sums();
  const datasets::Characters characters(text);
  const IndexTensor numbers = characters.encode(text);
  seed(1);
  Writer model(characters.size(), kind == "transformer");
  optim::Adam optimizer(model.parameters(), {.lr = 3e-3});
  datasets::DataLoader loader(datasets::next_of_each(numbers, context, context / 2),
                              {.batch_size = 32, .shuffle = true, .seed = 1});
  optim::CosineAnnealingLR schedule(optimizer, {.t_max = static_cast<std::int64_t>(epochs * loader.size())});
  std::printf("%zu characters, %zu different ones; a %s\n", numbers.size(), characters.size(), kind.c_str());
  line_plot::Line line;
  for (std::size_t epoch = 1; epoch <= epochs; ++epoch) {
    double total = 0;
    for (const auto& [inputs, targets] : loader) {
      optimizer.zero_grad();
      const Variable scores = model(as_variable(inputs));
      const Variable loss = nn::cross_entropy(transpose(scores, {0, 2, 1}), targets);
      loss.backward();
      optim::clip_grad_norm(optimizer.parameters(), 1);
      optimizer.step();
      schedule.step();
      total += double(loss.item()) / double(loader.size());
    }
    line.points.emplace_back(double(epoch), total / std::log(2));
    std::printf("epoch %2zu  %.3f bits a character\n", epoch, total / std::log(2));
  }
  IndexTensor begin = IndexTensor::from_shape({context / 2});
  std::copy_n(numbers.data(), begin.size(), begin.data());
  std::istringstream lines(written(model, characters, characters.decode(begin), 240));
  for (std::string sentence; std::getline(lines, sentence);) std::puts(printable(sentence).c_str());
  if (plot)
    line_plot::write(plot, "How well the next character is foreseen",
                     {{kind, "mean of each epoch", "epoch", "bits a character", {line}}}, 1, 460, 260);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto argument = [&](int i) { return argc > i ? argv[i] : nullptr; };
  return cli::run_program("language_model", [&] { return run(argc > 1 ? argv[1] : "gru", argument(2), argument(3)); });
}
