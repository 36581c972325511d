#include "models.h"

#include <xgrad/core/errors.h>
#include <xgrad/nn/activations.h>
#include <xgrad/nn/convolution.h>
#include <xgrad/nn/dropout.h>
#include <xgrad/nn/flatten.h>
#include <xgrad/nn/linear.h>
#include <xgrad/nn/normalization.h>
#include <xgrad/nn/pooling.h>

#include <algorithm>

#include "text.h"

namespace train {

using namespace cli;

namespace {

using xgrad::message;
using xgrad::Shape;
using namespace xgrad::nn;

std::vector<std::size_t> widths(const Architecture& architecture) {
  std::vector<std::size_t> widths = architecture.hidden;
  widths.insert(widths.begin(), xgrad::element_count(architecture.image_shape));
  widths.push_back(architecture.classes);
  return widths;
}

Sequential mlp(const Architecture& architecture) {
  const std::vector<std::size_t> sizes = widths(architecture);
  Sequential network{Flatten()};
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
    if (i > 0) network.push_back(ReLU());
    network.push_back(Linear(sizes[i], sizes[i + 1]));
  }
  return network;
}

// LeCun et al. 1998, "LeNet-5", with ReLU and max pooling as it is built today.
Sequential lenet(const Architecture& architecture) {
  const Shape& image = architecture.image_shape;
  const auto left = [](std::size_t pixels) { return (pixels / 2 - 4) / 2; };
  return Sequential{Conv2d(image[0], 6, 5, {.padding = 2}),
                    ReLU(),
                    MaxPool2d(2),
                    Conv2d(6, 16, 5),
                    ReLU(),
                    MaxPool2d(2),
                    Flatten(),
                    Linear(16 * left(image[1]) * left(image[2]), 120),
                    ReLU(),
                    Linear(120, 84),
                    ReLU(),
                    Linear(84, architecture.classes)};
}

Sequential cnn(const Architecture& architecture) {
  const Shape& image = architecture.image_shape;
  Sequential network;
  const auto convolve = [&network](std::size_t in, std::size_t out, std::ptrdiff_t kernel) {
    network.push_back(Conv2d(in, out, kernel, {.padding = kernel / 2, .bias = false}));
    network.push_back(BatchNorm2d(out));
    network.push_back(ReLU());
  };
  convolve(image[0], 16, 5);
  network.push_back(MaxPool2d(2));
  convolve(16, 32, 3);
  convolve(32, 32, 3);
  network.push_back(MaxPool2d(2));
  convolve(32, 64, 3);
  convolve(64, 64, 3);
  network.push_back(Flatten());
  network.push_back(Dropout(0.4));
  network.push_back(Linear(64 * (image[1] / 4) * (image[2] / 4), architecture.classes));
  return network;
}

constexpr ModelKind all_models[] = {
    {"mlp", 1, mlp},
    {"lenet", 12, lenet},
    {"cnn", 8, cnn},
};

}  // namespace

std::span<const ModelKind> model_kinds() { return all_models; }

Sequential Architecture::make() const {
  const std::size_t height = image_shape[1], width = image_shape[2];
  if (std::min(height, width) < kind->least_side)
    throw UsageError(message("--model: ", kind->name, " needs images of at least ", kind->least_side, " x ",
                             kind->least_side, " pixels, got ", height, " x ", width));
  return kind->make(*this);
}

std::string Architecture::name() const {
  if (kind->make != mlp) return std::string(kind->name);
  std::string text;
  for (const std::size_t width : widths(*this)) text += message(text.empty() ? "" : "-", width);
  return text;
}

}  // namespace train
