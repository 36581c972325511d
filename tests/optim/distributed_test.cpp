// What one process does with micro-batches. tests/processes has what several do.
#include <doctest/doctest.h>
#include <xgrad/datasets/loader.h>
#include <xgrad/datasets/tensor_dataset.h>
#include <xgrad/nn/dropout.h>
#include <xgrad/nn/embedding.h>
#include <xgrad/nn/linear.h>
#include <xgrad/nn/losses.h>
#include <xgrad/nn/normalization.h>
#include <xgrad/nn/sequential.h>
#include <xgrad/optim/clip.h>
#include <xgrad/optim/distributed.h>
#include <xgrad/optim/lbfgs.h>
#include <xgrad/optim/schedule.h>

#include "error.h"
#include "optim/helpers.h"

using namespace xgrad;

namespace {

datasets::TensorDataset<Tensor, Tensor> points(std::size_t count) {
  Generator generator(7);
  Tensor x = generator.normal({count, 3}), y = generator.normal({count, 2});
  return datasets::TensorDataset(std::move(x), std::move(y));
}

nn::Sequential network() {
  seed(3);
  return nn::Sequential{nn::Linear(3, 4), nn::Dropout(0.), nn::Linear(4, 2)};
}

// Shards of one process are whole: 30 rows of 3 numbers are few.
template <class Step>
void train_epoch(nn::Module& model, optim::Optimizer& optimizer, Communicator& communicator, std::size_t samples,
                 std::ptrdiff_t batch_size, Step after_each) {
  for (const auto& [x, y] :
       datasets::DataLoader(points(samples), {.batch_size = batch_size, .communicator = &communicator})) {
    optimizer.zero_grad();
    nn::mse_loss(model(x), y).backward();
    optimizer.step();
    after_each();
  }
}

// The same by hand: gradients of parts of the batch, their sum as a tree, and a step of an optimizer that knows no
// parts.
template <class O>
void train_epoch_by_hand(nn::Module& model, O& optimizer, std::size_t parts, std::size_t samples, std::size_t batch) {
  const auto data = points(samples);
  for (std::size_t begin = 0; begin < samples; begin += batch) {
    std::vector<std::vector<Tensor>> sums;
    for (std::size_t part = 0; part < parts; ++part) {
      std::vector<std::int64_t> rows;
      for (std::size_t i = batch * part / parts; i < batch * (part + 1) / parts; ++i)
        rows.push_back(static_cast<std::int64_t>(begin + i));
      std::tuple<Variable, Variable> taken;
      data.fill(taken, rows, 0);
      model.zero_grad();
      nn::mse_loss(model(std::get<0>(taken)), std::get<1>(taken)).backward();
      sums.emplace_back();
      for (const auto& [name, parameter] : model.parameters()) sums.back().push_back(parameter.grad());
    }
    while (sums.size() > 1) {
      for (std::size_t i = 0; i < sums.size() / 2; ++i)
        for (std::size_t p = 0; p < sums[i].size(); ++p) sums[i][p] = sums[2 * i][p] + sums[2 * i + 1][p];
      sums.resize(sums.size() / 2);
    }
    const auto parameters = model.parameters();
    for (std::size_t p = 0; p < parameters.size(); ++p)
      set_gradient(parameters[p].second, Tensor(sums[0][p] / Scalar(parts)));
    optimizer.step();
  }
}

struct WithBuffers : nn::Module {
  Variable forward(const Variable& x) override { return scale * norm(x); }
  nn::BatchNorm1d& norm = add<nn::BatchNorm1d>("norm", 3);
  nn::Parameter scale = param("scale", ones({1}));
};

}  // namespace

TEST_CASE_TEMPLATE("the step of a batch in parts is that of the sum of its parts' gradients, added as a tree", O,
                   optim::SGD, optim::Adam, optim::Adamax, optim::AdamW, optim::Lamb, optim::Adafactor,
                   optim::ScheduleFreeAdamW) {
  for (const std::size_t parts : {1u, 2u, 8u}) {
    CAPTURE(parts);
    Communicator communicator({.micro_batches = parts});
    nn::Sequential together = network(), by_hand = network();
    optim::Distributed<O> distributed(communicator, together);
    O plain(by_hand.parameters());
    for (int epoch = 0; epoch < 3; ++epoch) {
      train_epoch(together, distributed, communicator, 32, 16, [] {});
      train_epoch_by_hand(by_hand, plain, parts, 32, 16);
    }
    for (std::size_t p = 0; p < together.parameters().size(); ++p)
      CHECK(together.parameters()[p].second.value() == by_hand.parameters()[p].second.value());
    CHECK(distributed.state_dict().tensors == plain.state_dict().tensors);
    CHECK(distributed.step_count("0.weight") == 6);
  }
}

TEST_CASE("parts of unlike sizes count by their samples, and empty ones for nothing") {
  for (const std::ptrdiff_t batch : {11, 5, 3}) {  // in eight parts: of 1 and 2, of 0 and 1
    CAPTURE(batch);
    Communicator communicator;
    nn::Sequential together = network(), whole = network();
    optim::Distributed<optim::SGD> distributed(communicator, together, {.lr = 0.25});
    optim::SGD plain(whole.parameters(), {.lr = 0.25});
    int calls = 0;
    train_epoch(together, distributed, communicator, 2 * static_cast<std::size_t>(batch), batch, [&] { ++calls; });
    CHECK(calls == 16);
    train_epoch_by_hand(whole, plain, 1, 2 * static_cast<std::size_t>(batch), static_cast<std::size_t>(batch));
    for (std::size_t p = 0; p < whole.parameters().size(); ++p) {
      const Tensor &a = together.parameters()[p].second.value(), &b = whole.parameters()[p].second.value();
      for (std::size_t i = 0; i < a.size(); ++i) CHECK(a.data()[i] == doctest::Approx(b.data()[i]).epsilon(1e-5));
    }
  }
}

TEST_CASE("a communicator's loader gives out every sample of each batch once, and goes on where a state says") {
  Communicator communicator({.micro_batches = 4});
  datasets::LoaderOptions options{.batch_size = 10, .shuffle = true, .seed = 5};
  const auto in_order = [](datasets::DataLoader<datasets::TensorDataset<Tensor, Tensor>>& loader, std::size_t least) {
    std::vector<Tensor> batches;
    for (const auto& [x, y] : loader)
      for (std::size_t i = 0; i < x.shape()[0]; ++i)
        batches.push_back(Tensor({x.value()(i, 0), x.value()(i, 1), x.value()(i, 2)}));
    CHECK(batches.size() >= least);
    return batches;
  };
  datasets::DataLoader whole(points(26), options);
  options.communicator = &communicator;
  datasets::DataLoader parts(points(26), options);
  CHECK(parts.size() == 3);
  CHECK(in_order(whole, 26) == in_order(parts, 26));

  StateDict middle;
  std::size_t seen = 0;
  for ([[maybe_unused]] const auto& batch : parts) {
    CHECK(communicator.current().number == seen % 4);
    CHECK(communicator.current().step == 3 + seen / 4);  // of the second epoch
    CHECK(communicator.current().batch == (seen < 8 ? 10 : 6));
    if (++seen == 4) middle = parts.state_dict();
  }
  CHECK(seen == 12);
  datasets::DataLoader resumed(points(26), options);
  resumed.load_state_dict(middle);
  CHECK(in_order(resumed, 16).size() == 16);
}

TEST_CASE("random numbers belong to a micro-batch, whoever computes it") {
  Communicator communicator;
  std::vector<std::uint64_t> drawn;
  for (const std::uint64_t number : {0u, 1u, 0u}) {
    communicator.begin({.number = number, .samples = 1, .batch = 8, .seed = 5, .step = 2});
    drawn.push_back(default_generator().bits());
  }
  communicator.begin({.number = 0, .samples = 1, .batch = 8, .seed = 5, .step = 3});
  drawn.push_back(default_generator().bits());
  communicator.end_step();
  drawn.push_back(default_generator().bits());
  CHECK(drawn[0] == drawn[2]);
  for (const std::size_t other : {1u, 3u, 4u}) CHECK(drawn[0] != drawn[other]);
}

TEST_CASE("a batch that was left is forgotten when the next one begins") {
  Communicator communicator({.micro_batches = 4});
  nn::Sequential left = network(), whole = network();
  optim::Distributed<optim::Adam> optimizer(communicator, left), undisturbed(communicator, whole);
  for (const auto& [x, y] : datasets::DataLoader(points(16), {.batch_size = 16, .communicator = &communicator})) {
    optimizer.zero_grad();
    nn::mse_loss(left(x), y).backward();
    optimizer.step();
    if (communicator.current().number == 2) break;
  }
  CHECK(optimizer.is_waiting());
  datasets::DataLoader next(points(16), {.batch_size = 16, .communicator = &communicator});
  next.set_epoch(1);
  for (const auto& [x, y] : next) {
    optimizer.zero_grad();
    nn::mse_loss(left(x), y).backward();
    optimizer.step();
  }
  CHECK(!optimizer.is_waiting());
  train_epoch(whole, undisturbed, communicator, 16, 16, [] {});
  CHECK(left.state_dict().tensors == whole.state_dict().tensors);
}

TEST_CASE("running statistics follow the mean over the micro-batches") {
  Communicator communicator({.micro_batches = 2});
  WithBuffers model;
  optim::Distributed<optim::SGD> optimizer(communicator, model);
  datasets::TensorDataset data(Tensor({{0, 2, 4}, {2, 2, 8}, {8, 0, 0}, {16, 0, 0}}), zeros({4, 3}));
  for (const auto& [x, y] : datasets::DataLoader(data, {.batch_size = 4, .communicator = &communicator})) {
    optimizer.zero_grad();
    nn::mse_loss(model(x), y).backward();
    optimizer.step();
  }
  const double means[] = {(1 + 12) / 2., (2 + 0) / 2., (6 + 0) / 2.};      // of two samples each
  const double variances[] = {(2 + 32) / 2., (0 + 0) / 2., (8 + 0) / 2.};  // unbiased
  for (std::size_t c = 0; c < 3; ++c) {
    CHECK(model.norm.running_mean.value()(c) == doctest::Approx(0.1 * means[c]));
    CHECK(model.norm.running_var.value()(c) == doctest::Approx(0.9 + 0.1 * variances[c]));
  }
  CHECK(model.norm.num_batches_tracked.value()() == 1);
}

TEST_CASE("schedules and slow weights count steps, not micro-batches") {
  Communicator communicator({.micro_batches = 4});
  nn::Sequential model = network();
  auto inner = std::make_unique<optim::Distributed<optim::SGD>>(communicator, model, optim::SGDOptions{.lr = 0.5});
  optim::Lookahead optimizer(std::move(inner), {.k = 2});
  optim::Schedule schedule(optimizer,
                           [](double base, std::int64_t count) { return base / static_cast<double>(count + 1); });
  std::string waits;
  train_epoch(model, optimizer, communicator, 32, 16, [&] {
    waits += optimizer.is_waiting() ? 'w' : 's';
    schedule.step();
  });
  CHECK(waits == "wwwswwws");
  CHECK(schedule.count() == 2);
  CHECK(optimizer.lr() == 0.5 / 3);
  const optim::WeightValues slow = optimizer.evaluation_weights();
  CHECK(slow.at(0).second == model.parameters()[0].second.value());  // both have just met
}

TEST_CASE("the norm that is clipped is the whole batch's") {
  Communicator communicator({.micro_batches = 4});
  nn::Sequential together = network(), whole = network();
  optim::Distributed<optim::SGD> optimizer(communicator, together, {.lr = 1}, {.max_norm = 0.25});
  const Tensor before = together.parameters()[0].second.value();
  train_epoch(together, optimizer, communicator, 16, 16, [] {});
  std::tuple<Variable, Variable> batch;
  std::vector<std::int64_t> rows(16);
  for (std::size_t i = 0; i < 16; ++i) rows[i] = static_cast<std::int64_t>(i);
  points(16).fill(batch, rows, 0);
  nn::mse_loss(whole(std::get<0>(batch)), std::get<1>(batch)).backward();
  const double norm = optim::clip_grad_norm(whole.parameters(), 0.25);
  REQUIRE(norm > 0.25);
  const Tensor moved = before - together.parameters()[0].second.value(), expected = whole.parameters()[0].second.grad();
  for (std::size_t i = 0; i < moved.size(); ++i)
    CHECK(moved.data()[i] == doctest::Approx(expected.data()[i]).epsilon(1e-4));
}

TEST_CASE("gradients of a table's rows are those of all rows: the others are 0") {
  Communicator communicator({.micro_batches = 2});
  seed(1);
  nn::Embedding together(6, 2, {.sparse = true});
  seed(1);
  nn::Embedding whole(6, 2);
  optim::Distributed<optim::Adam> distributed(communicator, together);
  optim::Adam plain(whole.parameters());
  const IndexTensor rows = {0, 2, 2, 5};
  const datasets::TensorDataset data(rows);
  for (int epoch = 0; epoch < 3; ++epoch) {
    for (const auto& [some] : datasets::DataLoader(data, {.batch_size = 4, .communicator = &communicator})) {
      distributed.zero_grad();
      mean(square(together.lookup(some))).backward();
      distributed.step();
    }
    plain.zero_grad();
    mean(square(whole.lookup(rows))).backward();
    plain.step();
  }
  const Tensor &a = together.weight.value(), &b = whole.weight.value();
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(a.data()[i] == doctest::Approx(b.data()[i]).epsilon(1e-5));
}

TEST_CASE("a state of one process is that of the optimizer within, and the next steps are the same bits") {
  Communicator communicator;
  nn::Sequential model = network(), again = network();
  optim::Distributed<optim::Adam> optimizer(communicator, model), other(communicator, again);
  train_epoch(model, optimizer, communicator, 32, 16, [] {});
  again.load_state_dict(model.state_dict());
  other.load_state_dict(optimizer.state_dict());
  CHECK(other.state("0.weight", "exp_avg") == optimizer.state("0.weight", "exp_avg"));
  train_epoch(model, optimizer, communicator, 32, 16, [] {});
  train_epoch(again, other, communicator, 32, 16, [] {});
  CHECK(model.state_dict().tensors == again.state_dict().tensors);
  CHECK(other.state_bytes() == 2 * (12 + 4 + 8 + 2) * sizeof(Scalar));
}

TEST_CASE("numbers of micro-batches are added as a tree") {
  Communicator communicator({.micro_batches = 4});
  const double big = 9007199254740992;  // 2^53, whose next number is 2 away
  CHECK(communicator.sum({big, 1, 1, 1}, 1) == std::vector{(big + 1) + (1. + 1.)});
  CHECK(communicator.sum({1, 10, 2, 20, 3, 30, 4, 40}, 2) == std::vector{10., 100.});
  CHECK(communicator.sum({}, 0).empty());
  check_error<ValueError>(
      [&] {
        communicator.sum({1, 2, 3}, 1);
      },
      {"[Communicator] sum: expected 4 times 1 numbers, got 3"});
}

TEST_CASE("alone, a communicator answers itself") {
  CHECK(!Communicator::launched_as());
  Communicator communicator;
  CHECK(communicator.size() == 1);
  CHECK(communicator.is_first());
  CHECK(communicator.own_micro_batches() == 8);
  CHECK(communicator.gather("a text") == std::vector<std::string>{"a text"});
  communicator.require_same("anything", "1");
  check_error<ProcessError>([&] { communicator.raise("no more"); }, {"no more"});
  std::vector<Scalar> elements = {1, 2, 3};
  const std::vector<std::size_t> begins = {0, 3};
  communicator.exchange(elements, begins, {});
  communicator.gather(elements, begins);
  CHECK(elements == std::vector<Scalar>{1, 2, 3});
}

TEST_CASE("steps in parts refuse what they cannot be") {
  check_error<ValueError>([] { Communicator({.micro_batches = 6}); },
                          {"[Communicator] micro_batches: expected 1, 2, 4, 8, … (powers of two), got 6"});
  check_error<ValueError>([] { Communicator({.micro_batches = 0}); }, {"got 0"});
  check_error<ValueError>([] { Communicator({.deadline = 0}); }, {"[Communicator] expected a deadline above 0"});

  Communicator communicator({.micro_batches = 2});
  nn::Sequential model = network();
  check_error<ValueError>([&] { optim::Distributed<optim::Adam>(communicator, model, {}, {.max_norm = 0}); },
                          {"[Distributed] max_norm must be above 0"});
  check_error<ValueError>([&] { optim::Distributed<optim::Sophia>(communicator, model); },
                          {"[Distributed] the steps of Sophia take their gradients themselves"});
  check_error<ValueError>(
      [&] {
        const auto make = [](const optim::ParameterList& all) { return std::make_unique<optim::LBFGS>(all); };
        optim::DistributedOptimizer(communicator, model.parameters(), model.buffers(), make);
      },
      {"the steps of LBFGS"});
  check_error<ValueError>([&] { optim::Distributed<optim::Adam>(communicator, model, {.lr = -1}); }, {"lr"});

  optim::Distributed<optim::SGD> optimizer(communicator, model);
  check_error<GraphError>([&] { optimizer.step(); }, {"[Communicator] no micro-batch has begun"});
  communicator.begin({.number = 1, .samples = 4, .batch = 8, .seed = 0, .step = 0});
  check_error<GraphError>([&] { optimizer.step(); },
                          {"expected the gradient of micro-batch 0 of a batch, got that of 1: each needs one step()"});
  communicator.begin({.number = 0, .samples = 4, .batch = 8, .seed = 0, .step = 0});
  check_error<GraphError>([&] { optimizer.step(); },
                          {"[Distributed] zero_grad() must be called before each backward()"});
  optimizer.zero_grad();
  check_error<GraphError>([&] { optimizer.step(); }, {"[SGD] no parameter has a gradient"});
}
