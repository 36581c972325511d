// A network from elsewhere learns something new. A file in ONNX's format holds layers that were trained on the digits 0
// to 4. They are to read 5 to 9, of which there are few pictures: with a new last layer alone, and with all layers
// trained on, beside a network that begins from nothing.
//
//   fine_tune BODY.onnx [TUNED.onnx [PLOT.svg]]   where BODY.onnx is not there, it is made first
#include <xgrad/xgrad.h>

#include <cstdio>

#include "cli/program.h"
#include "line_plot.h"

using namespace xgrad;

namespace {

constexpr std::size_t features = 84;

// Of drawn digits those from `first` to `first` + 4, as the classes 0 to 4.
datasets::Dataset five_classes(std::size_t drawn, std::uint64_t seed, std::int64_t first) {
  const datasets::Dataset all = datasets::digits(drawn, seed);
  const std::size_t pixels = element_count(all.image_shape());
  std::vector<std::uint8_t> images;
  std::vector<std::int64_t> labels;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::int64_t label = all.labels()[i] - first;
    if (label < 0 || label > 4) continue;
    const auto image = all.images().subspan(i * pixels, pixels);
    images.insert(images.end(), image.begin(), image.end());
    labels.push_back(label);
  }
  return {std::move(images), all.image_shape(), labels};
}

std::unique_ptr<nn::Module> make_body() {
  return std::make_unique<nn::Sequential>(nn::Conv2d(1, 6, 5, {.padding = 2}), nn::ReLU(), nn::MaxPool2d(2),
                                          nn::Conv2d(6, 16, 5), nn::ReLU(), nn::MaxPool2d(2), nn::Flatten(),
                                          nn::Linear(400, features), nn::ReLU());
}

nn::Sequential with_head(std::unique_ptr<nn::Module> body) {
  nn::Sequential model;
  model.push_back(std::move(body));
  model.push_back(nn::Linear(features, 5));
  return model;
}

// The accuracy on the test set after each epoch.
line_plot::Line train(nn::Sequential& model, const datasets::Dataset& data, const datasets::Dataset& test, int epochs) {
  optim::Adamax optimizer(model.parameters(), {.lr = 4e-3});
  datasets::DataLoader batches(data, {.batch_size = 20, .shuffle = true, .seed = 1});
  line_plot::Line line;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    for (const auto& [images, labels] : batches) {
      optimizer.zero_grad();
      nn::cross_entropy(model(images), labels).backward();
      optimizer.step();
    }
    const NoGrad no_grad;
    model.eval();
    for (const auto& [images, labels] : datasets::DataLoader(test, {.batch_size = std::ptrdiff_t(test.size())}))
      line.points.emplace_back(epoch, 100 * nn::accuracy(model(images), labels));
    model.train();
  }
  return line;
}

void make_body_file(const char* file, const datasets::Dataset& test) {
  nn::Sequential model = with_head(make_body());
  const line_plot::Line line = train(model, five_classes(12000, 1, 0), test, 5);
  save_onnx(model[0], Variable(zeros({1, 1, 28, 28})), file, {.inputs = {"image"}, .outputs = {"features"}});
  std::printf("%s: layers that were trained on the digits 0 to 4, of which they read %.1f %%\n", file,
              line.points.back().second);
}

int run(const char* file, const char* tuned, const char* plot) {
  seed(1);
  if (!std::filesystem::exists(file)) make_body_file(file, five_classes(2000, 2, 0));
  load_onnx(file);  // one that is damaged is refused now, and not after a training
  const datasets::Dataset few = five_classes(120, 3, 5), test = five_classes(2000, 4, 5);
  std::printf("to be learned: the digits 5 to 9, from %zu pictures\n", few.size());
  constexpr int epochs = 30;
  std::vector<line_plot::Panel> panels;
  const struct {
    const char* name;
    bool knows, all_layers;  // whether it begins with the file's layers, and whether these are trained
  } ways[] = {{"from nothing", false, true}, {"a new last layer", true, false}, {"all layers", true, true}};
  for (const auto& [name, knows, all_layers] : ways) {
    seed(2);
    nn::Sequential model = with_head(knows ? load_onnx(file) : make_body());
    model[0].requires_grad(all_layers);
    const line_plot::Line line = train(model, few, test, epochs);
    std::printf("%-18s %5.1f %% after %d epochs\n", name, line.points.back().second, epochs);
    panels.push_back({name, "of the test pictures", "epoch", "% read", {line}, false, {}, 100});
    if (!tuned || !knows || !all_layers) continue;
    save_onnx(model, Variable(zeros({1, 1, 28, 28})), tuned);
    std::printf("saved: %s\n", tuned);
  }
  if (plot) line_plot::write(plot, "Few pictures, with and without what was learned before", panels, 3);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program("fine_tune", [&] {
    if (argc < 2) throw DataError("usage: fine_tune BODY.onnx [TUNED.onnx [PLOT.svg]]");
    return run(argv[1], argc > 2 ? argv[2] : nullptr, argc > 3 ? argv[3] : nullptr);
  });
}
