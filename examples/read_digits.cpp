// Reads digits as a sequence: a recurrent cell sees one row of pixels a step, from top to bottom, and must name the
// digit after every row from what it remembers. Below the digit rows are blank: there it forgets a little. In the end
// it shows a digit about which it changed its mind.
//
//   read_digits [IMAGES [EPOCHS]]
#include <xgrad/xgrad.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>

#include "cli/program.h"

using namespace xgrad;

namespace {

constexpr std::size_t side = 28, hidden = 64, classes = 10;

struct Reader : nn::Module {
  // Images (batch, 1, side, side) to logits after each row (side, batch, classes).
  Variable forward(const Variable& images) override {
    Variable memory;
    std::vector<Variable> memories;
    for (std::size_t row = 0; row < side; ++row) {
      memory = cell.step(reshape(slice(images, 2, row, row + 1), {images.shape()[0], side}), memory);
      memories.push_back(memory);
    }
    return head(stack(memories));
  }

  nn::GRUCell& cell = add<nn::GRUCell>("cell", side, hidden);
  nn::Linear& head = add<nn::Linear>("head", hidden, classes);
};

// The mean over all rows: every row is a moment to be asked.
Variable loss(const Variable& logits, const IndexTensor& labels) {
  IndexTensor repeated = IndexTensor::from_shape({side * labels.size()});
  for (std::size_t i = 0; i < repeated.size(); ++i) repeated(i) = labels(i % labels.size());
  return nn::cross_entropy(reshape(logits, {repeated.size(), classes}), repeated);
}

// The most likely digit after a row, given probabilities (side, batch, classes).
std::int64_t guess(const Tensor& probabilities, std::size_t row, std::size_t sample) {
  const Scalar* all = &probabilities(row, sample, 0);
  return std::max_element(all, all + classes) - all;
}

void show(const Tensor& images, const Tensor& probabilities, std::size_t sample) {
  for (std::size_t row = 0; row < side; ++row) {
    for (std::size_t column = 0; column < side; ++column)
      std::putchar(" .:+#@"[static_cast<int>(images(sample, 0, row, column) * Scalar(5.99))]);
    const auto digit = static_cast<std::size_t>(guess(probabilities, row, sample));
    const auto percent = static_cast<int>(100 * probabilities(row, sample, digit));
    std::printf(" | %zu  %3d %%  %s\n", digit, percent,
                std::string(static_cast<std::size_t>(percent / 5), '=').c_str());
  }
}

int run(std::size_t count, int epochs) {
  seed(1);
  Reader reader;
  optim::Adam optimizer(reader.parameters(), {.lr = 1e-2});
  datasets::DataLoader train(datasets::digits(count, 1), {.batch_size = 64, .shuffle = true});
  datasets::DataLoader test(datasets::digits(1000, 2), {.batch_size = 1000});
  const datasets::Batch exam = *test.begin();
  const auto steps = static_cast<std::int64_t>(train.size()) * epochs;
  optim::CosineAnnealingLR schedule(optimizer, {.t_max = steps});

  std::printf("A GRU with %zu numbers of memory reads digits row by row. How often it is right\n", hidden);
  std::puts("after row      7     10     13     16     19     22     28");
  double accuracy = 0;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    for (const auto& [images, labels] : train) {
      optimizer.zero_grad();
      loss(reader(images), labels).backward();
      optim::clip_grad_norm(optimizer.parameters(), 1);
      optimizer.step();
      schedule.step();
    }
    const NoGrad no_grad;
    const Variable logits = reader(exam.images);
    std::printf("epoch %2d", epoch);
    for (const std::size_t row : {7u, 10u, 13u, 16u, 19u, 22u, 28u}) {
      accuracy = nn::accuracy(reshape(slice(logits, 0, row - 1, row), {exam.labels.size(), classes}), exam.labels);
      std::printf("  %3.0f %%", 100 * accuracy);
    }
    std::puts("");
    if (epoch < epochs) continue;
    const Tensor probabilities = softmax(logits).value();
    std::size_t sample = 0;  // the first one that is taken for another digit half-way, and not in the end
    while (sample + 1 < exam.labels.size() && (guess(probabilities, 15, sample) == exam.labels(sample) ||
                                               guess(probabilities, side - 1, sample) != exam.labels(sample)))
      ++sample;
    std::puts("\nA digit about which it changed its mind: what it has seen, what it says, how sure it is");
    show(exam.images.value(), probabilities, sample);
  }
  if (accuracy > 0.8) return 0;
  std::puts("It has not learned to read: fewer than 80 % are right.");
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  return cli::run_program("read_digits", [&] {
    return run(argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 10000, argc > 2 ? std::atoi(argv[2]) : 5);
  });
}
