// The parts together: a network trains, and to the same bits on every run and for any number of threads.
#include <xgrad/xgrad.h>

#include "error.h"

using namespace xgrad;

namespace {

struct Result {
  StateDict state;
  double first_loss = 0, last_loss = 0;
};

template <class Optimizer>
Result train(int threads, bool prefetch) {
  const int before = num_threads();
  set_num_threads(threads);
  seed(1);
  nn::Sequential model{nn::Flatten(), nn::Linear(784, 128), nn::ReLU(), nn::Dropout(0.1), nn::Linear(128, 10)};
  Optimizer optimizer(model.parameters(), {.lr = 2e-3});
  Result result;
  int step = 0;
  for (const auto& [images, labels] :
       datasets::DataLoader(datasets::digits(3200, 1), {.batch_size = 64, .shuffle = true, .prefetch = prefetch})) {
    optimizer.zero_grad();
    const Variable loss = nn::cross_entropy(model(images), labels);
    loss.backward();
    optim::clip_grad_norm(optimizer.parameters(), 5);
    optimizer.step();
    (step++ == 0 ? result.first_loss : result.last_loss) = static_cast<double>(loss.item());
  }
  set_num_threads(before);
  result.state = model.state_dict();
  return result;
}

}  // namespace

TEST_CASE_TEMPLATE("a network trains to the same bits from run to run and for any number of threads", Optimizer,
                   optim::Adam, optim::Adamax) {
  const Result one = train<Optimizer>(1, false);
  CHECK(one.first_loss == doctest::Approx(std::log(10.0)).epsilon(0.1));
  CHECK(one.last_loss < 0.7 * one.first_loss);
  for (int threads : {1, 2, 3})
    for (bool prefetch : {false, true}) {
      const Result other = train<Optimizer>(threads, prefetch);
      REQUIRE(other.state.tensors.size() == 4);
      for (std::size_t i = 0; i < 4; ++i) CHECK(other.state.tensors[i] == one.state.tensors[i]);
    }
}
