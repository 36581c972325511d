// A convolution by itself in libtorch; prints what `convolution` prints.
#include <torch/torch.h>

#include "../workloads.h"

int main(int argc, char** argv) {
  return run_convolutions(argc, argv, torch::set_num_threads, [](const Convolution& c) {
    const auto random = [](at::IntArrayRef shape) { return torch::randn(shape).requires_grad_(); };
    const torch::Tensor x = random({c.batch, c.channels, c.size, c.size});
    const torch::Tensor weight = random({c.filters, c.channels, c.kernel, c.kernel}), bias = random({c.filters});
    const auto options = torch::nn::functional::Conv2dFuncOptions().bias(bias).padding(c.padding);
    const torch::Tensor upstream = torch::nn::functional::conv2d(x, weight, options).detach();
    return [=] {
      const torch::Tensor y = torch::nn::functional::conv2d(x, weight, options);
      return torch::autograd::grad({y}, {x, weight, bias}, {upstream});
    };
  });
}
