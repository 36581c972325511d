// A residual network (He et al. 2016), to show how a module with children and a forward() of its own is written.
// residual [SAMPLES]: trains for three epochs on so many drawn digits.
#include <xgrad/xgrad.h>

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>

#include "cli/program.h"

using namespace xgrad;

// Two convolutions, and a shortcut around them: 1 x 1 where the shape changes, and else the input itself.
struct Block : nn::Module {
  Block(std::size_t in, std::size_t out, std::ptrdiff_t stride)
      : conv1(add<nn::Conv2d>("conv1", in, out, 3, nn::Conv2dOptions{.stride = stride, .padding = 1, .bias = false})),
        norm1(add<nn::BatchNorm2d>("norm1", out)),
        conv2(add<nn::Conv2d>("conv2", out, out, 3, nn::Conv2dOptions{.padding = 1, .bias = false})),
        norm2(add<nn::BatchNorm2d>("norm2", out)),
        shortcut(add<nn::Sequential>("shortcut")) {
    if (in == out && stride == 1) return;
    shortcut.push_back(nn::Conv2d(in, out, 1, {.stride = stride, .bias = false}));
    shortcut.push_back(nn::BatchNorm2d(out));
  }

  Variable forward(const Variable& x) override {
    const Variable y = relu(norm1(conv1(x)));
    return relu(norm2(conv2(y)) + shortcut(x));
  }

  nn::Conv2d& conv1;
  nn::BatchNorm2d& norm1;
  nn::Conv2d& conv2;
  nn::BatchNorm2d& norm2;
  nn::Sequential& shortcut;  // without layers it returns its input
};

struct ResNet : nn::Module {
  Variable forward(const Variable& x) override {
    const Variable features = blocks(relu(norm(conv(x))));  // (batch, 32, 7, 7)
    return head(mean(features, {2, 3}));
  }

  nn::Conv2d& conv = add<nn::Conv2d>("conv", 1, 16, 3, nn::Conv2dOptions{.stride = 2, .padding = 1, .bias = false});
  nn::BatchNorm2d& norm = add<nn::BatchNorm2d>("norm", 16);
  nn::Sequential& blocks = add<nn::Sequential>("blocks", Block(16, 16, 1), Block(16, 32, 2));
  nn::Linear& head = add<nn::Linear>("head", 32, 10);
};

int main(int argc, char** argv) {
  return cli::run_program("residual", [&] {
    seed(1);
    const datasets::Dataset train = datasets::digits(argc > 1 ? std::stoul(argv[1]) : 10000, 1);
    const datasets::Dataset test = datasets::digits(1000, 2);
    ResNet model;
    std::puts(nn::summary(model, {1, 1, 28, 28}).c_str());
    optim::AdamW optimizer(model.parameters(), {.lr = 3e-3});
    datasets::DataLoader batches(train, {.batch_size = 64, .shuffle = true});
    for (int epoch = 1; epoch <= 3; ++epoch) {
      double loss = 0, right = 0;
      for (const auto& [images, labels] : batches) {
        optimizer.zero_grad();
        const Variable mean_loss = nn::cross_entropy(model(images), labels);
        mean_loss.backward();
        optimizer.step();
        loss += static_cast<double>(mean_loss.item()) / static_cast<double>(batches.size());
      }
      const NoGrad no_grad;
      model.eval();  // running statistics in place of the batch's
      for (const auto& [images, labels] : datasets::DataLoader(test, {.batch_size = 250}))
        right += nn::accuracy(model(images), labels) / 4;
      model.train();
      std::printf("epoch %d  loss %.4f  test accuracy %.1f %%\n", epoch, loss, 100 * right);
    }
    return 0;
  });
}
