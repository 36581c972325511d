// A Profile gives each stretch of time to one name.
#include <xgrad/autograd/ops.h>
#include <xgrad/autograd/profile.h>
#include <xgrad/datasets/digits.h>
#include <xgrad/datasets/loader.h>
#include <xgrad/nn/linear.h>
#include <xgrad/optim/adam.h>

#include <stdexcept>
#include <thread>

#include "error.h"

using namespace xgrad;

namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void work(double seconds) {
  for (const auto start = Clock::now(); since(start) < seconds;) continue;
}

constexpr double forward_seconds = 0.004, inner_seconds = 0.002, rest_seconds = 0.001;

// Takes a while forward, and in its gradient a while in an operation and another outside.
Variable slow(const Variable& x) {
  work(forward_seconds);
  return record("slow", x.value(), {x}, [](const Variable&, const Variable& g) {
    work(inner_seconds);
    const Variable inner = record("inner", g.value(), {g}, nullptr);
    work(rest_seconds);
    return std::vector{inner};
  });
}

Profile::Row row(const Profile& profile, std::string_view name, std::string_view gradient_of = "") {
  for (const Profile::Row& each : profile.rows())
    if (each.name == name && each.gradient_of == gradient_of) return each;
  return {"", "", 0, 0};
}

double total(const Profile& profile) {
  double seconds = 0;
  for (const Profile::Row& each : profile.rows()) seconds += each.seconds;
  return seconds;
}

}  // namespace

TEST_CASE("time goes to operations and to the gradients of operations, once each") {
  const Variable x(ones({2}), true);
  slow(x);  // no Profile lives
  const auto start = Clock::now();
  const Profile profile;
  const Variable y = slow(slow(x)), loss = sum(y);
  loss.backward();
  const double elapsed = since(start);
  const struct {
    const char *name, *gradient_of;
    std::size_t count;
    double seconds;
  } cases[] = {{"slow", "", 2, 2 * forward_seconds},
               {"inner", "slow", 2, 2 * inner_seconds},
               {"other", "slow", 2, 2 * rest_seconds},
               {"sum", "", 1, 0},
               {"broadcast_to", "sum", 1, 0},
               {"backward", "", 4, 0},
               {"record", "", 3, 0}};
  for (const auto& expected : cases) {
    CAPTURE(expected.name);
    CHECK(row(profile, expected.name, expected.gradient_of).count == expected.count);
    CHECK(row(profile, expected.name, expected.gradient_of).seconds >= expected.seconds);
  }
  CHECK(total(profile) <= elapsed);
  CHECK(total(profile) >= 2 * (forward_seconds + inner_seconds + rest_seconds));
  const std::string table = profile.table();
  CHECK(table.find("slow\n") != std::string::npos);
  CHECK(table.find("  inner in the gradient of slow\n") != std::string::npos);
}

TEST_CASE("a training step has its loader, its optimizer, and names of the user's own") {
  nn::Linear layer(784, 2);
  optim::Adam optimizer(layer.parameters());
  datasets::DataLoader loader(datasets::digits(20, 1), {.batch_size = 10});
  const Profile profile;
  for (const auto& [images, labels] : loader) {
    const Variable rows = reshape(images, {10, 784});
    work(rest_seconds);
    Profile::mark("augmentation");
    sum(layer(rows)).backward();
    optimizer.step();
  }
  CHECK(row(profile, "DataLoader").count == 3);  // and one that finds the end
  CHECK(row(profile, "Adam").count == 2);
  CHECK(row(profile, "linear").count == 2);
  CHECK(row(profile, "matmul", "linear").count == 2);
  CHECK(row(profile, "augmentation").count == 2);
  CHECK(row(profile, "augmentation").seconds >= 2 * rest_seconds);
}

TEST_CASE("a gradient that throws, a Profile inside another and other threads leave no trace") {
  const Variable x(ones({2}), true);
  const Profile profile;
  const Variable bad = record("bad", ones({}), {x}, [](const Variable&, const Variable&) -> std::vector<Variable> {
    throw std::runtime_error("bad");
  });
  CHECK_THROWS_AS(bad.backward(), std::runtime_error);
  exp(x);
  CHECK(row(profile, "exp").count == 1);
  {
    const Profile inner;
    exp(x);
    CHECK(row(inner, "exp").count == 1);
  }
  std::thread([&] { exp(x.detach()); }).join();
  CHECK(row(profile, "exp").count == 1);
  exp(x);
  CHECK(row(profile, "exp").count == 2);
}
