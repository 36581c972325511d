// Prediction with one model from several threads: each gets the bits that one thread gets alone. These are tests to run
// under ThreadSanitizer too.
#include <doctest/doctest.h>
#include <xgrad/core/parallel.h>
#include <xgrad/core/random.h>
#include <xgrad/xgrad.h>

#include <array>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

using namespace xgrad;

namespace {

#ifdef __SANITIZE_THREAD__
constexpr int pool_threads = 1;  // it does not see how oneTBB hands work over, and would report that
#else
constexpr int pool_threads = 4;
#endif

struct Pool {
  Pool() { set_num_threads(pool_threads); }
  ~Pool() { set_num_threads(before); }
  int before = num_threads();
};

// What four threads read at the same time, while this one does something else.
std::array<Tensor, 4> read_together(
    const std::function<Tensor()>& read, const std::function<void()>& meanwhile = [] {}) {
  std::array<Tensor, 4> seen;
  std::vector<std::thread> threads;
  for (Tensor& one : seen) threads.emplace_back([&] { one = read(); });
  meanwhile();
  for (std::thread& thread : threads) thread.join();
  return seen;
}

// A table of which most rows wait for steps that they have missed.
struct Table {
  explicit Table(std::size_t rows, int steps = 50)
      : embedding(rows, 8, {.sparse = true}), adam(embedding.parameters(), {.lr = 0.1}) {
    for (int i = 0; i < steps; ++i) {
      adam.zero_grad();
      sum(square(embedding.lookup({i, i + 1}))).backward();
      adam.step();
    }
  }
  nn::Embedding embedding;
  optim::Adam adam;
};

using Read = std::function<Tensor(const nn::Embedding&)>;
const Read some = [](const nn::Embedding& e) { return Tensor(e.lookup({0, 5, 10, 49}).value()); };
const Read whole_table = [](const nn::Embedding& e) { return e.weight.value(); };

}  // namespace

TEST_CASE("several threads read one model, layer by layer") {
  const Pool pool;
  Generator generator(1);
  const Variable flat(generator.normal({8, 6})), images(generator.normal({2, 4, 6, 6})), numbers(Tensor({0, 3, 1, 3}));
  struct Layer {
    std::unique_ptr<nn::Module> module;
    Variable input;
  };
  std::vector<Layer> layers;
  const auto add = [&](const Variable& input, auto... modules) {
    (layers.push_back({std::make_unique<decltype(modules)>(std::move(modules)), input}), ...);
  };
  seed(1);
  add(flat, nn::Linear(6, 5), nn::BatchNorm1d(6), nn::LayerNorm(6), nn::GroupNorm(2, 6), nn::Dropout(0.5), nn::Tanh(),
      nn::Sigmoid(), nn::ReLU(), nn::SELU(), nn::SiLU(), nn::Mish(), nn::Softplus(), nn::LeakyReLU(), nn::ELU(),
      nn::GELU(), nn::Hardtanh(), nn::Softmax(), nn::LogSoftmax(), nn::LSTMCell(6, 3), nn::GRUCell(6, 3));
  add(images, nn::Conv2d(4, 3, {3, 3}), nn::ConvTranspose2d(4, 3, {3, 3}), nn::BatchNorm2d(4), nn::Dropout2d(0.5),
      nn::MaxPool2d({2, 2}), nn::AvgPool2d({2, 2}), nn::GlobalAvgPool2d(), nn::Flatten(),
      nn::Sequential{nn::Conv2d(4, 8, {3, 3}), nn::BatchNorm2d(8), nn::ReLU(), nn::Flatten(), nn::Linear(128, 3)});
  add(numbers, nn::Embedding(4, 3));
  for (const auto& [layer, x] : layers) {
    (*layer)(x);  // running statistics that are not those of the start
    layer->eval();
    const StateDict before = layer->state_dict();
    const auto read = [&, &module = *layer, &input = x] {
      const NoGrad no_grad;
      return Tensor(module(input).value());
    };
    const Tensor alone = read();
    for (const Tensor& seen : read_together(read)) CHECK(seen == alone);
    CHECK(layer->state_dict().tensors == before.tensors);
  }
}

TEST_CASE("several threads read a table whose rows catch up when they are read") {
  const Pool pool;
  for (const Read& read : {some, whole_table})
    for (int round = 0; round < 20; ++round) {
      seed(2);
      const Table expected(300);
      const Tensor alone = read(expected.embedding);
      seed(2);
      const Table table(300);
      const auto seen = read_together([&] {
        const NoGrad no_grad;
        return read(table.embedding);
      });
      for (const Tensor& one : seen) CHECK(one == alone);
      CHECK(whole_table(table.embedding) == whole_table(expected.embedding));
      CHECK(table.adam.state("weight", "exp_avg") == expected.adam.state("weight", "exp_avg"));
    }
}

// One that has the lock, and is none of them, would wait for them in vain.
TEST_CASE("several threads read a table, the library's own among them, which are not needed to catch up") {
  const Pool pool;
  for (int round = 0; round < 10; ++round) {
    seed(2);
    const Table expected(300, 250);
    seed(2);
    const Table table(300, 250);
    const Tensor alone = whole_table(expected.embedding);
    std::array<Tensor, 4> inside;
    const auto outside = read_together(
        [&] {
          const NoGrad no_grad;
          return whole_table(table.embedding);
        },
        [&] {
          parallel_for(inside.size(), 1, [&](std::size_t begin, std::size_t end) {
            const NoGrad no_grad;
            for (std::size_t i = begin; i < end; ++i) inside[i] = whole_table(table.embedding);
          });
        });
    for (const Tensor& one : inside) CHECK(one == alone);
    for (const Tensor& one : outside) CHECK(one == alone);
  }
}
